"""Foreground, what moved: the regions of a frame that differ from the learned scene and change right now.

Works on the luma plane, shrunk by a whole number to at most `height_px`. Time comes from the frames: everything
that is learned is learned per second, not per frame, from 1 to 30 frames a second alike.

The order: shrink, move a view that shakes back (steady.py), undo exposure steps (illumination.py), compare
with the remembered values (background.py), clean, recognise a light switch, learn, and box what is large
enough, seen twice and still changing. Of that, what sways or flits on the spot is no motion that is told
(restless.py).

All planes but `mask` are those of the scene: where a view that shakes would show them if it stood still.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from agent.core.downscale import shrink
from agent.core.motion import background, illumination, lasting, model_update, restless, standing, steady
from agent.core.motion import track_before_detect as faint
from agent.core.motion.hysteresis import Differing, grown
from agent.core.motion.model_update import Lesson, SceneModel
from agent.core.motion.regions import Evidence, Outline, Thing, boxes, changing, clean, merged, moving, things
from agent.core.motion.restless import RestlessLook, RestlessPlaces
from agent.core.motion.settings import MotionSettings, Polygon
from agent.core.motion.standing import StillLook, StillPlaces
from agent.core.motion.steady import Steady
from agent.core.motion.track_before_detect import Faint, Sight
from agent.core.types import Box, Frame, Instant, Motion, Plane

Past = tuple[tuple[float, Plane, Plane], ...]

_PAST_S = 1.0
"""Something that did not change for so long stands; it is no motion, though it may be no background either."""
_PAST_STEP_S = 0.25
_TWICE_S = 0.25
"""Frames that follow each other so soon must all show a thing; later, a fast one may be somewhere else."""
_FAR = 8
"""Luma steps from the scene that are no noise."""
_STEP_SHARE = 0.05
"""An exposure step that matters changes at least so much of the view."""
_STEP_S = 0.2
"""How often steps are looked for while much moves anyway."""
_SUDDEN = 0.35
"""More of the view than any road user covers from one frame to the next."""
_RELIT, _RELIT_S = 0.4, 1.0
"""An exposure step by such a share of the light is another light, and no camera that adjusts itself to a white
van: that one took 0.29 at most. For so long it is said."""
_LONG_S = 3.0
_GAP_S = 30.0
"""After so long without frames the light may be another: start afresh."""


@dataclass(frozen=True, slots=True)
class MotionState:
    """The learned scene and the latest frames. Planes are (H, W) and never written after they are made."""

    known: SceneModel
    at: Instant
    mask: Plane
    """What differs from the scene in the latest frame, cleaned: 255 or 0. Standing things are in it too,
    but not what sways."""
    parts: Plane
    """The same with what sways, and where the scene has it."""
    raw: Plane
    """The same before cleaning."""
    firm: Plane
    """The parts of `parts` that are large enough to count and that the frame before showed too."""
    faint: Faint
    """What is small or faint and goes somewhere."""
    still: StillPlaces
    """What came and stands."""
    places: RestlessPlaces
    """Where the picture never rests."""
    steady: Steady
    """Where the view is beside the scene."""
    share: float
    """Of the view, in `mask`."""
    calm: Instant
    """When the view last differed in less than the share of a light switch."""
    unlike: float
    """Share of the view that was far from the scene before any exposure step was undone."""
    relit: Instant | None
    """When the light last changed at once; None: not in this scene."""
    asked_s: float
    """The mono_s at which an exposure step was last looked for."""
    past: Past
    """Working planes of the last second, each with its mono_s before and its `raw` behind it, oldest first."""
    seen: Plane | None
    """255 where motion counts; None where it counts everywhere."""
    ignore: tuple[Polygon, ...]
    """What `seen` was made from."""


@dataclass(frozen=True, slots=True)
class _Now:
    """One frame beside the scene, which an exposure step may have changed. All planes are (H, W)."""

    plane: Plane
    at: Instant
    known: SceneModel
    steady: Steady
    past: Past
    unlike: float
    asked_s: float
    far: Plane
    """How far each pixel is from the scene, in luma steps."""
    raw: Plane
    mask: Plane
    outlines: tuple[Outline, ...]
    share: float
    relit: bool
    """The light is another than a frame ago."""

    @property
    def settled(self) -> bool:
        """The scene is known, so that what differs from it means something."""
        return self.known.settled is not None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the large parts of one frame are, and what is known of the scene after it."""

    large: Sequence[Thing]
    moves: Sequence[Thing]
    """The large parts that move, whether they go anywhere or not."""
    goes: Sequence[Thing]
    """What moves, without what flits before it."""
    firm: Plane
    known: SceneModel
    still: StillPlaces
    places: RestlessPlaces


