"""models.train.cli"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.detectors.card import read_card
from models.cli import commands
from tests.support.labelled_squares import write_set
from tests.support.small_yolox import write_small_yolox

TORCH = importlib.util.find_spec("torch") is not None
runner = CliRunner(env={"COLUMNS": "200", "LANGUAGE": "en"})


def train(folder: Path, *words: str) -> tuple[int, str, str]:
    if not (folder / "squares").is_dir():
        write_set(folder / "squares")
        write_small_yolox(folder)
    given = ["models", "train", str(folder / "squares"), "--out", str(folder / "mine"), *words]
    done = runner.invoke(commands, given)
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.skipif(not TORCH, reason="PyTorch is not here: pip install -e '.[train]'")
def test_it_trains_to_the_end_and_leaves_model_card_and_report(tmp_path: Path) -> None:
    base, rehearse = str(tmp_path / "small.onnx"), str(tmp_path / "squares" / "images")
    words = ("--base", base, "--rehearse", rehearse, "--hold-back", "f", "--steps", "20")
    code, said, shown = train(tmp_path, *words)

    assert code == 0
    assert re.findall(r"^(\d+)/20  loss \S+  AP50 \d+$", shown, re.MULTILINE) == [
        str(step) for step in range(1, 21)
    ]
    assert f"trained {tmp_path / 'mine.onnx'}; report: {tmp_path / 'mine.html'}" in said
    assert read_card(tmp_path / "mine.yaml").name == "mine"
    assert "<polyline" in (tmp_path / "mine.html").read_text()
    assert not (tmp_path / "mine.training").exists()


@pytest.mark.skipif(not TORCH, reason="PyTorch is not here: pip install -e '.[train]'")
def test_a_network_that_is_sure_of_nothing_elsewhere_is_told(tmp_path: Path) -> None:
    write_set(tmp_path / "new", cameras=("g",))
    new = str(tmp_path / "new" / "images")
    code, said, shown = train(
        tmp_path, "--base", str(tmp_path / "small.onnx"), "--unlabelled", new, "--steps", "2"
    )

    assert code == 0
    assert "round 1 of 4" in shown
    assert "nothing is sure in the pictures without labels" in shown
    assert "trained" in said


@pytest.mark.skipif(not TORCH, reason="PyTorch is not here: pip install -e '.[train]'")
def test_without_rehearsal_it_warns(tmp_path: Path) -> None:
    code, _, said = train(tmp_path, "--base", str(tmp_path / "small.onnx"), "--steps", "1")

    assert code == 0
    assert "without --rehearse the detector forgets much of what it knew" in said


@pytest.mark.skipif(not TORCH, reason="PyTorch is not here: pip install -e '.[train]'")
def test_what_was_never_begun_cannot_go_on(tmp_path: Path) -> None:
    code, _, said = train(tmp_path, "--base", str(tmp_path / "small.onnx"), "--resume")

    assert code == 2
    assert "there is no training to go on with" in said


@pytest.mark.skipif(TORCH, reason="PyTorch is here")
def test_without_pytorch_it_says_what_to_install(tmp_path: Path) -> None:
    code, _, said = train(tmp_path, "--base", str(tmp_path / "small.onnx"))

    assert code == 2
    assert "training needs PyTorch and onnx" in said


@pytest.mark.parametrize(
    "words", [("--resume",), ("--rehearse", "clips"), ("--minutes", "3"), ("--unlabelled", "new")]
)
def test_what_ultralytics_trainer_has_not_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    code, _, said = train(tmp_path, "--base", "yolo11n.yaml", *words)

    assert code == 2
    assert "no --resume, --rehearse, --unlabelled and --minutes" in said
