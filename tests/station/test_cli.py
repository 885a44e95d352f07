"""station.cli, with station.check and station.stats"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
import typer
from sqlalchemy import URL
from typer.testing import CliRunner

from station.cli import commands
from station.ingest.alarms import AlarmKind
from station.store.database import claimed, versions
from station.watch.embedded import Address
from tests.station.ingest.test_receipts import hello, messages
from tests.station.store.test_store import altered, bytes_by
from tests.support.aged_store import AgedStore
from tests.support.brokers import free_port
from tests.support.stores import Place

app = typer.Typer()
app.add_typer(commands)  # as `ngatu` does


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "station.yaml"
    path.write_text(f"commune: hai-ninh\nstate_dir: {tmp_path / 'state'}\nbroker: {{port: {free_port()}}}\n")
    return path


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["station", *words], env={"COLUMNS": "160", "TZ": "UTC"})
    return result.exit_code, result.stdout, result.stderr


def filled(config: Path) -> Place:
    """A store with one of everything that is to be told."""
    folder = config.parent / "state"
    folder.mkdir()
    place = Place(URL.create("sqlite", database=str(folder / "station.db")), folder)
    with closing(place.open(gap_after_s=0, now=lambda: 1_772_449_447.0)) as store:
        event, picture = messages(1, 1, picture=True)
        store.commit([event, picture, *messages(2, 6), *messages(3, 9), hello(6, 9)])
        store.commit([bytes_by("camera/north/event", b"?"), altered(event, seq=7, severity="info")])
        store.attend()
        store.attend()
        store.raise_alarm(AlarmKind.QUOTA, ("hai-ninh", "north-01"), "events\x1b]0;x", 12)
    return place


@pytest.mark.long
def test_a_first_try_needs_no_file_and_leaves_one_for_the_other_commands(
    embedded: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--commune", "hai-ninh", "--port", str(embedded.port), "--for", "0.1")

    for _ in range(2):
        code, _, err = run(*words)
        assert code == 0
        assert f"commune hai-ninh, broker 127.0.0.1:{embedded.port}, store in {tmp_path}/ngatu-station;" in err
    assert run("verify", "-c", "ngatu-station/station.yaml")[0] == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ngatu-station"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", "1883"), "go only with --commune"),
        (("--commune", "hai-ninh", "-c", "x.yaml"), "the commune is in x.yaml already"),
        (("--commune", "Hải Ninh"), 'commune: "Hải Ninh" is not 2 to 32'),
        (("-c", "gone.yaml"), "or without: `ngatu station --commune NAME`"),
    ],
)
def test_a_slip_at_a_first_try_is_exit_code_2_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)

    code, _, err = run(*words)

    assert (code, list(tmp_path.iterdir())) == (2, [])
    assert said in err


def test_stats_tell_counts_gaps_conflicts_and_sizes(config: Path) -> None:
    filled(config)

    code, out, _ = run("stats", "-c", str(config))

    assert code == 0
    assert out.startswith("hai-ninh, local time: UTC+00:00")
    row, amiss, *_ = (line.split() for line in out.splitlines() if line.startswith("north-01"))
    assert row == [
        *("north-01", "never", "told", "03-02", "11:04"),  # box, state, last seen
        *("3", "3", "1", "0"),  # events, open, pictures, counts
    ]
    assert amiss == ["north-01", "1", "3", "1", "1"]  # missing, gone, conflicts, unreadable
    gaps = [line.split() for line in out.splitlines() if "s-1" in line]
    assert [(gap[2], gap[3], gap[4], gap[5]) for gap in gaps] == [
        ("3", "5", "3", "gone"), ("8", "8", "1", "open"),
    ]  # fmt: skip
    assert "free" in out
    (alarm,) = [line for line in out.splitlines() if line.strip().startswith("quota")]
    assert alarm == "quota  north-01  since 03-02 11:04, last 03-02 11:04, count 12"
    assert "\x1b]0;" not in out


def test_stats_as_json_are_one_object(config: Path) -> None:
    place = filled(config)

    code, out, _ = run("stats", "-c", str(config), "--json")

    stats = json.loads(out)
    assert code == 0
    assert stats["boxes"][0]["messages"] == 5
    assert stats["picture_bytes"] == place.rows("select sum(size_bytes) from blob")[0][0]
    assert stats["database_bytes"] >= (config.parent / "state" / "station.db").stat().st_size
    assert stats["unreadable_bytes"] == 1


@pytest.mark.parametrize("verb", ["stats", "verify"])
def test_looking_at_what_is_not_there_is_one_clear_error_and_makes_nothing(config: Path, verb: str) -> None:
    folder = config.parent / "state"
    for _ in range(2):
        code, out, err = run(verb, "-c", str(config))
        assert (code, out) == (1, "")
        assert "station.db: unable to open database file" in err
        folder.mkdir(exist_ok=True)

    assert not list(folder.iterdir())


def test_check_tells_of_each_part_and_changes_nothing(config: Path, embedded: Address) -> None:
    code, out, _ = run("check", "-c", str(config))
    assert code == 1
    assert "nothing listens there" in out
    assert "station.db will be made" in out
    assert not (config.parent / "state").exists()

    config.write_text(config.read_text().splitlines()[0] + f"\nstate_dir: {config.parent / 'state'}\n")
    config.write_text(config.read_text() + f"broker: {{port: {embedded.port}}}\n")
    filled(config)
    code, out, _ = run("check", "-c", str(config))
    assert code == 0, out
    assert "accepts the station" in out
    assert f"version {versions()[0]}" in out


def test_verify_names_what_was_changed_since_it_came(config: Path) -> None:
    place = filled(config)
    as_it_came = "everything is as it came\nhai-ninh/north-01 stream s-1: in no seal yet: 1-2, 6-7, 9\n"
    assert run("verify", "-c", str(config))[:2] == (0, as_it_came)
    place.do("delete from message where seq = 6")
    place.do("update event_revision set body = '{}' where seq in (1, 9)")

    code, out, _ = run("verify", "-c", str(config))

    assert code == 1
    assert out.splitlines() == [
        "hai-ninh/north-01 stream s-1: altered: 1, 9",
        "hai-ninh/north-01 stream s-1: missing: 6",
        "hai-ninh/north-01 stream s-1: in no seal yet: 2, 7",
    ]


def test_a_folder_that_cannot_be_written_fails_the_check(config: Path) -> None:
    (config.parent / "state").write_text("in the way")

    code, out, _ = run("check", "-c", str(config))

    assert code == 1
    assert "not a folder that this user may write" in out


def test_a_second_service_on_the_same_folder_is_refused_in_a_line(config: Path) -> None:
    folder = config.parent / "state"
    with claimed(folder):
        code, _, err = run("-c", str(config))

    assert code == 1
    assert err.splitlines() == [f"{folder} is in use by another process", "  hint: stop the other station"]


@pytest.mark.parametrize("words", [["check"], ["stats"], []])
def test_a_wrong_file_is_exit_code_2(config: Path, words: list[str]) -> None:
    config.write_text("comune: hai-ninh\n")

    code, _, err = run(*words, "-c", str(config))

    assert code == 2
    assert "did you mean commune?" in err


def test_the_example_is_printed(config: Path) -> None:
    code, out, _ = run("example")
    config.write_text(out.replace("/var/lib/ngatu-station", str(config.parent / "state")))

    assert code == 0
    assert "station.db will be made" in run("check", "-c", str(config))[1]


def test_verify_tells_what_was_deleted_by_its_age_from_what_is_missing(sqlite_place: Place) -> None:
    aged = AgedStore(sqlite_place)
    aged.event(1, 40, picture=b"old")
    aged.event(2, 1)
    aged.run(events=30)
    file = sqlite_place.folder / "station.yaml"
    file.write_text(f"commune: hai-ninh\nstate_dir: {sqlite_place.folder}\n")

    code, said, _ = run("verify", "-c", str(file))
    assert (code, said.splitlines()[0]) == (0, "everything is as it came")
    assert "hai-ninh/north-01 stream s-1: deleted by its age, 2 messages: 101, 150" in said

    sqlite_place.do("delete from deletion")
    assert run("verify", "-c", str(file))[0] == 1
    aged.close()
