"""models.train.learning.checkpoint"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch is not here: pip install -e '.[train]'")

import torch

from agent.errors import ModelError
from models.train.learning.checkpoint import TrainingState, load, save
from models.train.results import HeldBackPoint


def standing() -> TrainingState:
    point = HeldBackPoint(20, {"car": 0.5}, 0.9, 2.0, 0.1)
    return TrainingState(
        "this", 100, 20, [torch.ones(2)], [torch.zeros(2)], {"state": {0: torch.ones(1)}}, [torch.ones(3)],
        point, [point], (1.0, 2.0, 3), 4.5, 0.25,
    )  # fmt: skip


def test_what_was_saved_is_what_is_loaded(tmp_path: Path) -> None:
    save(standing(), tmp_path / "c.pt")

    found = load(tmp_path / "c.pt", "this")

    assert (found.step, found.points, found.best_point) == (20, standing().points, standing().best_point)
    assert (found.sums, found.seconds, found.look_s) == ((1.0, 2.0, 3), 4.5, 0.25)
    assert torch.equal(found.weights[0], torch.ones(2))
    assert not (tmp_path / "c.pt.part").exists()


def test_another_training_does_not_go_on_with_it(tmp_path: Path) -> None:
    save(standing(), tmp_path / "c.pt")

    with pytest.raises(ModelError, match="another base, other pictures or other options"):
        load(tmp_path / "c.pt", "that")


def test_where_nothing_was_begun_nothing_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no training to go on with"):
        load(tmp_path / "c.pt", "this")


@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"PK\x03\x04"])
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.pt").write_bytes(content)

    with pytest.raises(ModelError, match="not where a training of this version stands"):
        load(tmp_path / "c.pt", "this")
