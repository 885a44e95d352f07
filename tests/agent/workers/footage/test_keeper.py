"""agent.workers.footage.keeper: the ring in order, its chain told, and trouble as events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.core.ids import Ids
from agent.core.types import EndReason, Event, EventKind, Phase
from agent.errors import FootageError
from agent.evidence.listing.index_file import FILE
from agent.evidence.settings import RecordSettings
from agent.host.supervise import Stop
from agent.workers.footage.keeper import GRACE_S, TELL_S, FootageKeeper, NewestLink
from agent.workers.footage.recorder import Recorder
from agent.workers.footage.sources import SharedFootage
from tests.support.footage import NOON_S, RingBench


@dataclass
class Post:
    """A keeper with a ring that a test fills by hand."""

    bench: RingBench
    events: list[Event] = field(default_factory=list)
    links: list[NewestLink] = field(default_factory=list)
    takes: bool = True

    def __post_init__(self) -> None:
        clock = self.bench.clock
        self.recorder = Recorder(
            "north", RecordSettings(mode="continuous"), SharedFootage("north", clock), self.bench.ring, clock
        )
        self.it = FootageKeeper(
            self.bench.ring,
            {"north": self.recorder},
            clock,
            clock.trust,
            Ids(bytes(32)),
            lambda _camera, events: self.events.extend(events),
            self._told,
        )

    def _told(self, newest: NewestLink) -> bool:
        if self.takes:
            self.links.append(newest)
        return self.takes


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    made = Post(RingBench(tmp_path / "ring", max_days=1.0))
    yield made
    made.bench.ring.close()


def test_the_newest_link_is_told_every_five_minutes_while_there_is_a_new_one(post: Post) -> None:
    post.bench.record(25)
    post.it.turn()
    assert [(link.number, link.oldest_s) for link in post.links] == [(2, NOON_S)]
    post.bench.record(25, run="run-2")
    post.it.turn()
    assert len(post.links) == 1
    post.bench.clock.go_on(TELL_S)
    post.it.turn()
    post.it.turn()
    assert [link.number for link in post.links] == [2, 5]
    assert post.links[-1].sha256 == post.bench.ring.index.head("north")[1]
    assert post.bench.ring.index.told_after("north", 1) == (2, post.links[0].sha256)


def test_a_link_that_could_not_be_kept_is_told_with_the_next_turn(post: Post) -> None:
    post.bench.record(25)
    post.takes = False
    post.it.turn()
    post.takes = True
    post.it.turn()
    assert [link.number for link in post.links] == [2]


def test_when_a_recording_stops_its_link_is_told_at_once(post: Post) -> None:
    post.bench.record(25)
    post.it.turn()
    post.bench.record(5)
    post.bench.ring.cut("north")
    post.it.hasten("north")
    post.it.turn()
    assert len(post.links) == 2


def test_footage_goes_within_ten_minutes_of_its_age(post: Post) -> None:
    post.bench.record(600, step_s=10.0)
    post.bench.ring.cut("north")
    oldest_s = 0.0
    for _ in range(400):
        post.bench.clock.go_on(5 * 60)
        post.it.turn()
        oldest = post.bench.ring.index.oldest("north")
        if oldest is None:
            break
        oldest_s = max(oldest_s, post.bench.clock.wall_s - oldest.to_s)
    assert 86_400 - 600 <= oldest_s <= 86_400 + 600
    assert post.bench.ring.index.oldest("north") is None


def test_a_clock_that_is_known_late_puts_the_index_right(post: Post) -> None:
    post.bench.clock.state, post.bench.clock.wall_s = "floor", NOON_S - 1e6
    post.bench.record(20)
    post.bench.ring.cut("north")
    post.it.turn()
    post.bench.clock.state, post.bench.clock.wall_s = "ntp", NOON_S + 20
    post.it.turn()
    assert len(post.bench.plain("north", NOON_S, NOON_S + 20)) == 10


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_clock_that_went_far_forward_is_said_once_and_what_became_of_it(post: Post, comes_back: bool) -> None:
    def live(hours: int) -> list[tuple[str, object]]:
        with capture_logs() as said:
            for _ in range(hours * 12):
                post.bench.clock.go_on(300.0)
                post.it.turn()
        return [(each["event"], each.get("ahead_h")) for each in said if "clock" in each["event"]]

    post.bench.record(20)
    post.bench.ring.cut("north")
    assert live(1) == []
    assert post.it.figures.clock_ahead_s is None
    post.bench.clock.wall_s += 960 * 3600.0
    assert live(20) == [("clock_jumped", 960.0)]
    assert post.it.figures.clock_ahead_s == 960 * 3600.0
    if comes_back:
        post.bench.clock.wall_s -= 960 * 3600.0
        assert live(1) == [("clock_jump_undone", None)]
    else:
        assert live(5) == [("clock_jump_believed", None)]
    assert post.it.figures.clock_ahead_s is None


def test_trouble_that_lasts_is_an_event_and_its_end_another(post: Post) -> None:
    post.recorder.figures.why, post.recorder.figures.since = "the disk failed", post.bench.clock.now()
    post.it.tick()
    assert post.events == []
    post.bench.clock.go_on(GRACE_S)
    post.it.tick()
    post.it.tick()
    post.recorder.figures.why = "full"
    post.it.tick()
    post.bench.clock.go_on(10)
    post.recorder.figures.why = None
    post.it.tick()

    assert [(event.kind, event.phase, event.detail) for event in post.events] == [
        (EventKind.RECORDING_STOPPED, Phase.START, "the disk failed"),
        (EventKind.RECORDING_STOPPED, Phase.UPDATE, "full"),
        (EventKind.RECORDING_STOPPED, Phase.END, f"goes on after {GRACE_S + 10:.0f} s"),
    ]
    assert len({event.id for event in post.events}) == 1


@pytest.mark.parametrize("calm_s", [0.0, 7200.0])
def test_a_disk_that_hangs_is_told_with_when_it_began(post: Post, calm_s: float) -> None:
    clock, figures = post.bench.clock, post.recorder.figures
    if calm_s:  # it went on two hours ago
        figures.since = clock.now()
        clock.go_on(calm_s)
    figures.writing_since = began = clock.now()
    for _ in range(20):
        clock.go_on(2)
        post.it.tick()
    figures.writing_since = None
    post.it.tick()

    assert [(event.phase, event.started, event.detail) for event in post.events] == [
        (Phase.START, began, "the disk hangs"),
        (Phase.END, began, "goes on after 40 s"),
    ]


def test_a_disk_that_hangs_after_it_failed_is_one_trouble_since_it_failed(post: Post) -> None:
    clock, figures = post.bench.clock, post.recorder.figures
    figures.why, figures.since = "the disk failed", clock.now()
    began = clock.now()
    clock.go_on(20)
    figures.writing_since = clock.now()
    for _ in range(20):
        clock.go_on(2)
        post.it.tick()
    assert [(event.phase, event.started, event.detail) for event in post.events] == [
        (Phase.START, began, "the disk failed"),
        (Phase.UPDATE, began, "the disk hangs"),
    ]


def test_at_the_end_nothing_stays_open_and_the_last_link_is_told(post: Post) -> None:
    post.bench.record(25)
    post.bench.ring.cut("north")
    post.recorder.figures.why, post.recorder.figures.since = "x", post.bench.clock.now()
    post.bench.clock.go_on(GRACE_S)
    post.it.tick()
    post.it.close()
    assert [event.end_reason for event in post.events] == [None, EndReason.STOPPED]
    assert [link.number for link in post.links] == [3]


def test_an_index_that_is_damaged_at_work_is_made_anew_by_the_next_turn(post: Post) -> None:
    post.bench.record(600, step_s=2.0)
    post.bench.ring.cut("north")
    path = post.bench.folder / FILE
    post.bench.ring.close()
    post.bench.open()
    post.bench.ring.recover()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    post.bench.ring.index.file.damaged = True  # as SQLite says once it reads a page that it has not in memory
    Post(post.bench).it.turn()
    assert len(post.bench.ring.index.segments("north", 0, NOON_S * 2)) == 60


def test_a_folder_that_cannot_be_used_is_asked_again(tmp_path: Path) -> None:
    (tmp_path / "ring").write_text("in the way")
    post = Post(RingBench(tmp_path / "ring"))
    with pytest.raises(FootageError, match="File exists"):
        post.it.turn()
    (tmp_path / "ring").unlink()
    post.it.turn()
    assert post.it.figures.used_bytes is not None
    stop = Stop()
    stop.set()
    post.it.run(stop, lambda wait_s=0.0: None)
    post.bench.ring.close()


def test_an_index_that_fails_altogether_ends_nothing_and_is_told(post: Post) -> None:
    post.bench.record(20)
    post.it.turn()
    post.bench.ring.index.close()
    stop = Stop()
    waits: list[float] = []

    def beat(wait_s: float = 0.0) -> None:
        waits.append(wait_s)
        if len(waits) > 2:
            stop.set()

    post.it.run(stop, beat)

    assert post.it.figures.why is not None
    assert "the index of the footage" in post.it.figures.why
