"""agent.cameras.planes"""

from __future__ import annotations

import pytest

from agent.cameras import planes
from agent.cameras.decode.decoded import Layout
from agent.core.types import Instant


def test_padding_is_not_part_of_the_frame_and_nothing_is_copied() -> None:
    layout = Layout(5, 3, (8, 4, 6), full_range=True)
    memory = [bytearray(range(size)) for size in layout.sizes]
    frame = planes.frame(7, Instant(1.0, 2.0), layout, [memoryview(m) for m in memory])
    assert (frame.index, frame.at, frame.full_range) == (7, Instant(1.0, 2.0), True)
    assert frame.luma.tolist() == [[0, 1, 2, 3, 4], [8, 9, 10, 11, 12], [16, 17, 18, 19, 20]]
    assert (frame.u.tolist(), frame.v.tolist()) == ([[0, 1, 2], [4, 5, 6]], [[0, 1, 2], [6, 7, 8]])
    memory[0][0] = 99
    assert frame.luma[0, 0] == 99


def test_a_plane_that_is_too_short_is_refused() -> None:
    layout = Layout(8, 8, (8, 4, 4), full_range=False)
    short = [memoryview(bytes(16))] * 3
    with pytest.raises((TypeError, ValueError)):
        planes.frame(0, Instant(0.0, 0.0), layout, short)
