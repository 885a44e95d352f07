"""station.store.schema.messages"""

from __future__ import annotations

from station.store.schema import message, stream
from tests.support.declared_tables import is_refused
from tests.support.query_plans import BOTH_WAYS, NUMBERS, passed_over
from tests.support.stores import Place

MESSAGES = f"""
    insert into message (stream_id, seq, kind, suffix, digest, received_ms)
    {NUMBERS}
    select 1 + i % 8, i, case i % 50 when 0 then 'image' else 'event' end, 'camera/north/' || i, 'd', i
    from number
"""
QUESTIONS = {
    "ix_message_picture_suffix": "select digest from message where suffix = 'camera/north/100' and "
    "kind in ('image', 'snapshot')"
}
"""Index -> a question that it is there for."""


@BOTH_WAYS
def test_a_picture_is_found_by_its_topic(stepped: Place, *, is_analyzed: bool) -> None:
    assert passed_over(stepped, [MESSAGES], QUESTIONS, is_analyzed=is_analyzed) == {}


def test_a_number_of_a_stream_stands_for_one_message(declared: Place) -> None:
    row = {"stream_id": 1, "kind": "event", "suffix": "camera/north/event", "received_ms": 1}

    assert not is_refused(declared, message, **row, seq=1, digest="a")
    assert not is_refused(declared, message, **row, seq=2, digest="a")
    assert is_refused(declared, message, **row, seq=2, digest="b")


def test_a_stream_is_of_a_box_that_is_there_and_has_its_name_once(declared: Place) -> None:
    row = {"first_seen_ms": 1, "unnumbered": 0}

    assert is_refused(declared, stream, **row, id=2, box_id=7, name="s-2")
    assert is_refused(declared, stream, **row, id=2, box_id=1, name="s-1")
    assert not is_refused(declared, stream, **row, id=2, box_id=1, name="s-2")
