"""agent.tools.preview.trial"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.clock import SystemClock
from agent.config.schema import Config, load
from agent.core.rules.schedule import TimeWindow
from agent.core.types import Detection, Image
from agent.detectors import Detector, load_detector
from agent.detectors.absent import Absent
from agent.errors import ModelError
from agent.tools.preview import trial
from agent.tools.preview.footage import TrialFootage, recorded
from agent.tools.preview.trial import WIDEST_PX, Trial, TrialCourse, at_any_hour, shrunk


@pytest.fixture
def config(config_file: Path) -> Config:
    return load(config_file)


def of(config: Config, footage: TrialFootage, detector: Detector) -> Trial:
    camera = config.cameras[0]
    return Trial(footage, camera, camera.pipeline(config.device), detector, SystemClock())


def test_the_events_of_a_clip_are_told_once_with_a_picture_each(config: Config, road: Path) -> None:
    tried = of(config, recorded(road / "road.mp4"), load_detector(config.detector))
    tried.run()

    assert tried.course is TrialCourse.DONE
    assert tried.seconds == pytest.approx(7.9, abs=0.3)
    answered = [(each.values["rule"], each.values["direction"]) for each in tried.events]
    assert sorted(answered, key=str) == [
        ("movement", None), ("on-the-road", None), ("road-users", None), ("the-line", "out"),
    ]  # fmt: skip
    line = next(each for each in tried.events if each.values["rule"] == "the-line")
    assert line.after_s == pytest.approx(5.5, abs=0.7)  # the square's middle is over the line at 5.2 s
    picture = cv2.imdecode(np.frombuffer(line.picture, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None and picture.shape == (256, 512, 3)


def test_two_trials_tell_the_same(config: Config, road: Path) -> None:
    detector = load_detector(config.detector)
    first, second = (of(config, recorded(road / "road.mp4"), detector) for _ in range(2))
    first.run()
    second.run()

    assert [(each.after_s, each.values["rule"], each.picture) for each in first.events] == [
        (each.after_s, each.values["rule"], each.picture) for each in second.events
    ]


def test_a_rule_for_the_night_is_tried_by_day(config: Config) -> None:
    camera = config.cameras[0]
    nightly = tuple(
        rule.model_copy(update={"schedule": (TimeWindow(start="22:00", end="05:00"),)}) for rule in camera.rules
    )
    rules = camera.pipeline(config.device).rules.model_copy(update={"rules": nightly})

    assert at_any_hour(rules) == camera.pipeline(config.device).rules


def test_a_trial_can_be_stopped_and_says_so(config: Config, road: Path) -> None:
    seen = threading.Event()

    class Slow:
        """The squares' network, held up after its first look."""

        def __init__(self, inner: Detector) -> None:
            self.inner, self.go = inner, threading.Event()
            self.name, self.sha256, self.labels = inner.name, inner.sha256, inner.labels
            self.input_size = inner.input_size

        def detect(self, images):  # type: ignore[no-untyped-def]
            seen.set()
            assert self.go.wait(20)
            return self.inner.detect(images)

        def close(self) -> None:
            self.inner.close()

    detector = Slow(load_detector(config.detector))
    tried = of(config, recorded(road / "road.mp4"), detector)
    thread = threading.Thread(target=tried.run)
    thread.start()
    assert seen.wait(20)
    assert tried.course is TrialCourse.RUNNING
    tried.stop()
    detector.go.set()
    thread.join(20)

    assert tried.course is TrialCourse.STOPPED


def test_what_keeps_a_trial_from_going_on_is_told(config: Config, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no video", encoding="utf-8")
    tried = of(config, recorded(text), load_detector(config.detector))
    tried.run()

    assert tried.course is TrialCourse.FAILED
    assert tried.error is not None and "not a readable video" in tried.error.what
    assert not isinstance(tried.error, ModelError)


def test_a_fault_that_nobody_foresaw_ends_a_trial_in_words(config: Config, road: Path) -> None:
    class Broken(Absent):
        labels = ("car",)

        def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
            raise KeyError("x")

    tried = of(config, recorded(road / "road.mp4"), Broken())
    tried.run()

    assert tried.course is TrialCourse.FAILED
    assert tried.error is not None and tried.error.what == "KeyError: 'x'"


def test_no_more_pictures_are_kept_than_fit_and_the_rest_is_counted(
    config: Config, road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "MOST", 1)
    tried = of(config, recorded(road / "road.mp4"), load_detector(config.detector))
    tried.run()

    assert (len(tried.events), tried.more) == (1, 3)


def test_a_large_picture_is_made_smaller() -> None:
    assert shrunk(np.zeros((1080, 1920, 3), np.uint8)).shape == (450, WIDEST_PX, 3)
    assert shrunk(np.zeros((200, 300, 3), np.uint8)).shape == (200, 300, 3)
