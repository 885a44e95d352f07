"""The junction as Vietnamese roads are: most vehicles are motorbikes, several abreast, and do what cars do not.

Riders come in swarms that fill a lane from edge to edge, wait together at the stop line, turn about
before the middle of the junction, and ride against the traffic along the edge. What is counted, and how it is
judged, is as in the other scenes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

from benchmarks.scenes.ground import MIDDLE
from benchmarks.scenes.traffic import GAP_S, SIZES, STOP_M, Route, Traffic, User, against, arc, route

ABREAST_M = {"1": (-1.3, -0.3, 0.7, 1.7), "2": (-2.0, -1.0, 0.0, 1.0)}
"""Metres to the right of the middle of the inner and the outer lane: four riders fit beside each other."""
ALONE = 0.55 * 0.7
"""Of a way's vehicles, those that come alone in the usual traffic: the rest are swarms."""
TURN_M = 6.0
"""So far before the middle riders turn about."""
STRAIGHT = ("north-1", "north-2", "south-1", "south-2", "east-1", "east-2", "west-1", "west-2")
ZONE_M = 3.0
"""Before and behind the end of a turn: whoever is there, or comes there, has the right of way."""


@dataclass(frozen=True, slots=True)
class Density:
    """How much comes, a minute.

    Attributes:
        swarms: On each straight lane.
        riders: Least and most in a swarm.
        abreast: Least and most of them side by side.
        cars: Share of the other vehicles of the usual junction.
        turns: Riders who turn about, on each side of the road away from the camera.
        against: Riders against the traffic, along the edge of that road.
    """

    swarms: float = 0.12
    riders: tuple[int, int] = (6, 40)
    abreast: tuple[int, int] = (2, 4)
    cars: float = 0.6
    turns: float = 1.0
    against: float = 1.0


class Swarm(Traffic):
    """That junction over time."""

    def __init__(self, seed: int, density: Density | None = None) -> None:
        """Nothing but traffic happens: no halts on the shoulder, nobody stays, nobody gathers."""
        super().__init__(seed, incidents=0.0)
        self.density = density or Density()
        self.turning = _turns()

    def _arrive(self) -> None:
        for name, (way, a_minute) in self.routes.items():
            for _ in range(self._often(ALONE * a_minute * self.density.cars)):
                self._vehicle(way)
            if name in STRAIGHT:
                for _ in range(self._often(self.density.swarms)):
                    self._abreast(way, ABREAST_M[name[-1]])
        for way in self.turning:
            for _ in range(self._often(self.density.turns)):
                self._new("motorcycle", way, self.rng.uniform(4.0, 6.0), riders=self._riders())
        for _ in range(self._often(self.density.against)):
            self._new("motorcycle", against(), self.rng.uniform(5.0, 8.0), riders=self._riders())
        for _ in range(self._often(1.0)):
            self._walker()

    def _abreast(self, way: Route, offsets: tuple[float, ...]) -> None:
        """A swarm: rows of riders, each where it can see past the one before."""
        low, high = self.density.riders
        least, most = self.density.abreast
        places = self.rng.permutation(len(offsets))[: int(self.rng.integers(least, most + 1))]
        wish = float(self.rng.uniform(6.0, 9.0))
        for number in range(int(self.rng.integers(low, high + 1))):
            offset = offsets[places[number % len(places)]] + float(self.rng.uniform(-0.08, 0.08))
            label = "bicycle" if self.rng.random() < 0.05 else "motorcycle"
            riders = 1 if label == "bicycle" else self._riders()
            self._new(label, way, wish + float(self.rng.uniform(-0.5, 0.5)), offset=offset, riders=riders)

    def _riders(self) -> int:
        return int(self.rng.choice([1, 1, 1, 2, 2, 3]))

    def _cuts_off(self, user: User, drivers: list[User]) -> bool:
        others = [each for each in drivers if not any(each.way is way for way in self.turning)]
        if not any(user.way is way for way in self.turning):
            return super()._cuts_off(user, others)
        out = user.way is self.turning[0]
        # Who turns left leaves the road before the far turn: each would wait for the other for good.
        return any(self._near(other, out) for other in others if other.way.before != "oncoming")

    def _near(self, other: User, out: bool) -> bool:
        """Is it where one who turns out of (or into) the near half of the road comes, or will it soon be?"""
        side, ahead = (-1, MIDDLE - TURN_M) if out else (1, MIDDLE + TURN_M)
        if side * other.heading < 1.0 or side * other.heading > pi - 1.0 or side * other.place[0] < 0:
            return False
        half = SIZES[other.label][0] / 2
        to_come = side * (ahead - other.place[1]) - half - ZONE_M
        gone = to_come + 2 * half + 2 * ZONE_M < 0
        behind = side * (MIDDLE - side * STOP_M - other.place[1]) > half
        waits = behind and not self.green("a")
        return not gone and not waits and to_come < GAP_S * max(other.speed, 2.0)


def _turns() -> tuple[Route, Route]:
    """From each side of the road away from the camera, around before the middle of the junction, and back."""
    near, far = MIDDLE - TURN_M, MIDDLE + TURN_M
    out = [(1.75, 0.0), *arc((0.0, near), 1.75, 0.0, pi), (-1.75, 0.0)]
    home = [(-1.75, 85.0), *arc((0.0, far), 1.75, pi, 2 * pi), (1.75, 85.0)]
    return (
        route(out, "a", MIDDLE - STOP_M, near - 0.5, "about"),
        route(home, "a", 85.0 - MIDDLE - STOP_M, 85.0 - far - 0.5, "about"),
    )
