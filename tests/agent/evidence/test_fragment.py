"""agent.evidence.fragment: a piece of footage."""

from __future__ import annotations

from pathlib import Path

from agent.core.types import Instant
from tests.support.footage import NOON_S, RingBench, piece


def test_a_fragment_ends_when_the_next_begins() -> None:
    assert piece("north", "run", "media", Instant(5.0, 100.0), 2.5, b"x").end == Instant(7.5, 102.5)


def test_what_lies_knows_its_end_by_the_wall(tmp_path: Path) -> None:
    bench = RingBench(tmp_path)
    bench.record(4)
    bench.ring.cut("north")
    assert [each.end_s for each in bench.ring.index.between("north", NOON_S, NOON_S + 9)] == [
        NOON_S + 2,
        NOON_S + 4,
    ]
    bench.ring.close()
