"""models.train.held_back"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.types import Box
from agent.detectors.card import read_card
from models.dataset.coco import read_coco
from models.dataset.types import AnnotatedImage
from models.train.held_back import MOST, HeldBackResult, HeldBackTally, chosen, on_labelled, overlapping
from models.train.tiled import unhurried
from tests.support.labelled_squares import write_dimmed, write_set


def looked(model: Path, images: tuple[AnnotatedImage, ...]) -> HeldBackResult:
    detector = unhurried(model, read_card(model.with_suffix(".yaml")))
    result = on_labelled(detector, images, ("car",))
    detector.close()
    return result


@pytest.fixture
def images(tmp_path: Path) -> tuple[AnnotatedImage, ...]:
    return read_coco(write_set(tmp_path / "set")).images


def test_a_network_that_sees_worse_has_a_lower_figure(
    tmp_path: Path, images: tuple[AnnotatedImage, ...]
) -> None:
    good = looked(write_dimmed(tmp_path / "good", 0), images)
    poor = looked(write_dimmed(tmp_path / "poor", 25), images)

    assert 0 <= poor.precision["car"] < good.precision["car"] <= 1
    assert len([one for one in poor.mistakes if one.score is None]) > len(
        [one for one in good.mistakes if one.score is None]
    )


def test_what_is_ignored_is_not_missed(tmp_path: Path, images: tuple[AnnotatedImage, ...]) -> None:
    ignored = tuple(
        replace(one, annotations=tuple(replace(box, ignored=True) for box in one.annotations)) for one in images
    )

    result = looked(write_dimmed(tmp_path / "m", 200), ignored)

    assert looked(tmp_path / "m" / "squares.onnx", images).mistakes
    assert result.mistakes == ()


def test_what_has_no_label_is_a_mistake(tmp_path: Path, images: tuple[AnnotatedImage, ...]) -> None:
    bare = tuple(replace(one, annotations=()) for one in images)
    result = looked(write_dimmed(tmp_path / "m", 0), bare)

    assert result.mistakes
    assert all(one.score is not None and one.score >= 0.4 for one in result.mistakes)


def test_every_box_says_whether_it_is_right(tmp_path: Path, images: tuple[AnnotatedImage, ...]) -> None:
    found = looked(write_dimmed(tmp_path / "m", 0), images).found

    assert set(found) == {"car"}
    assert {right for _, right in found["car"]} == {True, False}
    assert all(0 <= score <= 1 for score, _ in found["car"])


def test_the_area_under_the_curve_counts_every_point() -> None:
    tally = HeldBackTally(objects=4, found=[(0.9, True), (0.8, False), (0.7, True), (0.6, False)])

    assert tally.average_precision == pytest.approx((1 + 2 / 3) / 4)
    assert HeldBackTally().average_precision == 0


def test_of_many_pictures_some_are_looked_at_evenly(images: tuple[AnnotatedImage, ...]) -> None:
    many = [replace(images[0], width=number) for number in range(1, 501)]

    some = chosen(many)
    assert len(some) == MOST
    assert (some[0].width, some[-1].width) == (1, 500)
    assert chosen(many[:3]) == many[:3]


def test_boxes_overlap_as_they_do() -> None:
    found = overlapping(Box(0, 0, 0.2, 0.2), [Box(0.1, 0, 0.3, 0.2), Box(0.5, 0.5, 0.6, 0.6)])

    assert found.tolist() == pytest.approx([1 / 3, 0])
