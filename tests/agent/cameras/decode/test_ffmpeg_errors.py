"""agent.cameras.decode.ffmpeg_errors"""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import av.error
import pytest

from agent.cameras.decode.decoded import Source
from agent.cameras.decode.ffmpeg_errors import explained, too_large
from agent.errors import CameraLost, CameraRefused

LIVE = Source("north", "rtsp", "rtsp://u:hunter2@camera/live", "rtsp://camera/live")
FILE = Source("north", "file", "file:/clip.mp4", "/clip.mp4", pace="fast")


@pytest.mark.parametrize(("error", "verdict", "words"), [
    (av.error.HTTPUnauthorizedError(1, "hunter2"), CameraRefused, "refuses the login"),
    (av.error.HTTPNotFoundError(1, "hunter2"), CameraRefused, "has no such stream"),
    (ConnectionRefusedError(1, "hunter2"), CameraLost, "has nobody listening"),
    (TimeoutError(1, "hunter2"), CameraLost, "does not answer in time"),
    (av.error.InvalidDataError(1, "hunter2"), CameraLost, "says nothing that can be read"),
    (av.error.MemoryError(12, "hunter2"), CameraRefused, "wants more memory than one camera may have"),
    (av.error.ArgumentError(22, "hunter2"), CameraRefused, "more than 33 million pixels"),
    (OSError(113, "No route to host"), CameraLost, "cannot be reached: no route to it"),
    (OSError(101, "Network is unreachable"), CameraLost, "cannot be reached: no route to it"),
    (OSError(5, "Input/output error"), CameraLost, "cannot be read: Input/output error"),
    (socket.gaierror(-2, "Name or service not known"), CameraLost, "has a name that DNS does not know"),
])  # fmt: skip
def test_a_live_cameras_error_is_told_in_our_words(error: Exception, verdict: type, words: str) -> None:
    told_as = explained(LIVE, error)
    assert isinstance(told_as, verdict)
    assert words in told_as.what
    assert "hunter2" not in f"{told_as.what} {told_as.hint}"


@pytest.mark.parametrize(("number", "words"), [
    (errno.ENODEV, "was pulled out"),
    (errno.ENXIO, "was pulled out"),
    (errno.EBUSY, "in use by another program"),
    (errno.ENOSPC, "no room on its USB bus"),
    (errno.EIO, "cannot be read"),
])  # fmt: skip
def test_what_the_kernel_says_of_a_usb_camera_is_told_in_our_words(number: int, words: str) -> None:
    usb = Source("east", "usb", "/dev/video0", "/dev/video0", format="v4l2")
    lost = explained(usb, OSError(number, "whatever"))
    assert isinstance(lost, CameraLost)
    assert words in lost.what and lost.hint
    assert words not in explained(LIVE, OSError(number, "whatever")).what or number == errno.EIO


def test_a_device_that_is_gone_was_pulled_out_whatever_the_kernel_says(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    usb = Source("east", "usb", str(device), str(device), format="v4l2")
    ended = av.error.ArgumentError(errno.EINVAL, "whatever")
    assert "gives no pictures" in explained(usb, ended).what
    device.unlink()
    lost = explained(usb, ended)
    assert isinstance(lost, CameraLost)
    assert "was pulled out" in lost.what and "plug" in lost.hint


def test_a_file_is_not_asked_again_and_again() -> None:
    assert isinstance(explained(FILE, TimeoutError()), CameraRefused)
    assert "more memory" in explained(FILE, MemoryError()).what


def test_a_claim_is_told_with_its_size() -> None:
    assert "16000 x 9000, more than 33 million pixels" in too_large(LIVE, 16000, 9000).what
