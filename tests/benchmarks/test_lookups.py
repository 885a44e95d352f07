"""benchmarks.lookups, benchmarks.filled_store, benchmarks.questions"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL

from benchmarks import lookups
from benchmarks.filled_store import RARE_EVENTS, bring_pictures, fill, lay_segments
from station.audit.picture_scan import missing_pictures
from station.store.database import engine_of, upgrade
from station.store.pictures.shelf import PictureShelf


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """Of a store with few events, on SQLite alone."""
    folder: Path = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lookups, "EVENTS", 3_000)
        patch.setattr(lookups, "TIMES", 1)
        url = URL.create("sqlite", database=str(folder / "station.db"))
        return list(lookups.measured_on("SQLite", url, lambda _: None))


@pytest.mark.long
def test_every_look_up_has_a_row_with_its_times(rows: list[dict[str, object]]) -> None:
    named = {str(row["look-up"]): row for row in rows if "look-up" in row}

    assert set(lookups.LOOK_UPS) <= set(named)
    assert all(row["p50, ms"] is not None and row["database"] == "SQLite" for row in named.values())


@pytest.mark.long
def test_the_store_holds_what_the_look_ups_are_about(rows: list[dict[str, object]]) -> None:
    found = {str(row["look-up"]): row["found"] for row in rows if "look-up" in row}

    assert found["a rare rule"] == str(RARE_EVENTS)
    assert found["a label that is not there"] == found["a box that is not there"] == "0"
    assert found["everything"] == "1000+"
    assert found["four riders outwards, on a bus"] == "0"
    assert (found["an event by its id"], found["a line, 30 days by hour"]) == ("1", "720")


@pytest.mark.long
def test_each_event_of_the_store_has_a_picture_that_no_look_misses(tmp_path: Path) -> None:
    engine = engine_of(URL.create("sqlite", database=str(tmp_path / "station.db")))
    upgrade(engine, "0009")
    fill(engine, 7_000)
    upgrade(engine, "0021")
    bring_pictures(engine)
    upgrade(engine)
    lay_segments(tmp_path, 7_000)

    with engine.connect() as connection, connection.begin():
        looked = missing_pictures(connection, tmp_path / "blobs")
        assert (looked.count, looked.named) == (0, 7_000)
        PictureShelf(tmp_path / "blobs").segment(2).unlink()
        assert 3_000 < missing_pictures(connection, tmp_path / "blobs").count < 4_000
        hashes = connection.exec_driver_sql("select count(distinct thumbnail_sha256) from event")
        assert hashes.scalar() == 7_000
    engine.dispose()


def test_a_store_that_is_filled_is_taken_as_it_is(tmp_path: Path) -> None:
    engine = engine_of(URL.create("sqlite", database=str(tmp_path / "station.db")))
    assert not lookups.is_filled(engine)
    engine.dispose()
