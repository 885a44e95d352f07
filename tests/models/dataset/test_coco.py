"""models.dataset.coco"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ModelError
from models.dataset.coco import find_coco, read_coco, write_coco
from models.dataset.types import Annotation, Dataset
from tests.support.labelled import labelled, pictures

SIDES = st.floats(0, 300, allow_nan=False)
BOXES = st.lists(
    st.builds(
        lambda label, x, y, w, h, ignored: Annotation(label, x, y, x + w, y + h, ignored),
        st.sampled_from(["motorcycle", "car"]), SIDES, SIDES,
        st.floats(1, 60, allow_nan=False), st.floats(1, 60, allow_nan=False), st.booleans(),
    ),
    max_size=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return labelled(tmp_path_factory.mktemp("made") / "set")


@given(
    boxes=BOXES,
    when=st.none() | st.just(datetime(2026, 1, 14, 23, 14, tzinfo=UTC)),
    hour=st.sampled_from(["", "night"]),
)
def test_what_is_written_is_read_again(
    made: Dataset, boxes: list[Annotation], when: datetime | None, hour: str
) -> None:
    nothing = (Annotation("bus", 10, 20, 40, 60),) if hour else ()
    first = replace(
        made.images[0], annotations=tuple(boxes), taken=when, condition=hour, camera="chợ", ruled_out=nothing
    )
    dataset = replace(made, images=(first, *made.images[1:]))
    folder = made.images[0].path.parents[1]

    write_coco(dataset, folder)
    again = read_coco(folder)

    for mine, theirs in zip(dataset.images, again.images, strict=True):
        for one, other in zip(mine.annotations, theirs.annotations, strict=True):
            assert other.box == pytest.approx(one.box)
            assert (other.label, other.ignored) == (one.label, one.ignored)
        assert replace(mine, annotations=()) == replace(theirs, annotations=())
    assert (again.labels, again.licence, again.source) == (dataset.labels, dataset.licence, dataset.source)


def index(names: list[str]) -> str:
    return json.dumps(
        {
            "images": [
                {"id": n, "file_name": name, "width": 640, "height": 360} for n, name in enumerate(names)
            ],
            "annotations": [
                {"id": 1, "image_id": 0, "category_id": 0, "bbox": [1, 2, 3, 4], "segmentation": []}
            ],
            "categories": [{"id": 0, "name": "motorcycle", "supercategory": ""}],
        }
    )


@pytest.mark.parametrize(
    ("file", "name", "place"),
    [
        ("annotations/instances_default.json", "x_1.jpg", "images/default/x_1.jpg"),
        ("annotations/instances_default.json", "x_1.jpg", "images/x_1.jpg"),
        ("result.json", "images/1a2b3c4d-x_1.jpg", "images/1a2b3c4d-x_1.jpg"),
        ("result.json", "images\\1a2b3c4d-x_1.jpg", "images/1a2b3c4d-x_1.jpg"),
        ("result.json", "/label-studio/data/media/upload/1/1a2b3c4d-x_1.jpg", "images/1a2b3c4d-x_1.jpg"),
        ("result.json", "../../media/upload/1/1a2b3c4d-x_1.jpg", "images/1a2b3c4d-x_1.jpg"),
        ("instances.json", "x_1.jpg", "x_1.jpg"),
    ],
)
def test_what_cvat_and_label_studio_export_is_read(tmp_path: Path, file: str, name: str, place: str) -> None:
    pictures(tmp_path, [place])
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(index([name]))

    dataset = read_coco(tmp_path)

    assert [(image.path, image.camera) for image in dataset.images] == [(tmp_path / place, "x")]
    assert dataset.images[0].annotations == (Annotation("motorcycle", 1, 2, 4, 6),)


def test_of_several_files_of_labels_one_must_be_chosen(tmp_path: Path) -> None:
    for name in ("instances_train.json", "instances_val.json"):
        (tmp_path / "annotations").mkdir(exist_ok=True)
        (tmp_path / "annotations" / name).write_text(index([]))

    with pytest.raises(ModelError, match=r"instances_train\.json, instances_val\.json\n  hint: Copy"):
        find_coco(tmp_path)


def test_a_picture_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    pictures(tmp_path, ["out_1.jpg"])
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    (folder / "instances.json").write_text(index(["../../out_1.jpg"]))
    with pytest.raises(ModelError, match="no such picture"):
        read_coco(folder)

    (folder / "images" / "out_1.jpg").symlink_to(tmp_path / "out_1.jpg")
    with pytest.raises(ModelError, match="outside its folder"):
        read_coco(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": 3}', index(["gone.jpg"])])
def test_what_is_wrong_is_told_in_a_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "instances.json").write_text(text)

    with pytest.raises(ModelError) as caught:
        read_coco(tmp_path)
    assert "instances.json" in str(caught.value)
