"""agent.workers.footage.recorder: what is kept, and why something is not."""

from __future__ import annotations

import gc
import tracemalloc
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.cameras.footage import Piece, Way
from agent.core.types import Event, EventKind, Phase, Severity
from agent.evidence.ring import NotMounted
from agent.evidence.settings import RecordSettings
from agent.host.supervise import Stop
from agent.workers.footage.recorder import Recorder
from tests.support.footage import NOON_S, RingBench


@dataclass
class Source:
    """Pieces as a child would give them, when a test says so."""

    bench: RingBench
    opening: str = "first"
    trouble: str | None = None
    waiting: deque[Piece | Way] = field(default_factory=deque)
    dropped: int = 0
    closed: bool = False
    lost: bool = False
    skipped: int = 0

    def read(self, timeout_s: float) -> Piece | Way | None:
        if self.lost:
            self.lost, self.opening = False, ""
            return None
        self.opening = self.opening or "again"
        return self.waiting.popleft() if self.waiting else None

    def close(self) -> None:
        self.closed = True

    def begin(self, run: int = 1, way: str = "copy") -> None:
        self.waiting += [Way(way), self.piece("init", run)]

    def piece(self, kind: str = "media", run: int = 1, **changed: Any) -> Piece:
        data = f"{kind} {run} {self.bench.clock.mono_s}".encode()
        given = Piece(
            run,
            kind,
            self.bench.clock.now(),
            2.0,
            True,
            "h264",
            64,
            48,
            self.bench.clock.state,
            self.dropped,
            data,
        )  # type: ignore[arg-type]
        return replace(given, **changed)


@dataclass
class Post:
    """A recorder with its ring."""

    bench: RingBench
    settings: RecordSettings
    mask_sha256: str | None = None

    def __post_init__(self) -> None:
        self.bench.ring.recover()
        self.source, self.cuts, self.waits = Source(self.bench), [], []
        self.it = Recorder(
            "north", self.settings, self.source, self.bench.ring, self.bench.clock, self.cuts.append,
            self.mask_sha256,
        )  # fmt: skip

    def turn(self) -> None:
        self.it.turn(lambda wait_s=0.0: self.waits.append(wait_s), 0.0)

    def come(self, seconds: float, run: int = 1) -> None:
        """So much footage comes."""
        for _ in range(round(seconds / 2)):
            self.source.waiting.append(self.source.piece(run=run))
            self.bench.clock.go_on(2.0)
            while self.source.waiting:
                self.turn()
            self.turn()

    def kept(self) -> list[float]:
        """When each kept piece began, in seconds after the start."""
        self.bench.ring.cut("north")
        found = self.bench.ring.index.between("north", 0, NOON_S * 2)
        return [each.start.wall_s - NOON_S for each in found]

    def tell(self, phase: Phase, name: str = "one") -> None:
        at = self.bench.clock.now()
        self.it.saw([Event(name, 1, EventKind.MOTION, phase, Severity.INFO, at, "rule", "motion", at)])


@pytest.fixture
def continuous(tmp_path: Path) -> Iterator[Post]:
    post = Post(RingBench(tmp_path / "ring"), RecordSettings(mode="continuous"))
    yield post
    post.bench.ring.close()


@pytest.fixture
def of_events(tmp_path: Path) -> Iterator[Post]:
    settings = RecordSettings(mode="events", pre_roll_s=6, post_roll_s=10)
    post = Post(RingBench(tmp_path / "ring"), settings)
    yield post
    post.bench.ring.close()


def test_continuous_recording_keeps_everything(continuous: Post) -> None:
    continuous.source.begin()
    continuous.come(20)

    assert continuous.it.state == "recording"
    assert (continuous.it.figures.way, continuous.it.figures.codec) == ("copy", "h264")
    assert continuous.kept() == [2.0 * number for number in range(10)]
    assert continuous.it.figures.gaps == 0
    assert max(continuous.waits) > 600, "a disk that hangs is no hung agent"


