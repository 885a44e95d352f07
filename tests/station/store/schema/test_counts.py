"""station.store.schema.counts"""

from __future__ import annotations

from station.store.schema import count_interval
from tests.support.declared_tables import is_refused
from tests.support.query_plans import BOTH_WAYS, NUMBERS, passed_over
from tests.support.stores import Place

COUNTS = f"""
    insert into count_interval (stream_id, seq, box_id, camera, rule, start_ms, end_ms, body, received_ms,
        clock_state)
    {NUMBERS}
    select 1, i, 1 + i % 8, 'cam-' || (i % 5), 'rule-' || (i % 9), i * 1000, i * 1000 + 900, '{{}}', i * 1000,
        case i % 100 when 0 then 'unset' else 'ntp' end
    from number
"""
HOURS = f"""
    insert into count_hour (box_id, camera, rule, hour_ms, due_ms)
    {NUMBERS}
    select 1 + i % 8, 'cam-' || (i % 5), 'rule-' || (i % 9), i * 360000, case i % 100 when 0 then 1 end
    from number
"""
OF_LINE = "select body from count_interval where box_id = 3 and camera = 'cam-2' and rule = 'rule-4' and "
QUESTIONS = {
    "ix_count_interval_box_id": OF_LINE + "start_ms between 1000000 and 1500000",
    "ix_count_interval_untrusted": OF_LINE + "received_ms >= 0 and clock_state not in ('ntp', 'rtc')",
    "ix_count_hour_due": "select hour_ms from count_hour where due_ms is not null order by hour_ms",
}
"""Index -> a question that it is there for."""


@BOTH_WAYS
def test_each_question_has_its_index_and_takes_it(stepped: Place, *, is_analyzed: bool) -> None:
    assert passed_over(stepped, [COUNTS, HOURS], QUESTIONS, is_analyzed=is_analyzed) == {}


def test_an_interval_is_counted_once(declared: Place) -> None:
    row = {"stream_id": 1, "box_id": 1, "camera": "north", "rule": "gate", "start_ms": 1, "end_ms": 2}

    assert not is_refused(declared, count_interval, **row, seq=1, body="{}")
    assert not is_refused(declared, count_interval, **row, seq=2, body="{}")
    assert is_refused(declared, count_interval, **row, seq=2, body="{}")
