"""agent.evidence.clips.database"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.evidence.clips import database


def test_it_is_written_through_to_the_disk(tmp_path: Path) -> None:
    with closing(database.connect(tmp_path / "clips.db")) as db:
        assert db.execute("pragma synchronous").fetchone() == (3,)
        assert db.execute("pragma journal_mode").fetchone() == ("persist",)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "clips.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("create table theirs (x)")
    before = path.read_bytes()

    with pytest.raises(sqlite3.OperationalError, match="another program"):
        database.connect(path)
    assert path.read_bytes() == before


def test_what_is_set_aside_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "clips.db"
    path.write_bytes(b"rubbish")

    database.set_aside(path)
    with closing(database.connect(path)):
        pass

    assert path.with_name("clips.db.damaged").read_bytes() == b"rubbish"
