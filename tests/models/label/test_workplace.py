"""models.label.workplace"""

from __future__ import annotations

import json
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import ModelError
from agent.tools.sample_dataset import SampleDataset
from models.dataset.coco import read_coco, write_coco
from models.dataset.formats import read_dataset
from models.dataset.types import Annotation, LabelFormat
from models.dataset.yolo import read_yolo, write_yolo
from models.label.sheet import DrawnBox, LabelSheet
from models.label.workplace import CLASSES, Workplace
from tests.support.kept_samples import NOTE, jpeg, sample
from tests.support.labelled import NAMES, labelled, picture, pictures

BOX = DrawnBox(label="motorcycle", left=1, top=2, right=30, bottom=40)


def opened(folder: Path, **words: object) -> closing[Workplace]:
    return closing(Workplace(folder, **words))  # type: ignore[arg-type]


def first(workplace: Workplace) -> int:
    return int(workplace.store.summaries()[0]["id"])


def test_plain_pictures_are_where_one_begins(tmp_path: Path) -> None:
    with opened(pictures(tmp_path)) as workplace:
        assert workplace.classes == CLASSES
        assert CLASSES[0] == "motorcycle"
        assert [(each["name"], each["camera"]) for each in workplace.store.summaries()] == [
            (name, name[:6]) for name in NAMES
        ]
        workplace.write_out()
    assert not (tmp_path / "instances.json").exists()  # nothing is done, so nothing is said


@pytest.mark.parametrize("form", LabelFormat)
def test_only_what_is_done_is_written_and_reads_again(tmp_path: Path, form: LabelFormat) -> None:
    with opened(pictures(tmp_path), form=form) as workplace:
        one, two, three, _ = [each["id"] for each in workplace.store.summaries()]
        workplace.store.save(one, LabelSheet(state="done", boxes=(BOX,)), 0)
        workplace.store.save(two, LabelSheet(state="unsure", boxes=(BOX,)), 0)
        workplace.store.save(three, LabelSheet(state="done"), 0)
        workplace.write_out()

    dataset = read_dataset(tmp_path)
    assert [(image.path.name, len(image.annotations)) for image in dataset.images] == [
        (NAMES[0], 1),
        (NAMES[2], 0),
    ]
    with opened(tmp_path) as workplace:
        assert (workplace.form, len(workplace.dataset().images)) == (form, 2)


def test_labels_of_before_are_taken_in_as_done_and_kept_aside(tmp_path: Path) -> None:
    dataset = labelled(tmp_path)
    beyond = Annotation("car", -5, 300, 20, 900)
    nowhere = Annotation("car", 700, 10, 800, 20)
    images = (
        replace(dataset.images[0], annotations=(beyond, nowhere), condition="night"),
        *dataset.images[1:3],
    )
    write_coco(replace(dataset, images=images), tmp_path)
    picture(tmp_path / "images" / "new_1.jpg")

    with opened(tmp_path) as workplace:
        assert workplace.classes == ("motorcycle", "car")
        assert [each["state"] for each in workplace.store.summaries()] == [
            "done",
            "done",
            "done",
            "open",
            "open",
        ]
        workplace.write_out()

    again = read_coco(tmp_path)
    assert again.images[0].annotations == (Annotation("car", 0, 300, 20, 360),)
    assert (again.images[0].condition, again.licence, again.source) == ("night", "CC0-1.0", "made in a test")
    assert (tmp_path / "labels-before.zip").is_file()


def test_what_a_box_has_collected_is_proposed_and_no_label_until_somebody_has_looked(tmp_path: Path) -> None:
    collected = SampleDataset(tmp_path)
    collected.add(sample(0)[1], jpeg())
    collected.add(replace(sample(1)[1], proposals=()), jpeg())
    collected.finish()

    with opened(tmp_path) as workplace:
        assert workplace.classes == CLASSES
        assert [each["state"] for each in workplace.store.summaries()] == ["open", "open"]
        assert workplace.dataset().images == ()
        row = workplace.store.picture(first(workplace))
        assert row is not None
        assert (row.camera, row.condition) == ("test-commune/test-box-01/road", "day-plain")
        (found,) = row.sheet.proposals
        assert (found.label, found.left, found.top) == ("motorcycle", 16, 24)
        assert found.score == pytest.approx(NOTE.proposals[0].score)
        workplace.write_out()
    assert len(read_coco(tmp_path).proposed) == 2  # nothing is done, so what the box has said stays
    with opened(tmp_path) as workplace:
        assert workplace.dataset().images == ()
        workplace.store.save(first(workplace), LabelSheet(state="done", boxes=(BOX,)), 0)
        workplace.write_out()
    assert [len(each.annotations) for each in read_coco(tmp_path).images] == [1]
    with opened(tmp_path) as workplace:
        (version,) = [each.version for each in workplace.store.done()]
        workplace.store.save(first(workplace), LabelSheet(), version)
        workplace.write_out()
    assert read_coco(tmp_path).images == ()  # what was taken back is nobody's label


