"""Where the detector must look: the fewest crops that cover motion and tracks, at the scale it sees best.

A detector sees an object best at a certain size in its own input. Squeezing the whole frame into the input
makes distant road users a few pixels large; a crop of the input's own size shows them as they are (the idea of
Frigate's regions, and of slicing aided inference: Akyon et al., ICIP 2022, without its cost). When nothing
moves and no track is in doubt, the detector rests, but for slow sweeps of the frame
and rare checks of what stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import Field

from agent.core.crops import Closeness, Wish, cover, sized, tiles
from agent.core.gather import gathered
from agent.core.types import WHOLE, Box, Crop, Detection, Instant, Motion, Reason, Size, Track
from agent.settings import Settings

_BLIND_S = 1.0
"""How often the whole frame is looked at while motion learns a new scene and cannot tell."""
_EARLY = 0.85
"""A frame that comes a little before its time is looked at: waiting for the next would halve the rate."""


class AttentionSettings(Settings):
    """How often and how closely the detector looks."""

    min_interval_s: float = Field(
        0.1, ge=0, le=10, description="Least time between two looks of the detector, in seconds."
    )
    max_crops: int = Field(
        4, ge=1, le=32, description="Most crops in one look; fewer make them coarser, never leave a blind spot."
    )
    object_share: float = Field(
        0.6, ge=0.1, le=1, description="An object fills at most this fraction of its crop's width and height."
    )
    small_px: int = Field(
        64, ge=8, le=512, description="Objects smaller than this in the frame are enlarged, in pixels."
    )
    enlarge: float = Field(2.0, ge=1, le=4, description="How many times small objects are enlarged at most.")
    whole_within: float = Field(
        1.3,
        ge=1,
        le=4,
        description="A frame at most so many times the detector's input is looked at as a whole.",
    )
    sweep_s: float = Field(
        10.0,
        ge=0.5,
        le=3600,
        description="Time between two sweeps over the frame, for what stands, in seconds.",
    )
    sweep_shrink: float = Field(
        2.0,
        ge=1,
        le=10,
        description="A sweep shrinks at most so many times; larger frames are swept tile by tile.",
    )
    stationary_check_s: float = Field(
        5.0, ge=0.5, le=3600, description="Time between two looks at a track that stands, in seconds."
    )
    same_iou: float = Field(
        0.5, ge=0.1, le=1, description="Detections of one label that overlap so much (IoU) are one object."
    )
    inside: float = Field(
        0.7, ge=0.3, le=1, description="A detection cut by its crop goes if so much of it lies in another one."
    )


@dataclass(frozen=True, slots=True)
class Glance:
    """What is known of one frame before the detector looks."""

    at: Instant
    frame: Size
    field: Size
    """The detector's input: what a crop of this size shows is neither enlarged nor shrunk."""
    motion: Motion
    tracks: tuple[Track, ...]


@dataclass(frozen=True, slots=True)
class AttentionState:
    """What was looked at, and when."""

    looked: Instant | None
    """The last look of any kind."""
    swept: Instant | None
    """The last turn of the sweep."""
    turn: int
    """How many parts of the sweep were seen; the first is the whole frame."""
    checked: tuple[tuple[str, float], ...]
    """Stationary tracks by id, with the mono_s at which each was last inside a crop."""


