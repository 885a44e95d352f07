"""agent.evidence.retention.budget: room is made before it is used, and what goes is the oldest, or too old."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.encryption import new_identity
from agent.evidence.listing.index import Index
from agent.evidence.listing.index_file import index_bytes
from agent.evidence.retention.budget import DOUBT_S, FULL_S, FootageBudget, RingFull, WriteBudgetSpent
from agent.evidence.settings import EvidenceSettings
from tests.support.disks import small_disk
from tests.support.footage import NOON_S, HandClock, RingBench, disk_bytes


@pytest.mark.long
def test_the_budget_is_never_passed_and_the_oldest_makes_room(bench: RingBench) -> None:
    for turn in range(16):
        bench.record(30, size=500_000, camera=("north", "south")[turn % 2])
        assert disk_bytes(bench.folder) <= bench.max_bytes

    bench.ring.cut("south")
    assert bench.ring.deleted.segments > 0
    assert bench.ring.index.oldest().from_s > NOON_S  # type: ignore[union-attr]
    assert bench.ring.used_bytes > 0.8 * bench.max_bytes
    assert {each.why for each in bench.deletions} == {"budget"}
    assert bench.plain("south", bench.clock.wall_s - 20, bench.clock.wall_s)


def test_holds_go_last_when_nothing_else_is_left(bench: RingBench) -> None:
    bench.ring.index.hold("all", "north", 0, NOON_S * 2, "everything")
    for _ in range(3):
        bench.record(50, size=1_000_000)

    assert disk_bytes(bench.folder) <= bench.max_bytes
    assert bench.ring.deleted.held > 0
    assert {each.why for each in bench.deletions} == {"held, for want of all else"}


def test_footage_goes_by_its_age_while_somebody_vouches_for_the_clock(
    benches: Callable[..., RingBench],
) -> None:
    bench = benches(max_days=1.0)
    bench.record(60)
    bench.ring.cut("north")
    bench.clock.go_on(86_400 - 29)

    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 3
    bench.clock.go_on(600)
    bench.clock.state = "floor"
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 0
    bench.clock.state = "ntp"
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 3
    assert [each.why for each in bench.deletions] == ["age", "age"]


def test_in_the_role_of_enforcement_nothing_goes_before_the_station_has_it(
    benches: Callable[..., RingBench],
) -> None:
    bench = benches(role="enforcement", max_days=1.0)
    with pytest.raises(RingFull, match="full"):
        for _ in range(3):
            bench.record(50, size=1_000_000)
    bench.clock.go_on(3 * 86_400)
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 0
    assert bench.deletions == []
    assert disk_bytes(bench.folder) <= bench.max_bytes

    bench.ring.index.receive(bench.ring.index.between("north", NOON_S, NOON_S + 60), "receipt 1")
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 6
    bench.record(10)


def test_what_was_recorded_after_the_clock_was_set_back_is_not_what_the_station_has(
    benches: Callable[..., RingBench],
) -> None:
    bench = benches(role="enforcement", max_days=1.0)
    bench.record(20)
    bench.ring.cut("north")
    bench.ring.index.receive(bench.ring.index.between("north", NOON_S, NOON_S + 20), "receipt 1")
    bench.clock.wall_s = NOON_S
    unsent = bench.record(20, run="run-2")
    bench.ring.cut("north")
    bench.clock.go_on(3 * 86_400)

    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 2
    assert bench.plain("north", NOON_S, NOON_S + 20) == [each.data for each in unsent]


def test_damaged_footage_is_never_all_at_the_station(benches: Callable[..., RingBench]) -> None:
    bench = benches(role="enforcement", max_days=1.0)
    bench.record(20)
    bench.ring.close()
    path = bench.folder / "north" / "0000000001.seg"
    data = path.read_bytes()
    at = data.rindex(b"ngR1", 0, data.rindex(b"ngR1"))  # of the last picture; an end comes after it
    path.write_bytes(data[:at] + b"x" + data[at + 1 :])
    (bench.folder / "index.db").unlink()
    bench.open()
    bench.ring.index.receive(bench.ring.index.between("north", NOON_S, NOON_S + 20), "receipt 1")
    bench.clock.go_on(3 * 86_400)

    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 1
    assert path.exists()


def test_in_the_role_of_enforcement_nothing_goes_that_cannot_be_noted(
    benches: Callable[..., RingBench],
) -> None:
    bench = benches(role="enforcement", max_days=1.0, audit_works=False)
    bench.record(60)
    bench.ring.cut("north")
    bench.ring.index.receive(bench.ring.index.between("north", NOON_S, NOON_S + 60), "receipt 1")
    bench.clock.go_on(3 * 86_400)

    with pytest.raises(FootageError, match="audit"):
        bench.ring.sweep(bench.clock.now(), bench.clock.trust())
    assert len(bench.plain("north", NOON_S, NOON_S + 60)) == 30


def test_no_more_is_written_in_a_day_than_the_card_may_bear(benches: Callable[..., RingBench]) -> None:
    bench = benches(max_bytes=1_000_000_000, daily_write_bytes=100_000_000)
    with pytest.raises(WriteBudgetSpent):
        for _ in range(3):
            bench.record(100, size=1_000_000)
    assert 98_000_000 < bench.ring.written_today <= 100_000_000
    bench.reopen()
    with pytest.raises(WriteBudgetSpent):
        bench.record(10, size=3_000_000)

    bench.clock.go_on(86_400)
    bench.record(10)


def test_what_a_life_was_cut_at_counts_for_the_day_that_is_believed_whatever_its_file_says(
    tmp_path: Path,
) -> None:
    bench = RingBench(tmp_path / "ring-0")
    bench.record(2)
    bench.ring.cut("north")
    bench.record(8, size=1_000_000)
    shutil.copytree(bench.folder, tmp_path / "ring-1")  # as the power leaves it
    bench.ring.close()
    for path in (tmp_path / "ring-1").rglob("*.seg"):
        os.utime(path, (NOON_S + 50 * 365 * 86_400,) * 2)
    bench = RingBench(tmp_path / "ring-1")
    bench.ring.recover()

    assert 4_000_000 <= bench.ring.written_today < 4_200_000
    bench.ring.close()


def test_a_disk_that_others_fill_costs_the_oldest_footage_and_never_a_whole_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "100m") as disk:
        bench = RingBench(disk / "ring", max_bytes=80_000_000)
        bench.record(60, size=1_000_000)
        other = disk / "other"
        other.write_bytes(bytes(50_000_000))
        bench.record(60, size=1_000_000)

        assert bench.ring.own_disk
        room = os.statvfs(disk)
        assert room.f_bavail * room.f_frsize > 10_000_000
        assert bench.plain("north", bench.clock.wall_s - 20, bench.clock.wall_s - 12)
        other.unlink()
        bench.record(60, size=1_000_000)
        bench.ring.cut("north")
        assert len(bench.plain("north", bench.clock.wall_s - 60, bench.clock.wall_s)) == 30
        bench.ring.close()


def test_nothing_is_deleted_before_what_was_asked_for_is_held_again(benches: Callable[..., RingBench]) -> None:
    bench = benches(max_days=1.0)
    given = bench.record(100, size=1_000_000)
    bench.ring.index.hold("case-7", "north", NOON_S, NOON_S + 20, "an accident")
    bench.ring.close()
    (bench.folder / "holds.json").write_bytes(bytes(200))
    bench.open()

    bench.clock.go_on(2 * 86_400)
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 0
    with pytest.raises(RingFull):
        bench.record(40, size=1_000_000, run="run-2")
    bench.ring.index.hold("case-7", "north", NOON_S, NOON_S + 20, "an accident")  # by its request
    bench.clock.go_on(DOUBT_S)
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) > 0
    assert bench.plain("north", NOON_S, NOON_S + 20) == [each.data for each in given[:10]]
    bench.record(10, run="run-3")


def test_what_a_life_wrote_that_was_cut_counts_for_its_day(tmp_path: Path) -> None:
    for life in range(4):
        bench = RingBench(tmp_path / f"ring-{life}")
        bench.ring.recover()
        assert life * 4_000_000 <= bench.ring.written_today < life * 4_200_000 + 100_000
        bench.record(8, size=1_000_000, run=f"run-{life}")
        shutil.copytree(bench.folder, tmp_path / f"ring-{life + 1}")  # as the power leaves it
        bench.ring.close()
        for path in (tmp_path / f"ring-{life + 1}").rglob("*.seg"):
            os.utime(path, (NOON_S, NOON_S))
    bench = RingBench(tmp_path / "ring-4")
    (bench.folder / "index.db").unlink()
    bench.clock.go_on(86_400)
    bench.ring.recover()
    assert bench.ring.written_today == 0
    bench.ring.close()


def test_a_disk_that_fails_while_something_is_deleted_leaves_nothing_that_is_not_found_again(
    benches: Callable[..., RingBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = benches(max_days=1.0)
    bench.record(20)
    bench.ring.cut("north")
    bench.clock.go_on(2 * 86_400)

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(Path, "unlink", fails)
        with pytest.raises(FootageError, match="Input/output"):
            bench.ring.sweep(bench.clock.now(), bench.clock.trust())
    assert not bench.ring.ready, "files lie there that the index does not name"

    bench.ring.recover()
    assert [each.why for each in bench.deletions] == ["age", "its deletion had begun"]
    assert list(bench.folder.rglob("*.seg")) == []
    assert bench.ring.used_bytes == index_bytes(bench.folder)


def test_what_was_taken_and_not_written_is_room_again(tmp_path: Path) -> None:
    clock, index = HandClock(), Index(tmp_path)
    settings = EvidenceSettings(folder=tmp_path, recipient=new_identity()[1], max_bytes=64_000_000)
    budget = FootageBudget(tmp_path, settings, clock, "community", lambda _: True, None, threading.RLock())
    before_bytes = budget.used_bytes

    budget.take(40_000_000, index)
    assert budget.used_bytes == before_bytes + 40_000_000
    with pytest.raises(RingFull):
        budget.take(40_000_000, index)
    budget.give_back(40_000_000)
    assert budget.used_bytes == before_bytes
    clock.go_on(FULL_S)
    budget.take(40_000_000, index)
    index.close()
