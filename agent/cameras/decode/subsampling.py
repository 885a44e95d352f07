"""Any picture that FFmpeg decodes as 8-bit 4:2:0, without a hidden pixel having a part in a visible one.

A filter that halves the chroma of a picture mixes neighbours, so a mask that comes after it comes too late: the
colour beside the mask tells what is under it. Under masks the way has three steps, therefore:

1. To 8-bit planes with the chroma grid that the picture has. Every sample becomes one sample: nothing mixes.
2. What the masks do not touch is copied into a picture of our own, which is black and grey where they do.
3. That picture's chroma is filtered down to 4:2:0. Whatever mixes there has been masked before.

A picture that has the chroma grid of 4:2:0 needs no more than the first step; `PrivacyMask` masks it.
"""

from __future__ import annotations

from collections.abc import Sequence

import av.error
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, VideoReformatter

from agent.cameras.decode.decoded import Polygon
from agent.cameras.decode.privacy_mask import (
    BLACK_FULL,
    BLACK_LIMITED,
    NEUTRAL_CHROMA,
    Span,
    between,
    coarse,
    hidden_rows,
)

Grid = tuple[int, int]
"""How many pixels one chroma sample covers: across and down."""

YUV420: Grid = (2, 2)
_PLANAR: dict[Grid, str] = {
    (1, 1): "444p", (2, 1): "422p", YUV420: "420p", (1, 2): "440p", (4, 1): "411p", (4, 4): "410p",
}  # fmt: skip


class CannotConvert(Exception):
    """There is no way from this pixel format to 4:2:0, or none that leaves the hidden pixels out."""


class Subsampling:
    """Turns the pictures of one source into 8-bit 4:2:0."""

    def __init__(self, masks: Sequence[Polygon]) -> None:
        self._masks = masks
        self._reformatters = {True: VideoReformatter(), False: VideoReformatter()}  # each keeps one way ready
        self._stencil: Stencil | None = None

    def yuv420(self, frame: VideoFrame) -> tuple[VideoFrame, bool]:
        """The picture, and whether its values are of full range; valid until the next one is asked for.

        Under masks what they hide may still be in it, but has no part in what they do not hide.

        Raises:
            CannotConvert: not from this pixel format.
        """
        # Once, before anything is converted: a converted picture may no longer say it.
        full_range = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        grid = chroma_grid(frame.format)
        if self._masks and grid != YUV420:
            if frame.format.name.startswith("bayer"):
                raise CannotConvert(frame.format.name)  # each pixel's colour is guessed from its neighbours
            frame = self._stencilled(self._planar(frame, grid, full_range), grid, full_range)
        return self._planar(frame, YUV420, full_range), full_range

    def _planar(self, frame: VideoFrame, grid: Grid, full_range: bool) -> VideoFrame:
        names = [f"{family}{_PLANAR[grid]}" for family in ("yuv", "yuvj")]
        if frame.format.name in names:
            return frame
        wanted = names[full_range and grid != (4, 4)]  # there is no yuvj410p
        try:
            return self._reformatters[grid == YUV420].reformat(frame, format=wanted, threads=1)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise CannotConvert(frame.format.name) from error

    def _stencilled(self, frame: VideoFrame, grid: Grid, full_range: bool) -> VideoFrame:
        stencil = self._stencil
        if stencil is None or not stencil.fits(frame, full_range):
            stencil = self._stencil = Stencil(frame, grid, full_range, self._masks)
        return stencil.copy(frame)


class Stencil:
    """A picture of our own: what the masks hide is black in it, the rest is copied from a decoder's picture.

    The decoder's own memory is not painted on: later pictures are predicted from it.
    """

    def __init__(self, like: VideoFrame, grid: Grid, full_range: bool, masks: Sequence[Polygon]) -> None:
        self._full_range = full_range
        self._own = VideoFrame(like.width, like.height, like.format.name)
        luma = hidden_rows(masks, like.width, like.height)
        chroma = coarse(luma, grid)
        shades = BLACK_FULL if full_range else BLACK_LIMITED, NEUTRAL_CHROMA, NEUTRAL_CHROMA
        self._open: list[list[list[Span]]] = []
        for plane, hidden, shade in zip(self._own.planes, (luma, chroma, chroma), shades, strict=True):
            memory = memoryview(plane)
            memory[:] = bytes([shade]) * len(memory)
            self._open.append([between(spans, plane.width) for spans in hidden])

    def fits(self, frame: VideoFrame, full_range: bool) -> bool:
        """Whether it was made for pictures like this one."""
        own = self._own
        alike = (own.width, own.height, own.format.name) == (frame.width, frame.height, frame.format.name)
        return alike and full_range == self._full_range

    def copy(self, frame: VideoFrame) -> VideoFrame:
        """The picture without what the masks hide; the same memory each time."""
        own = self._own
        own.color_range, own.colorspace = frame.color_range, frame.colorspace
        for ours, theirs, rows in zip(own.planes, frame.planes, self._open, strict=True):
            _copy(ours, theirs, rows)
        return own


def _copy(ours: VideoPlane, theirs: VideoPlane, rows: list[list[Span]]) -> None:
    into, out = memoryview(ours), memoryview(theirs)
    for row, spans in enumerate(rows):
        to, at = row * ours.line_size, row * theirs.line_size
        for start, end in spans:
            into[to + start : to + end] = out[at + start : at + end]


def chroma_grid(pixels: VideoFormat) -> Grid:
    """How many pixels one chroma sample of this format covers, across and down; (1, 1) without chroma."""
    return 16 // pixels.chroma_width(16), 16 // pixels.chroma_height(16)
