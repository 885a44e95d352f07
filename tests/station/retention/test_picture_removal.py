"""station.retention.picture_removal"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from hashlib import sha256
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from station.retention.picture_removal import drop_segments, remove_pictures
from station.store.blobs import path_of, removal_turn
from station.store.pictures import writer
from station.store.pictures.shelf import PictureShelf
from tests.support.aged_store import AgedStore
from tests.support.kept_pictures import as_before_segments, pictures_on

T = TypeVar("T")


def shelf_of(aged: AgedStore) -> PictureShelf:
    return PictureShelf(aged.place.folder / "blobs")


def do(aged: AgedStore, job: Callable[[Connection], T]) -> T:
    with aged.engine.begin() as connection:
        return job(connection)


@pytest.mark.long
def test_pictures_of_before_segments_go_by_their_age_like_those_in_segments(aged: AgedStore) -> None:
    aged.event(1, 40, picture=b"old")
    aged.event(2, 1, picture=b"young")
    as_before_segments(aged.place)
    aged.event(3, 41, picture=b"old, in a segment")
    aged.event(4, 2, picture=b"young, in a segment")
    assert len(aged.files()) == 4

    aged.run(events=30)

    assert aged.events() == {"e-2", "e-4"}
    assert aged.files() == aged.rows_of_files()
    assert len(aged.files()) == 2
    assert aged.proven()[0] == []


def test_what_came_again_lies_elsewhere_and_stays(aged: AgedStore) -> None:
    aged.event(1, 40, picture=b"one")
    with removal_turn(aged.place.folder, shared=True):  # a backup: so long nothing goes
        assert aged.run(events=30).left
    aged.event(2, 1, picture=b"one")

    shelf = shelf_of(aged)
    assert remove_pictures(partial(do, aged), partial(do, aged), shelf) == 1
    assert remove_pictures(partial(do, aged), partial(do, aged), shelf) == 0

    assert len(aged.files()) == 1
    assert aged.files() == aged.rows_of_files()


@pytest.mark.long
def test_segments_of_which_nothing_is_wanted_go_and_the_newest_stays(
    aged: AgedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 1)
    for number in range(1, 5):
        aged.event(number, 40 if number in (1, 3, 4) else 1, picture=b"%d" % number)
    shelf = shelf_of(aged)
    assert sorted(shelf.sizes()) == [1, 2, 3, 4]

    aged.run(events=30)

    assert sorted(shelf.sizes()) == [2, 4]
    assert pictures_on(shelf.folder).keys() == aged.rows_of_files()
    with removal_turn(aged.place.folder, shared=True):
        assert drop_segments(partial(do, aged), shelf) is None
    with closing(aged.place.open()) as store:
        store.commit([aged.picture(9, b"next")])
    assert sorted(shelf.sizes()) == [2, 3], "nothing names the empty ones any more"
    assert pictures_on(shelf.folder).keys() == aged.rows_of_files()


def test_segments_of_another_store_are_left_alone(aged: AgedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty database beside full segments must not empty them, an hour later either."""
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 1)
    monkeypatch.setattr(writer, "MAX_ORPHANS", 2)
    shelf = shelf_of(aged)
    with closing(writer.PictureWriter(shelf)) as other:
        other.resume(writer.CommittedEnd())
        for number in range(3):
            other.append({sha256(b"%d" % number).hexdigest(): b"%d" % number})
            other.sync()
            other.confirm()
    aged.event(1, 40, picture=b"old")
    aged.event(2, 1, picture=b"young")

    aged.run(events=30)

    assert sorted(shelf.sizes()) == [1, 2, 3, 5]
    assert len(pictures_on(shelf.folder)) == 4


def test_a_segment_that_was_away_while_its_pictures_came_again_goes_with_them(
    aged: AgedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 1)
    shelf, aside = shelf_of(aged), aged.place.folder / "aside"
    aged.event(1, 40, picture=b"old")
    shelf.segment(1).rename(aside)
    with closing(aged.place.open()) as store:
        store.compare([aged.picture(1, b"old")])
    assert sorted(shelf.sizes()) == [2]
    aside.rename(shelf.segment(1))
    aged.event(2, 1, picture=b"young")
    assert shelf.segment(1).stat().st_size

    aged.run(events=30)

    assert sorted(shelf.sizes()) == [3]
    assert aged.files() == aged.rows_of_files()


def test_a_file_that_was_copied_beside_its_record_goes_with_it(aged: AgedStore) -> None:
    """Somebody copied it out of a backup."""
    aged.event(1, 40, picture=b"old")
    shelf = shelf_of(aged)
    ((name, data),) = pictures_on(shelf.folder).items()
    path_of(shelf.folder, name).parent.mkdir(parents=True)
    path_of(shelf.folder, name).write_bytes(data)

    aged.run(events=30)

    assert aged.files() == set()


@pytest.mark.long
def test_a_file_goes_though_its_picture_came_again_and_lies_in_a_segment(aged: AgedStore) -> None:
    aged.event(1, 40, picture=b"one")
    (path,) = as_before_segments(aged.place)
    with removal_turn(aged.place.folder, shared=True):
        aged.run(events=30)
    aged.event(2, 1, picture=b"one")
    assert path.exists()

    aged.run(events=30)

    assert not path.exists()
    assert aged.files() == aged.rows_of_files() != set()
