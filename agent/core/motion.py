"""What moved: the regions of one frame that differ from the learned scene and change right now.

Works on the luma plane, shrunk by a whole number to at most `height_px`. Time comes from the frames: everything
that is learned is learned per second, not per frame, from 1 to 30 frames a second alike.

The order: shrink, undo exposure steps (light.py), compare with the remembered values (background.py), clean,
recognise a light switch, learn, and box what is large enough, seen twice and still changing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from pydantic import Field

from agent.core import background, light
from agent.core.background import Background
from agent.core.regions import Evidence, Outline, boxes, clean
from agent.core.types import Frame, Instant, Motion, Plane
from agent.settings import Settings

Polygon = tuple[tuple[float, float], ...]

_PAST_S = 1.0
"""Something that did not change for so long stands; it is no motion, though it may be no background either."""
_PAST_STEP_S = 0.25
_TWICE_S = 0.25
"""Frames that follow each other so soon must all show a thing; later, a fast one may be somewhere else."""
_LEARN_S = 0.09
"""The scene is learned so often at most: it changes no faster, and learning is a third of the work."""
_NOISE_S = 4.0
_FLICKER_TIMES = 0.05
_SETTLE_TURNS = 5
_STEP_SHARE = 0.05
"""An exposure step that matters changes at least so much of the view."""
_STEP_S = 0.2
"""How often steps are looked for while much moves anyway."""
_SUDDEN = 0.35
"""More of the view than any road user covers from one frame to the next."""
_LONG_S = 3.0
_GAP_S = 30.0
"""After so long without frames the light may be another: start afresh."""


class MotionSettings(Settings):
    """What counts as motion, and how fast the scene is learned."""

    height_px: int = Field(
        180,
        ge=60,
        le=540,
        description="Working height: the picture is shrunk by a whole number to at most this, in pixels.",
    )
    threshold: float = Field(
        4.0,
        ge=1,
        le=100,
        description="Smallest change of a pixel that counts, in luma steps above its own noise.",
    )
    min_area: float = Field(
        0.0004, gt=0, le=0.5, description="Smallest region that counts, as a fraction of the frame's area."
    )
    max_regions: int = Field(
        32, ge=1, le=256, description="At most so many regions in one frame, the largest first."
    )
    memory_s: float = Field(
        20.0, ge=2, le=600, description="How long the look of the scene is remembered, in seconds."
    )
    absorb_s: float = Field(
        60.0,
        ge=5,
        le=3600,
        description="How long a thing must stand until it belongs to the scene, in seconds.",
    )
    settle_s: float = Field(
        2.0, ge=0.2, le=30, description="How long a new scene is learned before motion is told, in seconds."
    )
    switch_share: float = Field(
        0.5,
        ge=0.2,
        le=1,
        description="A sudden change of at least this fraction of the view is a light switch.",
    )
    ignore: tuple[Polygon, ...] = Field(
        (),
        description="Polygons in fractions of the frame where motion does not count, such as trees or a flag.",
    )


@dataclass(frozen=True, slots=True)
class MotionState:
    """The learned scene; its arrays are never written after they are made. All planes are (H, W)."""

    model: Background
    at: Instant
    settled: Instant | None
    """When the scene was known; None while it is being learned."""
    began: Instant
    """When learning of this scene began."""
    mask: Plane
    """What differs from the scene in the latest frame, cleaned: 255 or 0. Standing things are in it too."""
    raw: Plane
    """The same before cleaning."""
    earlier: Plane
    """The mask of the frame before."""
    share: float
    """Of the view, in `mask`."""
    calm: Instant
    """When the view last differed in less than the share of a light switch."""
    unlike: float
    """Share of the view that was far from the scene before any exposure step was undone."""
    asked_s: float
    """The mono_s at which an exposure step was last looked for."""
    learned_s: float
    """The mono_s at which a frame was last learned."""
    past: tuple[tuple[float, Plane], ...]
    """Working planes of the last second with their mono_s, oldest first."""
    seen: Plane | None
    """255 where motion counts; None where it counts everywhere."""
    ignore: tuple[Polygon, ...]
    """What `seen` was made from."""


@dataclass(frozen=True, slots=True)
class _Now:
    """One frame beside the scene. All planes are (H, W)."""

    plane: Plane
    at: Instant
    limit: Plane
    raw: Plane
    mask: Plane
    outlines: tuple[Outline, ...]
    share: float


def update(state: MotionState | None, frame: Frame, settings: MotionSettings) -> tuple[MotionState, Motion]:
    """Fold one frame into the scene; return the new scene and what moved.

    A first frame, a new size, another mask, a long gap or a clock that ran backwards starts a new scene.
    """
    plane = shrink(frame.luma, settings.height_px)
    if state is None or _unlike(state, plane, frame.at, settings):
        return _fresh(plane, frame.at, settings), Motion((), 0.0, settling=True)
    state, now = _compare(state, plane, frame.at, settings)
    passed_s = frame.at.since(state.at)
    calm = frame.at if now.share < settings.switch_share else state.calm
    if state.settled and _switched(state, now.share, frame.at.since(calm), settings):
        return _fresh(plane, frame.at, settings), Motion((), now.share, settling=True)
    moved = np.asarray(cv2.compare(cv2.absdiff(plane, state.past[0][1]), now.limit, cv2.CMP_GT), np.uint8)
    view = state.model.view
    strange = background.beyond(view, plane, now.limit) if cv2.countNonZero(now.raw) else now.raw
    if state.settled is None:
        found = Motion((), 0.0, settling=True)
    else:
        before = (state.mask, state.earlier)[: int(min(2, _TWICE_S / max(passed_s, 1e-3)))]
        seen = Evidence(plane, view, now.mask, now.outlines, moved, strange, before)
        found = Motion(boxes(seen, settings.min_area, settings.max_regions), now.share)
    settled, model, learned_s = state.settled, state.model, state.learned_s
    if settled is None or frame.at.mono_s - learned_s >= _LEARN_S:
        model, learned_s = _learned(state, now, moved, strange, settings), frame.at.mono_s
    if settled is None and frame.at.since(state.began) >= settings.settle_s and model.turns >= _SETTLE_TURNS:
        settled = frame.at
    new = replace(
        state,
        model=model,
        at=frame.at,
        settled=settled,
        mask=now.mask,
        raw=now.raw,
        earlier=state.mask,
        share=now.share,
        calm=calm,
        learned_s=learned_s,
        past=_past(state.past, plane, frame.at),
    )
    return new, found


def shrink(luma: Plane, height_px: int) -> Plane:
    """The plane at a whole fraction of its size, at most `height_px` high: whole numbers average fastest."""
    by = -(-luma.shape[0] // height_px)
    if by == 1:
        return luma.copy()  # the frame's memory may be reused
    size = max(1, luma.shape[1] // by), max(1, luma.shape[0] // by)
    fits = luma[: size[1] * by, : size[0] * by]
    if by >= 4:
        fits = fits[::2]  # every second row is enough for an average of 8 or more pixels
    return np.asarray(cv2.resize(fits, size, interpolation=cv2.INTER_AREA), np.uint8)


def _unlike(state: MotionState, plane: Plane, at: Instant, settings: MotionSettings) -> bool:
    passed_s = at.since(state.at)
    other = state.mask.shape != plane.shape or state.ignore != settings.ignore
    return other or passed_s < 0 or passed_s > _GAP_S


def _fresh(plane: Plane, at: Instant, settings: MotionSettings) -> MotionState:
    nothing = np.zeros_like(plane)
    seen = _seen(plane.shape, settings.ignore)
    model = background.begin(plane)
    past = ((at.mono_s, plane),)
    return MotionState(
        model,
        at,
        None,
        at,
        nothing,
        nothing,
        nothing,
        0.0,
        at,
        0.0,
        at.mono_s,
        at.mono_s,
        past,
        seen,
        settings.ignore,
    )


def _seen(shape: tuple[int, ...], ignore: tuple[Polygon, ...]) -> Plane | None:
    if not ignore:
        return None
    seen = np.full(shape, 255, np.uint8)
    scale = np.array([shape[1], shape[0]])
    cv2.fillPoly(seen, [np.round(np.array(p) * scale).astype(np.int32) for p in ignore], 0)
    return seen


def _compare(
    state: MotionState, plane: Plane, at: Instant, settings: MotionSettings
) -> tuple[MotionState, _Now]:
    """The frame beside the scene, after an exposure step was taken into the scene."""
    far = background.distance(state.model, plane)
    unlike = cv2.countNonZero(np.asarray(cv2.inRange(far, 8, 255), np.uint8)) / far.size
    stepped = unlike >= state.unlike + _STEP_SHARE or at.mono_s - state.asked_s >= _STEP_S
    asks = unlike >= _STEP_SHARE and stepped
    state = replace(state, unlike=unlike, asked_s=at.mono_s if asks else state.asked_s)
    if asks:
        curve = light.tone_curve(state.model.view, plane)
        if curve is not None:
            model = background.toned(state.model, curve, plane, far)
            past = tuple((mono_s, np.asarray(cv2.LUT(p, curve), np.uint8)) for mono_s, p in state.past)
            state = replace(state, model=model, past=past)
            far = background.distance(model, plane)
    limit = background.limits(state.model, settings.threshold, 1.0, _FLICKER_TIMES)
    raw = np.asarray(cv2.compare(far, limit, cv2.CMP_GT), np.uint8)
    if state.seen is not None:
        raw = np.asarray(cv2.bitwise_and(raw, state.seen), np.uint8)
    mask, outlines = clean(raw)
    view_px = mask.size if state.seen is None else max(1, cv2.countNonZero(state.seen))
    return state, _Now(plane, at, limit, raw, mask, outlines, cv2.countNonZero(mask) / view_px)


def _switched(state: MotionState, share: float, wild_s: float, settings: MotionSettings) -> bool:
    """A light switch: most of the view is another at once, or for longer than a bus takes to pass.

    Frigate relearns above 80 % of the view and Motion after `lightswitch_percent`; the jump tells a lamp
    from a lorry that fills the picture bit by bit.
    """
    sudden = share - state.share >= _SUDDEN
    return share >= settings.switch_share and (sudden or wild_s >= _LONG_S)


def _learned(
    state: MotionState, now: _Now, moved: Plane, strange: Plane, settings: MotionSettings
) -> Background:
    """The model after this frame: what is quiet is learned soon, what stands is adopted late."""
    passed_s = now.at.mono_s - state.learned_s
    quiet = np.asarray(cv2.bitwise_not(now.raw), np.uint8)
    if state.settled is None:
        every = np.full_like(quiet, 255)
        model = background.tune(state.model, now.plane, quiet, np.zeros_like(quiet), min(0.2, passed_s / 0.5))
        hurry = 2 * background.SAMPLES * passed_s / settings.settle_s
        return background.learn(model, now.plane, every, hurry)
    flips = np.asarray(cv2.bitwise_xor(now.raw, state.raw), np.uint8)
    model = background.tune(state.model, now.plane, quiet, flips, min(0.2, passed_s / _NOISE_S))
    # A drifting pole: what a neighbour's value explains is learned, or every edge would count for ever.
    quiet = np.asarray(cv2.bitwise_or(quiet, cv2.bitwise_not(strange)), np.uint8)
    model = background.learn(model, now.plane, quiet, background.SAMPLES * passed_s / settings.memory_s)
    stands = cv2.bitwise_and(now.raw, cv2.bitwise_not(moved))
    picked = background.chance(quiet.shape, -1 - model.turns, passed_s / settings.absorb_s)
    return background.adopt(model, now.plane, np.asarray(cv2.bitwise_and(stands, picked), np.uint8))


def _past(past: tuple[tuple[float, Plane], ...], plane: Plane, at: Instant) -> tuple[tuple[float, Plane], ...]:
    if at.mono_s - past[-1][0] >= _PAST_STEP_S:
        past = (*past, (at.mono_s, plane))
    while len(past) > 1 and at.mono_s - past[1][0] >= _PAST_S:
        past = past[1:]
    return past
