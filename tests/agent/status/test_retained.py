"""agent.status.retained"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.core.types import Size
from agent.host.camera_stats import CameraState, Seen
from agent.status.health import Sources
from agent.status.retained import RetainedStatus
from agent.wire.codec import moment
from agent.wire.payloads import CameraInfo, FramePayload, InfoPayload
from tests.agent.status.test_health import post, sources
from tests.agent.workers.watching.test_camera import Post
from tests.conftest import SteppedClock

__all__ = ["post", "sources"]

INTERVAL_S = 60.0


class Board:
    """What stands at the broker about one box."""

    def __init__(self, sources: Sources, clock: SteppedClock) -> None:
        self._bodies: dict[str, bytes] = {}
        self._clock = clock
        self.broken = False
        self.status = RetainedStatus(self._bodies.__setitem__, sources, self._birth, clock, INTERVAL_S)

    def says(self, topic: str) -> dict[str, Any]:
        """What stands on a topic now."""
        content: dict[str, Any] = json.loads(self._bodies[topic])
        return content

    def _birth(self, seen: Mapping[str, Seen]) -> InfoPayload:
        if self.broken:
            raise ValueError("a text that is too long")
        sizes = {name: each.size for name, each in seen.items()}
        frames = {n: FramePayload(width_px=s.width_px, height_px=s.height_px) for n, s in sizes.items() if s}
        return InfoPayload(
            commune="test-commune",
            device="test-box-01",
            session="s-1",
            time=moment(self._clock.now()),
            versions={"ngatu": "0.1.0"},
            cameras=tuple(CameraInfo(id=name, frame=frames.get(name)) for name in sizes),
        )


@pytest.fixture
def board(sources: Sources, clock: SteppedClock) -> Board:
    return Board(sources, clock)


def test_a_camera_whose_pictures_are_late_is_said_to_be_stalled(
    board: Board, post: Post, clock: SteppedClock
) -> None:
    board.status.publish()
    post.it.figures.last_frame = post.it.figures.last_sign = clock.now()
    post.it.state = CameraState("streaming", clock.now())
    board.status.look()
    assert board.says("camera/road/status")["state"] == "streaming"
    clock.advance(6)
    board.status.look()
    kept = board.says("camera/road/status")
    assert (kept["state"], kept["frame_age_s"]) == ("stalled", 6)
    board.status.publish()
    assert "camera_stalled:road" in board.says("health")["degraded"]


def test_what_a_camera_turns_out_to_be_is_told_at_once(board: Board, post: Post) -> None:
    board.status.publish()
    board.status.look()
    board.status.publish()
    assert not board.status.due
    post.it.figures.encoder = "software"
    assert not board.status.due
    board.status.look()
    assert board.status.due
    board.status.publish()
    board.status.look()
    assert not board.status.due


def test_a_camera_says_by_itself_that_its_state_has_changed(
    board: Board, post: Post, clock: SteppedClock
) -> None:
    board.status.publish()
    post.it.state = CameraState("lost", clock.now(), "no picture for 10 s")
    post.it.on_state(post.it.state)

    assert board.says("camera/road/status")["reason"] == "no picture for 10 s"
    assert board.status.due


def test_all_is_said_again_when_it_is_time_and_at_once_when_something_changes(
    board: Board, clock: SteppedClock
) -> None:
    status = board.status
    assert status.due
    status.publish()
    assert not status.due
    clock.advance(INTERVAL_S + 0.1)
    assert status.due
    status.publish()
    for change in (status.hasten, lambda: status.changed("road")):
        change()
        assert status.due
        status.publish()
        assert not status.due


def test_the_birth_message_is_said_again_only_when_a_camera_has_another_size(
    board: Board, post: Post, clock: SteppedClock
) -> None:
    board.status.publish()
    first = board.says("info")
    clock.advance(60)
    board.status.publish()
    assert board.says("info") == first
    post.it.figures.size = Size(320, 240)
    board.status.publish()
    assert board.says("info")["cameras"][0]["frame"] == {"width_px": 320, "height_px": 240}


def test_a_figure_that_cannot_be_had_silences_neither_birth_nor_cameras(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no figure")

    monkeypatch.setattr("agent.status.health.report", broken)
    with capture_logs() as lines:
        board.status.publish()
    assert [line["event"] for line in lines] == ["health_failed"]
    assert board.says("info")["cameras"][0]["id"] == "road"
    assert board.says("camera/road/status")["state"] == "disabled"  # it has not started yet


def test_a_birth_that_cannot_be_said_stops_nothing_and_is_tried_again(board: Board) -> None:
    board.broken = True
    with capture_logs() as lines:
        board.status.publish()
    assert [line["event"] for line in lines] == ["birth_failed"]
    assert board.says("health")
    assert board.says("camera/road/status")
    board.broken = False
    board.status.publish()
    assert board.says("info")["cameras"][0]["id"] == "road"
