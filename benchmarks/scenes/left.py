"""Things that are left behind, and what only looks like it, in drawn pixels.

A street with people who pass. Now and then something happens, always another thing at another place: somebody
puts a bag down and goes, a lorry loses cargo, somebody sits down beside his bag, waits, or parks; a lamp is
switched on, a hard shadow falls. The pixels go through motion, the true boxes through a faulty detector and the
tracker, and both through the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from agent.core.ids import Ids
from agent.core.motion import detector as motion
from agent.core.motion.detector import MotionState
from agent.core.motion.settings import MotionSettings
from agent.core.rules import engine
from agent.core.rules.engine import RuleInput, RulesState
from agent.core.rules.kinds.left_object import LeftObjectRule
from agent.core.rules.settings import RuleSettings
from agent.core.tracking import tracker
from agent.core.tracking.tracker import TrackerState, TrackSettings
from agent.core.types import WHOLE, Box, Detection, EndReason, Event, Frame, Phase, Plane, Sighting, Size
from benchmarks.scenes.chain import instant

WIDE, HIGH, FPS = 320, 180, 5
LEARN_S = 6.0
"""Nothing happens until the scene is known."""
SETTINGS = RuleSettings(rules=(LeftObjectRule(id="left", min_s=30.0),))
KINDS = ("bag", "cargo", "sitter", "waiter", "car", "lamp", "shadow", "bag", "gone")
"""What happens, in turn; a bag twice as often."""
OWED = ("bag", "cargo")
EVERY_S = 45.0
SPOTS = tuple((x, y) for y in (95, 135, 170) for x in range(30, 300, 40))
"""Where the foot of what happens stands."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Something drawn: foot and size in pixels over time, straight between; there from first to last."""

    label: str | None
    """What the detector may call it; None: it knows no such thing."""
    wide: int
    high: int
    stops: tuple[tuple[float, float, float], ...]
    """(second, x, y) of its foot."""
    tone: int
    """Mean luma."""
    seed: int
    light: float = 0.0
    """Not a thing but light of this gain: hard where negative, soft where positive."""

    def at(self, second: float) -> tuple[float, float] | None:
        """Where its foot is, if it is there."""
        times, xs, ys = zip(*self.stops, strict=True)
        if not times[0] <= second < times[-1]:
            return None
        return float(np.interp(second, times, xs)), float(np.interp(second, times, ys))

    def box(self, second: float) -> Box | None:
        """In fractions of the frame, cut at its edges; None where less than a third shows."""
        foot = self.at(second)
        if foot is None:
            return None
        left, right = max(0.0, foot[0] - self.wide / 2), min(float(WIDE), foot[0] + self.wide / 2)
        if right - left < self.wide / 3:
            return None
        return Box(left / WIDE, max(0.0, foot[1] - self.high) / HIGH, right / WIDE, min(1.0, foot[1] / HIGH))


@dataclass(frozen=True, slots=True)
class Story:
    """One thing that happens."""

    kind: str
    actors: tuple[Actor, ...]
    thing: Actor | None = None
    """What is left behind, if anything is."""
    free_s: float = 0.0
    """When nobody is with it any more."""


