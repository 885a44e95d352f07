"""station.takeover"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL
from typer.testing import CliRunner

from station.config import StationConfig
from station.store.database import StoreError, claimed
from station.takeover import take_over
from tests.station.ingest.test_receipts import hello, messages
from tests.station.test_cli import app
from tests.station.test_logbook import kept, several, without_digests
from tests.support.stores import Place


@pytest.fixture
def config(tmp_path: Path) -> StationConfig:
    return StationConfig(commune="hai-ninh", state_dir=tmp_path / "state")


def store_of(config: StationConfig) -> Place:
    url = URL.create("sqlite", database=str(config.state_dir / "station.db"))
    return Place(url, config.state_dir)


@pytest.mark.parametrize("digests", [True, False])
def test_what_a_watch_kept_is_the_station_s_and_a_second_time_changes_nothing(
    config: StationConfig, tmp_path: Path, digests: bool
) -> None:
    path = kept(tmp_path / "watch.db", several())
    if not digests:
        without_digests(path)
    heard: list[tuple[int, int]] = []

    for _ in range(2):
        taken = take_over(config, path, lambda done, of: heard.append((done, of)))
        assert (taken.messages, taken.skipped) == (6, ())

    rows = store_of(config).rows
    assert rows("select seq from message order by seq") == [(1,), (2,), (3,), (4,), (8,), (9,)]
    assert rows("select count(*) from event") == [(2,)]
    assert rows("select count(*) from picture") == [(3,)]
    assert rows("select count(*) from quarantine") == [(1,)]
    assert rows("select count(*) from conflict") == [(0,)]
    assert heard[-1] == (6, 6)


def test_gaps_that_it_fills_are_closed_and_no_quota_is_charged(config: StationConfig, tmp_path: Path) -> None:
    """The box says that it holds nothing below 88: without the file these numbers are gone for ever."""
    config.state_dir.mkdir()
    place = store_of(config)
    with closing(place.open(gap_after_s=0)) as store:
        store.commit([*messages(88, 88), hello(88, 88)])
        store.attend()
        store.attend()
    assert place.rows("select first, last, state from gap") == [(1, 87, "gone")]
    used = place.rows("select * from daily_usage")

    take_over(config, kept(tmp_path / "watch.db", [m for n in range(1, 88) for m in messages(n, n)]))

    assert place.rows("select first, last, state from gap") == [(1, 87, "filled")]
    assert place.rows("select first, last from span") == [(1, 88)]
    assert place.rows("select * from daily_usage") == used


def test_beside_a_service_it_is_refused(config: StationConfig, tmp_path: Path) -> None:
    path = kept(tmp_path / "watch.db", several())

    with claimed(config.state_dir), pytest.raises(StoreError, match="is in use by another process"):
        take_over(config, path)


def test_the_command_says_how_many_and_verify_finds_them_whole(tmp_path: Path) -> None:
    config = tmp_path / "station.yaml"
    config.write_text(f"commune: hai-ninh\nstate_dir: {tmp_path / 'state'}\n")
    path = kept(tmp_path / "watch.db", several())

    result = CliRunner().invoke(app, ["station", "import", str(path), "-c", str(config)])
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, f"{path}: 6 messages are in the store")
    result = CliRunner().invoke(app, ["station", "verify", "-c", str(config)])
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "everything is as it came")


def test_a_watch_s_file_in_the_store_s_place_is_named_with_what_to_do(
    config: StationConfig, tmp_path: Path
) -> None:
    config.state_dir.mkdir()
    path = kept(config.state_dir / "station.db", several())
    before = path.read_bytes()

    with pytest.raises(StoreError, match="is the file of an earlier ngatu watch --store"):
        take_over(config, path)

    assert path.read_bytes() == before
