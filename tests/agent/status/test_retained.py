"""agent.status.retained"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.config.schema import load
from agent.core.types import Size
from agent.runtime.app import Agent
from tests.conftest import SteppedClock
from tests.support.boxes import Box
from tests.support.brokers import free_port


@pytest.fixture
def agent(tmp_path: Path, clock: SteppedClock) -> Iterator[Agent]:
    made = Agent(load(Box(tmp_path, free_port()).config), clock)
    yield made
    made._close()


def said(agent: Agent, topic: str) -> dict[str, Any]:
    """What stands on a topic now."""
    told: dict[str, Any] = json.loads(agent.forwarder.kept[topic])
    return told


def test_a_camera_whose_pictures_are_late_is_said_to_be_stalled(agent: Agent, clock: SteppedClock) -> None:
    watcher = agent.watchers["road"]
    agent.bulletin.say()
    watcher.figures.last_frame = clock.now()
    watcher._enter("streaming")
    assert said(agent, "camera/road/status")["state"] == "streaming"
    clock.advance(6)
    agent.bulletin.look()
    kept = said(agent, "camera/road/status")
    assert (kept["state"], kept["frame_age_s"]) == ("stalled", 6)
    agent.bulletin.say()
    assert "camera_stalled:road" in said(agent, "health")["degraded"]


def test_all_is_said_again_when_it_is_time_and_at_once_when_something_changes(
    agent: Agent, clock: SteppedClock
) -> None:
    bulletin = agent.bulletin
    assert bulletin.due
    bulletin.say()
    assert not bulletin.due
    clock.advance(agent.config.health.interval_s + 0.1)
    assert bulletin.due
    bulletin.say()
    for change in (bulletin.hasten, lambda: bulletin.changed("road")):
        change()
        assert bulletin.due
        bulletin.say()
        assert not bulletin.due


def test_the_birth_message_is_said_again_only_when_a_camera_has_another_size(
    agent: Agent, clock: SteppedClock
) -> None:
    agent.bulletin.say()
    first = said(agent, "info")
    clock.advance(60)
    agent.bulletin.say()
    assert said(agent, "info") == first
    agent.watchers["road"].figures.size = Size(320, 240)
    agent.bulletin.say()
    assert said(agent, "info")["cameras"][0]["frame"] == {"width_px": 320, "height_px": 240}


def test_a_figure_that_cannot_be_had_silences_neither_birth_nor_cameras(
    agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no figure")

    monkeypatch.setattr("agent.status.health.report", broken)
    with capture_logs() as lines:
        agent.bulletin.say()
    assert [line["event"] for line in lines] == ["health_untold"]
    assert said(agent, "info")["cameras"][0]["id"] == "road"
    assert said(agent, "camera/road/status")["state"] == "disabled"  # it has not started yet
