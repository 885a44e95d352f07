"""Colour for the part of a frame that someone asks for; the rest of the frame never pays for it."""

from __future__ import annotations

import cv2
import numpy as np

from agent.core.types import WHOLE, Box, Frame, Image, Plane, Size

_TINY_PX = 1e-6
"""Fractions are not exact: a box of whole pixels must not become two pixels larger."""


def pixels(box: Box, size: Size) -> tuple[int, int, int, int]:
    """The box in whole even pixels (left, top, right, bottom), inside the frame and never empty.

    Even, because one chroma sample of 4:2:0 covers two by two pixels.
    """
    left = min(max(0, int(box.left * size.width_px) // 2 * 2), max(0, size.width_px // 2 * 2 - 2))
    top = min(max(0, int(box.top * size.height_px) // 2 * 2), max(0, size.height_px // 2 * 2 - 2))
    right = min(size.width_px // 2 * 2, -(-int(np.ceil(box.right * size.width_px - _TINY_PX)) // 2) * 2)
    bottom = min(size.height_px // 2 * 2, -(-int(np.ceil(box.bottom * size.height_px - _TINY_PX)) // 2) * 2)
    return left, top, max(right, left + 2), max(bottom, top + 2)


def bgr(frame: Frame, box: Box = WHOLE, size: Size | None = None) -> Image:
    """The part of the frame inside `box` as BGR, resized to `size` if given; always a fresh array.

    The planes are resized before they are converted: shrinking one and a half planes is cheaper than three.
    """
    left, top, right, bottom = pixels(box, frame.size)
    luma = frame.luma[top:bottom, left:right]
    u = frame.u[top // 2 : bottom // 2, left // 2 : right // 2]
    v = frame.v[top // 2 : bottom // 2, left // 2 : right // 2]
    wanted = size or Size(right - left, bottom - top)
    even = Size(max(2, wanted.width_px // 2 * 2), max(2, wanted.height_px // 2 * 2))
    yuv = np.empty((even.height_px * 3 // 2, even.width_px), np.uint8)
    area = even.width_px * even.height_px
    flat = yuv.reshape(-1)
    half = Size(even.width_px // 2, even.height_px // 2)
    flat[:area].reshape(even.height_px, even.width_px)[:] = _resized(luma, even)
    flat[area : area * 5 // 4].reshape(half.height_px, half.width_px)[:] = _resized(u, half)
    flat[area * 5 // 4 :].reshape(half.height_px, half.width_px)[:] = _resized(v, half)
    if frame.full_range:
        yuv = _squeezed(yuv, even)
    image = cv2.cvtColor(yuv, cv2.COLOR_YUV2BGR_I420)
    if even != wanted:
        image = cv2.resize(image, (wanted.width_px, wanted.height_px), interpolation=cv2.INTER_LINEAR)
    return np.asarray(image, np.uint8)


def _resized(plane: Plane, size: Size) -> Plane:
    """Halved as often as that is not too much, which is the mean of all pixels; linear sampling does the rest.

    Down to a half it skips no pixel, and networks are trained with it. Averaging over parts of pixels costs
    twice to three times as much, conversion included (measured).
    """
    while plane.shape[0] >= 2 * size.height_px and plane.shape[1] >= 2 * size.width_px:
        high, wide = plane.shape[0] // 2, plane.shape[1] // 2
        even = plane[: 2 * high, : 2 * wide]
        plane = np.asarray(cv2.resize(even, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
    if plane.shape == (size.height_px, size.width_px):
        return plane
    wanted = size.width_px, size.height_px
    return np.asarray(cv2.resize(plane, wanted, interpolation=cv2.INTER_LINEAR), np.uint8)


def _squeezed(yuv: Plane, size: Size) -> Plane:
    """OpenCV's 4:2:0 conversion expects 16..235; JPEG's planes are 0..255 (ITU-T T.871), so squeeze first."""
    table = np.round(16 + np.arange(256) * (219 / 255)).astype(np.uint8)
    chroma = np.round(128 + (np.arange(256) - 128.0) * (224 / 255)).astype(np.uint8)
    return np.concatenate([table[yuv[: size.height_px]], chroma[yuv[size.height_px :]]])
