"""models.train.pictures.labelled_view"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agent.core.types import Image, Size
from agent.detectors.card import Card, parse_card
from models.train.pictures.labelled_view import (
    RULED_OUT,
    LabelledView,
    bare,
    brought_in,
    cut,
    mirrored,
    painted,
    scaled,
)
from tests.support.small_yolox import small_card


@pytest.fixture
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    return parse_card(small_card(), tmp_path_factory.mktemp("card") / "small.yaml")


def one_square(wide: int = 100, high: int = 50) -> LabelledView:
    """White from (20, 10) to (40, 30) on black."""
    picture = np.zeros((high, wide, 3), np.uint8)
    picture[10:30, 20:40] = 255
    return LabelledView(
        picture,
        np.array([[20, 10, 40, 30]], np.float32),
        np.array([1]),
        np.array([False]),
        wide,
    )


def white(view: LabelledView) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is bright in the picture."""
    rows, columns = np.nonzero(view.picture[..., 0] > 200)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_a_cut_view_has_its_boxes_where_its_picture_has_them() -> None:
    view = cut(one_square(), (10, 5, 60, 45))

    assert view.boxes.tolist() == [list(white(view))]
    assert not view.ignored[0]


def test_an_object_of_which_little_is_left_is_neither_right_nor_wrong() -> None:
    assert cut(one_square(), (35, 0, 100, 50)).ignored.tolist() == [True]


def test_an_object_of_which_nothing_is_left_is_gone() -> None:
    assert len(cut(one_square(), (40, 0, 100, 50)).boxes) == 0


def test_scaling_moves_boxes_and_picture_alike() -> None:
    view = scaled(one_square(), Size(200, 200))

    assert np.abs(view.boxes[0] - white(view)).max() <= 1
    assert view.frame_px == pytest.approx(100 * (2 * 4) ** 0.5)


def test_a_mirrored_view_mirrored_again_is_the_same() -> None:
    view = mirrored(one_square())

    assert view.boxes.tolist() == [list(white(view))] == [[60, 10, 80, 30]]
    assert np.array_equal(mirrored(view).picture, one_square().picture)


def test_it_is_brought_in_as_a_box_does_it(card: Card) -> None:
    view = brought_in(one_square(), card)

    assert view.picture.shape == (64, 64, 3)
    assert view.shown == (0, 0, 64, 32)
    assert (view.picture[32:] == card.pad).all()
    assert np.abs(view.boxes[0] - white(view)).max() <= 1


def test_what_is_too_small_to_be_learned_is_ignored(card: Card) -> None:
    assert brought_in(one_square(1000, 500), card).ignored.tolist() == [True]


def test_paint_is_told_of_objects_and_not_of_places_at_which_there_is_none(card: Card) -> None:
    def dark(picture: Image, boxes: np.ndarray) -> Image:
        assert len(boxes) == 0, "no headlights where nothing is"
        return picture

    view = replace(one_square(), labels=np.array([RULED_OUT]))
    painted(view, dark)
    painted(brought_in(view, card), dark)


def test_paint_leaves_the_padding_as_it_was(card: Card) -> None:
    def red(picture: Image, boxes: np.ndarray) -> Image:
        assert len(boxes) == 1
        return np.full_like(picture, 7)

    view = painted(brought_in(one_square(), card), red)

    assert (view.picture[:32] == 7).all()
    assert (view.picture[32:] == card.pad).all()


def test_of_a_bare_picture_nothing_is_known() -> None:
    view = bare(np.zeros((5, 9, 3), np.uint8))

    assert (len(view.boxes), view.frame_px) == (0, 9)
