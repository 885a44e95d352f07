"""Real road users, cut out of clips, that pass before another clip's still view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Box
from benchmarks.clips import frames, still_view

Plane = NDArray[np.uint8]
Grey = NDArray[np.float32]

OF_EACH_CLIP = 6
LOOKS = 16
"""Frames of a clip that are searched."""
UNLIKE = 18
"""Luma steps from the still view from which a pixel belongs to who passes."""
SMALLEST, LARGEST = 0.0008, 0.05
"""Of the view's area: a walker some way off, and a van nearby."""
FULL = 0.5
"""A cut-out fills so much of its box, or it is several things, or parts of one."""
LONGEST = 3.0
"""Times its other side: longer ones are shadows and edges."""
PLAIN = 20.0
"""Luma steps between it and the still view, on average; what differs less is a shadow or a reflection."""
EVEN = 30.0
"""Deviation of that difference: light on the ground differs evenly from what it falls on, a thing does not."""
EVERY_S, STAY_S = 8.0, 5.0
"""How often somebody comes, and how long it can be seen; between them the view is empty."""
LENGTHS_PER_S = 1.2
"""A walker makes one or two of its widths a second, a car in a street two of its lengths."""


@dataclass(frozen=True, slots=True)
class Passer:
    """A road user as a clip shows it."""

    luma: Grey
    """(H, W)."""
    cover: Grey
    """(H, W): 1 where it hides the view, 0 beside it."""
    width: float
    """Of its clip's width."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Who is in the view and where."""

    number: int
    box: Box


def cut_out(clip: Path) -> list[Passer]:
    """The road users of a clip: what differs from its still view, in one piece and inside; of all sizes."""
    usual = cv2.GaussianBlur(still_view(clip), (3, 3), 0)
    every = [each.luma for each in frames(clip)]
    found: list[tuple[float, Passer]] = []
    for index in np.linspace(0, len(every) - 1, LOOKS).astype(int):
        luma = every[index].astype(np.float32)
        difference = np.asarray(cv2.GaussianBlur(luma, (3, 3), 0) - usual, np.float32)
        unlike = (np.abs(difference) > UNLIKE).astype(np.uint8)
        unlike = np.asarray(cv2.morphologyEx(unlike, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
        unlike = np.asarray(cv2.morphologyEx(unlike, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), np.uint8)
        found += _whole(luma, difference, unlike)
    found.sort(key=lambda each: each[0])
    wanted = np.linspace(0, len(found) - 1, min(len(found), OF_EACH_CLIP)).astype(int)
    return [found[index][1] for index in wanted]


def _whole(luma: Grey, difference: Grey, unlike: Plane) -> Iterator[tuple[float, Passer]]:
    """Each piece of the mask that is neither too small nor torn nor cut by the edge; its share of the view."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(unlike)
    high, wide = unlike.shape
    for label in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[label])
        inside = x > 1 and y > 1 and x + w < wide - 1 and y + h < high - 1
        if not inside or not SMALLEST <= area / unlike.size <= LARGEST:
            continue
        if area < FULL * w * h or max(w, h) > LONGEST * min(w, h):
            continue
        window = slice(y - 1, y + h + 1), slice(x - 1, x + w + 1)
        inner = labels[window] == label
        unlike_by = difference[window][inner]
        if float(np.abs(unlike_by).mean()) < PLAIN or float(unlike_by.std()) < EVEN:
            continue
        soft = np.asarray(cv2.GaussianBlur(inner.astype(np.float32), (3, 3), 0), np.float32)
        piece = luma[window].copy()
        yield area / unlike.size, Passer(piece, soft, (w + 2) / wide)


class Parade:
    """One after the other crosses a part of a view, in an order and along ways that the seed decides."""

    def __init__(self, passers: Sequence[Passer], view: Grey, seed: int, enters: bool = False) -> None:
        """`enters`: they come in over the left or right border; else each is there at once."""
        chance = np.random.default_rng(seed)
        self._ways = []
        for number in chance.permutation(len(passers)):
            passer = _sized(passers[number], view)
            high, wide = passer.luma.shape
            step = LENGTHS_PER_S * max(high, wide) * STAY_S
            free = max(1.0, view.shape[1] - wide), max(1.0, view.shape[0] - high)
            across = min(step, free[0]) * float(chance.choice((-1, 1)))
            down = min(0.25 * step, free[1]) * float(chance.uniform(-1, 1))
            x = chance.uniform(0, free[0] - abs(across)) - min(0.0, across)
            if enters:
                x = -wide if across > 0 else view.shape[1]
            y = chance.uniform(0, free[1] - abs(down)) - min(0.0, down)
            self._ways.append((passer, float(x), float(y), across, down))

    @property
    def long_s(self) -> float:
        """Seconds until the last has gone; the first comes after the scene was learned."""
        return EVERY_S * (len(self._ways) + 1)

    def at(self, view: Grey, at_s: float) -> tuple[Grey, Passage | None]:
        """The view with who passes then."""
        number, since_s = int(at_s // EVERY_S) - 1, at_s % EVERY_S
        if not 0 <= number < len(self._ways) or since_s >= STAY_S:
            return view, None
        passer, x, y, across, down = self._ways[number]
        part = since_s / STAY_S
        left, top = round(x + part * across), round(y + part * down)
        high, wide = passer.luma.shape
        begin, end = max(0, left), min(view.shape[1], left + wide)
        if begin >= end:
            return view, None
        now = view.copy()
        under = now[top : top + high, begin:end]
        shown = slice(0, under.shape[0]), slice(begin - left, end - left)
        under += passer.cover[shown] * (passer.luma[shown] - under)
        box = Box(
            begin / view.shape[1],
            top / view.shape[0],
            end / view.shape[1],
            (top + under.shape[0]) / view.shape[0],
        )
        return now, Passage(number, box)


def _sized(passer: Passer, view: Grey) -> Passer:
    """As large a part of this view's width as it was of its own, if it fits."""
    scale = passer.width * view.shape[1] / passer.luma.shape[1]
    scale = min(scale, 0.9 * view.shape[0] / passer.luma.shape[0])
    size = max(2, round(passer.luma.shape[1] * scale)), max(2, round(passer.luma.shape[0] * scale))
    luma = np.asarray(cv2.resize(passer.luma, size, interpolation=cv2.INTER_AREA), np.float32)
    cover = np.asarray(cv2.resize(passer.cover, size, interpolation=cv2.INTER_AREA), np.float32)
    return Passer(luma, cover, passer.width)
