"""agent.cameras: what every Camera promises, whatever is behind it"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.cameras import Camera
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.local import LocalCamera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraLost

HARDWARE = Path(__file__).resolve().parents[1] / "support" / "hardware"
MASK = [(0.5, 0.5), (0.75, 0.5), (0.75, 0.75), (0.5, 0.75)]
Open = Callable[..., Camera]

rtsp = pytest.mark.rtsp


@pytest.fixture(
    params=[
        pytest.param((source, kind), id=f"{source}-{kind.__name__}", marks=[rtsp] if source == "rtsp" else [])
        for source in ("fast", "real", "rtsp", "csi")
        for kind in (LocalCamera, IsolatedCamera)
        if source != "rtsp" or kind is IsolatedCamera  # nobody watches a live camera without a deadline
    ]
)
def opened(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens one kind of camera that goes on for ever, and closes it after the test."""
    source, kind = request.param
    described: dict[str, object]
    if source == "rtsp":
        described = {"kind": "rtsp", "url": request.getfixturevalue("rtsp_url")}
    elif source == "csi":
        monkeypatch.syspath_prepend(HARDWARE)
        described = {"kind": "csi", "width_px": 320, "height_px": 240}
    else:
        clip = request.getfixturevalue("numbered_clip")(12)
        described = {"kind": "file", "path": clip, "pace": source, "loop": True}
    cameras = []

    def start(**more: object) -> Camera:
        limits = {"max_fps": 120, "stall_s": 2.0, "open_timeout_s": 10.0}
        settings = CameraSettings.model_validate({"name": "north", "source": described, **limits, **more})
        cameras.append(kind(settings, SystemClock()))
        return cameras[-1]

    yield start
    for camera in cameras:
        camera.close()


def test_time_and_index_strictly_increase(opened: Open) -> None:
    stamps = [(frame.at.mono_s, frame.index) for frame in islice(opened().frames(), 20)]
    assert len(stamps) == 20
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(stamps))


def test_planes_are_read_only_and_of_the_promised_shapes(opened: Open) -> None:
    for frame in islice(opened().frames(), 3):
        assert (frame.luma.shape, frame.u.shape, frame.v.shape) == ((240, 320), (120, 160), (120, 160))
        assert {plane.dtype for plane in (frame.luma, frame.u, frame.v)} == {np.dtype(np.uint8)}
        assert not any(plane.flags.writeable for plane in (frame.luma, frame.u, frame.v))


def test_a_frame_stays_as_it_is_until_the_next_is_asked_for(opened: Open) -> None:
    for frame in islice(opened().frames(), 4):
        before = frame.luma.copy()
        deadline = time.monotonic() + 0.1
        while time.monotonic() < deadline:
            assert np.array_equal(frame.luma, before)


def test_nothing_under_a_mask_is_ever_seen(opened: Open) -> None:
    for frame in islice(opened(privacy_masks=[MASK]).frames(), 5):
        assert set(np.unique(frame.luma[120:180, 160:240])) == {0 if frame.full_range else 16}
        assert set(np.unique(frame.u[60:90, 80:120])) == set(np.unique(frame.v[60:90, 80:120])) == {128}


def test_the_limit_of_the_rate_is_kept(opened: Open) -> None:
    stamps = [frame.at.mono_s for frame in islice(opened(max_fps=8).frames(), 5)]
    # The beat holds in the mean: a slow reader misses the first picture and begins elsewhere in it, so each end
    # of the four periods may be off by a picture of the source, of 25 a second.
    assert stamps[-1] - stamps[0] >= 4 * 0.99 / 8 - 2 / 25


def test_closing_ends_the_frames_and_may_be_done_twice(opened: Open) -> None:
    camera = opened()
    frames = camera.frames()
    next(frames)
    camera.close()
    camera.close()
    assert list(frames) == []


def test_closing_from_another_thread_ends_the_frames(opened: Open) -> None:
    camera = opened()
    frames = camera.frames()
    next(frames)
    threading.Timer(0.2, camera.close).start()
    started = time.monotonic()
    for _ in frames:
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("kind", [LocalCamera, IsolatedCamera])
@pytest.mark.parametrize("source", [
    {"kind": "rtsp", "url": "rtsp://127.0.0.1:9/live"},
    {"kind": "usb", "device": "/dev/v4l/by-id/usb-nobody-has-this"},
])  # fmt: skip
def test_a_camera_that_is_not_there_is_lost_with_a_hint(
    kind: type[LocalCamera | IsolatedCamera], source: dict[str, str]
) -> None:
    settings = CameraSettings.model_validate({"name": "north", "source": source, "open_timeout_s": 2.0})
    with pytest.raises(CameraLost) as caught:
        list(kind(settings, SystemClock()).frames())
    assert caught.value.hint


@pytest.mark.parametrize("kind", [LocalCamera, IsolatedCamera])
def test_a_file_that_has_ended_ends_the_frames(
    kind: type[LocalCamera | IsolatedCamera], numbered_clip: Callable[..., Path]
) -> None:
    source = {"kind": "file", "path": numbered_clip(5), "pace": "fast"}
    settings = CameraSettings.model_validate({"name": "north", "source": source, "max_fps": 120})
    assert [frame.index for frame in kind(settings, SystemClock()).frames()] == [0, 1, 2, 3, 4]
