"""agent.host.camera_stats"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest

from agent.cameras.decode.decoded import CameraFacts
from agent.core.types import Frame, Instant, Size
from agent.host.camera_stats import CameraStats
from tests.conftest import SteppedClock

BLACK = np.zeros((32, 48), np.uint8)


@dataclass
class Counts:
    frames_in: int = 0
    frames_dropped: int = 0


def frame(at: Instant) -> Frame:
    return Frame(0, at, BLACK, BLACK[::2, ::2], BLACK[::2, ::2])


def test_rates_are_of_what_came_lately_and_of_what_was_looked_at(clock: SteppedClock) -> None:
    figures, counts = CameraStats(), Counts()
    for _ in range(100):  # every third picture is looked at
        clock.advance(0.2)
        counts.frames_in += 3
        figures.came(counts, frame(clock.now()), clock.now())

    assert figures.fps_in(clock.now()) == pytest.approx(15)
    assert figures.fps_analysed(clock.now()) == pytest.approx(5)
    assert figures.size == Size(48, 32)
    clock.advance(30)
    assert (figures.fps_in(clock.now()), figures.fps_analysed(clock.now())) == (0, 0)
    assert figures.frame_age_s(clock.now()) == 30


def test_packets_that_need_no_decoding_are_a_sign_of_life_and_count_as_pictures(clock: SteppedClock) -> None:
    figures, counts = CameraStats(), Counts()
    for _ in range(3):  # a key picture every eight seconds
        counts.frames_in += 1
        figures.came(counts, frame(clock.now()), clock.now())
        for _ in range(8):
            clock.advance(1)
            counts.frames_in += 25
            figures.dozed(counts, clock.now())
    now = clock.now()
    assert figures.last_sign == now
    assert figures.frame_age_s(now) == 8
    assert figures.fps_in(now) == pytest.approx(25, abs=0.5)
    assert figures.fps_analysed(now) == pytest.approx(0.1)


def test_before_the_first_frame_and_from_the_past_packets_say_nothing(clock: SteppedClock) -> None:
    figures = CameraStats()
    figures.dozed(Counts(5), clock.now())
    assert figures.last_sign is None
    figures.came(Counts(9), frame(clock.now()), clock.now())
    figures.dozed(Counts(7), clock.now())
    assert figures.frames_in == 9


def test_counts_go_on_when_the_camera_is_opened_anew(clock: SteppedClock) -> None:
    figures = CameraStats()
    figures.opened()
    figures.came(Counts(10, 2), frame(clock.now()), clock.now())
    clock.advance(5)
    figures.opened()
    figures.came(Counts(1, 0), frame(clock.now()), clock.now())

    assert (figures.frames_in, figures.frames_dropped) == (11, 2)
    assert figures.fps_in(clock.now()) == pytest.approx(0.2)


def test_returns_older_than_an_hour_are_forgotten(clock: SteppedClock) -> None:
    figures = CameraStats()
    for _ in range(3):
        figures.returned(clock.now())
        clock.advance(1500)

    assert figures.reconnects_1h(clock.now()) == 2


def test_before_the_first_frame_nothing_is_claimed(clock: SteppedClock) -> None:
    figures = CameraStats()

    assert figures.frame_age_s(clock.now()) is None
    assert figures.detect_quantile_ms(0.95) is None
    assert figures.fps_in(clock.now()) == figures.fps_analysed(clock.now()) == 0


def test_what_was_missed_and_how_busy_it_was_are_told_of_lately(clock: SteppedClock) -> None:
    figures, counts = CameraStats(), Counts()
    assert figures.share_missed(clock.now()) == figures.share_at_work(clock.now()) == 0
    for _ in range(50):  # of four pictures three are missed
        clock.advance(0.4)
        counts.frames_dropped += 3
        figures.came(counts, frame(clock.now()), clock.now())
        figures.work_s += 0.3

    assert figures.share_missed(clock.now()) == pytest.approx(0.75)
    assert figures.share_at_work(clock.now()) == pytest.approx(0.75, abs=0.01)
    clock.advance(30)
    assert figures.share_missed(clock.now()) == figures.share_at_work(clock.now()) == 0


def test_quantiles_of_detector_calls() -> None:
    figures = CameraStats()
    figures.detect_ms.extend(range(1, 101))

    assert figures.detect_quantile_ms(0.5) == 51
    assert figures.detect_quantile_ms(0.95) == 96
    assert figures.detect_quantile_ms(1.0) == 100


def test_another_thread_may_read_while_the_camera_writes(clock: SteppedClock) -> None:
    figures, counts = CameraStats(), Counts(1, 0)
    failures: list[Exception] = []
    over = threading.Event()

    def read() -> None:
        try:
            while not over.is_set():
                figures.fps_in(clock.now())
                figures.detect_quantile_ms(0.5)
                figures.reconnects_1h(clock.now())
        except RuntimeError as error:
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    seen = frame(clock.now())
    for number in range(20_000):
        figures.came(counts, seen, clock.now())
        figures.detect_ms.append(number)
        figures.returned(clock.now())
    over.set()
    reader.join(10)

    assert failures == []


def test_who_decodes_is_told_of_the_opening_that_was_last() -> None:
    figures = CameraStats()
    assert (figures.seen.decoder, figures.seen.fallback) == (None, None)
    board = CameraFacts("h264", "FFmpeg h264_v4l2m2m", "yuv420p", 640, 360, 25.0)
    figures.facts = board
    assert (figures.seen.decoder, figures.seen.fallback) == ("FFmpeg h264_v4l2m2m", None)
    figures.facts = replace(board, decoder="FFmpeg h264", fallback="it hangs")
    assert (figures.seen.decoder, figures.seen.fallback) == ("FFmpeg h264", "it hangs")
