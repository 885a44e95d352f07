"""agent.core.image"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.image import bgr, pixels
from agent.core.types import WHOLE, Box, Frame, Image, Instant, Size

AT = Instant(1.0, 1_770_000_000.0)


def planes(image: Image, full_range: bool = False) -> Frame:
    """A frame whose planes OpenCV made from the picture (16..235)."""
    height, width = image.shape[:2]
    yuv = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
    flat = yuv.reshape(-1)
    area = height * width
    return Frame(
        0,
        AT,
        flat[:area].reshape(height, width),
        flat[area : area * 5 // 4].reshape(height // 2, width // 2),
        flat[area * 5 // 4 :].reshape(height // 2, width // 2),
        full_range,
    )


def smooth_picture(height: int = 96, width: int = 128) -> Image:
    coarse = np.random.default_rng(3).integers(50, 205, (6, 8, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_the_whole_frame_is_what_opencv_makes_of_its_planes() -> None:
    frame = planes(smooth_picture())
    flat = np.concatenate([frame.luma.ravel(), frame.u.ravel(), frame.v.ravel()]).reshape(144, 128)
    assert np.array_equal(bgr(frame), cv2.cvtColor(flat, cv2.COLOR_YUV2BGR_I420))


def test_a_crop_is_the_same_part_of_the_whole_picture() -> None:
    frame = planes(smooth_picture())
    part = bgr(frame, Box(0.25, 0.25, 0.75, 0.5))
    assert np.array_equal(part, bgr(frame)[24:48, 32:96])


def test_colours_survive_the_way_through_the_planes() -> None:
    for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255), (30, 160, 220), (128, 128, 128)):
        image = np.full((16, 16, 3), colour, np.uint8)
        assert np.abs(bgr(planes(image)).astype(int) - image).max() <= 4


def test_full_range_planes_give_the_colours_of_jpeg() -> None:
    image = smooth_picture()
    ycrcb = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)  # OpenCV's YCrCb is JPEG's: 0..255 (ITU-T T.871)
    chroma = [cv2.resize(ycrcb[:, :, c], (64, 48), interpolation=cv2.INTER_AREA) for c in (2, 1)]
    frame = Frame(0, AT, np.ascontiguousarray(ycrcb[:, :, 0]), chroma[0], chroma[1], full_range=True)
    off = np.abs(bgr(frame).astype(int) - image)
    assert off.mean() < 3
    # Taken for 16..235, the same planes are visibly too harsh.
    harsh = np.abs(bgr(Frame(0, AT, frame.luma, frame.u, frame.v)).astype(int) - image)
    assert harsh.mean() > 2 * off.mean()


@pytest.mark.parametrize(("width", "height"), [(64, 48), (63, 47), (1, 1), (200, 150), (129, 97)])
def test_any_size_can_be_asked_for(width: int, height: int) -> None:
    assert bgr(planes(smooth_picture()), WHOLE, Size(width, height)).shape == (height, width, 3)


def test_a_smaller_picture_looks_like_the_shrunk_whole() -> None:
    frame = planes(smooth_picture())
    small = bgr(frame, WHOLE, Size(64, 48)).astype(int)
    wanted = cv2.resize(bgr(frame), (64, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(small - wanted).mean() < 5  # swapped or shifted chroma is far more


@pytest.mark.parametrize("times", [1.3, 2.0, 3.1, 4.6])
def test_shrinking_skips_no_line_however_thin(times: float) -> None:
    """A fine grid becomes its mean, and neither black nor white, wherever the samples fall."""
    luma = np.full((432, 768), 128, np.uint8)
    luma[::2] -= 60
    luma[1::2] += 60
    chroma = np.full((216, 384), 128, np.uint8)
    small = bgr(Frame(0, AT, luma, chroma, chroma), WHOLE, Size(round(768 / times), round(432 / times)))
    assert abs(small.mean() - bgr(Frame(0, AT, luma, chroma, chroma)).mean()) < 3
    if times >= 2:
        assert small.std() < 20


def test_the_picture_is_a_copy() -> None:
    frame = planes(smooth_picture())
    image = bgr(frame)
    image[:] = 0
    assert bgr(frame).any()


def test_read_only_planes_are_enough() -> None:
    frame = planes(smooth_picture())
    for plane in (frame.luma, frame.u, frame.v):
        plane.setflags(write=False)
    assert bgr(frame, Box(0.1, 0.1, 0.9, 0.9), Size(40, 40)).shape == (40, 40, 3)


coordinates = st.floats(-0.5, 1.5, allow_nan=False)


@given(coordinates, coordinates, coordinates, coordinates, st.integers(2, 300), st.integers(2, 300))
def test_pixels_are_even_inside_and_never_empty(
    x0: float, y0: float, x1: float, y1: float, width: int, height: int
) -> None:
    box = Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    left, top, right, bottom = pixels(box, Size(width, height))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert not any(edge % 2 for edge in (left, top, right, bottom))


@given(coordinates, coordinates, st.floats(0.01, 0.6), st.floats(0.01, 0.6))
def test_pixels_cover_the_part_of_the_box_inside_the_frame(
    x: float, y: float, wide: float, high: float
) -> None:
    size = Size(640, 360)
    left, top, right, bottom = pixels(Box(x, y, x + wide, y + high), size)
    if x + wide > 0 and x < 1:
        assert left <= max(0.0, x) * 640 + 1e-6
        assert right >= min(1.0, x + wide) * 640 - 1e-6
    if y + high > 0 and y < 1:
        assert top <= max(0.0, y) * 360 + 1e-6
        assert bottom >= min(1.0, y + high) * 360 - 1e-6
