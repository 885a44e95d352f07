"""agent.cameras.decode.csi.camera, against a stand-in for the camera's hardware library"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.cameras import open_camera, probe
from agent.cameras.decode.csi.camera import PiCamera
from agent.cameras.decode.decoded import EncodedPacket, Record
from agent.cameras.footage import FootageReader, Piece, Way
from agent.cameras.local import LocalCamera
from agent.cameras.settings import CameraSettings
from agent.cameras.sources import source
from agent.clock import SystemClock
from agent.core.types import Instant
from agent.errors import CameraLost, CameraRefused
from tests.support.film import played

HARDWARE = Path(__file__).resolve().parents[4] / "support" / "hardware"


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    monkeypatch.syspath_prepend(HARDWARE)
    forget()
    yield lambda mode: monkeypatch.setenv("LIBCAMERA_STAND_IN", mode)
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "picamera2"]:
        del sys.modules[name]


def settings(camera: int | str = 0, main: tuple[int, int] | None = None, **more: object) -> CameraSettings:
    source: dict[str, object] = {"kind": "csi", "camera": camera, "width_px": 200, "height_px": 100}
    if main:
        source["main"] = {"width_px": main[0], "height_px": main[1], "key_every_s": 0.2}
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
    library("other")
    with pytest.raises(CameraRefused, match="RGB888"):
        next(LocalCamera(settings(), SystemClock()).frames())


@pytest.mark.parametrize("masks", [[], [[(0, 0), (0.5, 0), (0.5, 1), (0, 1)]]])
def test_interleaved_chroma_is_taken_apart(library: Callable[[str], None], masks: list[object]) -> None:
    library("nv12")
    camera = LocalCamera(settings(privacy_masks=masks), SystemClock())
    frame = next(camera.frames())
    assert camera.facts is not None and camera.facts.pixel_format == "nv12"
    hidden = 50 if masks else 0
    assert (set(np.unique(frame.u[:, hidden:])), set(np.unique(frame.v[:, hidden:]))) == ({77}, {99})
    assert not masks or set(np.unique(frame.u[:, :50])) == set(np.unique(frame.v[:, :50])) == {128}
    assert frame.luma.shape == (100, 200)
    camera.close()


@pytest.mark.usefixtures("library")
def test_beside_a_larger_stream_the_smaller_one_is_looked_at() -> None:
    camera = LocalCamera(settings(main=(400, 300)), SystemClock())
    frame = next(camera.frames())
    assert frame.luma.shape == (100, 200)
    assert camera.facts is not None and camera.facts.encoder == "software"
    camera.close()
    assert probe(settings(), SystemClock()).encoder is None


def recorded(number: int, masks: list[object] | None = None, restart: bool = False) -> list[EncodedPacket]:
    """The packets that come while so many pictures are looked at."""
    pictures = PiCamera(
        source(settings(main=(400, 300), privacy_masks=masks or []), Instant(0, 0)),
        lambda: (time.monotonic(), time.time()),
    )
    packets: list[EncodedPacket] = []
    pictures.encode(packets.append)
    for count, _ in enumerate(pictures, 1):
        if count == number:
            break
    assert pictures.damaged == restart
    pictures.close()
    return packets


@pytest.mark.usefixtures("library")
def test_the_larger_stream_comes_as_packets_from_a_key_picture_on() -> None:
    packets = recorded(7)
    assert [packet.is_key for packet in packets][:7] == [True, False, False, True, False, False, True]
    assert all(packet.data.startswith(b"libav") for packet in packets)
    assert all(a.mono_s < b.mono_s for a, b in pairwise(packets))
    late_s = time.monotonic() - packets[-1].mono_s
    assert 0.02 <= late_s < 5, "the sensor's time, by our clock"
    assert abs(time.time() - packets[-1].wall_s - late_s) < 0.1


@pytest.mark.usefixtures("library")
def test_what_a_mask_hides_does_not_come_to_the_encoder() -> None:
    whole, half = [(0, 0), (1, 0), (1, 1), (0, 1)], [(0, 0), (1, 0), (1, 0.5), (0, 0.5)]
    (first, *_) = recorded(2, [whole])
    picture = np.frombuffer(first.data[5:], np.uint8)
    rows, chroma = picture[: 448 * 300].reshape(300, 448), picture[448 * 300 :].reshape(300, 224)
    assert set(np.unique(rows[:, :400])) == {16}
    assert set(np.unique(chroma[:, :200])) == {128}
    (first, *_) = recorded(2, [half])
    rows = np.frombuffer(first.data[5:], np.uint8)[: 448 * 300].reshape(300, 448)
    assert set(np.unique(rows[:150, :400])) == {16}
    assert 16 not in np.unique(rows[150:, :400])


def test_after_a_restart_the_packets_begin_with_a_key_picture_again(library: Callable[[str], None]) -> None:
    library("once")
    packets = recorded(6, restart=True)
    assert [packet.is_key for packet in packets][:6] == [True, False, False, True, False, False]


@pytest.mark.usefixtures("library")
def test_without_a_larger_stream_there_is_nothing_to_record() -> None:
    pictures = PiCamera(source(settings(), Instant(0, 0)), lambda: (time.monotonic(), time.time()))
    with pytest.raises(CameraRefused, match=r"no stream to record") as caught:
        pictures.encode(lambda _packet: None)
    assert "source.main" in caught.value.hint
    pictures.close()


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


def test_a_camera_that_stands_still_is_started_again_before_it_is_lost(
    library: Callable[[str], None],
) -> None:
    library("once")
    camera = open_camera(settings(stall_s=2.0), SystemClock())
    frames = camera.frames()
    frame = next(frames)
    came = [frame.at]
    child = camera.pid
    while frame.index <= 3:
        frame = next(frames)
        came.append(frame.at)
    gap_s = max(after.since(before) for before, after in pairwise(came))
    assert 1 <= gap_s < 2, "it stood still for half of stall_s"
    assert (camera.pid, camera.frames_damaged) == (child, 1)
    camera.close()


def test_without_picamera2_the_hint_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraRefused, match="picamera2 is not installed") as caught:
        next(LocalCamera(settings(), SystemClock()).frames())
    assert "apt install python3-picamera2" in caught.value.hint


def test_importing_the_module_touches_no_hardware_library() -> None:
    assert PiCamera.__module__ == "agent.cameras.decode.csi.camera"
    assert "picamera2" not in sys.modules


def footage(number: int, main: tuple[int, int] | None = None) -> list[Piece | Way]:
    """The first pieces of what is recorded of it."""
    pipes: list[int] = []
    camera = open_camera(settings(main=main), SystemClock(), Record(fps=120), pipes.append)
    frames, given = camera.frames(), []
    next(frames)
    with closing(FootageReader(pipes[0], SystemClock())) as reader:
        until_s = time.monotonic() + 30
        while len(given) < number and time.monotonic() < until_s:
            next(frames)
            if (piece := reader.read(0.01)) is not None:
                given.append(piece)
    camera.close()
    return given


def test_where_the_larger_streams_encoder_does_not_start_the_smaller_one_is_recorded(
    library: Callable[[str], None],
) -> None:
    library("no encoder")
    how, why, init = footage(3, (400, 300))
    assert isinstance(how, Way) and isinstance(why, Way) and isinstance(init, Piece)
    assert why.fallback == "north: the software encoder does not start: No space left on device"
    assert (init.width_px, init.height_px, init.encoder) == (200, 100, "software")


@pytest.mark.long
@pytest.mark.usefixtures("library")
def test_its_pictures_are_recorded_encoded_for_it_has_no_packets() -> None:
    how, init, media = footage(3)
    assert isinstance(how, Way) and isinstance(init, Piece) and isinstance(media, Piece)
    assert (how.way, init.codec, init.width_px, init.height_px) == ("encode", "h264", 200, 100)
    shown = played(init.data, [media.data])
    assert len(shown) > 10
    assert int(np.ptp(shown[0].to_ndarray(format="gray"))) <= 4
