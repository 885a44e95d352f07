"""Region proposal: the fewest crops that cover motion and tracks, at the scale the detector sees best.

A detector sees an object best at a certain size in its own input. Squeezing the whole frame into the input
makes distant road users a few pixels large; a crop of the input's own size shows them as they are (the idea of
Frigate's regions, and of slicing aided inference: Akyon et al., ICIP 2022, without its cost). When nothing
moves and no track is in doubt, the detector rests, but for slow full scans of the
frame and rare checks of what stands.

How soon it looks again depends on what could be learned by it:

    a track that is new                         every `min_interval_s`
    new motion, a track that comes into view or
    was just missed, tracks easily confused     every `doubt_s`; at once if the last look was longer ago
    a track that goes where it should           every `follow_s`; sooner if it would leave its own box
    motion in which nothing is found            ever less often, every `negative_s` in the end
    a new scene, of which motion tells little   every `min_interval_s` until somebody is followed, for
                                                `new_scene_s` at most, then every `doubt_s`, the frame and close
                                                tiles of it in turn
    what stands                                 every `stationary_check_s`
    everything                                  every `full_scan_s`

Whatever the reason for a look, all that moves is looked at: one picture often holds it all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf

import numpy as np

from agent.core.attention import cadence, negative_map
from agent.core.attention.crops import Closeness, Wish, cover, grown, sized, tiles
from agent.core.attention.merge import gathered
from agent.core.attention.negative_map import NegativeMap
from agent.core.attention.settings import AttentionSettings
from agent.core.geometry import as_array, intersection
from agent.core.types import WHOLE, Box, Crop, Detection, Instant, Motion, Reason, Size, Track

_CLOSE_SCAN = 1.25
"""So many times a tile of a scan is shrunk then: motorbikes are too small in a whole frame."""
_EXPLAINED = 0.5
"""Motion is a known track's own when so much of it lies in the boxes of tracks, grown a little."""


@dataclass(frozen=True, slots=True)
class AttentionInput:
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
    scanned: Instant | None
    """The last turn of the full scan."""
    turn: int
    """How many parts of the full scan were seen; the first is the whole frame."""
    checked: tuple[tuple[str, float], ...]
    """Tracks by id, with the mono_s at which each was last inside a crop."""
    negative_map: NegativeMap = field(default_factory=dict)
    """Where something moves in which nothing is found."""
    new_scene: Instant | None = None
    """When a view was first seen of which nothing is known, or whose light is another; None: it is known."""
    due_s: float = -inf
    """While the scene is new, the mono_s from which the next look may be, counted on from one to the next: the
    frames of a camera of 25 a second are 0.08 and 0.12 s apart, and every second one would come too soon."""


def update(
    state: AttentionState | None, given: AttentionInput, settings: AttentionSettings
) -> tuple[AttentionState, tuple[Crop, ...]]:
    """Choose the crops for one frame; none means that the detector rests.

    At least one crop covers every motion region and every moving track of a frame that is looked at, whatever
    the budget: too many wishes make the crops larger and the objects in them smaller.
    """
    state = state or AttentionState(None, None, 0, ())
    if not settings.enabled:
        return state, ()
    state = _scene(state, given, settings)
    at_once = _at_once(state, given, settings)
    if _early(state, given.at, at_once, settings):
        return state, ()
    shrink = _CLOSE_SCAN if state.new_scene else settings.full_scan_shrink
    parts = tiles(given.frame, given.field, shrink, settings.whole_within)
    # The first round is quick, for then nothing is known yet; afterwards one part at a time will do.
    wait_s = settings.full_scan_s / len(parts) if state.turn < len(parts) else settings.full_scan_s
    if state.new_scene:  # motion cannot tell yet: whoever comes into view is found by looking everywhere
        wait_s = settings.doubt_s * cadence.EARLY
    scan_due = state.scanned is None or given.at.since(state.scanned) >= wait_s
    # What is due anyway comes first, at its usual pace; where it leaves a gap in a new scene, the scan goes on.
    due = scan_due or _due_s(state, given, settings) <= 0
    scan_due = scan_due or (at_once and not due)
    crops: tuple[Crop, ...] = ()
    if due or scan_due:
        part = parts[state.turn % len(parts)] if scan_due else None
        crops = _crops(_wishes(state, given, settings), part, given, settings)
    if not crops:
        return replace(state, checked=_present(state, given)), ()
    if at_once:
        state = replace(state, due_s=cadence.next_s(state.due_s, given.at.mono_s, settings.min_interval_s))
    return _looked(state, given, crops, scan_due), crops


