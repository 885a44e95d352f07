"""agent.outbox.erase"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.outbox import database
from agent.outbox.database import log_of
from agent.outbox.erase import SOME_BYTES, erase_file, erase_log, erase_some
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.outbox.recovery.pages import BEING_ERASED, read_log
from agent.wire.message import Message, Priority
from tests.conftest import SteppedClock
from tests.support.outboxes import proofs

AT = Instant(1000.0, 1_760_000_000.0)
MARK = b"who was where and when, and with whom"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    """With some hundred rows in it that were deleted, and one that was not."""
    db = database.connect(path, AT, 0, None)
    db.execute("create table t (id integer primary key, x blob)")
    db.executemany("insert into t (x) values (?)", [(MARK + os.urandom(700),) for _ in range(1000)])
    db.execute("delete from t where id < 1000")
    yield db
    db.close()


def on_disk(path: Path, more: bytes = b"") -> int:
    """How often the mark is in any file of the folder, and something after it."""
    return sum(each.read_bytes().count(MARK + more) for each in path.parent.iterdir() if each.is_file())


def test_what_was_deleted_is_in_the_log_until_it_is_erased_and_what_was_not_stays(
    db: sqlite3.Connection, path: Path
) -> None:
    assert on_disk(path) > 100
    assert erase_log(db, log_of(path), whole=True)

    assert on_disk(path) == 1
    db.execute("insert into t (x) values ('more')")
    assert db.execute("select count(*) from t").fetchone() == (2,)


def test_what_came_since_is_left_to_be_overwritten_by_what_comes_and_the_rest_is_overwritten(
    db: sqlite3.Connection, path: Path
) -> None:
    assert not erase_log(db, log_of(path))
    before = log_of(path).stat().st_size
    assert on_disk(path) > 100
    db.execute("insert into t (x) values ('more')")
    assert not erase_log(db, log_of(path))
    assert 0 < log_of(path).stat().st_size < before / 10
    assert erase_log(db, log_of(path)), "nothing came since"

    assert on_disk(path) == 1
    assert log_of(path).stat().st_size == 0


def test_while_somebody_reads_in_the_log_it_is_left_and_the_next_time_it_is_erased(
    db: sqlite3.Connection, path: Path
) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("begin")
        assert reader.execute("select count(*) from t").fetchone() == (1,)
        db.execute("insert into t (x) values ('more')")
        assert not erase_log(db, log_of(path))
        assert reader.execute("select count(*) from t").fetchone() == (1,)
        reader.execute("commit")
        assert reader.execute("select count(*) from t").fetchone() == (2,)

        assert erase_log(db, log_of(path), whole=True)
        assert reader.execute("select count(*) from t").fetchone() == (2,)


def test_while_somebody_writes_it_is_left(db: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        writer.execute("insert into t (x) values ('of another')")
        assert not erase_log(db, log_of(path))
        writer.execute("commit")

    assert db.execute("select count(*) from t").fetchone() == (2,)
    assert db.execute("pragma busy_timeout").fetchone() == (5000,)


_HOLDER = """
import sys
from pathlib import Path
from agent.core.types import Instant
from agent.outbox import database
from agent.outbox.erase import erase_log
path = Path(sys.argv[1])
db = database.connect(path, Instant(1000.0, 1_760_000_000.0), 0, None)
erased = 0
for n in range(100_000):
    db.execute("insert into t (x) values (?)", (b"x" * (n % 3000),))
    print(db.execute("select max(id) from t").fetchone()[0], erased, flush=True)
    if n % 3 == 0:
        erased += erase_log(db, database.log_of(path), whole=sys.argv[2] == "True") or sys.argv[2] != "True"