def update(
    state: MotionState | None, frame: Frame, settings: MotionSettings, followed: Sequence[Box] = ()
) -> tuple[MotionState, Motion]:
    """Fold one frame into the scene; return the new scene and what moved.

    `followed` says where road users are, in fractions of the frame: no such place is restless. A first frame, a
    new size, another mask, a long gap or a clock that ran backwards starts a new scene.
    """
    plane, at = shrink(frame.luma, settings.height_px), frame.at
    if state is None or _unlike(state, plane, at, settings):
        return _fresh(plane, at, settings), Motion((), 0.0, settling=True)
    now = _compare(state, plane, at, settings)
    calm = at if now.share < settings.switch_share else state.calm
    if now.settled and _switched(state, now.share, at.since(calm), settings):
        there = standing.regions(state.still, plane.shape)
        return _switched_to(state, plane, at, settings), Motion((), now.share, settling=True, standing=there)
    judged = _judge(state, now, settings, followed)
    dim = _looked(state, now, settings)
    whole = _whole(now, judged, state.seen)
    new = MotionState(
        known=judged.known,
        at=at,
        mask=steady.mask_in_frame(now.steady, restless.shown(judged.places, now.mask, list(whole.values()))),
        parts=now.mask,
        raw=now.raw,
        firm=judged.firm,
        faint=dim,
        still=judged.still,
        places=judged.places,
        steady=now.steady,
        share=now.share,
        calm=calm,
        unlike=now.unlike,
        relit=at if now.relit else state.relit,
        asked_s=now.asked_s,
        past=_past(now, at),
        seen=state.seen,
        ignore=state.ignore,
    )
    regions, stays = _boxes(judged, whole, dim, now, settings)
    return new, _motion(new, now, regions, stays, settings)


def _judge(state: MotionState, now: _Now, settings: MotionSettings, followed: Sequence[Box]) -> _Judged:
    """What the large parts are, and the scene with what is to be learned of this frame."""
    large = things(now.mask, now.outlines, settings.min_area, settings.max_regions) if now.settled else []
    learns = model_update.due(now.known, now.at)
    looks = now.settled and standing.due(state.still, now.at, large)
    known, still, places = now.known, state.still, state.places
    firm, moves, goes = np.zeros(now.plane.shape, np.uint8), list[Thing](), list[Thing]()
    if large or learns or looks:  # else nobody asks what changes, and most frames of a quiet street end here
        moved, strange = _changes(now)
        lasts = _lasting(state, now, large, settings) if places.flitting is not None else large
        if large:
            evidence = _evidence(state, now, moved, strange)
            moves, firm = moving(large, evidence)
            goes = moves if lasts is large else _going(moves, large, lasts, evidence)
        if looks:
            sight = StillLook(now.plane, now.known.model.view, moved, strange, large, settings.min_area)
            still = standing.look(still, sight, now.at)
        if learns:
            lesson = Lesson(
                plane=now.plane, at=now.at, raw=now.raw, raw_before=state.raw, moved=moved, strange=strange
            )
            known = model_update.learn(known, lesson, settings)
        if learns and now.settled:
            places = restless.look(places, _restless_look(now, moved, strange, lasts, followed), now.at.mono_s)
    return _Judged(large=large, moves=moves, goes=goes, firm=firm, known=known, still=still, places=places)


def _whole(now: _Now, judged: _Judged, seen: Plane | None) -> dict[int, Thing]:
    """Of the large parts that may be told, by their identity: the same as large as they are."""
    large, places = judged.large, judged.places
    tellable = restless.tellable(places, large, now.mask.size) if places.swaying is not None else large
    beside = Differing(now.far, now.known.limit, now.known.model.noise, seen)
    return {id(part): grown(part, beside) for part in tellable}


def _motion(
    new: MotionState, now: _Now, regions: tuple[Box, ...], stays: tuple[Box, ...], settings: MotionSettings
) -> Motion:
    """What is said of a frame after which the scene is `new`."""
    fresh = now.settled and new.relit is not None and now.at.since(new.relit) < _RELIT_S
    return Motion(
        regions,
        now.share if now.settled else 0.0,
        settling=not now.settled,
        standing=standing.regions(new.still, now.plane.shape),
        restless=stays,
        relit=fresh,
        changing=_changing(now, new.seen, new.relit, settings) if fresh or not now.settled else (),
        shift=steady.shift(now.steady, now.plane.shape),
    )