def test_pictures_in_subsets_keep_their_folders(tmp_path: Path) -> None:
    write_yolo(labelled(tmp_path, ("train/a_1.jpg", "val/a_1.jpg")), tmp_path)

    with opened(tmp_path) as workplace:
        assert [each["state"] for each in workplace.store.summaries()] == ["done", "done"]
        workplace.write_out()
    assert len(read_yolo(tmp_path).images) == 2


def test_what_another_program_writes_later_is_never_overwritten(tmp_path: Path) -> None:
    write_coco(labelled(tmp_path), tmp_path)
    with opened(tmp_path) as workplace:
        workplace.write_out()
    with opened(tmp_path):
        pass
    content = json.loads((tmp_path / "instances.json").read_text())
    content["info"]["description"] = "by another"
    (tmp_path / "instances.json").write_text(json.dumps(content))

    with pytest.raises(
        ModelError, match=r"another program has changed the labels.*\n  hint: .*labels\.sqlite3"
    ):
        Workplace(tmp_path)
    (tmp_path / "labels.sqlite3").unlink()
    with opened(tmp_path) as workplace:
        assert len(workplace.dataset().images) == len(NAMES)


def test_killed_before_it_noted_what_it_wrote_its_own_labels_are_its_own(tmp_path: Path) -> None:
    with opened(pictures(tmp_path)) as workplace:
        workplace.store.save(first(workplace), LabelSheet(state="done", boxes=(BOX,)), 0)
        workplace.write_out()
        workplace.store.note("writing", "coco")
    text = (tmp_path / "instances.json").read_text()
    (tmp_path / "instances.json").write_text(text.replace('"iscrowd":0', '"iscrowd":1'))

    with opened(tmp_path) as workplace:
        assert len(workplace.dataset().images) == 1


def test_a_folder_is_labelled_by_one_at_a_time(tmp_path: Path) -> None:
    with opened(pictures(tmp_path)), pytest.raises(ModelError, match="it is being labelled already"):
        Workplace(tmp_path)


def test_an_unreadable_picture_is_shown_as_one_and_read_again_the_next_time(tmp_path: Path) -> None:
    pictures(tmp_path)
    (tmp_path / NAMES[0]).write_bytes(b"no picture")
    with opened(tmp_path) as workplace:
        assert "it is no picture" in workplace.store.summaries()[0]["fault"]

    picture(tmp_path / NAMES[0])
    with opened(tmp_path) as workplace:
        row = workplace.store.picture(first(workplace))
        assert row is not None
        assert (row.fault, row.width, row.height) == ("", 640, 360)


@pytest.mark.parametrize("name", [b"ch\xe3.jpg", b"a\nb.jpg"])
def test_a_name_that_no_file_of_labels_can_hold_is_told(tmp_path: Path, name: bytes) -> None:
    picture(tmp_path / "a.jpg").rename(tmp_path / os.fsdecode(name))

    with pytest.raises(ModelError, match="is not UTF-8 in one line"):
        Workplace(tmp_path)


def test_labels_that_are_named_need_those_that_are_there(tmp_path: Path) -> None:
    write_coco(labelled(tmp_path), tmp_path)

    with pytest.raises(ModelError, match=r"--classes: the labels in .* have car too"):
        Workplace(tmp_path, ["motorcycle"])
    with opened(tmp_path, classes=["car", "motorcycle", "xe ba gác"]) as workplace:
        assert workplace.classes == ("car", "motorcycle", "xe ba gác")
    with opened(tmp_path) as workplace:
        assert workplace.classes == ("car", "motorcycle", "xe ba gác")


def test_labelled_pictures_outside_images_are_told(tmp_path: Path) -> None:
    picture(tmp_path / "x_1.jpg")
    pictures(tmp_path / "images")
    content = {
        "images": [{"id": 1, "file_name": "x_1.jpg", "width": 640, "height": 360}],
        "categories": [{"id": 1, "name": "car"}],
    }
    (tmp_path / "instances.json").write_text(json.dumps(content))

    with pytest.raises(ModelError, match=r"does not lie in .*images\n  hint: .*ngatu models convert"):
        Workplace(tmp_path)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.write_bytes(b""), "there is no such folder"),
        (lambda folder: folder.mkdir(), "there are no pictures in it"),
        (lambda folder: (folder / "images").mkdir(parents=True), "there are no pictures in it"),
        (lambda folder: (pictures(folder), (folder / ".labels.lock").mkdir()), "nothing can be written there"),
    ],
    ids=["missing", "a file", "empty", "no picture", "not writable"],
)  # fmt: skip
def test_a_folder_that_cannot_be_labelled_is_told_in_a_line(tmp_path: Path, make: object, why: str) -> None:
    make(tmp_path / "set")  # type: ignore[operator]

    with pytest.raises(ModelError, match=why):
        Workplace(tmp_path / "set")
