"""Which of a USB camera's formats to ask for: what it has at the wanted size and rate, and what each costs.

A camera says through V4L2 what it sends, in which sizes and rates (Linux: uapi/linux/videodev2.h). Raw pictures
cost least to read, and most of the cable: two cameras on one USB 2 bus share about 24 MB/s. MJPEG costs nothing
until a picture is looked at, H.264 must be decoded whole. Of a camera that is recorded the packets of both are
kept as they come, and raw pictures are encoded first.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from agent.cameras.decode.decoded import Record, Source

ENUM_FMT, ENUM_SIZES, ENUM_INTERVALS = 0xC0405602, 0xC02C564A, 0xC034564B
CAPTURE, DISCRETE = 1, 1
MOST = 64
"""Of a list that a camera gives: one that never ends is no list."""
RAW_BYTES_S: Final = 12e6
"""What a camera may take of its USB 2 bus: half, so that there is room for a second one."""
LOOKED_AT: Final = 0.5
"""Share of `max_fps` that is looked at over a day: while nothing moves it is less."""
ENCODED_MS: Final = 2.9
"""Of an x86 core for a million pixels that are recorded and do not come as packets (encode.py)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one format, in milliseconds of an x86 core for a million pixels (measured with FFmpeg 8)."""

    name: str
    """As FFmpeg knows it."""
    each: float
    """For every picture that comes."""
    looked_at: float
    """For every one that is looked at, beside that."""
    bytes_px: float = 0.0
    """Of a raw picture; 0: it is compressed."""


COSTS: Final = {
    b"YU12": Cost("yuv420p", 0.05, 0.0, 1.5),
    b"NV12": Cost("nv12", 0.05, 0.15, 1.5),
    b"YUYV": Cost("yuyv422", 0.07, 0.3, 2.0),
    b"UYVY": Cost("uyvy422", 0.07, 0.3, 2.0),
    b"MJPG": Cost("mjpeg", 0.0, 4.1),
    b"JPEG": Cost("mjpeg", 0.0, 4.1),
    b"H264": Cost("h264", 2.0, 0.0),
}
"""By V4L2's four letters; others are left alone."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What a camera can send: a format, a size, and at most so many pictures a second."""

    fourcc: bytes
    width_px: int
    height_px: int
    fps: float


def options(source: Source) -> dict[str, str]:
    """What FFmpeg is told about the source: as configured, and for a USB camera the format that costs least.

    A device that cannot be asked is left to FFmpeg, which says what is wrong with it.
    """
    wanted = source.options
    if source.format != "v4l2" or "input_format" in wanted:
        return wanted
    width_px, height_px = map(int, wanted["video_size"].split("x"))
    fps = float(wanted["framerate"])
    try:
        modes = tuple(modes_of(source.location, (width_px, height_px)))
    except OSError:
        return wanted
    best = chosen(modes, (width_px, height_px), fps, source.max_fps, source.record, bool(source.masks))
    if best is None:
        return wanted
    return wanted | {
        "input_format": COSTS[best.fourcc].name,
        "video_size": f"{best.width_px}x{best.height_px}",
        "framerate": f"{min(fps, best.fps or fps):g}",
    }


def chosen(
    modes: Sequence[Mode],
    size: tuple[int, int],
    fps: float,
    max_fps: float,
    record: Record | None = None,
    masked: bool = False,
) -> Mode | None:
    """The mode that is nearest to the wanted size, then to the wanted rate, and of those costs least.

    `record` tells how it is recorded, under privacy masks where it is `masked`; None: it is not recorded.
    None is returned where there is none in a format that is known.
    """
    encoded = _encoded(record, masked)
    return min(
        (mode for mode in modes if mode.fourcc in COSTS),
        key=lambda mode: (
            *_misses(mode, size),
            -round(min(fps, mode.fps), 1) if mode.fps else 0,
            _crowds(mode, fps),
            _cost(mode, fps, max_fps, mode.fourcc in encoded),
        ),
        default=None,
    )


