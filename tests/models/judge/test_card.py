"""models.judge.card"""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from agent.detectors.card import hashed, read_card
from agent.errors import ModelError
from models.judge.card import card_place, everything, points, section, write_judgement
from models.judge.judging import ModelComparison

TODAY = date(2026, 3, 1)


@pytest.fixture
def model(squares: Path, tmp_path: Path) -> Path:
    for suffix in (".onnx", ".yaml"):
        shutil.copy(squares / f"poor{suffix}", tmp_path)
    return tmp_path / "poor.onnx"


def test_the_card_keeps_its_words_and_says_the_judgement(model: Path, refused: ModelComparison) -> None:
    card = model.with_suffix(".yaml")
    card.write_text("# by hand\n" + card.read_text())
    source, target = card_place(model, hashed(model), None)

    write_judgement(source, target, section(refused, TODAY))
    write_judgement(target, target, section(refused, TODAY))  # once more: it is replaced

    text = card.read_text()
    assert text.startswith("# by hand\n")
    assert text.count("judgement:") == 1
    said = read_card(card).judgement
    assert said == section(refused, TODAY)
    assert (said.verdict, said.against, said.may_be_passed_on) == ("worse", "good", True)
    assert [each.licence for each in said.data] == ["CC0-1.0"]
    assert {each.figure for each in said.figures} == {"ap50", "recall", "precision", "f1"}
    assert all(each.verdict == "worse" for each in said.figures)


def test_a_section_in_the_midst_of_a_card_is_replaced_and_what_follows_is_kept(
    model: Path, refused: ModelComparison
) -> None:
    card = model.with_suffix(".yaml")
    write_judgement(card, card, section(refused, TODAY))
    lines = card.read_text().splitlines(keepends=True)
    first = lines.pop(0)
    card.write_text("".join(lines) + first)

    write_judgement(card, card, section(refused, date(2027, 1, 1)))

    assert card.read_text().count("judgement:") == 1
    assert read_card(card).judgement.on == date(2027, 1, 1)  # type: ignore[union-attr]


def test_a_card_elsewhere_is_written_where_it_is_asked_for(
    model: Path, refused: ModelComparison, tmp_path: Path
) -> None:
    before = model.with_suffix(".yaml").read_bytes()
    source, target = card_place(model, hashed(model), tmp_path / "other.yaml")

    write_judgement(source, target, section(refused, TODAY))

    assert model.with_suffix(".yaml").read_bytes() == before
    assert read_card(tmp_path / "other.yaml").judgement is not None


@pytest.mark.parametrize("place", ["missing/card.yaml", "folder"])
def test_a_card_that_cannot_be_written_is_told_before_anything_is_done(
    model: Path, tmp_path: Path, place: str
) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(ModelError, match="cannot be written") as caught:
        card_place(model, hashed(model), tmp_path / place)
    assert "--card" in caught.value.hint


def test_what_programs_read_is_json_in_points(refused: ModelComparison) -> None:
    shown = json.loads(json.dumps(everything(refused), allow_nan=False))

    assert shown["verdict"] == "worse"
    whole, *parts = shown["sets"][0]["rows"]
    assert (whole["label"], whole["objects"], whole["verdict"]) == ("car", 12, "worse")
    value, low, high = whole["figures"]["ap50"]["difference"]
    assert -100 <= low <= value <= high < -2
    assert {part["kind"] for part in parts} == {"size", "camera"}
    assert shown["cost"]["size_bytes"][0] > 0


@pytest.mark.parametrize(("share", "shown"), [(0.5, 50.0), (-0.0001, 0.0), (float("nan"), None)])
def test_points_are_to_one_place(share: float, shown: float | None) -> None:
    assert points(share) == shown
    assert str(points(share)) == str(shown)
