"""agent.evidence.database"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.evidence.database import OwnDatabase, connect

ID = 0x6E677401
OWN = OwnDatabase(
    application_id=ID,
    version=2,
    schema=f"create table page (x any) strict; pragma application_id = {ID}; pragma user_version = 2;",
    table="page",
)


def test_one_that_a_newer_version_has_made_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(connect(path, OWN)) as db:
        db.execute("insert into page values (1)")
    before = path.read_bytes()

    with pytest.raises(sqlite3.OperationalError, match="newer version"):
        connect(path, replace(OWN, version=1))
    assert path.read_bytes() == before
    with closing(connect(path, OWN)) as db:
        assert db.execute("select x from page").fetchall() == [(1,)]


def test_damage_shows_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    connect(path, OWN).close()
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))

    with pytest.raises(sqlite3.DatabaseError):
        connect(path, OWN)
