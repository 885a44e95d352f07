"""Where heads may be of people whom the detector did not find: in all that moves and is not explained. Pure.

The blur of events' pictures knows nobody whom the detector misses (tracking/sensitive.py); here just these are
what is kept. So of everything that moves, that moved a moment ago or that came and stands, and that no sure
detection or track covers, the whole is made of squares. They are as large as three of them are a head, if
somebody stands there as high as from that line down to the region's end: a head farther down belongs to
somebody who is smaller, so the squares shrink downward, and a distant two-wheeler keeps its shape.

A car's box explains what moves only where it is wide as cars are from the side: detectors call riders cars, and
what they are not sure of is what is kept here. So a box called car, bus or truck that is not that wide, and all
of a track whose label wavered, is of squares too, also where nothing moves.

What it cannot do: it knows nobody who stood still before the scene was learned and whom the detector misses,
nobody of whom only the head moves and who is near, and nobody in front of a vehicle that was found. The first
and the last are small in a small picture; where something that high moves unexplained, `too_near` says so and
the frame is not kept at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.core.sampling.label_changes import LabelChanges
from agent.core.sampling.missed_motion import MissedMotion
from agent.core.tracking.sensitive import ABOVE, BORDER, FOUR_WHEELS, TWO_WHEELS
from agent.core.types import Box, Detection, Motion, Sensitive, SensitiveKind, Size, Track

SQUARE = 0.06
"""Side over the height of whoever may stand there: a rider's head is a fifth of the height of both, or less."""
SQUARE_OF_A_PART = 0.125
"""The same where the lower border cuts it: as with the boxes of persons."""
BANDS = 4
EDGE = 0.01
"""Of the view, around each region: a lagging background makes it off by as much."""
SURE = 0.5
"""Score of a detection that explains what moves."""
GROWN = 0.15
"""So much wider and higher than its box a road user moves: shadows, and boxes that waver."""
WIDE = 1.3
"""Width over height, in pixels, from which a box called car is of no two-wheeler with its rider."""
EXPLAINED = 0.9
"""Share of a region that must be covered."""
LEAST_SQUARE = 1 / 120
"""Of the view's height: three pixels of 360, so that a near head that alone moves is no fine picture either."""
NEAR = 0.4
"""Of the view's height: whoever is higher and not found has a head of some 30 pixels of 360."""
CELLS = 16
"""Of a region, each way, when it is seen how much of it is covered."""
WITH_HEADS = frozenset({"person"}) | TWO_WHEELS
"""Labels whose heads are hidden by their boxes."""


@dataclass(frozen=True, slots=True)
class KnownScene:
    """What is known of a frame when it is to be kept."""

    size: Size
    """Of the frame."""
    motion: Motion
    lately: tuple[MissedMotion, ...]
    """What moves or moved a moment ago, and was not found."""
    tracks: tuple[Track, ...]
    found: tuple[Detection, ...]
    labels: tuple[LabelChanges, ...] = ()

    @property
    def moving(self) -> list[Box]:
        """What moves, moved a moment ago, or came and stands."""
        standing = [each.box for each in self.motion.standing]
        return list(dict.fromkeys((*self.motion.regions, *standing, *(each.box for each in self.lately))))

    @property
    def boxes(self) -> list[tuple[str, Box, bool]]:
        """Label, box, and whether it is sure, of all that was found or is followed."""
        found = [(each.label, each.box, each.score >= SURE) for each in self.found]
        followed = [(each.label, each.box, each.confirmed) for each in self.tracks if not each.ended]
        return found + followed


def unexplained(seen: KnownScene) -> tuple[Box, ...]:
    """All in which somebody may be whom nobody found: what moves, and what may be called by a wrong name."""
    changed = {each.track_id for each in seen.labels if each.changes}
    doubtful = [each.box for each in seen.tracks if each.id in changed and not each.ended]
    doubtful += [box for label, box, _ in seen.boxes if label in FOUR_WHEELS and not _wide(box, seen.size)]
    return tuple(dict.fromkeys((*_without_known(seen.moving, seen), *doubtful)))


def too_near(boxes: Sequence[Box]) -> bool:
    """Whether one of them may be somebody so near that a part of a face would be large."""
    return any(box.height >= NEAR for box in boxes)


def explaining(seen: KnownScene) -> list[Box]:
    """Boxes, somewhat grown, in which what moves is a road user that was found for sure."""
    return [
        _grown(box, GROWN * box.width, GROWN * box.height)
        for label, box, sure in seen.boxes
        if sure and (label in WITH_HEADS or (label in FOUR_WHEELS and _wide(box, seen.size)))
    ]


def regions(boxes: Sequence[Box]) -> tuple[Sensitive, ...]:
    """The squares that hide heads in them, in fractions of the frame."""
    return tuple(each for box in boxes for each in _squares(box))


def _without_known(boxes: Sequence[Box], seen: KnownScene) -> list[Box]:
    """Those that nothing sure explains."""
    known = explaining(seen)
    return [box for box in boxes if _covered(box, known) < EXPLAINED]


def _wide(box: Box, size: Size) -> bool:
    return box.width * size.width_px >= WIDE * box.height * size.height_px


def _squares(box: Box) -> tuple[Sensitive, ...]:
    wide = _grown(box, EDGE + ABOVE * box.width, EDGE + ABOVE * box.height)
    high = wide.height
    if box.bottom >= 1 - BORDER:
        return (Sensitive(SensitiveKind.HEAD, wide, _rows(high, SQUARE_OF_A_PART * high)),)
    bands = []
    for number in range(BANDS):
        top, bottom = number / BANDS, (number + 1) / BANDS
        band = Box(wide.left, wide.top + top * high, wide.right, wide.top + bottom * high)
        bands.append(Sensitive(SensitiveKind.HEAD, band, _rows(high / BANDS, SQUARE * (1 - top) * high)))
    return tuple(bands)


def _rows(high: float, square: float) -> int:
    """Rows of squares at least so high; all in fractions of the view's height."""
    return max(1, int(high / max(square, LEAST_SQUARE)))


def _grown(box: Box, aside: float, above: float) -> Box:
    return Box(box.left - aside, box.top - above, box.right + aside, box.bottom + above)


def _covered(box: Box, others: Sequence[Box]) -> float:
    """Share of the box that lies in at least one of the others; 0..1."""
    if box.area <= 0 or not others:
        return 0.0
    x = box.left + (np.arange(CELLS) + 0.5) / CELLS * box.width
    y = box.top + (np.arange(CELLS) + 0.5) / CELLS * box.height
    inside = np.zeros((CELLS, CELLS), np.bool_)
    for other in others:
        inside |= ((y >= other.top) & (y <= other.bottom))[:, None] & ((x >= other.left) & (x <= other.right))
    return float(inside.mean())
