"""models.train.course"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

from agent.detectors import load_detector
from agent.detectors.card import read_card
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from models.train.course import TrainRequest, train
from models.train.pictures import pseudo_labels
from models.train.plan import Plan
from models.train.results import TrainingProgress
from tests.support.labelled_squares import write_set
from tests.support.small_yolox import write_small_yolox


def quiet(_: TrainingProgress) -> None:
    """Tells nobody."""


def weights(path: Path) -> list[np.ndarray]:
    return [numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer]


def asked(folder: Path, steps: int, out: str = "new.onnx") -> TrainRequest:
    data = folder / "squares"
    if not data.is_dir():
        write_set(data)
        write_small_yolox(folder)
    return TrainRequest(
        (data,), folder / "small.onnx", folder / out, (data / "images",), ("f",), Plan(steps=steps)
    )


def test_a_network_learns_and_its_file_runs_on_a_box(tmp_path: Path) -> None:
    result = train(asked(tmp_path, 40), quiet)

    detector = load_detector(DetectorSettings(model=str(result.model)))
    assert detector.name == "new"
    assert result.points[-1].loss < result.points[1].loss
    assert (result.learned, result.held_back, result.cameras) == (10, 2, ("f",))


def test_what_it_took_is_said_and_nothing_is_left_but_the_model(tmp_path: Path) -> None:
    result = train(asked(tmp_path, 2), quiet)

    card = read_card(result.model.with_suffix(".yaml"))
    assert [one.name for one in card.trained_on] == ["squares"]
    assert card.sure_from == result.sure_from
    assert (result.steps, result.rehearsed, result.checked) == (2, 10, 2)
    assert result.share in [one.share for one in result.mixtures]
    assert not (tmp_path / "new.training").exists()


def test_how_sure_the_base_was_of_single_labels_is_not_handed_on(tmp_path: Path) -> None:
    request = asked(tmp_path, 2)
    card = request.base.with_suffix(".yaml")
    label = read_card(card).keep[0]
    card.write_text(card.read_text() + f"label_sure_from: {{{label}: 0.2}}\n")
    result = train(request, quiet)
    assert read_card(result.model.with_suffix(".yaml")).label_sure_from == {}


def test_killed_and_gone_on_with_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole = train(asked(tmp_path, 60, "whole.onnx"), quiet)
    script = (
        "import sys; from pathlib import Path; from tests.models.train.test_course import asked, quiet;"
        "from models.train.course import train; train(asked(Path(sys.argv[1]), 60, 'killed.onnx'), quiet)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
    checkpoint = tmp_path / "killed.training" / "round-1" / "checkpoint.pt"
    deadline = time.monotonic() + 100
    first = None
    while time.monotonic() < deadline and process.poll() is None:
        now = checkpoint.stat().st_mtime_ns if checkpoint.is_file() else None
        first = first or now
        if now is not None and now != first:
            break
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed.onnx").exists()

    resumed = train(replace(asked(tmp_path, 60, "killed.onnx"), resume=True), quiet)

    for one, other in zip(weights(whole.model), weights(resumed.model), strict=True):
        assert np.allclose(one, other, atol=1e-5)
    assert [p.step for p in whole.points] == [p.step for p in resumed.points]


def cut_off(request: TrainRequest) -> None:
    """Begin it, and leave it where it stands after the first look."""

    class CutOffError(Exception):
        pass

    def cut(progress: TrainingProgress) -> None:
        if progress.step == 2:
            raise CutOffError

    with pytest.raises(CutOffError):
        train(request, cut)


def test_another_plan_does_not_go_on_with_it(tmp_path: Path) -> None:
    cut_off(asked(tmp_path, 4))

    with pytest.raises(ModelError, match="another base, other pictures or other options"):
        train(replace(asked(tmp_path, 5), resume=True), quiet)


def test_a_training_that_was_cut_off_is_not_overwritten(tmp_path: Path) -> None:
    cut_off(asked(tmp_path, 4))

    with pytest.raises(ModelError, match="was cut off here"):
        train(asked(tmp_path, 4), quiet)
    assert train(replace(asked(tmp_path, 4), resume=True), quiet).steps == 4


def test_an_unknown_camera_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no camera g") as caught:
        train(replace(asked(tmp_path, 2), hold_back=("g",)), quiet)
    assert "a, b, c, d, e, f" in str(caught.value.hint)


def test_without_other_pictures_every_picture_has_labels(tmp_path: Path) -> None:
    result = train(replace(asked(tmp_path, 2), rehearse=()), quiet)

    assert (result.rehearsed, result.after.kept) == (0, None)


def with_unlabelled(request: TrainRequest, folder: Path) -> TrainRequest:
    if not (folder / "other").is_dir():
        write_set(folder / "other", cameras=("g", "f"), seed=3)
    return replace(request, unlabelled=(folder / "other" / "images",))


def test_later_rounds_learn_from_what_the_mean_of_the_first_is_sure_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In seconds a network learns where squares are, and never to be sure of it.
    monkeypatch.setattr(pseudo_labels, "SURE", 0.02)
    monkeypatch.setattr(pseudo_labels, "DOUBTFUL", 0.01)
    seen: list[TrainingProgress] = []
    request = replace(asked(tmp_path, 80), plan=Plan(steps=80, rate=3e-2))

    result = train(with_unlabelled(request, tmp_path), seen.append)

    assert list(dict.fromkeys((one.round, one.labelling) for one in seen)) == [
        (1, False), (2, False), (3, True), (3, False), (4, False),
    ]  # fmt: skip
    assert sum(one.labelling for one in seen) == 2  # the two of the camera that judges are left out
    assert {image.camera for image in result.pseudo_labelled} == {"g"}
    assert result.pseudo_labels >= len(result.pseudo_labelled)
    trained_on = read_card(result.model.with_suffix(".yaml")).trained_on
    assert [(one.name, one.pictures) for one in trained_on] == [
        ("squares", 12),
        ("images", len(result.pseudo_labelled)),
    ]


def test_rounds_that_learn_from_the_same_labels_do_so_by_other_chances(tmp_path: Path) -> None:
    losses: dict[int, list[float]] = {1: [], 2: [], 3: [], 4: []}

    def tell(progress: TrainingProgress) -> None:
        if not progress.labelling:
            losses[progress.round].append(progress.loss)

    train(with_unlabelled(asked(tmp_path, 4), tmp_path), tell)

    assert [len(each) for each in losses.values()] == [4, 4, 4, 4]
    assert losses[1] != losses[2] and losses[3] != losses[4]


def test_cut_off_in_its_last_round_it_does_not_make_the_others_again(tmp_path: Path) -> None:
    request = with_unlabelled(asked(tmp_path, 4), tmp_path)
    whole = train(replace(request, out=tmp_path / "whole.onnx"), quiet)

    class CutOffError(Exception):
        pass

    def cut(progress: TrainingProgress) -> None:
        if progress.round == 4 and progress.step == 2:
            raise CutOffError

    with pytest.raises(CutOffError):
        train(request, cut)
    seen: list[TrainingProgress] = []
    resumed = train(replace(request, resume=True), seen.append)

    assert {one.round for one in seen if not one.labelling} == {4}
    assert resumed.seconds > 0
    for one, other in zip(weights(whole.model), weights(resumed.model), strict=True):
        assert np.allclose(one, other, atol=1e-5)


def test_cut_off_in_its_first_round_it_goes_on_there(tmp_path: Path) -> None:
    request = with_unlabelled(asked(tmp_path, 4), tmp_path)
    cut_off(request)
    seen: list[TrainingProgress] = []

    train(replace(request, resume=True), seen.append)

    assert (seen[0].round, seen[0].step) == (1, 3)


def test_other_pictures_without_labels_are_another_training(tmp_path: Path) -> None:
    request = with_unlabelled(asked(tmp_path, 4), tmp_path)
    cut_off(request)
    write_set(tmp_path / "more", cameras=("h",), seed=4)

    with pytest.raises(ModelError, match="other pictures or other options"):
        train(replace(request, unlabelled=(tmp_path / "more" / "images",), resume=True), quiet)
