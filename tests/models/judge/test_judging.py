"""models.judge.judging"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from agent.detectors.card import hashed
from agent.errors import ModelError
from models.dataset.coco import read_coco, write_coco
from models.dataset.digest import digest
from models.judge.decision import ModelVerdict
from models.judge.judging import JudgeRequest, ModelComparison, judge, read_sets
from models.judge.measure.comparison import AP50
from tests.support.labelled_squares import write_set


def request(squares: Path, new: str, old: str, *data: Path, **more: object) -> JudgeRequest:
    models = str(squares / f"{new}.onnx"), str(squares / f"{old}.onnx")
    return JudgeRequest(*models, data or (squares / "set",), resamples=200, **more)  # type: ignore[arg-type]


def test_a_model_with_worse_eyes_is_worse_and_all_that_went_in_is_known(
    refused: ModelComparison, squares: Path
) -> None:
    (row,) = refused.sets[0].whole
    assert refused.decision.verdict is ModelVerdict.WORSE
    assert row.label == "car"
    assert row.objects == 12
    assert row.changes[AP50].difference.high < -0.02
    assert 0.5 < row.changes[AP50].old.value <= 1
    assert refused.sets[0].lost
    assert (refused.new.name, refused.new.sha256) == ("poor", hashed(squares / "poor.onnx"))
    assert refused.data[0].digest == digest(read_coco(squares / "set"))
    assert refused.unlicensed == ()
    assert refused.cost.ratio > 0


def test_a_set_that_the_new_model_was_trained_on_judges_nothing(squares: Path, tmp_path: Path) -> None:
    copy = tmp_path / "training"
    shutil.copytree(squares / "set", copy)

    with pytest.raises(ModelError, match="nothing is left to judge by: all 6 pictures of set") as caught:
        judge(request(squares, "good", "poor", trained_on=(copy,)))
    assert "other cameras" in caught.value.hint


def test_what_is_left_of_a_set_judges_and_the_trainings_licence_counts(squares: Path, tmp_path: Path) -> None:
    training = write_set(tmp_path / "training", cameras=("a", "z"), licence="")

    found = judge(request(squares, "good", "poor", trained_on=(training,)))

    assert found.overlaps[0].left == len(found.sets[0].dataset.images) == 5
    assert found.unlicensed == ("training",)
    assert [each.pictures for each in (*found.data, *found.trained_on)] == [6, 4]


@pytest.mark.parametrize("trained", ["good", "poor"])
def test_a_set_that_a_card_names_as_its_training_is_refused(
    squares: Path, tmp_path: Path, trained: str
) -> None:
    here = tmp_path / "here"
    shutil.copytree(squares, here)
    facts = {"name": "set", "digest": digest(read_coco(here / "set")), "pictures": 6}
    with (here / f"{trained}.yaml").open("a") as card:
        card.write(yaml.safe_dump({"trained_on": [facts]}))

    with pytest.raises(ModelError, match=f"set: {trained} was trained on this set, as its card says"):
        judge(request(here, "good", "poor"))


def test_what_the_card_says_of_the_training_goes_into_the_judgement(squares: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    shutil.copytree(squares, here)
    facts = {"name": "elsewhere", "digest": "0" * 64, "pictures": 9}
    with (here / "good.yaml").open("a") as card:
        card.write(yaml.safe_dump({"trained_on": [facts]}))

    found = judge(request(here, "good", "good"))

    assert [each.name for each in found.trained_on] == ["elsewhere"]
    assert found.unlicensed == ("elsewhere",)


def test_sets_of_one_name_are_told_apart(tmp_path: Path) -> None:
    folders = [write_set(tmp_path / place / "night", cameras=("a",)) for place in ("north", "south")]

    assert [dataset.name for dataset in read_sets(folders)] == ["north/night", "south/night"]


def test_a_set_that_is_empty_or_given_twice_is_told(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "x", cameras=("a",))

    with pytest.raises(ModelError, match="given twice"):
        read_sets([folder, tmp_path / "y" / ".." / "x"])
    content = json.loads((folder / "instances.json").read_text())
    (folder / "instances.json").write_text(json.dumps(content | {"images": [], "annotations": []}))
    with pytest.raises(ModelError, match="no pictures in this set"):
        read_sets([folder])
    unseen = [{**each, "labelled": False} for each in content["images"]]
    (folder / "instances.json").write_text(json.dumps(content | {"images": unseen}))
    with pytest.raises(ModelError, match="nobody has looked at its 2 pictures"):
        read_sets([folder])


@pytest.mark.parametrize(
    ("info", "incomplete"),
    [
        ({}, False),
        ({"incomplete": True}, True),
        ({"note": "labels incomplete (far band)"}, True),
        ({"evaluation_note": "below 12 px mostly unlabelled"}, True),
        ({"incomplete": False, "note": "no longer incomplete"}, False),
    ],
)
def test_a_set_says_whether_its_labels_are_incomplete(
    tmp_path: Path, info: dict[str, object], incomplete: bool
) -> None:
    (dataset,) = read_sets([write_set(tmp_path / "x", cameras=("a",), pictures=1, info=info)])

    assert dataset.incomplete is incomplete
    assert dataset.of_cameras("a").incomplete is incomplete
    write_coco(dataset, tmp_path / "x")
    assert read_coco(tmp_path / "x") == dataset
