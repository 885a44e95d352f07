"""agent.commands.database"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.commands.database import APPLICATION_ID, FORMER_NAME, IN_MEMORY, VERSION, connect, set_aside
from agent.commands.journal import CommandState, Journal, StoredAck
from agent.commands.policy import Verb
from agent.errors import OutboxError

VERSION_1 = """
create table if not exists command (
    id        text primary key,
    verb      text not null,
    args      text not null,
    issuer    text not null,
    issued_s  real not null,
    expires_s real not null,
    sha256    text not null,
    state     text not null,
    answer    blob,
    picture   blob,
    topic     text,
    told      integer not null default 0
) strict;
create index if not exists by_issue on command (issued_s);
create index if not exists untold on command (told) where told = 0;
create table if not exists pause (
    camera       text not null,
    rule         text not null,
    until_s      real not null,
    boot_id      text not null,
    until_mono_s real not null,
    issuer       text not null,
    primary key (camera, rule)
) strict;
create table if not exists memory (forgotten_s real not null) strict;
insert into memory values (1000.0);
insert into command values ('a', 'ping', '{}', 'officer', 2000, 2600, 'aa', 'accepted', null, null, null, 0);
insert into command values ('b', 'ping', '{}', 'officer', 2001, 2601, 'bb', 'done', x'7b7d', x'ff', 'p', 0);
insert into command values ('c', 'ping', '{}', 'officer', 2002, 2602, 'cc', 'done', x'7b7d', null, null, 1);
insert into pause values ('north', '', 9e9, 'boot-1', 5000, 'officer');
"""
"""As the development version wrote it, with a command of each kind."""


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def test_every_commit_is_synced_and_no_memory_is_mapped(tmp_path: Path) -> None:
    """That what is noted survives a power cut is the settings' doing; a map on a full disk would kill us."""
    with closing(connect(tmp_path / "commands.db", 0.0)) as db:
        assert db.execute("pragma synchronous").fetchone() == (3,)  # extra
        assert db.execute("pragma journal_mode").fetchone() == ("persist",)
        assert db.execute("pragma application_id").fetchone() == (APPLICATION_ID,)
        assert db.execute("pragma user_version").fetchone() == (VERSION,)
        assert {path.name for path in tmp_path.iterdir()} <= {"commands.db", "commands.db-journal"}


def test_a_journal_of_version_1_is_taken_over_with_all_that_waits_in_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FORMER_NAME)) as db:
        db.executescript(VERSION_1)
    for _ in range(2):  # at the first start of this version, and at the next
        journal = Journal(tmp_path / "commands.db", 5000.0)
        open_commands = [(command.id, command.verb, state) for command, state in journal.unended()]
        acks, pauses, known = journal.acks(), journal.pauses(), journal.find("c")
        journal.close()

        assert open_commands == [("a", Verb.PING, CommandState.ACCEPTED)]
        assert acks == [StoredAck("b", b"{}", b"\xff", "p")]
        assert [pause.camera for pause in pauses] == ["north"]
        assert known is not None
        assert known.state is CommandState.DONE
        assert {path.name for path in tmp_path.iterdir()} <= {"commands.db", "commands.db-journal"}

    connect(tmp_path / "new.db", 0.0).close()
    schema = {line for line in content(tmp_path / "new.db") if line.startswith("CREATE INDEX")}
    assert schema <= set(content(tmp_path / "commands.db"))


