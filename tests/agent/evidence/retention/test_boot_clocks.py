"""agent.evidence.retention.boot_clocks: a real ring over files, under a clock that goes wrong."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.evidence.listing.index_file import FILE
from agent.evidence.retention import boot_clocks
from agent.evidence.retention.believed import STANDS_MS
from tests.support.footage import NOON_S, RingBench, disk_bytes

HOUR_S = 3600.0
DAY_S = 86_400.0
YEAR_S = 365 * DAY_S
STANDS_S = STANDS_MS / 1000
JUMPS = (40 * DAY_S, 50 * YEAR_S)


@dataclass
class PoleBox:
    """A ring that keeps footage for three days, swept every ten minutes while the box is on."""

    bench: RingBench
    boots: int = 1

    def record(self, seconds: float = 20.0) -> None:
        self.bench.record(seconds, run=f"run-{self.boots}-{self.bench.clock.mono_s}")
        self.bench.ring.cut("north")

    def work(self, seconds: float) -> None:
        end_s = self.bench.clock.mono_s + seconds
        while True:
            self.sweep()
            if self.bench.clock.mono_s >= end_s:
                return
            self.bench.clock.go_on(min(600.0, end_s - self.bench.clock.mono_s))

    def sweep(self) -> None:
        self.bench.ring.sweep(self.bench.clock.now(), self.bench.clock.trust())

    def jump(self, seconds: float) -> None:
        self.bench.clock.wall_s += seconds

    def off(self, seconds: float) -> None:
        """A power cut: another boot, whose steady clock begins anew."""
        self.boots += 1
        self.bench.clock.wall_s += seconds
        self.bench.clock.mono_s = 10.0
        self.bench.reopen(boot=f"boot-{self.boots}")

    @property
    def numbers(self) -> set[int]:
        """Of the segments that are there; each has its file."""
        listed = self.bench.ring.index.numbers("north")
        assert {int(path.stem) for path in self.bench.folder.rglob("*.seg")} == listed
        return listed


@pytest.fixture
def boxes(tmp_path: Path) -> Iterator[Callable[..., PoleBox]]:
    made: list[PoleBox] = []

    def make(role: str = "community") -> PoleBox:
        made.append(PoleBox(RingBench(tmp_path / "ring", role=role, max_days=3.0)))
        return made[-1]

    yield make
    for each in made:
        each.bench.ring.close()


@pytest.fixture
def box(boxes: Callable[..., PoleBox]) -> PoleBox:
    """With two segments of the boot before, and two of this one."""
    made = boxes()
    made.record()
    made.work(HOUR_S)
    made.off(HOUR_S)
    made.record()
    made.work(HOUR_S)
    return made


@pytest.mark.parametrize("ahead_s", JUMPS)
def test_a_clock_that_jumps_and_comes_back_deletes_nothing_before_its_time(
    box: PoleBox, ahead_s: float
) -> None:
    box.jump(ahead_s)
    box.record()
    box.work(STANDS_S - 2 * HOUR_S)
    assert box.numbers == {1, 2, 3, 4, 5, 6}
    box.jump(-ahead_s)
    box.work(3 * DAY_S - STANDS_S - 2 * HOUR_S)
    assert box.numbers == {1, 2, 3, 4, 5, 6}

    box.work(HOUR_S + 600)
    assert box.numbers == {3, 4, 5, 6}, "as old as three days, and an hour off among them"
    box.work(3 * HOUR_S)
    assert box.numbers == set(), "what was recorded under the wrong clock is no younger than it is"


@pytest.mark.parametrize("ahead_s", JUMPS)
def test_a_clock_that_stays_there_is_believed_of_boots_before_and_never_of_its_own(
    box: PoleBox, ahead_s: float
) -> None:
    box.jump(ahead_s)
    box.work(STANDS_S - HOUR_S)
    assert box.numbers == {1, 2, 3, 4}
    box.work(2 * HOUR_S)
    assert box.numbers == {3, 4}
    box.work(3 * DAY_S - STANDS_S - 3 * HOUR_S)
    assert box.numbers == {3, 4}
    box.work(2 * HOUR_S)
    assert box.numbers == set()


@pytest.mark.parametrize("off_s", [21 * DAY_S, 60 * DAY_S])
def test_after_weeks_without_power_what_is_too_old_goes_once_the_clock_has_stood_for_a_day(
    box: PoleBox, off_s: float
) -> None:
    box.off(off_s)
    box.work(STANDS_S - HOUR_S)
    assert box.numbers == {1, 2, 3, 4}
    box.work(2 * HOUR_S)
    assert box.numbers == set()


def test_after_a_power_cut_of_an_evening_footage_goes_at_its_time(box: PoleBox) -> None:
    box.off(5 * HOUR_S)
    box.work(3 * DAY_S - 8.5 * HOUR_S)
    assert box.numbers == {1, 2, 3, 4}
    box.work(2 * HOUR_S)
    assert box.numbers == {3, 4}
    box.work(2 * HOUR_S)
    assert box.numbers == set()


@pytest.mark.parametrize("boots", [False, True], ids=["process", "boot"])
def test_what_is_known_of_the_clock_outlives_a_restart(box: PoleBox, boots: bool) -> None:
    def restart() -> None:
        box.bench.ring.close()
        box.bench.open()

    again = (lambda: box.off(60.0)) if boots else restart
    box.jump(40 * DAY_S)
    box.work(12 * HOUR_S)
    again()
    box.work(11 * HOUR_S)
    assert box.numbers == {1, 2, 3, 4}
    again()
    box.work(2 * HOUR_S)
    assert box.numbers == {3, 4}


def test_what_was_recorded_in_a_boot_under_a_clock_of_decades_ahead_lives_no_decades(box: PoleBox) -> None:
    box.off(HOUR_S)
    box.jump(50 * YEAR_S)
    box.record()
    box.work(STANDS_S - 4 * HOUR_S)
    box.off(HOUR_S)
    box.jump(-50 * YEAR_S)
    box.record()
    assert box.numbers == set(range(1, 9))
    box.work(3 * DAY_S - 21 * HOUR_S)
    assert box.numbers == {5, 6, 7, 8}
    box.work(2 * HOUR_S)
    assert box.numbers == {7, 8}
    box.work(20 * HOUR_S)
    assert box.numbers == set()


def test_an_index_that_is_made_anew_knows_the_jump_from_the_segments(box: PoleBox) -> None:
    box.jump(50 * YEAR_S)
    box.record()
    box.work(2 * HOUR_S)
    box.bench.ring.close()
    for path in box.bench.folder.glob(FILE + "*"):
        path.unlink()
    box.bench.open()
    box.work(STANDS_S - 3 * HOUR_S)
    assert box.numbers == {1, 2, 3, 4, 5, 6}
    box.off(HOUR_S)
    box.jump(-50 * YEAR_S)
    box.work(HOUR_S)
    assert box.numbers == {1, 2, 3, 4, 5, 6}
    box.work(3 * DAY_S)
    assert box.numbers == set()


def test_an_index_of_before_learns_the_jump_and_keeps_all_else(box: PoleBox) -> None:
    box.bench.ring.close()
    with closing(sqlite3.connect(box.bench.folder / FILE)) as db:
        db.execute("drop table boot_clock")
        db.execute("update link set told = 1")
        db.commit()
    box.bench.open()
    box.jump(40 * DAY_S)
    box.work(HOUR_S)
    assert box.numbers == {1, 2, 3, 4}
    assert box.bench.ring.index.told_after("north", 1) is not None


def test_the_oldest_makes_room_whatever_the_clock_says(box: PoleBox) -> None:
    box.jump(50 * YEAR_S)
    box.work(HOUR_S)
    box.bench.record(150, size=1_000_000, run="much")
    box.bench.ring.cut("north")
    assert not {1, 2, 3, 4} & box.numbers
    assert disk_bytes(box.bench.folder) <= box.bench.max_bytes
    assert {each.why for each in box.bench.deletions} == {"budget"}


def test_where_only_the_station_may_let_footage_go_nothing_goes_by_any_clock(
    boxes: Callable[..., PoleBox],
) -> None:
    box = boxes(role="enforcement")
    box.record()
    box.off(60 * DAY_S)
    box.work(2 * STANDS_S)
    assert box.numbers == {1, 2}


def test_held_footage_outlives_a_jump_that_is_believed(box: PoleBox) -> None:
    box.bench.ring.index.hold("case-7", "north", NOON_S, NOON_S + 5, "7")
    box.jump(40 * DAY_S)
    box.work(2 * STANDS_S)
    assert box.numbers == {1, 3, 4}


def test_what_lies_aside_and_says_that_it_is_of_a_time_to_come_is_of_now(box: PoleBox) -> None:
    kept = box.bench.folder / "north" / "0000000001.seg.damaged"
    kept.write_bytes(b"nobody can read it")
    later_s = box.bench.clock.wall_s + 50 * YEAR_S
    os.utime(kept, (later_s, later_s))
    box.bench.ring.close()
    box.bench.open()
    box.work(2 * DAY_S)
    assert kept.exists()
    box.bench.ring.close()
    box.bench.open()
    box.work(1.1 * DAY_S)
    assert not kept.exists()


def test_boots_of_which_no_footage_is_left_are_forgotten(box: PoleBox) -> None:
    for _ in range(5):
        box.off(HOUR_S)
        box.work(HOUR_S)
    offsets = boot_clocks.offsets_ms(
        box.bench.ring.index,
        boot_clocks.look(box.bench.ring.index, "boot-7", 10_000_000, round(box.bench.clock.wall_s * 1000)),
    )
    assert set(offsets) == {"boot-1", "boot-2", "boot-7"}
    with closing(sqlite3.connect(box.bench.folder / FILE)) as db:
        assert db.execute("select count(*) from boot_clock").fetchone()[0] <= 4
