"""agent.cameras.decode.privacy_mask"""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.cameras.decode.decoded import Layout, Polygon
from agent.cameras.decode.privacy_mask import PrivacyMask, hidden_rows

fractions = st.floats(0, 1, allow_nan=False, width=32)
polygons = st.lists(st.tuples(fractions, fractions), min_size=3, max_size=7).map(tuple)


def hidden(masks: list[Polygon], width: int, height: int) -> NDArray[np.bool_]:
    grid = np.zeros((height, width), bool)
    for y, spans in enumerate(hidden_rows(masks, width, height)):
        for start, end in spans:
            grid[y, start:end] = True
    return grid


def test_a_rectangle_hides_exactly_its_pixels() -> None:
    grid = hidden([((0.25, 0.5), (0.75, 0.5), (0.75, 1.0), (0.25, 1.0))], 8, 4)
    wanted = np.zeros((4, 8), bool)
    wanted[2:4, 2:6] = True
    assert (grid == wanted).all()


def test_a_pixel_that_is_only_touched_is_hidden() -> None:
    assert hidden([((0.26, 0.26), (0.27, 0.26), (0.27, 0.27))], 4, 4).sum() == 1


def test_the_middle_of_a_star_is_hidden_although_its_edges_cross() -> None:
    turns = [step * 4 * np.pi / 5 for step in range(5)]
    star = tuple((0.5 + 0.5 * np.sin(turn), 0.5 - 0.5 * np.cos(turn)) for turn in turns)
    assert hidden([star], 40, 40)[20, 20]


@settings(max_examples=60)
@given(polygons, st.integers(1, 24), st.integers(1, 24))
def test_every_point_inside_a_mask_is_hidden(polygon: Polygon, width: int, height: int) -> None:
    grid = hidden([polygon], width, height)
    corners = np.array(polygon, np.float32) * np.float32([width, height])
    for y in range(height):
        for x in range(width):
            for dx, dy in ((0.5, 0.5), (0.02, 0.02), (0.98, 0.02), (0.02, 0.98), (0.98, 0.98)):
                inside_px = cv2.pointPolygonTest(corners, (x + dx, y + dy), measureDist=True)
                assert grid[y, x] or inside_px < 0.01, (x + dx, y + dy)


@settings(max_examples=60)
@given(st.lists(polygons, max_size=3), st.integers(1, 41), st.integers(1, 31), st.integers(0, 9), st.booleans())
def test_nothing_under_a_mask_is_copied_and_everything_else_is(
    masks: list[Polygon], width: int, height: int, padding: int, full_range: bool
) -> None:
    half = (width + 1) // 2
    layout = Layout(width, height, (width + padding, half + padding, half), full_range)
    stencil = PrivacyMask(layout, masks)
    slot = bytearray(layout.nbytes)
    stencil.blacken(memoryview(slot))
    for value in (77, 201):  # twice: the hidden bytes stay black in a slot that is used again
        stencil.copy([memoryview(bytes([value]) * size) for size in layout.sizes], memoryview(slot))
        luma = rows(slot, layout, 0)
        chroma = rows(slot, layout, 1), rows(slot, layout, 2)
        grid = hidden(masks, width, height)
        assert (luma[grid] == (0 if full_range else 16)).all()
        assert (luma[~grid] == value).all()
        coarse = np.pad(grid, ((0, height % 2), (0, width % 2)))
        coarse = coarse.reshape(coarse.shape[0] // 2, 2, -1, 2).any(axis=(1, 3))
        for plane in chroma:
            assert (plane[coarse] == 128).all()
            assert (plane[~coarse] == value).all()


def rows(slot: bytearray, layout: Layout, plane: int) -> NDArray[np.uint8]:
    start, size = layout.offsets[plane], layout.sizes[plane]
    (height, width), stride = layout.shapes[plane], layout.strides[plane]
    return np.frombuffer(slot, np.uint8)[start : start + size].reshape(height, stride)[:, :width]
