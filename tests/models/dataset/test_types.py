"""models.dataset.types"""

from __future__ import annotations

from pathlib import Path

from models.dataset.types import Annotation
from tests.support.labelled import labelled


def test_a_set_knows_its_cameras_and_gives_the_pictures_of_some(tmp_path: Path) -> None:
    dataset = labelled(tmp_path)

    assert dataset.cameras == ("cam_00", "cam_01")
    part = dataset.of_cameras(["cam_01"])
    assert [image.camera for image in part.images] == ["cam_01", "cam_01"]
    assert (part.labels, part.licence, part.source) == (dataset.labels, dataset.licence, dataset.source)
    assert Annotation("car", 1, 2, 3, 4).box == (1, 2, 3, 4)
