"""station.review.tuning"""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.review.queue import ReviewQueue
from station.review.standing import Reviewer
from station.review.states import FalseReason, ReviewState
from station.review.tuning import LEAST_JUDGED, JudgedRule, judged_rules, wilson
from tests.station.lookup.test_query import SIX, lasting
from tests.support.stores import Place

HA = Reviewer("ha", "Hà")
SIX_MS = round(SIX.timestamp() * 1000)
MINUTE_MS = 60_000


def rule(confirmed: int, *reasons: FalseReason, kind: str = "stopped_vehicle") -> JudgedRule:
    states = {ReviewState.CONFIRMED: confirmed, ReviewState.FALSE: len(reasons)}
    return JudgedRule(1, "b", "c", "r", kind, states, {each: reasons.count(each) for each in set(reasons)})


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_the_interval_holds_the_share_and_stays_within_0_and_1(figures: tuple[int, int]) -> None:
    hits, of = figures
    found = wilson(hits, of)

    assert 0 <= found.low <= found.share <= found.high <= 1
    assert found.high - found.low <= 1
    opposite = wilson(of - hits, of)
    assert opposite.low == pytest.approx(1 - found.high, abs=1e-9)


def test_the_interval_is_wilsons() -> None:
    """Of ten with one hit: 0.0179 to 0.4042, as R's prop.test(1, 10, correct = FALSE) says."""
    found = wilson(1, 10)

    assert (found.share, found.low, found.high) == pytest.approx((0.1, 0.01788, 0.40415), abs=1e-5)


def test_of_few_nothing_is_told() -> None:
    few = rule(0, *[FalseReason.NORMAL_TRAFFIC] * (LEAST_JUDGED - 1))

    assert (few.share, few.hints) == (None, ())
    assert rule(1, *[FalseReason.NORMAL_TRAFFIC] * (LEAST_JUDGED - 1)).share is not None


def test_a_hint_goes_by_the_reasons_that_stand_out() -> None:
    found = rule(5, *[FalseReason.NORMAL_TRAFFIC] * 6, *[FalseReason.PARKED_VEHICLE] * 4, FalseReason.ANIMAL)

    assert [hint.reason for hint in found.hints] == [FalseReason.NORMAL_TRAFFIC, FalseReason.PARKED_VEHICLE]
    assert "cameras[].rules[].min_s" in found.hints[0].settings


def test_without_certainty_there_is_no_hint() -> None:
    assert rule(37, *[FalseReason.NORMAL_TRAFFIC] * 3).hints == (), "3 of 40: perhaps one in fifty"
    spread = [FalseReason.NORMAL_TRAFFIC, FalseReason.ANIMAL, FalseReason.WRONG_LABEL, FalseReason.FOLIAGE] * 2
    assert rule(2, *spread).hints == (), "two of each"


def test_what_was_made_of_a_rules_events_of_a_time_is_counted(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([lasting(number, number, number + 0.5) for number in range(1, 7)])
        store.commit([lasting(7, 7, 8, camera="south", rule={"id": "no-stopping", "kind": "stopped_vehicle"})])
    queue = ReviewQueue(place.engine)
    for number, state in (
        (1, "false"),
        (2, "false"),
        (3, "confirmed"),
        (4, "passed_on"),
        (5, "seen"),
        (7, "false"),
    ):
        reason = FalseReason.ANIMAL if state == "false" else None
        queue.mark((1, f"e-{number}"), ReviewState(state), HA, seen=0, reason=reason)

    north, south = judged_rules(place.engine, SIX_MS, SIX_MS + 60 * MINUTE_MS)

    assert (north.box, north.camera, north.rule, north.rule_kind) == ("north-01", "north", "stop-line", "line")
    assert (north.judged, north.false, north.reasons) == (4, 2, {FalseReason.ANIMAL: 2})
    assert (south.camera, south.rule, south.judged, south.false) == ("south", "no-stopping", 1, 1)
    (late,) = judged_rules(place.engine, SIX_MS + 2 * MINUTE_MS, SIX_MS + 7 * MINUTE_MS)
    assert (late.judged, late.false) == (3, 1), "the end of the time is not in it"
    assert judged_rules(place.engine, SIX_MS - MINUTE_MS, SIX_MS) == []
