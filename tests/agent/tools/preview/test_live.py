"""agent.tools.preview.live"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.clock import SystemClock
from agent.config.schema import Config, load
from agent.core.pipeline import PipelineSettings
from agent.core.types import Detection, Image
from agent.detectors import Detector, load_detector
from agent.detectors.absent import Absent
from agent.errors import CameraLost, CameraRefused
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.tools.preview.live import Live, View, jpeg, picture_of, seeing_with, with_advice
from tests.support.brokers import until
from tests.support.squares import frame_of


@contextmanager
def watching(config: Config, detector: Detector | None = None) -> Iterator[Live]:
    camera = config.cameras[0]
    live = Live(camera, camera.pipeline(config.device), detector or Absent(), SystemClock())
    thread = threading.Thread(target=live.run)
    thread.start()
    try:
        yield live
    finally:
        live.stop()
        thread.join(10)
        assert not thread.is_alive()


def next_view(live: Live, after: int = 0) -> View:
    view = live.newest(after, 20)
    assert view is not None
    return view


@pytest.mark.long
def test_the_newest_picture_comes_with_what_is_seen_in_it(config_file: Path) -> None:
    config = load(config_file)
    with watching(config, load_detector(config.detector)) as live:
        views = [next_view(live)]
        while not (views[-1].seen or {}).get("tracks") and len(views) < 200:
            views.append(next_view(live, views[-1].number))

    last = views[-1]
    assert last.jpeg is not None and last.seen is not None and last.trouble is None
    image = cv2.imdecode(np.frombuffer(last.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and image.shape == (256, 512, 3)
    assert last.seen["tracks"][0]["label"] == "car"
    numbers = [view.number for view in views]
    assert numbers == sorted(set(numbers))


def test_no_picture_is_made_while_nobody_looks(config_file: Path) -> None:
    camera = load(config_file).cameras[0]
    live = Live(camera, PipelineSettings(), Absent(), SystemClock())
    thread = threading.Thread(target=live.run)
    thread.start()

    assert live.newest(0, 0.0) is None
    view = next_view(live)  # who asks gets the next one
    live.stop()
    thread.join(10)
    assert view.jpeg is not None


def test_a_clip_goes_on_for_as_long_as_somebody_looks(
    config_file: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(5)
    text = config_file.read_text(encoding="utf-8")
    config_file.write_text(
        "\n".join(f"    source: {{kind: file, path: {clip}, pace: fast}}" if "source:" in line else line
                  for line in text.splitlines()),
        encoding="utf-8",
    )  # fmt: skip
    with watching(load(config_file)) as live:
        number = 0
        for _ in range(12):
            view = next_view(live, number)
            assert view.trouble is None
            number = view.number


def test_a_camera_that_gives_nothing_is_told_in_words(config_file: Path) -> None:
    config = load(config_file)
    gone = config.cameras[0].source.model_copy(update={"path": Path("/nowhere.mp4")})
    camera = config.cameras[0].model_copy(update={"source": gone})
    with watching(config.model_copy(update={"cameras": (camera,)})) as live:
        view = next_view(live)

    assert isinstance(view.trouble, CameraRefused)
    assert (view.seen, view.jpeg) == (None, None)


def test_another_camera_is_shown_from_then_on_also_in_the_place_of_one_that_is_lost(config_file: Path) -> None:
    config = load(config_file)
    camera = config.cameras[0]
    gone = camera.model_copy(update={"source": camera.source.model_copy(update={"path": Path("/nowhere.mp4")})})
    with watching(config.model_copy(update={"cameras": (gone,)})) as live:
        assert isinstance(next_view(live).trouble, CameraRefused)
        assert live.watch(camera)
        view = next_view(live, 2)  # at once, and not after the wait of a camera that refuses
        assert not live.watch(camera.model_copy(update={"rules": ()})), "it gives the same pictures"

    assert view.jpeg is not None


class Broken(Absent):
    """A network with a fault that nobody foresaw."""

    labels = ("car",)

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        raise KeyError("rtsp://user:secret@192.0.2.1/")


def test_a_fault_that_nobody_foresaw_is_told_in_one_line_without_a_login(config_file: Path) -> None:
    with watching(load(config_file), Broken()) as live:
        number, view = 0, View()
        while view.trouble is None:
            view = next_view(live, number)
            number = view.number

    assert "KeyError" in view.trouble.what and "secret" not in view.trouble.what
    assert "report it" in view.trouble.hint


@pytest.mark.long
def test_rules_that_are_drawn_count_from_the_next_frame_on(config_file: Path) -> None:
    config = load(config_file)
    camera = config.cameras[0]
    renamed = camera.rules[0].model_copy(update={"id": "drawn-now", "min_s": 0.0})
    rules = camera.pipeline(config.device).rules.model_copy(update={"rules": (renamed,)})
    seen: list[str] = []
    with watching(config) as live:
        live.judge_by(rules)
        number = 0

        def is_told() -> bool:
            nonlocal number
            view = next_view(live, number)
            number = view.number
            seen.extend(each["rule"] for each in (view.seen or {})["events"])
            return "drawn-now" in seen

        until(is_told, 30)

    assert set(seen) == {"drawn-now"}


def test_without_a_network_motion_is_all_that_is_looked_for() -> None:
    assert seeing_with(Absent(), PipelineSettings()).attention.enabled is False


def test_a_wide_frame_is_made_smaller_and_a_small_one_stays() -> None:
    small = frame_of((100.0,), 0, SystemClock().now())
    wide = replace(
        small, luma=np.tile(small.luma, (6, 6)), u=np.tile(small.u, (6, 6)), v=np.tile(small.v, (6, 6))
    )

    assert picture_of(small).shape == (256, 512, 3)
    assert picture_of(wide).shape == (640, 1280, 3)
    assert jpeg(picture_of(small))[:2] == b"\xff\xd8"


@pytest.mark.parametrize(
    ("source", "alone", "beside"),
    [
        (
            "{kind: usb, device: /dev/v4l/by-id/cam}",
            "one program at a time",
            "the agent is running on this box",
        ),
        ("{kind: csi}", "one program at a time", "the agent is running on this box"),
        ("{kind: rtsp, url: 'rtsp://192.0.2.1/x'}", None, "some cameras serve few at a time"),
        ("{kind: file, path: x.mp4}", None, None),
    ],
)
def test_who_has_the_camera_and_what_to_do_is_told(
    config_file: Path, source: str, alone: str | None, beside: str | None
) -> None:
    text = config_file.read_text(encoding="utf-8")
    config_file.write_text(
        "\n".join(f"    source: {source}" if "source:" in line else line for line in text.splitlines()),
        encoding="utf-8",
    )
    config, error = load(config_file), CameraLost("road: /dev/video0 cannot be read", "check the plug")
    config.state_dir.mkdir()
    before = with_advice(error, config, config.cameras[0])
    outbox = Outbox(config.outbox_path, OutboxSettings(), SystemClock())
    after = with_advice(error, config, config.cameras[0])
    outbox.close()

    for answered, words in ((before, alone), (after, beside)):
        assert answered.what == error.what
        assert answered.hint.startswith("check the plug")
        assert ("sudo systemctl stop ngatu" in answered.hint) is (words is not None)
        assert words is None or words in answered.hint
