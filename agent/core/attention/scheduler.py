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
    a new scene, of which motion tells nothing  every `doubt_s`, the frame and close tiles of it in turn
    what stands                                 every `stationary_check_s`
    everything                                  every `full_scan_s`

Whatever the reason for a look, all that moves is looked at: one picture often holds it all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf

from agent.core.attention import negative_map
from agent.core.attention.crops import Closeness, Wish, cover, sized, tiles
from agent.core.attention.merge import gathered
from agent.core.attention.negative_map import NegativeMap
from agent.core.attention.settings import AttentionSettings
from agent.core.plain_sum import plain_sum
from agent.core.types import WHOLE, Box, Crop, Detection, Instant, Motion, Reason, Size, Track

_CLOSE_SCAN = 1.25
"""So many times a tile of a scan is shrunk then: motorbikes are too small in a whole frame."""
_EARLY = 0.85
"""A frame that comes a little before its time is looked at: waiting for the next would halve the rate."""
_YOUNG_S = 0.6
"""A track that is not confirmed is no longer looked for eagerly when it was not seen for so long."""
_NEW_S, _ENTERS_S = 0.4, 2.0
"""So long a track is new: two sights do not tell how it moves. Cut by the frame's border, it takes longer: the
box of what comes into view grows more than it moves."""
_BORDER = 0.01
_AGAIN = 1.2
"""A track that was just missed is looked for sooner, but once: it was seen so many `follow_s` before."""
_STRAY = 1.0
"""A track is looked at again before it has moved so many times its own width or height."""
_EXPLAINED = 0.5
"""Motion is a known track's own when so much of it lies in the boxes of tracks, grown a little."""
_GROWN = 0.25
"""By which share of its width and height a box is grown on each side: shadows, and an old prediction."""
_CLOSE, _SHIFT = 0.1, 0.1
"""Boxes that touch when grown so much are near each other; they pass each other if one shifts beside the other
by such a share of its size between two looks."""


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
    if state.looked and given.at.since(state.looked) < settings.min_interval_s * _EARLY:
        return state, ()
    settling = given.motion.settling
    shrink = _CLOSE_SCAN if settling else settings.full_scan_shrink
    parts = tiles(given.frame, given.field, shrink, settings.whole_within)
    # The first round is quick, for then nothing is known yet; afterwards one part at a time will do.
    wait_s = settings.full_scan_s / len(parts) if state.turn < len(parts) else settings.full_scan_s
    if settling:  # motion cannot tell yet: whoever comes into view is found by looking everywhere
        wait_s = settings.doubt_s * _EARLY
    scan_due = state.scanned is None or given.at.since(state.scanned) >= wait_s
    if not scan_due and patience_s(state, given, settings) > 0:
        crops: tuple[Crop, ...] = ()
    else:
        part = parts[state.turn % len(parts)] if scan_due else None
        crops = _crops(_wishes(state, given, settings), part, given, settings)
    if not crops:
        return replace(state, checked=_present(state, given)), ()
    return _looked(state, given, crops, scan_due), crops


def patience_s(state: AttentionState, given: AttentionInput, settings: AttentionSettings) -> float:
    """How long the next look can wait, in seconds; 0: something is new, in doubt or due; inf: all is quiet.

    Where the detector does not look at all there is nothing to wait for.

    Full scans are not asked about. `given` may be of the frame that `state` is of, with the tracks after it.
    """
    if not settings.enabled:
        return inf
    now_s = given.at.mono_s
    living = [track for track in given.tracks if not track.ended and not _outside(track.box)]
    checked, crowded = dict(state.checked), _crowded(living, settings.follow_s)
    waits: list[float] = []
    for track in living:
        looked_s = checked.get(track.id, -inf)
        waits.append(looked_s + _wait_s(track, looked_s, track.id in crowded, given.at, settings) - now_s)
    for region in _unexplained(given.motion.everywhere, living):
        negative_s = negative_map.wait_s(
            state.negative_map, region, now_s, settings.doubt_s, settings.negative_s
        )
        since_s = given.at.since(state.looked) if state.looked else inf
        waits.append(max(negative_s, settings.doubt_s * _EARLY - since_s))
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


