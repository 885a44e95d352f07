"""Three short clips of coloured blocks before a grey town, the same to the last bit wherever they are made.

The planes are drawn as whole numbers and kept as they are, so no encoder, no decoder and no conversion of
colours has a say in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

FPS = 10
Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]
"""Y, U, V."""

BRIGHT = {
    "car": (83, 198, 117),
    "bicycle": (148, 81, 69),
    "truck": (164, 152, 58),
    "motorcycle": (109, 104, 198),
    "person": (124, 175, 187),
    "bus": (189, 58, 139),
}
"""Y, U, V (ITU-R BT.601, limited range) of colours with 60 in their low channels and 220 in their high ones."""
DULL = {
    "car": (82, 154, 124),
    "bicycle": (106, 111, 106),
    "truck": (112, 137, 102),
    "motorcycle": (92, 119, 154),
    "person": (97, 145, 150),
    "bus": (122, 102, 132),
}
"""The same between 70 and 130: the network is not sure of them."""
GREY = 128


@dataclass(frozen=True, slots=True)
class Block:
    """A road user in one picture, in pixels; sides are rounded to even ones, as its colour is."""

    label: str
    left: float
    top: float
    width: float
    height: float
    dull: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """A road user over time: second, left and top in pixels, straight between; there from first to last."""

    label: str
    width: float
    height: float
    stops: tuple[tuple[float, float, float], ...]
    grows: float = 1.0
    """How many times as large it is in the end."""
    dull: tuple[float, float] = (0.0, 0.0)
    """From this second to that one it is hard to see."""
    flickers_to: str | None = None
    """What it is taken for in every third picture."""

    def at(self, second: float) -> Block | None:
        """Where it is, if it is there."""
        first, last = self.stops[0][0], self.stops[-1][0]
        if not first <= second <= last:
            return None
        times, lefts, tops = zip(*self.stops, strict=True)
        left, top = (float(np.interp(second, times, each)) for each in (lefts, tops))
        share = 1 + (self.grows - 1) * (second - first) / (last - first)
        other = self.flickers_to if round(second * FPS) % 3 == 2 else None
        dull = self.dull[0] <= second < self.dull[1]
        return Block(other or self.label, left, top, self.width * share, self.height * share, dull)


@dataclass(frozen=True, slots=True)
class Clip:
    """What is to be seen."""

    name: str
    width: int
    height: int
    seconds: float
    ways: tuple[Way, ...]
    """Later ones are nearer to the camera."""
    posts: tuple[tuple[int, int], ...] = ()
    """Left and right side of what stands between the camera and the road, in pixels."""
    spoilt: Callable[[Planes, int], Planes] = lambda planes, _number: planes
    """What befalls the picture of this number; pictures count from 0."""


def write(clip: Clip, folder: Path) -> Path:
    """Draw it into the folder; returns the path of the video, which is large: some 100 MB."""
    path = folder / f"{clip.name}.nut"
    with av.open(path, "w") as out:
        stream = out.add_stream("rawvideo", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        for number in range(round(clip.seconds * FPS)):
            planes = clip.spoilt(_drawn(clip, number), number)
            stacked = np.concatenate([plane.reshape(-1) for plane in planes])
            frame = av.VideoFrame.from_ndarray(stacked.reshape(-1, clip.width), format="yuv420p")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def _drawn(clip: Clip, number: int) -> Planes:
    luma = town(clip.width, clip.height).copy()
    u, v = (np.full((clip.height // 2, clip.width // 2), GREY, np.uint8) for _ in range(2))
    for way in clip.ways:
        block = way.at(number / FPS)
        if block is not None:
            _paint((luma, u, v), block)
    for left, right in clip.posts:
        luma[:, left:right] = town(clip.width, clip.height)[:, left:right] + 24
        u[:, left // 2 : right // 2] = v[:, left // 2 : right // 2] = GREY
    return grainy(luma, number), u, v


@lru_cache(maxsize=4)
def town(width: int, height: int) -> Plane:
    """Houses, windows and a road, as luma; grey all over."""
    y, x = np.mgrid[:height, :width]
    houses = 38 + 5 * ((x // 24 * 7 + y // 18 * 5) % 6)
    windows = 12 * ((x % 24 // 6 % 2) * (y % 18 // 6 % 2))
    return (houses + windows).astype(np.uint8)


def grainy(luma: Plane, number: int) -> Plane:
    """Luma with a sensor's grain of up to two steps, other in each of 23 pictures."""
    return np.clip(luma + _grain(luma.shape, number % 23), 17, 236) - np.uint8(1)


