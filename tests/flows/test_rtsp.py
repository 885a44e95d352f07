"""agent.cameras.decode.stream and agent.cameras.isolate, on a real RTSP server"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from agent.cameras import probe
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.core.types import Frame
from agent.errors import CameraLost, CameraRefused
from tests.support.grainy_road import encoded
from tests.support.rtsp_camera import RtspCamera

pytestmark = pytest.mark.rtsp
Start = Callable[..., Any]
SLACK_S = 4.0  # of a loaded machine


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


@pytest.mark.long
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_the_picture_that_is_still_held_back_does_not_hide_that_no_more_come(
    rtsp_server: Start, transport: str
) -> None:
    server = rtsp_server()
    patient = settings(server.url, transport=transport).model_copy(update={"stall_s": 4.0})
    north = IsolatedCamera(patient, SystemClock())
    frames = north.frames()
    for _ in range(10):
        next(frames)
    server.stop()
    started = time.monotonic()
    with pytest.raises(CameraLost):
        list(frames)
    assert time.monotonic() - started < 4.0 + SLACK_S


@pytest.mark.long
def test_a_camera_that_is_silent_for_longer_than_it_may_take_to_open_is_not_lost_for_it() -> None:
    with RtspCamera(fps=10) as slow:
        patient = settings(slow.url).model_copy(update={"stall_s": 8.0, "open_timeout_s": 3.0})
        north = IsolatedCamera(patient, SystemClock())
        frames = north.frames()
        next(frames)
        slow.shows.clear()
        threading.Timer(5.0, slow.shows.set).start()
        until = time.monotonic() + 7
        while time.monotonic() < until:
            next(frames)
        north.close()


def until(frames: Iterator[Frame], size: tuple[int, int]) -> None:
    """Take frames until one of this size comes."""
    deadline = time.monotonic() + 15
    while next(frames).luma.shape != (size[1], size[0]):
        assert time.monotonic() < deadline, f"no picture of {size}"


@pytest.mark.long
def test_a_camera_that_changes_its_size_in_the_middle_goes_on() -> None:
    small, large = (b"".join(encoded("libx264", 20, *size, key_every=5)) for size in ((320, 240), (640, 480)))
    with RtspCamera(fps=20, stream=small) as changing:
        north = IsolatedCamera(settings(changing.url), SystemClock())
        frames = north.frames()
        for size, stream in (((320, 240), large), ((640, 480), small), ((320, 240), small)):
            until(frames, size)
            changing.stream = stream
        north.close()
    assert changing.connections == 1


@pytest.mark.long
def test_a_camera_that_is_set_to_another_codec_comes_back_with_it(rtsp_server: Start) -> None:
    server = rtsp_server("--stream", "/a=320x240=h264")
    url = server.url.replace("/live", "/a")
    frames = camera(url).frames()
    until(frames, (320, 240))
    server.kill()
    with pytest.raises(CameraLost):
        list(frames)
    for size, codec, name in (((640, 480), "h265", "hevc"), ((320, 240), "mjpeg", "mjpeg")):
        server = rtsp_server("--port", str(server.port), "--stream", f"/a={size[0]}x{size[1]}={codec}")
        again = camera(url)
        until(again.frames(), size)
        assert again.facts is not None and again.facts.codec == name
        again.close()
        server.kill()


@pytest.mark.long
def test_a_codec_that_changes_within_a_connection_loses_the_camera_in_time() -> None:
    with RtspCamera(fps=20, stream=b"".join(encoded("libx264", key_every=5))) as changing:
        frames = camera(changing.url).frames()
        until(frames, (320, 240))
        # Its description still says H.264, and each packet that it holds a picture of that.
        changing.stream = b"".join(
            b"\0\0\0\1\x41" + packet.replace(b"\0\0\1", b"\0\0\3\1")
            for packet in encoded("libx265", key_every=5)
        )
        started = time.monotonic()
        with pytest.raises(CameraLost):
            list(frames)
        assert time.monotonic() - started < 1.0 + 2 * SLACK_S


def test_pictures_come_by_datagrams_where_that_is_asked_for(rtsp_url: str) -> None:
    north = camera(rtsp_url, transport="udp")
    frames = north.frames()
    taken = [next(frames) for _ in range(30)]
    north.close()
    assert taken[-1].at.since(taken[0].at) == pytest.approx(29 / 25, abs=1.0)


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
