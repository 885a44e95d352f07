"""What the rules ought to tell: read off the noise-free road users, never off a detection."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field

from agent.core.geometry import Point, crosses, inside, side
from agent.core.rules.kinds.crowd import CrowdRule
from agent.core.rules.kinds.line import LineRule
from agent.core.rules.kinds.loitering import LoiteringRule
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.kinds.wrong_way import WrongWayRule
from agent.core.rules.settings import RuleSettings
from agent.core.rules.zones import Zone
from agent.core.types import Severity
from benchmarks.scenes.ground import CAMERA, MIDDLE, box, rectangle
from benchmarks.scenes.sensor import Sight

PLAIN = 0.6
"""Share of a road user that must be uncovered for it to be in plain view."""
PLAIN_FRAMES = 5
"""So often it must be in plain view before a crossing and after it, for anyone to be able to count it."""
SHUFFLE_M = 1.0
"""Who moves up by less, a quarter of a car, still stands in the same place."""
SLACK = 0.15
"""A stay within this share of the least that counts, or within 2 s, may be told or not."""


def _line(name: str, start: Point, end: Point) -> LineRule:
    a, b = CAMERA.polygon(start, end)
    return LineRule(id=name, start=a, end=b, count_every_s=60.0)


LINES = (
    _line("south", (-10.4, MIDDLE - 13), (10.4, MIDDLE - 13)),
    _line("north", (-10.4, MIDDLE + 13.5), (11.0, MIDDLE + 13.5)),
    _line("west", (-10.6, MIDDLE - 7.4), (-10.6, MIDDLE + 7.4)),
    _line("east", (10.6, MIDDLE - 7.4), (10.6, MIDDLE + 7.4)),
)
"""They lie where queues stand."""
NO_STOPPING = StoppedVehicleRule(id="no-stopping", zone="shoulder", min_s=20.0)
ONE_WAY = WrongWayRule(id="one-way", zone="lanes", direction_deg=0.0)
LOITERING = LoiteringRule(id="loitering", zone="square", min_stay_s=40.0)
CROWD = CrowdRule(id="crowd", zone="steps", min_count=8, min_s=15.0, severity=Severity.ALERT)

SETTINGS = RuleSettings(
    zones=(
        Zone(id="shoulder", polygon=rectangle(6.9, 12.9, 9.6, 23.0)),
        Zone(id="lanes", polygon=rectangle(0.0, 13.0, 7.2, MIDDLE - 8)),
        Zone(id="square", polygon=rectangle(-20.0, MIDDLE + 10.8, -10.0, MIDDLE + 20)),
        Zone(id="steps", polygon=rectangle(10.0, MIDDLE + 10.8, 22.0, MIDDLE + 20)),
    ),
    rules=(*LINES, NO_STOPPING, ONE_WAY, LOITERING, CROWD),
)
"""The zones and rules of the simulated junction."""


@dataclass(slots=True)
class Stay:
    """Someone in a zone, moving or not."""

    began: float
    last: float
    stood_at: float = 0.0
    """Metres along its way where it last came to a stand."""
    stood_since: float = 0.0
    stands: list[float] = field(default_factory=list)
    """Seconds of each stand that is over: who stops twice is to be told twice."""


@dataclass(slots=True)
class Truth:
    """What happened so far."""

    feet: dict[int, Point] = field(default_factory=dict)
    crossings: list[tuple[str, int, str, float]] = field(default_factory=list)
    """(line, road user, direction, second)."""
    stays: dict[tuple[str, int], Stay] = field(default_factory=dict)
    closed: list[tuple[str, int, Stay]] = field(default_factory=list)
    wrong: list[tuple[int, float]] = field(default_factory=list)
    """(road user, second) of those who went the wrong way through the lanes."""
    crowds: list[tuple[float, float]] = field(default_factory=list)
    """(from, to) in seconds of each time in which there were enough people."""
    many_since: float | None = None
    plain: dict[int, list[float]] = field(default_factory=dict)
    """The seconds at which each road user was in plain view."""

    def fold(self, sights: list[Sight], second: float) -> None:
        """Take in one moment."""
        now = {sight.user.name: box(sight.row).foot for sight in sights}
        for sight in sights:
            name = sight.user.name
            if sight.clear >= PLAIN:
                self.plain.setdefault(name, []).append(second)
            if name in self.feet:
                self._lines(name, self.feet[name], now[name], second)
            self._zones(sight, now[name], second)
        self._crowd(now, sights, second)
        for key in [k for k, stay in self.stays.items() if second - stay.last > 1.0]:
            self._close(key)
        self.feet = now

    def finish(self, second: float) -> None:
        """The simulation is over."""
        for key in list(self.stays):
            self._close(key)
        if self.many_since is not None:
            self.crowds.append((self.many_since, second))

    def could_be_seen(self, name: int, second: float) -> bool:
        """Was the road user in plain view before that moment and after it?"""
        times = self.plain.get(name, [])
        before = bisect(times, second)
        return before >= PLAIN_FRAMES and len(times) - before >= PLAIN_FRAMES

    def plain_between(self, name: int, begin: float, end: float) -> bool:
        """Was the road user in plain view in the meantime, for as long as anyone needs to see where it goes?"""
        times = self.plain.get(name, [])
        return bisect(times, end) - bisect(times, begin) >= PLAIN_FRAMES

    def _close(self, key: tuple[str, int]) -> None:
        stay = self.stays.pop(key)
        stay.stands.append(stay.last - stay.stood_since)
        self.closed.append((*key, stay))

    def _lines(self, name: int, before: Point, after: Point, second: float) -> None:
        for rule in LINES:
            if crosses(before, after, rule.start, rule.end):
                direction = "in" if side(before, rule.start, rule.end) > 0 else "out"
                self.crossings.append((rule.id, name, direction, second))

    def _zones(self, sight: Sight, foot: Point, second: float) -> None:
        user = sight.user
        for zone in SETTINGS.zones:
            if not inside(foot, zone.polygon):
                continue
            stay = self.stays.setdefault((zone.id, user.name), Stay(second, second, user.along, second))
            if (
                zone.id == "lanes"
                and user.heading < -1.0
                and user.place[1] < MIDDLE - 14
                and user.label != "person"
                and all(name != user.name for name, _ in self.wrong)
            ):
                self.wrong.append((user.name, second))
            stay.last = second
            if abs(user.along - stay.stood_at) > SHUFFLE_M:
                stay.stands.append(second - stay.stood_since)
                stay.stood_at, stay.stood_since = user.along, second

    def _crowd(self, feet: dict[int, Point], sights: list[Sight], second: float) -> None:
        steps = SETTINGS.zone("steps").polygon
        number = sum(s.user.label == "person" and inside(feet[s.user.name], steps) for s in sights)
        if number >= CROWD.min_count:
            self.many_since = second if self.many_since is None else self.many_since
        elif self.many_since is not None:
            self.crowds.append((self.many_since, second))
            self.many_since = None


def doubtful(lasted_s: float, least_s: float) -> bool:
    """Too near to the least to call."""
    return abs(lasted_s - least_s) <= max(2.0, SLACK * least_s)
