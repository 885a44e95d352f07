"""agent.outbox.degraded"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from agent.errors import OutboxError
from agent.outbox.degraded import AGAIN_S, Condition, Disk, OutboxSettings
from agent.wire.message import Priority
from tests.conftest import SteppedClock
from tests.support.outboxes import SMALL, by_hand, end, message, refusing, start

OPENED = Callable[..., Disk]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def opened(path: Path, clock: SteppedClock) -> Iterator[OPENED]:
    disks: list[Disk] = []

    def open_one(settings: OutboxSettings = SMALL) -> Disk:
        disks.append(Disk(path, settings, clock, clock, threading.RLock()))
        return disks[-1]

    yield open_one
    for disk in disks:
        disk.close()


def wait(disk: Disk, clock: SteppedClock) -> None:
    clock.advance(AGAIN_S)
    disk.tend()


def limit(disk: Disk, pages: int) -> None:
    """What a full disk looks like to SQLite, as long as this connection lasts."""
    now = disk.store.db.execute("pragma page_count").fetchone()[0]
    disk.store.db.execute(f"pragma max_page_count = {now + pages}")


def test_a_full_disk_is_met_with_the_ballast_then_with_memory_and_left_in_steps(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    disk = opened(OutboxSettings(max_bytes=64 << 20, ballast_bytes=1 << 20))
    ballast = path.with_name("outbox.db.ballast")
    assert ballast.stat().st_size == 1 << 20
    limit(disk, 2)
    with capture_logs() as lines:
        disk.put([[message(f"e{n}", body=bytes(3000)) for n in range(20)]])
    assert not ballast.exists()
    why = "database or disk is full"
    assert lines == [
        {"event": "disk_full", "log_level": "error", "path": str(path), "ballast": "dropped"},
        {"event": "outbox_in_memory", "log_level": "error", "path": str(path), "why": why},
    ]
    assert disk.condition == Condition(full=True, in_memory=why)

    with capture_logs() as lines:
        wait(disk, clock)  # opens the file anew, without the limit
        assert disk.condition == Condition(full=True)
        assert disk.store.counters.pending == 21, "all of them, and the seal that tells where they come from"
        wait(disk, clock)
    assert lines == [
        {"event": "outbox_on_disk_again", "log_level": "warning", "path": str(path), "moved": 20},
        {"event": "disk_has_room", "log_level": "warning", "path": str(path)},
    ]
    assert disk.condition == Condition()
    assert ballast.exists()


def test_pictures_make_room_before_memory_must_do(opened: OPENED) -> None:
    disk = opened(OutboxSettings(max_bytes=64 << 20, ballast_bytes=0))
    disk.put([[message(f"p{n}", priority=Priority.IMAGE, body=bytes(30_000)) for n in range(60)]])
    limit(disk, 0)
    disk.put([[message(f"e{n}", body=bytes(3000)) for n in range(100)]])

    assert disk.condition == Condition(full=True)
    assert disk.store.counters.dropped[Priority.IMAGE] >= 30, "a megabyte at once"
    assert set(disk.store.counters.dropped) == {Priority.IMAGE}


def test_a_disk_without_ballast_has_room_again_as_soon_as_it_has(opened: OPENED, clock: SteppedClock) -> None:
    disk = opened(OutboxSettings(max_bytes=64 << 20, ballast_bytes=0))
    disk.put([[message(f"p{n}", priority=Priority.IMAGE, body=bytes(30_000)) for n in range(60)]])
    limit(disk, 0)
    disk.put([[message(f"e{n}", body=bytes(3000)) for n in range(100)]])
    wait(disk, clock)

    assert disk.condition == Condition()


def test_a_ballast_that_cannot_be_taken_is_told_as_a_full_disk(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    disk, ballast = opened(OutboxSettings(ballast_bytes=1 << 20)), path.with_name("outbox.db.ballast")
    ballast.unlink()
    ballast.mkdir()
    with capture_logs() as lines:
        wait(disk, clock)
    full = disk.condition
    assert lines == [
        {"event": "disk_full", "log_level": "error", "path": str(path), "ballast": "not to be had"}
    ]
    ballast.rmdir()
    wait(disk, clock)

    assert full == Condition(full=True)
    assert disk.condition == Condition()


def test_what_ended_is_remembered_only_while_another_file_may_hold_its_start(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    disk = opened()
    disk.put([[start("e1"), end("e1", 2), start("e2")]])
    assert disk.store.ended == set()
    with refusing(path):
        disk.put([[end("e2", 2)]])
        assert disk.store.ended == {"e2"}
    wait(disk, clock)
    assert disk.store.db.execute("select event_id from open_event").fetchall() == []
    disk.put([[start("e3")]])
    assert disk.store.ended == set()


def test_the_file_is_asked_again_no_sooner_than_after_some_seconds(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    disk = opened()
    with refusing(path):
        disk.put([[message("e")]])
    clock.advance(AGAIN_S - 1)
    disk.tend()
    assert disk.condition.in_memory == "refused"
    clock.advance(1)
    disk.tend()
    assert disk.condition == Condition()


def test_closing_puts_what_is_in_memory_on_the_disk_if_that_can_be(opened: OPENED, path: Path) -> None:
    disk = opened()
    with refusing(path):
        disk.put([[message("e1"), message("e2")]])
    disk.close()
    disk.close()

    assert opened().store.counters.pending == 3, "and the seal that tells where they come from"


def test_a_file_that_stays_as_it_is_loses_what_was_in_memory_and_nothing_else(
    opened: OPENED, path: Path
) -> None:
    disk = opened()
    disk.put([[message("before")]])
    with refusing(path):
        disk.put([[message("after")]])
        disk.close()

    waiting = opened().store.db.execute("select event_id from message where topic != 'chain'").fetchall()
    assert waiting == [("before",)]


def test_damage_that_is_met_under_way_begins_a_new_file_with_what_was_whole(opened: OPENED, path: Path) -> None:
    disk = opened()
    stream = disk.store.stream
    disk.put([[message(f"e{n}", body=bytes([n]) * 3000) for n in range(50)]])
    by_hand(path, "pragma wal_checkpoint(truncate)")
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff" * 40)
    sound = disk.verify()

    assert not sound
    assert disk.verify()
    assert disk.store.stream != stream
    (salvaged,) = disk.salvaged
    assert salvaged.stream == stream
    assert 48 <= salvaged.messages < 51
    assert disk.store.counters.pending > 48


def test_a_mistake_in_a_question_changes_nothing_and_sends_nothing_to_memory(opened: OPENED) -> None:
    disk = opened()
    with pytest.raises(OutboxError):
        disk.run(lambda store: store.db.execute("select ?", (object(),)))

    assert disk.condition == Condition()


def test_what_is_not_counted_yet_is_counted_when_the_file_can_be_written(
    opened: OPENED, path: Path, clock: SteppedClock
) -> None:
    disk = opened()
    disk.count_dropped([Priority.IMAGE, Priority.IMAGE, Priority.EVENT])
    assert not disk.uncounted
    assert disk.store.counters.dropped == {Priority.IMAGE: 2, Priority.EVENT: 1}
    with closing(sqlite3.connect(path)) as db:
        assert set(db.execute("select priority, messages from loss")) == {(0, 1), (4, 2)}
    disk.close()
    disk.count_dropped([Priority.EVENT])
    assert disk.uncounted == {Priority.EVENT: 1}


def test_a_closed_one_takes_nothing_and_leaves_the_file_alone_without_a_word(
    opened: OPENED, path: Path
) -> None:
    disk = opened()
    disk.close()
    disk.tend()
    with pytest.raises(OutboxError, match="closed"):
        disk.put([[message("e")]])
    path.write_bytes(b"of whoever has it now")
    assert disk.verify()

    assert disk.condition.refused is None


def test_a_file_that_is_set_aside_while_it_is_looked_through_says_nothing_of_the_next(path: Path) -> None:
    clock, lock = SteppedClock(), threading.RLock()
    with closing(Disk(path, SMALL, clock, clock, lock)) as disk:
        ended = threading.Event()
        sound: list[bool] = []

        def look_through() -> None:
            while not ended.is_set():
                sound.append(disk.verify())

        looking = threading.Thread(target=look_through)
        looking.start()
        for number in range(60):
            with lock:
                disk.put([[message(f"e{number}", body=bytes(3000))]])
                assert disk.fork("the station has another message 1 than this outbox")
        ended.set()
        looking.join()
        assert all(sound)
        assert all(each.forked for each in disk.salvaged)
        assert disk.store.damaged == 0
        waiting = {event for (event,) in disk.store.db.execute("select event_id from message")} - {None}
        assert waiting == {f"e{number}" for number in range(60)}
