"""models.train.ultralytics"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from agent.detectors import load_detector
from agent.detectors.card import read_card
from agent.detectors.settings import DetectorSettings
from agent.errors import ModelError
from models.train.ultralytics import train
from tests.support.labelled_squares import write_set

HAS_ULTRALYTICS = importlib.util.find_spec("ultralytics") is not None


@pytest.mark.skipif(
    not HAS_ULTRALYTICS, reason="Ultralytics is not here: pip install -e '.[export]' (AGPL-3.0)"
)
def test_twenty_pictures_and_random_weights_give_a_network_that_runs(tmp_path: Path) -> None:
    pictures = write_set(tmp_path / "squares", cameras=("a", "b", "c", "d"), pictures=5)

    made = train("yolo11n.yaml", [pictures], tmp_path / "mine.onnx", ["d"], 2, 0, size_px=64)

    assert made == tmp_path / "mine.onnx"
    card = read_card(tmp_path / "mine.yaml")
    assert (card.name, card.labels) == ("mine", ("car",))
    assert [one.name for one in card.trained_on] == ["squares"]
    assert "yolo11n.yaml trained by Ultralytics" in card.source
    detector = load_detector(DetectorSettings(model=str(made)))
    assert detector.name == "mine"
    detector.close()


@pytest.mark.skipif(HAS_ULTRALYTICS, reason="Ultralytics is here")
def test_without_ultralytics_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="needs Ultralytics, which is not installed"):
        train("yolo11n.yaml", [write_set(tmp_path / "squares")], tmp_path / "mine.onnx", [], 1, 0)


@pytest.mark.skipif(
    not HAS_ULTRALYTICS, reason="Ultralytics is not here: pip install -e '.[export]' (AGPL-3.0)"
)
def test_what_ultralytics_cannot_train_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "broken.pt").write_bytes(b"no checkpoint")

    with pytest.raises(ModelError, match=r"broken\.pt: Ultralytics cannot train it"):
        train(str(tmp_path / "broken.pt"), [write_set(tmp_path / "squares")], tmp_path / "m.onnx", [], 1, 0)
    assert not (tmp_path / "m.onnx").exists()


def test_a_checkpoint_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such checkpoint"):
        train(str(tmp_path / "gone.pt"), [write_set(tmp_path / "squares")], tmp_path / "m.onnx", [], 1, 0)