def update(
    state: AttentionState | None, scene: Glance, settings: AttentionSettings
) -> tuple[AttentionState, tuple[Crop, ...]]:
    """Choose the crops for one frame; none means that the detector rests.

    At least one crop covers every motion region and every moving track of a frame that is looked at, whatever
    the budget: too many wishes make the crops larger and the objects in them smaller.
    """
    state = state or AttentionState(None, None, 0, ())
    if state.looked and scene.at.since(state.looked) < settings.min_interval_s * _EARLY:
        return state, ()
    parts = tiles(scene.frame, scene.field, settings.sweep_shrink, settings.whole_within)
    # The first round is quick, for then nothing is known yet; afterwards one part at a time will do.
    wait_s = settings.sweep_s / len(parts) if state.turn < len(parts) else settings.sweep_s
    sweep_due = state.swept is None or scene.at.since(state.swept) >= wait_s
    wishes = _wishes(state, scene, settings)
    if scene.motion.settling:
        blind = state.looked is None or scene.at.since(state.looked) >= _BLIND_S
        crops: tuple[Crop, ...] = (Crop(WHOLE, Reason.SWEEP),) if wishes or blind else ()
    elif _small(scene, settings) and (wishes or sweep_due):
        crops = (Crop(WHOLE, wishes[0].reason if wishes else Reason.SWEEP),)
    else:
        crops = cover(wishes, scene.frame, max(1, settings.max_crops - sweep_due))
        if sweep_due:
            crops = _with_sweep(crops, parts[state.turn % len(parts)], settings.max_crops)
    if not crops:
        return replace(state, checked=_standing(state, scene)), ()
    return _looked(state, scene, crops, sweep_due), crops


def gather(
    crops: Sequence[Crop], found: Sequence[Sequence[Detection]], settings: AttentionSettings
) -> tuple[Detection, ...]:
    """The detections of all crops as those of one frame: in its fractions, each object once, best score first.

    `found` holds one sequence per crop, boxes in fractions of that crop. Of two detections of one object the
    whole one stays rather than the one cut by its crop's border, then the better score.
    """
    return gathered(crops, found, settings.same_iou, settings.inside)


def _small(scene: Glance, settings: AttentionSettings) -> bool:
    times = settings.whole_within
    return (
        scene.frame.width_px <= scene.field.width_px * times
        and scene.frame.height_px <= scene.field.height_px * times
    )


def _wishes(state: AttentionState, scene: Glance, settings: AttentionSettings) -> list[Wish]:
    """What should be seen, each with the crop size that shows it best; nothing twice."""
    checked = dict(state.checked)
    boxes = [(region, Reason.MOTION) for region in scene.motion.regions]
    for track in scene.tracks:
        if track.ended or _outside(track.box):
            continue
        since_s = scene.at.mono_s - checked.get(track.id, float("-inf"))
        if not track.stationary or since_s >= settings.stationary_check_s:
            boxes.append((track.box, Reason.TRACK))
    closest = Closeness(settings.object_share, settings.small_px, settings.enlarge)
    return [Wish(box, sized(box, scene.frame, scene.field, closest), reason) for box, reason in boxes]


def _outside(box: Box) -> bool:
    return box.right <= 0 or box.bottom <= 0 or box.left >= 1 or box.top >= 1


def _with_sweep(crops: tuple[Crop, ...], part: Box, most: int) -> tuple[Crop, ...]:
    """The sweep's part as one more crop; where only one is allowed, the whole frame serves both."""
    if any(crop.box == WHOLE for crop in crops):
        return crops
    return (*crops, Crop(part, Reason.SWEEP)) if len(crops) < most else (Crop(WHOLE, Reason.SWEEP),)


def _looked(state: AttentionState, scene: Glance, crops: tuple[Crop, ...], sweep_due: bool) -> AttentionState:
    swept = sweep_due and any(crop.reason is Reason.SWEEP or crop.box == WHOLE for crop in crops)
    checked = dict(_standing(state, scene))
    for track in scene.tracks:
        if track.stationary and any(_holds(crop.box, track.box) for crop in crops):
            checked[track.id] = scene.at.mono_s
    return AttentionState(
        looked=scene.at,
        swept=scene.at if swept else state.swept,
        turn=state.turn + swept,
        checked=tuple(checked.items()),
    )


def _standing(state: AttentionState, scene: Glance) -> tuple[tuple[str, float], ...]:
    """Only tracks that still are: the state must not grow for ever."""
    present = {track.id for track in scene.tracks if track.stationary and not track.ended}
    return tuple(pair for pair in state.checked if pair[0] in present)


def _holds(crop: Box, box: Box) -> bool:
    x, y = box.center
    return crop.left <= x <= crop.right and crop.top <= y <= crop.bottom
