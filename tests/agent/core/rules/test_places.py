"""agent.core.rules.places"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.core.rules import places, trajectory
from agent.core.rules.places import Place
from agent.core.rules.trajectory import FrameContext
from agent.core.types import Box
from tests.support.rule_camera import FRAME, RuleCamera, instant, rule_settings

SETTINGS = rule_settings()
TRIP = trajectory.update(
    None, RuleCamera(SETTINGS).track(0.5, 0.5), None, FrameContext(instant(0), FRAME, SETTINGS)
)


def place(object_id: str, number: int) -> Place:
    return Place(object_id, number, Box(0.4, 0.4, 0.5, 0.5), instant(0), instant(0), TRIP)


@given(st.lists(st.tuples(st.sampled_from(["one", "one@1", "one/1", "two"]), st.integers(0, 5)), max_size=12))
def test_a_new_stop_never_takes_the_number_of_one_that_is_remembered(known: list[tuple[str, int]]) -> None:
    remembered = [place(*each) for each in known]
    for object_id in ("one", "one@1", "two"):
        assert (object_id, places.next_number(object_id, remembered)) not in known


def test_a_first_stop_has_number_nought_whatever_other_road_users_did() -> None:
    assert places.next_number("one", [place("two", 3), place("one/1", 1)]) == 0
