"""Pictures that show the same: neighbours in time of a fixed camera, by what is lighter than its neighbour.

A difference hash (dHash) of 16 × 16 bits. Of 33 frames of two junction cameras, those beside them in time (one
index away) differ in 11 to 52 bits, half of them in 31 or less, and the nearest training frame never in more
than 43; pictures of other cameras differ in 74 or more, and other photographs in 65 or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.errors import ModelError
from agent.translatable import tr

SIDE = 16
BITS = SIDE * SIDE
ALIKE = 48
"""Bits in which two pictures of the same differ at most."""
_ROWS = 2048

Hashes = NDArray[np.float32]
"""(N, BITS), each bit as -1 or 1, so that a product of matrices counts the bits that are the same."""


def view_hash(picture: Path) -> Hashes:
    """(BITS,) of one picture.

    Raises:
        ModelError: it is no picture.
    """
    grey = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise ModelError(tr("{path}: no picture that can be read", path=picture))
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(np.int16)
    return np.where(small[:, 1:] > small[:, :-1], 1.0, -1.0).astype(np.float32).reshape(-1)


def hashes(pictures: Sequence[Path]) -> Hashes:
    """(N, BITS) of all of them."""
    return np.array([view_hash(each) for each in pictures], np.float32).reshape(len(pictures), BITS)


def distances(some: Hashes, others: Hashes) -> NDArray[np.intp]:
    """In how many bits each differs from each of the others, (N, M)."""
    return np.rint((BITS - some @ others.T) / 2).astype(np.intp)


def groups(some: Hashes) -> list[int]:
    """A number for each picture, the same for pictures that are alike, or alike through others."""
    parent = list(range(len(some)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = row = parent[parent[row]]
        return row

    for start in range(0, len(some), _ROWS):
        close = np.argwhere(distances(some[start : start + _ROWS], some) <= ALIKE)
        for one, other in close[close[:, 0] + start < close[:, 1]].tolist():
            parent[root(other)] = root(one + start)
    return [root(row) for row in range(len(some))]
