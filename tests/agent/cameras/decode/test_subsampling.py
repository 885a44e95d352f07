"""agent.cameras.decode.subsampling"""

from __future__ import annotations

import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.cameras.decode.decoded import Layout, Polygon
from agent.cameras.decode.privacy_mask import PrivacyMask
from agent.cameras.decode.subsampling import CannotConvert, Subsampling
from tests.support.pixel_formats import changed, formats, hidden_pixels, noise

fractions = st.floats(0, 1, allow_nan=False, width=32)
polygons = st.lists(st.tuples(fractions, fractions), min_size=3, max_size=6).map(tuple)
MIDDLE: Polygon = ((0.3, 0.3), (0.7, 0.25), (0.6, 0.75))

Planes = list[NDArray[np.uint8]]


def shown(frame: VideoFrame, subsampling: Subsampling, mask: Polygon) -> Planes:
    """What leaves the decoder of this picture: luma, u and v."""
    frame, full_range = subsampling.yuv420(frame)
    y, u, v = frame.planes
    layout = Layout(frame.width, frame.height, (y.line_size, u.line_size, v.line_size), full_range)
    stencil, slot = PrivacyMask(layout, [mask]), memoryview(bytearray(layout.nbytes))
    stencil.blacken(slot)
    stencil.copy([memoryview(plane) for plane in frame.planes], slot)
    found = []
    for (height, width), stride, offset in zip(layout.shapes, layout.strides, layout.offsets, strict=True):
        rows = np.frombuffer(slot, np.uint8)[offset : offset + height * stride].reshape(height, stride)
        found.append(rows[:, :width].copy())
    return found


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(formats()), st.integers(1, 70), st.integers(1, 50), polygons,
    st.sampled_from([ColorRange.UNSPECIFIED, ColorRange.MPEG, ColorRange.JPEG]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_no_bit_of_a_picture_depends_on_what_a_mask_hides(
    name: str, width: int, height: int, mask: Polygon, values: ColorRange, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    subsampling = Subsampling([mask])
    one = noise(name, width, height, chance)
    other = changed(one, mask, chance)
    one.color_range = other.color_range = values
    try:
        before, after = shown(one, subsampling, mask), shown(other, subsampling, mask)
    except CannotConvert:
        assume(False)
    for plane, same in zip(before, after, strict=True):
        assert (plane == same).all()


@pytest.mark.parametrize("name", ["yuv444p", "yuv422p", "yuv440p", "yuv411p", "yuv410p", "yuyv422", "gbrp"])
def test_away_from_a_mask_a_picture_looks_as_without_it(name: str) -> None:
    smooth = VideoFrame(96, 64, "rgb24")
    rows, columns = np.mgrid[:64, :96]
    picture = np.stack([rows * 2 + 60, columns + 60, 200 - columns], axis=2).astype(np.uint8)
    for y in range(64):
        start = y * smooth.planes[0].line_size
        memoryview(smooth.planes[0])[start : start + 96 * 3] = picture[y].tobytes()
    frame = smooth.reformat(format=name)
    plain, _ = Subsampling([]).yuv420(frame)
    masked, _ = Subsampling([MIDDLE]).yuv420(frame)
    near = np.zeros((64, 96), bool)
    for y, x in np.argwhere(hidden_pixels(MIDDLE, 96, 64)):
        near[max(0, y - 16) : y + 17, max(0, x - 16) : x + 17] = True
    for number, step in ((0, 1), (1, 2), (2, 2)):
        seen = [np.asarray(_plane(each, number), int)[~near[::step, ::step]] for each in (plain, masked)]
        assert seen[0].size and np.abs(seen[0] - seen[1]).max() <= 2


def test_the_decoders_own_memory_is_not_painted_on() -> None:
    frame = noise("yuv422p", 64, 48, np.random.default_rng(1))
    before = [bytes(plane) for plane in frame.planes]
    Subsampling([MIDDLE]).yuv420(frame)
    assert [bytes(plane) for plane in frame.planes] == before


def test_a_new_size_or_range_is_a_new_stencil() -> None:
    chance = np.random.default_rng(2)
    subsampling = Subsampling([MIDDLE])
    for width, values in ((64, ColorRange.MPEG), (80, ColorRange.MPEG), (80, ColorRange.JPEG)):
        frame = noise("yuv444p", width, 48, chance)
        frame.color_range = values
        converted, full_range = subsampling.yuv420(frame)
        assert (converted.width, full_range) == (width, values == ColorRange.JPEG)
        middle = _plane(converted, 0)[22:26, width // 2 - 2 : width // 2 + 2]
        assert (middle == (0 if full_range else 16)).all()


def test_a_picture_that_has_the_chroma_of_420_is_not_copied() -> None:
    frame = noise("yuv420p", 64, 48, np.random.default_rng(3))
    assert Subsampling([MIDDLE]).yuv420(frame) == (frame, False)


def test_raw_pictures_of_a_sensor_are_refused_under_masks_only() -> None:
    frame = noise("bayer_rggb8", 64, 48, np.random.default_rng(4))
    assert Subsampling([]).yuv420(frame)[0].format.name == "yuv420p"
    with pytest.raises(CannotConvert):
        Subsampling([MIDDLE]).yuv420(frame)


def _plane(frame: VideoFrame, number: int) -> NDArray[np.uint8]:
    plane = frame.planes[number]
    rows = np.frombuffer(memoryview(plane), np.uint8)
    return rows[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)[:, : plane.width]
