"""agent.cameras.decode.stream and agent.cameras.isolate, on a real RTSP server"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from agent.cameras import probe
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraLost, CameraRefused

pytestmark = pytest.mark.rtsp
Start = Callable[..., Any]
SLACK_S = 2.0  # of a loaded machine


def settings(url: str, **login: object) -> CameraSettings:
    source = {"kind": "rtsp", "url": url, **login}
    return CameraSettings.model_validate(
        {"name": "north", "source": source, "stall_s": 1.0, "open_timeout_s": 8.0, "max_fps": 30}
    )


def camera(url: str, **login: object) -> IsolatedCamera:
    return IsolatedCamera(settings(url, **login), SystemClock())


def test_a_live_stream_gives_fresh_frames_at_its_own_pace(rtsp_url: str) -> None:
    north = camera(rtsp_url)
    frames = north.frames()
    taken = [next(frames) for _ in range(40)]
    age_s = SystemClock().now().since(taken[-1].at)
    north.close()
    assert all(a.index < b.index and a.at < b.at for a, b in pairwise(taken))
    assert taken[-1].luma.shape == (240, 320)
    assert age_s < 0.5


def test_a_server_that_is_killed_is_a_lost_camera_and_comes_back(rtsp_server: Start) -> None:
    server = rtsp_server()
    north = camera(server.url)
    frames = north.frames()
    next(frames)
    server.kill()
    started = time.monotonic()
    with pytest.raises(CameraLost):
        list(frames)
    assert time.monotonic() - started < 1.0 + SLACK_S
    with pytest.raises(CameraLost, match="nobody listening"):
        list(camera(server.url).frames())
    rtsp_server("--port", str(server.port))
    again = camera(server.url)
    assert next(again.frames()).luma.shape == (240, 320)
    again.close()


def test_a_server_that_goes_silent_is_a_lost_camera_within_the_deadline(rtsp_server: Start) -> None:
    server = rtsp_server()
    north = camera(server.url)
    frames = north.frames()
    for _ in range(10):
        next(frames)
    server.stop()
    started = time.monotonic()
    with pytest.raises(CameraLost):
        list(frames)
    assert time.monotonic() - started < 1.0 + SLACK_S


def test_the_right_password_opens_the_stream(rtsp_server: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTH_PASSWORD", "p@ss:w/rd")
    server = rtsp_server("--user", "tran", "--password", "p@ss:w/rd")
    facts = probe(settings(server.url, username="tran", password={"env": "NORTH_PASSWORD"}), SystemClock())
    assert (facts.codec, facts.width_px, facts.height_px, facts.fps) == ("h264", 320, 240, 25.0)


@pytest.mark.parametrize("login", [{}, {"username": "tran", "password": {"env": "NORTH_PASSWORD"}}])
def test_a_wrong_password_is_refused_and_not_repeated(
    rtsp_server: Start, monkeypatch: pytest.MonkeyPatch, login: dict[str, object]
) -> None:
    monkeypatch.setenv("NORTH_PASSWORD", "geheim-falsch")
    server = rtsp_server("--user", "tran", "--password", "right")
    with pytest.raises(CameraRefused, match="refuses the login") as caught:
        list(camera(server.url, **login).frames())
    assert "check username and password" in caught.value.hint
    assert "geheim" not in str(caught.value)


def test_a_stream_name_that_the_camera_does_not_know_is_refused(rtsp_url: str) -> None:
    with pytest.raises(CameraRefused, match="no such stream"):
        list(camera(rtsp_url.replace("live", "nowhere")).frames())
