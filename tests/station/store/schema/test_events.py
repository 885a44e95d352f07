"""station.store.schema.events"""

from __future__ import annotations

import pytest

from station.store.schema import event_feed
from tests.support.declared_tables import number_after_a_removal
from tests.support.query_plans import BOTH_WAYS, EVENTS, fill, passed_over
from tests.support.stores import Place

REVISIONS = """
    insert into event_revision (box_id, event_id, revision, stream_id, seq, phase, time_ms, replayed, digest,
        body, received_ms)
    select box_id, event_id, 1, 1, start_ms, phase, time_ms, replayed, 'd', '{}', received_ms from event
"""
BEGAN = "coalesce(start_ms + clock_offset_ms, start_ms)"
OF_EVENTS = f"select event_id from event where {BEGAN} between 1000000 and 1500000 and "
NEWEST = f" order by {BEGAN} desc"
QUESTIONS = {
    "ix_event_box_camera_began_ms": OF_EVENTS + "box_id = 3 and camera = 'cam-2'" + NEWEST,
    "ix_event_label_began_ms": OF_EVENTS + "label = 'label-4'" + NEWEST,
    "ix_event_kind_label_began_ms": OF_EVENTS + "kind = 'kind-3' and label = 'label-4'" + NEWEST,
    "ix_event_alert_began_ms": OF_EVENTS + "severity = 'alert'" + NEWEST + " limit 50",
    "ix_event_alert_box_camera_began_ms": f"select event_id from event where {BEGAN} >= 0 and "
    "box_id = 3 and camera = 'cam-2' and severity = 'alert'" + NEWEST,
    "ix_event_open": "select event_id from event where severity = 'alert' and phase <> 'end'",
    "pk_event": "select box_id from event where event_id = 'e-77'",
    "pk_event_revision": "select body from event_revision where event_id = 'e-77' and box_id = 5",
}
"""Index -> a question that it is there for."""


@BOTH_WAYS
def test_each_question_has_its_index_and_takes_it(stepped: Place, *, is_analyzed: bool) -> None:
    assert passed_over(stepped, [EVENTS, REVISIONS], QUESTIONS, is_analyzed=is_analyzed) == {}


@pytest.mark.parametrize(
    "place", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True, ids=str
)
def test_of_the_alerts_of_a_camera_postgresql_reads_no_row_to_count_them(stepped: Place) -> None:
    """Each lies on a page of its own; a moment is computed of columns that the index has to hold, too."""
    fill(stepped, EVENTS)
    with stepped.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("vacuum analyze event")
        plan = connection.exec_driver_sql("explain " + QUESTIONS["ix_event_alert_box_camera_began_ms"]).all()

    assert "Index Only Scan" in str(plan), plan


def test_whoever_follows_the_feed_never_sees_a_number_twice(declared: Place) -> None:
    first, second = number_after_a_removal(declared, event_feed, box_id=1, event_id="e-1", revision=1)

    assert second > first