def test_who_encodes_is_told_by_what_comes_and_by_nothing_else(continuous: Post) -> None:
    continuous.source.begin(way="encode")
    continuous.turn()
    assert continuous.it.figures.encoder is None, "nothing came yet"
    continuous.source.waiting[0] = continuous.source.piece("init", encoder="software")
    continuous.come(4)
    assert continuous.it.figures.encoder == "software"
    continuous.source.begin(2, way="copy")
    continuous.come(4, run=2)
    assert continuous.it.figures.encoder is None


def test_that_a_smaller_picture_is_recorded_than_was_meant_is_said_once(continuous: Post) -> None:
    why = "the hardware encoder does not start: No space left on device"
    with capture_logs() as logs:
        for _ in range(2):
            continuous.source.waiting += [Way("encode"), Way("encode", fallback=why)]
            continuous.come(2)
    assert [(each["event"], each["camera"], each["why"]) for each in logs] == [
        ("encoder_fallback", "north", why)
    ]
    assert continuous.it.trouble is None, "it is recorded all the same"


def test_around_events_only_what_is_wanted_is_kept(of_events: Post) -> None:
    of_events.source.begin()
    of_events.come(30)
    assert of_events.it.state == "waiting"
    of_events.tell(Phase.START)
    of_events.come(8)
    assert of_events.it.state == "recording"
    of_events.tell(Phase.END)
    of_events.come(40)

    assert of_events.it.state == "waiting"
    kept = of_events.kept()
    assert kept[0] <= 30 - 6 < kept[0] + 2.01
    assert kept[-1] <= 38 + 10 <= kept[-1] + 2.01
    assert kept == [kept[0] + 2.0 * number for number in range(len(kept))]
    assert of_events.cuts == ["north"]
    of_events.tell(Phase.END, "two")
    of_events.come(40)
    of_events.bench.ring.cut("north")
    gaps = of_events.bench.ring.index.gaps("north", NOON_S + kept[0], of_events.bench.clock.wall_s - 30)
    assert [gap.why for gap in gaps] == ["no event"]
    assert of_events.it.figures.gaps == 0


def test_an_event_of_a_camera_that_was_then_lost_has_its_pre_roll(of_events: Post) -> None:
    of_events.source.begin()
    of_events.come(20)
    of_events.tell(Phase.START)
    of_events.source.opening = "second"
    of_events.source.begin(run=1)
    of_events.bench.clock.go_on(4)
    of_events.come(10)

    kept = of_events.kept()
    assert kept[0] <= 14
    assert len(kept) >= 8


def test_a_camera_that_was_lost_is_a_gap_with_that_reason(continuous: Post) -> None:
    continuous.source.begin()
    continuous.come(10)
    continuous.source.lost = True
    continuous.turn()
    continuous.bench.clock.go_on(10)
    continuous.source.begin()
    continuous.come(10)
    continuous.bench.ring.cut("north")

    (gap,) = continuous.bench.ring.index.gaps("north", NOON_S, NOON_S + 30)
    assert (gap.from_s - NOON_S, gap.to_s - NOON_S, gap.why) == (10, 20, "the camera was lost")
    assert continuous.it.figures.gaps == 1
    assert continuous.cuts == ["north"]


def test_what_waited_for_an_event_while_the_clock_was_set_is_put_right_and_stays(of_events: Post) -> None:
    clock = of_events.bench.clock
    clock.state, clock.wall_s = "floor", NOON_S - 20 * 86_400
    of_events.source.begin()
    of_events.come(8)
    clock.state, clock.wall_s = "ntp", NOON_S
    of_events.tell(Phase.START)
    of_events.turn()
    of_events.bench.ring.cut("north")
    of_events.bench.ring.note_clock(clock.now())
    of_events.bench.ring.sweep(clock.now(), clock.trust())

    link = of_events.bench.ring.index.link("north", 1)
    assert link is not None
    assert link.clock == "floor", "nobody vouched for the clock when its time was taken"
    found = of_events.bench.ring.index.between("north", NOON_S - 8, NOON_S)
    assert [each.wall_s - NOON_S for each in found] == [-8.0, -6.0, -4.0, -2.0]


