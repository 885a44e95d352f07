"""agent.evidence.listing.index: what lies in the ring, in time."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.links import head_after, link_sha256
from agent.evidence.listing.index import Index
from agent.evidence.listing.index_file import FILE
from agent.evidence.retention.deletion import oldest
from tests.support.footage import NOON_S, RingBench, piece


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RingBench]:
    made = RingBench(tmp_path / "ring")
    yield made
    made.ring.close()


def test_a_range_begins_with_the_key_picture_before_it(bench: RingBench) -> None:
    bench.ring.append(piece("north", "r", "init", bench.clock.now(), 0.0, b"init"))
    for number in range(8):
        given = piece("north", "r", "media", bench.clock.now(), 2.0, bytes([number]))
        bench.ring.append(replace(given, key=number % 4 == 0))
        bench.clock.go_on(2.0)
    bench.ring.cut("north")

    found = bench.plain("north", NOON_S + 5, NOON_S + 9)

    assert found == [bytes([number]) for number in range(5)]
    assert bench.plain("north", NOON_S + 9, NOON_S + 10) == [b"\x04"]


@pytest.mark.parametrize("back_s", [7.0, 30.0, 3600.0])
def test_a_range_that_the_clock_showed_twice_is_there_twice(bench: RingBench, back_s: float) -> None:
    first = bench.record(60)
    bench.clock.wall_s -= back_s
    second = bench.record(60, run="run-2")
    bench.ring.cut("north")

    def shown(from_s: float, to_s: float) -> list[bytes]:
        given = [*first, *second]
        return [each.data for each in given if from_s < each.start.wall_s + 2 and each.start.wall_s < to_s]

    for from_s, to_s in ((1, 59), (21, 31), (54, 58), (60 - back_s, 64 - back_s)):
        found = bench.plain("north", NOON_S + from_s, NOON_S + to_s)
        assert found == shown(NOON_S + from_s, NOON_S + to_s), (from_s, to_s)


def test_where_the_clock_was_set_a_segment_begins_and_says_so(bench: RingBench) -> None:
    bench.record(24)
    bench.clock.wall_s += 100
    for _ in range(3):
        bench.ring.append(piece("north", "run-1", "media", bench.clock.now(), 2.0, b"after"))
        bench.clock.go_on(2)
    bench.ring.cut("north")

    assert bench.plain("north", NOON_S + 124, NOON_S + 130) == [b"after"] * 3
    (gap,) = bench.ring.index.gaps("north", NOON_S, NOON_S + 130)
    assert (gap.from_s, gap.to_s, gap.why) == (NOON_S + 24, NOON_S + 124, "the clock was set")
    assert [bench.ring.index.segment("north", number).before for number in (2, 3, 4)] == [
        "", "", "the clock was set",
    ]  # fmt: skip


def test_another_process_reads_while_it_is_written(bench: RingBench) -> None:
    bench.record(20)
    reader = Index(bench.folder, readonly=True)
    assert len(reader.between("north", 0, NOON_S * 2)) == 5  # the open segment is not listed
    bench.record(20, run="run-2")
    assert len(reader.between("north", 0, NOON_S * 2)) == 15
    reader.close()
    with pytest.raises(FootageError):
        Index(bench.folder / "nowhere", readonly=True)


def test_inits_are_found_for_the_fragments_that_need_them(bench: RingBench) -> None:
    bench.record(12, run="run-1")
    bench.record(12, run="run-2")
    bench.ring.cut("north")
    fragments = bench.ring.index.between("north", 0, NOON_S * 2)

    inits = bench.ring.index.inits(fragments)

    assert set(inits) == {each.init_sha256 for each in fragments}
    assert len(inits) == 2
    assert {bench.ring.read(each) != b"" for each in inits.values()} == {True}


def test_gaps_are_at_the_edges_too(bench: RingBench) -> None:
    bench.record(10)
    bench.ring.cut("north", "the camera was lost")
    bench.clock.go_on(5)
    bench.record(10, run="run-2")
    bench.ring.cut("north")

    gaps = bench.ring.index.gaps("north", NOON_S - 10, NOON_S + 40)

    assert [(gap.from_s - NOON_S, gap.to_s - NOON_S, gap.why) for gap in gaps] == [
        (-10, 0, ""), (10, 15, "the camera was lost"), (25, 40, ""),
    ]  # fmt: skip
    assert [gap.why for gap in bench.ring.index.gaps("north", NOON_S, NOON_S + 14)] == ["the camera was lost"]
    assert [gap.to_s for gap in bench.ring.index.gaps("south", 0, 9)] == [9]


def test_the_way_to_a_link_that_the_station_knows_outlives_the_segments_between(bench: RingBench) -> None:
    bench.record(60)
    bench.ring.cut("north")
    index = bench.ring.index
    index.tell("north", 6)
    index.forget(index.segments("north", NOON_S + 20, NOON_S + 60))

    known = index.told_after("north", 2)
    second = index.link("north", 2)

    assert known is not None
    assert second is not None
    bodies = [body for _, body in index.bodies("north", 2, known[0])]
    assert head_after(link_sha256(second), bodies) == known[1]
    index.forget(index.segments("north", NOON_S, NOON_S + 20))
    assert index.bodies("north", 0, 5) == []
    assert index.head("north") == known, "the next segment follows on the last, though it is deleted"


def test_receipts_add_up_to_a_segment(bench: RingBench) -> None:
    bench.record(20)
    bench.record(20, camera="south")
    bench.ring.cut("north")
    bench.ring.cut("south")
    index = bench.ring.index
    first, second = index.segments("north", 0, NOON_S * 2)
    given = index.between("north", 0, NOON_S * 2)
    index.receive(given[:4], "one")
    index.receive(index.between("south", 0, NOON_S * 2), "another camera's")
    index.receive(given[:4], "one again")
    assert not index.received(first)
    index.receive(given[4:6], "two")
    assert index.received(first)
    assert not index.received(second)
    index.forget([first])
    assert not index.received(first)


def test_a_receipt_is_of_what_was_sent_and_not_of_another_segment_of_that_number(bench: RingBench) -> None:
    bench.record(10)
    bench.ring.cut("north")
    sent = bench.ring.index.between("north", 0, NOON_S * 2)
    for boot in ("boot-1", "boot-2"):
        bench.ring.close()
        shutil.rmtree(bench.folder)  # so that the numbers begin anew
        bench.clock.go_on(3600)
        bench.reopen(boot)
        bench.record(10)
        bench.ring.cut("north")

        bench.ring.index.receive(sent, "of the one before")

        (row,) = bench.ring.index.segments("north", 0, NOON_S * 2)
        assert row.number == sent[0].segment
        assert not bench.ring.index.received(row)


def test_many_receipts_of_a_large_ring_are_looked_up_quickly(bench: RingBench) -> None:
    index = bench.ring.index
    with closing(sqlite3.connect(bench.folder / FILE)) as db, db:
        db.executemany(
            "insert into segment values (?, 'north', ?, 'boot', ?, ?, 'ntp', ?, 10000, 1, 5, '')",
            [(n, n, n * 10_000, n * 10_000, n * 10_000) for n in range(1, 20_001)],
        )
        db.executemany(
            "insert into received values ('north', ?, ?, 'clip')",
            [(n, at) for n in range(1, 20_001) for at in range(4)],
        )
    began = time.process_time()
    assert oldest(index, "enforcement", 1) == ([], [])
    assert time.process_time() - began < 5.0
