"""models.label.cli"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.cli import commands
from models.dataset.formats import read_dataset, write_dataset
from models.dataset.types import LabelFormat
from tests.agent.detectors.conftest import Writer, cells
from tests.support.brokers import until
from tests.support.label_page import label_program
from tests.support.labelled import labelled, pictures

__all__ = ["cells"]  # fixtures

runner = CliRunner()


def run(*words: str) -> tuple[int, str]:
    done = runner.invoke(commands, ["models", *words], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_a_set_is_converted_and_its_labels_renamed(tmp_path: Path) -> None:
    dataset = labelled(tmp_path / "old")
    crowd = replace(dataset.images[0].annotations[0], ignored=True)
    images = (replace(dataset.images[0], annotations=(crowd,)), *dataset.images[1:])
    write_dataset(replace(dataset, images=images), tmp_path / "old", LabelFormat.COCO)

    code, said = run(
        "convert", str(tmp_path / "old"), str(tmp_path / "new"), "--to", "yolo", "--rename", "car=truck"
    )

    assert code == 0, said
    assert "1 ignored objects are left out" in said
    assert f"4 pictures: {tmp_path / 'new' / 'data.yaml'}" in said
    assert read_dataset(tmp_path / "new").labels == ("motorcycle", "truck")
    code, said = run("convert", str(tmp_path / "old"), str(tmp_path / "new"))
    assert (code, "there are labels already" in said) == (2, True)


def test_what_nobody_has_looked_at_is_not_converted(tmp_path: Path) -> None:
    write_dataset(labelled(tmp_path / "old"), tmp_path / "old", LabelFormat.COCO)
    index = tmp_path / "old" / "instances.json"
    content = json.loads(index.read_text())
    content["images"][0]["labelled"] = False
    index.write_text(json.dumps(content))

    code, said = run("convert", str(tmp_path / "old"), str(tmp_path / "new"))
    assert (code, "1 pictures are left out: nobody has looked at them" in said, "3 pictures:" in said) == (
        0,
        True,
        True,
    )
    for each in content["images"]:
        each["labelled"] = False
    index.write_text(json.dumps(content))
    code, said = run("convert", str(tmp_path / "old"), str(tmp_path / "none"))
    assert (code, "nobody has looked at its 4 pictures" in said) == (2, True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("label", "NONE"), "there is no such folder"), (("label", "EMPTY"), "there are no pictures in it"),
        (("label", "EMPTY", "--prefill", "no-such-model"), "no such model"),
        (("convert", "EMPTY", "NONE"), "no labels in COCO's or YOLO's format"),
        (("convert", "EMPTY", "NONE", "--to", "voc"), "--to: there is no format voc"),
        (("label", "EMPTY", "--format", "voc"), "--format: there is no format voc"),
        (("convert", "EMPTY", "NONE", "--rename", "car"), "--rename: this is not old=new"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_line(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    (tmp_path / "EMPTY").mkdir()

    code, said = run(*(str(tmp_path / word) if word.isupper() else word for word in words))

    assert code == 2
    assert why in said
    assert "Traceback" not in said


@pytest.mark.long
def test_a_model_proposes_and_the_address_is_said_in_vietnamese(tmp_path: Path, cells: Writer) -> None:
    folder = pictures(tmp_path / "set", ["a_1.png"])
    with label_program(folder, "--prefill", str(cells()), "--classes", "car,bus", LANGUAGE="vi") as program:
        until(lambda: program.url, 60)
        assert "Mở địa chỉ này bằng trình duyệt" in program.said
        assert program.stop() == 0
        assert "chưa có ảnh nào xong" in program.said
