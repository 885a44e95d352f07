"""agent.evidence.recovery: index and files agree again, whatever ended the last life."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from agent.core.types import Instant
from agent.errors import FootageError
from agent.evidence.encryption import decrypt
from agent.evidence.fragment import Fragment
from agent.evidence.links import FIRST, LinkFault, verify_links
from agent.evidence.listing.index import Index
from agent.evidence.listing.index_file import FILE
from agent.evidence.segment import read_segment
from tests.support.footage import NOON_S, RingBench, piece
from tests.support.nobody import as_nobody, open_folder

LINES = "import sys; from tests.support.footage import record_for_ever; record_for_ever(sys.argv[1])"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RingBench]:
    made = RingBench(tmp_path / "ring")
    yield made
    made.ring.close()


def agree(bench: RingBench) -> None:
    """Index and disk name the same, everything plays, and the chain holds."""
    index = bench.ring.index
    for camera in index.cameras():
        lying = {int(path.stem) for path in (bench.folder / camera).glob("*.seg")}
        assert lying == index.numbers(camera)
        links = [index.link(camera, number) for number in sorted(lying)]
        assert verify_links([link for link in links if link]) == ()
        for row in index.segments(camera, 0, NOON_S * 2):
            lies = read_segment(bench.folder / camera / f"{row.number:010d}.seg", check=True)
            assert lies is not None
            assert lies.ended
            assert not lies.torn
            for each in lies.fragments:
                assert decrypt(bench.ring.read(each), bench.identity)


def test_an_index_that_is_gone_or_damaged_is_made_anew_from_the_files(bench: RingBench) -> None:
    given = bench.record(35)
    bench.record(35, camera="south")
    bench.ring.cut("north")
    head = bench.ring.index.head("north")
    for spoil in (lambda path: path.unlink(), lambda path: path.write_bytes(b"no database" * 1000)):
        bench.ring.close()
        spoil(bench.folder / FILE)
        bench.open()

        assert bench.plain("north", NOON_S, NOON_S + 35) == [each.data for each in given]
        assert bench.ring.index.head("north") == head
        agree(bench)
    (bench.folder / FILE).with_name("index.db-wal").unlink(missing_ok=True)


def test_damage_that_is_found_at_work_is_mended_at_work(bench: RingBench) -> None:
    given = bench.record(60)
    bench.ring.cut("north")
    bench.ring.close()
    with (bench.folder / FILE).open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xff" * 4096 * 6)
    bench.open()

    assert bench.plain("north", NOON_S, NOON_S + 60) == [each.data for each in given]
    agree(bench)


def open_segment(bench: RingBench) -> Fragment:
    """Two segments, and four seconds of a third that is still being written; the piece that comes next."""
    bench.record(24)
    return piece("north", "run-1", "media", bench.clock.now(), 2.0, b"next" * 2000)


def test_what_is_being_written_is_not_written_on_after_it_was_looked_through(bench: RingBench) -> None:
    following = open_segment(bench)
    bench.ring.index.file.damaged = True

    assert bench.ring.rebuild()
    bench.ring.append(following)
    bench.clock.go_on(2.0)
    bench.record(10, run="run-2")
    bench.ring.cut("north")

    assert b"next" * 2000 in bench.plain("north", NOON_S, NOON_S + 60)
    assert not bench.ring.index.gaps("north", NOON_S, NOON_S + 36)
    agree(bench)


def test_a_deletion_that_failed_leaves_what_is_being_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = RingBench(tmp_path / "ring", max_days=1.0)
    bench.record(20, camera="south")
    bench.ring.cut("south")
    bench.clock.go_on(2 * 86_400)
    following = open_segment(bench)
    with monkeypatch.context() as failing:
        failing.setattr(Path, "unlink", _fails)
        with pytest.raises(FootageError, match="error"):
            bench.ring.sweep(bench.clock.now(), bench.clock.trust())

    bench.ring.append(following)
    bench.clock.go_on(2.0)
    bench.ring.cut("north")

    assert bench.ring.index.numbers("south") == set()
    assert b"next" * 2000 in bench.plain("north", NOON_S, NOON_S * 2)
    agree(bench)
    bench.ring.close()


def test_one_who_looks_through_and_those_who_write_never_wait_for_each_other(bench: RingBench) -> None:
    stop = threading.Event()
    failed: list[Exception] = []

    def write(camera: str) -> None:
        at = bench.clock.now()
        with suppress(FootageError):  # the ring is closed in the end
            bench.ring.append(piece(camera, "run", "init", at, 0.0, b"init"))
        while not stop.is_set():
            try:
                bench.ring.append(piece(camera, "run", "media", at, 2.0, b"x" * 500))
            except FootageError as error:
                failed.append(error)
            at = Instant(at.mono_s + 2.0, at.wall_s + 2.0)

    writers = [threading.Thread(target=write, args=(f"cam-{n}",), daemon=True) for n in range(4)]
    for each in writers:
        each.start()
    for _ in range(20):
        bench.ring.index.file.damaged = True
        bench.ring.rebuild()
    stop.set()
    for each in writers:
        each.join(30)

    assert not any(each.is_alive() for each in writers)
    assert failed == []
    for number in range(4):
        bench.ring.cut(f"cam-{number}")
    agree(bench)


def _fails(path: Path, missing_ok: bool = False) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_files_and_rows_that_are_gone_are_forgotten(bench: RingBench) -> None:
    bench.record(60)
    bench.ring.cut("north")
    bench.ring.close()
    (bench.folder / "north" / "0000000003.seg").unlink()

    bench.open()

    assert bench.ring.index.numbers("north") == {1, 2, 4, 5, 6}
    (gap,) = bench.ring.index.gaps("north", NOON_S, NOON_S + 60)
    assert (gap.from_s, gap.to_s, gap.why) == (NOON_S + 20, NOON_S + 30, "")


def test_a_deletion_that_was_cut_is_finished(bench: RingBench) -> None:
    bench.record(60)
    bench.ring.cut("north")
    rows = bench.ring.index.segments("north", NOON_S, NOON_S + 20)
    bench.ring.index.forget(rows)

    found = bench.reopen().recover()

    assert found.deleted == 2
    agree(bench)


def test_strange_files_are_left_alone(bench: RingBench) -> None:
    bench.record(20)
    bench.ring.close()
    (bench.folder / "north" / "notes.txt").write_text("mine")
    (bench.folder / "lost+found").mkdir()
    found = bench.folder / "lost+found" / "0000000001.seg"
    found.write_bytes(b"of the file system")
    (bench.folder / "north" / "0000000099.seg").write_bytes(b"nonsense")

    bench.open()

    assert bench.ring.index.numbers("north") == {1, 2}
    assert (bench.folder / "north" / "notes.txt").read_text() == "mine"
    assert not (bench.folder / "north" / "0000000099.seg").exists()
    assert found.read_bytes() == b"of the file system"


@pytest.fixture
def open_bench() -> Iterator[RingBench]:
    with open_folder() as folder:
        made = RingBench(folder / "ring")
        yield made
        made.ring.close()


def test_what_cannot_be_read_costs_no_other_footage(open_bench: RingBench) -> None:
    bench = open_bench
    for camera in ("north", "south", "west"):
        bench.record(20, camera=camera)
    bench.ring.close()
    (bench.folder / FILE).unlink()

    def look_through() -> None:
        (bench.folder / "south").chmod(0)
        (bench.folder / "west" / "0000000001.seg").chmod(0)
        bench.open()
        found = bench.ring.recover()
        assert (found.unreadable, found.aside) == (1, 1)
        assert bench.ring.index.numbers("north") == {1, 2}
        assert bench.ring.index.numbers("west") == {2}
        bench.record(10, camera="north", run="run-2")
        bench.record(10, camera="west", run="run-2")
        bench.record(10, camera="east")
        with pytest.raises(FootageError, match="Permission denied"):
            bench.record(10, camera="south", run="run-2")
        bench.ring.close()
        (bench.folder / "south").chmod(0o750)
        bench.reopen().recover()
        assert bench.ring.index.numbers("south") == {1, 2}

    as_nobody(bench.folder, look_through)


def test_a_partition_of_its_own_has_a_folder_that_only_root_reads(open_bench: RingBench) -> None:
    bench = open_bench
    bench.folder.mkdir()
    lost = bench.folder / "lost+found"
    lost.mkdir(mode=0o700)

    def record() -> None:
        lost.chmod(0)
        bench.record(10)
        bench.ring.cut("north")
        assert bench.ring.index.numbers("north") == {1}

    as_nobody(bench.folder, record)


def flip(path: Path, record: int) -> bytes:
    """A bit of the beginning of a record is another one; what lies there then."""
    data, at = bytearray(path.read_bytes()), -1
    for _ in range(record):
        at = data.index(b"ngR1", at + 1)
    data[at] ^= 1
    path.write_bytes(data)
    return bytes(data)


def test_damaged_footage_is_never_cut_or_deleted_unnoted(tmp_path: Path) -> None:
    bench = RingBench(tmp_path / "ring", role="enforcement")
    given = bench.record(50)
    bench.ring.close()
    north = bench.folder / "north"
    first = flip(north / "0000000001.seg", record=1)
    second = flip(north / "0000000002.seg", record=4)
    third = (north / "0000000003.seg").read_bytes().replace(b'"v":1', b'"v":7', 1)
    (north / "0000000003.seg").write_bytes(third)
    last = flip(north / "0000000005.seg", record=1)
    (bench.folder / FILE).write_bytes(b"no database" * 1000)

    found = bench.open().recover()

    assert (found.aside, found.cut, found.empty) == (3, 0, 0)
    assert (north / "0000000001.seg.damaged").read_bytes() == first
    assert (north / "0000000002.seg").read_bytes() == second
    assert (north / "0000000003.seg.damaged").read_bytes() == third
    assert (north / "0000000005.seg.damaged").read_bytes() == last
    assert bench.deletions == []
    assert bench.plain("north", NOON_S, NOON_S + 39) == [each.data for each in (*given[5:7], *given[15:20])]
    assert bench.ring.used_bytes >= sum(path.stat().st_size for path in bench.folder.rglob("*"))
    bench.record(10, run="run-2")
    bench.ring.cut("north")
    assert bench.ring.index.numbers("north") == {2, 4, 6}, "the station may have heard of 5"
    assert [fault.what for fault in faults(bench)] == ["missing", "missing"]
    bench.ring.close()


def test_what_a_cut_of_the_power_tore_hides_nothing_that_is_whole_before_it(
    bench: RingBench, tmp_path: Path
) -> None:
    """The disk had taken a later piece before an earlier one."""
    given = bench.record(8)
    shutil.copytree(bench.folder, tmp_path / "after")
    (open_one,) = (tmp_path / "after" / "north").glob("*.seg")
    stored = read_segment(open_one)
    assert stored is not None
    torn = bytearray(open_one.read_bytes())
    body = stored.media[2]
    torn[body.position : body.position + body.bytes] = bytes(body.bytes)
    open_one.write_bytes(torn)

    after = RingBench(tmp_path / "after")
    after.identity = bench.identity
    found = after.ring.recover()

    assert (found.listed, found.cut, found.aside) == (1, 1, 1)
    assert after.plain("north", NOON_S, NOON_S + 60) == [each.data for each in given[:2]]
    rest = open_one.with_name(open_one.name + ".damaged").read_bytes()
    assert torn.endswith(rest)
    assert open_one.read_bytes()[: len(torn) - len(rest)] + rest == torn
    assert not after.reopen().recover()
    assert after.ring.used_bytes >= sum(path.stat().st_size for path in after.folder.rglob("*"))
    after.ring.close()


def faults(bench: RingBench) -> tuple[LinkFault, ...]:
    index = bench.ring.index
    links = [index.link("north", number) for number in sorted(index.numbers("north"))]
    return verify_links([link for link in links if link])


def test_what_is_deleted_when_the_ring_is_looked_through_is_noted(bench: RingBench) -> None:
    bench.record(60)
    bench.ring.cut("north")
    bench.ring.index.forget(bench.ring.index.segments("north", NOON_S, NOON_S + 20))
    bench.ring.close()
    (bench.folder / "north" / "0000000007.seg").write_bytes(b'{"ngatu":"segm')

    bench.open().recover()

    assert [(each.why, each.ranges[0].first, each.ranges[0].last) for each in bench.deletions] == [
        ("its deletion had begun", 1, 2),
        ("no picture in it was whole", 7, 7),
    ]
    agree(bench)


def test_in_the_role_of_enforcement_nothing_is_deleted_unnoted_when_it_is_looked_through(
    tmp_path: Path,
) -> None:
    bench = RingBench(tmp_path / "ring", role="enforcement", audit_works=False)
    bench.record(60)
    bench.ring.cut("north")
    bench.ring.index.forget(bench.ring.index.segments("north", NOON_S, NOON_S + 20))

    found = bench.reopen().recover()

    assert (found.aside, found.deleted) == (2, 2)
    assert len([*bench.folder.rglob("*.damaged")]) == 2
    bench.ring.close()


def test_a_segment_under_another_name_is_not_believed(bench: RingBench) -> None:
    bench.record(20)
    bench.ring.close()
    source = bench.folder / "north" / "0000000001.seg"
    (bench.folder / "south").mkdir()
    (bench.folder / "south" / "0000000001.seg").write_bytes(source.read_bytes())

    bench.open()

    assert bench.ring.index.cameras() == ["north"]


@pytest.mark.long
def test_a_cut_between_any_two_writes_leaves_a_ring_that_agrees(tmp_path: Path) -> None:
    """SIGKILL at random moments of a process that records; a smaller count of the trial of P37."""
    folder = tmp_path / "ring"
    bench = RingBench(folder)
    (tmp_path / "recipient").write_text(bench.recipient)
    bench.ring.close()
    chance = random.Random(7)
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", LINES, str(tmp_path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()  # it records
            time.sleep(chance.uniform(0.0, 0.4))
            os.kill(child.pid, signal.SIGKILL)
            said = child.stdout.read().split()
        bench.open()
        agree(bench)
        kept = sum(row.duration_ms for row in bench.ring.index.segments("north", 0, NOON_S * 4))
        assert not said or kept >= int(said[-1]) * 2000, "what append had taken is there"
        bench.ring.close()


def test_recovering_twice_changes_nothing(bench: RingBench) -> None:
    bench.record(20)
    bench.ring.close()
    index = Index(bench.folder)
    assert index.head("north")[1] != FIRST
    index.close()

    assert not bench.reopen().recover()
    assert not bench.reopen().recover()
