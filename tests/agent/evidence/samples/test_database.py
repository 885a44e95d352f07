"""agent.evidence.samples.database"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.evidence.samples.database import begin_anew, connect


def test_a_new_one_is_empty_and_an_old_one_is_kept(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "samples.db")) as db:
        db.execute("insert into sample values ('a', 'road', 1, 'r', 'p', 2, 0.5, 4096, 'f')")
    with closing(connect(tmp_path / "samples.db")) as db:
        assert db.execute("select id from sample").fetchall() == [("a",)]


def test_the_file_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "samples.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table theirs (x)")

    with pytest.raises(sqlite3.OperationalError, match="another program"):
        connect(path)


def test_a_damaged_one_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "samples.db"
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(sqlite3.DatabaseError) as caught:
        connect(path)
    with closing(begin_anew(path, caught.value)) as db:
        assert db.execute("select count(*) from sample").fetchone() == (0,)
