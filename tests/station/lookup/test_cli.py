"""station.lookup.cli"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

from station.lookup.query import FoundEvent
from tests.station.lookup.test_query import lasting
from tests.support.stores import Place

NGATU = (sys.executable, "-m", "agent", "station", "events")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Of a station that was told of one north and one south, at 18:00 and 18:30 in UTC."""
    folder = tmp_path / "state"
    folder.mkdir()
    place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
    store = place.open()
    store.commit([lasting(1, 0, 1), lasting(2, 30, 31, camera="south", severity="info")])
    store.close()
    place.close()
    path = tmp_path / "station.yaml"
    path.write_text(f"commune: hai-ninh\nstate_dir: {folder}\n")
    return path


def events(config: Path, *words: str, since: str = "2026-03-02", zone: str = "UTC") -> tuple[int, str, str]:
    """As a person runs it, without a terminal."""
    done = subprocess.run(
        [*NGATU, "-c", str(config), *(() if "--since" in words else ("--since", since)), *words],
        capture_output=True,
        env={**os.environ, "TZ": zone},
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_one_command_tells_who_and_what_passed_north_between_six_and_eight(config: Path) -> None:
    window = ("--until", "2026-03-03 03:00", "--camera", "north")

    code, out, _ = events(config, *window, since="2026-03-03 01:00", zone="Asia/Ho_Chi_Minh")

    assert code == 0
    span, headings, row, total, summed = out.splitlines()
    assert span == "from 2026-03-03 01:00:00 to 2026-03-03 03:00:00, local time: UTC+07:00"
    assert headings.startswith("began")
    assert row.split()[:4] == ["03-03", "01:00:00", "1:00", "north-01/north"]
    assert (total, summed) == ("1 events", "      1  line_crossed in  motorcycle")


@pytest.mark.long
def test_the_same_for_a_spreadsheet_and_for_a_program(config: Path) -> None:
    _, out, err = events(config, "--csv", "--severity", "info")
    (row,) = csv.DictReader(io.StringIO(out))
    assert (row["camera"], row["start"]) == ("south", "2026-03-02T18:30:00.000+00:00")
    assert err.startswith("from 2026-03-02 00:00:00")

    _, out, _ = events(config, "--json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["e-1", "e-2"]
    fields = {"event_id": "id"}
    shown = {fields.get(name, name) for name in FoundEvent.__dataclass_fields__} | {"duration_s"}
    assert set(json.loads(out.splitlines()[0])) == shown


def test_a_word_that_no_event_has_is_told_with_those_that_there_are(config: Path) -> None:
    code, out, err = events(config, "--label", "motorbike")

    assert (code, out.splitlines()[-1]) == (0, "0 events")
    assert err == "no event at all has the label motorbike; there is: motorcycle\n"


def test_who_asks_for_a_colour_hears_of_those_of_whom_none_is_known(config: Path) -> None:
    code, out, err = events(config, "--colour", "red", "--camera", "north")

    assert (code, out.splitlines()[-1]) == (0, "0 events")
    assert err.splitlines()[-1] == "1 more fit but for a colour that is not known: add unknown to it"
    code, out, err = events(config, "--colour", "red", "--colour", "unknown", "--camera", "north")
    assert (code, out.splitlines()[-2], err) == (0, "1 events", "")


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "tomorrow"), "--since: 'tomorrow' is no moment"),
        (("--since", "2199-01-01"), "is yet to come"),
        (("--until", "2026-03-01"), "--until: 2026-03-01 00:00:00 is not after 2026-03-02 00:00:00"),
        (("--csv", "--json"), "only one of the two"),
        (("--severity", "red"), "--severity: 'red' is neither alert nor info"),
    ],
)
def test_a_slip_is_one_clear_error_and_exit_code_2(config: Path, words: tuple[str, ...], said: str) -> None:
    code, out, err = events(config, *words)

    assert (code, out) == (2, "")
    assert said in " ".join(err.split())
    assert "Traceback" not in err


def test_a_store_that_is_not_there_is_exit_code_1_and_is_not_made(config: Path) -> None:
    (config.parent / "state" / "station.db").unlink()

    code, _, err = events(config)

    assert code == 1
    assert "station.db: unable to open database file" in err
    assert not (config.parent / "state" / "station.db").exists()


@pytest.mark.long
def test_a_reader_that_has_seen_enough_is_no_failure(config: Path) -> None:
    place = Place(
        URL.create("sqlite", database=str(config.parent / "state" / "station.db")), config.parent / "state"
    )
    store = place.open()
    store.commit([lasting(number, 10, 11) for number in range(3, 2_000)])
    store.close()
    place.close()
    command = " ".join((*NGATU, "-c", str(config), "--since", "2026-03-02"))

    done = subprocess.run(
        ["bash", "-c", f"{command} | head -1; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
