"""Who goes over a line, counted once however much the box trembles.

Around the line lies a band on both sides. A road user is on a side only beyond the band; in the band it keeps
the side that it came from. It crosses when its side changes:

        in                left of the line, seen from start to end
         │   ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─   edge of the band
         │   start ════════════════════════ end   the line
         ▼   ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─   edge of the band
                          right                   (`out` goes up)

Invariants
1. Trembling that stays within the band never counts.
2. From beyond the band on one side to beyond it on the other counts once, whatever lies between: many
   sightings, none (a fast vehicle at a slow frame rate), or a queue that stands on the line for minutes.
3. Only a way between the two ends counts. What matters is the last step over the endless line.
4. Turning round counts again only after the whole band was left.

A new side is believed after two sightings in a row, or after one if the track ends with it: a single stray box
of a merged detection is not a journey. The first side is believed at once.
Sources: the two-line counters of traffic surveys; `minimum_crossing_threshold` of supervision's LineZone says
why hysteresis is needed, opendatacam #204 what happens without it (one car beside a line, counted 15 times).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.core.geometry import Point, crosses, side
from agent.core.types import Instant

IN = "in"
OUT = "out"
BELIEVED_AFTER = 2
"""Sightings in a row beyond the band before a new side is believed."""
WIDEST_BAND = 0.06
"""Heights of the frame: around a bus that fills the picture a wider band could not be left inside it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as one road user meets it; all in heights of the frame."""

    start: Point
    end: Point
    band: float
    """Half width of its dead band."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One road user's way relative to one line."""

    side: int = 0
    """-1 or 1, the side that is believed (the sign of `geometry.side`); 0 while it was only in the band."""
    at: Point | None = None
    """Where it was last seen, in heights of the frame."""
    beyond: int = 0
    """Sightings in a row beyond the band on the other side."""
    through: bool = False
    """Its last step over the endless line went between the two ends."""
    over: Instant | None = None
    """When that step was."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A road user went over a line."""

    rule_id: str
    number: int
    """1 for its first crossing of any line, and so on."""
    direction: str
    """`in` from left to right of someone who walks from start to end, `out` the other way."""
    at: Instant
    """When it was believed."""


def band(size: float, share: float, least: float) -> float:
    """Half width of the band for a box of this size; all in heights of the frame but `share`, in box sizes."""
    return min(max(least, share * size), max(least, WIDEST_BAND))


def step(passage: Passage, point: Point, line: Line, at: Instant) -> tuple[Passage, str | None]:
    """Fold in one sighting; returns the direction if this sighting makes it a crossing."""
    start, end = line.start, line.end
    distance = side(point, start, end)
    through, over = passage.through, passage.over
    if passage.at is not None and (side(passage.at, start, end) > 0) != (distance > 0):
        through, over = crosses(passage.at, point, start, end), at
    now = 0 if abs(distance) <= line.band else 1 if distance > 0 else -1
    if passage.side == 0:
        return Passage(now, point, 0, through, over), None
    if now in (0, passage.side):
        return Passage(passage.side, point, 0, through, over), None
    passage = Passage(passage.side, point, passage.beyond + 1, through, over)
    return _believe(passage) if passage.beyond >= BELIEVED_AFTER else (passage, None)


def finish(passage: Passage) -> tuple[Passage, str | None]:
    """The track ends here: one sighting beyond the band is enough then."""
    return _believe(passage) if passage.beyond else (passage, None)


def _believe(passage: Passage) -> tuple[Passage, str | None]:
    direction = (IN if passage.side > 0 else OUT) if passage.through else None
    return replace(passage, side=-passage.side, beyond=0, through=False), direction
