"""station.backup.database_copy; that a copy is whole and of one moment is tried in test_take.py"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from station.backup.database_copy import copy_database, is_empty, moment, put_database, sum_of
from station.backup.folder import BackupError
from station.store.database import StoreError, engine_of, url_of
from tests.station.ingest.test_receipts import messages
from tests.support.backups import config, keep, opened


def test_a_writer_goes_on_and_the_copy_does_not_see_it(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, *(messages(number, number) for number in range(1, 400)))
    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)
    steps: list[int] = []
    with closing(opened(settings)) as store:

        def meanwhile(_what: str, done: int, _total: int) -> None:
            steps.append(done)
            store.commit(messages(1000 + len(steps), 1000 + len(steps)))

        with moment(engine) as connection:
            store.commit(messages(999, 999))
            copy_database(connection, tmp_path / "copy.db", meanwhile)
    engine.dispose()

    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("select count(*), max(seq) from message").fetchone() == (399, 399)
        assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
    assert steps == sorted(steps)
    assert not list(tmp_path.glob("*.part"))


def test_a_database_that_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "station.db").write_bytes(b"x" * 5000)
    settings = config(tmp_path / "state")
    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)

    with pytest.raises(StoreError, match="not a database"), moment(engine):
        pass
    engine.dispose()


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    keep(settings, messages(1, 1))
    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), moment(engine) as connection:
        copy_database(connection, tmp_path / "copy.db", stop)
    engine.dispose()
    assert not list(tmp_path.glob("copy*"))


def test_what_is_put_back_is_byte_for_byte_the_copy(tmp_path: Path) -> None:
    settings = config(tmp_path / "state")
    url = url_of(settings.database, settings.state_dir)
    (tmp_path / "state").mkdir()
    (tmp_path / "copy").write_bytes(b"a copy")
    engine = engine_of(url, writes=False)

    assert is_empty(engine)
    put_database(tmp_path / "copy", url, lambda *_: None)

    assert not is_empty(engine)
    assert sum_of(tmp_path / "copy") == sum_of(tmp_path / "state" / "station.db")
    engine.dispose()


def test_a_program_that_is_missing_is_told_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = config(tmp_path, more="database: {url: 'postgresql://ngatu@127.0.0.1/ngatu'}")

    with pytest.raises(BackupError, match="pg_restore is not here") as caught:
        put_database(tmp_path / "copy", url_of(settings.database, tmp_path), lambda *_: None)
    assert "apt install" in caught.value.hint
