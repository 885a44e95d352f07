"""A car that is parked where it may not be, for a day: told once, whatever the light and the traffic do to it.

The detector sees it badly, at night hardly ever, and not at all while something passes before it; for hours it
may not be found at all. Everything goes through tracker and rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agent.core.ids import Ids
from agent.core.rules import engine as rules
from agent.core.rules.engine import RuleInput, RulesState
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.settings import RuleSettings
from agent.core.rules.zones import Zone
from agent.core.tracking import tracker as track
from agent.core.tracking.tracker import TrackerState, TrackSettings
from agent.core.types import WHOLE, Box, Detection, Event, Motion, Phase, Sighting
from benchmarks.scenes.chain import instant
from benchmarks.scenes.ground import FRAME

SETTINGS = RuleSettings(
    zones=(Zone(id="kerb", polygon=((0.3, 0.4), (0.7, 0.4), (0.7, 0.8), (0.3, 0.8))),),
    rules=(StoppedVehicleRule(id="parked", zone="kerb", min_s=60.0),),
)
HOME = np.array([0.45, 0.5, 0.58, 0.62])
STEP_S = 0.5
Detections = tuple[Detection, ...]


def alerts(hours: float, seed: int) -> int:
    """How often the parked car is told in so many hours."""
    rng = np.random.default_rng(seed)
    tracker: TrackerState | None = None
    state: RulesState | None = None
    passers = Passers()
    ids, count = Ids(b"a car stands still"), 0
    for n in range(int(hours * 3600 / STEP_S)):
        at = instant(n * STEP_S)
        found, moving = _see(rng, n * STEP_S, passers)
        sighting = Sighting(at, (WHOLE,), found, moving)
        tracker, ids, tracks = track.update(tracker, sighting, ids, TrackSettings())
        scene = RuleInput(at, FRAME, Motion(moving, 0.0), tracks, looked=sighting.looked)
        state, ids, events = rules.update(state, scene, ids, SETTINGS)
        count += sum(isinstance(each, Event) and each.phase is Phase.START for each in events)
    return count


@dataclass(slots=True)
class Passers:
    """Lorries that go by before the parked car, one at a time."""

    x: float = 9.0
    speed: float = 0.0

    def step(self, rng: np.random.Generator, every_s: float) -> Box | None:
        """Where one is now, if there is one; a new one comes every so many seconds on average."""
        self.x += self.speed * STEP_S
        if not -0.3 < self.x < 1.3:
            if rng.random() >= STEP_S / every_s:
                return None
            way = 1.0 if rng.random() < 0.5 else -1.0
            self.x, self.speed = (-0.25 if way > 0 else 1.25), way * rng.uniform(0.2, 0.5)
        left, right = max(0.0, self.x - 0.12), min(1.0, self.x + 0.12)
        return Box(left, 0.42, right, 0.72) if right - left > 0.05 else None


def _see(rng: np.random.Generator, second: float, passers: Passers) -> tuple[Detections, tuple[Box, ...]]:
    hour = second / 3600 % 24
    day = 6 <= hour < 18
    chance = 0.9 if day else 0.15
    if 2 <= hour < 4:
        chance = 0.0  # the lamp is out
    found: list[Detection] = []
    passer = passers.step(rng, 15.0 if day else 120.0)
    if passer:
        if rng.random() < 0.9:
            found.append(Detection("truck", 0.8, passer))
        if passer.left < 0.55 and passer.right > 0.48:
            chance = 0.0
    if rng.random() < chance:
        size = np.array([HOME[2] - HOME[0], HOME[3] - HOME[1]] * 2)
        row = HOME + 0.04 * size * rng.normal(size=4)
        label = "truck" if rng.random() < 0.1 else "car"
        score = float(np.clip(rng.normal(0.7, 0.12), 0.2, 0.95))
        found.append(Detection(label, score, Box(*(float(v) for v in row))))
    return tuple(found), (passer,) if passer else ()
