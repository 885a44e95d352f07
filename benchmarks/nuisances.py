"""What a camera on a pole sees though nothing is there, laid over a still view; seeds are fixed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Grey = NDArray[np.float32]
Nuisance = Callable[[Grey, float, np.random.Generator], Grey]
"""(the still view, seconds since the start, chance) -> the view with the nuisance, both (H, W) float32."""


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


def shake(view: Grey, at_s: float, chance: np.random.Generator) -> Grey:
    """The pole sways by up to three pixels, with two tones and a tremble."""
    x = 1.8 * np.sin(2 * np.pi * 1.3 * at_s) + 0.8 * np.sin(2 * np.pi * 3.1 * at_s) + chance.normal(0, 0.3)
    y = 0.9 * np.sin(2 * np.pi * 1.7 * at_s) + chance.normal(0, 0.3)
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    return np.asarray(cv2.warpAffine(view, move, view.shape[::-1], borderMode=cv2.BORDER_REFLECT), np.float32)


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
    "infrared": infrared,
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
