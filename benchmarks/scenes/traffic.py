"""The simulated road users: who comes, where they go and how they keep from running into each other.

Drivers follow the intelligent driver model (Treiber, Hennecke, Helbing 2000) behind whoever is before them in
their way; a red light is a standing vehicle at the stop line. Who turns gives way to those that it would cut
off, and a green light is not taken while the other road's traffic is still in the middle. Motorbikes come in
swarms, side by side. People (people.py) walk across when the road is red, stay, or gather.
No two bodies share a place, which a test demands. Everything is drawn from one seeded generator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import atan2, cos, pi, sin

import numpy as np

from benchmarks.scenes import people
from benchmarks.scenes.ground import MIDDLE, Floats

STEP_S = 0.1
CYCLE_S = 56.0
GREEN_S = 24.0
STOP_M = 10.0
"""The stop lines lie so far from the middle, and the rows where people cross between them and the junction."""
ROWS = (MIDDLE - 8.8, MIDDLE + 9.0)
SIDE = 0.25
"""Metres that a driver leaves to the side."""
OUT_M = 42.0
"""So far to the side nothing is in the picture any more, where people walk."""
WALK = 1.3
GAP_S = 6.0
"""Who gives way goes if nobody would come within so many seconds."""
SIZES = {
    "car": (4.3, 1.8, 1.5),
    "truck": (7.0, 2.3, 2.9),
    "bus": (11.0, 2.5, 3.0),
    "motorcycle": (1.9, 0.75, 1.65),
    "bicycle": (1.7, 0.6, 1.65),
    "person": (0.5, 0.5, 1.7),
}


@dataclass(frozen=True, slots=True)
class Route:
    """A way over the ground: (N, 2) points in metres, and where it stops at red."""

    points: Floats
    light: str | None = None
    """`a` for the road away from the camera, `b` for the one across, None for no light."""
    stop_m: float = 0.0
    reach: Floats = field(default_factory=lambda: np.zeros(0))
    """Metres along the way at each point."""
    give_m: float = 0.0
    """Where it gives way to `before`, metres along."""
    before: str | None = None
    """Whom it would cut off: `oncoming`, `edge` (those on the shoulder or against the traffic), `turning`;
    `about` is for those who turn about (swarm.py)."""


def route(
    points: list[tuple[float, float]],
    light: str | None = None,
    stop_m: float = 0.0,
    give_m: float = 0.0,
    before: str | None = None,
) -> Route:
    """A way through the points."""
    array = np.array(points, np.float64)
    steps = np.hypot(*np.diff(array, axis=0).T)
    return Route(array, light, stop_m, np.concatenate([[0.0], np.cumsum(steps)]), give_m, before)


def arc(center: tuple[float, float], radius: float, start: float, end: float) -> list[tuple[float, float]]:
    """Twelve points of a bend, metres, angles in radians from +x."""
    return [(center[0] + radius * cos(a), center[1] + radius * sin(a)) for a in np.linspace(start, end, 12)]


def junction() -> dict[str, tuple[Route, float]]:
    """Every way over the junction with its vehicles a minute."""
    near, far = MIDDLE - STOP_M, MIDDLE + STOP_M
    right = arc((9.25, MIDDLE - 9.25), 4.0, pi, pi / 2)
    left = arc((-7.25, MIDDLE - 7.25), 9.0, 0.0, pi / 2)
    home = arc((-9.25, MIDDLE + 9.25), 4.0, 0.0, -pi / 2)
    return {
        "north-1": (route([(1.75, 0.0), (1.75, 85.0)], "a", near), 6.0),
        "north-2": (route([(5.25, 0.0), (5.25, 85.0)], "a", near), 6.0),
        "north-right": (
            route([(5.25, 0.0), *right, (45.0, MIDDLE - 5.25)], "a", near, near + 0.5, "edge"),
            3.0,
        ),
        "north-left": (route([(1.75, 0.0), *left, (-45.0, MIDDLE + 1.75)], "a", near, 30.7, "oncoming"), 1.5),
        "south-1": (route([(-1.75, 85.0), (-1.75, 0.0)], "a", 85.0 - far), 6.0),
        "south-2": (route([(-5.25, 85.0), (-5.25, 0.0)], "a", 85.0 - far), 6.0),
        "south-right": (route([(-5.25, 85.0), *home, (-45.0, MIDDLE + 5.25)], "a", 85.0 - far), 2.5),
        "east-1": (route([(-45.0, MIDDLE - 1.75), (45.0, MIDDLE - 1.75)], "b", 37.0), 6.0),
        "east-2": (route([(-45.0, MIDDLE - 5.25), (45.0, MIDDLE - 5.25)], "b", 37.0), 6.0),
        "west-1": (route([(45.0, MIDDLE + 1.75), (-45.0, MIDDLE + 1.75)], "b", 37.0), 6.0),
        "west-2": (route([(45.0, MIDDLE + 5.25), (-45.0, MIDDLE + 5.25)], "b", 37.0), 6.0),
    }


def against() -> Route:
    """Against the traffic, along the edge of the road."""
    return route([(7.15, 85.0), (7.15, 0.0)], "a", 85.0 - MIDDLE - STOP_M, 85.0 - MIDDLE, "turning")


@dataclass(slots=True)
class User:
    """One road user; changes as it moves."""

    name: int
    label: str
    way: Route
    speed: float
    wish: float
    """The speed that it would like, metres a second."""
    offset: float = 0.0
    """Metres to the right of its way."""
    along: float = 0.0
    riders: int = 0
    parked: bool = False
    pauses: list[tuple[float, float]] = field(default_factory=list)
    """(metres along, seconds): where it halts and for how long."""
    paused_s: float = 0.0
    place: tuple[float, float] = (0.0, 0.0)
    heading: float = 0.0
    keeps: float = 0.0
    """The offset that a walker returns to after it made room."""
    held_s: float = 0.0
    """How long a walker has been held up by others, less how long it has walked on since."""

    def settle(self) -> None:
        """Set place and heading from how far along it is."""
        points, reach = self.way.points, self.way.reach
        n = min(max(int(np.searchsorted(reach, self.along, "right")) - 1, 0), len(points) - 2)
        part = (self.along - reach[n]) / max(reach[n + 1] - reach[n], 1e-9)
        dx, dy = points[n + 1] - points[n]
        self.heading = atan2(dy, dx)
        x, y = points[n] + part * (points[n + 1] - points[n])
        self.place = (float(x + self.offset * sin(self.heading)), float(y - self.offset * cos(self.heading)))


class Traffic:
    """The junction over time. `step` moves everyone by a tenth of a second."""

    def __init__(self, seed: int, flow: float = 1.0, incidents: float = 1.0) -> None:
        """`flow` scales how many come, `incidents` how often something happens that a rule is about."""
        self.rng = np.random.default_rng(seed)
        self.users: list[User] = []
        self.second = 0.0
        self.routes = junction()
        self.flow = flow
        self.incidents = incidents
        self.waiting: list[User] = []
        self.names = 0
        for x, y, turn in ((-8.6, 18.0, 1.0), (-8.6, 60.0, 1.0), (12.5, 60.0, -1.0)):
            self._park(x, y, turn)

    def step(self) -> list[User]:
        """Everyone after the next tenth of a second."""
        self.second = round(self.second + STEP_S, 3)
        self._arrive()
        self._enter()
        self._drive([user for user in self.users if user.label != "person" and not user.parked])
        left_s = GREEN_S - self._phase("b")  # people cross the road that is red
        people.step([user for user in self.users if user.label == "person"], left_s, STEP_S)
        self.users = [user for user in self.users if user.along < user.way.reach[-1] - 0.01 or user.parked]
        return self.users

    def green(self, light: str) -> bool:
        """May the road go?"""
        return self._phase(light) < GREEN_S

    def _phase(self, light: str) -> float:
        return (self.second + (0.0 if light == "a" else CYCLE_S / 2)) % CYCLE_S

    def _free(self, light: str) -> bool:
        """Is it green, and has the other road's traffic left the middle?"""
        return self.green(light) and not any(
            user.way.light not in (None, light)
            and user.label != "person"
            and abs(user.place[0]) < 11.5
            and abs(user.place[1] - MIDDLE) < 10.0
            and user.along > user.way.stop_m
            for user in self.users
        )

    def _often(self, a_minute: float) -> int:
        return int(self.rng.poisson(a_minute * STEP_S / 60))

    def _new(self, label: str, way: Route, wish: float, **more: object) -> User:
        self.names += 1
        user = User(self.names, label, way, wish * 0.8, wish, **more)  # type: ignore[arg-type]
        self.waiting.append(user)
        return user

    def _park(self, x: float, y: float, turn: float) -> None:
        user = self._new("car", route([(x, y), (x, y + turn)]), 0.0, parked=True)
        user.settle()
        self.waiting.remove(user)
        self.users.append(user)

    def _arrive(self) -> None:
        for way, a_minute in self.routes.values():
            for _ in range(self._often(0.55 * a_minute * self.flow)):
                if self.rng.random() < 0.3:
                    self._swarm(way)
                else:
                    self._vehicle(way)
        for _ in range(self._often(3.0 * self.flow)):
            self._walker()
        self._incidents()

    def _vehicle(self, way: Route) -> None:
        label = str(self.rng.choice(["car", "car", "car", "car", "truck", "bus"]))
        label = "truck" if label == "bus" and len(way.points) > 2 else label  # buses go straight on
        self._new(label, way, self.rng.uniform(8.0, 12.0))

    def _walker(self) -> None:
        y = float(self.rng.choice(ROWS))
        self._stroll([(-OUT_M, y), (OUT_M, y)])

    def _swarm(self, way: Route) -> None:
        for _ in range(int(self.rng.integers(2, 6))):
            label = "bicycle" if self.rng.random() < 0.1 else "motorcycle"
            riders = 1 if label == "bicycle" else int(self.rng.choice([1, 1, 2, 2, 3]))
            offset = float(self.rng.uniform(-1.0, 1.0))
            self._new(label, way, self.rng.uniform(6.0, 9.0), offset=offset, riders=riders)

    def _stroll(self, points: list[tuple[float, float]]) -> None:
        if self.rng.random() < 0.5:
            points = points[::-1]
        way = route(points, "walk", OUT_M - people.KERB_M)
        keeps = float(self.rng.uniform(0.3, 0.6))  # to the right, as everyone who comes the other way
        self._new("person", way, float(self.rng.uniform(1.0, 1.6)), offset=keeps, keeps=keeps)

    def _incidents(self) -> None:
        rate = self.incidents
        for _ in range(self._often(1.2 * rate)):  # halts on the shoulder where none may halt
            halt_s = float(self.rng.choice([self.rng.uniform(4, 14), self.rng.uniform(32, 60)]))
            halt_m = float(self.rng.uniform(19.0, 21.5))
            right = arc((11.5, MIDDLE - 8.25), 3.0, pi, pi / 2)
            way = route(
                [(8.5, 0.0), *right, (45.0, MIDDLE - 5.25)], "a", MIDDLE - STOP_M, MIDDLE - STOP_M, "turning"
            )
            self._new("car", way, 8.0, pauses=[(halt_m, halt_s)])
        for _ in range(self._often(1.5 * rate)):  # against the traffic, along the edge of the road
            self._new("motorcycle", against(), float(self.rng.uniform(5, 8)), riders=1)
        for _ in range(self._often(1.5 * rate)):  # stays in the square, or walks through
            x, y = self.rng.uniform(-17, -13), MIDDLE + self.rng.uniform(12.5, 17)
            stays = self.rng.random() < 0.6
            pause = [(float(25 + 3 * k), float(self.rng.uniform(8, 16))) for k in range(5)] if stays else []
            corner = [(x + dx, y + dy) for dx, dy in ((0, 0), (2, 1), (1, 2), (-1, 1), (0, -1), (1, 1), (0, 0))]
            self._new("person", route([(-OUT_M, y), *corner, (-OUT_M - 6, MIDDLE + 25)]), WALK, pauses=pause)
        for _ in range(self._often(0.6 * rate)):  # a crowd, or a few friends
            self._gather(int(self.rng.choice([self.rng.integers(3, 6), self.rng.integers(12, 16)])))

    def _gather(self, number: int) -> None:
        if any(
            u.label == "person" and u.place[0] > 9 and u.place[1] > MIDDLE + 10.5
            for u in (*self.users, *self.waiting)
        ):
            return  # one crowd at a time, so that the truth is plain
        pause_s = float(self.rng.uniform(35, 70))
        for n in range(number):
            row, column = divmod(n, 5)  # who goes farthest walks in front: nobody passes through another
            x = 12.5 + 1.5 * column + self.rng.uniform(-0.3, 0.3)
            y = MIDDLE + 12.5 + 1.8 * row + self.rng.uniform(-0.3, 0.3)
            start = OUT_M + 1.5 * column
            far = start - x
            user = self._new("person", route([(start, y), (x, y), (start, y)]), WALK, pauses=[(far, pause_s)])
            user.place = (start, y)

    def _enter(self) -> None:
        """Let those in for whom there is room, no faster than whoever is before them."""
        for user in list(self.waiting):
            user.settle()
            if user.label == "person":
                blocked = people.near(user, self.users)
            else:
                drivers = [u for u in self.users if u.label != "person" and not u.parked]
                gaps, speeds = _ahead([*drivers, user])
                gap, speed = float(gaps[-1]), float(speeds[-1])
                blocked = gap < 2.0 or _beside(user, drivers)
                user.speed = min(user.speed, speed + 0.5 * gap)
            if not blocked:
                self.waiting.remove(user)
                self.users.append(user)

    def _drive(self, drivers: list[User]) -> None:
        if not drivers:
            return
        gaps, ahead_speed = _ahead(drivers)
        free = {light: self._free(light) for light in ("a", "b")}
        for n, user in enumerate(drivers):
            gap, speed = gaps[n], ahead_speed[n]
            halt = self._halt(user, drivers, free)
            if halt < gap:
                gap, speed = halt, 0.0
            closing = user.speed - speed
            wanted = 1.5 + max(0.0, user.speed * 1.1 + user.speed * closing / (2 * (1.6 * 2.2) ** 0.5))
            push = 1.6 * (1 - (user.speed / max(user.wish, 0.1)) ** 4 - (wanted / max(gap, 0.1)) ** 2)
            user.speed = max(0.0, user.speed + STEP_S * float(np.clip(push, -7.0, 1.6)))
            if user.speed < 0.05 and gap < 2.2:
                user.speed = 0.0
            user.along += user.speed * STEP_S
            user.settle()

    def _halt(self, user: User, drivers: list[User], free: dict[str, bool]) -> float:
        """Metres to where it must stop: a red light, someone to give way to, or a halt of its own."""
        half = SIZES[user.label][0] / 2
        nearest = 1e9
        left = user.way.stop_m - user.along - half
        braking_m = user.speed**2 / 6
        # Who can no longer brake goes through; the all-red of four seconds is for them.
        if user.way.light and not free[user.way.light] and left > max(-0.5, braking_m - 1.0):
            nearest = left + 0.8
        give_m = user.way.give_m - user.along - half
        if user.way.before and max(-0.5, braking_m - 1.0) < give_m < 25.0 and self._cuts_off(user, drivers):
            nearest = min(nearest, give_m + 0.8)
        if user.pauses:
            where, seconds = user.pauses[0]
            nearest = min(nearest, max(0.0, where - user.along) + 1.0)
            if user.speed == 0.0 and where - user.along < 4.0:
                user.paused_s += STEP_S
                if user.paused_s >= seconds:
                    user.pauses.pop(0)
                    user.paused_s = 0.0
        return nearest

    def _cuts_off(self, user: User, drivers: list[User]) -> bool:
        """Would someone have to brake if it went on now?"""
        green = self.green("a")
        for other in drivers:
            x, y = other.place
            half = SIZES[other.label][0] / 2
            if other is user or other.way is user.way:
                continue
            if user.way.before == "turning":
                if 5.0 < x < 13.0 and MIDDLE - 11 < y < MIDDLE - 2 and 0.02 < other.heading < 1.55:
                    return True
                continue
            edge = user.way.before == "edge"
            area = (MIDDLE - 11, MIDDLE - 3) if edge else (MIDDLE - 4, MIDDLE + 4)
            if other.heading < -1.0 and (x > 6.7 if edge else x < 0):
                to_come, gone = y - half - area[1], y + half < area[0]
                waits = not green and y - half > MIDDLE + STOP_M - 1
            elif edge and other.heading > 1.2 and x > 7.8:
                to_come, gone = area[0] - y - half, y - half > area[1]
                waits = (not green and y + half < MIDDLE - STOP_M) or other.speed == 0.0
            else:
                continue
            if not gone and not waits and to_come < GAP_S * max(other.speed, 2.0):
                return True
        return False


