"""station.store.wal.checkpoint"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text
from structlog.testing import capture_logs

from station.store.database import engine_of, turn_of
from station.store.wal import checkpoint
from station.store.wal.checkpoint import LogCheckpoint
from station.store.wal.frames import log_fill, log_of
from tests.support.brokers import until
from tests.support.stores import Place

FOLD = 100


@pytest.fixture
def engine(sqlite_place: Place) -> Iterator[Engine]:
    """Of a writer."""
    engine = engine_of(sqlite_place.url)
    with engine.begin() as connection:
        connection.execute(text("create table it (number integer primary key, filler blob)"))
    yield engine
    engine.dispose()


def file_of(url: URL) -> Path:
    return Path(str(url.database))


def write(engine: Engine, frames: int) -> None:
    """At least so many pages into the log, in small transactions."""
    for _ in range(frames // 25):
        with engine.begin() as connection:
            connection.execute(text("insert into it (filler) values (randomblob(100000))"))


def held(engine: Engine) -> int:
    """Frames of the log."""
    return log_fill(log_of(file_of(engine.url))).frames


def test_a_long_log_comes_into_the_file_and_is_begun_anew(engine: Engine) -> None:
    with closing(LogCheckpoint(engine.url, FOLD)) as its:
        write(engine, FOLD // 2)
        small = file_of(engine.url).stat().st_size
        assert not its.once(), "it is short"
        write(engine, FOLD)
        before = held(engine)
        assert its.once()
        grown, length = file_of(engine.url).stat().st_size, log_of(file_of(engine.url)).stat().st_size
        assert not its.once(), "nobody wrote since"
        write(engine, 25)

        assert before >= FOLD
        assert grown > small + FOLD * 4096
        assert 0 < held(engine) < before
        assert log_of(file_of(engine.url)).stat().st_size == length


def test_a_writer_folds_nothing_in_by_itself_before_the_log_is_very_long(engine: Engine) -> None:
    small = file_of(engine.url).stat().st_size
    write(engine, 2_000)

    assert held(engine) >= 2_000
    assert file_of(engine.url).stat().st_size == small


@pytest.mark.long
def test_the_log_stays_short_however_long_is_written(engine: Engine) -> None:
    """Invariant 3."""
    longest = rounds = 0
    with closing(LogCheckpoint(engine.url, FOLD)) as its:
        for _ in range(40):
            write(engine, 50)
            longest = max(longest, held(engine))
            rounds += its.once()

    assert rounds > 10
    assert longest < 3 * FOLD
    with engine.connect() as connection:
        assert connection.scalar(text("pragma integrity_check")) == "ok"


def test_who_writes_all_the_time_does_not_keep_its_thread_from_folding_in(engine: Engine) -> None:
    wanted = 0
    with closing(LogCheckpoint(engine.url, FOLD)) as its:
        its.start()
        salts, until_s = set[bytes](), time.monotonic() + 60.0
        while len(salts) < 4 and time.monotonic() < until_s:
            write(engine, 50)
            wanted += 2
            salts.add(log_fill(log_of(file_of(engine.url))).salt)

    assert len(salts) >= 4, "begun anew three times"
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from it")) == wanted


def test_what_was_copied_is_on_the_disk_before_writers_are_held(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite by itself syncs all of it at the end, and whoever wants to commit waits for the disk as long."""
    file, turn = file_of(engine.url), turn_of(engine.url)
    synced: list[tuple[int, bool]] = []
    to_disk = os.fdatasync

    def noted(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, turn.locked()))
        to_disk(descriptor)

    monkeypatch.setattr(os, "fdatasync", noted)
    write(engine, 2 * FOLD)
    with closing(LogCheckpoint(engine.url, FOLD)) as its:
        assert its.once()

    assert synced[0] == (file.stat().st_ino, False)
    assert not any(held for _, held in synced)


def test_a_pass_beside_a_writer_leaves_the_last_commits_to_the_next_one(engine: Engine) -> None:
    """Else SQLite takes it for the last pass of all and syncs in one go."""
    write(engine, 2 * FOLD)
    with closing(LogCheckpoint(engine.url, FOLD)) as its, closing(raw(engine)) as connection:
        busy = threading.Event()

        def writes() -> None:
            while not busy.wait(0.002):
                write(engine, 25)

        writer = threading.Thread(target=writes)
        writer.start()
        try:
            until(lambda: held(engine) > 3 * FOLD, what="it writes")
            copied = its.copied_beside(connection)
        finally:
            busy.set()
            writer.join()

        assert 2 * FOLD < copied < held(engine)


def raw(engine: Engine) -> sqlite3.Connection:
    """A connection of SQLite's own, as the thread has one."""
    connection = sqlite3.connect(file_of(engine.url))
    connection.isolation_level = None
    return connection


