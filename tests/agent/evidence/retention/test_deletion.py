"""agent.evidence.retention.deletion: what goes, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.retention.deletion import delete, expired, oldest, ranges
from tests.support.footage import NOON_S, RingBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RingBench]:
    made = RingBench(tmp_path / "ring")
    made.record(30)
    made.record(30, camera="south")
    made.ring.cut("north")
    made.ring.cut("south")
    yield made
    made.ring.close()


def test_the_oldest_of_all_cameras_goes_first_and_held_ranges_last(bench: RingBench) -> None:
    index = bench.ring.index
    index.hold("one", "north", NOON_S, NOON_S + 5, "")
    free, held = oldest(index, "community", 1)
    assert [(row.camera, row.number) for row in free] == [("north", 2)]
    assert held == []

    free, held = oldest(index, "community", 1 << 40)
    assert [(row.camera, row.number) for row in free] == [
        ("north", 2), ("south", 1), ("south", 2), ("north", 3), ("south", 3),
    ]  # fmt: skip
    assert [(row.camera, row.number) for row in held] == [("north", 1)]


def test_what_was_recorded_before_something_too_old_is_too_old_whatever_its_clock_said(tmp_path: Path) -> None:
    bench = RingBench(tmp_path / "ring", boot="boot-1")
    bench.clock.state, wall_s = "floor", bench.clock.wall_s
    bench.clock.wall_s += 1_000_000  # nobody will ever know when this boot was
    bench.record(10)
    bench.reopen(boot="boot-2")
    bench.clock.state, bench.clock.wall_s = "ntp", wall_s + 100
    bench.record(20, run="run-2")
    bench.ring.cut("north")

    offsets = {"boot-1": 0, "boot-2": round(wall_s * 1000) - 910_000}
    before_ms = round(wall_s * 1000) + 111_000
    assert [row.number for row in expired(bench.ring.index, "community", offsets, before_ms)] == [1, 2]
    assert [row.number for row in expired(bench.ring.index, "community", {"boot-1": 0}, before_ms)] == [1]
    bench.ring.close()


def test_what_is_deleted_is_noted_first_by_camera(bench: RingBench) -> None:
    index, noted = bench.ring.index, []
    free, _ = oldest(index, "community", 1 << 40)

    def note(deletion: object) -> bool:
        noted.append((deletion, len(index.numbers("north")), len(list((bench.folder / "north").iterdir()))))
        return True

    delete(index, free[:5], "budget", "community", note)  # type: ignore[arg-type]

    (deletion, listed, lying) = noted[0]
    assert (listed, lying) == (3, 3)
    assert deletion.ranges == ranges(free[:5])  # type: ignore[attr-defined]
    assert [(each.camera, each.first, each.last, each.segments) for each in ranges(free[:5])] == [
        ("north", 1, 3, 3), ("south", 1, 2, 2),
    ]  # fmt: skip
    assert index.numbers("north") == set()
    assert list((bench.folder / "north").iterdir()) == []


def test_room_is_made_even_where_it_cannot_be_noted_but_nothing_goes_by_age(bench: RingBench) -> None:
    index = bench.ring.index
    free, _ = oldest(index, "community", 1)
    with pytest.raises(FootageError, match="audit"):
        delete(index, free, "age", "community", lambda _deletion: False)
    assert len(index.numbers("north")) == 3
    delete(index, free, "budget", "community", lambda _deletion: False)
    assert len(index.numbers("north")) == 2
