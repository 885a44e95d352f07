"""station.store.schema.raw_messages"""

from __future__ import annotations

from station.store.schema import conflict, quarantine
from tests.support.declared_tables import is_refused
from tests.support.query_plans import BOTH_WAYS, NUMBERS, passed_over
from tests.support.stores import Place

BLOBS = f"""
    insert into blob (sha256, size_bytes, received_ms) {NUMBERS} select 'b-' || i, 1, i from number
"""
OTHERS = f"""
    insert into other_message (stream_id, seq, box_id, kind, suffix, sha256, received_ms)
    {NUMBERS}
    select 1, i, 1, case i % 50 when 0 then 'ack' else 'evidence' end, 's',
        case when i % 50 > 0 then 'b-' || i end, i
    from number
"""
CONFLICTS = f"""
    insert into conflict (box_id, key_kind, key, kept_digest, digest, suffix, sha256, received_ms)
    {NUMBERS}
    select 1, 'seq', 's/' || i, 'd', 'e', 's', case i % 10 when 0 then 'b-' || i end, i from number
"""
QUESTIONS = {
    "ix_other_message_answer": "select seq from other_message where kind = 'ack' and received_ms < 1000",
    "ix_other_message_sha256": "select seq from other_message where sha256 = 'b-77'",
    "ix_conflict_sha256": "select id from conflict where sha256 = 'b-70'",
}
"""Index -> a question that it is there for."""


@BOTH_WAYS
def test_each_question_has_its_index_and_takes_it(stepped: Place, *, is_analyzed: bool) -> None:
    assert passed_over(stepped, [BLOBS, OTHERS, CONFLICTS], QUESTIONS, is_analyzed=is_analyzed) == {}


def test_what_cannot_be_read_is_set_aside_once(declared: Place) -> None:
    row = {"box_id": 1, "suffix": "camera/north/event", "reason": "no JSON", "size_bytes": 1, "raw": b"?"}
    times = {"received_count": 1, "first_received_ms": 1, "received_ms": 1}

    assert not is_refused(declared, quarantine, **row, **times, id=1, digest="a")
    assert is_refused(declared, quarantine, **row, **times, id=2, digest="a")
    assert not is_refused(declared, quarantine, **row, **times, id=2, digest="b")


def test_what_contradicts_is_kept_once_beside_each_that_was_first(declared: Place) -> None:
    row = {"box_id": 1, "key_kind": "seq", "kept_digest": "a", "suffix": "info", "received_ms": 1}

    assert not is_refused(declared, conflict, **row, id=1, key="s-1/1", digest="b")
    assert is_refused(declared, conflict, **row, id=2, key="s-1/1", digest="b")
    assert not is_refused(declared, conflict, **row, id=2, key="s-1/1", digest="c")
    assert not is_refused(declared, conflict, **row, id=3, key="s-1/2", digest="b")
