"""models.judge.looking"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.core.types import WHOLE
from agent.errors import ModelError
from models.dataset.coco import read_coco
from models.dataset.types import AnnotatedImage, Annotation, Dataset
from models.judge.looking import TILES, Looker, look_at, riders_apart
from tests.support.labelled_squares import write_set
from tests.support.squares import write_model


def test_the_tiles_are_the_whole_and_two_by_two_that_overlap_and_cover_it() -> None:
    whole, *tiles = TILES

    assert whole == WHOLE
    assert len(tiles) == 4
    assert {(tile.left > 0, tile.top > 0) for tile in tiles} == {
        (a, b) for a in (False, True) for b in (False, True)
    }
    assert all(0.5 < tile.width < 0.6 and 0.5 < tile.height < 0.6 for tile in tiles)


def test_each_picture_is_looked_at_in_three_ways(tmp_path: Path) -> None:
    dataset = read_coco(write_set(tmp_path / "x", cameras=("a",), pictures=2))
    looker = Looker(str(write_model(tmp_path)))
    seen: list[None] = []

    (finds,) = look_at([looker], dataset, lambda: seen.append(None))
    looker.close()

    assert looker.labels == ("car", "person")
    assert len(finds) == len(seen) == 2
    for each in finds:
        assert (
            min(found.score for found in each.ranked) < 0.35
        )  # the card's least score is not that of the curve
        assert all(found.score >= 0.35 for found in (*each.whole, *each.tiled))


def test_riders_are_apart_where_a_labelled_person_sits_on_a_two_wheeler() -> None:
    ride, rider = Annotation("motorcycle", 40, 50, 60, 90), Annotation("person", 42, 30, 58, 70)
    walker = Annotation("person", 0, 30, 12, 70)

    def of(*objects: Annotation) -> Dataset:
        return Dataset("x", (AnnotatedImage(Path("x.jpg"), 100, 100, objects),), ("motorcycle", "person"))

    assert riders_apart(of(ride, rider))
    assert not riders_apart(of(ride, walker))
    assert not riders_apart(of(walker))


@pytest.mark.parametrize("fault", ["no picture", "another shape"])
def test_a_picture_that_is_not_what_was_labelled_is_told(tmp_path: Path, fault: str) -> None:
    folder = write_set(tmp_path / "x", cameras=("a",), pictures=1)
    if fault == "no picture":
        next((folder / "images").iterdir()).write_bytes(b"none")
    else:
        content = json.loads((folder / "instances.json").read_text())
        content["images"][0]["width"] = 300
        (folder / "instances.json").write_text(json.dumps(content))

    with pytest.raises(ModelError, match=r"a_00000\.png: (no picture|the picture is 256 × 256, but)"):
        look_at([], read_coco(folder))
