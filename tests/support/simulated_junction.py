"""A junction that is drawn, with road users whose heads are known, and a detector that sees colours.

Everybody has a head with a fine chequered pattern in it: whoever finds the pattern in a picture has found a
head that is shown. The detector is real enough to be wrong on purpose: it knows magenta (person), green
(motorcycle) and blue (car) things, is as sure as their colour is strong, and does not see grey ones at all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Box, Detection, Frame, Image, Instant
from tests.support.coded_pattern import painted

WIDTH, HEIGHT = 640, 360
ROAD_TOP, ROAD_BOTTOM = 0.66, 0.97
"""Where feet are, in fractions of the view; above it is the mask of the trial."""
CELLS = 4
"""Of a head's pattern, each way."""
LIGHT, DARK = 235, 25
SHOWN = 0.5
"""So much of the pattern's contrast must be left for a head to count as shown."""
LEAST_PX = 8
"""Of a head's side; a smaller one is of no use to anybody."""

Rgb = NDArray[np.uint8]


@dataclass(frozen=True)
class Passer:
    """Somebody who goes through the view."""

    kind: str
    """person, motorcycle or car."""
    begins_s: float
    speed: float
    """Widths of the view a second; negative: to the left."""
    foot: float
    """Fraction of the view's height."""
    high: float
    """The same, with the riders."""
    seen: str
    """sure, unsure, wavering or missed: how the detector fares with it."""

    @property
    def lasts_s(self) -> float:
        """Until it has left the view."""
        return (1.0 + 2 * self.wide) / abs(self.speed)

    @property
    def wide(self) -> float:
        """Fraction of the view's width."""
        shape = {"person": 0.4, "motorcycle": 0.75, "car": 1.9}[self.kind]
        return self.high * shape * HEIGHT / WIDTH

    def box(self, at_s: float) -> Box | None:
        """Where it is; None: not in the view."""
        gone = (at_s - self.begins_s) * abs(self.speed)
        if not 0 <= gone <= 1.0 + 2 * self.wide:
            return None
        left = gone - 1.5 * self.wide if self.speed > 0 else 1.0 + 0.5 * self.wide - gone
        return Box(left, self.foot - self.high, left + self.wide, self.foot)

    def head(self, at_s: float) -> Box | None:
        """Where its head is; None: it has none that shows."""
        box = self.box(at_s)
        if box is None or self.kind == "car":
            return None
        side = self.high / (7.5 if self.kind == "person" else 6.0)
        middle, half = (box.left + box.right) / 2, side * HEIGHT / WIDTH / 2
        return Box(middle - half, box.top, middle + half, box.top + side)


def traffic(seconds: float, seed: int, every_s: float = 20.0) -> list[Passer]:
    """Who comes by, about one in so many seconds and sometimes two beside each other."""
    chance, passers, at_s = random.Random(seed), list[Passer](), 8.0
    while at_s < seconds - 10:
        for _ in range(chance.choice((1, 1, 2))):
            kind = chance.choice(("person", "motorcycle", "motorcycle", "car"))
            high = chance.uniform(0.16, 0.34) if kind != "car" else chance.uniform(0.14, 0.2)
            speed = chance.uniform(0.12, 0.25) * chance.choice((-1, 1))
            seen = chance.choice(("sure", "unsure", "wavering", "missed", "missed"))
            foot = chance.uniform(ROAD_TOP + 0.2, ROAD_BOTTOM)
            passers.append(Passer(kind, at_s + chance.uniform(0, 2), speed, foot, high, seen))
        at_s += chance.uniform(0.5, 1.5) * every_s
    return passers


@cache
def road(light: int = 100, pattern: bool = False) -> Rgb:
    """The empty road, (HEIGHT, WIDTH, 3); with a coded pattern where the mask will be."""
    texture = np.random.default_rng(3).integers(-6, 7, (HEIGHT, WIDTH, 1))
    picture = np.clip(light + texture + np.zeros((1, 1, 3), int), 0, 255).astype(np.uint8)
    return painted(picture) if pattern else picture


def drawn(passers: Sequence[Passer], at_s: float, light: int = 100, pattern: bool = False) -> Rgb:
    """The view at this moment."""
    picture = road(light, pattern).copy()
    for each in sorted(passers, key=lambda passer: passer.foot):
        box = each.box(at_s)
        if box is not None:
            _body(picture, each, box, at_s)
            if (head := each.head(at_s)) is not None:
                _face(picture, head)
    return picture


