"""Region proposal, its geometry: how large a crop must be, how few cover all, the tiles of a full scan."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from agent.core.motion.regions import around
from agent.core.types import WHOLE, Box, Crop, Reason, Size

_MARGIN = 0.04
"""Context on each side of what a crop holds, as a fraction of the crop: boxes at the very border are cut."""
_SLACK = 1.25
"""Objects may share a crop when that shrinks them at most so many times more than a crop of their own, or
leaves them large enough."""


_GROWN = 0.25
"""By which share of its width and height a box is grown on each side: shadows, and an old prediction."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A box to look at, and the crop that would show it best."""

    box: Box
    size: Size
    largest_px: float
    """Width of the largest crop that still shows it large enough."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class _Group:
    """Wishes that share a crop."""

    box: Box
    size: Size
    """The largest of the wishes' own crops."""
    largest_px: float
    """The least of the widths that the wishes allow."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class Closeness:
    """How large objects shall be in what the detector sees."""

    object_share: float
    """Of the crop's width and height, at most."""
    small_px: int
    """Smaller objects are enlarged towards this."""
    enlarge: float
    """At most so many times."""
    enough_px: int
    """Larger than this in the field, they may share a crop with others."""


def sized(box: Box, frame: Size, field: Size, closeness: Closeness) -> tuple[Size, float]:
    """The crop for one object, in frame pixels, of the field's shape: small for small ones, large for large.

    And the width of the largest crop that it may share.
    """
    wide_px, high_px = box.width * frame.width_px, box.height * frame.height_px
    scale = max(
        1 / closeness.enlarge,
        min(1.0, max(wide_px, high_px) / closeness.small_px),
        wide_px / (closeness.object_share * field.width_px),
        high_px / (closeness.object_share * field.height_px),
    )
    size = Size(round(field.width_px * scale), round(field.height_px * scale))
    enough = field.width_px * max(wide_px, high_px) / closeness.enough_px
    return size, max(_SLACK * size.width_px, enough)


def cover(wishes: list[Wish], frame: Size, most: int) -> tuple[Crop, ...]:
    """At most `most` crops that hold every wish, large ones first.

    Greedy: the largest wish first, each into the group whose crop it enlarges least, as long as nobody in it
    gets much smaller; then, over budget, the two groups that are cheapest to join are joined.
    """
    groups: list[_Group] = []
    for wish in sorted(wishes, key=lambda w: (-w.size.width_px, -w.box.area, w.box.left, w.box.top)):
        new = _Group(_inside(wish.box), wish.size, wish.largest_px, wish.reason)
        fitting = [
            (_placed_area(joined, frame) - _placed_area(group, frame), place, joined)
            for place, group in enumerate(groups)
            if (joined := _join(group, new)) and _fits(joined, (group, new), frame)
        ]
        if fitting:
            _, place, joined = min(fitting, key=lambda entry: entry[:2])
            groups[place] = joined
        else:
            groups.append(new)
    while len(groups) > most:
        groups = _one_fewer(groups, frame)
    placed = [Crop(_place(group, frame), group.reason) for group in groups]
    return _needed(placed, wishes, frame)


def _join(one: _Group, other: _Group) -> _Group:
    size = max(one.size, other.size, key=lambda s: s.width_px)
    reason = Reason.MOTION if Reason.MOTION in (one.reason, other.reason) else one.reason
    return _Group(around(one.box, other.box), size, min(one.largest_px, other.largest_px), reason)


def _fits(joined: _Group, parts: tuple[_Group, _Group], frame: Size) -> bool:
    """Neither part is shrunk too much in the common crop, or much more than in a crop of its own."""
    own = min(_crop_size(part, frame).width_px for part in parts)
    return _crop_size(joined, frame).width_px <= own * _SLACK or _wide_px(joined, frame) <= joined.largest_px


def _wide_px(group: _Group, frame: Size) -> float:
    """Width of the group's crop, or what its height would be as a width: the longer one decides the scale."""
    placed = _place(group, frame)
    shape = group.size.width_px / group.size.height_px
    return max(placed.width * frame.width_px, placed.height * frame.height_px * shape)


