"""agent.runtime.command_executor"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from agent.commands.policy import Pause
from agent.config import last_good
from agent.errors import ConfigError, ModelError, NgatuError
from agent.runtime.app import Agent
from agent.runtime.launch import build
from agent.runtime.parts import AGAIN
from agent.status import health
from agent.wire.verbs import Verb
from tests.support.boxes import Box
from tests.support.brokers import free_port


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """A box that is built and does not run."""
    box = Box(tmp_path, free_port())
    agent, _ = build(last_good.choose(box.config))
    agent.close()
    return agent


def test_it_knows_the_cameras_and_their_rules(agent: Agent) -> None:
    assert agent.executor.names() == {"road": ("movement", "road-users", "on-the-road", "the-line")}


def test_a_pause_reaches_its_camera_with_whose_it_is_and_how_long(agent: Agent) -> None:
    executor = agent.executor
    executor.halt(
        [Pause("road", None, 1e9, "b", 0, "officer"), Pause("road", "the-line", 1e9, "b", 0, "officer")]
    )
    paused = agent.cameras["road"].paused

    assert paused.why == "paused by officer until 2001-09-09T01:46:40.000Z"
    assert paused.rules == {"the-line"}
    assert {"paused:road", "paused:road/the-line"} <= set(health.report(agent.sources, agent.clock).degraded)
    with pytest.raises(NgatuError, match="the camera is disabled"):
        executor.picture("road", 1000, lambda: True)
    executor.halt([])
    assert agent.cameras["road"].paused.why is None


def test_a_reload_judges_the_file_as_it_lies_there_now(agent: Agent, tmp_path: Path) -> None:
    executor = agent.executor
    executor.may_leave(Verb.RELOAD)
    (tmp_path / "box.yaml").write_text("cameras: [")

    with pytest.raises(ConfigError):
        executor.may_leave(Verb.RELOAD)


def test_by_hand_no_order_ends_a_box_that_could_not_begin_anew(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "box.yaml").write_text((tmp_path / "box.yaml").read_text().replace("squares.onnx", "none.onnx"))
    with pytest.raises(ModelError, match=r"none\.onnx"):
        agent.executor.may_leave(Verb.RESTART)

    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    agent.executor.may_leave(Verb.RESTART)  # a service goes back to its last good one


def test_by_hand_a_program_that_is_gone_is_told_instead_of_ended(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(NgatuError, match=r"python is not there any more, so the box would not"):
        agent.executor.may_leave(Verb.RESTART)


def test_to_leave_is_to_stop_with_the_code_that_asks_for_a_new_start(agent: Agent) -> None:
    agent.executor.leave()

    assert agent.stop.is_set()
    assert agent.exit_code == AGAIN
