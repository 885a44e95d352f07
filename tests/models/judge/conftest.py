"""A set, the network of squares, and one with worse eyes."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.judge.judging import JudgeRequest, ModelComparison, judge
from tests.support.labelled_squares import write_dimmed, write_set
from tests.support.squares import write_model


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `good.onnx`, which sees every square, `poor.onnx`, which sees bright ones, and `set`."""
    folder = tmp_path_factory.mktemp("squares")
    write_set(folder / "set", pictures=1)
    for name, model in (("good", write_model(folder)), ("poor", write_dimmed(folder / "poor", 25))):
        for suffix in (".onnx", ".yaml"):
            model.with_suffix(suffix).rename((folder / name).with_suffix(suffix))
        card = (folder / name).with_suffix(".yaml")
        card.write_text(card.read_text().replace("name: squares", f"name: {name}"))
    return folder


@pytest.fixture(scope="session")
def refused(squares: Path) -> ModelComparison:
    """What is said of the one with worse eyes."""
    return judge(
        JudgeRequest(str(squares / "poor.onnx"), str(squares / "good.onnx"), (squares / "set",), resamples=200)
    )
