"""agent.evidence.retention.aside: damaged segments are kept, counted, and go when they are too old."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.retention.aside import aside, set_aside
from agent.evidence.retention.budget import RingFull
from agent.evidence.segment import segment_name
from tests.support.footage import NOON_S, RingBench, disk_bytes


def test_what_was_set_aside_before_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "north" / segment_name(7)
    path.parent.mkdir()
    for number in range(3):
        path.write_bytes(bytes([number]))
        kept = set_aside(path, "for the test")
        assert not path.exists()
        assert (kept.camera, kept.number, kept.bytes) == ("north", 7, 1)
        assert aside(kept.path) == kept
    assert sorted(each.read_bytes() for each in path.parent.iterdir()) == [b"\0", b"\1", b"\2"]


def test_other_names_are_none(tmp_path: Path) -> None:
    for name in ("0000000001.seg", "notes.damaged", "0000000001.seg.damaged.txt", "0000000001.seg.damaged-"):
        (tmp_path / name).write_bytes(b"x")
        assert aside(tmp_path / name) is None


def test_what_nobody_set_aside_so_is_none(tmp_path: Path) -> None:
    """Else a folder could not be deleted by its age, and a number beyond all could not be counted on."""
    (tmp_path / "0000000001.seg.damaged").mkdir()
    (tmp_path / f"{'9' * 30}.seg.damaged").write_bytes(b"x")
    for path in tmp_path.iterdir():
        assert aside(path) is None


def damaged(folder: Path, size: int = 5_000_000, **settings: object) -> RingBench:
    """A ring in which a large file lies aside, that was written at noon."""
    bench = RingBench(folder, **settings)  # type: ignore[arg-type]
    bench.record(10)
    bench.ring.close()
    path = folder / "north" / segment_name(9)
    path.write_bytes(bytes(size))
    kept = set_aside(path, "for the test")
    os.utime(kept.path, (NOON_S, NOON_S))
    bench.open()
    return bench


def test_it_goes_by_its_age_like_all_else_and_is_noted(tmp_path: Path) -> None:
    bench = damaged(tmp_path / "ring", max_days=1.0)
    bench.clock.go_on(86_400 - 60)
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 0
    bench.audit_works = False
    bench.clock.go_on(120)
    with pytest.raises(FootageError, match="audit"):
        bench.ring.sweep(bench.clock.now(), bench.clock.trust())
    bench.audit_works = True

    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 2

    assert not [*bench.folder.rglob("*.damaged")]
    assert (9, "age") in [(each.ranges[0].first, each.why) for each in bench.deletions]
    assert bench.ring.used_bytes < 2_000_000
    bench.ring.close()


@pytest.mark.parametrize("years", [-50, 50])
def test_a_step_of_the_clock_that_the_ring_does_not_go_by_yet_dates_nothing_back_and_deletes_nothing(
    tmp_path: Path, years: int
) -> None:
    """Dated 50 years back it would go at once when the right time comes again."""
    bench = damaged(tmp_path / "ring", max_days=1.0)
    bench.ring.recover()
    now = bench.clock.now()
    stepped = replace(now, wall_s=now.wall_s + years * 365 * 86_400)

    bench.ring.sweep(stepped, bench.clock.trust())
    bench.ring.sweep(now, bench.clock.trust())

    (kept,) = bench.folder.rglob("*.damaged")
    assert kept.stat().st_mtime == NOON_S
    bench.ring.close()


def test_in_the_role_of_enforcement_it_stays(tmp_path: Path) -> None:
    bench = damaged(tmp_path / "ring", max_days=1.0, role="enforcement")
    bench.clock.go_on(3 * 86_400)
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 0
    with pytest.raises(RingFull):
        bench.record(200, size=1_000_000)
    assert len([*bench.folder.rglob("*.damaged")]) == 1
    assert bench.deletions == []
    bench.ring.close()


def test_it_counts_into_the_budget_and_makes_room_when_nothing_else_is_left(tmp_path: Path) -> None:
    bench = damaged(tmp_path / "ring", size=50_000_000)
    bench.ring.recover()
    bench.record(8, size=1_000_000)
    assert disk_bytes(bench.folder) <= bench.max_bytes
    assert len([*bench.folder.rglob("*.damaged")]) == 1

    bench.record(20, size=5_000_000)

    assert disk_bytes(bench.folder) <= bench.max_bytes
    assert not [*bench.folder.rglob("*.damaged")]
    bench.ring.close()


def test_what_cannot_be_deleted_keeps_nothing_else_from_its_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = damaged(tmp_path / "ring", max_days=1.0)
    bench.clock.go_on(3 * 86_400)
    unlink = Path.unlink

    def fails(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".damaged":
            raise OSError(errno.EPERM, "Operation not permitted")
        unlink(path, missing_ok)

    with monkeypatch.context() as failing:
        failing.setattr(Path, "unlink", fails)
        with pytest.raises(FootageError, match="not permitted"):
            bench.ring.sweep(bench.clock.now(), bench.clock.trust())
    assert bench.ring.index.numbers("north") == set()
    assert bench.ring.sweep(bench.clock.now(), bench.clock.trust()) == 1
    bench.ring.close()
