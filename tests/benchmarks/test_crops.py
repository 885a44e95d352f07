"""benchmarks.crops: what is found through the agent's own crops"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.core.types import Image
from agent.detectors import Detector, load_detector
from agent.detectors.settings import DetectorSettings
from agent.errors import NgatuError
from benchmarks.crops import main, moving, still, whole
from models.dataset.coco import read_coco
from models.dataset.types import AnnotatedImage
from models.judge.looking import read_picture
from tests.support.labelled_squares import write_set
from tests.support.squares import write_model


@pytest.fixture
def seen(tmp_path: Path) -> tuple[AnnotatedImage, Image, Detector]:
    write_set(tmp_path / "squares", cameras=("a",), pictures=1)
    image = read_coco(tmp_path / "squares").images[0]
    detector = load_detector(DetectorSettings(model=str(write_model(tmp_path))))
    return image, read_picture(image), detector


def test_a_row_for_each_set_model_and_way(tmp_path: Path) -> None:
    write_set(tmp_path / "squares", cameras=("a", "b", "c"))
    rows = main([tmp_path / "squares", write_model(tmp_path)])

    assert [row["way"] for row in rows] == ["whole", "still", "moving"]
    assert all(row["set"] == "squares" for row in rows)
    # This network knows squares of one size: enlarged, pieces of one are squares to it, too.
    assert rows[0]["car precision"] == 100.0
    assert all(50 <= float(str(row["car recall"])) <= 100 for row in rows)
    assert float(str(rows[0]["car recall"])) < 100


def test_attention_looks_again_and_again_where_all_that_is_labelled_moves(
    seen: tuple[AnnotatedImage, Image, Detector],
) -> None:
    image, picture, detector = seen

    assert whole(image, picture, detector)[0] == 1
    assert moving(image, picture, detector)[0] > 1


def test_a_view_in_which_nothing_moves_is_looked_at_as_a_new_scene(
    seen: tuple[AnnotatedImage, Image, Detector],
) -> None:
    image, picture, detector = seen
    pictures, found = still(image, picture, detector)

    assert pictures >= len(found) > 1
    assert any(found)


def test_an_empty_picture_gives_nothing(seen: tuple[AnnotatedImage, Image, Detector]) -> None:
    image, picture, detector = seen

    assert not any(still(image, np.zeros_like(picture), detector)[1])


def test_without_a_model_it_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(NgatuError, match="needs folders and detectors"):
        main([tmp_path])
