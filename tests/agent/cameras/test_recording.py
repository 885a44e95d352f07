"""agent.cameras.recording"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import psutil
import pytest

from agent.cameras import recording
from agent.cameras.recording import CannotCopy, Recorded, copy_packets
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraError, CameraLost, CameraRefused
from tests.support.brokers import until
from tests.support.rtsp_camera import RtspCamera

LEAVES_UNREAD = """
import json, os, socket, sys
sock = socket.socket(fileno=int(sys.argv[1]))
for words in {"recorded_s": 2.5}, {"end": True}:
    sock.send(json.dumps(words).encode())
os._exit(0)  # and never read what to record
"""
MASK = [[0.6, 0.1], [0.9, 0.1], [0.9, 0.3]]


def camera(**source: object) -> CameraSettings:
    masks = source.pop("masks", ())
    plain = {"name": "north", "source": source, "privacy_masks": masks, "stall_s": 2, "open_timeout_s": 3}
    return CameraSettings.model_validate(plain)


def copied(
    settings: CameraSettings,
    path: Path,
    for_s: float = 60,
    on_progress: Callable[[float], object] = lambda _s: None,
) -> Recorded:
    with path.open("w+b") as file:
        return copy_packets(settings, SystemClock(), file, "mp4", for_s, on_progress)


@pytest.mark.long
@pytest.mark.rtsp
def test_a_network_camera_is_copied_without_a_picture_lost(rtsp_url: str, tmp_path: Path) -> None:
    done = copied(camera(kind="rtsp", url=rtsp_url), tmp_path / "a.mp4", 2.0)

    assert done.why is None
    assert done.facts is not None and done.facts.codec == "h264"
    assert 2.0 <= done.seconds < 2.5
    with av.open(str(tmp_path / "a.mp4")) as video:
        assert video.streams.video[0].codec_context.name == "h264"
        assert len(list(video.decode(video=0))) == pytest.approx(done.seconds * 25, abs=3)


@pytest.mark.rtsp
def test_whoever_has_enough_ends_it_and_the_file_is_whole(rtsp_url: str, tmp_path: Path) -> None:
    done = copied(camera(kind="rtsp", url=rtsp_url), tmp_path / "a.mp4", 60, lambda seconds: seconds > 0)

    assert 0 < done.seconds < 10
    with av.open(str(tmp_path / "a.mp4")) as video:
        assert list(video.decode(video=0))


HOUR = 3600 * 90_000
CLOCKS: dict[str, Callable[[int], int]] = {
    "jumps": lambda n: n * 3600 + HOUR * (n > 20) + 30 * HOUR * (n > 40),
    "steps back": lambda n: 3 * HOUR + n * 3600 - 45_000 * (n > 20) - HOUR * (n > 40),
    "stands still": lambda n: min(n, 20) * 3600,
    "counts over": lambda n: (1 << 32) - 72_000 + n * 3600,
    "runs at half": lambda n: n * 1800,
    "is random": lambda n: n * 2_654_435_761,
}


@pytest.mark.long
@pytest.mark.parametrize("clock", CLOCKS)
def test_a_recording_is_as_long_as_it_took_whatever_the_cameras_clock_does(clock: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with RtspCamera(clock=CLOCKS[clock]) as north:
        done = copied(
            camera(kind="rtsp", url=north.url), tmp_path / "a.mp4", 60, lambda _s: time.monotonic() > began + 5
        )
    with av.open(str(tmp_path / "a.mp4")) as video:
        times_s = [float(frame.time) for frame in video.decode(video=0)]

    taken_s = len(times_s) / 25
    assert done.why is None
    assert taken_s > 2
    assert done.seconds == pytest.approx(times_s[-1] - times_s[0], abs=0.05)
    # FFmpeg looks at the first two seconds, then gives all at once: only the camera says when they were.
    slack_s = 2.5 if clock == "is random" else 0.6
    assert done.seconds == pytest.approx(taken_s / 2 if clock == "runs at half" else taken_s, abs=slack_s)


@pytest.mark.rtsp
def test_what_came_before_the_camera_was_lost_is_a_whole_file(
    rtsp_server: Callable[..., object], tmp_path: Path
) -> None:
    server = rtsp_server()
    done = copied(
        camera(kind="rtsp", url=server.url),  # type: ignore[attr-defined]
        tmp_path / "a.mp4",
        60,
        lambda seconds: seconds > 0 and server.kill(),  # type: ignore[attr-defined,func-returns-value]
    )

    assert isinstance(done.why, CameraLost)
    with av.open(str(tmp_path / "a.mp4")) as video:
        packets = list(video.demux(video=0))
        pictures = 0
        for packet in packets[:-2]:  # the camera died in the middle of the last; then comes the flush
            pictures += len(packet.decode())
        assert pictures > 0


@pytest.mark.rtsp
def test_a_login_is_proved_and_never_stands_in_a_process_list(
    rtsp_server: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = rtsp_server("--user", "tran", "--password", "s3cret-canary")
    monkeypatch.setenv("CAMERA_PASSWORD", "s3cret-canary")
    seen: list[str] = []

    def look(_seconds: float) -> None:
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):  # it may just end
                if "agent.cameras.decode.recorder" in (words := child.cmdline()):
                    seen.append(" ".join(words) + str(child.environ()))

    settings = camera(
        kind="rtsp",
        url=server.url,
        username="tran",
        password={"env": "CAMERA_PASSWORD"},  # type: ignore[attr-defined]
    )
    assert copied(settings, tmp_path / "a.mp4", 1.0, look).seconds >= 1
    assert seen
    assert not any("canary" in each for each in seen)


def test_under_privacy_masks_no_packet_is_copied(numbered_clip: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(CannotCopy):
        copied(camera(kind="file", path=numbered_clip(5), masks=[MASK]), tmp_path / "a.mp4")
    assert not (tmp_path / "a.mp4").stat().st_size


def test_raw_pictures_are_refused_before_anything_is_written(
    numbered_clip: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(CannotCopy, match="rawvideo"):
        copied(camera(kind="file", path=numbered_clip(5, codec="rawvideo", name="raw.nut")), tmp_path / "a.mp4")


def test_a_camera_that_nobody_answers_for_is_told_in_its_words(tmp_path: Path) -> None:
    with pytest.raises(CameraLost, match="nobody listening"):
        copied(camera(kind="rtsp", url="rtsp://127.0.0.1:9/live"), tmp_path / "a.mp4")
    with pytest.raises(CameraRefused, match="no such file"):
        copied(camera(kind="file", path=tmp_path / "none.mkv"), tmp_path / "a.mp4")


def test_a_full_disk_is_an_error_of_the_system(numbered_clip: Callable[..., Path]) -> None:
    with Path("/dev/full").open("r+b", buffering=0) as file, pytest.raises(OSError, match=r"."):
        copy_packets(
            camera(kind="file", path=numbered_clip(50)), SystemClock(), file, "mp4", 60, lambda _seconds: None
        )


@pytest.mark.rtsp
def test_a_recorder_that_dies_is_told(rtsp_url: str, tmp_path: Path) -> None:
    def kill(_seconds: float) -> None:
        for child in psutil.Process().children():
            if "agent.cameras.decode.recorder" in child.cmdline():
                os.kill(child.pid, signal.SIGKILL)

    with pytest.raises(CameraError, match="died"):
        copied(camera(kind="rtsp", url=rtsp_url), tmp_path / "a.mp4", 60, kill)


def test_one_that_left_something_unread_at_its_end_is_no_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that has just ended by itself when it is told to stop."""
    (tmp_path / "leaves_unread.py").write_text(LEAVES_UNREAD)
    (tmp_path / "clip.mkv").write_bytes(b"")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(recording, "MODULE", "leaves_unread")

    others = set(psutil.Process().children())

    def until_it_has_gone(_seconds: float) -> None:
        (child,) = set(psutil.Process().children()) - others
        until(lambda: child.status() == psutil.STATUS_ZOMBIE, 10)

    found = copied(camera(kind="file", path=tmp_path / "clip.mkv"), tmp_path / "a.mp4", 60, until_it_has_gone)
    assert (found.seconds, found.ended, found.why) == (2.5, True, None)