def story(kind: str, second: float, spot: tuple[int, int], rng: np.random.Generator, long_s: float) -> Story:
    """Something that begins at this second at this place and takes about so long."""
    x, y = spot
    size = 0.5 + y / HIGH  # those in front are larger
    person_high = round(38 * size)
    bag = (round(rng.uniform(9, 14) * size), round(rng.uniform(8, 13) * size))
    tone = int(rng.choice([35, 50, 185, 205]))
    walk_s = 7.0

    def person(stops: Sequence[tuple[float, float, float]], beside: float = 0.0, tall: float = 1.0) -> Actor:
        moved = tuple((t, px + beside, py) for t, px, py in stops)
        tint = int(rng.choice([45, 60, 180, 200]))
        return Actor("person", round(13 * size), round(person_high * tall), moved, tint, int(rng.integers(1e6)))

    def still(stop_s: float, label: str | None = None, extent: tuple[int, int] = bag, **more: float) -> Actor:
        came = second + (walk_s + 1 if label is None and not more else 0)
        stops = ((came, float(x), float(y)), (stop_s, float(x), float(y)))
        return Actor(label, *extent, stops, tone, int(rng.integers(1e6)), **more)

    here = second + walk_s
    end = second + long_s
    if kind in ("bag", "gone"):
        stay_s = rng.uniform(3, 8)
        to = WIDE + 20.0 if rng.random() < 0.5 else -20.0
        free = here + stay_s
        owner = person(
            ((second, -20.0, y), (here, x, y), (free, x, y), (free + walk_s, to, y)), beside=9 * size
        )
        if kind == "gone":  # he thinks of it and comes back soon
            back = free + 12.0
            again = person(((back, to, y), (back + 6, x, y), (back + 9, x, y), (back + 15, to, y)), 9 * size)
            thing = replace(still(back + 8), stops=((here + 1, x, y), (back + 8, x, y)))
            return Story(kind, (thing, owner, again))
        taker = person(
            ((end - walk_s, -20.0, y), (end, x, y), (end + 2, x, y), (end + walk_s, to, y)), -7 * size
        )
        thing = replace(still(end + 1), stops=((here + 1, x, y), (end + 1, x, y)))
        return Story(kind, (thing, owner, taker), thing, free + 3)
    if kind == "cargo":
        extent = round(70 * size), round(46 * size)
        lorry = Actor(
            "truck", *extent, ((second, -40.0, y), (second + 4, WIDE + 40.0, y)), 150, int(rng.integers(1e6))
        )
        fell = second + 4 * (x + 40) / (WIDE + 80)
        thing = replace(still(end), stops=((fell, x, y), (end, x, y)))
        return Story(kind, (thing, lorry), thing, fell)
    if kind == "sitter":
        sits = person(((here, x, y), (end, x, y)), 10 * size, tall=0.7)
        comes = person(((second, -20.0, y), (here, x, y)), 10 * size)
        goes = person(((end, x, y), (end + walk_s, -20.0, y)), 10 * size)
        thing = replace(still(end), stops=((here + 1, x, y), (end, x, y)))
        same = {"tone": comes.tone, "seed": comes.seed}
        return Story(kind, (thing, comes, replace(sits, **same), replace(goes, **same)))
    if kind == "waiter":
        return Story(kind, (person(((second, -20.0, y), (here, x, y), (end, x, y), (end + walk_s, -20.0, y))),))
    if kind == "car":
        way = ((second, -40.0, y), (second + 5, x, y), (end, x, y), (end + 5, WIDE + 40.0, y))
        return Story(
            kind, (Actor("car", round(52 * size), round(27 * size), way, tone, int(rng.integers(1e6))),)
        )
    extent = (round(40 * size), round(22 * size))
    return Story(kind, (still(end, None, extent, light=0.35 if kind == "lamp" else -0.3),))


def passers(rng: np.random.Generator, until_s: float) -> list[Actor]:
    """People who only go by, one every fifteen seconds or so."""
    found, second = [], LEARN_S
    while (second := second + rng.exponential(15.0)) < until_s:
        y = float(rng.choice([100, 140, 172])) + rng.uniform(-4, 4)
        size, to = 0.5 + y / HIGH, (-20.0, WIDE + 20.0)
        begin, end = to if rng.random() < 0.5 else to[::-1]
        way = ((second, begin, y), (second + rng.uniform(9, 16), end, y))
        tint = int(rng.choice([45, 60, 180, 200]))
        found.append(Actor("person", round(13 * size), round(38 * size), way, tint, int(rng.integers(1e6))))
    return found