def _crop_size(group: _Group, frame: Size) -> Size:
    """Of the wished size or larger, in its shape; may exceed the frame."""
    room = 1 - 2 * _MARGIN
    scale = max(
        1.0,
        group.box.width * frame.width_px / (room * group.size.width_px),
        group.box.height * frame.height_px / (room * group.size.height_px),
    )
    return Size(ceil(group.size.width_px * scale), ceil(group.size.height_px * scale))


def _place(group: _Group, frame: Size) -> Box:
    """The crop around the group's middle, moved into the frame; narrower or lower where the frame ends."""
    size = _crop_size(group, frame)
    wide = min(1.0, size.width_px / frame.width_px)
    high = min(1.0, size.height_px / frame.height_px)
    x, y = group.box.center
    left = min(max(0.0, x - wide / 2), 1 - wide)
    top = min(max(0.0, y - high / 2), 1 - high)
    return Box(left, top, min(1.0, left + wide), min(1.0, top + high))


def _placed_area(group: _Group, frame: Size) -> float:
    return _place(group, frame).area


def _one_fewer(groups: list[_Group], frame: Size) -> list[_Group]:
    pairs = [(i, j) for i in range(len(groups)) for j in range(i)]
    areas = [_placed_area(group, frame) for group in groups]

    def cost(pair: tuple[int, int]) -> float:
        joined = _join(groups[pair[0]], groups[pair[1]])
        return _placed_area(joined, frame) - areas[pair[0]] - areas[pair[1]]

    i, j = min(pairs, key=cost)
    return [_join(groups[i], groups[j]), *(g for place, g in enumerate(groups) if place not in (i, j))]


def _needed(crops: list[Crop], wishes: list[Wish], frame: Size) -> tuple[Crop, ...]:
    """Without crops whose wishes are all met by the other ones; the smallest is tried first."""
    kept = sorted(crops, key=lambda crop: -crop.box.area)
    for crop in reversed(kept.copy()):
        others = [other.box for other in kept if other is not crop]
        mine = [wish for wish in wishes if holds(crop.box, _inside(wish.box))]
        if all(any(_meets(other, wish, crop.box, frame) for other in others) for wish in mine):
            kept.remove(crop)
    return tuple(kept)


def _meets(other: Box, wish: Wish, crop: Box, frame: Size) -> bool:
    """The other crop holds the wish, and shows it not much smaller than it should be, or than this one does."""
    enough = max(_SLACK * crop.width, wish.largest_px / frame.width_px)
    return holds(other, _inside(wish.box)) and other.width <= enough


def holds(crop: Box, box: Box) -> bool:
    """The box lies inside the crop, up to rounding."""
    tiny = 1e-9
    return (
        crop.left <= box.left + tiny
        and crop.top <= box.top + tiny
        and crop.right >= box.right - tiny
        and crop.bottom >= box.bottom - tiny
    )


def _inside(box: Box) -> Box:
    """The part of the box that lies in the frame."""
    left, top = min(max(0.0, box.left), 1.0), min(max(0.0, box.top), 1.0)
    return Box(left, top, max(left, min(1.0, box.right)), max(top, min(1.0, box.bottom)))


def grown(box: Box, share: float = _GROWN) -> Box:
    """The box, wider and higher by a share of itself on each side."""
    wide, high = share * box.width, share * box.height
    return Box(box.left - wide, box.top - high, box.right + wide, box.bottom + high)


def tiles(frame: Size, field: Size, shrink: float, whole_within: float) -> tuple[Box, ...]:
    """The turns of a full scan: the whole frame, then, where it is too large for that, overlapping tiles of it.

    A tile is shrunk at most `shrink` times; neighbours share an eighth, so that what one cuts the other holds.
    """
    across = frame.width_px / field.width_px
    down = frame.height_px / field.height_px
    if max(across, down) <= max(shrink, whole_within):
        return (WHOLE,)
    columns, rows = _spans(across / shrink), _spans(down / shrink)
    return (WHOLE, *(Box(left, top, right, bottom) for top, bottom in rows for left, right in columns))


def _spans(times: float) -> list[tuple[float, float]]:
    if times <= 1:
        return [(0.0, 1.0)]
    length = 1 / times
    count = ceil((1 - length) / (length * 7 / 8)) + 1
    step = (1 - length) / (count - 1)
    return [(i * step, min(1.0, i * step + length)) for i in range(count)]