def patience_s(state: AttentionState, given: AttentionInput, settings: AttentionSettings) -> float:
    """How long the next look can wait, in seconds; 0: something is new, in doubt or due; inf: all is quiet.

    Where the detector does not look at all there is nothing to wait for.

    Full scans are not asked about, but for those of a new scene. `given` may be of the frame that `state` is
    of, with the tracks after it.
    """
    if not settings.enabled:
        return inf
    wait_s = _due_s(state, given, settings)
    if _at_once(state, given, settings):
        wait_s = min(wait_s, max(0.0, state.due_s - cadence.JITTER_S - given.at.mono_s))
    return wait_s


def _due_s(state: AttentionState, given: AttentionInput, settings: AttentionSettings) -> float:
    """How long tracks and motion can wait for the next look, in seconds, 0 or more."""
    now_s = given.at.mono_s
    living = [track for track in given.tracks if not track.ended and not _outside(track.box)]
    checked, crowded = dict(state.checked), cadence.in_doubt(living, settings.follow_s)
    waits: list[float] = []
    for track in living:
        looked_s = checked.get(track.id, -inf)
        waits.append(
            looked_s + cadence.wait_s(track, looked_s, track.id in crowded, given.at, settings) - now_s
        )
    for region in _unexplained(_moving(state, given, settings), living):
        negative_s = negative_map.wait_s(
            state.negative_map, region, now_s, settings.doubt_s, settings.negative_s
        )
        since_s = given.at.since(state.looked) if state.looked else inf
        waits.append(max(negative_s, settings.doubt_s * cadence.EARLY - since_s))
    return max(0.0, min(waits, default=inf))


def gather(
    crops: Sequence[Crop], found: Sequence[Sequence[Detection]], settings: AttentionSettings
) -> tuple[Detection, ...]:
    """The detections of all crops as those of one frame: in its fractions, each object once, best score first.

    `found` holds one sequence per crop, boxes in fractions of that crop. Of two detections of one object the
    whole one stays rather than the one cut by its crop's border, then the better score.
    """
    return gathered(crops, found, settings.same_iou, settings.inside)


def _crops(
    wishes: list[Wish], part: Box | None, given: AttentionInput, settings: AttentionSettings
) -> tuple[Crop, ...]:
    """The crops for the wishes and for the part of a full scan whose turn it is."""
    if _small(given, settings) and (wishes or part):
        return (Crop(WHOLE, wishes[0].reason if wishes else Reason.FULL_SCAN),)
    crops = cover(wishes, given.frame, max(1, settings.max_crops - (part is not None)))
    return _with_scan(crops, part, settings.max_crops) if part else crops


def _small(given: AttentionInput, settings: AttentionSettings) -> bool:
    times = settings.whole_within
    return (
        given.frame.width_px <= given.field.width_px * times
        and given.frame.height_px <= given.field.height_px * times
    )


def _moving(state: AttentionState, given: AttentionInput, settings: AttentionSettings) -> tuple[Box, ...]:
    """All that moves, largest first; of a scene of which motion knows nothing yet, what changes."""
    if not given.motion.changing or not _at_once(state, given, settings):
        return given.motion.everywhere
    return tuple(sorted((*given.motion.everywhere, *given.motion.changing), key=lambda box: -box.area))


def _unexplained(regions: Sequence[Box], living: Sequence[Track]) -> list[Box]:
    """Motion that is not that of a track which is followed. What stands explains none: it may be leaving."""
    known = [grown(track.box) for track in living if not track.stationary]
    if not (regions and known):
        return list(regions)
    shared = intersection(as_array(regions), as_array(known))
    # Added from the first to the last, alike on every processor: a sum over rows is not.
    of_tracks = np.add.accumulate(shared, axis=1)[:, -1].tolist()
    return [
        region
        for region, explained in zip(regions, of_tracks, strict=True)
        if explained < _EXPLAINED * max(region.area, 1e-9)
    ]


