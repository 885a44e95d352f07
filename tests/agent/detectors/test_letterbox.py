"""agent.detectors.letterbox"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Size
from agent.detectors.card import Card
from agent.detectors.letterbox import Placement, fitted, network_input, place

sizes = st.builds(Size, st.integers(1, 4000), st.integers(1, 4000))
fields = st.builds(Size, st.sampled_from([320, 416, 640]), st.sampled_from([320, 416, 640]))
resizes = st.sampled_from(["letterbox_top_left", "letterbox_centre", "stretch"])


def card(**changes: Any) -> Card:
    content: dict[str, Any] = {
        "name": "x",
        "input": {"width_px": 64, "height_px": 48},
        "resize": "stretch",
        "channels": "bgr",
        "head": {"kind": "ultralytics"},
        "labels": ("car",),
        "keep": ("car",),
        "licence": "x",
        "source": "x",
    }
    return Card.model_validate(content | changes)


@given(sizes, fields, resizes)
def test_a_picture_lies_within_the_field_and_fills_one_side(picture: Size, field: Size, resize: str) -> None:
    at = place(picture, field, resize)

    assert 0 <= at.left_px <= at.left_px + at.width_px <= field.width_px
    assert 0 <= at.top_px <= at.top_px + at.height_px <= field.height_px
    assert at.width_px == field.width_px or at.height_px == field.height_px


@given(sizes, fields)
def test_a_letterbox_keeps_the_shape_to_a_pixel(picture: Size, field: Size) -> None:
    at = place(picture, field, "letterbox_centre")

    scale = min(field.width_px / picture.width_px, field.height_px / picture.height_px)
    assert abs(at.width_px - picture.width_px * scale) <= 1
    assert abs(at.height_px - picture.height_px * scale) <= 1


@given(sizes, fields, resizes, st.tuples(*[st.floats(0, 1, width=32)] * 4))
def test_a_box_goes_in_and_comes_back(
    picture: Size, field: Size, resize: str, box: tuple[float, float, float, float]
) -> None:
    at = place(picture, field, resize)
    scale = np.array([at.width_px, at.height_px] * 2, np.float32)
    inside = np.array([box], np.float32) * scale + np.array([at.left_px, at.top_px] * 2, np.float32)

    assert at.fractions(inside) == pytest.approx(np.array([box]), abs=1e-3)


def test_a_box_beyond_the_picture_is_clipped() -> None:
    at = Placement(0, 10, 100, 80)

    back = at.fractions(np.array([[-5, 0, 120, 100]], np.float32))

    assert back.tolist() == [[0, 0, 1, 1]]


def test_a_picture_that_fits_is_not_copied() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    field = Size(64, 48)

    assert fitted(picture, field, place(Size(64, 48), field, "letterbox_centre"), 114) is picture


@pytest.mark.parametrize(
    ("resize", "rows"), [("letterbox_top_left", slice(0, 16)), ("letterbox_centre", slice(16, 32))]
)
def test_the_padding_has_the_cards_grey(resize: str, rows: slice) -> None:
    picture = np.full((32, 128, 3), 200, np.uint8)
    field = Size(64, 48)

    image = fitted(picture, field, place(Size(128, 32), field, resize), 114)

    assert (image[rows] == 200).all()
    image[rows] = 114
    assert (image == 114).all()


@pytest.mark.parametrize("channels", ["bgr", "rgb"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_pixels_are_scaled_shifted_and_ordered_as_the_card_says(channels: str, layout: str) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:] = (10, 20, 30)
    mean, std = (1.0, 2.0, 3.0), (2.0, 4.0, 5.0)

    batch, _ = network_input(
        [picture], card(channels=channels, layout=layout, scale=0.5, mean=mean, std=std), np.float32
    )

    order = (10, 20, 30) if channels == "bgr" else (30, 20, 10)
    expected = [(value * 0.5 - m) / s for value, m, s in zip(order, mean, std, strict=True)]
    assert batch.shape == ((1, 3, 48, 64) if layout == "nchw" else (1, 48, 64, 3))
    first = batch[0, :, 0, 0] if layout == "nchw" else batch[0, 0, 0]
    assert first == pytest.approx(expected)
    assert np.ptp(batch, axis=(2, 3) if layout == "nchw" else (1, 2)).max() == 0


def test_whole_numbers_go_in_as_they_are() -> None:
    picture = np.full((48, 64, 3), 77, np.uint8)

    batch, _ = network_input([picture], card(layout="nhwc", scale=0.5), np.uint8)

    assert batch.dtype == np.uint8
    assert (batch == 77).all()


def test_pictures_of_different_sizes_share_a_batch() -> None:
    pictures = [np.full(shape, 9, np.uint8) for shape in [(48, 64, 3), (100, 30, 3), (1, 1, 3)]]

    batch, places = network_input(pictures, card(), np.float32)

    assert batch.shape == (3, 3, 48, 64)
    assert len(places) == 3
    assert (batch == 9).all()