@dataclass
class Street:
    """Draws the actors, and lets the agent look at them."""

    actors: Sequence[Actor]
    seed: int
    settings: RuleSettings = SETTINGS
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        rough = self.rng.normal(0, 9, (HIGH // 4, WIDE // 4)).astype(np.float32)
        ground = 105 + cv2.resize(rough, (WIDE, HIGH), interpolation=cv2.INTER_CUBIC)
        ground += np.linspace(-20, 20, HIGH, dtype=np.float32)[:, None]
        ground[:60] = 140 + 10 * (np.indices((60, WIDE))[1] // 16 % 2)
        self.ground = ground
        self.paints: dict[Actor, np.ndarray] = {}
        self.seen: MotionState | None = None
        self.tracks: TrackerState | None = None
        self.rules: RulesState | None = None
        self.ids = Ids(b"things left behind")

    def run(self, seconds: float) -> None:
        """Look for so long, then end what is open."""
        for n in range(int(seconds * FPS)):
            self.step(n)
        _, ends = engine.close(self.rules, instant(seconds), EndReason.AGENT_RESTARTED, self.settings)
        self.events += [each for each in ends if isinstance(each, Event)]

    def step(self, n: int) -> None:
        """One frame."""
        second = n / FPS
        at = instant(second)
        chroma = np.full((HIGH // 2, WIDE // 2), 128, np.uint8)
        frame = Frame(n, at, self.draw(second), chroma, chroma)
        self.seen, moved = motion.update(self.seen, frame, MotionSettings())
        moving = (WHOLE,) if moved.settling else moved.regions
        sighting = Sighting(at, (WHOLE,), tuple(self.detect(second)), moving)
        self.tracks, self.ids, tracks = tracker.update(self.tracks, sighting, self.ids, TrackSettings())
        given = RuleInput(at, Size(WIDE, HIGH), moved, tracks)
        self.rules, self.ids, messages = engine.update(self.rules, given, self.ids, self.settings)
        self.events += [each for each in messages if isinstance(each, Event)]

    def detect(self, second: float) -> Iterator[Detection]:
        """Road users as a detector sees them: trembling, and now and then not at all."""
        for actor in self.actors:
            box = actor.box(second)
            if actor.label is None or box is None or self.rng.random() > 0.85:
                continue
            off = self.rng.normal(0, 0.03, 4)
            dx, dy = off[:2] * [box.width, box.height], off[2:] * [box.width, box.height]
            shaken = Box(box.left + dx[0], box.top + dx[1], box.right + dy[0], box.bottom + dy[1])
            yield Detection(actor.label, float(np.clip(self.rng.normal(0.75, 0.1), 0.3, 0.95)), shaken)

    def draw(self, second: float) -> Plane:
        """The luma of this moment: light first, then the actors from back to front; grain over all."""
        picture = self.ground.copy()
        there = [(actor, foot) for actor in self.actors if (foot := actor.at(second)) is not None]
        for actor, (x, y) in there:
            if actor.light:
                picture *= _lit(actor, x, y)
        for actor, (x, y) in sorted(there, key=lambda each: each[1][1]):
            if not actor.light:
                self._paint(picture, actor, round(x - actor.wide / 2), round(y - actor.high))
        picture *= 1 + 0.06 * np.sin(second / 40)  # clouds
        picture += self.rng.normal(0, 1.5, picture.shape)
        return np.asarray(np.clip(picture, 16, 235), np.uint8)

    def _paint(self, picture: np.ndarray, actor: Actor, left: int, top: int) -> None:
        if actor not in self.paints:
            rng = np.random.default_rng(actor.seed)
            rows = np.linspace(0, 3, actor.high, endpoint=False).astype(int)
            self.paints[actor] = (
                actor.tone + rng.normal(0, 12, 3)[rows][:, None] + rng.normal(0, 4, (actor.high, actor.wide))
            )
        paint = self.paints[actor]
        shown = _cut(top, actor.high, HIGH), _cut(left, actor.wide, WIDE)
        own = tuple(
            slice(part.start - off, part.stop - off) for part, off in zip(shown, (top, left), strict=True)
        )
        picture[shown] = paint[own]


def _cut(start: int, length: int, of: int) -> slice:
    """What lies in the picture of a stretch of pixels."""
    return slice(min(of, max(0, start)), min(of, max(0, start + length)))


def _lit(actor: Actor, x: float, y: float) -> np.ndarray:
    """The gain of a lamp, which is soft, or of a shadow with a hard edge; (HIGH, WIDE)."""
    down, across = np.indices((HIGH, WIDE), np.float32)
    if actor.light > 0:
        far = ((across - x) / actor.wide) ** 2 + ((down - y) / actor.high) ** 2
        return 1 + actor.light * np.exp(-far)
    inside = (np.abs(across - x) < actor.wide / 2) & (np.abs(down - y + actor.high / 2) < actor.high / 2)
    return np.where(inside, 1 + actor.light, 1.0).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Found:
    """What was told of what happened."""

    happened: int
    reported: int
    """Of those that ought to be."""
    false: tuple[str, ...]
    """What was there instead, for each that was told and ought not to be."""
    ended_in_time: int
    """Of those that were told: the event ended within ten seconds of the thing being taken away."""


def score(stories: Sequence[Story], events: Sequence[Event], seconds: float) -> Found:
    """Events beside what was left behind for long enough."""
    rule = SETTINGS.rules[0]
    assert isinstance(rule, LeftObjectRule)
    owed = {
        each: each.thing
        for each in stories
        if each.thing and min(each.thing.stops[-1][0], seconds) - each.free_s >= rule.min_s + 10
    }
    right: list[Story] = []
    false, ended = [], 0
    ends = {event.id: event for event in events if event.phase is Phase.END}
    for event in events:
        if event.phase is not Phase.START or event.region is None:
            continue
        second = event.at.mono_s
        about = next((s for s in stories if s.thing and _over(event.region, s.thing.box(second))), None)
        if about is not None and about not in right:
            right.append(about)
            taken = owed[about].stops[-1][0] if about in owed else 0.0
            ended += -2 <= ends[event.id].at.mono_s - min(taken, seconds) <= 10
        else:
            there = [s.kind for s in stories for a in s.actors if _over(event.region, a.box(second))]
            false.append(f"{about.kind} again" if about else there[0] if there else "nothing")
    return Found(len(owed), sum(each in right for each in owed), tuple(false), ended)


def _over(region: Box, box: Box | None) -> bool:
    if box is None:
        return False
    wide = min(region.right, box.right) - max(region.left, box.left)
    high = min(region.bottom, box.bottom) - max(region.top, box.top)
    return wide > 0 and high > 0 and wide * high >= 0.3 * min(region.area, box.area)


def left(minutes: float, seed: int) -> Found:
    """Look at the street for so long."""
    rng, stories, seconds = np.random.default_rng(seed), [], minutes * 60
    spots = list(rng.permutation(np.array(SPOTS)))
    for number in range(int((seconds - LEARN_S) / EVERY_S)):
        spot = spots[number % len(spots)]
        begin, kind = LEARN_S + 2 + EVERY_S * number, KINDS[number % len(KINDS)]
        stories.append(story(kind, begin, (int(spot[0]), int(spot[1])), rng, rng.uniform(80, 130)))
    street = Street([*passers(rng, seconds), *(a for each in stories for a in each.actors)], seed)
    street.run(seconds)
    return score(stories, street.events, seconds)


def figures(minutes: float, seed: int) -> dict[str, object]:
    """The same as columns of the table."""
    found = left(minutes, seed)
    all_reported = found.reported + len(found.false)
    return {
        "left_minutes": minutes,
        "left_n": found.happened,
        "left_p": round(found.reported / max(1, all_reported), 3),
        "left_r": round(found.reported / max(1, found.happened), 3),
        "left_ended_in_time": found.ended_in_time,
    }
