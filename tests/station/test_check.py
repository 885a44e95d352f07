"""station.check"""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from station.check import doubtful, findings
from station.config import StationConfig, parse
from station.ingest.alarms import AlarmKind
from station.store.database import engine_of, upgrade, url_of, versions
from station.store.store import Store
from station.watch.embedded import Address
from tests.station.ingest.test_receipts import messages
from tests.support.brokers import free_port
from tests.support.stores import Place


def config(folder: Path, port: int, more: str = "") -> StationConfig:
    return parse(f"commune: hai-ninh\nstate_dir: {folder}\nbroker: {{port: {port}}}\n{more}".encode(), "x.yaml")


def test_a_place_where_nothing_is_yet_is_well_and_stays_empty(tmp_path: Path, embedded: Address) -> None:
    found = list(findings(config(tmp_path / "state", embedded.port)))

    assert [verdict for _, _, verdict in found] == ["ok"] * 5
    assert [what.rpartition("state")[2] for part, what, _ in found if part != "broker"] == [
        "commune hai-ninh", " will be made", "/station.db will be made", "none yet",
    ]  # fmt: skip
    assert not (tmp_path / "state").exists()


def test_each_part_is_looked_at_although_another_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    found = {part: (what, verdict) for part, what, verdict in findings(config(tmp_path / "file", free_port()))}

    assert {part: verdict for part, (_, verdict) in found.items()} == {
        "config": "ok", "state_dir": "failed", "database": "ok", "pictures": "ok", "broker": "failed",
    }  # fmt: skip
    assert "owner and mode of state_dir" in found["state_dir"][0]
    assert "is the broker running" in found["broker"][0]


@pytest.mark.parametrize("older", ["0001", "0004"])
def test_an_older_database_is_told_and_left_as_it_is(tmp_path: Path, older: str) -> None:
    settings = config(tmp_path, free_port())
    engine = engine_of(url_of(settings.database, tmp_path))
    upgrade(engine, older)
    engine.dispose()

    looked = [next(what for part, what, _ in findings(settings) if part == "database") for _ in range(2)]

    assert looked == [f"{tmp_path}/station.db\nversion {older}: will be brought to {versions()[0]}"] * 2


def test_pictures_that_are_gone_are_counted_with_their_boxes(tmp_path: Path) -> None:
    settings = config(tmp_path, free_port())
    place = Place(url_of(settings.database, tmp_path), tmp_path)
    with closing(place.open()) as store:
        store.commit([*messages(1, 1, picture=True), *messages(2, 3, picture=True)])

    assert pictures_of(settings) == ("all 2 that the database names are there", "ok")

    shutil.rmtree(tmp_path / "blobs")
    what, verdict = pictures_of(settings)

    assert verdict == "failed"
    assert "2 of 2 pictures are gone: hai-ninh/north-01 2; the station has not noticed yet" in what

    with closing(place.open(now=lambda: 1_772_449_447.0)) as store:
        store.raise_alarm(AlarmKind.PICTURES_MISSING, None, "gone")
    assert "; since 2026-03-02 " in pictures_of(settings)[0]


def pictures_of(settings: StationConfig) -> tuple[str, str]:
    return next((what, verdict) for part, what, verdict in findings(settings) if part == "pictures")


def test_what_deserves_a_look_is_a_warning_of_the_configuration(tmp_path: Path) -> None:
    more = "database: {url: 'postgresql://ngatu@db.example/ngatu'}\n"

    found = findings(config(tmp_path, free_port(), more))

    assert next(found) == ("config", "commune hai-ninh", "ok")
    assert next(found) == (
        "config", "database.url names another machine: events go there over the network", "warning",
    )  # fmt: skip


def test_a_text_that_a_sign_cuts_is_a_warning_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text("commune: hai-ninh\nname: hai-ninh #3\n", encoding="utf-8")

    ((part, what, verdict),) = doubtful(file)

    assert (part, verdict) == ("config", "warning")
    assert what.startswith(f"{file}:2: name: what stands behind the # is a comment")


def test_alarms_that_stand_are_warnings(tmp_path: Path, embedded: Address) -> None:
    settings = config(tmp_path, embedded.port)
    with closing(Store(engine_of(url_of(settings.database, tmp_path)), tmp_path)) as store:
        store.raise_alarm(AlarmKind.SECOND_HOLDER, ("hai-ninh", "north-01"), "two at once\x1b[2J")

    found = [(what, verdict) for part, what, verdict in findings(settings) if part == "alarm"]

    meaning = AlarmKind.SECOND_HOLDER.meaning
    assert found == [(f"second_holder hai-ninh/north-01: {meaning}; two at once\ufffd[2J", "warning")]