def test_what_comes_while_the_index_is_made_is_a_gap_with_that_reason(continuous: Post) -> None:
    continuous.source.begin()
    continuous.come(10)
    continuous.bench.ring.close()
    continuous.come(60)
    assert continuous.it.state == "stopped"
    assert continuous.it.figures.gaps == 1
    continuous.bench.ring.recover()
    continuous.come(10)

    assert continuous.kept()[5:] == [70.0 + 2 * number for number in range(5)]
    (gap,) = continuous.bench.ring.index.gaps("north", NOON_S, NOON_S + 80)
    assert "the index of the footage is being made" in gap.why
    assert continuous.cuts == ["north"]


def test_between_two_events_that_are_told_at_once_is_a_gap_for_want_of_an_event(of_events: Post) -> None:
    of_events.source.begin()
    of_events.it.settings = RecordSettings(mode="events", pre_roll_s=0, post_roll_s=1)
    of_events.come(2)
    for name in ("one", "two"):
        of_events.tell(Phase.START, name)
        of_events.source.waiting.append(of_events.source.piece())
        of_events.bench.clock.go_on(2.0)
        of_events.tell(Phase.END, name)
        for _ in range(3):
            of_events.source.waiting.append(of_events.source.piece())
            of_events.bench.clock.go_on(2.0)
    while of_events.source.waiting:
        of_events.turn()
    for _ in range(4):
        of_events.turn()
    of_events.bench.ring.cut("north")

    rows = of_events.bench.ring.index.in_order()
    assert [row.before for row in rows] == ["", "no event"]
    assert of_events.it.figures.gaps == 0


def test_pieces_that_the_child_dropped_are_a_gap_with_that_reason(continuous: Post) -> None:
    continuous.source.begin()
    continuous.come(10)
    continuous.source.dropped = 3
    continuous.bench.clock.go_on(6)
    continuous.come(10)
    continuous.bench.ring.cut("north")

    (gap,) = continuous.bench.ring.index.gaps("north", NOON_S, NOON_S + 26)
    assert (gap.from_s - NOON_S, gap.to_s - NOON_S, gap.why) == (10, 16, "the box was too slow")
    assert (continuous.it.figures.gaps, continuous.it.figures.dropped) == (1, 3)


def test_a_ring_that_refuses_is_told_tried_again_and_goes_on(continuous: Post) -> None:
    ring = continuous.bench.ring
    continuous.source.begin()
    continuous.come(10)
    away = ring.folder.with_name("away")
    (ring.folder / "north").rename(away)
    (ring.folder / "north").write_text("in the way of new segments")
    continuous.come(30)
    assert "Not a directory" in (continuous.it.trouble or "")
    assert continuous.it.state == "stopped"
    (ring.folder / "north").unlink()
    away.rename(ring.folder / "north")
    continuous.come(30)

    assert continuous.it.state == "recording"
    ring.cut("north")
    (gap,) = ring.index.gaps("north", NOON_S, NOON_S + 70)
    assert gap.why == "the disk failed"
    assert gap.to_s - gap.from_s >= 30
    assert continuous.it.figures.gaps == 1


def test_a_camera_whose_key_pictures_stay_away_is_told_so_and_goes_on_at_the_next(continuous: Post) -> None:
    continuous.source.begin()
    continuous.come(4)
    for _ in range(400):
        continuous.source.waiting.append(continuous.source.piece(key=False))
        continuous.bench.clock.go_on(2.0)
        continuous.turn()
    assert continuous.it.trouble is not None
    assert "key picture" in continuous.it.trouble
    continuous.come(10)

    assert continuous.it.state == "recording"
    assert continuous.kept()[-5:] == [804.0, 806.0, 808.0, 810.0, 812.0]
    (gap,) = continuous.bench.ring.index.gaps("north", NOON_S, NOON_S + 814)
    assert gap.why == "no key picture came"


