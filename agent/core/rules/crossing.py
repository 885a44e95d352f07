"""Who goes over a line, counted once however much the box trembles.

Around the line lies a band on both sides. A road user is on a side only beyond the band; in the band it keeps
the side that it came from. It crosses when its side changes:

        in                left of the line, seen from start to end
         │   ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─   edge of the band
         │   start ════════════════════════ end   the line
         ▼   ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─   edge of the band
                          right                   (`out` goes up)

Invariants
1. Trembling that stays within the band never counts; who came over the line on a course and stands behind it
   does, within the band, too.
2. From beyond the band on one side to beyond it on the other counts once, whatever lies between: many
   sightings, none (a fast vehicle at a slow frame rate), or a queue that stands on the line for minutes.
3. Only a way between the two ends counts. What matters is the last step over the endless line.
4. Turning round counts again only after the whole band was left.
5. A box that slides over the line and rests there has changed its owner and does not count: it takes a course.

A new side is believed after two sightings in a row, or after one if the road user leaves the picture with it: a
single stray box of a merged detection is no way over it, nor is the last one of a track that is lost on the
road. The first side is believed at once.

In a queue that stands on the line a tracker now and then exchanges two neighbours. Their boxes slide over the
line, one each way, and rest again; a road user comes on a course over the line, or goes on after it:

    comes on a course           counts at once
    sets out, and keeps moving  counts at once: a slide is over sooner
    comes from rest, goes on    counts as soon as it has gone on
    comes from rest, and rests  is on the other side now, and did not go there
    comes against its course    waits for one of the two, or for the slide back

Who was hidden for a second may have gone over meanwhile: it counts unless its course was the opposite one.
Sources: the two-line counters of traffic surveys; `minimum_crossing_threshold` of supervision's LineZone says
why hysteresis is needed, opendatacam #204 what happens without it (one car beside a line, counted 15 times).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from agent.core.geometry import Point, crosses, side
from agent.core.plain_sum import plain_sum
from agent.core.types import Instant

IN = "in"
OUT = "out"
BELIEVED_AFTER = 2
"""Sightings in a row beyond the band before a new side is believed."""
SWAY_S = 0.4
"""What a box did so short ago may be its slide: the course is what it did before."""
TRAIL_S = 1.6
"""How far back the course is looked for."""
TRAIL_STEP_S = 0.19
MOST_TRAIL = 12
COURSE_S = 0.3
"""From a shorter way nothing can be said about the course: it is taken to be right."""
MOVES = 0.25
"""Half widths of the band a second: who comes so fast is on a course."""
GOES_ON = 0.5
GOES_ON_S = 1.0
"""Who goes so many half widths of the band farther in so many seconds, once the slide is over, goes on."""
FAR = 6.0
"""Half widths of the band: so far from the line stands no neighbour."""
HIDDEN_S = 1.0
"""Who was unseen for so long may have gone any way but backwards."""
RESTS_S = 3.0
"""Who has not gone on by then has not come over."""
STEADY_S = 2.0
STEADY_PARTS = 4
EVEN = 0.15
"""Who moved towards its new side in each quarter of two seconds, and made so much of its way in each, moves by
itself: of a slide half a second holds nearly all."""
OVER = 0.2
"""Half widths of the band: who was so far behind the line in the mean of `STEADY_S`, and behind it each time,
stands over it. Simulated sightings tremble by 0.1 to 0.2 of them, and by twice that of who is half covered."""
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
    on_course: bool | None = None
    """It left its side on its course, or went on beyond the band; None while it is on its side."""
    since: Instant | None = None
    """When it was first seen beyond the band on the other side."""


Trail = tuple[tuple[Instant, Point], ...]
"""Where a road user was lately, oldest first, in heights of the frame."""


def band(size: float, share: float, least: float) -> float:
    """Half width of the band for a box of this size; all in heights of the frame but `share`, in box sizes."""
    return min(max(least, share * size), max(least, WIDEST_BAND))


def trailed(trail: Trail, point: Point, at: Instant) -> Trail:
    """The trail with one more sighting."""
    if trail and at.since(trail[-1][0]) < TRAIL_STEP_S:
        return trail
    return (*trail, (at, point))[-MOST_TRAIL:]


def step(
    passage: Passage, point: Point, line: Line, at: Instant, trail: Trail = ()
) -> tuple[Passage, str | None]:
    """Fold in one sighting; returns the direction if this sighting makes it a crossing.

    `trail` holds the sightings before this one. Without any the course is taken to be right.
    """
    start, end = line.start, line.end
    distance = side(point, start, end)
    through, over = passage.through, passage.over
    if passage.at is not None and (side(passage.at, start, end) > 0) != (distance > 0):
        through, over = crosses(passage.at, point, start, end), at
    now = 0 if abs(distance) <= line.band else 1 if distance > 0 else -1
    if passage.side in (0, now):
        return Passage(now, point, 0, through, over), None
    on_course = passage.on_course
    if on_course is None:  # it has just left its side; later its trail holds the slide itself, if it is one
        on_course = _on_course(trail, -passage.side, line, at)
    on_course = on_course or _steady(trail, -passage.side, line, at)
    if now == 0:
        passage = Passage(passage.side, point, 0, through, over, on_course=on_course)
        return _believe(passage) if on_course and _stands_over(passage, trail, line, at) else (passage, None)
    since = at if passage.since is None else passage.since
    on_course = on_course or _goes_on(trail, distance, since, line, at)
    passage = Passage(passage.side, point, passage.beyond + 1, through, over, on_course, since)
    if passage.beyond < BELIEVED_AFTER:
        return passage, None
    if on_course:
        return _believe(passage)
    if at.since(since) >= RESTS_S:
        return _believe(replace(passage, through=False))
    return passage, None


def _goes_on(trail: Trail, distance: float, since: Instant, line: Line, at: Instant) -> bool:
    """Is it farther than a neighbour stands, or on its way there after its slide, if it was one, is over?"""
    if abs(distance) >= FAR * line.band:
        return True
    before = [point for when, point in trail if at.since(when) >= GOES_ON_S and when.since(since) >= SWAY_S]
    if not before:
        return False
    return abs(distance) - abs(side(before[-1], line.start, line.end)) >= GOES_ON * line.band


def _on_course(trail: Trail, now: int, line: Line, at: Instant) -> bool:
    """Did it move towards its new side before the last few sightings, or before it was hidden?"""
    if not trail:
        return True
    last = trail[-1][0]
    known = [each for each in trail if SWAY_S - TRAIL_STEP_S <= last.since(each[0]) <= TRAIL_S]
    if not known or known[-1][0].since(known[0][0]) < COURSE_S:
        return True
    (first, a), (second, b) = known[0], known[-1]
    moved = now * (side(b, line.start, line.end) - side(a, line.start, line.end))
    speed = moved / second.since(first)
    return speed > -MOVES * line.band if at.since(last) >= HIDDEN_S else speed >= MOVES * line.band


def _steady(trail: Trail, to: int, line: Line, at: Instant) -> bool:
    """Did it move towards the side `to` in each part of the last two seconds, and in none by leaps?"""
    known = _lately(trail, at)
    if not known:
        return False
    began, span_s = known[0][0], known[-1][0].since(known[0][0])
    marks = [
        min(known, key=lambda each: abs(each[0].since(began) - span_s * part / STEADY_PARTS))
        for part in range(STEADY_PARTS + 1)
    ]
    ways = [to * side(point, line.start, line.end) for _, point in marks]
    least = max(MOVES * line.band, EVEN * (ways[-1] - ways[0]) * STEADY_PARTS / span_s)
    return all(
        then - first >= least * end.since(start)
        for (first, then), ((start, _), (end, _)) in zip(pairwise(ways), pairwise(marks), strict=True)
    )


def _stands_over(passage: Passage, trail: Trail, line: Line, at: Instant) -> bool:
    """Has it been behind the line, though in the band, for two seconds, and by enough in the mean?"""
    known = _lately(trail, at) if passage.through else ()
    behind = [-passage.side * side(point, line.start, line.end) for _, point in known]
    return bool(behind) and min(behind) > 0 and plain_sum(behind) >= OVER * line.band * len(behind)


def _lately(trail: Trail, at: Instant) -> Trail:
    """The sightings of the last two seconds; none where they are too few to tell anything."""
    known = tuple(each for each in trail if at.since(each[0]) <= STEADY_S + 2 * TRAIL_STEP_S)
    long_enough = len(known) > STEADY_PARTS and known[-1][0].since(known[0][0]) >= STEADY_S - TRAIL_STEP_S
    return known if long_enough else ()


def finish(passage: Passage) -> tuple[Passage, str | None]:
    """It has gone out of the picture: one sighting beyond the band is enough then, on its course."""
    return _believe(passage) if passage.beyond and passage.on_course else (passage, None)


def _believe(passage: Passage) -> tuple[Passage, str | None]:
    direction = (IN if passage.side > 0 else OUT) if passage.through else None
    return Passage(-passage.side, passage.at, over=passage.over), direction
