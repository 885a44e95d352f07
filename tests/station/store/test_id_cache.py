"""station.store.id_cache"""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine

from agent.wire.ranges import Ranges
from station.store.id_cache import IdCache
from station.store.schema import metadata
from tests.support.stores import Place

BOX = ("hai-ninh", "north-01")


def stream_of(ids: IdCache, connection: Connection, name: str = "s-1") -> int:
    return ids.stream_id(connection, ids.box_id(connection, BOX, 1), name, 1)


def test_a_box_and_its_streams_get_one_row_each_however_often_they_are_asked_for(place: Place) -> None:
    ids = IdCache()
    with closing(place.open()), place.engine.begin() as connection:
        first = [stream_of(ids, connection) for _ in range(3)]
        other = stream_of(ids, connection, "s-2")

    assert len({*first, other}) == 2
    assert place.rows("select commune, device, first_seen_ms from box") == [(*BOX, 1)]
    assert place.rows("select name from stream order by id") == [("s-1",), ("s-2",)]


def test_numbers_that_meet_become_one_span_and_the_rows_say_so(place: Place) -> None:
    ids = IdCache()
    with closing(place.open()), place.engine.begin() as connection:
        stream = stream_of(ids, connection)
        ids.add_committed(connection, {stream: [1, 2, 5, 9]})
        ids.add_committed(connection, {stream: [4, 3, 10]})
        assert list(ids.committed(connection, stream)) == [(1, 5), (9, 10)]

    assert place.rows("select first, last from span order by first") == [(1, 5), (9, 10)]


def test_what_a_transaction_takes_back_is_read_again_once_it_is_cleared(place: Place) -> None:
    ids = IdCache()
    with closing(place.open()):
        with place.engine.begin() as connection:
            ids.add_committed(connection, {stream_of(ids, connection): [1]})
        with pytest.raises(ZeroDivisionError), place.engine.begin() as connection:
            ids.add_committed(connection, {stream_of(ids, connection): [2]})
            stream_of(ids, connection, "s-2")
            raise ZeroDivisionError
        ids.clear()
        with place.engine.begin() as connection:
            assert list(ids.committed(connection, stream_of(ids, connection))) == [(1, 1)]
            assert list(ids.committed(connection, stream_of(ids, connection, "s-2"))) == []


@pytest.mark.long
@settings(deadline=None, max_examples=50)  # each makes a database
@given(st.lists(st.lists(st.integers(1, 40), max_size=8), max_size=6))
def test_the_table_holds_what_memory_holds_in_whatever_order_numbers_come(batches: list[list[int]]) -> None:
    engine, ids = create_engine("sqlite://"), IdCache()
    with engine.begin() as connection:
        metadata.create_all(connection)
        stream = stream_of(ids, connection)
        for seqs in batches:
            ids.add_committed(connection, {stream: seqs})
        kept = list(ids.committed(connection, stream))
        ids.clear()
        assert list(ids.committed(connection, stream)) == kept
    engine.dispose()

    assert kept == list(Ranges((seq, seq) for seqs in batches for seq in seqs))
