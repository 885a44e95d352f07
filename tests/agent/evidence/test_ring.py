"""agent.evidence.ring: footage under a budget, kept whole, deleted by the rules only."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import FootageError
from agent.evidence import segment
from agent.evidence.encryption import new_identity
from agent.evidence.links import verify_links
from agent.evidence.listing.index_file import index_bytes
from agent.evidence.ring import NoKeyPicture, NotMounted
from agent.evidence.segment import read_segment
from tests.support.disks import small_disk
from tests.support.footage import NOON_S, RingBench, disk_bytes, piece


def test_what_was_recorded_can_be_read_back_by_the_station(bench: RingBench) -> None:
    given = bench.record(60)
    bench.ring.cut("north")

    assert bench.plain("north", NOON_S, NOON_S + 60) == [each.data for each in given]
    assert bench.plain("north", NOON_S + 21, NOON_S + 23) == [each.data for each in given[10:12]]
    assert not bench.ring.index.gaps("north", NOON_S, NOON_S + 60)
    assert bench.plain("south", NOON_S, NOON_S + 60) == []


def test_nothing_on_disk_is_in_the_clear(bench: RingBench) -> None:
    given = bench.record(20)
    bench.ring.close()

    on_disk = b"".join(path.read_bytes() for path in bench.folder.rglob("*") if path.is_file())
    assert not any(each.data[:64] in on_disk for each in given)
    assert b"init of run-1" not in on_disk


def test_segments_are_ten_seconds_each_and_linked(bench: RingBench) -> None:
    bench.record(60)
    bench.ring.cut("north")

    rows = bench.ring.index.segments("north", 0, NOON_S * 2)
    links = [bench.ring.index.link("north", row.number) for row in rows]
    assert [row.duration_ms for row in rows] == [10_000] * 6
    assert verify_links([link for link in links if link]) == ()
    number, _ = bench.ring.index.head("north")
    assert number == 6


def test_a_held_range_is_still_there_after_the_ring_has_turned_over_and_after_a_restart(
    bench: RingBench,
) -> None:
    given = bench.record(60, size=100_000)
    bench.ring.index.hold("case-7", "north", NOON_S + 20, NOON_S + 40, "an accident")
    bench.reopen()
    for _ in range(3):
        bench.record(50, size=1_000_000)

    assert bench.plain("north", NOON_S + 20, NOON_S + 40) == [each.data for each in given[10:20]]
    assert bench.plain("north", NOON_S, NOON_S + 10) == []
    assert bench.ring.index.release("case-7")
    bench.record(20, size=1_000_000)
    assert bench.plain("north", NOON_S + 20, NOON_S + 40) == []


def test_what_was_recorded_under_a_wrong_clock_is_put_right_when_the_clock_is_known(bench: RingBench) -> None:
    bench.clock.state, bench.clock.wall_s = "floor", NOON_S - 1_000_000
    given = bench.record(20)
    bench.ring.cut("north")
    assert bench.plain("north", NOON_S - 1_000_000, NOON_S - 999_980) == [each.data for each in given]

    bench.clock.state, bench.clock.wall_s = "ntp", NOON_S + 20
    bench.ring.sweep(bench.clock.now(), bench.clock.trust())

    assert bench.plain("north", NOON_S, NOON_S + 20) == [each.data for each in given]
    assert bench.ring.index.between("north", NOON_S, NOON_S + 20)[0].clock == "floor"
    assert bench.plain("north", NOON_S - 1_000_000, NOON_S - 999_980) == []


def test_a_gap_is_told_with_its_reason(bench: RingBench) -> None:
    bench.record(20)
    bench.ring.cut("north", "the camera was lost")
    bench.clock.go_on(30)
    bench.record(20, run="run-2")
    bench.ring.cut("north")

    (gap,) = bench.ring.index.gaps("north", NOON_S, NOON_S + 70)
    assert (gap.from_s, gap.to_s, gap.why) == (NOON_S + 20, NOON_S + 50, "the camera was lost")


@pytest.mark.parametrize("in_order", [True, False])
def test_that_the_agent_did_not_run_is_told_of_a_gap(bench: RingBench, in_order: bool) -> None:
    bench.record(20)
    bench.ring.cut("north")
    before = bench.ring
    if in_order:
        before.close()
    bench.clock.go_on(7200)
    bench.open()
    bench.record(20, run="run-2")
    bench.ring.cut("north")

    (gap,) = bench.ring.index.gaps("north", NOON_S, NOON_S + 7240)
    assert gap.why == "the agent was not running for a while"
    first = bench.ring.index.link("north", 1)
    assert first is not None
    assert first.before == "", "before the first of all there is no hole"
    before.close()


def test_a_gap_of_several_reasons_tells_all_of_them(bench: RingBench) -> None:
    bench.record(20)
    bench.ring.cut("north", "the disk failed")
    bench.clock.go_on(7200)
    for why in ("the camera was lost", "the disk failed", ""):
        bench.ring.cut("north", why)
    bench.reopen()
    bench.ring.cut("north", "the camera was lost")
    bench.record(20, run="run-2")
    bench.ring.cut("north", "no event")
    bench.ring.cut("north", "the camera was lost")
    bench.clock.go_on(30)
    bench.record(20, run="run-3")
    bench.ring.cut("north")

    assert [gap.why for gap in bench.ring.index.gaps("north", NOON_S, NOON_S + 7290)] == [
        "the agent was not running for a while; the camera was lost",
        "no event; the camera was lost",
    ]


def test_a_gap_of_which_nobody_spoke_has_a_reason_all_the_same(bench: RingBench) -> None:
    bench.record(20)
    bench.clock.go_on(30)
    bench.record(20)
    bench.ring.cut("north")
    (gap,) = bench.ring.index.gaps("north", NOON_S, NOON_S + 70)
    assert (gap.from_s, gap.to_s, gap.why) == (NOON_S + 20, NOON_S + 50, "no pictures came")


def test_what_was_deleted_is_no_gap_for_the_reason_of_the_next_one(benches: Callable[..., RingBench]) -> None:
    bench = benches(max_days=1.0)
    bench.record(20)
    bench.ring.cut("north", "the camera was lost")
    bench.clock.go_on(30)
    bench.record(20, run="run-2")
    bench.ring.cut("north")
    assert [gap.why for gap in bench.ring.index.gaps("north", NOON_S + 25, NOON_S + 70)] == [
        "the camera was lost"
    ]
    bench.clock.go_on(NOON_S + 86_400 + 30 - bench.clock.wall_s)
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 2

    (gap,) = bench.ring.index.gaps("north", NOON_S, NOON_S + 70)
    assert (gap.from_s, gap.to_s, gap.why) == (NOON_S, NOON_S + 50, "")


def test_footage_that_cannot_begin_is_refused(bench: RingBench) -> None:
    with pytest.raises(FootageError, match="without its beginning"):
        bench.ring.append(piece("north", "run-1", "media", bench.clock.now(), 2.0, b"x"))


def pieces_of_a_hostile_child(bench: RingBench, count: int, size: int, step_s: float, **said: Any) -> None:
    """After a right beginning each piece says the same of itself, whatever time it is."""
    bench.record(2)
    at = bench.clock.now()
    for _ in range(count):
        bench.ring.append(replace(piece("north", "run-1", "media", at, 0.0, bytes(size)), **said))
        bench.clock.go_on(step_s)


def test_a_time_that_stands_still_makes_no_segment_that_takes_the_whole_ring(bench: RingBench) -> None:
    bench.record(20, camera="south", size=1_000_000)
    bench.ring.cut("south")
    pieces_of_a_hostile_child(bench, 150, 1_000_000, 0.1)

    assert disk_bytes(bench.folder) <= bench.max_bytes
    assert bench.ring.index.totals()[0] > 5
    bench.record(20, run="run-2")
    assert max(path.stat().st_size for path in bench.folder.rglob("*.seg")) < bench.max_bytes / 4


@pytest.mark.parametrize(("count", "size", "step_s"), [(60, 1_000_000, 0.1), (2000, 10, 0.01), (400, 10, 2.0)])
def test_without_key_pictures_a_segment_ends_all_the_same_and_the_next_waits_for_one(
    bench: RingBench, count: int, size: int, step_s: float
) -> None:
    with pytest.raises(NoKeyPicture, match="begins with a key picture"):
        pieces_of_a_hostile_child(bench, count, size, step_s, key=False)
    assert bench.ring.index.head("north")[0] == 1, "what came is listed, so it can make room"
    given = bench.record(10)
    bench.ring.cut("north")
    assert bench.plain("north", bench.clock.wall_s - 10, bench.clock.wall_s)[-5:] == [
        each.data for each in given
    ]


def test_a_ring_that_was_closed_goes_on_where_it_was(bench: RingBench) -> None:
    first = bench.record(14)
    bench.reopen()
    second = bench.record(14, run="run-2")
    bench.ring.cut("north")

    assert bench.plain("north", NOON_S, NOON_S + 28) == [each.data for each in first + second]
    rows = bench.ring.index.segments("north", 0, NOON_S * 2)
    links = [bench.ring.index.link("north", row.number) for row in rows]
    assert verify_links([link for link in links if link]) == ()


def test_another_key_from_now_on_is_only_for_what_comes(bench: RingBench) -> None:
    first = bench.record(10)
    old, (bench.identity, bench.recipient) = bench.identity, new_identity()
    bench.reopen()
    second = bench.record(10, run="run-2")
    bench.ring.cut("north")

    assert bench.plain("north", NOON_S + 10, NOON_S + 20) == [each.data for each in second]
    bench.identity = old
    assert bench.plain("north", NOON_S, NOON_S + 10) == [each.data for each in first]


def test_a_disk_that_is_full_to_the_last_byte_refuses_and_takes_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "100m") as disk:
        bench = RingBench(disk / "ring", max_bytes=80_000_000)
        bench.record(20, size=1_000_000)
        filler = (disk / "other").open("wb", buffering=0)
        with suppress(OSError):
            while True:
                filler.write(bytes(1 << 16))
        with pytest.raises(FootageError):
            bench.record(200, size=1_000_000, run="run-2")
        filler.close()
        (disk / "other").unlink()
        given = bench.record(20, size=1_000_000, run="run-3")
        bench.ring.cut("north")

        assert bench.plain("north", bench.clock.wall_s - 20, bench.clock.wall_s) == [
            each.data for each in given
        ]
        assert all(read_segment(path, check=True).ended for path in bench.folder.rglob("*.seg"))  # type: ignore[union-attr]
        bench.ring.close()


def test_a_file_that_a_failed_beginning_left_is_in_nobodys_way(
    bench: RingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.record(10)
    bench.ring.cut("north")

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(segment, "sync_folder", fails)
        failing.setattr(Path, "unlink", fails)
        with pytest.raises(FootageError, match="Input/output"):
            bench.record(10, run="run-2")
        assert (bench.folder / "north" / "0000000002.seg").exists()
    given = bench.record(20, run="run-3")
    bench.ring.cut("north")

    assert bench.plain("north", bench.clock.wall_s - 20, bench.clock.wall_s) == [each.data for each in given]
    assert bench.ring.index.numbers("north") == {1, 2, 3}
    footage = bench.ring.used_bytes - index_bytes(bench.folder)
    bench.reopen().recover()
    assert bench.ring.used_bytes - index_bytes(bench.folder) == footage


def test_nothing_is_recorded_where_the_partition_should_be_mounted(tmp_path: Path) -> None:
    place = tmp_path / "footage"
    place.mkdir()
    bench = RingBench(place / "ring", mount=place)

    with pytest.raises(NotMounted, match="nothing is mounted"):
        bench.ring.recover()
    assert bench.ring.trouble is not None
    assert "nothing is mounted" in bench.ring.trouble
    assert list(place.iterdir()) == []
    place.rmdir()
    with small_disk(place, "100m"):
        given = bench.record(10)
        bench.ring.cut("north")
        assert bench.ring.trouble is None
        assert bench.plain("north", NOON_S, NOON_S + 10) == [each.data for each in given]
    with pytest.raises(NotMounted):
        bench.record(10, run="run-2")
    assert not bench.ring.ready
    assert list(place.iterdir()) == []
    place.rmdir()
    with small_disk(place, "100m"):
        bench.record(10, run="run-3")
        bench.ring.close()