def framed(rgb: Rgb, index: int, at: Instant) -> Frame:
    """The picture as a camera gives it."""
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    height, width = rgb.shape[:2]
    u, v = yuv.reshape(-1)[height * width :].reshape(2, height // 2, width // 2)
    return Frame(index, at, yuv[:height], u, v)


def sees(images: Sequence[Image]) -> list[tuple[Detection, ...]]:
    """What the detector finds, by colour."""
    return [tuple(_found(image)) for image in images]


def shown_heads(luma: NDArray[np.uint8], passers: Sequence[Passer], at_s: float) -> list[tuple[Passer, float]]:
    """Everybody whose head is in this picture of the view, with the share of its contrast that is left.

    Nobody whose head is cut by the border, hidden by somebody nearer, or smaller than LEAST_PX.
    """
    found = []
    for each in passers:
        head = each.head(at_s)
        if head is None or not (head.left > 0.01 and head.right < 0.99) or _hidden(each, passers, at_s):
            continue
        if head.height * HEIGHT >= LEAST_PX:
            found.append((each, contrast(luma, head)))
    return found


def contrast(luma: NDArray[np.uint8], head: Box) -> float:
    """Share of the pattern's contrast that is left where a head is: 1 all of it, 0 nothing."""
    height, width = luma.shape
    sums = {True: list[float](), False: list[float]()}
    for row, column, light in _cells():
        x = (head.left + (column + 0.5) / CELLS * head.width) * width
        y = (head.top + (row + 0.5) / CELLS * head.height) * height
        sums[light].append(float(luma[min(height - 1, int(y)), min(width - 1, int(x))]))
    return (float(np.mean(sums[True])) - float(np.mean(sums[False]))) / (LIGHT - DARK)


def _cells() -> Iterator[tuple[int, int, bool]]:
    return ((row, column, (row + column) % 2 == 0) for row in range(CELLS) for column in range(CELLS))


COLOURS = {"person": (200, 40, 200), "motorcycle": (40, 190, 40), "car": (40, 60, 220)}
GREY = (175, 175, 175)
LABEL_HUES = {"person": 150, "motorcycle": 60, "car": 118}
"""As OpenCV counts them: half degrees."""


def _body(picture: Rgb, each: Passer, box: Box, at_s: float) -> None:
    colour = np.array(GREY if each.seen == "missed" else COLOURS[each.kind], float)
    if each.seen == "wavering" and int(at_s) % 2:
        colour = np.array(COLOURS["motorcycle" if each.kind == "car" else "car"], float)
    if each.seen == "unsure":
        colour = 0.45 * colour + 0.55 * np.array(GREY, float)
    left, top, right, bottom = _pixels(box)
    cv2.rectangle(picture, (left, top), (right, bottom), tuple(map(float, colour)), -1)


def _face(picture: Rgb, head: Box) -> None:
    left, top, right, bottom = _pixels(head)
    side = max(CELLS, right - left + 1)
    pattern = np.zeros((CELLS, CELLS, 3), np.uint8)
    for row, column, light in _cells():
        pattern[row, column] = LIGHT if light else DARK
    face = cv2.resize(pattern, (side, max(CELLS, bottom - top + 1)), interpolation=cv2.INTER_NEAREST)
    x0, y0 = max(0, left), max(0, top)
    if left + side <= 0 or left >= WIDTH:
        return
    part = picture[y0 : top + face.shape[0], x0 : left + side]
    part[:] = face[y0 - top : y0 - top + part.shape[0], x0 - left : x0 - left + part.shape[1]]


def _pixels(box: Box) -> tuple[int, int, int, int]:
    return (
        round(box.left * WIDTH),
        round(box.top * HEIGHT),
        round(box.right * WIDTH),
        round(box.bottom * HEIGHT),
    )


def _hidden(each: Passer, passers: Sequence[Passer], at_s: float) -> bool:
    head = each.head(at_s)
    assert head is not None
    for other in passers:
        box = other.box(at_s)
        if other is not each and box is not None and other.foot >= each.foot:
            apart = (
                box.right < head.left or box.left > head.right or box.top > head.bottom or box.bottom < head.top
            )
            if not apart:
                return True
    return False


def _found(image: Image) -> Iterator[Detection]:
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    height, width = image.shape[:2]
    for label, hue in LABEL_HUES.items():
        near = cv2.inRange(hsv, (hue - 8, 50, 0), (hue + 8, 255, 255))
        x, y, across, down = cv2.boundingRect(near)  # most of a picture is road, which nobody needs to look at
        if not across:
            continue
        x, y = (
            x // 2 * 2,
            y // 2 * 2,
        )  # blocks of two by two: things are counted in the order of the whole picture
        part = slice(y, min(height, y + down + 1)), slice(x, min(width, x + across + 1))
        strong = hsv[part][..., 1]
        count, marked, stats, _ = cv2.connectedComponentsWithStats(near[part])
        for number in range(1, count):
            left, top, wide, high, area = stats[number].tolist()
            if area < 0.0005 * width * height or high < 4:
                continue
            own = slice(top, top + high), slice(left, left + wide)
            strength = float(np.median(strong[own][marked[own] == number])) / 255
            left, top = left + x, top + y
            head = 0.18 * high if label != "car" else 0.0  # the pattern on top has no colour
            box = Box(left / width, max(0.0, top - head) / height, (left + wide) / width, (top + high) / height)
            yield Detection(label, min(0.95, max(0.05, (strength - 0.15) * 1.4)), box)
