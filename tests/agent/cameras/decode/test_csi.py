"""agent.cameras.decode.csi, against a stand-in for the camera's hardware library"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.cameras import open_camera, probe
from agent.cameras.decode.csi import PiCamera
from agent.cameras.local import LocalCamera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraLost, CameraRefused

HARDWARE = Path(__file__).resolve().parents[3] / "support" / "hardware"


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    monkeypatch.syspath_prepend(HARDWARE)
    sys.modules.pop("picamera2", None)
    yield lambda mode: monkeypatch.setenv("LIBCAMERA_STAND_IN", mode)
    sys.modules.pop("picamera2", None)


def settings(camera: int | str = 0, **more: object) -> CameraSettings:
    source = {"kind": "csi", "camera": camera, "width_px": 200, "height_px": 100}
    settings = {
        "name": "north",
        "source": source,
        "max_fps": 120,
        "stall_s": 0.5,
        "open_timeout_s": 3.0,
        **more,
    }
    return CameraSettings.model_validate(settings)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("kind", [LocalCamera, open_camera])
def test_padded_rows_are_left_out_of_the_frame(kind: Callable[..., LocalCamera]) -> None:
    camera = kind(settings(), SystemClock())
    frames = camera.frames()
    last = None
    for _ in range(5):
        frame = next(frames)
        assert (frame.luma.shape, frame.u.shape, frame.v.shape) == ((100, 200), (50, 100), (50, 100))
        assert np.ptp(frame.luma) == 0
        assert frame.luma[0, 0] == 50 + frame.index
        assert set(np.unique(frame.u)) == set(np.unique(frame.v)) == {99}
        assert last is None or frame.at > last
        last = frame.at
    camera.close()
    frames.close()  # type: ignore[attr-defined]


@pytest.mark.usefixtures("library")
def test_every_request_is_given_back_and_the_camera_is_closed() -> None:
    camera = LocalCamera(settings(), SystemClock())
    frames = camera.frames()
    for _ in range(5):
        next(frames)
    state = sys.modules["picamera2"].STATE
    assert state["held"] == 1
    frames.close()  # type: ignore[attr-defined]
    assert state == {"closed": 1, "held": 0}


@pytest.mark.usefixtures("library")
def test_a_mask_is_burned_into_a_ribbon_cameras_frames() -> None:
    whole = [(0, 0), (1, 0), (1, 1), (0, 1)]
    camera = open_camera(settings(privacy_masks=[whole]), SystemClock())
    frame = next(camera.frames())
    assert (set(np.unique(frame.luma)), set(np.unique(frame.u))) == ({16}, {128})
    camera.close()


@pytest.mark.usefixtures("library")
def test_the_facts_name_the_sensor() -> None:
    facts = probe(settings(), SystemClock())
    assert (facts.decoder, facts.pixel_format, facts.width_px) == ("libcamera imx708", "yuv420p", 200)


@pytest.mark.parametrize("wanted", [1, "1", "/base/second", "imx708"])
@pytest.mark.usefixtures("library")
def test_a_camera_is_found_by_number_id_or_model(wanted: int | str) -> None:
    camera = LocalCamera(settings(wanted), SystemClock())
    next(camera.frames())
    camera.close()


@pytest.mark.parametrize(("mode", "wanted"), [("", 7), ("older", 7), ("", "/base/none")])
def test_a_missing_camera_is_lost(library: Callable[[str], None], mode: str, wanted: int | str) -> None:
    library(mode)
    with pytest.raises(CameraLost, match="is not there") as caught:
        next(LocalCamera(settings(wanted), SystemClock()).frames())
    assert "rpicam-hello" in caught.value.hint


def test_a_camera_that_is_in_use_is_lost_with_libcameras_reason(library: Callable[[str], None]) -> None:
    library("busy")
    with pytest.raises(CameraLost, match="Device or resource busy"):
        next(LocalCamera(settings(), SystemClock()).frames())


def test_a_camera_that_gives_another_format_is_refused(library: Callable[[str], None]) -> None:
    library("nv12")
    with pytest.raises(CameraRefused, match="NV12"):
        next(LocalCamera(settings(), SystemClock()).frames())


@pytest.mark.parametrize("mode", ["stuck", "hung"])
def test_a_capture_that_never_ends_is_a_lost_camera(library: Callable[[str], None], mode: str) -> None:
    library(mode)
    camera = open_camera(settings(), SystemClock())
    frames = camera.frames()
    next(frames)
    started = time.monotonic()
    with pytest.raises(CameraLost, match=r"no picture for 0\.5 s"):
        list(frames)
    assert time.monotonic() - started < 3


def test_without_picamera2_the_hint_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraRefused, match="picamera2 is not installed") as caught:
        next(LocalCamera(settings(), SystemClock()).frames())
    assert "apt install python3-picamera2" in caught.value.hint


def test_importing_the_module_touches_no_hardware_library() -> None:
    assert PiCamera.__module__ == "agent.cameras.decode.csi"
    assert "picamera2" not in sys.modules
