"""models.label.proposer"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agent.core.types import Box, Detection, Image, Size
from models.label.proposer import proposals, tiles

HEIGHT, WIDTH = 360, 640


class MarkReader:
    """Finds squares of one bright colour each, where they fill enough of what it is shown, as networks do."""

    name, sha256, input_size = "marks", "0" * 64, Size(640, 360)
    labels = ("motorcycle", "person", "car")

    def __init__(self, least: float = 0.0) -> None:
        self.least, self.seen = least, 0

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        self.seen += len(images)
        return [tuple(self._one(image)) for image in images]

    def _one(self, image: Image) -> list[Detection]:
        found = []
        for number, label in enumerate(self.labels):
            rows, columns = np.nonzero(image[..., number] > 200)
            if len(rows) and len(rows) / image[..., 0].size >= self.least:
                box = Box(
                    columns.min() / image.shape[1], rows.min() / image.shape[0],
                    (columns.max() + 1) / image.shape[1], (rows.max() + 1) / image.shape[0],
                )  # fmt: skip
                found.append(Detection(label, 0.8, box))
        return found

    def close(self) -> None:
        pass


def road(**marks: tuple[int, int, int, int]) -> Image:
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for label, (left, top, right, bottom) in marks.items():
        image[top:bottom, left:right, MarkReader.labels.index(label)] = 255
    return image


def test_tiles_cover_the_picture_and_overlap() -> None:
    whole, *parts = tiles()

    assert (whole.left, whole.top, whole.right, whole.bottom) == (0, 0, 1, 1)
    assert len(parts) == 4
    assert parts[0].right - parts[1].left == pytest.approx(0.2 * parts[0].width)
    assert {(part.left, part.top) for part in parts} == {
        (0, 0),
        (parts[1].left, 0),
        (0, parts[2].top),
        (parts[1].left, parts[2].top),
    }
    assert max(part.right for part in parts) == 1


def test_what_only_a_tile_shows_is_proposed_once_in_pixels_of_the_picture() -> None:
    small = road(car=(500, 250, 520, 270))
    shy = MarkReader(least=400 / (HEIGHT * WIDTH) * 1.5)  # too small for it in the whole picture

    (found,) = proposals(small, shy, ("car",))

    assert (found.left, found.top, found.right, found.bottom) == pytest.approx((500, 250, 520, 270), abs=0.2)
    assert (found.label, found.score, shy.seen) == ("car", 0.8, 5)


def test_what_all_tiles_show_is_one() -> None:
    assert len(proposals(road(car=(300, 160, 340, 200)), MarkReader(), ("car",))) == 1


@pytest.mark.parametrize(
    "person",
    [(104, 60, 136, 130), (104, 95, 136, 150), (90, 60, 150, 170)],
    ids=["sits on it", "lies in its box", "is around it"],
)
def test_a_rider_and_the_machine_are_one_box_around_both(person: tuple[int, int, int, int]) -> None:
    image = road(motorcycle=(100, 90, 140, 160), person=person)

    (found,) = proposals(image, MarkReader(), ("motorcycle", "person"))

    assert found.label == "motorcycle"
    assert (found.left, found.top) == pytest.approx((min(100, person[0]), min(90, person[1])), abs=0.2)
    assert (found.right, found.bottom) == pytest.approx((max(140, person[2]), max(160, person[3])), abs=0.2)


def test_who_walks_apart_is_a_person_and_unwanted_labels_are_left_out() -> None:
    image = road(motorcycle=(100, 90, 140, 160), person=(300, 60, 330, 150), car=(400, 100, 500, 200))

    assert [each.label for each in proposals(image, MarkReader(), ("motorcycle", "person"))] == [
        "motorcycle",
        "person",
    ]


def test_one_thing_under_two_labels_is_proposed_once() -> None:
    image = road(motorcycle=(100, 90, 140, 160), car=(101, 90, 141, 160))

    assert len(proposals(image, MarkReader(), ("motorcycle", "car"))) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3)])
def test_a_tiny_picture_is_no_trouble(shape: tuple[int, int, int]) -> None:
    assert proposals(np.zeros(shape, np.uint8), MarkReader(), ("car",)) == ()
