"""agent.outbox.database"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.core.types import Instant
from agent.errors import OutboxError
from agent.outbox import database
from agent.outbox.database import (
    APPLICATION_ID,
    VERSION,
    connect,
    in_memory,
    is_damage,
    is_out_of_reach,
    is_sound,
    log_of,
)
from agent.outbox.recovery.pages import PAGE
from tests.support.outboxes import by_hand

AT = Instant(1000.0, 1_770_000_000.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def made(path: Path) -> None:
    database.close(connect(path, AT, 0, None), path)


def killed(path: Path) -> None:
    """As a crash leaves it: running, with what was put last in the log alone."""
    first = path.with_name("first.db")
    with closing(connect(first, AT, 0, None)) as db:
        for number in range(6):
            db.execute("update life set replaced = ?", (number,))
        for end in ("", "-wal"):
            shutil.copy(f"{first}{end}", f"{path}{end}")


def test_invariant_1_each_commit_is_synced(path: Path) -> None:
    with closing(connect(path, AT, 0, None)) as db:
        assert db.execute("pragma journal_mode").fetchone() == ("wal",)
        assert db.execute("pragma synchronous").fetchone() == (2,)  # FULL
        assert db.execute("pragma page_size").fetchone() == (PAGE,)
        assert db.execute("pragma wal_autocheckpoint").fetchone() == (database.CHECKPOINT_PAGES,)
        assert db.execute("pragma application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("pragma user_version").fetchone() == (VERSION,)


def test_a_new_file_begins_a_stream_and_continues_the_chain(path: Path, tmp_path: Path) -> None:
    seal = ("before", 7, b"\x01" * 32)
    columns = "stream, next_seq, replaced, damaged, running, seal_stream, seal_number, seal_sha256"
    with closing(connect(path, AT, 2, seal)) as db, closing(in_memory(AT, 2, seal)) as memory:
        stream, *life = db.execute(f"select {columns} from life").fetchone()
        other, *of_memory = memory.execute(f"select {columns} from life").fetchone()

    assert database.STREAM.fullmatch(stream)
    assert stream != other
    assert life == [1, 0, 2, 1, *seal]
    assert of_memory == [1, 0, 2, 0, *seal]


def test_an_empty_file_becomes_an_outbox(path: Path) -> None:
    path.touch()
    made(path)

    assert is_sound(path)


def test_a_file_is_the_same_when_it_is_opened_again(path: Path) -> None:
    with closing(connect(path, AT, 0, None)) as db:
        before = db.execute("select stream from life").fetchone()
        database.close(db, path)
    assert not log_of(path).exists()
    with closing(connect(path, AT, 0, None)) as db:
        assert db.execute("select stream from life").fetchone() == before


def test_what_a_crash_leaves_is_whole(path: Path) -> None:
    killed(path)
    with closing(connect(path, AT, 0, None)) as db:
        assert db.execute("select replaced, running from life").fetchone() == (5, 1)


def test_invariant_8_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    made(path)
    by_hand(path, "pragma user_version = 99", "update life set version = 99", "pragma wal_checkpoint(truncate)")
    before = path.read_bytes()
    with pytest.raises(OutboxError, match="version 99"):
        connect(path, AT, 0, None)

    assert path.read_bytes() == before


def test_invariant_8_a_file_of_another_program_is_refused_and_left_alone(path: Path) -> None:
    by_hand(path, "create table theirs (x)")
    before = path.read_bytes()
    with pytest.raises(OutboxError, match="another program"):
        connect(path, AT, 0, None)

    assert path.read_bytes() == before


def log_gone(path: Path) -> None:
    killed(path)
    log_of(path).unlink()


def log_of_another(path: Path) -> None:
    killed(path)
    log = log_of(path).read_bytes()
    for end in ("", "-wal"):
        path.with_name(path.name + end).unlink()
    path.with_name("first.db").unlink()
    killed(path)
    log_of(path).write_bytes(log)


def log_broken(path: Path) -> None:
    killed(path)
    with log_of(path).open("r+b") as file:
        file.seek(32 + 24 + 50)
        file.write(b"\xff\xfe\xfd")


def log_is_a_folder(path: Path) -> None:
    made(path)
    log_of(path).mkdir()


def a_folder(path: Path) -> None:
    path.mkdir()


def emptied(path: Path) -> None:
    killed(path)
    path.write_bytes(b"")


def two_versions(path: Path) -> None:
    made(path)
    by_hand(path, "pragma user_version = 99")


def early_version(path: Path) -> None:
    made(path)
    by_hand(path, "pragma user_version = 1", "update life set version = 1")


def no_header(path: Path) -> None:
    made(path)
    by_hand(path, "pragma application_id = 5")


def flipped(path: Path) -> None:
    made(path)
    with path.open("r+b") as file:
        file.seek(3 * PAGE)
        file.write(b"\xff" * 30)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (log_gone, "its log is gone"),
        (log_of_another, "its log is of another outbox"),
        (log_broken, "its log is broken"),
        (log_is_a_folder, "its log is not a file"),
        (a_folder, "it is not a file"),
        (emptied, "it is empty, its log is not"),
        (two_versions, "two versions"),
        (early_version, "of an early trial: it is kept aside"),
        (no_header, "its header is not that of an outbox"),
        (flipped, "quick_check finds damage|malformed"),
    ],
)
def test_invariant_9_what_is_damaged_is_told_before_anything_is_written(
    path: Path, spoil: Callable[[Path], None], why: str
) -> None:
    spoil(path)
    before = {each: each.read_bytes() for each in path.parent.glob("outbox.db*") if each.is_file()}
    with pytest.raises(sqlite3.DatabaseError, match=why) as raised:
        connect(path, AT, 0, None)

    assert is_damage(raised.value)
    assert not is_out_of_reach(raised.value)
    kept = {each: content for each, content in before.items() if not each.name.endswith("-shm")}
    assert {each: each.read_bytes() for each in kept} == kept


def test_a_log_that_we_folded_ourselves_may_be_gone(path: Path) -> None:
    log_gone(path)
    with closing(connect(path, AT, 0, None, log_may_be_gone=True)) as db:
        assert db.execute("select running from life").fetchone() == (1,)


def test_a_sound_file_is_told_from_a_damaged_one(path: Path) -> None:
    made(path)
    assert is_sound(path)
    with path.open("r+b") as file:
        file.seek(3 * PAGE)
        file.write(b"\xff" * 30)
    assert not is_sound(path)
    with pytest.raises(sqlite3.OperationalError) as raised:
        is_sound(path.with_name("none"))

    assert is_out_of_reach(raised.value)
    assert not is_damage(raised.value)


def test_closing_never_raises(path: Path) -> None:
    db = connect(path, AT, 0, None)
    db.execute("pragma query_only = on")
    database.close(db, path)
    database.close(db, path)