def _boxes(
    judged: _Judged, whole: Mapping[int, Thing], dim: Faint, now: _Now, settings: MotionSettings
) -> tuple[tuple[Box, ...], tuple[Box, ...]]:
    """What moves and may be told, and what else moves where the picture never rests, as the frame shows it.

    `whole` has parts, by their identity, as large as they are told.
    """
    places, shape, most = judged.places, now.plane.shape, settings.max_regions
    every = _merged(boxes((whole.get(id(part), part) for part in judged.moves), shape, most), dim.regions, most)
    if places.swaying is None and places.flitting is None:
        return steady.in_frame(now.steady, every, shape), ()
    going = restless.tellable(places, judged.goes, now.plane.size)
    tellable = boxes((whole.get(id(part), part) for part in going), shape, most)
    tellable = _merged(
        tellable, tuple(box for box in dim.regions if restless.calm(places, box, box in dim.left)), most
    )
    stays = tuple(box for box in every if box not in tellable)
    return steady.in_frame(now.steady, tellable, shape), steady.in_frame(now.steady, stays, shape)


def _merged(some: tuple[Box, ...], more: tuple[Box, ...], most: int) -> tuple[Box, ...]:
    return merged((*some, *more), most) if more else some


def _unlike(state: MotionState, plane: Plane, at: Instant, settings: MotionSettings) -> bool:
    passed_s = at.since(state.at)
    other = state.mask.shape != plane.shape or state.ignore != settings.ignore
    return other or passed_s < 0 or passed_s > _GAP_S


def _fresh(plane: Plane, at: Instant, settings: MotionSettings) -> MotionState:
    nothing = np.zeros(plane.shape, np.uint8)
    return MotionState(
        known=model_update.begin(plane, at, settings),
        at=at,
        mask=nothing,
        parts=nothing,
        raw=nothing,
        firm=nothing,
        faint=Faint((), (), at.mono_s),
        still=StillPlaces(at),
        places=restless.begin(plane.shape, at.mono_s),
        steady=Steady(),
        share=0.0,
        calm=at,
        unlike=0.0,
        relit=None,
        asked_s=at.mono_s,
        past=((at.mono_s, plane, nothing),),
        seen=_seen(plane.shape, settings.ignore),
        ignore=settings.ignore,
    )


def _switched_to(state: MotionState, plane: Plane, at: Instant, settings: MotionSettings) -> MotionState:
    """A new scene in which what stood still stands: its place is known under any light."""
    return replace(_fresh(plane, at, settings), still=state.still)


def _seen(shape: tuple[int, ...], ignore: tuple[Polygon, ...]) -> Plane | None:
    if not ignore:
        return None
    seen = np.full(shape, 255, np.uint8)
    scale = np.array([shape[1], shape[0]])
    cv2.fillPoly(seen, [np.round(np.array(p) * scale).astype(np.int32) for p in ignore], 0)
    return seen


def _compare(state: MotionState, plane: Plane, at: Instant, settings: MotionSettings) -> _Now:
    """The frame beside the scene, after an exposure step was taken into the scene."""
    known, past = state.known, state.past
    where, plane = steady.steadied(state.steady, plane, known.model.view, at.mono_s)
    far = background.distance(known.model, plane)
    unlike = cv2.countNonZero(cv2.threshold(far, _FAR - 1, 255, cv2.THRESH_BINARY)[1]) / far.size
    stepped = unlike >= state.unlike + _STEP_SHARE or at.mono_s - state.asked_s >= _STEP_S
    asks = unlike >= _STEP_SHARE and stepped
    curve = illumination.tone_curve(known.model.view, plane) if asks else None
    relit = curve is not None and illumination.strength(known.model.view, curve) >= _RELIT
    if curve is not None:
        known = model_update.toned(known, curve, plane, far)
        past = tuple((mono_s, np.asarray(cv2.LUT(p, curve), np.uint8), raw) for mono_s, p, raw in past)
        far = background.distance(known.model, plane)
    raw = np.asarray(cv2.compare(far, known.limit, cv2.CMP_GT), np.uint8)
    view_px = raw.size
    if state.seen is not None:
        raw = np.asarray(cv2.bitwise_and(raw, state.seen), np.uint8)
        view_px = max(1, cv2.countNonZero(state.seen))
    mask, outlines = clean(raw)
    return _Now(
        plane=plane,
        at=at,
        known=known,
        steady=where,
        past=past,
        unlike=unlike,
        asked_s=at.mono_s if asks else state.asked_s,
        far=far,
        raw=raw,
        mask=mask,
        outlines=outlines,
        share=cv2.countNonZero(mask) / view_px,
        relit=relit,
    )


