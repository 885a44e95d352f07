"""agent.detectors.shared"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from agent.clock import SystemClock
from agent.core.types import Detection, Image
from agent.detectors import load_detector
from agent.detectors.settings import DetectorSettings
from agent.detectors.shared import SharedDetector
from agent.errors import ModelError
from tests.support.brokers import until
from tests.support.squares import SQUARE_PX, picture, write_model


class HeldBack:
    """The real detector, whose calls wait at a gate: the network is the hardware here."""

    def __init__(self, folder: Path) -> None:
        self._real = load_detector(DetectorSettings(model=str(write_model(folder))))
        self.name, self.sha256 = self._real.name, self._real.sha256
        self.input_size, self.labels = self._real.input_size, self._real.labels
        self.gate = threading.Event()
        self.batches: list[int] = []
        self.broken: Exception | None = None

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        self.batches.append(len(images))
        assert self.gate.wait(10)
        if self.broken is not None:
            raise self.broken
        return self._real.detect(images)

    def close(self) -> None:
        self._real.close()


class Noted:
    """The real detector; notes whose pictures were in each call, by where their square is."""

    def __init__(self, folder: Path) -> None:
        self._real = load_detector(DetectorSettings(model=str(write_model(folder)), threads=1))
        self.name, self.sha256 = self._real.name, self._real.sha256
        self.input_size, self.labels = self._real.input_size, self._real.labels
        self.calls: list[list[int]] = []

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        self.calls.append([int((image[:, :, 0].mean(axis=0) > 105).argmax()) for image in images])
        return self._real.detect(images)

    def close(self) -> None:
        self._real.close()


def square_at(left_px: int) -> Image:
    return np.ascontiguousarray(picture((left_px,), width=256, top_px=100)[:, :, ::-1])


def test_those_who_wait_together_share_one_call_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    inner = HeldBack(tmp_path)
    shared = SharedDetector(inner, SystemClock())
    answers: dict[int, list[tuple[Detection, ...]]] = {}

    def ask(left_px: int) -> None:
        answers[left_px] = shared.detect([square_at(left_px)])

    first = threading.Thread(target=ask, args=(8,))
    first.start()
    until(lambda: inner.batches == [1], 5)
    others = [threading.Thread(target=ask, args=(left,)) for left in (40, 100, 160)]
    for thread in others:
        thread.start()
    until(lambda: shared.waiting == 3, 5)
    inner.gate.set()
    for thread in (first, *others):
        thread.join(10)

    assert inner.batches == [1, 3]
    for left, (found,) in answers.items():
        middle = (left + SQUARE_PX / 2) / 256
        assert found[0].label == "car"
        assert found[0].box.center[0] == pytest.approx(middle, abs=0.05)


def test_whatever_breaks_nobody_who_waits_is_left_hanging(tmp_path: Path) -> None:
    inner = HeldBack(tmp_path)
    inner.broken = ZeroDivisionError("a bug")
    shared = SharedDetector(inner, SystemClock())
    errors: list[ModelError] = []

    def ask() -> None:
        with pytest.raises(ModelError) as caught:
            shared.detect([square_at(50)])
        errors.append(caught.value)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    until(lambda: inner.batches == [1], 5)
    for thread in threads[1:]:
        thread.start()
    until(lambda: shared.waiting == 3, 5)
    inner.gate.set()
    for thread in threads:
        thread.join(10)

    assert len(errors) == 4
    assert all("ZeroDivisionError" in error.what for error in errors)
    assert len({id(error) for error in errors}) == 4  # no two threads write into one traceback
    inner.broken = None
    assert shared.detect([square_at(50)])[0]


def test_a_failure_reaches_everyone_who_waited_and_the_next_call_works(tmp_path: Path) -> None:
    inner = load_detector(DetectorSettings(model=str(write_model(tmp_path))))
    shared = SharedDetector(inner, SystemClock())

    shared.close()
    with pytest.raises(ModelError):
        shared.detect([square_at(50)])
    reopened = SharedDetector(
        load_detector(DetectorSettings(model=str(tmp_path / "squares.onnx"))), SystemClock()
    )

    assert reopened.detect([square_at(50)])[0]
    assert len(reopened.calls_ms) == 1


def test_a_camera_alone_has_all_its_crops_in_one_call(tmp_path: Path) -> None:
    inner = HeldBack(tmp_path)
    inner.gate.set()
    shared = SharedDetector(inner, SystemClock())

    assert len(shared.detect([square_at(20), square_at(60), square_at(100)])) == 3
    assert shared.detect([]) == []
    assert inner.batches == [3]


def test_the_first_look_of_a_camera_is_in_the_next_call_whatever_the_others_have_asked_for(
    tmp_path: Path,
) -> None:
    inner = HeldBack(tmp_path)
    shared = SharedDetector(inner, SystemClock())
    greedy = [
        threading.Thread(target=shared.detect, args=([square_at(20 + n)] * 8,), daemon=True) for n in range(3)
    ]
    greedy[0].start()
    until(lambda: inner.batches == [8], 5)  # it was alone, and is at it
    for thread in greedy[1:]:
        thread.start()
    until(lambda: shared.waiting == 2, 5)
    first = threading.Thread(target=shared.detect, args=([square_at(100)],))
    first.start()
    until(lambda: shared.waiting == 3, 5)
    inner.gate.set()
    for thread in (first, *greedy):
        thread.join(10)

    assert inner.batches[1] == 3  # one picture of each who waited, also of the one who came last
    assert sum(inner.batches) == 3 * 8 + 1
    assert max(inner.batches[1:]) <= 3


def test_under_overload_each_camera_has_as_many_pictures_looked_at(tmp_path: Path) -> None:
    """Two cameras with twelve crops a frame and two with three, all of them always asking."""
    inner = Noted(tmp_path)
    shared = SharedDetector(inner, SystemClock())
    crops = {20: 12, 60: 12, 100: 3, 140: 3}
    together, over = threading.Barrier(len(crops)), threading.Event()
    answered = dict.fromkeys(crops, 0)

    def watch(left_px: int) -> None:
        images = [square_at(left_px)] * crops[left_px]
        together.wait(10)
        while not over.is_set():
            answers = shared.detect(images)
            assert len(answers) == len(images)
            assert all(found and found[0].label == "car" for found in answers)
            answered[left_px] += 1
            if sum(map(len, inner.calls)) >= 240:
                over.set()

    threads = [threading.Thread(target=watch, args=(left,)) for left in crops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    pictures = {left: sum(call.count(left) for call in inner.calls) for left in crops}
    assert min(pictures.values()) >= 0.5 * max(pictures.values()), (
        pictures
    )  # a quarter, first come first served
    assert min(answered[100], answered[140]) >= 2 * max(answered[20], answered[60])
    assert max(map(len, inner.calls[1:])) <= len(crops)
