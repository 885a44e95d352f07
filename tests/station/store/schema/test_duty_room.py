"""station.store.schema.duty_room"""

from __future__ import annotations

from station.store.schema import plan, plan_place, review, review_change
from tests.support.declared_tables import is_refused, number_after_a_removal, put
from tests.support.stores import Place

JUDGED = {"state": "seen", "note": "", "login": "lan", "name": "Lan", "changed_ms": 1}
OF_EVENT = {"change_id": 1, "camera": "north", "rule_id": "gate", "rule_kind": "line", "began_ms": 1}


def test_an_event_stands_in_one_way_at_a_time(declared: Place) -> None:
    assert not is_refused(declared, review, **JUDGED, **OF_EVENT, box_id=1, event_id="e-1")
    assert is_refused(declared, review, **JUDGED, **OF_EVENT, box_id=1, event_id="e-1")
    assert not is_refused(declared, review, **JUDGED, **OF_EVENT, box_id=2, event_id="e-1")


def test_a_review_outlives_its_event(declared: Place) -> None:
    """What officers said is kept longer than what it was said of."""
    assert not is_refused(declared, review, **JUDGED, **OF_EVENT, box_id=7, event_id="e-gone")
    assert not is_refused(declared, review_change, **JUDGED, box_id=7, event_id="e-gone")


def test_a_step_never_gets_the_number_of_one_that_went(declared: Place) -> None:
    """A review names the step that says so, and a closing of a case, too."""
    first, second = number_after_a_removal(declared, review_change, **JUDGED, box_id=1, event_id="e-1")

    assert second > first


def test_a_box_has_one_place_on_a_plan(declared: Place) -> None:
    size = {"width_px": 1, "height_px": 1, "changed_ms": 1}
    for number in (1, 2):
        put(declared, plan, **size, id=number, name="Hải Ninh", media_type="image/png", image=b"p")

    assert not is_refused(declared, plan_place, plan_id=1, box_id=1, x_permille=1, y_permille=1)
    assert is_refused(declared, plan_place, plan_id=1, box_id=1, x_permille=2, y_permille=2)
    assert not is_refused(declared, plan_place, plan_id=2, box_id=1, x_permille=2, y_permille=2)
    assert is_refused(declared, plan_place, plan_id=3, box_id=1, x_permille=2, y_permille=2)
    assert is_refused(declared, plan_place, plan_id=1, box_id=7, x_permille=2, y_permille=2)
