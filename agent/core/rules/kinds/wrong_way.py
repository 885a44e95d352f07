"""How far a road user went against the direction of a zone.

It is measured from the point that was farthest along the right way, and takes a distance, an angle and several
separate steps. In a queue a track goes on with the neighbour behind when its own road user is covered: its box
slides there, faster than it was going before, and what it slides is taken off. And the box of one who stands
changes when a lamp or another road user cuts it, at one end: who goes, goes with both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import atan2, cos, degrees, hypot, radians, sin
from typing import Literal

from pydantic import Field

from agent.core.debounce import NEVER
from agent.core.geometry import Point
from agent.core.rules import reassociation, zones
from agent.core.rules.context import Facts, RuleContext, fact_about
from agent.core.rules.kind import Kind, nothing
from agent.core.rules.lifecycle import Key
from agent.core.rules.rule import VEHICLES, Labels, TrackRule
from agent.core.rules.trajectory import Measure, Trajectory
from agent.core.types import Box, EventKind, Instant, Severity, Size, Track
from agent.settings.base import Name
from agent.translatable import tr

STEP = 0.12
"""Box sizes that it must come farther the wrong way for one step."""
STEPS = 3
SLIDES = 2.0
"""A box that comes so many times faster than it was going slides."""
TREMBLES = 0.05
"""Box sizes from sighting to sighting that are no slide."""

BOTH_ENDS = 0.15
"""Of what the foot of a box goes, so much must either end of it go. The roof of a lorry before a low camera
goes a fifth of the way of its wheels."""


class WrongWayRule(TrackRule):
    """A vehicle goes against the direction of a zone."""

    event = EventKind.WRONG_WAY
    meaning = tr("A vehicle goes against the direction of a zone.")
    kind: Literal["wrong_way"] = "wrong_way"
    labels: Labels = Field(VEHICLES, description="Labels of the model that the rule looks at.")
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: Name = Field(description=tr("The zone."))
    direction_deg: float = Field(
        ge=0, lt=360, description=tr("The right way on the picture: 0 up, 90 right, 180 down.")
    )
    tolerance_deg: float = Field(
        45.0, gt=0, lt=90, description="Wrong is the opposite way, give or take this angle."
    )
    min_distance: float = Field(0.08, gt=0, le=2, description="How far it must go, in heights of the frame.")


@dataclass(frozen=True, slots=True)
class Against:
    """How far it went against a zone's direction."""

    turned: Point
    """Where it was farthest along the right way, in heights of the frame; wrong is what came after."""
    ends: Point = (0.0, 0.0)
    """How far the two ends of its box were the wrong way then, in heights of the frame."""
    reached: float = 0.0
    """How far the wrong way it had come at its last step, in heights of the frame."""
    steps: int = 0
    """How often it came clearly farther."""
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class AgainstMeasure(Measure):
    """Follows how far each road user goes against the direction of one zone, while it is in it."""

    rule: WrongWayRule

    def sighted(
        self, before: Against | None, last: Track, now: Trajectory, at: Instant, frame: Size
    ) -> Against | None:
        """How far it has gone after one more sighting; None outside the zone."""
        if now.stays.get(self.rule.zone, NEVER).since is None:
            return None
        return update(before, last, now.track, self.rule, frame)


def update(before: Against | None, last: Track, now: Track, rule: WrongWayRule, frame: Size) -> Against:
    """Fold in one sighting; `last` is the one before, the same for the first."""
    point = zones.metric(now.box.foot, frame)
    here = Against(point, _ends(now.box, rule, frame))
    before = before or here
    if before.wrong:
        return before  # it is told until it leaves the zone
    return _measure(_without_slide(before, last, now, rule, frame), here, zones.size_of(now.box, frame), rule)


def _without_slide(before: Against, last: Track, now: Track, rule: WrongWayRule, frame: Size) -> Against:
    """The same, begun farther on by what the box came the wrong way without having gone there."""
    came = _wrong_way(now.box.foot, rule, frame) - _wrong_way(last.box.foot, rule, frame)
    went = SLIDES * max(0.0, _wrong_way(last.velocity, rule, frame)) * now.last_seen.since(last.last_seen)
    slid = came - went - TREMBLES * zones.size_of(now.box, frame)
    if slid <= 0:
        return before
    right = radians(rule.direction_deg)
    x, y = before.turned
    ends = before.ends[0] + slid, before.ends[1] + slid
    return replace(before, turned=(x - slid * sin(right), y + slid * cos(right)), ends=ends)


def _wrong_way(way: Point, rule: WrongWayRule, frame: Size) -> float:
    """The part of a way that is against the rule's direction, in heights of the frame."""
    right = radians(rule.direction_deg)
    x, y = zones.metric(way, frame)
    return y * cos(right) - x * sin(right)


def _ends(box: Box, rule: WrongWayRule, frame: Size) -> Point:
    """How far the box reaches the wrong way, with its nearer and with its farther end."""
    corners = [(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)]
    reach = [_wrong_way(corner, rule, frame) for corner in corners]
    return min(reach), max(reach)


def _measure(before: Against, here: Against, size: float, rule: WrongWayRule) -> Against:
    """Fold one place into how far it went the wrong way; `size` is that of its box."""
    right = radians(rule.direction_deg)
    dx, dy = here.turned[0] - before.turned[0], here.turned[1] - before.turned[1]
    along, aside = dx * sin(right) - dy * cos(right), dx * cos(right) + dy * sin(right)
    if along >= 0:
        return here
    straight = degrees(atan2(abs(aside), -along)) <= rule.tolerance_deg
    reached, steps = before.reached, before.steps
    if -along >= reached + STEP * size:
        reached, steps = -along, steps + 1
    # A box trembles by its size, so a large one must go farther before it is believed.
    far = hypot(dx, dy) >= max(rule.min_distance, 0.6 * size)
    whole = min(now - then for now, then in zip(here.ends, before.ends, strict=True)) >= BOTH_ENDS * -along
    wrong = straight and far and whole and steps >= STEPS
    return replace(before, reached=reached, steps=steps, wrong=wrong)


def evaluate(rule: WrongWayRule, memory: None, context: RuleContext) -> tuple[None, Facts]:
    """Vehicles go against a zone's direction.

    A track that lies where one was told a moment ago who is out of sight now is his double, or he himself.
    """
    wrong = [each for each in context.inside(rule.zone) if _is_wrong(each, rule)]
    hidden = [each for each in wrong if not each.track.seen and Key(rule.id, each.object_id) in context.open]
    facts = []
    for each in wrong:
        fact = fact_about(rule, each, each.stays[rule.zone].since)
        others = [other for other in hidden if other is not each]
        again = fact.key not in context.open and reassociation.nearest(
            others, each.track, context.at, context.frame
        )
        facts.append(replace(fact, may_start=False) if again else fact)
    return memory, tuple(facts)


def _is_wrong(each: Trajectory, rule: WrongWayRule) -> bool:
    against: Against | None = each.measures.get(rule.id)
    return against is not None and against.wrong


KIND = Kind(rule=WrongWayRule, memory=nothing, evaluate=evaluate, measure=AgainstMeasure)
