"""agent.evidence.listing.index_file"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import FootageError
from agent.evidence.listing.index_file import APPLICATION, FILE, IndexFile, index_bytes

BOOT = "insert into boot values (?, ?)"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[IndexFile]:
    made = IndexFile(tmp_path)
    yield made
    made.close()


def boots(file: IndexFile) -> list[str]:
    return [boot for (boot,) in file.rows("select boot from boot order by boot")]


def test_a_transaction_that_breaks_off_leaves_nothing_of_it(file: IndexFile) -> None:
    with file.writing() as db:
        db.execute(BOOT, ("first", 1))
    with pytest.raises(ZeroDivisionError), file.writing() as db:
        db.execute(BOOT, ("second", 1 // 0))
    with pytest.raises(FootageError, match="no such table"), file.writing() as db:
        db.execute(BOOT, ("third", 3))
        db.execute("insert into nowhere values (1)")
    assert boots(file) == ["first"]
    with file.writing() as db:
        db.execute(BOOT, ("fourth", 4))
    assert boots(file) == ["first", "fourth"]


def test_what_was_written_is_there_when_it_is_opened_again_and_not_begun_anew(tmp_path: Path) -> None:
    first = IndexFile(tmp_path)
    assert first.fresh
    with first.writing() as db:
        db.execute(BOOT, ("one", 1))
    first.close()
    first.close()

    again = IndexFile(tmp_path)
    assert boots(again) == ["one"]
    assert again.one("pragma application_id") == APPLICATION
    again.close()


@pytest.mark.parametrize("spoiled", ["no database", "of another program", "pages"])
def test_what_is_damaged_or_not_ours_is_begun_anew_but_never_by_who_only_reads(
    tmp_path: Path, spoiled: str
) -> None:
    path = tmp_path / FILE
    made = IndexFile(tmp_path)
    with made.writing() as db:
        db.executemany(BOOT, [(f"{number:0100}", number) for number in range(500)])
    made.close()
    if spoiled == "no database":
        path.write_bytes(b"no database" * 1000)
    elif spoiled == "of another program":
        path.unlink()
        other = sqlite3.connect(path)
        other.execute("create table theirs (a)")
        other.close()
    else:
        data = bytearray(path.read_bytes())
        data[4096:] = bytes(len(data) - 4096)
        path.write_bytes(data)
    before = path.read_bytes()

    if spoiled != "of another program":
        with pytest.raises(FootageError):
            IndexFile(tmp_path, readonly=True)
        assert path.read_bytes() == before

    anew = IndexFile(tmp_path)
    assert anew.fresh
    assert boots(anew) == []
    anew.close()


def test_a_disk_that_gives_no_file_is_no_damage_and_nothing_is_deleted(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    (tmp_path / FILE / "kept").write_text("kept")
    with pytest.raises(FootageError, match=r"is the disk full, read-only or dying\?"):
        IndexFile(tmp_path)
    assert (tmp_path / FILE / "kept").read_text() == "kept"


def test_one_that_somebody_else_holds_is_no_damage_and_stays(tmp_path: Path) -> None:
    IndexFile(tmp_path).close()
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("pragma locking_mode = exclusive")
    other.execute(BOOT, ("one", 1))
    with pytest.raises(FootageError, match="locked"):
        IndexFile(tmp_path)
    other.close()
    again = IndexFile(tmp_path)
    assert boots(again) == ["one"]
    again.close()


@pytest.mark.parametrize(
    ("code", "damaged"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_CORRUPT_INDEX, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_IOERR_READ, False),
        (sqlite3.SQLITE_BUSY, False),
    ],
)
def test_damage_that_is_found_while_it_is_used_is_noted_and_a_full_disk_is_none(
    file: IndexFile, code: int, damaged: bool
) -> None:
    error = sqlite3.DatabaseError("as SQLite says once it reads a page that it has not in memory")
    error.sqlite_errorcode = code
    said = file.failure(error)
    assert str(file.folder) in str(said)
    assert file.damaged is damaged


def test_who_only_reads_sees_what_was_written_and_writes_nothing(file: IndexFile) -> None:
    with file.writing() as db:
        db.execute(BOOT, ("one", 1))
    reader = IndexFile(file.folder, readonly=True)
    assert boots(reader) == ["one"]
    assert not reader.fresh
    with pytest.raises(FootageError), reader.writing() as db:
        db.execute(BOOT, ("two", 2))
    assert boots(file) == ["one"]
    reader.close()


def test_its_size_is_that_of_all_its_files(file: IndexFile) -> None:
    with file.writing() as db:
        db.executemany(BOOT, [(f"{number:0100}", number) for number in range(500)])
    parts = [file.folder / (FILE + end) for end in ("", "-wal", "-shm")]
    assert index_bytes(file.folder) == sum(part.stat().st_blocks * 512 for part in parts)
    assert index_bytes(file.folder / "nowhere") == 0
