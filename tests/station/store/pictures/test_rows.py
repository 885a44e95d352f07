"""station.store.pictures.rows"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import create_engine, delete, insert
from sqlalchemy.exc import OperationalError

from station.store.database import StoreError, engine_of
from station.store.pictures.record import HEAD_BYTES
from station.store.pictures.rows import (
    KeptPictures,
    committed_end,
    forget_places,
    heard_of,
    places_of,
    unwanted,
)
from station.store.pictures.shelf import PicturePlace
from station.store.pictures.writer import CommittedEnd
from station.store.schema import blob, picture, picture_removal
from tests.station.ingest.test_receipts import messages
from tests.support.kept_pictures import as_before_segments, spoil
from tests.support.stores import Place

PICTURES = [messages(number, 2 * number - 1, picture=True)[1] for number in range(1, 4)]
NAMES = [str(each.image_sha256) for each in PICTURES]


@pytest.fixture
def kept(place: Place) -> Iterator[KeptPictures]:
    """Of a store of three pictures."""
    with closing(place.open()) as store:
        for number in range(1, 4):
            store.commit(messages(number, 2 * number - 1, picture=True))
    with closing(KeptPictures(engine_of(place.url, writes=False), place.folder / "blobs")) as made:
        yield made


def test_pictures_are_read_by_their_hash_also_those_of_before_segments(
    kept: KeptPictures, place: Place
) -> None:
    assert [kept.read(name) for name in NAMES] == [each.raw for each in PICTURES]

    as_before_segments(place)

    assert [kept.read(name) for name in NAMES] == [each.raw for each in PICTURES]
    assert (kept.read("0" * 64), kept.has("0" * 64), kept.has(NAMES[0])) == (None, False, True)
    assert kept.known([*NAMES, "0" * 64]) == set(NAMES)
    assert kept.known([]) == set()


def test_what_is_not_the_picture_that_came_is_shown_to_nobody(kept: KeptPictures, place: Place) -> None:
    spoil(place, NAMES[0], b"forged")

    assert kept.read(NAMES[0]) is None
    assert kept.read(NAMES[1]) == PICTURES[1].raw


def test_what_is_gone_is_none(kept: KeptPictures, place: Place) -> None:
    shutil.rmtree(place.folder / "blobs")

    assert (kept.read(NAMES[0]), kept.has(NAMES[0])) == (None, False)


def test_a_store_that_cannot_be_read_is_an_error_and_no_missing_picture(place: Place) -> None:
    with (
        closing(KeptPictures(engine_of(place.url, writes=False), place.folder / "blobs")) as none_yet,
        pytest.raises(StoreError),
    ):
        none_yet.read("0" * 64)


def test_the_end_is_behind_the_last_row_or_what_is_still_to_be_removed(
    kept: KeptPictures, place: Place
) -> None:
    with place.engine.begin() as connection:
        found = places_of(connection, NAMES)
        last = max(found, key=lambda each: each.offset or 0)
        assert committed_end(connection) == CommittedEnd(1, last.end, last)
        row = {"segment": 1, "segment_offset": last.end, "sha256": "0" * 64, "size_bytes": 7}
        going = PicturePlace("0" * 64, 7, 1, last.end)
        connection.execute(insert(picture_removal), [row])
        assert committed_end(connection) == CommittedEnd(1, last.end + HEAD_BYTES + 7, going)
        connection.execute(insert(picture_removal), [row | {"segment": 5, "segment_offset": 0}])
        going = PicturePlace("0" * 64, 7, 5, 0)
        assert committed_end(connection) == CommittedEnd(5, HEAD_BYTES + 7, going)


def test_a_store_without_pictures_has_no_end(place: Place) -> None:
    with closing(place.open()), place.engine.begin() as connection:
        assert committed_end(connection) == CommittedEnd()


def test_a_row_that_is_held_goes_only_after_its_transaction(kept: KeptPictures, place: Place) -> None:
    """Else a picture that came again would name a row that retention has just taken out."""
    impatient = {"timeout": 0.05} if place.url.drivername == "sqlite" else {"options": "-c lock_timeout=50"}
    other = create_engine(place.url, connect_args=impatient)
    with place.engine.begin() as connection:
        assert len(places_of(connection, NAMES[:1], held=True)) == 1
        with pytest.raises(OperationalError), other.begin() as remover:
            remover.execute(delete(blob).where(blob.c.sha256 == NAMES[0]))
    other.dispose()


def test_a_picture_was_heard_of_whether_it_is_here_or_not(kept: KeptPictures, place: Place) -> None:
    with place.engine.begin() as connection:
        connection.execute(delete(picture))
        connection.execute(delete(blob).where(blob.c.sha256 == NAMES[0]))
        assert heard_of(connection, [*NAMES, "0" * 64]) == set(NAMES)


def test_a_segment_is_unwanted_once_nothing_names_it_and_a_newer_one_is_there(
    kept: KeptPictures, place: Place
) -> None:
    with place.engine.begin() as connection:
        assert unwanted(connection, [1]) == []
        row = {"segment": 2, "segment_offset": 0, "sha256": "0" * 64, "size_bytes": 7}
        connection.execute(insert(picture_removal), [row])
        assert unwanted(connection, [4, 3, 2, 1]) == [3]


def test_in_another_place_pictures_are_looked_for_in_files_of_their_own(
    kept: KeptPictures, place: Place
) -> None:
    with place.engine.begin() as connection:
        connection.execute(
            insert(picture_removal),
            [{"segment": 2, "segment_offset": 0, "sha256": "0" * 64, "size_bytes": 7}],
        )
        forget_places(connection)

    with place.engine.begin() as connection:
        assert places_of(connection, NAMES[:1]) == [PicturePlace(NAMES[0], len(PICTURES[0].raw))]
        assert committed_end(connection) == CommittedEnd()
