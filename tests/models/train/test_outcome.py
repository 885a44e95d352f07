"""models.train.outcome"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.detectors import load_detector
from agent.detectors.card import read_card
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from models.dataset.coco import read_coco
from models.train.outcome import facts, write_model
from tests.support.labelled_squares import write_set
from tests.support.small_yolox import write_small_yolox


def test_the_card_says_what_went_in_and_the_file_runs_on_a_box(tmp_path: Path) -> None:
    base = write_small_yolox(tmp_path)
    sets = facts([read_coco(write_set(tmp_path / "squares"))])

    path = write_model(base.read_bytes(), read_card(base.with_suffix(".yaml")), "mine", sets, tmp_path / "new")

    card = read_card(path.with_suffix(".yaml"))
    assert [one.name for one in card.trained_on] == ["squares"]
    assert card.trained_on[0].pictures == 12
    assert (card.name, card.licence) == ("mine", "CC0-1.0")
    assert "small" in card.source
    assert load_detector(DetectorSettings(model=str(path))).name == "mine"


def test_a_set_without_a_licence_makes_a_model_for_own_use(tmp_path: Path) -> None:
    base = write_small_yolox(tmp_path)
    sets = facts([read_coco(write_set(tmp_path / "squares", licence=""))])

    path = write_model(base.read_bytes(), read_card(base.with_suffix(".yaml")), "mine", sets, tmp_path / "new")

    assert read_card(path.with_suffix(".yaml")).licence.startswith("for own use only")


def test_a_model_that_was_trained_twice_says_both(tmp_path: Path) -> None:
    base = write_small_yolox(tmp_path)
    first = facts([read_coco(write_set(tmp_path / "one"))])
    second = facts([read_coco(write_set(tmp_path / "two", seed=1))])
    once = write_model(base.read_bytes(), read_card(base.with_suffix(".yaml")), "a", first, tmp_path / "new")

    twice = write_model(once.read_bytes(), read_card(once.with_suffix(".yaml")), "b", second, tmp_path / "new")

    assert [one.name for one in read_card(twice.with_suffix(".yaml")).trained_on] == ["one", "two"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    base = write_small_yolox(tmp_path)
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ModelError, match="cannot be written"):
        write_model(
            base.read_bytes(), read_card(base.with_suffix(".yaml")), "mine", [], tmp_path / "file" / "below"
        )
