"""agent.outbox.recovery.repair"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.outbox import database
from agent.outbox.file import transact
from agent.outbox.recovery.repair import (
    REINSERT_BATCH,
    OutboxLife,
    Salvaged,
    Saved,
    fold_log,
    log_pages,
    move,
    reinsert,
    sacrifice,
    salvage,
)
from agent.outbox.store import OutboxStore
from agent.wire.message import Priority
from tests.conftest import SteppedClock
from tests.support.outboxes import end, message, proofs, start

MOST = 1 << 30


@pytest.fixture
def store(tmp_path: Path, clock: SteppedClock) -> Iterator[OutboxStore]:
    with closing(database.connect(tmp_path / "outbox.db", clock.now(), 0, None)) as db:
        yield OutboxStore(db, clock.now())


@pytest.fixture
def memory(clock: SteppedClock) -> Iterator[OutboxStore]:
    with closing(database.in_memory(clock.now(), 0, None)) as db:
        yield OutboxStore(db, clock.now())


def events(store: OutboxStore, table: str = "message") -> list[str]:
    rows = store.db.execute(f"select event_id from {table} where topic != 'chain' order by seq")
    return [event for (event,) in rows]


def test_what_is_put_again_gets_new_numbers_a_seal_and_its_place_in_quarantine(
    store: OutboxStore, clock: SteppedClock
) -> None:
    store.put([[message("mine")]], clock.now(), MOST, None)
    saved = [Saved(7, message("a")), Saved(9, message("b"), "too large")]
    batch = store.batch(clock.now())
    transact(store.db, lambda: reinsert(batch, saved, OutboxLife("old", 21), MOST))
    store.written(batch)

    assert (events(store), events(store, "quarantine")) == (["mine", "a"], ["b"])
    assert store.db.execute("select seq, reason from quarantine").fetchall() == [(3, "too large")]
    assert (store.counters.pending, store.counters.quarantined) == (3, 1)
    (body,) = store.db.execute("select body from message where topic = 'chain'").fetchone()
    assert b'"carried":{"stream":"old","newest":20,"seqs":[[7,7],[9,9]],"forked":false}' in body


def test_what_is_put_again_keeps_within_the_bound(store: OutboxStore, clock: SteppedClock) -> None:
    saved = [Saved(n, message(f"p{n}", priority=Priority.IMAGE, body=bytes(10_000))) for n in range(20)]
    batch = store.batch(clock.now())
    reinsert(batch, saved, OutboxLife("old", 21), 100_000)

    assert batch.counters.cost_bytes <= 100_000
    assert batch.counters.dropped[Priority.IMAGE] > 10


def test_what_waits_in_memory_moves_with_its_losses_and_with_what_is_open_or_ended(
    store: OutboxStore, memory: OutboxStore, clock: SteppedClock
) -> None:
    store.put([[start("old"), start("both")]], clock.now(), MOST, None)
    memory.put([[start("new"), end("old", 2), message("x"), message("y")]], clock.now(), MOST, None)
    memory.set_apart(3, "why")
    memory.forget(proofs(memory.db, (4, 4)))
    memory.count_losses({Priority.IMAGE: 4})
    batch = store.batch(clock.now())
    transact(store.db, lambda: move(memory, batch, MOST))
    store.written(batch)

    assert (events(store), events(store, "quarantine")) == (["old", "both", "new", "old"], ["x"])
    assert store.counters.dropped == {Priority.IMAGE: 4}
    assert store.db.execute("select priority, messages from loss").fetchall() == [(4, 4)]
    open_events = [event for (event,) in store.db.execute("select event_id from open_event order by event_id")]
    assert open_events == ["both", "new"]


def test_many_move_under_many_seals_and_of_none_that_is_told_too(
    store: OutboxStore, memory: OutboxStore, clock: SteppedClock
) -> None:
    memory.put([[message(f"e{n}") for n in range(REINSERT_BATCH + 1)]], clock.now(), MOST, None)
    memory.forget(proofs(memory.db, (1, REINSERT_BATCH // 2)))
    memory.forget(proofs(memory.db, (REINSERT_BATCH // 2 + 1, 1 << 40)))
    batch = store.batch(clock.now())
    move(memory, batch, MOST)
    (body,) = store.db.execute("select body from message").fetchone()

    assert f'"newest":{memory.counters.next_seq - 1},"seqs":[],"forked":false'.encode() in body


def test_a_memory_that_was_never_used_leaves_no_trace(
    store: OutboxStore, memory: OutboxStore, clock: SteppedClock
) -> None:
    move(memory, store.batch(clock.now()), MOST)

    assert store.db.execute("select count(*) from message").fetchone() == (0,)


def test_pictures_and_updates_are_sacrificed_for_events_and_nothing_else_is(
    store: OutboxStore, clock: SteppedClock
) -> None:
    pictures = [message(f"p{n}", priority=Priority.IMAGE, body=bytes(100_000)) for n in range(15)]
    store.put([[*pictures, message("e", body=bytes(100_000))]], clock.now(), MOST, None)
    batch = store.batch(clock.now())
    assert sacrifice(batch)
    store.written(batch)
    assert 10 <= store.counters.dropped[Priority.IMAGE] <= 12, "a megabyte"
    batch = store.batch(clock.now())
    assert sacrifice(batch)
    store.written(batch)
    assert not sacrifice(store.batch(clock.now()))

    assert events(store) == ["e"]
    assert set(store.counters.dropped) == {Priority.IMAGE}


def test_a_sacrifice_that_the_file_refuses_is_none(store: OutboxStore, clock: SteppedClock) -> None:
    store.put([[message("p", priority=Priority.IMAGE)]], clock.now(), MOST, None)
    store.db.execute("pragma query_only = on")

    assert not sacrifice(store.batch(clock.now()))
    assert store.counters.pending == 1


def test_folding_the_log_gives_its_room_back_and_keeps_it_short(
    store: OutboxStore, tmp_path: Path, clock: SteppedClock
) -> None:
    store.put([[message("e", body=bytes(100_000))]], clock.now(), MOST, None)
    log = database.log_of(tmp_path / "outbox.db")
    assert log.stat().st_size > 100_000
    assert fold_log(store.db)
    assert log.stat().st_size == 0
    assert not fold_log(store.db)
    assert store.db.execute("pragma wal_autocheckpoint").fetchone() == (400,)
    log_pages(store.db, 2000)

    assert store.db.execute("pragma wal_autocheckpoint").fetchone() == (2000,)


def test_salvage_hands_over_in_portions_and_says_what_became_of_the_file(
    tmp_path: Path, clock: SteppedClock
) -> None:
    path = tmp_path / "outbox.db"
    with closing(database.connect(path, clock.now(), 0, None)) as db:
        store = OutboxStore(db, clock.now())
        store.put([[start(f"e{n}") for n in range(150)]], clock.now(), MOST, None)
        store.set_apart(5, "why")
        stream = store.stream
    kept: list[tuple[int, str | None, int | None]] = []
    reopened: list[str | None] = []
    salvaged = salvage(
        path,
        lambda some, life: kept.append((len(some), life.stream, life.newest)),
        lambda opened: reopened.extend(event.event_id for event in opened),
    )

    number = 150 + 150 // 40
    assert kept == [(REINSERT_BATCH, stream, number), (number - REINSERT_BATCH, stream, number)]
    assert sorted(map(str, reopened)) == sorted(f"e{n}" for n in range(150))
    assert salvaged == Salvaged("outbox.db", number, 1, 0, 0, stream)
    assert str(salvaged) == (
        "153 messages saved, 0 spoiled, 0 pages unreadable; "
        "the file outbox.db is erased, for all of it came again"
    )


def test_of_a_forked_file_comes_what_waits_in_it_and_nothing_from_its_free_pages(
    tmp_path: Path, clock: SteppedClock
) -> None:
    path = tmp_path / "outbox.db"
    with closing(database.connect(path, clock.now(), 0, None)) as db:
        store = OutboxStore(db, clock.now())
        store.put([[start(f"e{n}", body=b"%04d" % n * 300) for n in range(30)]], clock.now(), MOST, None)
        store.set_apart(30, "why")
        store.forget(proofs(db, (1, 25)))
        stream = store.stream
    kept: list[Saved] = []
    lives: list[OutboxLife] = []
    salvaged = salvage(
        path, lambda some, life: (kept.extend(some), lives.append(life))[0], lambda _events: None, forked=True
    )

    assert [(each.seq, each.message.event_id, each.reason) for each in kept] == [
        *((n, f"e{n - 1}", None) for n in range(26, 30)),
        (30, "e29", "why"),
    ]
    assert [(life.stream, life.newest, life.forked) for life in lives] == [(stream, 30, True)]
    assert salvaged == Salvaged("outbox.db", 5, 1, 0, 0, stream, forked=True)
    assert "another box runs on a copy of it" in str(salvaged)


@pytest.mark.parametrize("spoil", [
    "delete from life",
    "create table two as select * from life; insert into two select * from life; drop table life;"
    " alter table two rename to life",
    "update message set priority = 99",
    "drop table message; create view message as"
    " with recursive no_end(seq) as (select 1 union all select seq + 1 from no_end) select seq from no_end",
    "drop table open_event; create table open_event (a, b, c, d, e, f, g, h);"
    " insert into open_event values ('x', 'y', 'z', null, null, null, 'r', null)",
])  # fmt: skip
def test_a_forked_file_that_no_outbox_has_written_ends_no_start(
    tmp_path: Path, clock: SteppedClock, spoil: str
) -> None:
    path = tmp_path / "outbox.db"
    with closing(database.connect(path, clock.now(), 0, None)) as db:
        OutboxStore(db, clock.now()).put([[start("a"), start("b")]], clock.now(), 1 << 20, None)
    with closing(sqlite3.connect(path)) as db:
        db.execute("pragma ignore_check_constraints = on")
        db.executescript(spoil)
    salvage(path, lambda _some, _life: None, lambda _events: None, forked=True)


def test_a_folder_under_the_name_of_a_forked_file_ends_no_start(tmp_path: Path) -> None:
    (tmp_path / "outbox.db.forked.1").mkdir()
    salvaged = salvage(
        tmp_path / "outbox.db.forked.1", lambda _some, _life: None, lambda _events: None, forked=True
    )
    assert salvaged.messages == 0


def test_a_forked_file_that_is_damaged_too_is_saved_page_by_page(tmp_path: Path, clock: SteppedClock) -> None:
    path = tmp_path / "outbox.db"
    with closing(database.connect(path, clock.now(), 0, None)) as db:
        OutboxStore(db, clock.now()).put([[start(f"e{n}") for n in range(150)]], clock.now(), MOST, None)
        db.execute("pragma wal_checkpoint(truncate)")
    with path.open("r+b") as file:
        file.write(b"no header")
    kept: list[Saved] = []
    salvage(path, lambda some, _life: kept.extend(some), lambda _events: None, forked=True)

    assert len({each.message.event_id for each in kept if each.message.event_id}) == 150


def test_salvage_of_nothing_hands_over_nothing(tmp_path: Path) -> None:
    def keep(*_given: object) -> None:
        raise sqlite3.Error

    salvaged = salvage(tmp_path / "none", keep, lambda _events: None)
    assert (salvaged.messages, salvaged.stream) == (0, None)
