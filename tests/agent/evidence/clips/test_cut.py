"""agent.evidence.clips.cut"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.clips.cut import Cutter, write
from agent.evidence.encryption import decrypt
from agent.evidence.listing.index import Index
from agent.evidence.segment import segment_name
from tests.support.clip_bench import BOX_KEY, facts, wanted
from tests.support.footage import NOON_S, RingBench
from verifier.findings import PackageVerdict
from verifier.judge import judge


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RingBench]:
    (tmp_path / "ring").mkdir()
    bench = RingBench(tmp_path / "ring")
    yield bench
    bench.ring.close()


def written(cutter: Cutter, folder: Path, from_s: float, to_s: float) -> list[int]:
    clip = cutter.cut(wanted("q-1", from_s, to_s))
    assert clip is not None
    folder.mkdir()
    steps: list[int] = []
    write(cutter, clip, folder, lambda done, total: steps.append(total - done))
    return steps


def test_what_is_cut_is_a_package_that_verifies_and_holds_what_was_recorded(
    bench: RingBench, tmp_path: Path
) -> None:
    given = bench.record(40)
    bench.ring.cut("north")
    folder = tmp_path / "package"

    left = written(Cutter(lambda: bench.ring.index, facts, BOX_KEY), folder, 7, 21)

    assert judge(folder, BOX_KEY.public_key()).verdict is PackageVerdict.AUTHENTIC
    parts = [decrypt(path.read_bytes(), bench.identity) for path in sorted(folder.glob("footage-1-*.age"))]
    assert parts == [b"init of run-1", *(each.data for each in given[3:11])]  # from key picture to key picture
    assert left == sorted(left, reverse=True)
    assert left[-1] == 0


def test_it_is_cut_beside_an_agent_that_records(bench: RingBench, tmp_path: Path) -> None:
    bench.record(30)
    beside = Index(bench.folder, readonly=True)
    try:
        cutter = Cutter(lambda: beside, facts, BOX_KEY)
        written(cutter, tmp_path / "package", 0, 30)
        assert cutter.kept("north") is not None
    finally:
        beside.close()

    assert judge(tmp_path / "package", BOX_KEY.public_key()).verdict is PackageVerdict.AUTHENTIC


def test_a_gap_is_listed_with_its_reason(bench: RingBench, tmp_path: Path) -> None:
    bench.record(20)
    bench.ring.cut("north", "the camera is lost: cable")
    bench.clock.go_on(60)
    bench.record(20, run="run-2")
    bench.ring.cut("north")

    clip = Cutter(lambda: bench.ring.index, facts, BOX_KEY).cut(wanted("q-1", 10, 90))

    assert clip is not None
    (gap,) = clip.manifest.gaps
    assert (gap.end - gap.start).total_seconds() == pytest.approx(60, abs=0.1)
    assert gap.why == "the camera is lost: cable"
    assert [run.number for run in clip.manifest.runs] == [1, 2]


def test_where_nothing_is_there_there_is_no_package_and_it_says_what_there_is(bench: RingBench) -> None:
    cutter = Cutter(lambda: bench.ring.index, facts, BOX_KEY)
    assert cutter.kept("north") is None

    bench.record(20)
    bench.ring.cut("north")

    assert cutter.cut(wanted("q-1", 100, 120)) is None
    assert cutter.kept("north") == pytest.approx((NOON_S, NOON_S + 20))


def test_footage_that_cannot_be_read_is_an_error_in_words(bench: RingBench) -> None:
    bench.record(20)
    bench.ring.cut("north")
    cutter = Cutter(lambda: bench.ring.index, facts, BOX_KEY)
    (segment, *_) = sorted((bench.folder / "north").glob("*.seg"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)

    with pytest.raises(FootageError, match="segment 1 cannot be read"):
        cutter.cut(wanted("q-1", 0, 20))


def test_the_chain_is_shown_across_segments_that_are_deleted_and_beyond_what_was_told(bench: RingBench) -> None:
    """What lies between two ranges that are held goes first when room is needed."""
    bench.record(60)
    bench.ring.cut("north")
    index = bench.ring.index
    rows = index.segments("north", NOON_S, NOON_S + 60)
    numbers = [row.number for row in rows]
    assert len(numbers) > 5
    index.forget([rows[1], rows[2]])
    for row in rows[1:3]:
        (bench.folder / "north" / segment_name(row.number)).unlink()
    index.tell("north", numbers[-2])

    clip = Cutter(lambda: index, facts, BOX_KEY).cut(wanted("q-1", 0, rows[3].to_s - NOON_S - 1))

    assert clip is not None
    assert clip.manifest.chain is not None
    assert [each.number for each in clip.manifest.chain.between] == numbers[1:3]
    (stretch,) = clip.manifest.chain.stretches()
    assert list(stretch) == numbers  # further than the one that was told: its message may have been lost
    assert stretch[numbers[-1]] == index.head("north")[1]


def test_the_chain_is_shown_as_far_as_it_goes_where_nobody_knows_what_was_told(bench: RingBench) -> None:
    bench.record(60)
    bench.ring.cut("north")
    index = bench.ring.index

    clip = Cutter(lambda: index, facts, BOX_KEY).cut(wanted("q-1", 0, 5))

    assert clip is not None
    assert clip.manifest.chain is not None
    assert dict([index.head("north")]).items() <= clip.manifest.chain.hashes().items()


def test_what_was_written_is_on_the_stick_when_it_is_said(
    bench: RingBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who reads "written" pulls it out."""
    bench.record(40)
    bench.ring.cut("north")
    synced, fsync = set[str](), os.fsync

    def noted(handle: int) -> None:
        synced.add(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    written(Cutter(lambda: bench.ring.index, facts, BOX_KEY), tmp_path / "package", 7, 21)

    assert synced >= {str(path) for path in [tmp_path / "package", *(tmp_path / "package").iterdir()]}
    assert str(tmp_path) in synced
