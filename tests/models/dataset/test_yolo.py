"""models.dataset.yolo"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ModelError
from models.dataset.types import Annotation, Dataset
from models.dataset.yolo import find_yolo, label_file, read_yolo, write_yolo
from tests.support.labelled import HEIGHT, WIDTH, labelled, pictures

BOXES = st.lists(
    st.builds(
        lambda label, x, y, w, h: Annotation(label, x, y, x + w, y + h),
        st.sampled_from(["motorcycle", "car"]),
        st.floats(0, WIDTH - 61, allow_nan=False), st.floats(0, HEIGHT - 61, allow_nan=False),
        st.floats(1, 60, allow_nan=False), st.floats(1, 60, allow_nan=False),
    ),
    max_size=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return labelled(tmp_path_factory.mktemp("made") / "set")


@pytest.mark.long
@given(boxes=BOXES)
def test_what_is_written_is_read_again_to_a_thousandth_of_a_pixel(
    made: Dataset, boxes: list[Annotation]
) -> None:
    first = replace(made.images[0], annotations=tuple(boxes))
    dataset = replace(made, images=(first, *made.images[1:]), licence="", source="")
    folder = made.images[0].path.parents[1]

    write_yolo(dataset, folder)
    again = read_yolo(folder)

    assert again.labels == dataset.labels
    for mine, theirs in zip(dataset.images, again.images, strict=True):
        assert [each.label for each in theirs.annotations] == [each.label for each in mine.annotations]
        for one, other in zip(mine.annotations, theirs.annotations, strict=True):
            assert other.box == pytest.approx(one.box, abs=1e-3)
        assert replace(theirs, annotations=()) == replace(mine, annotations=())


def test_ultralytics_finds_pictures_and_labels_by_its_rules(tmp_path: Path) -> None:
    dataset = labelled(tmp_path / "old")

    path = write_yolo(dataset.of_cameras(["cam_00"]), tmp_path / "new", dataset.of_cameras(["cam_01"]))

    content = yaml.safe_load(path.read_text())
    assert content == {"train": "train.txt", "val": "val.txt", "names": {0: "motorcycle", 1: "car"}}
    assert (tmp_path / "new/train.txt").read_text().splitlines() == [
        "./images/cam_00_00001.jpg", "./images/cam_00_00002.jpg",
    ]  # fmt: skip
    assert (tmp_path / "new/val.txt").read_text().startswith("./images/cam_01_00001.jpg")
    assert (
        tmp_path / "new/labels/cam_00_00001.txt"
    ).read_text() == "0 0.03945312 0.13888889 0.04765625 0.16666667\n"


def test_nothing_in_it_is_an_empty_file_and_nobody_looked_is_none(tmp_path: Path) -> None:
    dataset = labelled(tmp_path)
    write_yolo(replace(dataset, images=(replace(dataset.images[0], annotations=()),)), tmp_path)

    assert (tmp_path / "labels/cam_00_00001.txt").read_text() == ""
    assert [image.path.name for image in read_yolo(tmp_path).images] == ["cam_00_00001.jpg"]


def test_ignored_objects_and_what_lies_outside_are_left_out(tmp_path: Path) -> None:
    dataset = labelled(tmp_path, ("a_1.jpg",))
    boxes = (
        Annotation("car", 1, 1, 9, 9, ignored=True), Annotation("car", 700, 1, 800, 9),
        Annotation("car", 600, 300, 900, 400),
    )  # fmt: skip
    write_yolo(replace(dataset, images=(replace(dataset.images[0], annotations=boxes),)), tmp_path)

    (found,) = read_yolo(tmp_path).images[0].annotations
    assert found.box == pytest.approx((600, 300, WIDTH, HEIGHT), abs=1e-3)


def test_two_pictures_with_one_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a_1\.jpg and .*a_1\.png: both would have the labels"):
        write_yolo(labelled(tmp_path, ("a_1.jpg", "a_1.png")), tmp_path)


LAYOUTS = {
    "Label Studio": {
        "classes.txt": "motorcycle\ncar\n", "notes.json": "{}", "labels/1a2b3c4d-cam_1.txt": None,
    },
    "CVAT, YOLO 1.1": {
        "obj.names": "motorcycle\ncar\n", "obj.data": "classes = 2\n",
        "train.txt": "data/obj_train_data/cam_1.jpg\n", "obj_train_data/cam_1.txt": None,
    },
    "CVAT, Ultralytics": {
        "data.yaml": "path: ./\ntrain: train.txt\nnames: {0: motorcycle, 1: car}\n",
        "train.txt": "images/train/cam_1.jpg\n", "labels/train/cam_1.txt": None,
    },
    "Roboflow": {
        "data.yaml": "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: [motorcycle, car]\n",
        "train/labels/cam_1.txt": None,
    },
    "beside it": {"data.yaml": "train: .\nnames: [motorcycle, car]\n", "cam_1.txt": None},
}  # fmt: skip
PLACES = {
    "Label Studio": "images/1a2b3c4d-cam_1.jpg", "CVAT, YOLO 1.1": "obj_train_data/cam_1.jpg",
    "CVAT, Ultralytics": "images/train/cam_1.jpg", "Roboflow": "train/images/cam_1.jpg",
    "beside it": "cam_1.jpg",
}  # fmt: skip


@pytest.mark.parametrize("tool", LAYOUTS)
def test_what_other_programs_export_is_read(tmp_path: Path, tool: str) -> None:
    pictures(tmp_path, [PLACES[tool]])
    for name, text in LAYOUTS[tool].items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1 0.5 0.5 0.5 0.5 7\n" if text is None else text)

    dataset = read_yolo(tmp_path)

    (image,) = dataset.images
    assert (image.path, image.camera) == (tmp_path / PLACES[tool], "cam")
    assert image.annotations == (Annotation("car", 160, 90, 480, 270),)
    assert label_file(image.path, tmp_path).is_file()


def test_a_polygon_counts_as_the_box_around_it(tmp_path: Path) -> None:
    write_yolo(labelled(tmp_path, ("a_1.jpg",)), tmp_path)
    (tmp_path / "labels/a_1.txt").write_text("0 0.1 0.1 0.5 0.2 0.3 0.5\n\n")

    assert read_yolo(tmp_path).images[0].annotations[0].box == pytest.approx((64, 36, 320, 180))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("car 0.5 0.5 0.1 0.1", "not a label's number"), ("0 0.5 0.5 0.1", "not a label's number"),
        ("0", "not a label's number"), ("2 0.5 0.5 0.1 0.1", "there is no label 2, only 0 to 1"),
        ("-1 0.5 0.5 0.1 0.1", "there is no label -1"), ("0 320 180 40 40", "outside the picture"),
        ("0 nan 0.5 0.1 0.1", "outside the picture"), ("0 0.5 0.5 inf 0.1", "outside the picture"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_told_with_its_file_and_number(tmp_path: Path, line: str, why: str) -> None:
    write_yolo(labelled(tmp_path, ("a_1.jpg",)), tmp_path)
    (tmp_path / "labels/a_1.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")

    with pytest.raises(ModelError, match=rf"a_1\.txt:2: .*{why}"):
        read_yolo(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "names: 3", "names: {1: a}", "names: [a, a]", "names: [", "names: [a, 1]"]
)
def test_a_wrong_data_yaml_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)

    with pytest.raises(ModelError, match=r"data\.yaml: "):
        read_yolo(tmp_path)


def test_a_folder_without_a_set_is_told(tmp_path: Path) -> None:
    assert find_yolo(tmp_path) is None
    with pytest.raises(ModelError, match=r"neither data\.yaml nor classes\.txt"):
        read_yolo(tmp_path)


def test_labels_without_their_pictures_are_told(tmp_path: Path) -> None:
    write_yolo(labelled(tmp_path, ("a_1.jpg",)), tmp_path)
    (tmp_path / "data.yaml").rename(tmp_path / "classes.txt")
    (tmp_path / "classes.txt").write_text("motorcycle\ncar\n")
    (tmp_path / "images/a_1.jpg").unlink()

    with pytest.raises(ModelError, match=r"no picture with a \.txt of labels\n  hint: Export it with"):
        read_yolo(tmp_path)


def test_a_list_leads_nowhere_outside_and_names_only_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    pictures(tmp_path, ["out_1.jpg"])
    write_yolo(labelled(folder, ("a_1.jpg",)), folder)
    (folder / "train.txt").write_text("../out_1.jpg\n")
    with pytest.raises(ModelError, match="outside its folder"):
        read_yolo(folder)

    (folder / "train.txt").write_text("./images/gone.jpg\n")
    with pytest.raises(ModelError, match=r"no such picture, but .*train\.txt names it"):
        read_yolo(folder)