def _changes(now: _Now) -> tuple[Plane, Plane]:
    """What changed within the last second, and what no neighbour's value in the scene explains: 255 or 0."""
    limit = now.known.limit
    moved = np.asarray(cv2.compare(cv2.absdiff(now.plane, now.past[0][1]), limit, cv2.CMP_GT), np.uint8)
    differs = cv2.countNonZero(now.raw)
    return moved, background.beyond(now.known.model, now.plane, limit) if differs else now.raw


def _changing(
    now: _Now, seen: Plane | None, since: Instant | None, settings: MotionSettings
) -> tuple[Box, ...]:
    """What changes from frame to frame since the light changed, as the frame shows it."""
    limit = now.known.limit
    if seen is not None:
        limit = np.asarray(cv2.bitwise_or(limit, cv2.bitwise_not(seen)), np.uint8)
    earlier = [plane for at_s, plane, _ in now.past if since is None or at_s >= since.mono_s]
    found = changing(now.plane, earlier, limit, settings.min_area, settings.max_regions)
    return steady.in_frame(now.steady, found, now.plane.shape)


def _restless_look(
    now: _Now, moved: Plane, strange: Plane, parts: Sequence[Thing], followed: Sequence[Box]
) -> RestlessLook:
    _, plane, then = now.past[0]
    tremble = None
    if steady.shaky(now.steady, now.at.mono_s):
        strange_then = background.beyond(now.known.model, plane, now.known.limit)
        tremble = np.asarray(cv2.bitwise_not(cv2.bitwise_or(strange, strange_then)), np.uint8)
    return RestlessLook(
        raw=now.raw, then=then, moved=moved, strange=strange, tremble=tremble, parts=parts, followed=followed
    )


def _looked(state: MotionState, now: _Now, settings: MotionSettings) -> Faint:
    """Faint things after this frame; those of the last look, when it was only just."""
    at_s = now.at.mono_s
    if now.known.settled is None or at_s - state.faint.looked_s < faint.LOOK_S:
        return state.faint
    sight = Sight(
        plane=now.plane,
        scene=now.known.model,
        earlier=now.past[0][1],
        far=now.far,
        limit=now.known.limit,
        counts=state.seen,
    )
    return faint.look(state.faint, sight, at_s, settings.min_area)


def _lasting(state: MotionState, now: _Now, large: list[Thing], settings: MotionSettings) -> list[Thing]:
    """The large parts without what flits before them."""
    looks = ((state.at.mono_s, state.raw), *((then_s, raw) for then_s, _, raw in reversed(now.past)))
    return lasting.parts(now.raw, large, looks, now.at.mono_s, settings.min_area, settings.max_regions)


def _going(moves: list[Thing], large: list[Thing], lasts: list[Thing], seen: Evidence) -> list[Thing]:
    """Those of what lasts that move and are things, largest first; most are whole and were judged already."""
    whole, judged = {id(each) for each in large}, {id(each) for each in lasts}
    fresh = [each for each in lasts if id(each) not in whole]
    going = [each for each in moves if id(each) in judged]
    return sorted((*going, *(moving(fresh, seen)[0] if fresh else ())), key=lambda each: -each.area_px)


def _evidence(state: MotionState, now: _Now, moved: Plane, strange: Plane) -> Evidence:
    """With what the frame before showed, and showed for the second time, as far as that is recent enough."""
    passed_s = now.at.since(state.at)
    before = state.parts if passed_s <= _TWICE_S else None
    firm = state.firm if passed_s <= _TWICE_S / 2 else None
    return Evidence(
        plane=now.plane,
        usual=now.known.model.view,
        look=now.known.look,
        mask=now.mask,
        moved=moved,
        strange=strange,
        before=before,
        firm=firm,
    )


def _switched(state: MotionState, share: float, wild_s: float, settings: MotionSettings) -> bool:
    """A light switch: most of the view is another at once, or for longer than a bus takes to pass.

    Frigate relearns above 80 % of the view and Motion after `lightswitch_percent`; the jump tells a lamp
    from a lorry that fills the picture bit by bit.
    """
    sudden = share - state.share >= _SUDDEN
    return share >= settings.switch_share and (sudden or wild_s >= _LONG_S)


def _past(now: _Now, at: Instant) -> Past:
    past = now.past
    if at.mono_s - past[-1][0] >= _PAST_STEP_S:
        past = (*past, (at.mono_s, now.plane, now.raw))
    while len(past) > 1 and at.mono_s - past[1][0] >= _PAST_S:
        past = past[1:]
    return past
