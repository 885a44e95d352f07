"""Folders of changedetection.net (CDnet 2012 and 2014) as they are downloaded: frames, truth, what is judged.

    input/in000001.jpg …     the frames
    groundtruth/gt000001.png the truth: 0 still, 50 hard shadow, 85 outside the region, 170 unknown, 255 moving
    ROI.bmp, ROI.jpg         the region that is judged, white
    temporalROI.txt          the first and the last frame that is judged

The site's own program (Comparator.cpp) pairs the pixels of ROI.bmp and of the truth one by one and judges what
is not black in the one and not 170 in the other: it is right only where both have one size. Some folders have a
region of another size. Each truth, which has the size of its frame, bears the same region as its label 85. So
the region is scaled to the frames without new shades (nearest), what is 85 in the truth is never judged either,
and where the two differ at the rim the stricter holds. Without a region the labels alone say what is judged.
(Wang et al., "CDnet 2014: an expanded change detection benchmark dataset", CVPR workshops 2014.)

A 4:2:0 picture has even sides: of an odd one the last row or column is left out, of frame and truth alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core.types import Frame
from agent.errors import NgatuError
from benchmarks.clips import Plane, frame

Truth = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""What moves and what is judged, (H, W) each."""
Judged = tuple[Frame, Truth | None]

RATE = 25.0
"""Frames a second; the site tells none."""
PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
LAYOUT = "a CDnet folder has input/, groundtruth/, temporalROI.txt and mostly ROI.bmp, as its archive unpacks"


@dataclass(frozen=True, slots=True)
class Sequence:
    """One folder, looked through; its pictures are read as they are asked for."""

    name: str
    inputs: dict[int, Path]
    """Frame number of the site -> picture; without gaps."""
    truths: dict[int, Path]
    """Of the frames that are judged."""
    region: NDArray[np.bool_]
    """(H, W) of the frames, with even sides."""

    def frames(self) -> Iterator[tuple[int, Frame]]:
        """Each with its number.

        Raises:
            NgatuError: a picture cannot be read, or has not the size of the first.
        """
        first = min(self.inputs)
        for number, path in self.inputs.items():
            planes = cv2.cvtColor(self._picture(path, cv2.IMREAD_COLOR), cv2.COLOR_BGR2YUV_I420)
            yield number, frame(number - first, RATE, np.asarray(planes[: self.region.shape[0]], np.uint8))

    def truth(self, number: int) -> Truth | None:
        """What moves and what is judged, (H, W) each; None: the frame is not judged.

        Raises:
            NgatuError: as above.
        """
        path = self.truths.get(number)
        if path is None:
            return None
        label = self._picture(path, cv2.IMREAD_GRAYSCALE)
        return label == 255, self.region & np.isin(label, (0, 50, 255))

    def _picture(self, path: Path, how: int) -> Plane:
        picture = _read(path, how)
        (high, wide), (height, width) = picture.shape[:2], self.region.shape
        if (high, wide) != (height, width):
            raise NgatuError(f"{path}: {wide} x {high} pixels, the first frame has {width} x {height}", LAYOUT)
        return picture


def judged(sequence: Sequence) -> Iterator[Judged]:
    """Each frame with its truth, or with None where it is not judged.

    Raises:
        NgatuError: as above.
    """
    for number, each in sequence.frames():
        yield each, sequence.truth(number)


def folders(path: Path) -> list[Path]:
    """The sequences at a path: itself, those below it, or those of its categories.

    Raises:
        NgatuError: there is none.
    """
    for below in ("input", "*/input", "*/*/input"):
        if found := sorted(each.parent for each in path.glob(below) if each.is_dir()):
            return found
    raise NgatuError(f"{path}: no folder input/ in it, nor below it", LAYOUT)


def read(folder: Path) -> Sequence:
    """Look a folder through.

    Raises:
        NgatuError: something is missing or cannot be read; the text names it.
    """
    inputs = _numbered(folder / "input", "in")
    low, high = min(inputs), max(inputs)
    if gaps := sorted(set(range(low, high + 1)) - inputs.keys()):
        raise NgatuError(
            f"{folder / 'input'}: frame {gaps[0]} is missing ({len(gaps)} in all)", "unpack it again"
        )
    first, last = _judged_range(folder / "temporalROI.txt")
    numbers = range(max(first, low), min(last, high) + 1)
    if not numbers:
        what = f"{folder / 'temporalROI.txt'}: frames {first} to {last} are judged, input/ has {low} to {high}"
        raise NgatuError(what, "unpack the whole input/, or write the numbers that are there")
    truths = _numbered(folder / "groundtruth", "gt")
    if lacking := [number for number in numbers if number not in truths]:
        what = f"{folder / 'groundtruth'}: gt{lacking[0]:06}.png is missing ({len(lacking)} of {len(numbers)})"
        raise NgatuError(what, "some truths are kept back: let temporalROI.txt name the frames that have one")
    shape = _read(inputs[low], cv2.IMREAD_GRAYSCALE).shape
    region = _region(folder, (shape[0], shape[1]))
    return Sequence(folder.name, inputs, {number: truths[number] for number in numbers}, region)


def _numbered(folder: Path, prefix: str) -> dict[int, Path]:
    """By number, in order."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    matches = [(re.fullmatch(rf"{prefix}(\d+)", path.stem), path) for path in paths]
    found = {int(match[1]): path for match, path in matches if match and path.suffix.lower() in PICTURES}
    if not found:
        raise NgatuError(f"{folder}: no {prefix}000001.{'jpg' if prefix == 'in' else 'png'} and so on", LAYOUT)
    return dict(sorted(found.items()))


def _judged_range(file: Path) -> tuple[int, int]:
    try:
        first, last = (int(word) for word in file.read_text().split()[:2])
    except (OSError, ValueError) as error:
        hint = "it holds two numbers, the first and the last frame that is judged, such as: 470 1700"
        raise NgatuError(
            f"{file}: {'not there' if isinstance(error, OSError) else 'no two numbers'}", hint
        ) from error
    return first, last


def _region(folder: Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Of ROI.bmp and ROI.jpg the one of the frames' size, or the first one scaled to it; without any, all."""
    files = [file for file in (folder / "ROI.bmp", folder / "ROI.jpg") if file.is_file()]
    regions = [_read(file, cv2.IMREAD_GRAYSCALE) for file in files]
    if not regions:
        return np.ones(shape, np.bool_)
    fitting = next((each for each in regions if each.shape == shape), None)
    if fitting is None:
        fitting = np.asarray(cv2.resize(regions[0], shape[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
    return fitting > 127


def _read(file: Path, how: int) -> Plane:
    """A picture, without the last row or column of an odd side."""
    picture = cv2.imread(str(file), how)
    if picture is None:
        raise NgatuError(f"{file}: no picture that can be read", "unpack the archive again")
    return np.asarray(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2], np.uint8)
