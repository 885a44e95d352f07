"""agent.tools.hardware.cameras"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraError
from agent.tools.hardware import cameras
from agent.tools.hardware.checklist import State

CLOCK = SystemClock()


def camera(path: Path, **more: object) -> CameraSettings:
    source = {"kind": "file", "path": str(path), "loop": True}
    common = {"name": "north", "source": source, "max_fps": 10, "stall_s": 1, "open_timeout_s": 5}
    return CameraSettings.model_validate({**common, **more})


Light = int | tuple[int, int]
"""Of a picture; or of it, and of its left third, where a car's lamps are."""


def film(path: Path, brightness: Sequence[Light], fps: int = 25) -> Path:
    """A picture of noise for each number, as light as that."""
    noise = np.random.default_rng(1).integers(-15, 16, (120, 160)).astype(np.int16)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mjpeg", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuvj420p"
        for light in brightness:
            scene, lamps = light if isinstance(light, tuple) else (light, light)
            shown = noise + scene
            shown[:, :53] += lamps - scene
            grey = np.clip(shown, 0, 255).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuvj420p")))
        out.mux(stream.encode(None))
    return path


def test_a_camera_that_gives_what_is_asked_is_well(numbered_clip: Callable[..., Path]) -> None:
    found = cameras.judged(camera(numbered_clip(100)), CLOCK, 2.0)
    assert found.state is State.OK, found
    assert float(found.measured["fps"] or 0) == pytest.approx(10, abs=1.5)
    assert "320×240 h264" in found.found


@pytest.mark.long
def test_one_that_gives_too_few_or_nothing_to_see_is_told(tmp_path: Path) -> None:
    slow = cameras.judged(camera(film(tmp_path / "slow.mkv", [90] * 20, fps=5)), CLOCK, 2.0)
    assert slow.state is State.WARNING and "10 a second are wanted" in slow.hint
    with av.open(str(tmp_path / "flat.mkv"), "w") as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuvj420p"
        for _ in range(50):
            out.mux(
                stream.encode(
                    av.VideoFrame.from_ndarray(np.full((120, 160), 20, np.uint8), format="gray").reformat(
                        format="yuvj420p"
                    )
                )
            )
        out.mux(stream.encode(None))
    flat = cameras.judged(camera(tmp_path / "flat.mkv"), CLOCK, 1.0)
    assert flat.state is State.WARNING and "lens cap" in flat.hint


def test_one_that_is_not_there_fails_with_its_hint(tmp_path: Path) -> None:
    found = cameras.judged(camera(tmp_path / "none.mkv"), CLOCK, 1.0)
    assert (found.state, found.item) == (State.FAILED, "frames north")
    assert "no such file" in found.found and found.hint


@pytest.mark.long
def test_a_loss_and_a_return_are_timed(numbered_clip: Callable[..., Path]) -> None:
    clip = numbered_clip(60)
    looped, ready = camera(clip), threading.Event()
    assert cameras.lost_and_back(looped, CLOCK, 0.5, ready.set) == (None, None)
    away = clip.with_name("away.mkv")
    quick = camera(clip, source={"kind": "file", "path": str(clip), "pace": "fast"})
    try:
        lost_s, back_s = cameras.lost_and_back(quick, CLOCK, 0.5, lambda: clip.rename(away))
        assert lost_s is not None and back_s is None
    finally:
        away.rename(clip)
    ready.clear()
    lost_s, back_s = cameras.lost_and_back(
        camera(clip, source={"kind": "file", "path": str(clip)}), CLOCK, 10, ready.set
    )
    assert ready.is_set() and lost_s is not None and back_s is not None, (
        "a file that ends is gone, and there again"
    )


def test_a_camera_that_never_came_was_not_unplugged(tmp_path: Path) -> None:
    asked = threading.Event()
    with pytest.raises(CameraError, match="no such file"):
        cameras.lost_and_back(camera(tmp_path / "none.mkv"), CLOCK, 0.5, asked.set)
    assert not asked.is_set(), "nobody is to pull a cable of what is not there"


@pytest.mark.parametrize(
    ("lights", "expected"),
    [
        ([150] * 100 + [30] * 20 + [150] * 40, (True, True)),
        ([150] * 200, (False, False)),
        ([150] * 100 + [30] * 200, (True, False)),
        ([5] * 20 + [150] * 100 + [30] * 20 + [150] * 40, (True, True)),  # its exposure settles first
        ([150] * 100 + [30] * 3 + [150] * 40, (False, False)),  # a picture or two that failed
    ],
)
def test_a_hand_before_the_lens_is_seen_and_that_it_went(
    tmp_path: Path, lights: list[int], expected: tuple[bool, bool]
) -> None:
    assert judged(tmp_path, lights) == expected


NIGHT, CAR = (60, 60), (70, 240)


@pytest.mark.parametrize("lights", [
    [NIGHT] * 100 + ([CAR] * 40 + [NIGHT] * 40) * 3,
    [CAR] * 100 + ([NIGHT] * 40 + [CAR] * 40) * 3,  # one stands there when it begins
    [NIGHT] * 100 + ([(150, 150)] * 40 + [NIGHT] * 40) * 3,  # all of the street is lit
    [NIGHT] * 60 + [CAR] * 20 + [NIGHT] * 60 + [CAR] * 40,
])  # fmt: skip
def test_lamps_that_pass_at_night_are_no_hand(tmp_path: Path, lights: list[Light]) -> None:
    assert judged(tmp_path, lights) == (False, False)


def test_a_hand_is_seen_at_night_while_cars_pass(tmp_path: Path) -> None:
    lights = [NIGHT] * 100 + [CAR] * 40 + [(8, 8)] * 20 + [CAR] * 40
    assert judged(tmp_path, lights) == (True, True)


def test_where_nothing_can_be_seen_nobody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="too dark to see a hand"):
        judged(tmp_path, [0] * 100)


def judged(folder: Path, lights: Sequence[Light]) -> tuple[bool, bool]:
    path = film(folder / "hand.mkv", lights)
    once = camera(path, source={"kind": "file", "path": str(path), "pace": "fast"})
    return cameras.covered_and_free(once, CLOCK, 60, lambda: None)


def test_what_is_plugged_into_the_board_is_listed(tmp_path: Path) -> None:
    assert cameras.present(tmp_path).state is State.ABSENT
    for name in ("usb-046d_C920-video-index0", "usb-046d_C920-video-index1"):
        (tmp_path / "dev/v4l/by-id").mkdir(parents=True, exist_ok=True)
        (tmp_path / "dev/v4l/by-id" / name).touch()
    for number, name in enumerate(("unicam-image", "unicam-embedded", "bcm2835-isp-output0")):
        (tmp_path / f"sys/class/video4linux/video{number}").mkdir(parents=True)
        (tmp_path / f"sys/class/video4linux/video{number}/name").write_text(name + "\n")
    found = cameras.present(tmp_path)
    assert found.found == "USB: usb-046d_C920-video-index0; ribbon: unicam-embedded, unicam-image"