def test_children_that_nobody_could_listen_to_are_a_gap_with_that_reason(continuous: Post) -> None:
    continuous.source.begin()
    continuous.come(10)
    continuous.source.lost, continuous.source.skipped = True, 3
    continuous.turn()
    continuous.bench.clock.go_on(10)
    continuous.source.begin()
    continuous.come(10)

    continuous.kept()
    (gap,) = continuous.bench.ring.index.gaps("north", NOON_S, NOON_S + 30)
    assert gap.why == "the camera was lost; the box was too slow"


def test_events_of_a_camera_that_gives_no_footage_take_no_memory(of_events: Post) -> None:
    def happen(times: int) -> int:
        for number in range(times):
            for phase in (Phase.START, Phase.END):
                of_events.tell(phase, str(number))
                of_events.bench.clock.go_on(20)
            of_events.turn()
            of_events.waits.clear()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = happen(300)
        assert happen(1500) - before < 30_000
    finally:
        tracemalloc.stop()


def test_after_a_hang_what_was_wanted_meanwhile_is_kept(of_events: Post) -> None:
    of_events.source.begin()
    of_events.come(10)
    waiting = []
    for number in range(150):  # five minutes, in which the recorder's thread waits for the disk
        waiting.append(of_events.source.piece())
        if number == 10:
            of_events.tell(Phase.START)
        of_events.bench.clock.go_on(2.0)
        if number == 12:
            of_events.tell(Phase.END)
    of_events.source.waiting += waiting
    while of_events.source.waiting:
        of_events.turn()
    assert of_events.kept() == [22.0 + 2 * number for number in range(13)]


def test_masks_that_leave_nothing_are_said(continuous: Post) -> None:
    continuous.source.waiting.append(Way("none"))
    continuous.turn()
    assert continuous.it.trouble == "its masks leave nothing to record"
    continuous.source.waiting.append(Way("none", "libx264: no memory"))
    continuous.turn()
    assert continuous.it.trouble == "libx264: no memory"


@pytest.mark.parametrize(
    ("way", "mask_sha256", "recorded"),
    [
        ("copy", None, "as it came"),
        ("encode", None, "encoded"),
        ("encode", "c" * 64, "encoded from masked pictures"),
    ],
)
def test_how_it_was_recorded_and_under_which_masks_is_kept_with_the_footage(
    tmp_path: Path, way: str, mask_sha256: str | None, recorded: str
) -> None:
    """By the child's word: what the configuration says may have changed when the footage is asked for."""
    post = Post(RingBench(tmp_path / "ring"), RecordSettings(mode="continuous"), mask_sha256)
    post.source.begin(way=way)
    post.come(6)
    post.kept()
    found = post.bench.ring.index.between("north", 0, NOON_S * 2)

    assert [(each.recorded, each.mask_sha256) for each in found] == [(recorded, mask_sha256)] * 3
    post.bench.ring.close()


def test_a_disk_that_hangs_is_seen_from_outside(continuous: Post) -> None:
    continuous.it.figures.writing_since = continuous.bench.clock.now()
    assert continuous.it.trouble is None
    continuous.bench.clock.go_on(31)
    assert continuous.it.trouble == "the disk hangs"


