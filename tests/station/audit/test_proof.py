"""station.audit.proof"""

from __future__ import annotations

import random
from contextlib import closing

import pytest
from sqlalchemy import text

from station.audit.proof import StoreFault, StoreFinding, findings
from station.store.blobs import path_of
from station.store.store import BLOBS
from tests.station.ingest.test_receipts import messages
from tests.station.store.test_store import altered, bytes_by
from tests.support.jpegs import jpeg
from tests.support.kept_pictures import as_before_segments, spoil
from tests.support.stores import Place

TIME = b"2026-03-02T11:00:00Z"
STREAM = ("hai-ninh/north-01", "s-1")


def found(place: Place) -> dict[int | None, StoreFault]:
    every = list(findings(place.engine, place.folder / "blobs"))
    assert {(one.box, one.stream) for one in every} <= {STREAM}
    return {one.seq: one.fault for one in every}


def test_what_is_as_it_came_has_no_findings(place: Place) -> None:
    """Also what could not be read, what contradicted, and what came under two numbers."""
    event, picture = messages(1, 1, picture=True)
    ack = b'{"seq":9,"stream":"s-1","published_at":"%s","id":"c","state":"done","time":"%s"}' % (TIME, TIME)
    with closing(place.open()) as store:
        store.commit([event, picture, altered(event, seq=3), altered(event, seq=4, severity="info")])
        store.commit([*messages(2, 1), bytes_by("camera/north/event", b"?", 5)])
        store.commit([bytes_by("camera/north/image/e-1/scene", b"GIF", 6), bytes_by("ack/c", ack)])
        store.commit([bytes_by("camera/north/snapshot", jpeg(b"s"), 7)])
        store.commit(
            [bytes_by("evidence/q/f/0", b"\x00", 8), bytes_by("camera/north/mood", b"x" * 300_000, 10)]
        )
        store.commit(messages(3, 20))

        assert found(place) == {}


def test_everything_deleted_altered_or_swapped_is_found_and_located(sqlite_place: Place) -> None:
    """300 events, 60 of them touched at random in one of six ways; the seed is 7."""
    chance, count = random.Random(7), 300
    with closing(sqlite_place.open()) as store:
        for begin in range(0, count, 100):
            store.commit([one for n in range(begin, begin + 100) for one in messages(n, n + 1)])
        victims = chance.sample(range(1, count + 1), 60)
        expected: dict[int | None, StoreFault] = {}
        with sqlite_place.engine.begin() as connection:

            def do(statement: str, **values: object) -> None:
                connection.execute(text(statement), values)

            for at, (one, other) in enumerate(zip(victims[::2], victims[1::2], strict=True)):
                match at % 6:
                    case 0:
                        do("delete from message where seq = :one", one=one)
                        expected[one] = StoreFault.MISSING
                    case 1:
                        do("delete from event_revision where seq = :one", one=one)
                        expected[one] = StoreFault.ALTERED
                    case 2:
                        do("update event_revision set body = replace(body, '0.8', '0.7') where seq = :o", o=one)
                        expected[one] = StoreFault.ALTERED
                    case 3:  # two bodies change places
                        do(
                            "update event_revision set body = "
                            "(select body from event_revision e where e.seq = :b) where seq = :a",
                            a=one,
                            b=other,
                        )
                        expected[one] = StoreFault.ALTERED
                    case 4:  # two messages change numbers
                        do("update message set digest = 'x' where seq = :a", a=one)
                        expected[one] = StoreFault.ALTERED
                    case 5:  # an event is renamed
                        do("update event_revision set event_id = 'forged-' || event_id where seq = :a", a=one)
                        expected[one] = StoreFault.ALTERED

        assert found(sqlite_place) == expected


@pytest.mark.parametrize("own_files", [False, True])
def test_a_picture_that_is_gone_damaged_or_given_to_another_event_is_found(
    sqlite_place: Place, own_files: bool
) -> None:
    with closing(sqlite_place.open()) as store:
        pictures = [messages(n, 2 * n - 1, picture=True)[1] for n in range(1, 5)]
        for number in range(1, 5):
            store.commit(messages(number, 2 * number - 1, picture=True))
        first, second, *_ = [str(picture.image_sha256) for picture in pictures]
        if own_files:
            as_before_segments(sqlite_place)
            path_of(sqlite_place.folder / BLOBS, first).unlink()
            path_of(sqlite_place.folder / BLOBS, second).write_bytes(b"forged")
        else:
            spoil(sqlite_place, first, b"forged")
            sqlite_place.do(f"update blob set segment_offset = segment_offset + 1 where sha256 = '{second}'")
        sqlite_place.do("update picture set event_id = 'e-9' where event_id = 'e-3'")

        assert found(sqlite_place) == {2: StoreFault.ALTERED, 4: StoreFault.ALTERED, 6: StoreFault.ALTERED}


def test_a_message_that_was_never_committed_is_found(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit(messages(1, 1))
        sqlite_place.do("update span set last = 5")
        sqlite_place.do("update message set seq = 7")

        assert list(findings(sqlite_place.engine, sqlite_place.folder / "blobs")) == [
            *(StoreFinding(StoreFault.MISSING, *STREAM, seq) for seq in range(1, 6)),
            StoreFinding(StoreFault.UNKNOWN, *STREAM, 7),
        ]
