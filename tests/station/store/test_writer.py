"""station.store.writer"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import pytest
from sqlalchemy import Connection

from station.ingest.alarms import AlarmKind
from station.ingest.inbound import InboundMessage, read
from station.store.events import AGAIN
from station.store.id_cache import IdCache
from station.store.pictures.rows import committed_end
from station.store.pictures.shelf import PictureShelf
from station.store.pictures.writer import PictureWriter
from station.store.writer import MAX_KEPT_BYTES, BatchWriter, Notice
from tests.station.ingest.test_receipts import BASE, messages
from tests.station.store.test_clocks import clock_map, stamped
from tests.station.store.test_store import altered, bytes_by
from tests.support.stores import Place

WHO = {"box": "hai-ninh/north-01"}


class _Pictures:
    """Where pictures go in one transaction."""

    def __init__(self, place: Place, connection: Connection) -> None:
        self._shelf = PictureShelf(place.folder / "blobs")
        self._writer = PictureWriter(self._shelf)
        self._writer.resume(committed_end(connection))
        self.put, self.has, self.close = self._writer.append, self._shelf.has, self._writer.close


def written(place: Place, *batches: Sequence[InboundMessage]) -> list[Notice]:
    """Each batch in a transaction of its own; what the operator must hear of the last."""
    ids, writer = IdCache(), None
    for number, batch in enumerate(batches):
        with place.engine.begin() as connection, closing(_Pictures(place, connection)) as pictures:
            writer = BatchWriter(connection, ids, 1000 + number, pictures)
            writer.write(batch)
    return writer.notices if writer else []


@pytest.fixture
def tables(place: Place) -> Place:
    with closing(place.open()):
        pass
    return place


def test_what_comes_again_changes_nothing(tables: Place) -> None:
    batch = messages(1, 1, picture=True)

    assert written(tables, batch, batch) == []
    assert tables.rows("select seq, received_ms from message order by seq") == [(1, 1000), (2, 1000)]
    assert tables.rows("select first_seen_ms, last_seen_ms from box") == [(1000, 1000)]


def test_that_a_box_was_seen_is_written_once_a_second(tables: Place) -> None:
    ids, seen_ms = IdCache(), []
    for number, now_ms in enumerate((1_000, 1_999, 2_000, 2_999, 3_500, 3_400, 1_000), 1):
        with tables.engine.begin() as connection:
            BatchWriter(connection, ids, now_ms).write(messages(number, number))
        seen_ms += [row[0] for row in tables.rows("select last_seen_ms from box")]

    assert seen_ms == [1_000, 1_000, 2_000, 2_000, 3_500, 3_500, 1_000], "also a clock that was put back"


def test_that_a_box_was_seen_is_written_again_after_a_transaction_failed(tables: Place) -> None:
    ids = IdCache()
    with pytest.raises(RuntimeError), tables.engine.begin() as connection:
        BatchWriter(connection, ids, 5_000).write(messages(1, 1))
        raise RuntimeError
    ids.clear()
    with tables.engine.begin() as connection:
        BatchWriter(connection, ids, 5_001).write(messages(1, 1))

    assert tables.rows("select last_seen_ms from box") == [(5_001,)]


def test_other_content_under_a_number_is_kept_beside_and_told(tables: Place) -> None:
    (event,) = messages(1, 1)
    other = altered(event, severity="info")

    hint = "the first stays; both are in the store"
    kind, why = AlarmKind.OUTBOX_WENT_BACK, "message s-1/1 came twice, with other content"
    alarm = {"kind": str(kind), "why": why, "hint": kind.meaning}
    assert written(tables, [event], [other]) == [
        Notice("conflict", WHO | {"key_kind": "seq", "key": "s-1/1", "hint": hint}),
        Notice("alarm_opened", WHO | alarm),
        Notice("conflict", WHO | {"key_kind": "revision", "key": "e-1/1", "hint": hint}),
    ]
    assert tables.rows("select body from event_revision") == [(event.raw.decode(),)]


def test_two_contents_within_one_batch_are_a_conflict_too(tables: Place) -> None:
    (event,) = messages(1, 1)

    notices = written(tables, [event, altered(event, severity="info")])

    assert [notice.event for notice in notices] == ["conflict", "alarm_opened", "conflict"]
    assert tables.rows("select count(*) from message") == [(1,)]


def test_more_ids_than_one_statement_may_bind_are_looked_up_all_the_same(tables: Place) -> None:
    batch = [message for number in range(1, 451) for message in messages(number, number)]

    assert written(tables, batch, batch) == []
    assert tables.rows("select count(*), min(seq), max(seq) from message") == [(450, 1, 450)]
    assert tables.rows("select first, last from span") == [(1, 450)]


def test_of_what_cannot_be_read_only_the_beginning_is_kept_and_its_size_told(tables: Place) -> None:
    huge = bytes_by("camera/north/event", b"?" * (MAX_KEPT_BYTES + 7))

    (notice,) = written(tables, [huge])

    assert notice.event == "message_unreadable"
    assert tables.rows("select size_bytes, length(raw) from quarantine") == [
        (MAX_KEPT_BYTES + 7, MAX_KEPT_BYTES)
    ]


def test_a_text_that_no_database_takes_is_made_one_that_every_database_takes(tables: Place) -> None:
    strange = bytes_by("camera/north/" + "\0" + "x" * 600, b"?")

    written(tables, [strange])

    ((suffix,),) = tables.rows("select suffix from quarantine")
    assert suffix.startswith("camera/north/\ufffdxxx") and len(suffix) == 500


def test_an_event_without_a_number_is_set_apart_because_it_cannot_be_receipted(tables: Place) -> None:
    raw = messages(1, 1)[0].raw.replace(b'"seq":1,', b"").replace(b'"stream":"s-1",', b"")
    (notice,) = written(tables, [read(BASE + "camera/north/event", raw, {})])

    assert notice.event == "message_unreadable"
    assert tables.rows("select count(*) from event") == [(0,)]
    assert tables.rows("select count(*) from quarantine") == [(1,)]


def test_an_empty_message_only_clears_what_the_broker_retained(tables: Place) -> None:
    assert written(tables, [bytes_by("camera/north/status", b"")]) == []
    assert tables.rows("select count(*) from quarantine") == [(0,)]


def test_a_picture_that_comes_after_its_event_puts_it_into_the_feed_once_more(tables: Place) -> None:
    event, picture = messages(1, 1, picture=True)
    (other,) = messages(2, 3)

    written(tables, [event, other], [picture], [picture])

    assert tables.rows("select event_id, revision from event_feed order by id") == [
        ("e-1", 1), ("e-2", 1), ("e-1", AGAIN)
    ]  # fmt: skip


def test_a_picture_that_comes_with_its_event_or_before_it_is_told_with_it(tables: Place) -> None:
    first, second = messages(1, 1, picture=True), messages(2, 3, picture=True)

    written(tables, first, second[1:], second[:1])

    assert tables.rows("select event_id, revision from event_feed order by id") == [("e-1", 1), ("e-2", 1)]


def test_a_picture_says_when_its_file_came_also_where_another_event_had_it_first(tables: Place) -> None:
    first, same, other = (messages(number, 2 * number - 1, picture=True) for number in (1, 2, 3))
    again = replace(same[1], raw=first[1].raw, image_sha256=first[1].image_sha256)

    written(tables, first, [*same[:1], again, *other])

    assert tables.rows("select received_ms from blob order by received_ms") == [(1000,), (1001,)]
    assert tables.rows("select event_id, received_ms, blob_received_ms from picture order by event_id") == [
        ("e-1", 1000, 1000), ("e-2", 1001, 1000), ("e-3", 1001, 1001)
    ]  # fmt: skip


@pytest.mark.long
def test_many_pictures_at_once_are_told_each(tables: Place) -> None:
    whole = [messages(number, 2 * number, picture=True) for number in range(1, 451)]

    written(tables, [event for event, _ in whole], [picture for _, picture in whole])

    stated = "select count(*), count(distinct event_id) from event_feed where revision = 0"
    assert tables.rows(stated) == [(450, 450)]


def test_events_whose_time_a_clock_map_puts_right_are_in_the_feed_once_more(tables: Place) -> None:
    before = [stamped(1, 5_000), stamped(2, 6_000, "ntp"), stamped(3, 7_000, boot="b-2"), stamped(4, 90_000)]

    written(tables, before, [clock_map(5, 65_000)])

    assert tables.rows("select event_id, revision from event_feed where id > 4") == [("e-1", AGAIN)]