def test_a_disk_that_hangs_while_a_segment_is_finished_is_seen_and_is_no_hung_agent(
    continuous: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    continuous.source.begin()
    continuous.come(6)
    seen: list[tuple[str | None, list[float]]] = []

    def hangs(_fd: int) -> None:
        continuous.bench.clock.go_on(300)
        seen.append((continuous.it.trouble, continuous.waits[-1:]))

    monkeypatch.setattr("agent.evidence.segment.os.fdatasync", hangs)
    continuous.waits.clear()
    continuous.source.lost = True
    continuous.turn()
    assert seen
    assert {trouble for trouble, _ in seen} == {"the disk hangs"}
    assert min(wait_s for _, waits in seen for wait_s in waits or [0.0]) > 600
    assert continuous.it.trouble is None


def test_a_stop_finishes_what_is_open(continuous: Post) -> None:
    continuous.source.begin()
    continuous.come(6)
    stop = Stop()
    stop.set()
    continuous.it.run(stop, lambda wait_s=0.0: None)

    assert continuous.source.closed
    assert continuous.cuts == ["north"]
    assert len(continuous.bench.ring.index.between("north", 0, NOON_S * 2)) == 3


def test_why_the_ring_is_not_ready_is_why_nothing_is_recorded(continuous: Post) -> None:
    ring, place = continuous.bench.ring, continuous.bench.folder
    continuous.source.begin()
    continuous.come(10)
    ring.settings = ring.settings.model_copy(update={"mount": place})  # its partition has gone
    for _ in range(2):
        continuous.come(4)
        assert continuous.it.trouble == f"nothing is mounted at {place}, where footage has its partition"
        with pytest.raises(NotMounted):
            ring.recover()
    ring.settings = ring.settings.model_copy(update={"mount": None})
    ring.recover()
    continuous.come(20)
    assert continuous.it.trouble is None


def resized(post: Post, times: int, each_s: float, first: int = 1) -> None:
    """Each piece is of another size."""
    for number in range(first, first + times):
        post.source.waiting += [
            post.source.piece("init", number, width_px=64 + 2 * number),
            post.source.piece(run=number, duration_s=each_s, width_px=64 + 2 * number),
        ]
        post.bench.clock.go_on(each_s)
        while post.source.waiting:
            post.turn()


@pytest.mark.parametrize("mode", ["continuous", "events"])
def test_pictures_that_change_all_the_time_make_few_segments_and_are_told_once(
    tmp_path: Path, mode: str
) -> None:
    settings = RecordSettings(mode=mode, pre_roll_s=6, post_roll_s=10)  # type: ignore[arg-type]
    post = Post(RingBench(tmp_path / "ring"), settings)
    post.source.waiting.append(Way("copy"))
    post.tell(Phase.START)
    with capture_logs() as said:
        resized(post, 480, 1 / 12)
        assert post.it.stopped is not None
        assert post.it.stopped.why == "its pictures change their size or coding more than 10 times a minute"
        since = post.it.stopped.since
        assert post.bench.ring.index.totals()[0] == 11
        resized(post, 2880, 1 / 12, first=481)
    assert post.it.stopped is not None
    assert post.it.stopped.since == since, "one trouble, however often it is tried again"
    assert post.bench.ring.index.totals()[0] <= 11 * 5
    assert [each["part"] for each in said if each["event"] in ("lost", "back")] == ["recording of north"]
    gaps = post.bench.ring.index.gaps("north", NOON_S, NOON_S + 200)
    assert {gap.why for gap in gaps if gap.to_s - gap.from_s < 100} == {"its pictures changed too often"}
    post.bench.ring.close()


def test_a_camera_whose_pictures_are_steady_again_is_recorded_again(continuous: Post) -> None:
    continuous.source.waiting.append(Way("copy"))
    resized(continuous, 20, 1.0)
    assert continuous.it.state == "stopped"
    continuous.source.begin(run=21)
    continuous.come(200, run=21)
    assert continuous.it.state == "recording"
    kept = continuous.kept()
    assert [at for at in kept if at >= 74] == [at * 1.0 for at in range(74, 220, 2)]


def test_nothing_is_lost_of_a_camera_that_is_set_to_another_size_now_and_then(continuous: Post) -> None:
    continuous.source.waiting.append(Way("copy"))
    resized(continuous, 3, 1.0)
    for run in range(4, 54):
        continuous.source.begin(run=run)
        continuous.come(8, run=run)
    assert continuous.kept() == [0.0, 1.0, 2.0, *map(float, range(3, 403, 2))]


def test_a_camera_that_is_lost_and_comes_back_does_not_change_its_pictures(continuous: Post) -> None:
    for number in range(30):
        continuous.source.opening = f"opening {number}"
        continuous.source.begin()
        continuous.come(2)
    assert continuous.kept() == [float(at) for at in range(0, 60, 2)]
