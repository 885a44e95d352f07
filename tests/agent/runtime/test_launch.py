"""agent.runtime.launch"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import last_good
from agent.errors import ModelError
from agent.runtime.launch import build
from tests.support.boxes import Box
from tests.support.brokers import free_port


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box that runs as a service."""
    (tmp_path / "service").mkdir()
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "service"))
    return Box(tmp_path, free_port())


def test_what_no_agent_can_be_built_by_goes_back_to_the_last_good_one(box: Box) -> None:
    last_good.keep(last_good.choose(box.config))
    text = box.config.read_text()
    box.config.write_text(text.replace("squares.onnx", "none.onnx"))
    agent, chosen = build(last_good.choose(box.config))
    agent.close()

    assert "none.onnx" in (chosen.refused or "")
    assert chosen.data == text.encode()
    assert agent.session.config_refused


def test_a_last_good_one_that_will_not_do_either_is_not_tried_for_ever(box: Box) -> None:
    last_good.keep(last_good.choose(box.config))
    (box.folder / "squares.onnx").unlink()

    with pytest.raises(ModelError):
        build(last_good.choose(box.config))
