"""station.labels.dataset"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agent.wire.payloads import BoxPayload
from models.dataset.coco import read_coco
from models.dataset.types import Annotation
from station.labels.dataset import JudgedDataset
from station.labels.judged import JudgedEvent
from station.labels.unframed import BarePicture
from station.labels.verdict import LabelVerdict
from station.review.states import FalseReason, ReviewState
from tests.support.jpegs import jpeg

EVENT = JudgedEvent(
    key=(1, "0198-0123456789ab"),
    commune="hai-ninh",
    device="north-01",
    camera="north",
    rule_kind="stopped_vehicle",
    taken=datetime(2026, 3, 2, 18, 0, 5, tzinfo=UTC),
    scene_sha256="a" * 64,
    place=BoxPayload(left=0.25, top=0.5, right=0.5, bottom=0.75),
    seen_as="car",
    score=0.61,
    model="yolox-nano-416",
    state=ReviewState.CONFIRMED,
    reason=None,
    verdict=LabelVerdict("car", is_there=True),
)
FALSE = replace(
    EVENT,
    key=(1, "0198-ba9876543210"),
    state=ReviewState.FALSE,
    reason=FalseReason.FOLIAGE,
    verdict=LabelVerdict("car", is_there=False),
)
PICTURE = BarePicture(jpeg(), 800, 400)


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    dataset = JudgedDataset(tmp_path, "a better detector", "Decision 12")
    dataset.add(EVENT, PICTURE)
    dataset.add(FALSE, PICTURE)
    assert (dataset.there, dataset.ruled_out) == (1, 1)
    dataset.finish()
    content: dict[str, Any] = json.loads((tmp_path / "instances.json").read_text())
    return content


def test_what_is_there_is_an_annotation_and_what_is_not_is_none(written: dict[str, Any]) -> None:
    (box,) = written["annotations"]
    names = {each["id"]: each["name"] for each in written["categories"]}
    there, nothing = written["images"]

    assert (box["bbox"], box["by"], box["iscrowd"], "proposal" in box) == (
        [200, 200, 200, 100],
        "officer",
        0,
        False,
    )
    assert (names[box["category_id"]], box["image_id"]) == ("car", there["id"])
    assert there["ruled_out"] == []
    assert nothing["ruled_out"] == [{"label": "car", "bbox": [200, 200, 200, 100]}]


def test_every_picture_says_that_nobody_has_looked_at_the_whole_of_it(
    written: dict[str, Any], tmp_path: Path
) -> None:
    assert [each["labelled"] for each in written["images"]] == [False, False]
    read = read_coco(tmp_path)

    assert read.images == (), "nothing to train or judge with"
    assert [each.camera for each in read.proposed] == ["hai-ninh/north-01/north"] * 2
    assert read.proposed[0].annotations == (Annotation("car", 200, 200, 400, 300),)
    assert (read.proposed[0].taken, read.proposed[1].annotations) == (EVENT.taken, ())


def test_a_picture_names_its_event_and_no_officer(written: dict[str, Any]) -> None:
    assert written["images"][1]["mark"] == {
        "event": "0198-ba9876543210", "rule_kind": "stopped_vehicle", "state": "false", "reason": "foliage",
        "seen_as": "car", "score": 0.61, "model": "yolox-nano-416",
    }  # fmt: skip
    assert written["images"][0]["file_name"] == "hai-ninh_north-01_north_20260302T180005_0123456789ab.jpg"
    assert (written["info"]["purpose"], written["info"]["legal_basis"]) == ("a better detector", "Decision 12")


def test_events_whose_names_would_be_one_keep_two_pictures_and_what_goes_takes_its_own(tmp_path: Path) -> None:
    dataset = JudgedDataset(tmp_path, "p", "l")
    twin = replace(EVENT, key=(1, "0199-0123456789ab"))
    for each in (EVENT, twin):
        dataset.add(each, PICTURE)
    assert len(list((tmp_path / "images").iterdir())) == 2

    dataset.keep_only({twin.key})
    dataset.finish()

    assert len(list((tmp_path / "images").iterdir())) == 1
    assert len(read_coco(tmp_path).proposed) == 1


def test_a_label_of_a_model_of_ones_own_is_a_category_too(tmp_path: Path) -> None:
    dataset = JudgedDataset(tmp_path, "p", "l")
    dataset.add(replace(EVENT, verdict=LabelVerdict("tricycle", is_there=True)), PICTURE)
    dataset.finish()

    assert read_coco(tmp_path).proposed[0].annotations[0].label == "tricycle"