def _ahead(drivers: list[User]) -> tuple[Floats, Floats]:
    """For each driver the free metres to whoever is before it in its way, and that one's speed."""
    places = np.array([user.place for user in drivers])
    headings = np.array([user.heading for user in drivers])
    lengths = np.array([SIZES[user.label][0] for user in drivers])
    widths = np.array([SIZES[user.label][1] for user in drivers])
    speeds = np.array([user.speed for user in drivers])
    dx = places[None, :, 0] - places[:, None, 0]
    dy = places[None, :, 1] - places[:, None, 1]
    along = dx * np.cos(headings)[:, None] + dy * np.sin(headings)[:, None]
    aside = np.abs(-dx * np.sin(headings)[:, None] + dy * np.cos(headings)[:, None])
    same = np.cos(headings[None, :] - headings[:, None]) > 0.4
    inway = same & (along > 0.05) & (aside < (widths[:, None] + widths[None, :]) / 2 + SIDE)
    # Side by side in a bend each may see the other before it: the first to have come goes first.
    first_come = np.arange(len(drivers))
    inway &= ~(inway.T & (first_come[:, None] < first_come[None, :]))
    gap = np.where(inway, along - (lengths[:, None] + lengths[None, :]) / 2, 1e9)
    np.fill_diagonal(gap, 1e9)
    first = gap.argmin(axis=1)
    return np.maximum(gap[np.arange(len(drivers)), first], 0.0), speeds[first]


def _beside(user: User, drivers: list[User]) -> bool:
    """Is a part of another vehicle where it wants to come in?"""
    for other in drivers:
        dx, dy = other.place[0] - user.place[0], other.place[1] - user.place[1]
        along = abs(dx * cos(user.heading) + dy * sin(user.heading))
        aside = abs(-dx * sin(user.heading) + dy * cos(user.heading))
        (long, wide, _), (other_long, other_wide, _) = SIZES[user.label], SIZES[other.label]
        if along < (long + other_long) / 2 + 0.5 and aside < (wide + other_wide) / 2 + SIDE:
            return True
    return False
