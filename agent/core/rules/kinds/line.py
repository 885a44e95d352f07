"""Road users that go over a line: each crossing is an event, and all are counted in intervals.

`crossing.py` says when one has gone over; here is what a rule keeps of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from pydantic import Field, model_validator

from agent.core.geometry import Point
from agent.core.rules import crossing, zones
from agent.core.rules import trajectory as trajectories
from agent.core.rules.context import Facts, RuleContext
from agent.core.rules.crossing import Line, Passage, Trail
from agent.core.rules.kind import Counter, Kind
from agent.core.rules.lifecycle import Fact
from agent.core.rules.rule import TrackRule
from agent.core.rules.trajectory import Measure, Trajectory
from agent.core.rules.zones import Anchor, Corner
from agent.core.types import Count, EventKind, Instant, Size, Track
from agent.translatable import tr

MOST_CROSSINGS = 8


class LineRule(TrackRule):
    """A road user goes over a line; `in` from left to right of someone who walks from start to end."""

    event = EventKind.LINE_CROSSED
    meaning = tr("A road user goes over a line, in or out.")
    lasting = False
    kind: Literal["line"] = "line"
    start: Corner = Field(description=tr("Where the line begins, [x, y]."))
    end: Corner = Field(description=tr("Where it ends, [x, y]."))
    anchor: Anchor = Field(Anchor.FOOT, description="The point of a box that must go over: foot or center.")
    tell: tuple[Literal["in", "out"], ...] = Field(
        ("in", "out"), description="Directions that make an event; [] only counts."
    )
    count_every_s: float = Field(
        900.0, ge=0, description="Length of a counting interval, in seconds; 0: no counts."
    )
    band: float = Field(0.25, ge=0, le=2, description="Half width of the dead band, in box sizes.")
    min_band: float = Field(0.008, ge=0, le=0.2, description="The least of it, in heights of the frame.")
    linger_s: float = Field(
        4.0, ge=0, le=60, description="The event waits so long for a better picture, in seconds."
    )

    @property
    def ends(self) -> tuple[Point, ...]:
        """Start and end of the line."""
        return self.start, self.end

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.start == self.end:
            raise ValueError(tr("line {id}: start and end are the same point; a line needs two", id=self.id))
        return self


@dataclass(frozen=True, slots=True)
class Crossing:
    """A road user went over the line."""

    number: int
    """1 for its first crossing of this line, and so on."""
    direction: str
    """`in` from left to right of someone who walks from start to end, `out` the other way."""
    at: Instant
    """When it was believed."""
    counted: Instant
    """When it makes an event and is counted: at once, unless it was not known then whose crossing it was."""


@dataclass(frozen=True, slots=True)
class Course:
    """One road user's way relative to the line."""

    passage: Passage = field(default_factory=Passage)
    trail: Trail = ()
    """Where its anchor was lately."""
    crossings: tuple[Crossing, ...] = ()
    """The newest ones, oldest first."""


@dataclass(frozen=True, slots=True)
class CourseMeasure(Measure):
    """Follows each road user's way over one line."""

    rule: LineRule

    def sighted(self, before: Course | None, last: Track, now: Trajectory, at: Instant, frame: Size) -> Course:
        """Its way after one more sighting."""
        rule, box = self.rule, now.track.box
        before = before or Course()
        half = crossing.band(zones.size_of(box, frame), rule.band, rule.min_band)
        line = Line(zones.metric(rule.start, frame), zones.metric(rule.end, frame), half)
        point = zones.metric(zones.anchor_of(box, rule.anchor), frame)
        passage, direction = crossing.step(before.passage, point, line, at, before.trail)
        trail = crossing.trailed(before.trail, point, at)
        return Course(passage, trail, _crossed(before.crossings, direction, at))

    def left(self, before: Course, at: Instant) -> Course:
        """It has gone out of the picture."""
        passage, direction = crossing.finish(before.passage)
        return Course(passage, before.trail, _crossed(before.crossings, direction, at))

    def released(self, before: Course, since: Instant, at: Instant) -> Course:
        """Whose crossings these are is known only now."""
        crossings = (replace(each, counted=at) if each.at >= since else each for each in before.crossings)
        return replace(before, crossings=tuple(crossings))


def _crossed(before: tuple[Crossing, ...], direction: str | None, at: Instant) -> tuple[Crossing, ...]:
    if direction is None:
        return before
    number = before[-1].number + 1 if before else 1
    return (*before, Crossing(number, direction, at, counted=at))[-MOST_CROSSINGS:]


@dataclass(frozen=True, slots=True)
class Interval:
    """The counting interval that is open."""

    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(label, direction) -> crossings so far."""
    began: Instant | None = None
    length_s: float = 0.0


def evaluate(rule: LineRule, memory: Interval, context: RuleContext) -> tuple[Interval, Facts]:
    """Road users went over a line a moment ago; those of this frame are counted."""
    counts = dict(memory.counts)
    facts: list[Fact] = []
    for each in context.trajectories:
        course = each.measures.get(rule.id, Course())
        for crossed in course.crossings:
            new = context.at in (crossed.counted, each.confirmed)
            if new and each.track.label in rule.labels:
                entry = each.track.label, crossed.direction
                counts[entry] = counts.get(entry, 0) + 1
            lingers = not trajectories.has_left(each) and context.at.since(crossed.counted) < rule.linger_s
            if crossed.direction in rule.tell and (new or lingers):
                facts.append(
                    Fact(
                        rule,
                        each.object_id,
                        crossed.at,
                        each,
                        number=crossed.number,
                        direction=crossed.direction,
                        may_start=new or trajectories.alive(each),
                    )
                )
    return replace(memory, counts=counts), tuple(facts)


def turn_interval(rule: LineRule, memory: Interval, at: Instant) -> tuple[Interval, tuple[Count, ...]]:
    """Close the counting interval if its time is up, empty ones too: that nobody came is news.

    The first interval is shorter, so that the next ones begin at round times of the wall clock as it was then.
    """
    if rule.count_every_s == 0:
        return replace(memory, counts={}), ()
    if memory.began is None:
        to_round_s = rule.count_every_s - at.wall_s % rule.count_every_s
        return replace(memory, began=at, length_s=to_round_s), ()
    if at.since(memory.began) < memory.length_s:
        return memory, ()
    count = cut_interval(rule, memory, at)
    # Frames do not come at the round moment; what is over is taken off the next interval, or they would drift.
    over_s = (at.since(memory.began) - memory.length_s) % rule.count_every_s
    return Interval({}, at, rule.count_every_s - over_s), count


def cut_interval(rule: LineRule, memory: Interval, at: Instant) -> tuple[Count, ...]:
    """The interval so far, if there is one."""
    if memory.began is None:
        return ()
    counts: dict[str, dict[str, int]] = {}
    for (label, direction), number in sorted(memory.counts.items()):
        counts.setdefault(label, {})[direction] = number
    return (Count(rule.id, memory.began, at, counts),)


KIND = Kind(
    rule=LineRule,
    memory=Interval,
    evaluate=evaluate,
    measure=CourseMeasure,
    counter=Counter(turn_interval, cut_interval),
)
