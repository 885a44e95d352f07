"""agent.core.tracking.track_state"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.core.tracking import track_state
from agent.core.tracking.settings import TrackSettings
from agent.core.tracking.track_state import Hit, Miss, TrackState
from agent.core.types import Box, Detection, Instant

SETTINGS = TrackSettings()
UNSEEN = Miss(looked=True, disturbed=False, stirred=False)


def at(second: float) -> Instant:
    return Instant(100 + second, 1_770_000_000 + second)


def sight(
    second: float,
    x: float = 0.5,
    *,
    score: float = 0.9,
    label: str = "car",
    riders: int = 0,
    crowded: bool = False,
) -> Hit:
    centred = np.array([x, 0.5, 0.1, 0.1])
    box = Box(x - 0.05, 0.45, x + 0.05, 0.55)
    return Hit(at(second), Detection(label, score, box, riders), centred, centred, crowded)


def missed(state: TrackState, miss: Miss = UNSEEN, x: float = 0.5) -> TrackState:
    return track_state.miss(state, miss, np.array([x, 0.5, 0.1, 0.1]), SETTINGS)


def after(*hits: Hit) -> TrackState:
    state = track_state.begin("a", hits[0], SETTINGS)
    for each in hits[1:]:
        state = track_state.hit(state, each, SETTINGS)
    return state


def test_two_sure_detections_confirm_a_track_and_two_doubles_of_another_do_not() -> None:
    assert not after(sight(0)).confirmed
    assert after(sight(0), sight(0.1)).confirmed
    assert not after(sight(0, crowded=True), sight(0.1, crowded=True)).confirmed


def test_weak_detections_confirm_only_what_has_travelled() -> None:
    standing = after(*(sight(n / 10, score=0.4) for n in range(20)))
    walking = after(*(sight(n / 10, 0.3 + n * 0.01, score=0.4) for n in range(20)))

    assert (standing.confirmed, walking.confirmed) == (False, True)
    assert standing.low_score_only
    assert walking.low_score_only


def test_a_look_that_finds_nothing_speaks_against_a_candidate_and_where_nobody_looked_nothing_is_missed() -> (
    None
):
    state = after(sight(0))

    looked = missed(state)
    unlooked = missed(state, replace(UNSEEN, looked=False))

    assert looked.evidence == 0
    assert (looked.misses, unlooked.misses) == (1, 0)
    assert unlooked.evidence == state.evidence
    assert looked.rate < unlooked.rate == state.rate


def test_what_moves_on_where_it_was_seen_speaks_for_it() -> None:
    state = after(sight(0))
    stirred = missed(state, Miss(looked=True, disturbed=True, stirred=True))

    assert stirred.evidence > state.evidence


def test_what_rests_long_enough_is_stationary_until_it_has_gone_twice_its_tremble() -> None:
    parked = after(*(sight(float(n)) for n in range(8)))
    trembling = track_state.hit(parked, sight(8, 0.5 + 0.05), SETTINGS)
    leaving = track_state.hit(parked, sight(8, 0.5 + 0.07), SETTINGS)

    assert parked.stationary
    assert trembling.stationary
    assert not leaving.stationary


@pytest.mark.parametrize(("x", "second", "back"), [(0.57, 10, True), (0.57, 8, False), (0.55, 10, False)])
def test_what_was_led_from_its_place_and_is_seen_nowhere_returns(x: float, second: float, back: bool) -> None:
    parked = after(*(sight(float(n)) for n in range(8)))
    passed = Miss(looked=True, disturbed=True, stirred=True)
    led = missed(missed(parked, passed), passed, x)

    assert track_state.returns(led, at(second), SETTINGS) is back
    assert track_state.resting(led) == pytest.approx((0.5, 0.5, 0.1, 0.1))
    assert not track_state.returns(track_state.hit(led, sight(9), SETTINGS), at(12), SETTINGS)


@pytest.mark.parametrize(("seconds", "gone"), [(1.5, False), (2.5, True)])
def test_a_confirmed_track_may_be_missed_for_its_time(seconds: float, gone: bool) -> None:
    state = after(sight(0), sight(0.1))
    for _ in range(3):
        state = missed(state)

    assert track_state.over(state, at(0.1 + seconds), False, SETTINGS) is gone


def test_a_single_look_that_finds_nothing_ends_no_track_but_one_that_left_the_picture() -> None:
    state = missed(after(sight(0), sight(0.1)))

    assert not track_state.over(state, at(5), False, SETTINGS)
    assert track_state.over(state, at(5), True, SETTINGS)


def test_a_parked_car_is_kept_for_hours_unless_something_moved_over_it() -> None:
    parked = after(*(sight(float(n)) for n in range(8)))
    calm = disturbed = parked
    for _ in range(9):
        calm = missed(calm)
        disturbed = missed(disturbed, Miss(looked=True, disturbed=True, stirred=False))

    assert not track_state.over(calm, at(7 + 3600), False, SETTINGS)
    assert track_state.over(disturbed, at(7 + 60), False, SETTINGS)


def test_the_largest_number_of_riders_that_a_good_share_saw_is_believed() -> None:
    ridden = after(*(sight(n / 10, label="motorcycle", riders=2 if n % 2 else 1) for n in range(10)))
    once = after(*(sight(n / 10, label="motorcycle", riders=3 if n == 0 else 1) for n in range(10)))

    assert track_state.riders(ridden) == 2
    assert track_state.riders(once) == 1


def counted(label: str, *riders: int) -> int:
    """How many riders are believed after looks at a two-wheeler that saw so many."""
    return track_state.riders(
        after(*(sight(n / 10, label=label, riders=seen) for n, seen in enumerate(riders)))
    )


def test_few_looks_prove_one_rider_and_no_second() -> None:
    assert [counted("motorcycle", *each) for each in ((0,), (1,), (2,), (1, 2, 2))] == [0, 1, 1, 1]
    assert counted("motorcycle", 2, 2, 2) == 2


def test_a_cyclist_who_is_seen_twice_now_and_then_stays_one() -> None:
    assert counted("bicycle", 2, 2, 2, 1, 2, 2) == 1
    assert counted("motorcycle", 2, 2, 2, 1, 2, 2) == 2
    assert counted("bicycle", *[2] * 8) == 2


def test_the_box_that_is_shown_makes_up_for_a_filter_that_lags_behind() -> None:
    state = after(sight(0))
    for n in range(1, 20):
        late = replace(sight(n / 10), believed=np.array([0.48, 0.5, 0.1, 0.1]))
        state = track_state.hit(state, late, SETTINGS)

    left, _, right, _ = track_state.shown(state, np.array([0.48, 0.5, 0.1, 0.1]))

    assert (left + right) / 2 == pytest.approx(0.5, abs=0.002)
