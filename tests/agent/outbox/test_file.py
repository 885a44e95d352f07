"""agent.outbox.file"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.errors import OutboxError
from agent.outbox import file as module
from agent.outbox.database import SMALL_BYTES
from agent.outbox.file import FORKED, KEPT_DAMAGED, DiskFails, OutboxFile, OutboxInUse, this_boot, transact
from tests.conftest import SteppedClock
from tests.support.outboxes import by_hand

OPENED = Callable[[], OutboxFile]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "box" / "outbox.db"


@pytest.fixture
def opened(path: Path, clock: SteppedClock) -> Iterator[OPENED]:
    files: list[OutboxFile] = []

    def open_one() -> OutboxFile:
        files.append(OutboxFile(path, clock.now()))
        return files[-1]

    yield open_one
    for file in files:
        file.close()


def connection(file: OutboxFile) -> sqlite3.Connection:
    assert file.db is not None
    return file.db


def stream(file: OutboxFile) -> str:
    return str(connection(file).execute("select stream from life").fetchone()[0])


def test_a_second_process_is_told_that_it_is_in_use(opened: OPENED, path: Path) -> None:
    assert not OutboxFile.is_locked(path)
    first = opened()
    assert OutboxFile.is_locked(path)
    with pytest.raises(OutboxInUse, match="in use"):
        opened()
    first.close()

    assert not OutboxFile.is_locked(path)
    opened()


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path, clock: SteppedClock) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "outbox.db"
    with pytest.raises(OutboxError) as caught:
        OutboxFile(path, clock.now())
    assert caught.value.what == f"outbox {path}: File exists"
    assert caught.value.hint == "make its folder writable by the agent's user"


def test_its_folder_is_made_with_all_above_it(tmp_path: Path, clock: SteppedClock) -> None:
    path = tmp_path / "var" / "lib" / "outbox.db"
    OutboxFile(path, clock.now()).close()

    assert path.exists()


def test_damaged_files_are_saved_in_the_order_of_their_numbers(opened: OPENED, path: Path) -> None:
    path.parent.mkdir()
    files = [path.with_name(f"outbox.db.damaged.{number}") for number in (9, 10, 11)]
    for each in files:
        each.touch()

    assert opened().unsaved == files


def test_a_file_that_is_no_database_is_set_aside_and_why_is_told(opened: OPENED, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with capture_logs() as lines:
        opened()

    assert lines == [
        {
            "event": "outbox_damaged",
            "log_level": "error",
            "path": str(path),
            "kept_as": "outbox.db.damaged.1",
            "why": "file is not a database",
        }
    ]


def test_a_disk_without_room_for_the_map_is_not_opened_and_that_may_pass(
    opened: OPENED, monkeypatch: pytest.MonkeyPatch, clock: SteppedClock
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "OPENING_BYTES", 1 << 60)
        file = opened()
        assert (file.db, file.trouble) == (None, "the disk is full")
        with pytest.raises(DiskFails):
            file.open(clock.now())
    file.open(clock.now())

    assert file.db is not None
    assert file.trouble is None


def test_what_is_let_go_of_is_the_same_when_it_is_opened_again(opened: OPENED, clock: SteppedClock) -> None:
    file = opened()
    before = stream(file)
    file.let_go()
    assert file.db is None
    file.open(clock.now())

    assert stream(file) == before
    assert file.unsaved == []


def test_a_damaged_file_is_set_aside_under_the_next_number_until_it_is_saved(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    file = opened()
    before = stream(file)
    file.begin_anew(clock.now(), "a test")
    aside = path.with_name("outbox.db.damaged.1")
    assert stream(file) != before
    assert (file.damaged, file.unsaved) == (1, [aside])
    assert connection(file).execute("select damaged from life").fetchone() == (1,)
    file.close()
    again = opened()
    assert again.unsaved == [aside], "nobody has saved what is in it"
    again.saved(aside, clock.now().wall_s)
    assert again.unsaved == []
    again.close()

    assert opened().unsaved == []


def test_a_forked_file_is_no_damaged_one_and_goes_when_it_is_saved(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    file = opened()
    file.begin_anew(clock.now(), "a test")
    with capture_logs() as lines:
        file.begin_anew(clock.now(), "a test", FORKED)
    aside = path.with_name("outbox.db.forked.2")
    assert (file.damaged, file.unsaved) == (1, [path.with_name("outbox.db.damaged.1"), aside])
    assert [(line["event"], line["kept_as"]) for line in lines] == [("outbox_forked", aside.name)]
    file.close()
    again = opened()
    assert again.unsaved == [path.with_name("outbox.db.damaged.1"), aside]
    again.saved(aside, clock.now().wall_s, whole=True)

    assert sorted(each.name for each in path.parent.glob("outbox.db.*") if "lock" not in each.name) == [
        "outbox.db.damaged.1"
    ]


def test_a_large_damaged_file_that_is_one_too_many_is_overwritten_before_it_goes(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    file = opened()
    blocks = path.with_name("blocks")
    for number in range(1, 5):
        file.begin_anew(clock.now(), "a test")
        aside = path.with_name(f"outbox.db.damaged.{number}")
        with aside.open("ab") as more:
            more.write(b"a face" * (SMALL_BYTES // 6 + 1))
        if number == 1:
            os.link(aside, blocks)  # what a thief finds where the file was
        file.saved(aside, clock.now().wall_s)
    for _ in range(5):
        file.erase_some(clock.now().wall_s)
    assert not path.with_name("outbox.db.damaged.1").exists()
    assert b"a face" not in blocks.read_bytes()
    assert path.with_name("outbox.db.damaged.2").exists()
    file.close()


def test_what_others_have_written_under_names_like_ours_is_neither_counted_nor_believed(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    path.parent.mkdir()
    for name in ("damaged.\u00b2", "forked.\u0663", "damaged." + "9" * 200):
        path.with_name(f"outbox.db.{name}").write_bytes(b"x")
    path.with_name("outbox.db.damaged.1").write_bytes(b"kept")
    path.with_name("outbox.db.damaged.1-saved").write_bytes(b"\xff\xfe whole")
    file = opened()
    assert file.unsaved == []
    file.erase_some(clock.now().wall_s)
    file.begin_anew(clock.now(), "a test")
    assert file.unsaved == [path.with_name("outbox.db.damaged.2")]
    assert path.with_name("outbox.db.damaged.1").read_bytes() == b"kept"


def test_however_many_are_damaged_a_forked_file_stays_until_it_is_saved(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    file = opened()
    file.begin_anew(clock.now(), "a test", FORKED)
    for _ in range(6):
        file.begin_anew(clock.now(), "a test")

    assert path.with_name("outbox.db.forked.1").exists()


def test_the_chain_goes_on_from_what_the_damaged_file_says(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    file = opened()
    connection(file).execute("update life set seal_stream = 'before', seal_number = 7, seal_sha256 = x'01'")
    file.begin_anew(clock.now(), "a test")

    seal = connection(file).execute("select seal_stream, seal_number, seal_sha256 from life").fetchone()
    assert seal == ("before", 7, b"\x01")


def test_no_more_than_three_damaged_files_are_kept(opened: OPENED, path: Path, clock: SteppedClock) -> None:
    file = opened()
    for _ in range(6):
        file.begin_anew(clock.now(), "a test")
        file.saved(file.unsaved[0], clock.now().wall_s, whole=True)
    kept = sorted(each.name for each in path.parent.glob("outbox.db.damaged.*"))

    assert KEPT_DAMAGED == 3
    assert kept == [f"outbox.db.damaged.{n}{end}" for n in (4, 5, 6) for end in ("", "-saved")]


def test_a_damaged_file_that_cannot_be_set_aside_is_a_disk_that_fails(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    file = opened()
    path.with_name("outbox.db-shm").unlink()
    path.with_name("outbox.db-shm").mkdir()
    with pytest.raises(DiskFails, match=r"^Is a directory$"):
        file.begin_anew(clock.now(), "a test")

    assert (file.damaged, file.unsaved) == (0, [])


def test_a_folder_in_the_file_s_place_is_set_aside_too(opened: OPENED, path: Path) -> None:
    path.mkdir(parents=True)
    (path / "something").write_text("of someone")
    file = opened()

    assert file.db is not None
    assert (path.with_name("outbox.db.damaged.1") / "something").read_text() == "of someone"


def test_a_transaction_is_whole_or_never_was() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.execute("create table t (x)")

        def half() -> None:
            db.execute("insert into t values (1)")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            transact(db, half)
        assert not db.in_transaction
        assert transact(db, lambda: db.execute("insert into t values (2)").rowcount) == 1
        assert db.execute("select x from t").fetchall() == [(2,)]


def test_boots_that_nothing_waits_from_are_forgotten(opened: OPENED, path: Path) -> None:
    file = opened()
    db = connection(file)
    first = this_boot(db)
    assert this_boot(db) == first
    by_hand(path, "update boot set boot_id = 'earlier'")
    this_boot(db)

    ((name,),) = db.execute("select boot_id from boot").fetchall()
    assert name != "earlier"
