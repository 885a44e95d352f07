"""Background model update: what is known of the scene, learned per second and not per frame.

What is quiet is learned soon, what stands is adopted late. A new scene is learned whole until it has come to
rest, for until then nobody can say what moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from agent.core.motion import background, illumination
from agent.core.motion.background import Background
from agent.core.motion.illumination import Fine
from agent.core.motion.settings import MotionSettings
from agent.core.types import Instant, Plane

_LEARN_S = 0.19
"""The scene is learned so often at most: it changes no faster. Twice as often costs a tenth more and finds less
(F1 0.920 instead of 0.926 on CDnet's highway): a slow car stays too near to what was learned of it."""
_NOISE_S = 4.0
"""How long a pixel's own noise is averaged over."""
_FLICKER_TIMES = 0.05
"""Luma steps by which a flicker of one, of 255, widens a pixel's limit."""
_SETTLE_TURNS = 5
"""A scene of fewer frames is not known, however calm."""
_SETTLE_TIMES = 2
"""A scene that does not come to rest is taken as it is after so many times the usual."""
_RESTLESS = 0.05
"""Share of the view that changes when something passes while a scene is learned."""


@dataclass(frozen=True, slots=True)
class SceneModel:
    """The learned scene. Its planes are (H, W) and never written after they are made."""

    model: Background
    limit: Plane
    """How far each pixel may be from the model's values and still belong to the scene, in luma steps."""
    look: Fine
    """The fine part of the scene's usual view."""
    began: Instant
    """When learning of this scene began."""
    learned_s: float
    """The mono_s at which a frame was last learned."""
    restless: Instant
    """When much of the view was last seen to change while it was learned."""
    settled: Instant | None = None
    """Since when it is known well enough to say what moves; None while it is being learned."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A frame to learn from, beside the scene. All planes are (H, W), masks 255 or 0."""

    plane: Plane
    at: Instant
    raw: Plane
    """What differs from the scene."""
    raw_before: Plane
    """What did in the frame before."""
    moved: Plane
    """What changed within the last second."""
    strange: Plane
    """What no neighbour's value explains either."""


def begin(plane: Plane, at: Instant, settings: MotionSettings) -> SceneModel:
    """A scene of which one frame is known."""
    model = background.begin(plane)
    return SceneModel(
        model=model,
        limit=_limit(model, settings),
        look=illumination.fine(model.view),
        began=at,
        learned_s=at.mono_s,
        restless=at,
    )


def due(known: SceneModel, at: Instant) -> bool:
    """Whether a frame of this moment is to be learned."""
    return known.settled is None or at.mono_s - known.learned_s >= _LEARN_S


def toned(known: SceneModel, curve: Plane, plane: Plane, far: Plane) -> SceneModel:
    """The scene as the camera shows it after an exposure step; see `background.toned`."""
    model = background.toned(known.model, curve, plane, far)
    return replace(known, model=model, look=illumination.fine(model.view))


def learn(known: SceneModel, lesson: Lesson, settings: MotionSettings) -> SceneModel:
    """The scene after this frame."""
    at, restless, settled = lesson.at, known.restless, known.settled
    if settled is None:
        if cv2.countNonZero(lesson.moved) >= _RESTLESS * lesson.moved.size:
            restless = at  # a beam or a bus passes: what is learned of it would look like motion once it left
        model = _hastily(known, lesson, settings)
        calm = at.since(restless) >= settings.settle_s
        if model.turns >= _SETTLE_TURNS and (
            calm or at.since(known.began) >= _SETTLE_TIMES * settings.settle_s
        ):
            settled = at
    else:
        model = _calmly(known, lesson, settings)
    return SceneModel(
        model=model,
        limit=_limit(model, settings),
        look=known.look if model.view is known.model.view else illumination.fine(model.view),
        began=known.began,
        learned_s=at.mono_s,
        restless=restless,
        settled=settled,
    )


def _hastily(known: SceneModel, lesson: Lesson, settings: MotionSettings) -> Background:
    """A new scene is learned whole, and soon."""
    passed_s = lesson.at.mono_s - known.learned_s
    quiet, nowhere = _inverse(lesson.raw), np.zeros(lesson.raw.shape, np.uint8)
    model = background.tune(known.model, lesson.plane, quiet, nowhere, min(0.2, passed_s / 0.5))
    hurry = 2 * background.SAMPLES * passed_s / settings.settle_s
    return background.learn(model, lesson.plane, np.full_like(quiet, 255), hurry)


def _calmly(known: SceneModel, lesson: Lesson, settings: MotionSettings) -> Background:
    """What is quiet is learned soon, what stands is adopted late."""
    passed_s = lesson.at.mono_s - known.learned_s
    quiet = _inverse(lesson.raw)
    flips = np.asarray(cv2.bitwise_xor(lesson.raw, lesson.raw_before), np.uint8)
    model = background.tune(known.model, lesson.plane, quiet, flips, min(0.2, passed_s / _NOISE_S))
    # A drifting pole: what a neighbour's value explains is learned, or every edge would count for ever.
    quiet = np.asarray(cv2.bitwise_or(quiet, _inverse(lesson.strange)), np.uint8)
    model = background.learn(model, lesson.plane, quiet, background.SAMPLES * passed_s / settings.memory_s)
    stands = cv2.bitwise_and(lesson.raw, _inverse(lesson.moved))
    picked = background.chance(quiet.shape, -1 - model.turns, passed_s / settings.absorb_s)
    return background.adopt(model, lesson.plane, np.asarray(cv2.bitwise_and(stands, picked), np.uint8))


def _inverse(mask: Plane) -> Plane:
    return np.asarray(cv2.bitwise_not(mask), np.uint8)


def _limit(model: Background, settings: MotionSettings) -> Plane:
    return background.limits(model, settings.threshold, 1.0, _FLICKER_TIMES)
