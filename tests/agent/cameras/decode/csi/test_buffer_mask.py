"""agent.cameras.decode.csi.buffer_mask"""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.csi.buffer_mask import BufferMask, Format
from agent.cameras.decode.decoded import Layout, Polygon
from agent.cameras.decode.privacy_mask import PrivacyMask

corners = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=6).map(tuple)
sizes = st.tuples(st.integers(8, 40).map(lambda n: 2 * n), st.integers(8, 40).map(lambda n: 2 * n))


def as_planes(buffer: np.ndarray, size: tuple[int, int], stride: int, form: Format) -> list[np.ndarray]:
    """Luma, u and v without the padding."""
    width, height = size
    luma = buffer[: stride * height].reshape(height, stride)[:, :width]
    rest = buffer[stride * height :]
    if form == "NV12":
        pairs = rest.reshape(height // 2, stride)[:, :width]
        return [luma, pairs[:, 0::2], pairs[:, 1::2]]
    u, v = rest.reshape(2, height // 2, stride // 2)[:, :, : width // 2]
    return [luma, u, v]


@pytest.mark.parametrize("form", get_args(Format))
@given(masks=st.lists(corners, min_size=1, max_size=3), size=sizes, padding=st.sampled_from([0, 2, 64]))
def test_it_hides_what_a_copy_would_leave_out_and_nothing_else(
    form: Format, masks: list[Polygon], size: tuple[int, int], padding: int
) -> None:
    width, height = size
    stride = width + padding
    buffer = np.full(stride * height * 3 // 2, 200, np.uint8)
    BufferMask(size, stride, form, masks).paint(buffer)

    layout = Layout(width, height, (width, width // 2, width // 2), full_range=False)
    expected = np.full(layout.nbytes, 200, np.uint8)
    PrivacyMask(layout, masks).blacken(memoryview(expected))
    for ours, theirs in zip(
        as_planes(buffer, size, stride, form), as_planes(expected, size, width, "YUV420"), strict=True
    ):
        assert np.array_equal(ours, theirs)
