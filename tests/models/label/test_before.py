"""models.label.before"""

from __future__ import annotations

import zipfile
from pathlib import Path

from models.dataset.coco import write_coco
from models.dataset.types import LabelFormat
from models.dataset.yolo import write_yolo
from models.label.before import kept_aside, print_of
from tests.support.labelled import labelled


def test_labels_are_kept_aside_once(tmp_path: Path) -> None:
    write_yolo(labelled(tmp_path, ("a_1.jpg",)), tmp_path)
    before = (tmp_path / "labels/a_1.txt").read_bytes()

    archive = kept_aside(tmp_path)
    (tmp_path / "labels/a_1.txt").write_text("")
    assert kept_aside(tmp_path) == archive

    with zipfile.ZipFile(archive) as opened:
        assert sorted(opened.namelist()) == ["classes.txt", "data.yaml", "labels/a_1.txt", "train.txt"]
        assert opened.read("labels/a_1.txt") == before


def test_another_s_change_gives_another_print(tmp_path: Path) -> None:
    dataset = labelled(tmp_path, ("a_1.jpg",))
    write_yolo(dataset, tmp_path)
    write_coco(dataset, tmp_path)
    first = {form: print_of(tmp_path, form) for form in LabelFormat}

    (tmp_path / "labels/a_1.txt").write_text("0 0.5 0.5 0.1 0.1\n")

    assert print_of(tmp_path, LabelFormat.YOLO) != first[LabelFormat.YOLO]
    assert print_of(tmp_path, LabelFormat.COCO) == first[LabelFormat.COCO]
    (tmp_path / "instances.json").write_text("{}")
    assert print_of(tmp_path, LabelFormat.COCO) != first[LabelFormat.COCO]
