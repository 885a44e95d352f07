"""agent.core.motion.model_update"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from agent.core.motion import model_update
from agent.core.motion.model_update import Lesson, SceneModel
from agent.core.motion.settings import MotionSettings
from agent.core.types import Instant, Plane

SETTINGS = MotionSettings(settle_s=2, absorb_s=5, memory_s=20)
SHAPE = (60, 80)
STEP_S = 0.1
NOTHING = np.zeros(SHAPE, np.uint8)
STREET = np.random.default_rng(3).integers(60, 160, SHAPE, np.uint8)
CORNER = NOTHING.copy()
CORNER[:20, :20] = 255


def at(seconds: float) -> Instant:
    return Instant(100 + seconds, 1e9 + seconds)


def lesson(seconds: float, plane: Plane = STREET, *, raw: Plane = NOTHING, moved: Plane = NOTHING) -> Lesson:
    return Lesson(plane, at(seconds), raw, raw, moved, raw)


def taught(known: SceneModel, from_s: float, to_s: float, of: Callable[[float], Lesson]) -> SceneModel:
    """After the frames of these seconds, of which those that are due are learned."""
    for number in range(round(from_s / STEP_S) + 1, round(to_s / STEP_S) + 1):
        seconds = number * STEP_S
        if model_update.due(known, at(seconds)):
            known = model_update.learn(known, of(seconds), SETTINGS)
    return known


def test_a_calm_scene_is_known_after_its_time_and_not_before() -> None:
    known = taught(model_update.begin(STREET, at(0), SETTINGS), 0, 1.9, lesson)
    assert known.settled is None
    assert taught(known, 1.9, 2.1, lesson).settled is not None


def test_a_scene_that_never_rests_is_taken_as_it_is_after_twice_the_time() -> None:
    known = model_update.begin(STREET, at(0), SETTINGS)
    known = taught(known, 0, 3.9, lambda s: lesson(s, moved=CORNER))
    assert known.settled is None
    assert taught(known, 3.9, 4.1, lambda s: lesson(s, moved=CORNER)).settled is not None


def test_what_crosses_the_view_while_it_is_learned_begins_the_wait_anew() -> None:
    known = model_update.begin(STREET, at(0), SETTINGS)
    known = taught(known, 0, 1.5, lambda s: lesson(s, moved=CORNER if s > 1.0 else NOTHING))
    assert taught(known, 1.5, 3.0, lesson).settled is None
    assert taught(known, 1.5, 3.6, lesson).settled is not None


def test_a_new_scene_learns_every_frame_and_a_known_one_five_a_second() -> None:
    known = model_update.begin(STREET, at(0), SETTINGS)
    assert model_update.due(known, at(0.01))
    known = taught(known, 0, 4, lesson)
    assert not model_update.due(known, at(4.1))
    assert model_update.due(known, at(4.2))


def adopted(known: SceneModel, seconds: float, moved: Plane) -> float:
    """Share of a corner's pixels to which a thing belongs after it was there for so long: two values of ten."""
    there = STREET.copy()
    there[:20, :20] = 230
    known = taught(known, 4, 4 + seconds, lambda s: lesson(s, there, raw=CORNER, moved=moved))
    values = np.stack([sample[:20, :20] for sample in known.model.samples])
    return float(np.mean(np.count_nonzero(values == 230, axis=0) >= 2))


def test_what_stands_is_adopted_in_time_and_what_moves_never() -> None:
    known = taught(model_update.begin(STREET, at(0), SETTINGS), 0, 4, lesson)
    assert adopted(known, 60, CORNER) == 0
    assert adopted(known, 0.2 * SETTINGS.absorb_s, NOTHING) < 0.3
    assert 0.5 < adopted(known, SETTINGS.absorb_s, NOTHING) < 0.8  # all but one in e
    assert adopted(known, 4 * SETTINGS.absorb_s, NOTHING) > 0.95


def test_planes_of_before_are_left_as_they_were() -> None:
    known = taught(model_update.begin(STREET, at(0), SETTINGS), 0, 4, lesson)
    kept = [plane.copy() for plane in (*known.model.samples, known.model.view, known.limit)]
    taught(known, 4, 8, lambda s: lesson(s, np.roll(STREET, 5), raw=CORNER))
    for before, now in zip(kept, (*known.model.samples, known.model.view, known.limit), strict=True):
        assert np.array_equal(before, now)
