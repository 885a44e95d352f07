"""agent.core.tracking.kalman"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.geometry import iou
from agent.core.tracking import kalman
from agent.core.tracking.kalman import Belief, Noise

NOISE = Noise(
    first_speed=2.0,
    speed=0.5,
    agility=0.0,
    speed_memory_s=4.0,
    first_growth=0.3,
    growth=0.1,
    growth_agility=0.0,
    growth_memory_s=4.0,
    measured=0.05,
    measured_size=0.2,
)
ONE = np.array([[0.5, 0.5, 0.1, 0.2]])
ROW = np.zeros(1, np.intp)
PLAIN = np.ones((1, 4))


def parts(belief: Belief) -> list[np.ndarray]:
    return [belief.mean, belief.velocity, belief.var, belief.cov, belief.var_velocity]


@given(st.integers(1, 8), st.floats(0.01, 3.0))
def test_a_step_may_be_cut_into_pieces_without_changing_the_result(pieces, seconds):
    still = kalman.born(ONE, NOISE)  # without agility and growth the noise is the same on the way
    whole = kalman.predict(still, seconds, NOISE)
    cut = still
    for _ in range(pieces):
        cut = kalman.predict(cut, seconds / pieces, NOISE)
    for one, other in zip(parts(whole), parts(cut), strict=True):
        assert np.allclose(one, other, rtol=1e-9, atol=1e-12)


def test_doubt_grows_unseen_and_shrinks_seen():
    belief = kalman.born(ONE, NOISE)
    later = kalman.predict(belief, 0.5, NOISE)
    assert np.all(later.var > belief.var)
    seen = kalman.update(later, ROW, ONE, PLAIN, NOISE)
    assert np.all(seen.var < later.var)
    assert np.all(seen.var > 0)


@pytest.mark.parametrize("rate", [2.0, 7.0, 30.0])
def test_the_speed_of_a_steady_walker_is_found_at_any_frame_rate(rate):
    belief = kalman.born(ONE, NOISE)
    for n in range(1, int(rate * 4)):
        belief = kalman.predict(belief, 1 / rate, NOISE)
        belief = kalman.update(belief, ROW, ONE + np.array([0.05 * n / rate, 0, 0, 0]), PLAIN, NOISE)
    assert belief.velocity[0, 0] == pytest.approx(0.05, rel=0.1)
    assert belief.velocity[0, 1] == pytest.approx(0.0, abs=1e-9)


def test_an_unseen_track_slows_down_instead_of_leaving_the_town():
    moving = kalman.born(ONE, NOISE)
    moving = replace(moving, velocity=np.array([[0.1, 0, 0, 0]]))
    long_after = kalman.predict(moving, 1000.0, NOISE)
    assert long_after.mean[0, 0] == pytest.approx(0.5 + 0.1 * NOISE.speed_memory_s)
    assert np.all(np.isfinite(long_after.var))


def test_a_doubtful_measurement_moves_less_and_an_infinitely_doubtful_one_nothing():
    belief = kalman.predict(kalman.born(ONE, NOISE), 0.2, NOISE)
    there = ONE + np.array([0.02, 0, 0.02, 0])
    plain = kalman.update(belief, ROW, there, PLAIN, NOISE)
    vague = kalman.update(belief, ROW, there, np.array([[4.0, 4.0, np.inf, np.inf]]), NOISE, detections=False)
    assert 0.5 < vague.mean[0, 0] < plain.mean[0, 0]
    assert vague.mean[0, 2] == pytest.approx(0.1)


def test_a_side_that_is_cut_is_at_least_as_long_as_it_is_seen():
    belief = kalman.born(ONE, NOISE)
    for seen, believed in ((0.14, 0.14), (0.08, 0.1)):
        part = ONE + np.array([0, 0, seen - 0.1, 0])
        after = kalman.update(belief, ROW, part, np.array([[1.0, 1.0, np.inf, 1.0]]), NOISE)
        assert after.mean[0, 2] == pytest.approx(believed)
        assert after.velocity[0, 2] == 0.0


def approaching(second: float) -> np.ndarray:
    """A car 40 m away that comes at 10 m/s to 2 m beside a camera 5 m high, its lens as wide as it is far."""
    away_m = 40.0 - 10.0 * second
    return np.array([[0.5 + 2.0 / away_m, 0.5 + 4.25 / away_m, 1.8 / away_m, 1.5 / away_m]])


def followed(until_s: float, every_s: float, tremble: float) -> Belief:
    """The belief after looks at that car whose sides tremble by a share of their length."""
    chance = np.random.default_rng(7)
    belief = kalman.born(approaching(0.0), NOISE)
    for n in range(1, round(until_s / every_s) + 1):
        seen = approaching(n * every_s) * np.exp(chance.normal(0, tremble, (1, 4)) * [0, 0, 1, 1])
        belief = kalman.update(kalman.predict(belief, every_s, NOISE), ROW, seen, PLAIN, NOISE)
    return belief


@pytest.mark.parametrize(
    ("every_s", "until_s", "least"), [(0.1, 2.4, 0.7), (0.1, 3.0, 0.6), (0.3, 2.4, 0.55), (0.3, 3.0, 0.3)]
)
def test_what_comes_nearer_is_where_perspective_has_it_at_the_next_look(every_s, until_s, least):
    # A filter of even speeds has overlaps of 0.44, 0.20, 0.16 and 0.
    expected = kalman.predict(followed(until_s, every_s, 0.0), every_s, NOISE)
    there = approaching(until_s + every_s)
    assert iou(kalman.cornered(expected.mean), kalman.cornered(there))[0, 0] >= least


def test_it_takes_its_growth_and_its_speed_along_while_nobody_looks():
    belief = followed(2.4, 0.1, 0.0)
    later = kalman.predict(belief, 0.5, NOISE)
    assert later.velocity[0, 1] > 1.2 * belief.velocity[0, 1] > 0
    assert later.mean[0, 3] / belief.mean[0, 3] > 1 + 0.5 * belief.velocity[0, 3]


def test_a_track_learns_how_its_own_detections_tremble():
    steady, trembling = followed(2.4, 0.1, 0.0), followed(2.4, 0.1, 0.2)
    assert steady.jitter[0, 2] < 0.8 * trembling.jitter[0, 2]
    assert trembling.jitter[0, 2] <= NOISE.measured_size**2


def test_what_is_put_elsewhere_rests_there_and_nobody_else_is_touched():
    belief = kalman.predict(
        kalman.born(np.array([[0.3, 0.5, 0.1, 0.2], [0.7, 0.5, 0.1, 0.2]]), NOISE), 1.0, NOISE
    )
    put = kalman.put(replace(belief, velocity=np.ones((2, 4))), {1: (0.6, 0.4, 0.2, 0.1)})

    assert put.mean.tolist() == [belief.mean[0].tolist(), [0.6, 0.4, 0.2, 0.1]]
    assert put.velocity.tolist() == [[1.0] * 4, [0.0] * 4]
    assert np.array_equal(put.var, belief.var)
    assert kalman.put(belief, {}) is belief


def test_updates_leave_the_given_belief_and_the_other_rows_alone():
    two = kalman.born(np.vstack([ONE, ONE + 0.1]), NOISE)
    before = [part.copy() for part in parts(two)]
    after = kalman.update(two, np.array([1]), ONE, PLAIN, NOISE)
    assert all(np.array_equal(old, new) for old, new in zip(before, parts(two), strict=True))
    assert np.array_equal(after.mean[0], two.mean[0])
    assert np.array_equal(kalman.take(kalman.join(after, two), np.array([2, 0])).mean, two.mean[[0, 0]])


@given(st.lists(st.floats(0, 0.9), min_size=4, max_size=4))
def test_corners_and_centres_are_two_forms_of_one_box(numbers):
    left, top, width, height = numbers
    box = np.array([[left, top, left + max(width, 0.001), top + max(height, 0.001)]])
    assert np.allclose(kalman.cornered(kalman.centred(box)), box)
