"""agent.cameras.decode.decoded"""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cameras.decode.decoded import Layout, Rate, Source


@given(st.integers(1, 60), st.floats(0.5, 60, allow_nan=False))
def test_a_limited_rate_keeps_its_mean(fps: int, max_fps: float) -> None:
    rate = Rate(max_fps)
    seconds = 60
    due = sum(rate.due(1000 + n / fps) for n in range(fps * seconds))
    wanted = min(fps, max_fps) * seconds
    assert due == pytest.approx(wanted, abs=wanted * 0.05 + 1)


def test_a_rate_does_not_make_up_for_a_pause() -> None:
    rate = Rate(10)
    assert rate.due(0)
    assert rate.due(100)
    assert not rate.due(100.05)


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_three_planes_of_any_size_follow_each_other(width: int, height: int) -> None:
    half = (width + 1) // 2
    layout = Layout(width, height, (width, half, half), full_range=False)
    assert layout.shapes[1] == ((height + 1) // 2, half)
    assert (
        layout.nbytes == layout.offsets[2] + layout.sizes[2] == width * height + 2 * half * ((height + 1) // 2)
    )


@pytest.mark.parametrize("plain", [
    {"width_px": 0, "height_px": 8, "strides": [8, 4, 4], "full_range": False},
    {"width_px": 8, "height_px": 1 << 40, "strides": [8, 4, 4], "full_range": False},
    {"width_px": 8, "height_px": 8, "strides": [7, 4, 4], "full_range": False},
    {"width_px": 8, "height_px": 8, "strides": [8, 4], "full_range": False},
    {"width_px": "8", "height_px": 8, "strides": [8, 4, 4], "full_range": False},
])  # fmt: skip
def test_a_layout_that_would_read_beyond_its_memory_is_refused(plain: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Layout.from_json(plain)


def test_a_source_crosses_to_the_child_whole_and_does_not_show_its_address() -> None:
    masks = (((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)),)
    source = Source("north", "rtsp", "rtsp://u:geheim@h/", "rtsp://h/", masks=masks, started=(1.0, 2.0))
    assert Source.from_json(json.loads(json.dumps(asdict(source)))) == source
    assert "geheim" not in repr(source)