def _wait_s(track: Track, looked_s: float, crowded: bool, at: Instant, settings: AttentionSettings) -> float:
    """From one look at this track to the next, a little less, for frames do not come when they are wanted."""
    if track.stationary:
        return settings.stationary_check_s
    age_s = at.since(track.started)
    young = not track.confirmed and at.since(track.last_seen) <= _YOUNG_S
    if young or age_s < _NEW_S:
        return settings.min_interval_s * _EARLY
    missed = 0 < looked_s - track.last_seen.mono_s <= _AGAIN * settings.follow_s
    enters = age_s < _ENTERS_S and _cut(track.box)
    wait_s = settings.doubt_s if missed or crowded or enters else settings.follow_s
    return max(settings.min_interval_s, min(wait_s, _STRAY * _stay_s(track))) * _EARLY


def _crowded(living: Sequence[Track], follow_s: float) -> set[str]:
    """Tracks that will soon be so near to another one, and elsewhere beside it, that they could be confused."""
    moving = [(track, _grown(track.box, _CLOSE)) for track in living if not track.stationary]
    near = [
        (one.id, other.id)
        for n, (one, box) in enumerate(moving)
        for other, its in moving[:n]
        if _common(box, its) > 0 and _pass(one, other, follow_s)
    ]
    return {name for pair in near for name in pair}


def _pass(one: Track, other: Track, seconds: float) -> bool:
    """Whether they change places, or begin to, in so many seconds. Who walk side by side do not."""
    wide, high = one.box.width + other.box.width, one.box.height + other.box.height
    across, down = (abs(a - b) * seconds for a, b in zip(one.velocity, other.velocity, strict=True))
    return across >= _SHIFT * wide / 2 or down >= _SHIFT * high / 2


def _stay_s(track: Track) -> float:
    """How long until the track has moved by its own size."""
    sides = zip((track.box.width, track.box.height), track.velocity, strict=True)
    return min((side / abs(speed) for side, speed in sides if speed), default=inf)


def _unexplained(regions: Sequence[Box], living: Sequence[Track]) -> list[Box]:
    """Motion that is not that of a track which is followed. What stands explains none: it may be leaving."""
    known = [_grown(track.box) for track in living if not track.stationary]
    return [
        region
        for region in regions
        if plain_sum(_common(region, box) for box in known) < _EXPLAINED * max(region.area, 1e-9)
    ]


def _grown(box: Box, share: float = _GROWN) -> Box:
    wide, high = share * box.width, share * box.height
    return Box(box.left - wide, box.top - high, box.right + wide, box.bottom + high)


def _common(one: Box, other: Box) -> float:
    wide = min(one.right, other.right) - max(one.left, other.left)
    high = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, wide) * max(0.0, high)


def _wishes(state: AttentionState, given: AttentionInput, settings: AttentionSettings) -> list[Wish]:
    """What should be seen, each with the crop size that shows it best; nothing twice.

    A part of a followed track that moves, such as a leg, must be in some crop, but no nearer than its track:
    that one has a wish of its own.
    """
    checked = dict(state.checked)
    living = [track for track in given.tracks if not track.ended and not _outside(track.box)]
    fresh = set(_unexplained(given.motion.everywhere, living))
    boxes = [(region, Reason.MOTION, region not in fresh) for region in given.motion.everywhere]
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


def _cut(box: Box) -> bool:
    return min(box.left, box.top, 1 - box.right, 1 - box.bottom) < _BORDER


def _outside(box: Box) -> bool:
    return box.right <= 0 or box.bottom <= 0 or box.left >= 1 or box.top >= 1


def _with_scan(crops: tuple[Crop, ...], part: Box, most: int) -> tuple[Crop, ...]:
    """The full scan's part as one more crop; where only one is allowed, the whole frame serves both."""
    if any(crop.box == WHOLE for crop in crops):
        return crops
    return (*crops, Crop(part, Reason.FULL_SCAN)) if len(crops) < most else (Crop(WHOLE, Reason.FULL_SCAN),)


def _looked(
    state: AttentionState, given: AttentionInput, crops: tuple[Crop, ...], scan_due: bool
) -> AttentionState:
    scanned = scan_due and any(crop.reason is Reason.FULL_SCAN or crop.box == WHOLE for crop in crops)
    checked = dict(_present(state, given))
    for track in given.tracks:
        if any(_holds(crop.box, track.box) for crop in crops):
            checked[track.id] = given.at.mono_s
    living = [track for track in given.tracks if not track.ended]
    vain = _unexplained(given.motion.everywhere, living)
    boxes = [track.box for track in living]
    return AttentionState(
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
