"""What a camera on a pole sees though nothing is there, laid over a still view; seeds are fixed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Grey = NDArray[np.float32]
Nuisance = Callable[[Grey, float, np.random.Generator], Grey]
"""(the still view, seconds since the start, chance) -> the view with the nuisance, both (H, W) float32."""

HARD = 10 / 3
"""Times the sway of `shake`: ten pixels."""


def still(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    return view


def rain(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """Streaks that are in one frame only, some near and blurred."""
    layer = np.zeros(view.shape, np.uint8)
    height, width = view.shape
    for _ in range(120):
        x, y = int(chance.integers(0, width)), int(chance.integers(-20, height))
        long = int(chance.integers(8, 30))
        cv2.line(layer, (x, y), (x + long // 6, y + long), int(chance.integers(20, 70)), 1 + int(long > 26))
    return view + cv2.GaussianBlur(layer, (3, 3), 0)


def snow(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """Flakes of 2 to 6 pixels, in another place in each frame."""
    layer = np.zeros(view.shape, np.uint8)
    for _ in range(60):
        place = int(chance.integers(0, view.shape[1])), int(chance.integers(0, view.shape[0]))
        cv2.circle(layer, place, int(chance.integers(1, 4)), int(chance.integers(30, 90)), cv2.FILLED)
    return view + cv2.GaussianBlur(layer, (3, 3), 0)


def headlights(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """At night, every ten seconds a soft beam sweeps over the view in three."""
    dark = view * 0.35
    part = at_s % 10 / 3
    if part >= 1:
        return dark
    height, width = view.shape
    x, y = (part * 1.6 - 0.3) * width, (0.6 + 0.2 * np.sin(at_s // 10)) * height
    far = ((np.arange(width) - x) / (0.16 * width))[None] ** 2 + ((np.arange(height) - y) / (0.22 * height))[
        :, None
    ] ** 2
    beam = np.exp(-far / 2).astype(np.float32)
    return np.asarray(dark * (1 + 1.5 * beam) + 12 * beam, np.float32)


def exposure(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """Every fifteen seconds the camera changes its exposure within half a second."""
    gains = (1.0, 0.65, 1.3, 0.8, 1.1)
    turn, late_s = int(at_s // 15), at_s % 15
    old, new = gains[(turn - 1) % 5], gains[turn % 5]
    return view * (old + (new - old) * min(1.0, late_s / 0.5)) if turn else view


def clouds(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """Soft shadows of clouds drift over the view within a minute each."""
    x = np.arange(view.shape[1]) / view.shape[1]
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * (x * 0.7 - at_s / 60))
    return np.asarray(view * (0.65 + 0.35 * wave[None]), np.float32)


def shake(view: Grey, at_s: float, chance: np.random.Generator, times: float = 1.0) -> Grey:
    """The pole sways by up to three pixels, or so many times as far, with two tones and a tremble."""
    x, y = _swayed(at_s)
    x, y = times * (x + chance.normal(0, 0.3)), times * (y + chance.normal(0, 0.3))
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return np.asarray(cv2.warpAffine(view, move, view.shape[::-1], borderMode=cv2.BORDER_REFLECT), np.float32)


def _swayed(at_s: float) -> tuple[float, float]:
    """How far the pole is from where it stands, in pixels to the right and down, but for its tremble."""
    x = 1.8 * np.sin(2 * np.pi * 1.3 * at_s) + 0.8 * np.sin(2 * np.pi * 3.1 * at_s)
    return float(x), float(0.9 * np.sin(2 * np.pi * 1.7 * at_s))


def hard_shake(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """The same by up to ten pixels."""
    return shake(view, at_s, chance, HARD)


def moved(name: str, at_s: float) -> tuple[float, float]:
    """How far what the view shows lies beside its place during this nuisance, in pixels."""
    x, y = _swayed(at_s)
    times = {"shake": 1.0}.get(name, HARD if name.endswith("hard shake") else 0.0)
    return times * x, times * y


def trees(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """Two crowns before the view, whose leaves hide half of what is behind.

    In gusts they swing by a twentieth of its height.
    """
    leaves, cover, phase = _crowns(view.shape[0], view.shape[1], _seed(chance))
    gust = 0.25 + 0.75 * max(0.0, np.sin(2 * np.pi * at_s / 17)) * (0.6 + 0.4 * np.sin(2 * np.pi * at_s / 5.3))
    far = np.float32(0.05 * view.shape[0] * gust)
    turn = np.float32(2 * np.pi * at_s)
    x = far * (0.6 * np.sin(0.45 * turn + phase) + 0.25 * np.sin(1.1 * turn + 3 * phase))
    y = far * (0.3 * np.sin(0.7 * turn + 2 * phase) + 0.15 * np.sin(1.7 * turn + 5 * phase))
    down, across = np.mgrid[0 : view.shape[0], 0 : view.shape[1]].astype(np.float32)
    x, y = (across + x).astype(np.float32), (down + y).astype(np.float32)
    leaves, cover = (cv2.remap(each, x, y, cv2.INTER_LINEAR) for each in (leaves, cover))
    return np.asarray(view + cover * (leaves - view), np.float32)


@lru_cache(maxsize=2)
def _crowns(height: int, width: int, seed: int) -> tuple[Grey, Grey, Grey]:
    """The greys of the leaves, how much they hide (0..1), and where in its swing each place is; (H, W) each."""
    chance = np.random.default_rng(seed)
    leaves, cover = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    for x, y, wide, high in ((0.18, 0.22, 0.22, 0.24), (0.84, 0.3, 0.2, 0.3)):
        for _ in range(260):
            angle, far = chance.uniform(0, 2 * np.pi), np.sqrt(chance.uniform(0, 1))
            place = (
                int((x + far * wide * np.cos(angle)) * width),
                int((y + far * high * np.sin(angle)) * height),
            )
            size = max(1, round(height * chance.uniform(0.008, 0.03)))
            axes, turned = (size, max(1, size // 2)), float(chance.uniform(0, 180))
            cv2.ellipse(leaves, place, axes, turned, 0, 360, float(chance.uniform(20, 150)), cv2.FILLED)
            cv2.ellipse(cover, place, axes, turned, 0, 360, 1.0, cv2.FILLED)
    rough = chance.uniform(0, 3, (6, 8)).astype(np.float32)
    phase = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return leaves, cv2.GaussianBlur(cover, (3, 3), 0), np.asarray(phase, np.float32)


def insects(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """At night a lamp, and about it eleven insects: some flit over half of the view, some hover at the lamp."""
    return _lamp(view, at_s, chance) + 4 * grain(view.shape, chance)


def _lamp(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """The same before the sensor adds its grain."""
    height, width = view.shape
    lamp_x, lamp_y = 0.6 * width, 0.25 * height
    far = ((np.arange(width) - lamp_x) ** 2)[None] + ((np.arange(height) - lamp_y) ** 2)[:, None]
    glow = 60 * np.exp(-far / (2 * (0.12 * height) ** 2))
    layer = np.zeros(view.shape, np.uint8)
    for flight in _flights(_seed(chance)):
        if np.sin(flight.bout[0] * at_s + flight.bout[1]) < flight.bout[2]:
            continue
        way = [flight.at(at_s - late_s) for late_s in (0.0, 0.02, 0.04)]  # an exposure at night is long
        points = np.array([(lamp_x + x * height, lamp_y + y * height) for x, y in way])
        thick = max(1, round(2 * flight.size * height))
        cv2.polylines(layer, [np.round(points).astype(np.int32)], False, flight.bright, thick)
    return np.asarray(view * 0.4 + glow + cv2.GaussianBlur(layer, (3, 3), 0), np.float32)


def shaken_trees(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """Trees, and the pole sways by up to ten pixels."""
    return hard_shake(trees(view, at_s, chance), at_s, chance)


def shaken_insects(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """Insects, and the pole sways by up to ten pixels."""
    return hard_shake(_lamp(view, at_s, chance), at_s, chance) + 4 * grain(view.shape, chance)


class Flight(NamedTuple):
    """How an insect flies about the lamp, in heights of the view."""

    swings: NDArray[np.float64]
    """(3, 5): far x, far y, turns a second, phase of x, of y."""
    bout: tuple[float, float, float]
    """It is there while sin(first x seconds + second) is at least the third."""
    size: float
    bright: int

    def at(self, at_s: float) -> tuple[float, float]:
        """Where it is, seen from the lamp."""
        x, y, pace, phase_x, phase_y = self.swings.T
        turn = 2 * np.pi * pace * at_s
        return float((x * np.sin(turn + phase_x)).sum()), float((y * np.sin(1.13 * turn + phase_y)).sum())


@lru_cache(maxsize=2)
def _flights(seed: int) -> tuple[Flight, ...]:
    chance = np.random.default_rng(seed)
    flights = []
    for number in range(11):
        reach = 0.5 if number < 8 else 0.05
        far = reach * np.array([0.6, 0.3, 0.15])[:, None] * chance.uniform(0.5, 1, (3, 2))
        pace = np.array([0.4, 1.3, 3.1]) * chance.uniform(0.7, 1.4, 3)
        swings = np.column_stack([far, pace, chance.uniform(0, 2 * np.pi, (3, 2))])
        bout = float(chance.uniform(0.4, 1.6)), float(chance.uniform(0, 6)), float(chance.uniform(-0.5, 0.5))
        size, bright = float(chance.uniform(0.003, 0.012)), int(chance.integers(70, 170))
        flights.append(Flight(swings, bout, size, bright))
    return tuple(flights)


def _seed(chance: np.random.Generator) -> int:
    """What the generator began with: a tree stays the same tree."""
    return int(chance.bit_generator.seed_seq.entropy)


def infrared(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """A dark view with the grain of full gain."""
    return view * 0.4 + 9 * grain(view.shape, chance)


ALL: dict[str, Nuisance] = {
    "still": still,
    "rain": rain,
    "snow": snow,
    "headlights": headlights,
    "exposure": exposure,
    "clouds": clouds,
    "shake": shake,
    "hard shake": hard_shake,
    "infrared": infrared,
    "trees": trees,
    "insects": insects,
    "trees, hard shake": shaken_trees,
    "insects, hard shake": shaken_insects,
}


def taken(view: Grey, chance: np.random.Generator) -> Plane:
    """What the sensor makes of it: noise of 1.5 steps, whole steps, 0..255."""
    return np.clip(view + 1.5 * grain(view.shape, chance), 0, 255).astype(np.uint8)


def grain(shape: tuple[int, ...], chance: np.random.Generator) -> Grey:
    """Normal noise of deviation 1: a part of one large sheet; drawing it anew costs more than motion."""
    down, right = int(chance.integers(0, shape[0])), int(chance.integers(0, shape[1]))
    part = _sheet(shape[0], shape[1])[down : down + shape[0], right : right + shape[1]]
    return part[::-1] if chance.integers(0, 2) else part


@lru_cache(maxsize=4)
def _sheet(height: int, width: int) -> Grey:
    return np.random.default_rng(6).standard_normal((2 * height, 2 * width), np.float32)
