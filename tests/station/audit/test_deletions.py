"""station.audit.deletions"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from station.audit.deletions import deletion_records
from tests.support.aged_store import AgedStore
from tests.support.stores import Place


@pytest.fixture
def aged(place: Place) -> Iterator[AgedStore]:
    """Three events went, one is here."""
    found = AgedStore(place)
    for number in range(1, 4):
        found.event(number, 40, picture=b"p%d" % number)
    found.event(4, 1)
    found.run(events=30)
    yield found
    found.close()


def believed(aged: AgedStore) -> int:
    with aged.engine.connect() as connection:
        return len(deletion_records(connection).believed)


def test_a_record_is_believed_that_counts_the_messages_which_name_it(aged: AgedStore) -> None:
    assert believed(aged) == 1
    with aged.engine.connect() as connection:
        ((box_id,),) = aged.place.rows("select id from box")
        gone = deletion_records(connection).of_box(connection, box_id, "north-01")
    assert len(gone.digests) == 6


@pytest.mark.parametrize(
    "statement",
    [
        "update message set deletion_id = 1 where deletion_id is null",
        "update message set deletion_id = null where seq = 101",
        "update deletion set messages = messages + 1",
        "delete from deletion",
    ],
)
def test_one_that_counts_others_excuses_none(aged: AgedStore, statement: str) -> None:
    aged.place.do(statement)

    assert believed(aged) == 0
    assert len(aged.proven()[0]) == 6
