"""station.store.schema.gaps"""

from __future__ import annotations

from station.store.schema import gap, given_up
from tests.support.declared_tables import is_refused
from tests.support.query_plans import BOTH_WAYS, NUMBERS, passed_over
from tests.support.stores import Place

GAPS = f"""
    insert into gap (stream_id, first, last, missing, state, opened_ms)
    {NUMBERS}
    select case i % 100 when 0 then 3 else 1 end, i, i, 1, 'open', 1 from number
"""
QUESTIONS = {"ix_gap_stream_id": "select first, last from gap where stream_id = 3"}
"""Index -> a question that it is there for."""


@BOTH_WAYS
def test_the_gaps_of_a_stream_are_found_without_those_of_all_others(
    stepped: Place, *, is_analyzed: bool
) -> None:
    assert passed_over(stepped, [GAPS], QUESTIONS, is_analyzed=is_analyzed) == {}


def test_what_is_missing_is_of_a_stream_that_is_there(declared: Place) -> None:
    row = {"first": 3, "last": 4, "missing": 2, "state": "open", "opened_ms": 1}

    assert not is_refused(declared, gap, **row, id=1, stream_id=1)
    assert is_refused(declared, gap, **row, id=2, stream_id=7)


def test_the_same_numbers_are_given_up_once(declared: Place) -> None:
    assert not is_refused(declared, given_up, stream_id=1, first=3, last=4, reason="dropped")
    assert is_refused(declared, given_up, stream_id=1, first=3, last=4, reason="carried")
    assert not is_refused(declared, given_up, stream_id=1, first=3, last=5, reason="carried")
