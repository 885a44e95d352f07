"""agent.tools.sample_dataset"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.samples.sample import Proposal
from agent.tools.sample_dataset import SampleDataset
from models.dataset.coco import read_coco
from tests.support.kept_samples import NOTE, jpeg, sample


def test_the_model_tools_read_it_as_a_data_set(tmp_path: Path) -> None:
    dataset = SampleDataset(tmp_path)
    for number in range(2):
        dataset.add(sample(number, after_s=number)[1], jpeg())
    dataset.finish()

    read = read_coco(tmp_path)
    first = read.proposed[0]
    assert (read.images, len(read.proposed)) == ((), 2)
    assert first.camera == "test-commune/test-box-01/road"
    assert read.labels[:4] == ("person", "bicycle", "car", "motorcycle")
    assert (first.width, first.height, first.condition) == (64, 48, "day-plain")
    assert first.taken == datetime(2026, 12, 1, 12, tzinfo=UTC)
    (found,) = first.annotations
    assert (found.label, found.box) == ("motorcycle", (16, 24, 32, 36))
    assert found.score is not None
    assert first.path.read_bytes() == jpeg()


def test_boxes_say_that_they_are_proposals_and_pictures_by_what_right_they_are_there(tmp_path: Path) -> None:
    dataset = SampleDataset(tmp_path)
    dataset.add(replace(NOTE, id="0" * 36, proposals=(Proposal("tuktuk", 0.4, 0, 0, 1, 1, "track"),)), jpeg())
    dataset.finish()

    content = json.loads((tmp_path / "instances.json").read_text())
    (row,), (picture,) = content["annotations"], content["images"]
    assert (row["proposal"], row["score"], row["by"]) == (True, 0.4, "track")
    assert content["categories"][-1]["name"] == "tuktuk"
    assert (picture["sample"]["legal_basis"], picture["sample"]["reason"]) == (
        "Decision 12/QD-UBND",
        "missed_motion",
    )
    assert "not labels" in content["info"]["description"]


def test_a_frame_in_which_nothing_is_proposed_is_none_in_which_nothing_is(tmp_path: Path) -> None:
    dataset = SampleDataset(tmp_path)
    dataset.add(replace(sample(0)[1], proposals=()), jpeg())
    dataset.finish()

    read = read_coco(tmp_path)
    assert (read.images, len(read.proposed)) == ((), 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"taken": "yesterday"},
        {"box": "no-device"},
        {"camera": "../../etc"},
        {"id": "x/../../y"},
        {"box": "a/b/c"},
    ],
)
def test_a_note_whose_words_lead_out_of_the_folder_is_left_out(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(FootageError, match="left out"):
        SampleDataset(tmp_path).add(replace(NOTE, **wrong), jpeg())  # type: ignore[arg-type]
    assert list((tmp_path / "images").iterdir()) == []