"""


@pytest.mark.long
@pytest.mark.parametrize("whole", [True, False])
def test_nothing_is_lost_while_others_read_and_the_process_that_writes_and_erases_dies(
    db: sqlite3.Connection, path: Path, tmp_path: Path, whole: bool
) -> None:
    """The copy without the map of the log in memory is what a power cut leaves.

    One process writes and erases, as the outbox's lock has it: before 3.51.3 SQLite itself damages a file in
    which one process writes while another folds the log (https://www.sqlite.org/wal.html, "WAL-reset bug").
    """
    erased = 0
    for number in range(5):
        words = [sys.executable, "-c", _HOLDER, str(path), str(whole)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            said = holder.stdout.readline()
            deadline = time.monotonic() + 0.5
            while time.monotonic() < deadline:
                assert db.execute("select max(id) >= ? from t", (int(said.split()[0]),)).fetchone() == (1,)
            holder.kill()
            said = (said + holder.stdout.read()).rpartition("\n")[0].rpartition("\n")[2]
        erased += int(said.split()[1])
        copy = tmp_path / f"after-{number}" / path.name
        copy.parent.mkdir()
        copy.write_bytes(path.read_bytes())
        log_of(copy).write_bytes(log_of(path).read_bytes())
        with closing(sqlite3.connect(copy)) as after:
            assert after.execute("select max(id) from t").fetchone()[0] >= int(said.split()[0])
            assert after.execute("pragma quick_check").fetchone() == ("ok",)

    assert erased > 0


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.floats(0, 1))
def test_a_power_cut_while_a_log_is_erased_leaves_a_whole_outbox(tmp_path: Path, part: float) -> None:
    """The head is on the disk before the rest is touched; of the rest any part may be."""
    path = tmp_path / f"{part}.db"
    path.unlink(missing_ok=True)
    log_of(path).unlink(missing_ok=True)
    db = database.connect(path, AT, 0, None)
    db.execute("create table if not exists t (id integer primary key, x blob)")
    db.execute("insert into t (x) values (zeroblob(90000))")
    db.execute("pragma wal_checkpoint(restart)")
    with log_of(path).open("r+b") as log:
        log.write(BEING_ERASED)
        log.write(bytes(int(part * (log_of(path).stat().st_size - len(BEING_ERASED)))))
    copy = tmp_path / "after" / path.name
    copy.parent.mkdir(exist_ok=True)
    for source, target in ((path, copy), (log_of(path), log_of(copy))):
        target.write_bytes(source.read_bytes())
    db.close()

    assert not read_log(log_of(copy)).broken
    with closing(database.connect(copy, AT, 0, None)) as after:
        assert after.execute("select count(*) from t").fetchone() == (1,)


def test_a_file_is_overwritten_before_it_is_removed(tmp_path: Path) -> None:
    file, second_name = tmp_path / "file", tmp_path / "second-name"
    file.write_bytes(MARK * 10_000)
    os.link(file, second_name)
    erase_file(file)

    assert not file.exists()
    assert second_name.read_bytes() == bytes(len(MARK) * 10_000)


def test_a_large_file_is_overwritten_from_its_end_piece_by_piece(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(MARK * (2 * SOME_BYTES // len(MARK)))

    assert not erase_some(file)
    assert file.stat().st_size == len(MARK) * (2 * SOME_BYTES // len(MARK)) - SOME_BYTES
    assert erase_some(file)
    assert not file.exists()


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "nothing"])
def test_what_stands_in_the_place_of_a_file_is_not_followed(tmp_path: Path, kind: str) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    other.write_bytes(MARK)
    {
        "link": lambda: file.symlink_to(other),
        "pipe": lambda: os.mkfifo(file),
        "folder": file.mkdir,
        "nothing": lambda: None,
    }[kind]()
    erase_file(file)

    assert other.read_bytes() == MARK
    assert file.exists() == (kind == "folder")


# ---------------------------------------------------------------------------------- the outbox's use of it


def event(number: int, clock: SteppedClock) -> Message:
    body = b"%s %d." % (MARK, number) * 20
    return Message("camera/x/event", body, "application/json", Priority.EVENT, clock.now(), f"e{number}")


def test_what_has_a_receipt_is_on_the_disk_no_more_when_its_time_has_come(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, OutboxSettings(ballast_bytes=0, erase_after_s=300), clock)
    seqs = [seq for n in range(100) for seq in box.put([event(n, clock)])]
    box.acknowledge(box.stream, proofs(path, (seqs[0], seqs[-2])))
    for _ in range(2):
        clock.advance(150)
        assert on_disk(path, b" 50.") > 0
        box.tend()

    assert [number for number in range(100) if on_disk(path, b" %d." % number)] == [99]
    assert box.one(seqs[-1]) is not None and box.one(seqs[-2]) is None
    box.close()


def test_what_has_a_receipt_is_on_the_disk_no_more_after_a_stop(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, OutboxSettings(ballast_bytes=0), clock)
    seqs = [seq for n in range(100) for seq in box.put([event(n, clock)])]
    box.acknowledge(box.stream, proofs(path, (seqs[0], seqs[-1])))
    box.close()

    assert on_disk(path) == 0


def test_as_long_as_nothing_leaves_nothing_is_written_for_its_sake(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, OutboxSettings(ballast_bytes=0, erase_after_s=10), clock)
    clock.advance(20)
    box.tend()
    for _ in range(3):
        box.put([event(1, clock)])
        clock.advance(20)
        box.tend()

    assert log_of(path).stat().st_size > 0
    box.close()


def test_a_damaged_file_of_which_all_came_again_is_erased_and_another_after_a_week(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, OutboxSettings(ballast_bytes=0), clock)
    box.put([event(n, clock) for n in range(3)])
    box.close()
    with path.open("r+b") as file:
        file.seek(18)
        file.write(b"\xff\xff")  # how it is to be read: SQLite refuses it, its pages are whole
    box = Outbox(path, OutboxSettings(ballast_bytes=0), clock)
    assert box.salvaged()[0].whole
    box.close()
    path.write_bytes(b"no database" * 1000)
    box = Outbox(path, OutboxSettings(ballast_bytes=0), clock)
    aside = [path.with_name(f"{path.name}.damaged.{n}") for n in (1, 2)]
    assert all(each.exists() for each in aside)
    clock.advance(10)
    box.tend()
    assert [each.exists() for each in aside] == [False, True]
    os.utime(aside[1].with_name(aside[1].name + "-saved"), (clock.now().wall_s - 8 * 86400,) * 2)
    clock.advance(10)
    box.tend()

    assert not list(path.parent.glob("*.damaged.*"))
    box.close()


@pytest.mark.parametrize("years", [50, -50])
def test_a_damaged_file_is_kept_for_a_week_of_the_time_that_is_believed(
    path: Path, clock: SteppedClock, years: int
) -> None:
    believed, day_s = SteppedClock(clock.now()), 86400.0
    path.write_bytes(b"no database" * 1000)
    box = Outbox(path, OutboxSettings(ballast_bytes=0), clock, believed)
    aside = path.with_name(f"{path.name}.damaged.1")

    def later(days: float) -> None:
        clock.advance(days * day_s)
        believed.advance(days * day_s)
        box.tend()

    for step in (years, -years, years):
        clock.step_wall(step * 365 * day_s)
        later(2)
        assert aside.exists()
    later(0.9)
    assert aside.exists()
    later(0.2)

    assert not list(path.parent.glob("*.damaged.*"))
    box.close()


def test_a_damaged_file_that_was_saved_at_a_time_to_come_was_saved_now(path: Path, clock: SteppedClock) -> None:
    path.write_bytes(b"no database" * 1000)
    clock.step_wall(50 * 365 * 86400)
    box = Outbox(path, OutboxSettings(ballast_bytes=0), clock)
    aside = path.with_name(f"{path.name}.damaged.1")
    clock.step_wall(-50 * 365 * 86400)
    for days, there in ((1, True), (6.9, True), (0.2, False)):
        clock.advance(days * 86400)
        box.tend()
        assert aside.exists() is there
    box.close()