@lru_cache(maxsize=64)
def _grain(shape: tuple[int, int], number: int) -> Plane:
    """0, 1 or 2 for each pixel, scattered by whole numbers alone: no library's generator has a say in it."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.uint32)
    scattered = x * np.uint32(374761393) + y * np.uint32(668265263) + np.uint32(number * 362437)
    for shift, factor in ((13, 1274126177), (16, 2246822519)):
        scattered = (scattered ^ (scattered >> np.uint32(shift))) * np.uint32(factor)
    return ((scattered >> np.uint32(9)) % np.uint32(3)).astype(np.uint8)


def _paint(planes: Planes, block: Block) -> None:
    """A block with stripes, so that its picture has something sharp; its colour has none."""
    shades = (DULL if block.dull else BRIGHT)[block.label]
    high, wide = planes[0].shape
    left, top, right, bottom = (
        round(side / 2) * 2
        for side in (block.left, block.top, block.left + block.width, block.top + block.height)
    )
    top, bottom, left, right = max(0, top), min(high, bottom), max(0, left), min(wide, right)
    if top >= bottom or left >= right:
        return
    rows, columns = slice(top, bottom), slice(left, right)
    y, x = np.mgrid[rows, columns]
    stripes = 8 * ((x - left) // 4 % 2) - 8 * ((y - top) // 6 % 2)
    planes[0][rows, columns] = (shades[0] + stripes).astype(np.uint8)
    halves = tuple(slice(part.start // 2, part.stop // 2) for part in (rows, columns))
    for plane, shade in zip(planes[1:], shades[1:], strict=True):
        plane[halves] = shade


def _across(
    label: str, size: tuple[float, float], top: float, began_s: float, speed_px_s: float, width: int = 640
) -> Way:
    """From outside on the left to outside on the right, or back where the speed is negative; through."""
    far = -size[0], width
    start, end = far if speed_px_s > 0 else far[::-1]
    ends_s = began_s + abs(end - start) / abs(speed_px_s)
    return Way(label, *size, ((began_s, start, top), (ends_s, end, top)))


def _riding(machine: Way, *seats: float) -> tuple[Way, ...]:
    """A two-wheeler, and before it its riders at these places of its width, sunk into it by a third."""
    width, height = machine.width, machine.height
    riders = tuple(
        Way(
            "person",
            0.25 * width,
            height,
            tuple((s, x + seat * width, y - 0.65 * height) for s, x, y in machine.stops),
        )
        for seat in seats
    )
    return (machine, *riders)


ROAD = Clip(
    "road",
    640,
    360,
    36,
    (
        # The far lane goes to the left, the near one to the right.
        _across("car", (90, 44), 150, 4.0, -120),
        _across("truck", (108, 70), 124, 11.0, -100),
        Way("car", 96, 46, ((19.0, 640, 150), (25.0, -96, 150)), flickers_to="truck"),
        _across("car", (96, 50), 250, 3.5, 130),
        # Stands in the near lane, and goes on.
        Way("car", 96, 50, ((9.0, -96, 250), (11.5, 180, 250), (17.0, 180, 250), (20.5, 640, 250))),
        *_riding(_across("motorcycle", (72, 48), 262, 20.5, 130), 0.15, 0.45),
        # On the near lane against its direction.
        *_riding(_across("bicycle", (64, 44), 272, 23.0, -90), 0.35),
        # Comes nearer, and its picture gets better.
        Way("bus", 60, 40, ((26.5, 420, 130), (32.5, 240, 190)), grows=3.0),
        # Hard to see for a while, and then gone in the middle of the road.
        Way("car", 90, 44, ((30.0, -90, 254), (34.0, 240, 254)), dull=(31.5, 32.3)),
        # Still there at the end.
        Way("person", 22, 56, ((31.0, 618, 290), (36.0, 470, 290))),
    ),
    posts=((390, 506),),
)

SQUARE = Clip(
    "square",
    320,
    192,
    32,
    (
        # Has always been there: a picture of a person, on a wall.
        Way("person", 14, 36, ((0.0, 286, 20), (32.0, 286, 20))),
        # Parked; someone comes on foot and rides away on it.
        Way("bicycle", 30, 22, ((0.0, 40, 150), (20.0, 40, 150), (25.5, 320, 150))),
        Way("person", 14, 34, ((13.0, -14, 128), (17.0, 48, 128), (20.0, 48, 128), (25.5, 328, 128))),
        # Loiters, is hidden by the pillar for a while, and comes back.
        Way(
            "person",
            16,
            40,
            ((4.5, 320, 90), (7.0, 220, 90), (9.0, 180, 90), (12.0, 150, 90), (15.0, 200, 90), (20.0, 320, 90)),
        ),
        # Three more make a crowd.
        Way("person", 16, 42, ((8.0, -16, 60), (11.0, 90, 70), (15.0, 96, 72), (19.0, -16, 60))),
        Way("person", 16, 42, ((8.5, -16, 100), (11.0, 66, 104), (15.5, 60, 102), (18.5, -16, 100))),
        Way("person", 18, 44, ((9.0, 100, -44), (11.5, 120, 60), (15.0, 124, 64), (18.0, 110, -44))),
        # Two of a kind pass each other.
        Way("person", 16, 42, ((22.0, -16, 92), (29.0, 320, 96))),
        Way("person", 16, 42, ((22.0, 320, 104), (29.0, -16, 100))),
    ),
    posts=((168, 186),),
)


def _trouble(planes: Planes, number: int) -> Planes:
    """Everything that can befall a lens, one after the other, with some seconds to look in between."""
    second = number / FPS
    luma, u, v = planes
    wide = luma.shape[1]
    if 8 <= second < 12:  # a bag
        cover = np.broadcast_to(70 + np.arange(wide) * 6 // wide, luma.shape).astype(np.uint8)
        return grainy(cover, number), np.full_like(u, 132), np.full_like(v, 124)
    if 18 <= second < 22:  # night falls at once
        return grainy(16 + luma // 64, number), np.full_like(u, GREY), np.full_like(v, GREY)
    if 28 <= second < 32:  # a lamp
        return np.full_like(luma, 235), np.full_like(u, GREY), np.full_like(v, GREY)
    if 38 <= second < 43:  # breath
        soft = luma.astype(np.uint32)
        for axis in (0, 1):
            soft = np.stack([np.roll(soft, step, axis) for step in range(-8, 9)]).sum(axis=0) // 17
        return grainy(soft.astype(np.uint8), number), u, v
    if second >= 60:  # pushed aside, for good
        return np.roll(luma, (30, 76), (0, 1)), np.roll(u, (15, 38), (0, 1)), np.roll(v, (15, 38), (0, 1))
    return planes


def _frozen(planes: Planes, number: int) -> Planes:
    """The stream gives one picture again and again for a while."""
    held = min(max(number, 0), 49 * FPS) if number < 54 * FPS else number
    return _trouble(planes if held == number else _drawn(LENS, held), number)


LENS = Clip(
    "lens",
    320,
    192,
    66,
    (
        _across("car", (60, 32), 110, 5.0, 70, 320),
        _across("person", (16, 40), 110, 13.0, 60, 320),
        # Drives while the picture stands still, and stands when it moves again.
        Way("truck", 70, 44, ((46.5, -70, 100), (50.0, 140, 100), (56.0, 140, 100), (59.0, 320, 100))),
    ),
    spoilt=_frozen,
)

CLIPS = (ROAD, SQUARE, LENS)
