"""The simulated junction as pictures: for a look at it, for the README, and for tests that need pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from agent.core.types import Image
from benchmarks.scenes.ground import CAMERA, FRAME, MIDDLE, Floats
from benchmarks.scenes.sensor import Sight, look
from benchmarks.scenes.traffic import SIZES, STEP_S, STOP_M, Traffic, User

GRASS, ROAD, PAINT = (70, 110, 84), (92, 90, 88), (214, 218, 220)
BODY = {
    "car": ((170, 60, 40), (52, 52, 178), (205, 205, 205), (58, 58, 58)),
    "truck": ((96, 130, 60), (40, 120, 190)),
    "bus": ((40, 170, 215),),
    "motorcycle": ((40, 40, 42), (32, 32, 120), (110, 60, 32)),
    "bicycle": ((130, 120, 40),),
    "person": ((150, 90, 60), (60, 60, 140), (60, 120, 60), (120, 120, 130)),
}
NOISE = 3.0
"""Spread of the sensor's noise, in steps of 0..255."""


def frames(seed: int, seconds: float, warm_s: float = 60.0) -> Iterator[Image]:
    """The picture at each tenth of a second: (720, 1280, 3), after the traffic has come in."""
    traffic = Traffic(seed)
    rng = np.random.default_rng(seed)
    empty = ground()
    for _ in range(round(warm_s / STEP_S)):
        traffic.step()
    for _ in range(round(seconds / STEP_S)):
        yield still(empty, look(traffic.step()), rng)


def still(empty: Image, sights: Sequence[Sight], rng: np.random.Generator) -> Image:
    """One picture of who is in view, on the empty `ground`: (720, 1280, 3)."""
    picture = empty.copy()
    for sight in reversed(sights):
        _draw(picture, sight.user)
    noise = rng.normal(0, NOISE, picture.shape[:2])[..., None]
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def write(folder: Path, seed: int, seconds: float = 60.0) -> Path:
    """Render a video into the folder and return its path."""
    path = folder / "junction.mp4"
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    video = cv2.VideoWriter(str(path), codec, 1 / STEP_S, (FRAME.width_px, FRAME.height_px))
    for picture in frames(seed, seconds):
        video.write(picture)
    video.release()
    return path


def ground() -> Image:
    """The empty junction: (720, 1280, 3)."""
    picture = np.full((FRAME.height_px, FRAME.width_px, 3), GRASS, np.uint8)
    _fill(picture, [(-11, 1), (11, 1), (11, 200), (-11, 200)], ROAD)
    _fill(picture, [(-90, MIDDLE - 8), (90, MIDDLE - 8), (90, MIDDLE + 8), (-90, MIDDLE + 8)], ROAD)
    for y in np.arange(4.0, 120.0, 4.0):
        for x in (-3.5, 3.5):
            if abs(y - MIDDLE) > 9:
                _fill(picture, [(x - 0.08, y), (x + 0.08, y), (x + 0.08, y + 2), (x - 0.08, y + 2)], PAINT)
    for y in (MIDDLE - STOP_M, MIDDLE + STOP_M - 0.4):
        _fill(picture, [(-7, y), (7, y), (7, y + 0.4), (-7, y + 0.4)], PAINT)
    for left, right in ((-0.1, 0.1), (-7.3, -7.1), (7.1, 7.3)):
        for near, far in ((2.0, MIDDLE - 8), (MIDDLE + 8, 150.0)):
            _fill(picture, [(left, near), (right, near), (right, far), (left, far)], PAINT)
    return cv2.GaussianBlur(picture, (0, 0), 0.8)  # type: ignore[return-value]


def _fill(picture: Image, ground: list[tuple[float, float]], colour: tuple[int, ...]) -> None:
    flat = CAMERA.project(np.array([(x, y, 0.0) for x, y in ground]))
    cv2.fillConvexPoly(picture, _px(flat), colour, cv2.LINE_AA)


def _draw(picture: Image, user: User) -> None:
    shades = BODY[user.label]
    colour = shades[user.name % len(shades)]
    length, width, height = SIZES[user.label]
    if user.riders:
        _block(picture, user, (length, width, 0.9), 0.0, colour)
        for n in range(user.riders):
            shift = (n - (user.riders - 1) / 2) * 0.45
            _block(picture, user, (0.4, 0.5, height - 0.55), 0.55, BODY["person"][(user.name + n) % 4], shift)
    elif user.label == "person":
        _block(picture, user, (0.35, 0.4, 0.9), 0.0, (60, 50, 45))
        _block(picture, user, (0.4, 0.5, 0.6), 0.85, colour)
        _block(picture, user, (0.24, 0.24, 0.25), 1.45, (120, 150, 190))
    else:
        _block(picture, user, (length, width, height * 0.62), 0.0, colour)
        cabin = 0.55 if user.label == "car" else 0.96
        _block(picture, user, (length * cabin, width * 0.9, height * 0.38), height * 0.62, _darker(colour))


def _block(
    picture: Image,
    user: User,
    size: tuple[float, float, float],
    lift: float,
    colour: tuple[int, ...],
    shift: float = 0.0,
) -> None:
    """A block on the road user's place: its outline, with a darker lower half for some depth."""
    corner = np.array([(a, b, c) for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (0.0, 0.55, 1.0)]) * size
    cos, sin = np.cos(user.heading), np.sin(user.heading)
    along = corner[:, 0] + shift
    x = user.place[0] + along * cos - corner[:, 1] * sin
    y = np.maximum(user.place[1] + along * sin + corner[:, 1] * cos, 0.5)
    flat = CAMERA.project(np.stack([x, y, corner[:, 2] + lift], axis=-1))
    cv2.fillConvexPoly(picture, cv2.convexHull(_px(flat)), colour, cv2.LINE_AA)
    low = flat[corner[:, 2] < 0.6 * size[2]]
    cv2.fillConvexPoly(picture, cv2.convexHull(_px(low)), _darker(colour), cv2.LINE_AA)


def _darker(colour: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(0.62 * part) for part in colour)


def _px(flat: Floats) -> np.ndarray:
    return np.round(np.clip(flat, -4, 5) * (FRAME.width_px, FRAME.height_px)).astype(np.int32)
