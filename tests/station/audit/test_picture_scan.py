"""station.audit.picture_scan"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from station.audit import picture_scan
from station.audit.picture_scan import MissingPictures, PictureScan, missing_pictures
from station.ingest.alarms import AlarmKind
from station.store.blobs import BLOBS, path_of
from station.store.database import engine_of
from station.store.pictures.shelf import PicturePlace, PictureShelf
from station.store.store import Store
from tests.station.ingest.test_receipts import messages
from tests.support.aged_store import AgedStore
from tests.support.brokers import until
from tests.support.kept_pictures import as_before_segments
from tests.support.stores import Place

BOX = "hai-ninh/north-01"


@pytest.fixture
def scan(place: Place) -> Iterator[PictureScan]:
    """Over a store of twenty pictures."""
    with closing(place.open()) as store:
        for number in range(1, 21):
            store.commit(messages(number, 2 * number, picture=True))
    with closing(PictureScan(engine_of(place.url, writes=False), place.folder / BLOBS, 1.0)) as made:
        yield made


def looked(place: Place) -> MissingPictures:
    with place.engine.connect() as connection:
        return missing_pictures(connection, place.folder / BLOBS)


def test_nothing_is_missing_where_each_picture_is_there(scan: PictureScan, place: Place) -> None:
    assert looked(place) == MissingPictures(0, 20)


def test_what_is_missing_is_counted_and_its_boxes_named(scan: PictureScan, place: Place) -> None:
    for path in as_before_segments(place)[:3]:
        path.unlink()

    assert looked(place) == MissingPictures(3, 20, {BOX: 3})


def test_of_a_segment_that_was_cut_what_lay_behind_is_missing(scan: PictureScan, place: Place) -> None:
    ((end,),) = place.rows("select max(segment_offset) from blob")
    with (place.folder / BLOBS / "segments" / "00000001.segment").open("r+b") as file:
        file.truncate(end + 100)

    assert looked(place) == MissingPictures(1, 20, {BOX: 1})


def test_of_a_segment_that_is_gone_what_was_copied_back_is_there_and_no_more(
    scan: PictureScan, place: Place
) -> None:
    """Also where the last one of the segment is among them."""
    shelf = PictureShelf(place.folder / BLOBS)
    rows = place.rows(
        "select sha256, size_bytes, segment, segment_offset from blob order by segment_offset desc"
    )
    pictures = {row[0]: shelf.read(PicturePlace(*row)) for row in rows[:3]}
    shelf.segment(1).unlink()
    for sha256, data in pictures.items():
        path = path_of(shelf.folder, sha256)
        path.parent.mkdir(parents=True)
        path.write_bytes(data)

    assert looked(place) == MissingPictures(17, 20, {BOX: 17})


@pytest.mark.long
def test_a_file_that_no_row_names_is_removed_after_a_whole_look_and_no_other(
    scan: PictureScan, place: Place
) -> None:
    """A crash of an earlier version left it."""
    first, *others = as_before_segments(place)
    stray = path_of(place.folder / BLOBS, "f" * 64)
    stray.parent.mkdir(parents=True, exist_ok=True)
    first.rename(stray)
    unfinished = place.folder / BLOBS / "incoming" / "half"
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"ha")

    assert (looked(place).count, looked(place).strays) == (1, {"f" * 64})
    with capture_logs() as lines:
        scan.start()
        until(lambda: any(line["event"] == "orphans_removed" for line in lines), 120)

    assert not stray.exists()
    assert not unfinished.exists()
    assert all(path.is_file() for path in others)


def test_more_files_without_a_row_than_a_crash_leaves_are_spared_and_told(
    scan: PictureScan, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture_scan, "MAX_ORPHANS", 19)
    files = as_before_segments(place)
    place.do("delete from picture")
    place.do("delete from blob")
    with capture_logs() as lines:
        scan.start()
        until(lambda: lines, 120)

    assert [(line["event"], line["pictures"]) for line in lines] == [("pictures_without_rows", 20)]
    assert all(path.is_file() for path in files)


def test_a_removed_folder_is_an_alarm_and_its_return_ends_it(scan: PictureScan, place: Place) -> None:
    with closing(Store(engine_of(place.url), place.folder, duties=[scan.tell])) as store:
        scan.start()
        (place.folder / BLOBS).rename(place.folder / "aside")
        until(lambda: store.attend() or alarm(place), 120)
        until(lambda: store.attend() or "20 of 20" in alarm(place), 120)

        assert alarm(place) == f"20 of 20 pictures are gone: {BOX} 20"
        shutil.copytree(place.folder / "aside", place.folder / BLOBS)
        until(lambda: store.attend() or not alarm(place), 120)


@pytest.mark.long
def test_an_alarm_of_an_earlier_life_ends_once_a_look_found_nothing(scan: PictureScan, place: Place) -> None:
    with closing(Store(engine_of(place.url), place.folder, duties=[scan.tell])) as store:
        store.raise_alarm(AlarmKind.PICTURES_MISSING, None, "3 of 20")
        store.attend()
        assert alarm(place)

        scan.start()
        until(lambda: store.attend() or not alarm(place), 120)


def alarm(place: Place) -> str:
    """What the alarm says that stands; empty: there is none."""
    found = place.rows("select detail from alarm where closed_ms is null and kind = 'pictures_missing'")
    return str(found[0][0]) if found else ""


def test_a_folder_that_cannot_be_read_is_told_once_and_so_is_its_end(scan: PictureScan, place: Place) -> None:
    """A file in the place of a folder, for root may read every folder."""
    folder = as_before_segments(place)[0].parent.parent
    shutil.move(folder, place.folder / "aside")
    folder.touch()
    with capture_logs() as lines:
        scan.start()
        until(lambda: len(lines) >= 1, 120)
        folder.unlink()
        shutil.move(place.folder / "aside", folder)
        until(lambda: len(lines) >= 2, 120)

    assert [line["event"] for line in lines][:2] == ["pictures_not_looked_at", "pictures_looked_at"]


@pytest.mark.long
def test_what_retention_takes_out_during_a_look_is_not_missing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row and then its file go after the row was read."""
    aged = AgedStore(place)
    aged.event(1, 40, picture=b"old")
    ((old,),) = place.rows("select sha256 from blob")
    real, looks = picture_scan.names_below, []

    def names(folder: Path, prefix: str) -> set[str]:
        if prefix == old[:2] and prefix not in looks:
            aged.run(events=30)
        looks.append(prefix)
        return real(folder, prefix)

    monkeypatch.setattr(picture_scan, "names_below", names)
    aged.event(2, 1, picture=b"young")
    as_before_segments(place)
    with (
        closing(PictureScan(engine_of(place.url, writes=False), place.folder / BLOBS, 1.0)) as scan,
        closing(Store(engine_of(place.url), place.folder, duties=[scan.tell])) as store,
    ):
        scan.start()
        until(lambda: store.attend() or looks.count(old[:2]) > 1, 120)  # it looks once more where it lacks one
        as_before_segments(place)[0].unlink()
        until(lambda: store.attend() or alarm(place), 120)

    assert aged.events() == {"e-2"}
    assert place.rows("select count from alarm") == [(1,)]
    aged.close()