def test_what_a_power_cut_left_half_written_of_version_1_is_rolled_back_under_the_new_name(
    tmp_path: Path,
) -> None:
    former, path = tmp_path / FORMER_NAME, tmp_path / "commands.db"
    with closing(sqlite3.connect(former)) as db:
        db.executescript(VERSION_1)
    with closing(sqlite3.connect(former, isolation_level=None)) as db:
        db.execute("pragma cache_spill = 1")
        db.execute("pragma cache_size = 1")  # so that pages are written before the commit
        db.execute("begin immediate")
        db.execute("update command set state = 'refused'")
        for name in ("x1", "x2", "x3"):
            db.execute(
                "insert into command (id, verb, args, issuer, issued_s, expires_s, sha256, state, answer)"
                " values (?, 'ping', '{}', '', 0, 0, '', 'done', zeroblob(5000))",
                (name,),
            )
        half = former.read_bytes(), former.with_name(former.name + "-journal").read_bytes()
        db.execute("rollback")
    former.write_bytes(half[0])
    path.with_name(path.name + "-journal").write_bytes(half[1])  # and it went again between the two renames

    journal = Journal(path, 5000.0)
    known = journal.find("a")
    journal.close()

    assert known is not None
    assert known.state is CommandState.ACCEPTED
    assert "'x1'" not in "".join(content(path))


def test_the_rollback_journal_of_version_1_goes_with_its_file(tmp_path: Path) -> None:
    """The power went in mid-transaction, and the box came up with this version."""
    former = tmp_path / FORMER_NAME
    former.with_name(former.name + "-journal").write_bytes(b"")
    with closing(sqlite3.connect(former)) as db:
        db.executescript(VERSION_1)
    former.with_name(former.name + "-journal").write_bytes(b"half")
    path = tmp_path / "commands.db"
    with capture_logs() as lines:
        connect(path, 0.0).close()

    assert lines == [{"event": "journal_upgraded", "log_level": "info", "path": str(path), "version": VERSION}]
    assert {each.name for each in tmp_path.iterdir()} <= {"commands.db", "commands.db-journal"}


def test_a_folder_that_does_not_let_the_former_file_go_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / FORMER_NAME).write_bytes(b"")
    (tmp_path / "commands.db-journal").mkdir()
    (tmp_path / (FORMER_NAME + "-journal")).write_bytes(b"")

    with pytest.raises(OutboxError) as caught:
        connect(tmp_path / "commands.db", 0.0)
    assert caught.value.what == f"command journal {tmp_path / 'commands.db'}: Is a directory"
    assert caught.value.hint == "look at the disk"
    assert (tmp_path / FORMER_NAME).exists(), "its rollback journal goes first"


def test_a_newer_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "commands.db"
    with closing(connect(path, 0.0)) as db:
        db.execute("pragma user_version = 99")
    before = path.read_bytes()

    with pytest.raises(OutboxError) as caught:
        connect(path, 0.0)
    assert caught.value.what == f"command journal {path} has version 99, this agent knows {VERSION}"
    assert caught.value.hint == "install the newer agent again, or move the file away"
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "commands.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("create table command (theirs)")

    with pytest.raises(sqlite3.DatabaseError, match="no journal"):
        connect(path, 0.0)


def test_what_is_set_aside_keeps_its_bytes_and_leaves_nothing_that_a_new_file_could_be_mixed_with(
    tmp_path: Path,
) -> None:
    path = tmp_path / "commands.db"
    for end in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + end).write_bytes(end.encode() or b"whole")
    with capture_logs() as lines:
        set_aside(path)

    kept = tmp_path / "commands.db.damaged"
    assert [(line["event"], line["log_level"], line["kept_as"]) for line in lines] == [
        ("journal_damaged", "error", str(kept))
    ]
    assert list(tmp_path.iterdir()) == [kept]
    assert kept.read_bytes() == b"whole"


def test_in_memory_no_file_of_the_folder_at_hand_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / FORMER_NAME).write_bytes(b"of someone")
    connect(IN_MEMORY, 0.0).close()

    assert (tmp_path / FORMER_NAME).read_bytes() == b"of someone"


def test_a_file_of_version_1_beside_one_of_today_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "commands.db"
    connect(path, 0.0).close()
    (tmp_path / FORMER_NAME).write_bytes(b"of before")
    with closing(connect(path, 0.0)) as db:
        assert db.execute("select forgotten_s from memory").fetchall() == [(0.0,)]

    assert (tmp_path / FORMER_NAME).read_bytes() == b"of before"
