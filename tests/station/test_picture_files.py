"""station.picture_files"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from station.picture_files import is_a_store, place_of, write

AT = datetime(2026, 11, 27, 16, 13, 41, tzinfo=UTC)


@pytest.fixture(autouse=True)
def east_of_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_picture_is_named_by_local_time_camera_and_kind() -> None:
    event_id = "01a21dc8-b10e-71bc-96e1-b473f295ae8f"

    place = place_of(Path("/p"), "hai-ninh-03", "north", AT, "line_crossed", "scene", event_id)

    named = "2026-11-27_231341+0700_north_line_crossed_scene_b473f295ae8f.jpg"
    assert place == Path("/p/hai-ninh-03/north") / named


def test_names_of_one_camera_are_in_the_order_of_time() -> None:
    earlier, later = (
        place_of(Path("/p"), "b", "c", at, "zone_entered", "scene", "e") for at in (AT, AT.replace(hour=17))
    )

    assert earlier < later


def test_a_file_is_there_whole_and_a_better_one_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "box" / "camera" / "a.jpg"
    for picture in (b"first", b"better"):
        write(path, picture)

        assert [each.read_bytes() for each in path.parent.iterdir()] == [picture]


def test_the_folders_of_a_store_are_known_by_its_database(tmp_path: Path) -> None:
    blobs = tmp_path / "store" / "blobs" / "ab"
    blobs.mkdir(parents=True)
    assert not is_a_store(blobs)

    (tmp_path / "store" / "station.db").touch()

    assert is_a_store(blobs)
    assert is_a_store(tmp_path / "store")
    assert not is_a_store(tmp_path)
