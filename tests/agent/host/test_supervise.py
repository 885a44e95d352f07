"""agent.host.supervise"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.clock import SystemClock
from agent.errors import CameraLost
from agent.host.supervise import CALM_S, Backoff, Beat, Heartbeats, OutageLog, Stop, Worker, notify, wait
from tests.conftest import SteppedClock
from tests.support.brokers import until


def test_lost_and_back_are_told_once_however_often_it_fails() -> None:
    voice = OutageLog("camera north")

    with capture_logs() as lines:
        for _ in range(3):
            voice.lost(CameraLost("north: no picture for 10 s", "check its power"))
        voice.back()
        voice.back()

    assert [line["event"] for line in lines] == ["lost", "back"]
    assert lines[0]["why"] == "north: no picture for 10 s"
    assert lines[0]["hint"] == "check its power"


def test_a_worker_that_fails_is_started_again() -> None:
    lives: list[int] = []
    stop = Stop()

    def work(_stop: Stop, beat: Callable[[], None]) -> None:
        lives.append(1)
        beat()
        if len(lives) < 3:
            raise RuntimeError("a bug")

    clock = SystemClock()
    worker = Worker("work", work, Heartbeats(clock), clock)
    with capture_logs() as lines:
        worker.start(stop)
        until(lambda: len(lives) == 3, 20)
        assert worker.join(5)

    assert [line["event"] for line in lines].count("lost") == 1


def test_a_worker_that_has_gone_well_for_a_while_is_back_and_that_is_told_once(clock: SteppedClock) -> None:
    lives: list[int] = []

    def work(_stop: Stop, beat: Beat) -> None:
        lives.append(1)
        if len(lives) == 1:
            raise RuntimeError("a bug")
        for _ in range(10):
            clock.advance(CALM_S / 4)
            beat()

    worker = Worker("work", work, Heartbeats(clock), clock, Backoff(least_s=0.0, most_s=0.0))
    with capture_logs() as lines:
        worker.start(Stop())
        assert worker.join(10)

    assert [line["event"] for line in lines] == ["worker_failed", "lost", "back"]


def test_a_loop_may_say_that_it_waits_for_something_slow(clock: SteppedClock) -> None:
    beats = Heartbeats(clock)
    beats.beat("camera north", 120)
    clock.advance(140)
    early = beats.late(30)
    clock.advance(20)

    assert early == []
    assert beats.late(30) == ["camera north"]
    beats.beat("camera north")
    clock.advance(31)
    assert beats.late(30) == ["camera north"]


def test_a_wait_beats_and_ends_at_once_when_told(clock: SteppedClock) -> None:
    stop, beats = Stop(), []

    def beat(_wait_s: float = 0.0) -> None:
        beats.append(1)
        clock.advance(0.1)

    wait(stop, 0.25, clock, beat)
    assert len(beats) == 3
    stop.set()
    wait(stop, 1e9, clock, beat)
    assert len(beats) == 3


def test_a_worker_ends_when_told_even_while_it_waits_to_start_again() -> None:
    failed = threading.Event()
    stop = Stop()

    def work(_stop: Stop, _beat: Callable[[], None]) -> None:
        failed.set()
        raise RuntimeError("a bug")

    clock = SystemClock()
    worker = Worker("work", work, Heartbeats(clock), clock)
    worker.start(stop)
    assert failed.wait(5)
    stop.set()

    assert worker.join(5)


def test_a_loop_that_does_not_tick_is_late_until_it_ticks(clock: SteppedClock) -> None:
    beats = Heartbeats(clock)
    beats.beat("camera north")
    beats.beat("forwarder")
    clock.advance(20)
    beats.beat("forwarder")
    clock.advance(20)

    assert beats.late(30) == ["camera north"]
    beats.beat("camera north")
    assert beats.late(30) == []


def test_a_step_of_the_wall_clock_makes_no_loop_late(clock: SteppedClock) -> None:
    beats = Heartbeats(clock)
    beats.beat("forwarder")
    clock.step_wall(20 * 365 * 86400)

    assert beats.late(30) == []


def test_a_loop_that_ended_on_purpose_is_not_waited_for(clock: SteppedClock) -> None:
    beats = Heartbeats(clock)
    beats.beat("camera north")
    beats.forget("camera north")
    clock.advance(100)

    assert beats.late(30) == []


def test_waits_grow_stay_in_bounds_and_are_spread() -> None:
    boxes = [Backoff(least_s=1.0, most_s=30.0) for _ in range(200)]
    first = [box.failed() for box in boxes]
    for box in boxes:
        for _ in range(40):
            last = box.failed()
            assert 0 <= last <= 30
    late = [box.failed() for box in boxes]

    assert max(first) <= 2.0
    assert sum(late) / len(late) > 10  # the middle of 0..30 is 15
    assert len({round(wait) for wait in late}) > 10


def test_after_calm_the_waits_are_short_again() -> None:
    backoff = Backoff(least_s=1.0, most_s=60.0)
    for _ in range(20):
        backoff.failed()
    backoff.calm()

    assert backoff.failed() <= 2.0


def test_systemd_hears_the_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))

        assert notify("WATCHDOG=1")
        assert systemd.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    assert not notify("READY=1")


def test_the_end_wakes_whoever_waits_for_something_else() -> None:
    stop, woken = Stop(), []
    stop.wakes(lambda: woken.append("before"))
    assert woken == []
    stop.set()
    stop.wakes(lambda: woken.append("after"))

    assert woken == ["before", "after"]
