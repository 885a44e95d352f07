"""models.train.pictures.views"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from agent.detectors.card import Card, parse_card
from models.train.pictures.labelled_view import LabelledView
from models.train.pictures.views import drawn, mosaic, whole
from tests.support.small_yolox import small_card


@pytest.fixture
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    return parse_card(small_card(), tmp_path_factory.mktemp("card") / "small.yaml")


def frame() -> LabelledView:
    """A white square on black, of label 2."""
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[40:80, 60:100] = 255
    return LabelledView(
        picture, np.array([[60, 40, 100, 80]], np.float32), np.array([2]), np.array([False]), 160
    )


def test_the_whole_frame_is_letterboxed(card: Card) -> None:
    view = whole(frame(), card)

    assert view.boxes.tolist() == [[24, 16, 40, 32]]
    assert view.frame_px == 64


def test_every_box_is_where_the_white_is(card: Card) -> None:
    for seed in range(60):
        view = drawn(frame(), card, default_rng(seed))
        for (left, top, right, bottom), ignored in zip(view.boxes.tolist(), view.ignored, strict=True):
            inside = view.picture[round(top) + 1 : round(bottom) - 1, round(left) + 1 : round(right) - 1]
            assert ignored or inside.min() > 100, seed


def test_objects_come_in_many_sizes(card: Card) -> None:
    sides = [
        float(np.sqrt(np.prod(view.boxes[0, 2:] - view.boxes[0, :2])))
        for view in (drawn(frame(), card, default_rng(seed)) for seed in range(200))
        if len(view.boxes)
    ]

    assert min(sides) < 18
    assert max(sides) > 45


def test_a_mosaic_shows_four_frames_and_their_boxes(card: Card) -> None:
    view = mosaic((frame(), frame(), frame(), frame()), card, default_rng(3))

    assert view.picture.shape == (64, 64, 3)
    assert view.shown is None
    assert 2 <= len(view.boxes) <= 4
    assert (view.boxes >= 0).all()
    assert (view.boxes <= 64).all()


def test_the_same_chance_gives_the_same_view(card: Card) -> None:
    one, other = (drawn(frame(), card, default_rng(5)) for _ in range(2))

    assert np.array_equal(one.picture, other.picture)
    assert np.array_equal(one.boxes, other.boxes)