def test_a_reader_keeps_what_it_sees_and_holds_up_no_writer(engine: Engine) -> None:
    """Invariant 2."""
    write(engine, FOLD)
    reader = engine_of(engine.url, writes=False)
    with closing(LogCheckpoint(engine.url, FOLD, 3 * FOLD)) as its:
        with reader.connect() as connection, connection.begin():
            seen = connection.scalar(text("select count(*) from it"))
            write(engine, FOLD)
            assert not its.once()
            write(engine, 25)
            assert held(engine) > 2 * FOLD
            assert connection.scalar(text("select count(*) from it")) == seen
        write(engine, checkpoint.AGAIN_FRAMES)  # it is not tried again for each frame
        assert its.once()
    reader.dispose()


def test_a_log_that_a_reader_makes_too_long_is_told(engine: Engine) -> None:
    reader = engine_of(engine.url, writes=False)
    with (
        closing(LogCheckpoint(engine.url, FOLD, 3 * FOLD)) as its,
        reader.connect() as connection,
        connection.begin(),
        capture_logs() as lines,
    ):
        connection.scalar(text("select count(*) from it"))
        write(engine, 5 * FOLD)
        assert not its.once()
        assert not its.once()
    reader.dispose()

    assert [line["event"] for line in lines] == ["log_stays_long"]


def test_a_writer_in_its_transaction_is_not_waited_for_long(engine: Engine) -> None:
    write(engine, 2 * FOLD)
    with closing(LogCheckpoint(engine.url, FOLD)) as its:
        with engine.begin() as connection:
            connection.execute(text("insert into it (filler) values (1)"))
            begun_s = time.monotonic()
            done = its.once()
            took_s = time.monotonic() - begun_s
        write(engine, checkpoint.AGAIN_FRAMES)

        assert not done
        assert took_s < 5.0
        assert its.once()


def test_it_ends_at_once_also_at_work(engine: Engine) -> None:
    write(engine, 2_000)
    its = LogCheckpoint(engine.url, FOLD)
    its.start()
    until(lambda: "checkpoint" in {thread.name for thread in threading.enumerate()})
    begun_s = time.monotonic()
    its.close()

    assert time.monotonic() - begun_s < 10.0
    assert "checkpoint" not in {thread.name for thread in threading.enumerate()}
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from it")) == 80
        assert connection.scalar(text("pragma integrity_check")) == "ok"


def test_what_fails_is_told_once_and_so_is_its_end(engine: Engine) -> None:
    """Invariant 4. The log is there, and the file is not."""
    write(engine, 2 * FOLD)
    file, away = file_of(engine.url), file_of(engine.url).with_name("away.db")
    with closing(LogCheckpoint(engine.url, FOLD)) as its, capture_logs() as lines:
        file.rename(away)
        file.mkdir()
        assert not its.once()
        assert not its.once()
        file.rmdir()
        away.rename(file)
        assert its.once()

    assert [line["event"] for line in lines] == ["checkpoint_failed", "checkpoints_again"]


def test_there_is_nothing_to_do_on_postgresql(place: Place) -> None:
    with closing(LogCheckpoint(place.url)) as its:
        its.start()
        started = "checkpoint" in {thread.name for thread in threading.enumerate()}

    assert started == (place.url.drivername == "sqlite")


_LIFE = """
import sys
from sqlalchemy import URL, text
from station.store.database import engine_of, turn_of
from station.store.wal.checkpoint import LogCheckpoint

url = URL.create("sqlite", database=sys.argv[1])
engine = engine_of(url)
with engine.begin() as connection:
    connection.execute(text("create table if not exists it (number integer primary key, filler blob)"))
LogCheckpoint(url, 60, 200).start()
while True:
    with engine.begin() as connection:
        connection.execute(text("insert into it (filler) values (randomblob(9000))"))
        number = connection.scalar(text("select max(number) from it"))
    print(number, flush=True)
"""


@pytest.mark.long
@pytest.mark.parametrize("lived", [1, 60, 300])
def test_what_was_committed_is_there_after_it_was_killed_at_its_work(tmp_path: Path, lived: int) -> None:
    """Invariant 1; two lives over one file."""
    path, announced = tmp_path / "it.db", 0
    for _ in range(2):
        words = [sys.executable, "-c", _LIFE, str(path)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as life:
            assert life.stdout is not None
            for _, line in zip(range(lived), life.stdout, strict=False):
                announced = int(line)
            life.send_signal(signal.SIGKILL)
            with suppress(ValueError):
                announced = max([announced, *(int(line) for line in life.stdout if line.endswith("\n"))])
        with closing(sqlite3.connect(path)) as connection:
            numbers = [row[0] for row in connection.execute("select number from it order by number")]
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= announced