def _wishes(state: AttentionState, given: AttentionInput, settings: AttentionSettings) -> list[Wish]:
    """What should be seen, each with the crop size that shows it best; nothing twice.

    A part of a followed track that moves, such as a leg, must be in some crop, but no nearer than its track:
    that one has a wish of its own.
    """
    checked = dict(state.checked)
    living = [track for track in given.tracks if not track.ended and not _outside(track.box)]
    moving = _moving(state, given, settings)
    fresh = set(_unexplained(moving, living))
    boxes = [(region, Reason.MOTION, region not in fresh) for region in moving]
    for track in living:
        since_s = given.at.mono_s - checked.get(track.id, -inf)
        if not track.stationary or since_s >= settings.stationary_check_s:
            boxes.append((track.box, Reason.TRACK, False))
    closest = Closeness(settings.object_share, settings.small_px, settings.enlarge, settings.enough_px)
    wishes: list[Wish] = []
    for box, reason, part in boxes:
        size, largest_px = sized(box, given.frame, given.field, closest)
        wishes.append(Wish(box, size, inf if part else largest_px, reason))
    return wishes


def _outside(box: Box) -> bool:
    return box.right <= 0 or box.bottom <= 0 or box.left >= 1 or box.top >= 1


def _with_scan(crops: tuple[Crop, ...], part: Box, most: int) -> tuple[Crop, ...]:
    """The full scan's part as one more crop; where only one is allowed, the whole frame serves both."""
    if any(crop.box == WHOLE for crop in crops):
        return crops
    return (*crops, Crop(part, Reason.FULL_SCAN)) if len(crops) < most else (Crop(WHOLE, Reason.FULL_SCAN),)


def _early(state: AttentionState, at: Instant, at_once: bool, settings: AttentionSettings) -> bool:
    """Whether it is too soon for another look, whatever the reason."""
    if at_once:
        return at.mono_s < state.due_s - cadence.JITTER_S
    return state.looked is not None and at.since(state.looked) < settings.min_interval_s * cadence.EARLY


def _scene(state: AttentionState, given: AttentionInput, settings: AttentionSettings) -> AttentionState:
    """The state, with the moment from which on the scene is a new one; that is scanned from the beginning."""
    new = given.motion.settling or given.motion.relit
    if new == (state.new_scene is not None):
        return state
    if not new:
        return replace(state, new_scene=None)
    due_s = state.looked.mono_s + settings.min_interval_s if state.looked else -inf
    return replace(state, new_scene=given.at, turn=0, due_s=due_s)


def _at_once(state: AttentionState, given: AttentionInput, settings: AttentionSettings) -> bool:
    """Whether the scene is so new that the detector looks as often as it may.

    That is over as soon as somebody is followed there: the network sees well enough at its usual pace.
    """
    new = state.new_scene
    if new is None or given.at.since(new) >= settings.new_scene_s:
        return False
    return not any(each.confirmed and each.last_seen.mono_s >= new.mono_s for each in given.tracks)


def _looked(
    state: AttentionState, given: AttentionInput, crops: tuple[Crop, ...], scan_due: bool
) -> AttentionState:
    scanned = scan_due and any(crop.reason is Reason.FULL_SCAN or crop.box == WHOLE for crop in crops)
    checked = dict(_present(state, given))
    for track in given.tracks:
        if any(_holds(crop.box, track.box) for crop in crops):
            checked[track.id] = given.at.mono_s
    living = [track for track in given.tracks if not track.ended]
    # Of a new scene it is not known what rests: a place must not grow dull for what only seems to move.
    vain = [] if state.new_scene else _unexplained(given.motion.everywhere, living)
    boxes = [track.box for track in living]
    return replace(
        state,
        looked=given.at,
        scanned=given.at if scanned else state.scanned,
        turn=state.turn + scanned,
        checked=tuple(checked.items()),
        negative_map=negative_map.looked(state.negative_map, vain, boxes, given.at.mono_s),
    )


def _present(state: AttentionState, given: AttentionInput) -> tuple[tuple[str, float], ...]:
    """Only tracks that still are: the state must not grow for ever."""
    present = {track.id for track in given.tracks if not track.ended}
    return tuple(pair for pair in state.checked if pair[0] in present)


def _holds(crop: Box, box: Box) -> bool:
    x, y = box.center
    return crop.left <= x <= crop.right and crop.top <= y <= crop.bottom
