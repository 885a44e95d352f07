"""agent.cameras.decode.ffmpeg_errors"""

from __future__ import annotations

import socket

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


def test_a_file_is_not_asked_again_and_again() -> None:
    assert isinstance(explained(FILE, TimeoutError()), CameraRefused)
    assert "more memory" in explained(FILE, MemoryError()).what


def test_a_claim_is_told_with_its_size() -> None:
    assert "16000 x 9000, more than 33 million pixels" in too_large(LIVE, 16000, 9000).what
