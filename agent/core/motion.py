"""What moved: the regions of one frame that differ from the learned scene and change right now.

Works on the luma plane, shrunk by a whole number to at most `height_px`. Time comes from the frames: everything
that is learned is learned per second, not per frame, from 1 to 30 frames a second alike.

The order: shrink, undo exposure steps (light.py), compare with the remembered values (background.py), clean,
recognise a light switch, learn, and box what is large enough, seen twice and still changing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from pydantic import Field

from agent.core import background, faint, light
from agent.core.background import Background
from agent.core.faint import Faint, Sight
from agent.core.light import Fine, half
from agent.core.regions import Evidence, Outline, boxes, clean, merged, things
from agent.core.types import Frame, Instant, Motion, Plane
from agent.settings import Settings

Polygon = tuple[tuple[float, float], ...]
Past = tuple[tuple[float, Plane], ...]

_PAST_S = 1.0
"""Something that did not change for so long stands; it is no motion, though it may be no background either."""
_PAST_STEP_S = 0.25
_TWICE_S = 0.25
"""Frames that follow each other so soon must all show a thing; later, a fast one may be somewhere else."""
_LEARN_S = 0.19
"""The scene is learned so often at most: it changes no faster. Twice as often costs a tenth more and finds less
(F1 0.920 instead of 0.926 on CDnet's highway): a slow car stays too near to what was learned of it."""
_NOISE_S = 4.0
_FLICKER_TIMES = 0.05
_FAR = 8
"""Luma steps from the scene that are no noise."""
_SETTLE_TURNS = 5
_SETTLE_TIMES = 2
"""A scene that does not come to rest is taken as it is after so many times the usual."""
_RESTLESS = 0.05
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
        2.0,
        ge=0.2,
        le=30,
        description="How long a new scene must be calm until motion is told, in seconds; at most twice that.",
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
    limit: Plane
    """How far each pixel may be from the model's values and still belong to the scene, in luma steps."""
    look: Fine
    """The fine part of the scene's usual view."""
    at: Instant
    settled: Instant | None
    """When the scene was known; None while it is being learned."""
    began: Instant
    """When learning of this scene began."""
    restless: Instant
    """When much of the view was last seen to change while it was learned."""
    mask: Plane
    """What differs from the scene in the latest frame, cleaned: 255 or 0. Standing things are in it too."""
    raw: Plane
    """The same before cleaning."""
    firm: Plane
    """The parts of `mask` that are large enough to count and that the frame before showed too."""
    faint: Faint
    """What is small or faint and goes somewhere."""
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
    past: Past
    """Working planes of the last second with their mono_s, oldest first."""
    seen: Plane | None
    """255 where motion counts; None where it counts everywhere."""
    ignore: tuple[Polygon, ...]
    """What `seen` was made from."""


@dataclass(frozen=True, slots=True)
class _Now:
    """One frame beside the scene, which an exposure step may have changed. All planes are (H, W)."""

    plane: Plane
    at: Instant
    model: Background
    look: Fine
    past: Past
    unlike: float
    asked_s: float
    far: Plane
    """How far each pixel is from the scene, in luma steps."""
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
    now = _compare(state, plane, frame.at, settings)
    calm = frame.at if now.share < settings.switch_share else state.calm
    if state.settled and _switched(state, now.share, frame.at.since(calm), settings):
        return _fresh(plane, frame.at, settings), Motion((), now.share, settling=True)
    found = Motion((), now.share if state.settled else 0.0, settling=state.settled is None)
    big = things(now.mask, now.outlines, settings.min_area, settings.max_regions) if state.settled else []
    learns = state.settled is None or frame.at.mono_s - state.learned_s >= _LEARN_S
    model, limit, firm, restless = now.model, state.limit, np.zeros(plane.shape, np.uint8), state.restless
    if big or learns:  # else nobody asks what moved, and most frames of a quiet street end here
        moved = np.asarray(cv2.compare(cv2.absdiff(plane, now.past[0][1]), limit, cv2.CMP_GT), np.uint8)
        strange = background.beyond(model, plane, limit) if cv2.countNonZero(now.raw) else now.raw
        if big:
            before, firmer = _before(state, frame.at)
            evidence = Evidence(plane, model.view, now.look, now.mask, moved, strange, before, firmer)
            regions, firm = boxes(big, evidence, settings.max_regions)
            found = Motion(regions, now.share)
        if state.settled is None and cv2.countNonZero(moved) >= _RESTLESS * moved.size:
            restless = (
                frame.at
            )  # a beam or a bus passes: what is learned of it would look like motion once it left
        if learns:
            model = _learned(state, now, moved, strange, settings)
            limit = _limit(model, settings)
    dim = _looked(state, now, settings)
    if dim.regions:
        found = Motion(merged((*found.regions, *dim.regions), settings.max_regions), now.share)
    known = model.turns >= _SETTLE_TURNS and (
        frame.at.since(restless) >= settings.settle_s
        or frame.at.since(state.began) >= _SETTLE_TIMES * settings.settle_s
    )
    new = MotionState(
        model=model,
        limit=limit,
        look=now.look if model.view is now.model.view else light.fine(model.view),
        at=frame.at,
        settled=state.settled or (frame.at if known else None),
        began=state.began,
        restless=restless,
        mask=now.mask,
        raw=now.raw,
        firm=firm,
        faint=dim,
        share=now.share,
        calm=calm,
        unlike=now.unlike,
        asked_s=now.asked_s,
        learned_s=frame.at.mono_s if learns else state.learned_s,
        past=_past(now.past, plane, frame.at),
        seen=state.seen,
        ignore=state.ignore,
    )
    return new, found


def shrink(luma: Plane, height_px: int) -> Plane:
    """The plane at a whole fraction of its size, at most `height_px` high: whole numbers average fastest.

    Every value is the mean of all its pixels. Halving is by far the quickest way to take it, and of a third a
    blur of which every third value is kept: five times and twice as fast as OpenCV's general averaging.
    """
    by = -(-luma.shape[0] // height_px)
    if by == 1:
        return luma.copy()  # the frame's memory may be reused
    wide, high = max(1, luma.shape[1] // by), max(1, luma.shape[0] // by)
    plane = luma[: high * by, : wide * by]
    while by % 2 == 0 and plane.shape[1] > wide:
        plane = half(plane)
        by //= 2
    if by == 3 and plane.shape == (3 * high, 3 * wide):
        return np.ascontiguousarray(cv2.blur(plane, (3, 3))[1::3, 1::3])
    if by > 1:
        plane = np.asarray(cv2.resize(plane, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    return plane


def _unlike(state: MotionState, plane: Plane, at: Instant, settings: MotionSettings) -> bool:
    passed_s = at.since(state.at)
    other = state.mask.shape != plane.shape or state.ignore != settings.ignore
    return other or passed_s < 0 or passed_s > _GAP_S


def _fresh(plane: Plane, at: Instant, settings: MotionSettings) -> MotionState:
    nothing = np.zeros(plane.shape, np.uint8)
    model = background.begin(plane)
    return MotionState(
        model=model,
        limit=_limit(model, settings),
        look=light.fine(model.view),
        at=at,
        settled=None,
        began=at,
        restless=at,
        mask=nothing,
        raw=nothing,
        firm=nothing,
        faint=Faint((), (), at.mono_s),
        share=0.0,
        calm=at,
        unlike=0.0,
        asked_s=at.mono_s,
        learned_s=at.mono_s,
        past=((at.mono_s, plane),),
        seen=_seen(plane.shape, settings.ignore),
        ignore=settings.ignore,
    )


def _seen(shape: tuple[int, ...], ignore: tuple[Polygon, ...]) -> Plane | None:
    if not ignore:
        return None
    seen = np.full(shape, 255, np.uint8)
    scale = np.array([shape[1], shape[0]])
    cv2.fillPoly(seen, [np.round(np.array(p) * scale).astype(np.int32) for p in ignore], 0)
    return seen


def _compare(state: MotionState, plane: Plane, at: Instant, settings: MotionSettings) -> _Now:
    """The frame beside the scene, after an exposure step was taken into the scene."""
    model, look, past = state.model, state.look, state.past
    far = background.distance(model, plane)
    unlike = cv2.countNonZero(cv2.threshold(far, _FAR - 1, 255, cv2.THRESH_BINARY)[1]) / far.size
    stepped = unlike >= state.unlike + _STEP_SHARE or at.mono_s - state.asked_s >= _STEP_S
    asks = unlike >= _STEP_SHARE and stepped
    curve = light.tone_curve(model.view, plane) if asks else None
    if curve is not None:
        model = background.toned(model, curve, plane, far)
        look = light.fine(model.view)
        past = tuple((mono_s, np.asarray(cv2.LUT(p, curve), np.uint8)) for mono_s, p in past)
        far = background.distance(model, plane)
    raw = np.asarray(cv2.compare(far, state.limit, cv2.CMP_GT), np.uint8)
    view_px = raw.size
    if state.seen is not None:
        raw = np.asarray(cv2.bitwise_and(raw, state.seen), np.uint8)
        view_px = max(1, cv2.countNonZero(state.seen))
    mask, outlines = clean(raw)
    share = cv2.countNonZero(mask) / view_px
    asked_s = at.mono_s if asks else state.asked_s
    return _Now(plane, at, model, look, past, unlike, asked_s, far, raw, mask, outlines, share)


def _limit(model: Background, settings: MotionSettings) -> Plane:
    return background.limits(model, settings.threshold, 1.0, _FLICKER_TIMES)


def _looked(state: MotionState, now: _Now, settings: MotionSettings) -> Faint:
    """Faint things after this frame; those of the last look, when it was only just."""
    at_s = now.at.mono_s
    if state.settled is None or at_s - state.faint.looked_s < faint.LOOK_S:
        return state.faint
    sight = Sight(now.plane, now.model, now.past[0][1], now.far, state.limit, state.seen)
    return faint.look(state.faint, sight, at_s, settings.min_area)


def _before(state: MotionState, at: Instant) -> tuple[Plane | None, Plane | None]:
    """What the frame before showed, and what it showed for the second time: as far as that is recent enough."""
    passed_s = at.since(state.at)
    return (
        state.mask if passed_s <= _TWICE_S else None,
        state.firm if passed_s <= _TWICE_S / 2 else None,
    )


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
        model = background.tune(
            now.model, now.plane, quiet, np.zeros(quiet.shape, np.uint8), min(0.2, passed_s / 0.5)
        )
        hurry = 2 * background.SAMPLES * passed_s / settings.settle_s
        return background.learn(model, now.plane, every, hurry)
    flips = np.asarray(cv2.bitwise_xor(now.raw, state.raw), np.uint8)
    model = background.tune(now.model, now.plane, quiet, flips, min(0.2, passed_s / _NOISE_S))
    # A drifting pole: what a neighbour's value explains is learned, or every edge would count for ever.
    quiet = np.asarray(cv2.bitwise_or(quiet, cv2.bitwise_not(strange)), np.uint8)
    model = background.learn(model, now.plane, quiet, background.SAMPLES * passed_s / settings.memory_s)
    stands = cv2.bitwise_and(now.raw, cv2.bitwise_not(moved))
    picked = background.chance(quiet.shape, -1 - model.turns, passed_s / settings.absorb_s)
    return background.adopt(model, now.plane, np.asarray(cv2.bitwise_and(stands, picked), np.uint8))


def _past(past: Past, plane: Plane, at: Instant) -> Past:
    if at.mono_s - past[-1][0] >= _PAST_STEP_S:
        past = (*past, (at.mono_s, plane))
    while len(past) > 1 and at.mono_s - past[1][0] >= _PAST_S:
        past = past[1:]
    return past