def _misses(mode: Mode, size: tuple[int, int]) -> tuple[bool, int]:
    """Whether the picture is smaller than wanted, and by how many pixels it is another."""
    smaller = mode.width_px < size[0] or mode.height_px < size[1]
    return smaller, abs(mode.width_px * mode.height_px - size[0] * size[1])


def _crowds(mode: Mode, fps: float) -> bool:
    """Whether it leaves no room on the bus for another camera."""
    rate = min(fps, mode.fps or fps)
    return COSTS[mode.fourcc].bytes_px * mode.width_px * mode.height_px * rate > RAW_BYTES_S


def _cost(mode: Mode, fps: float, max_fps: float, encoded: bool) -> float:
    cost, rate = COSTS[mode.fourcc], min(fps, mode.fps or fps)
    looked_at = min(rate, max_fps)
    if encoded:  # each of them, also while nothing moves
        return cost.each * rate + (cost.looked_at + ENCODED_MS) * looked_at
    return cost.each * rate + cost.looked_at * looked_at * LOOKED_AT


def _encoded(record: Record | None, masked: bool) -> frozenset[bytes]:
    """Formats whose pictures are encoded to be recorded."""
    if record is None:
        return frozenset()
    from agent.cameras.decode.footage.tee import ENCODE, way  # noqa: PLC0415 – only who records needs it

    return frozenset(fourcc for fourcc, cost in COSTS.items() if way(record, masked, cost.name) == ENCODE)


def modes_of(device: str, size: tuple[int, int]) -> Iterator[Mode]:
    """What the camera says that it can send; of a range of sizes the one nearest to `size`.

    Raises:
        OSError: the device cannot be opened, or is no camera.
    """
    fd = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        for fourcc in _formats(fd):
            for width_px, height_px in _sizes(fd, fourcc, size):
                yield Mode(fourcc, width_px, height_px, _fps(fd, fourcc, width_px, height_px))
    finally:
        os.close(fd)


def _formats(fd: int) -> Iterator[bytes]:
    for index in range(MOST):
        said = _asked(fd, ENUM_FMT, struct.pack("=III32s4sI12x", index, CAPTURE, 0, b"", b"", 0))
        if said is None:
            return
        yield said[44:48]


def _sizes(fd: int, fourcc: bytes, size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    for index in range(MOST):
        said = _asked(fd, ENUM_SIZES, struct.pack("=I4sI24x8x", index, fourcc, 0))
        if said is None:
            return
        kind, *numbers = struct.unpack_from("=I6I", said, 8)
        if kind == DISCRETE:
            yield numbers[0], numbers[1]
        else:
            least_w, most_w, step_w, least_h, most_h, step_h = numbers
            yield _stepped(size[0], least_w, most_w, step_w), _stepped(size[1], least_h, most_h, step_h)
            return


def _stepped(wanted: int, least: int, most: int, step: int) -> int:
    within = min(max(wanted, least), most)
    return within - (within - least) % max(1, step)


def _fps(fd: int, fourcc: bytes, width_px: int, height_px: int) -> float:
    """The most pictures a second that it says; 0: it says none."""
    most = 0.0
    for index in range(MOST):
        asked = struct.pack("=I4sIII24x8x", index, fourcc, width_px, height_px, 0)
        said = _asked(fd, ENUM_INTERVALS, asked)
        if said is None:
            break
        kind, numerator, denominator = struct.unpack_from("=III", said, 16)  # of a range, the shortest
        if numerator:
            most = max(most, denominator / numerator)
        if kind != DISCRETE:
            break
    return most


def _asked(fd: int, request: int, record: bytes) -> bytes | None:
    """What the driver wrote into the record; None: its list ends there, or it has none."""
    try:
        return fcntl.ioctl(fd, request, record)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOTTY):
            return None
        raise
