"""agent.workers.load"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.core.ids import Ids
from agent.core.throttle import ThrottleSettings
from agent.core.types import Event
from agent.host.camera_stats import CameraStats
from agent.host.machine import Machine
from agent.publishing.compose import event_messages
from agent.workers.load import LoadMonitor
from tests.agent.host.test_machine import board
from tests.agent.workers.watching.test_camera import SENDER, Counted, Post
from tests.conftest import SteppedClock
from tests.support.squares import SQUARE_PX, frame_of

QUICK = ThrottleSettings(hot_after_s=4, busy_after_s=4, step_s=10, recover_s=15)
TICK_S, FRAME_S = 2.0, 0.1


class Pi:
    """A board with a temperature that is set, one camera, and everything real but the time."""

    def __init__(self, folder: Path, clock: SteppedClock) -> None:
        self.clock = clock
        self.sys = board(folder / "sys", throttled="0", zones=(("cpu-thermal", "60000"),))
        self.post = Post(folder, clock)
        self.load = LoadMonitor(Machine(clock, self.sys), QUICK, clock, Ids(b"another seed of 16"), self.tell)
        self.post.throttled_fps = self.load.fps
        self.post.watcher()
        self.camera = Counted()
        self.shares: list[float] = []
        self.looks: list[float] = []
        self.began_s = clock.now().mono_s

    def tell(self, events: Sequence[Event]) -> None:
        self.post.outbox.put([message for each in events for message in event_messages(each, SENDER)])

    def temperature(self, temp_c: float) -> None:
        (self.sys / "class/thermal/thermal_zone0/temp").write_text(f"{temp_c * 1000:.0f}\n")

    def frame(self, number: int, second: float, rest_s: float) -> float:
        """A camera's picture, unless the watcher rests; a car crosses once in thirty seconds."""
        if self.looks and second < self.looks[-1] + rest_s:
            return rest_s
        gone_s = second % 30 - 10
        lefts = (gone_s * 130 - SQUARE_PX,) if 0 <= gone_s < 5 else ()
        self.looks.append(second)
        return self.post.it.take(self.camera, frame_of(lefts, number, self.clock.now()))

    def rate(self, begin_s: float, end_s: float) -> float:
        return sum(begin_s <= look < end_s for look in self.looks) / (end_s - begin_s)


@pytest.fixture
def pi(tmp_path: Path, clock: SteppedClock) -> Iterator[Pi]:
    made = Pi(tmp_path, clock)
    yield made
    made.post.outbox.close()
    made.post.detector.close()


@pytest.mark.long
def test_a_box_that_gets_hot_looks_at_fewer_pictures_and_says_so_once_each_way(pi: Pi) -> None:
    rest_s = 0.0
    with capture_logs() as lines:
        for number in range(1300):  # two minutes: 60 °C, up to 95 °C, down to 60 °C
            second = number * FRAME_S
            pi.temperature(60 + 35 * max(0.0, min(1.0, (second - 20) / 10, (90 - second) / 10)))
            rest_s = pi.frame(number, second, rest_s)
            if number % round(TICK_S / FRAME_S) == 0:
                pi.shares.append(pi.load.tick([pi.post.it.figures]).share)
            pi.clock.advance(FRAME_S)

    steps = [b for a, b in zip([1.0, *pi.shares], pi.shares, strict=False) if a != b]
    assert steps == [0.5, 0.25, 0.5, 1.0]
    assert pi.rate(71, 74) <= 2.7 < 3.3 <= pi.rate(11, 14)  # a car in view, hot and cool
    heat = pi.post.events("overheated")
    assert [each["phase"] for each in heat] == ["start", "update", "update", "end"]
    assert len({each["id"] for each in heat}) == 1
    begins = [each for each in pi.post.events("object") if each["phase"] == "start"]
    assert len(begins) == 4  # every car, also those that came while it was hot
    said = [line["event"] for line in lines if line["event"] in ("slowed_down", "full_rate")]
    assert said == ["slowed_down", "full_rate"]


def test_a_box_that_is_too_busy_says_that_it_is(pi: Pi) -> None:
    figures, camera = CameraStats(), Counted(frames_in=0)
    with capture_logs() as lines:
        for number in range(100):
            camera.frames_dropped += 2
            figures.work_s += 0.2
            figures.came(camera, frame_of((), number, pi.clock.now()), pi.clock.now())
            pi.clock.advance(0.2)
            if number % 10 == 0:
                pi.load.tick([figures])

    assert (pi.load.now.busy, pi.load.now.hot) == (True, False)
    assert pi.load.fps(10) < 10
    assert pi.post.events("overheated") == []  # overload is told in health, and is no heat
    assert [(line["event"], line["busy"]) for line in lines] == [("slowed_down", True)]


def test_under_voltage_is_no_heat(pi: Pi) -> None:
    board(pi.sys.parent / "weak", throttled="3")
    weak = LoadMonitor(
        Machine(pi.clock, pi.sys.parent / "weak"), QUICK, pi.clock, Ids(b"a seed of sixteen"), pi.tell
    )
    board(pi.sys.parent / "capped", throttled="2")
    capped = LoadMonitor(
        Machine(pi.clock, pi.sys.parent / "capped"), QUICK, pi.clock, Ids(b"and another of 16"), pi.tell
    )
    for _ in range(5):
        weak.tick([])
        capped.tick([])
        pi.clock.advance(TICK_S)

    assert not weak.now.hot
    assert capped.now.hot


def test_a_stop_leaves_no_event_open(pi: Pi) -> None:
    pi.temperature(90)
    for _ in range(4):
        pi.load.tick([])
        pi.clock.advance(TICK_S)
    pi.load.close()
    pi.load.close()

    assert [each["phase"] for each in pi.post.events("overheated")] == ["start", "end"]
    assert pi.post.outbox.open_events() == []
