"""models.judge.cli"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import numpy_helper
from typer.testing import CliRunner

from agent.detectors.card import hashed, read_card
from agent.detectors.places import SHIPPED
from models.cli import commands
from models.dataset.coco import read_coco, write_coco
from models.judge.looking import read_picture
from tests.support.labelled_squares import write_dimmed
from tests.support.squares import write_clip

FEW = ["--resamples", "200"]
runner = CliRunner(env={"COLUMNS": "200"})


@pytest.fixture
def here(squares: Path, tmp_path: Path) -> Path:
    """A copy that may be written to."""
    shutil.copytree(squares, tmp_path / "here")
    return tmp_path / "here"


def judge(folder: Path, new: str, old: str, *words: str) -> tuple[int, str, str]:
    models = [str(folder / f"{name}.onnx") for name in (new, old)]
    done = runner.invoke(commands, ["models", "judge", *models, "--data", str(folder / "set"), *FEW, *words])
    return done.exit_code, done.stdout, done.stderr


def test_worse_ends_with_1_and_stands_in_the_card_on_the_page_and_in_the_table(here: Path) -> None:
    code, said, _ = judge(here, "poor", "good", "--report", str(here / "report.html"))

    assert code == 1
    assert "poor is worse than good, and refused: car fell." in said
    (row,) = [line for line in said.splitlines() if "│ car" in line]
    assert row.rstrip().endswith("worse   │")
    card = read_card(here / "poor.yaml")
    assert card.judgement is not None
    assert card.judgement.verdict == "worse"
    assert "poor is worse than good" in (here / "report.html").read_text()


@pytest.mark.long
def test_better_ends_with_0_and_cannot_tell_with_4(here: Path) -> None:
    code, shown, _ = judge(here, "good", "poor", "--json")
    assert (code, json.loads(shown)["verdict"]) == (0, "better")

    code, shown, _ = judge(here, "good", "good", "--json", "--card", str(here / "other.yaml"))
    assert (code, json.loads(shown)["verdict"]) == (4, "cannot tell")
    assert read_card(here / "other.yaml").judgement.verdict == "cannot tell"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "none"], "none/instances.json: cannot be read"),
        (["--trained-on", "none"], "none/instances.json: cannot be read"),
        (["--trained-on", "SET"], "nothing is left to judge by"),
        (["--clips", "none.mp4"], "none.mp4: no such file"),
        (["--line", "0,0"], "a line is two different points"),
        (["--language", "fr", "--report", "x.html"], "--language fr: no such language"),
        (["--report", "none/report.html"], "none/report.html: the page cannot be written"),
        (["--card", "none/card.yaml"], "none/card.yaml: the model card cannot be written"),
        (["--score", "2"], "Invalid value for '--score'"),
        (["--resamples", "1"], "Invalid value for '--resamples'"),
    ],
)
def test_what_is_wrong_ends_with_2_in_words_and_nothing_is_judged(
    here: Path, words: list[str], said: str
) -> None:
    before = (here / "poor.yaml").read_bytes()

    code, _, errors = judge(
        here, "poor", "good", *(str(here / "set") if word == "SET" else word for word in words)
    )

    assert code == 2
    assert said in " ".join(errors.replace("│", " ").split())
    assert "Traceback" not in errors
    assert (here / "poor.yaml").read_bytes() == before


def test_a_model_that_is_not_there_or_without_its_card_is_told(here: Path) -> None:
    (here / "poor.yaml").unlink()

    assert judge(here, "none", "good")[0] == 2
    code, _, said = judge(here, "poor", "good")
    assert code == 2
    assert "there is no model card for it" in said


@pytest.mark.long
def test_clips_are_counted_by_both(here: Path) -> None:
    """One square crosses the line; a network that sees nothing counts nothing."""
    write_clip(here / "road.mp4", seconds=4, still_s=1, speed_px_s=180)
    write_dimmed(here / "blind", 80).rename(here / "blind.onnx")
    (here / "blind" / "squares.yaml").rename(here / "blind.yaml")

    clip = ["--clips", str(here / "road.mp4"), "--line", "0.5,0.9 0.5,0.1"]
    code, said, _ = judge(here, "blind", "good", *clip, "--report", str(here / "report.html"))

    assert code == 1
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in said.splitlines() if "│" in line]
    assert any(row[0][:10] == "line-1 car" and row[1:] == ["1", "0"] for row in rows)
    assert ["road users (ids)", "1", "0"] in rows
    assert ["told by this one only", "1", "0"] in rows
    assert "road.mp4" in (here / "report.html").read_text()


@pytest.mark.long
@pytest.mark.footage
def test_a_real_model_whose_weights_were_disturbed_is_refused(shared_data: Path, tmp_path: Path) -> None:
    """One picture of each of six night cameras; noise of a thirtieth of each layer's spread."""
    old = tmp_path / "old.onnx"
    shutil.copy(shared_data / "models" / "yolox_nano_416.onnx", old)
    new = disturbed(old, tmp_path / "new.onnx", 0.03)
    night = read_coco(shared_data / "detection-motorbikes" / "night")
    (tmp_path / "set" / "images").mkdir(parents=True)
    images = []
    for image in night.images[:12:2]:
        read_picture(image)
        shutil.copy(image.path, tmp_path / "set" / "images")
        images.append(replace(image, path=tmp_path / "set" / "images" / image.path.name))
    write_coco(replace(night, images=tuple(images)), tmp_path / "set")

    words = ["models", "judge", str(new), str(old), "--data", str(tmp_path / "set"), *FEW]
    done = subprocess.run(
        [sys.executable, "-m", "agent", *words],
        capture_output=True, text=True, check=False, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip

    assert done.returncode == 1, done.stdout + done.stderr
    assert "new is worse than yolox-nano-416, and refused: " in done.stdout
    assert "motorcycle" in done.stdout
    assert "no licence is stated for set" in done.stdout


def disturbed(model: Path, to: Path, share: float) -> Path:
    """The model with noise in the weights of its convolutions, of a share of their spread, and its card."""
    network, chance = onnx.load(model), np.random.default_rng(1)
    for each in network.graph.initializer:
        weights = numpy_helper.to_array(each)
        if weights.dtype == np.float32 and weights.ndim == 4:
            noise = chance.normal(0, share * weights.std(), weights.shape)
            each.CopyFrom(numpy_helper.from_array((weights + noise).astype(np.float32), each.name))
    onnx.save(network, to)
    card = yaml.safe_load((SHIPPED / "yolox-nano-416-repack.yaml").read_text(encoding="utf-8"))
    card |= {"name": to.stem, "sha256": hashed(to)}
    to.with_suffix(".yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    return to
