"""agent.outbox.outbox"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.errors import OutboxError
from agent.outbox import file as outbox_file
from agent.outbox.degraded import AGAIN_S
from agent.outbox.outbox import Condition, Outbox, OutboxSettings
from agent.outbox.seals import SEAL_AFTER_S, SEAL_EVERY
from agent.outbox.transaction import EVICTION, cost_bytes
from agent.wire import codec
from agent.wire.chain import ranges
from agent.wire.message import Message, Priority
from agent.wire.payloads import ChainPayload
from tests.conftest import SteppedClock

SMALL = OutboxSettings(max_bytes=1 << 20, ballast_bytes=0)


def message(
    event: str | None = "e1",
    revision: int = 1,
    *,
    priority: Priority = Priority.EVENT,
    body: bytes = b'{"a":1}',
    opens: bool = False,
    closes: bool = False,
) -> Message:
    picture = priority in (Priority.ALERT_IMAGE, Priority.IMAGE)
    return Message(
        topic=f"camera/north/image/{event}/thumbnail" if picture else "camera/north/event",
        body=body,
        content_type="image/jpeg" if picture else "application/json",
        priority=priority,
        at=Instant(999.0, 1_769_999_999.0),
        event_id=event,
        revision=revision,
        opens=opens,
        closes=closes,
    )


def start(event: str, body: bytes = b'{"phase":"start"}') -> Message:
    return message(event, 1, body=body, opens=True)


def update(event: str, revision: int) -> Message:
    return message(event, revision, priority=Priority.UPDATE, body=b'{"r":%d}' % revision, opens=True)


def end(event: str, revision: int) -> Message:
    return message(event, revision, body=b'{"phase":"end"}', closes=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "box" / "outbox.db"


@pytest.fixture
def outbox(path: Path, clock: SteppedClock) -> Iterator[Outbox]:
    box = Outbox(path, SMALL, clock)
    yield box
    box.close()


def sent(outbox: Outbox, clock: SteppedClock, limit: int = 1000) -> list[int]:
    return [stored.seq for stored in outbox.waiting(limit, clock.now())]


# ------------------------------------------------------------------------------------------------ invariants


def test_invariant_1_what_put_returned_is_there_after_sigkill(tmp_path: Path) -> None:
    """Proves a crash, not a power cut: the kernel outlives the process (that is what the next test is for)."""
    child = textwrap.dedent("""
        import sys
        from pathlib import Path
        from agent.clock import SystemClock
        from agent.core.types import Instant
        from agent.wire.message import Message, Priority
        from agent.outbox.outbox import Condition, Outbox, OutboxSettings
        box = Outbox(Path(sys.argv[1]), OutboxSettings(ballast_bytes=0), SystemClock())
        for n in range(100_000):
            at = Instant(n, n)
            body = b'{"n":%d}' % n
            seqs = box.put([Message("camera/north/event", body, "application/json", Priority.EVENT, at)] * 3)
            sys.stdout.write(f"{seqs[-1]}\\n"); sys.stdout.flush()
    """)
    file = tmp_path / "outbox.db"
    with subprocess.Popen(
        [sys.executable, "-c", child, str(file)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(40):
            last = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().splitlines()
    told = int(rest[-1] if rest and rest[-1].isdigit() else last)
    clock = SystemClock()
    box = Outbox(file, OutboxSettings(ballast_bytes=0), clock)
    found = box.waiting(1_000_000, clock.now())
    box.close()
    assert told >= 120
    assert sorted(stored.seq for stored in found) == list(range(1, len(found) + 1))
    assert told <= len(found)
    assert sum(s.message.topic != codec.CHAIN for s in found) % 3 == 0, "a put is kept whole or not at all"


def test_invariant_1_each_commit_is_synced(outbox: Outbox) -> None:
    db = outbox._disk.held.db
    assert db.execute("pragma journal_mode").fetchone() == ("wal",)
    assert db.execute("pragma synchronous").fetchone() == (2,)  # FULL


def test_invariant_1_put_calls_fsync_before_it_returns(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    child = textwrap.dedent("""
        import os, sys
        from pathlib import Path
        from agent.clock import SystemClock
        from agent.core.types import Instant
        from agent.wire.message import Message, Priority
        from agent.outbox.outbox import Condition, Outbox, OutboxSettings
        box = Outbox(Path(sys.argv[1]), OutboxSettings(ballast_bytes=0), SystemClock())
        for n in range(5):
            os.write(2, b"")
            box.put([Message("t", b"{}", "application/json", Priority.EVENT, Instant(0, 0))])
            os.lseek(0, 0, os.SEEK_CUR)
    """)
    if not Path("/usr/bin/strace").exists():
        pytest.skip("strace is not installed: whether put() syncs is only seen in its settings")
    subprocess.run(
        ["strace", "-f", "-o", str(trace), "-e", "trace=fsync,fdatasync,lseek", sys.executable, "-c", child,
         str(tmp_path / "outbox.db")],
        check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    calls = [
        line.split()[1] for line in trace.read_text().splitlines() if "lseek(0, 0" in line or "sync(" in line
    ]
    marks = [n for n, call in enumerate(calls) if call.startswith("lseek")][-5:]
    assert all("sync" in calls[mark - 1] for mark in marks)


def test_invariant_2_seq_has_no_gaps_over_restarts_and_deletions(path: Path, clock: SteppedClock) -> None:
    given: list[int] = []
    for _ in range(3):
        box = Outbox(path, SMALL, clock)
        given += box.put([message(None), message(None)])
        box.acknowledge(box.stream, [(1, 1 << 60)])
        box.close()
    assert given == [1, 2, 3, 4, 5, 6]


def test_invariant_3_every_eviction_is_counted_by_class(outbox: Outbox) -> None:
    picture = bytes(100_000)
    outbox.put([message(f"e{n}", priority=Priority.IMAGE, body=picture) for n in range(30)])
    stats = outbox.stats()
    assert stats.pending + stats.dropped["image"] == 30
    assert stats.dropped["image"] == 30 - (1 << 20) // cost_bytes(len(picture))
    assert sum(stats.dropped.values()) == stats.dropped["image"]


def test_invariant_3_losses_are_still_known_after_a_restart(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([message(f"e{n}", priority=Priority.IMAGE, body=bytes(100_000)) for n in range(40)])
    before = box.stats()
    box.close()
    box = Outbox(path, SMALL, clock)
    assert box.stats() == before
    box.close()


def test_invariant_4_only_the_newest_update_waits_and_keeps_its_seq(
    outbox: Outbox, clock: SteppedClock
) -> None:
    assert outbox.put([start("e1"), update("e1", 2), start("e2"), update("e1", 3)]) == [1, 2, 3, 2]
    assert outbox.put([update("e1", 4)]) == [2]
    waiting = outbox.waiting(10, clock.now())
    assert [(s.seq, s.message.revision) for s in waiting] == [(1, 1), (3, 1), (2, 4)]
    assert outbox.stats().replaced == 2
    assert waiting[-1].sha256 == hashlib.sha256(b'{"r":4}').hexdigest()


def test_invariant_4_the_end_takes_over_the_waiting_update(outbox: Outbox, clock: SteppedClock) -> None:
    outbox.put([start("e1"), update("e1", 2)])
    assert outbox.put([end("e1", 3)]) == [2]
    waiting = outbox.waiting(10, clock.now())
    assert [(s.seq, s.message.priority, s.message.closes) for s in waiting] == [
        (1, Priority.EVENT, False),
        (2, Priority.EVENT, True),
    ]


def test_invariant_4_what_was_given_out_is_never_changed(outbox: Outbox, clock: SteppedClock) -> None:
    outbox.put([start("e1"), update("e1", 2)])
    given = outbox.waiting(10, clock.now())
    assert outbox.put([update("e1", 3), end("e1", 4)]) == [3, 3]
    again = {s.seq: s for s in outbox.waiting(10, clock.now())}
    assert [again[s.seq] for s in given] == given


def test_invariant_4_what_an_earlier_life_put_is_never_changed(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([update("e1", 2)])
    box.close()
    box = Outbox(path, SMALL, clock)
    assert box.put([update("e1", 3)]) == [2]
    box.close()


def test_invariant_4_an_older_revision_takes_over_nothing(outbox: Outbox) -> None:
    assert outbox.put([update("e1", 5), update("e1", 4)]) == [1, 2]


def test_invariant_5_classes_then_live_then_backlog(outbox: Outbox, clock: SteppedClock) -> None:
    outbox.put([message("a", priority=Priority.IMAGE), start("b"), message(None, priority=Priority.COUNT)])
    clock.advance(61)
    outbox.put([message("c", priority=Priority.IMAGE), start("d"), update("d", 2), start("e")])
    assert sent(outbox, clock) == [5, 7, 2, 3, 6, 4, 1]
    assert sent(outbox, clock, 3) == [5, 7, 2]
    assert [s.seq for s in outbox.waiting(3, clock.now(), skip={5, 2})] == [7, 3, 6]
    assert [s.seq for s in outbox.waiting(9, clock.now(), priorities=[Priority.IMAGE])] == [4, 1]
    clock.advance(61)
    assert sent(outbox, clock) == [2, 5, 7, 3, 6, 1, 4]


def test_invariant_5_what_was_left_behind_goes_after_what_comes_now(
    outbox: Outbox, clock: SteppedClock
) -> None:
    outbox.put([start("a"), start("b")])
    outbox.leave_behind()
    outbox.put([start("c")])
    clock.advance(2)
    outbox.put([start("d")])
    assert sent(outbox, clock) == [3, 4, 1, 2]


def test_invariant_6_open_events_are_those_without_an_end(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1"), start("e2"), start("e3"), update("e3", 2)])
    box.put([end("e1", 2)])
    box.acknowledge(box.stream, [(1, 99)])
    box.close()
    box = Outbox(path, SMALL, clock)
    assert [(m.event_id, m.revision, m.body) for m in box.open_events()] == [
        ("e2", 1, b'{"phase":"start"}'),
        ("e3", 2, b'{"r":2}'),
    ]
    box.put([end("e2", 2), end("e3", 3)])
    assert box.open_events() == []
    box.close()


def test_invariant_7_classes_make_room_in_the_documented_order(outbox: Outbox, clock: SteppedClock) -> None:
    body = bytes(30_000)
    each = (1 << 20) // cost_bytes(len(body)) // len(Priority)
    for priority in Priority:
        outbox.put([message(f"{priority}-{n}", priority=priority, body=body) for n in range(each)])
    gone: list[Priority] = []
    for n in range(each * len(Priority) * 2):
        before = outbox.stats().dropped
        outbox.put([message(f"new-{n}", priority=Priority.EVENT, body=body)])
        after = outbox.stats()
        assert after.bytes <= 1 << 20
        gone += [p for p in Priority if after.dropped[p.name.lower()] > before[p.name.lower()]]
    order = list(dict.fromkeys(gone))
    assert order == list(EVICTION)
    others = [priority for priority in gone if priority is not Priority.COUNT]  # seals are made all the while
    assert others == sorted(others, key=EVICTION.index)
    assert sent(outbox, clock)[0] > each, "of the events the oldest went"


def test_invariant_7_the_file_stays_within_its_bound(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    for n in range(300):
        size = (n * 7919) % 9000
        box.put([message(f"e{n}-{k}", priority=Priority.IMAGE, body=bytes(size)) for k in range(10)])
    box.close()
    assert path.stat().st_size <= 1.15 * (1 << 20)


def test_invariant_8_a_newer_file_is_refused_and_left_alone(path: Path, clock: SteppedClock) -> None:
    Outbox(path, SMALL, clock).close()
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")
        db.execute("update life set version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(OutboxError, match="version 99"):
        Outbox(path, SMALL, clock)
    assert path.read_bytes() == before


def test_invariant_8_a_file_of_another_program_is_refused_and_left_alone(
    path: Path, clock: SteppedClock
) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as db:
        db.execute("create table theirs (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(OutboxError, match="another program"):
        Outbox(path, SMALL, clock)
    assert path.read_bytes() == before


def test_invariant_9_a_damaged_file_is_set_aside_and_a_new_stream_begins(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    stream = box.stream
    box.put([start("e1")])
    box.close()
    broken = b"not a database at all, but longer than nothing" * 200
    path.write_bytes(broken)
    box = Outbox(path, SMALL, clock)
    assert box.stream != stream
    assert box.put([start("e2")]) == [1]
    assert box.stats().damaged == 1
    box.close()
    assert path.with_name("outbox.db.damaged.1").read_bytes() == broken


def test_invariant_9_damage_found_in_mid_run_does_not_stop_the_next_put(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    stream = box.stream
    box.put([message(f"e{n}", body=bytes(3000)) for n in range(200)])
    box._disk.held.db.execute("pragma wal_checkpoint(truncate)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    assert not box.verify()
    assert box.put([start("x")]) == [1]
    assert box.stream != stream
    assert box.verify()
    box.close()


def test_invariant_9_no_more_than_three_damaged_files_are_kept(path: Path, clock: SteppedClock) -> None:
    for _ in range(6):
        box = Outbox(path, SMALL, clock)
        box.close()
        path.write_bytes(b"garbage" * 1000)
    Outbox(path, SMALL, clock).close()
    kept = sorted(p.name for p in path.parent.glob("outbox.db.damaged.*") if not p.name.endswith("-saved"))
    assert kept == ["outbox.db.damaged.4", "outbox.db.damaged.5", "outbox.db.damaged.6"]
    assert len(kept) == outbox_file.KEPT_DAMAGED


def test_invariant_10_a_receipt_for_another_stream_changes_nothing(outbox: Outbox, clock: SteppedClock) -> None:
    outbox.put([start("e1"), start("e2")])
    assert outbox.acknowledge("019a0000-0000-7000-8000-000000000000", [(1, 2)]) == 0
    assert sent(outbox, clock) == [1, 2]


@pytest.mark.parametrize("ranges", [[(0, 0)], [(-5, 0)], [(3, 1 << 62)], [(2, 1)], []])
def test_a_receipt_for_what_was_never_put_changes_nothing(
    outbox: Outbox, clock: SteppedClock, ranges: list[tuple[int, int]]
) -> None:
    outbox.put([start("e1"), start("e2")])
    assert outbox.acknowledge(outbox.stream, ranges) == 0
    assert sent(outbox, clock) == [1, 2]


def test_invariant_11_quarantined_messages_are_kept_but_not_given_out(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1"), start("e2"), start("e3")])
    assert box.quarantine(2, "larger than the broker takes")
    assert not box.quarantine(2, "again")
    assert sent(box, clock) == [1, 3]
    assert (box.stats().pending, box.stats().quarantined) == (2, 1)
    box.acknowledge(box.stream, [(1, 1), (3, 3)])
    assert box.bounds() == (2, 3)
    before = box.stats()
    box.close()
    box = Outbox(path, SMALL, clock)
    assert box.stats() == before
    assert box.acknowledge(box.stream, [(2, 2)]) == 1, "the station had it after all"
    assert box.stats().bytes == 0
    box.close()


def test_invariant_11_quarantined_messages_make_room_first(outbox: Outbox, clock: SteppedClock) -> None:
    body = bytes(100_000)
    seqs = outbox.put([message(f"e{n}", priority=Priority.IMAGE, body=body) for n in range(10)])
    outbox.quarantine(seqs[5], "why")
    outbox.put([message("new", priority=Priority.EVENT, body=body)])
    assert outbox.stats().quarantined == 0
    assert seqs[0] in sent(outbox, clock)


# ------------------------------------------------------------------------------------------- everything else


def test_a_second_agent_is_told_that_the_outbox_is_in_use(
    outbox: Outbox, path: Path, clock: SteppedClock
) -> None:
    with pytest.raises(OutboxError, match="in use"):
        Outbox(path, SMALL, clock)


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path, clock: SteppedClock) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutboxError, match="writable"):
        Outbox(tmp_path / "file" / "outbox.db", SMALL, clock)


def test_an_empty_file_becomes_an_outbox(path: Path, clock: SteppedClock) -> None:
    path.parent.mkdir()
    path.touch()
    box = Outbox(path, SMALL, clock)
    assert box.put([start("e1")]) == [1]
    box.close()


def test_messages_come_back_as_they_were_put(outbox: Outbox, clock: SteppedClock) -> None:
    put = [
        start("e1"),
        update("e1", 2),
        message("e1", priority=Priority.IMAGE, body=b"\xff\xd8"),
        message(None),
    ]
    outbox.put(put)
    found = sorted(outbox.waiting(10, clock.now()), key=lambda stored: stored.seq)
    assert [stored.message for stored in found] == put
    assert all(stored.put_at == clock.now() for stored in found)


def test_what_an_earlier_boot_put_is_before_everything_of_this_one(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1")])
    box._disk.held.db.execute("update boot set boot_id = 'earlier'")
    box.close()
    clock.moment = replace(clock.now(), mono_s=5.0, wall_s=clock.now().wall_s + 90)
    box = Outbox(path, SMALL, clock)
    box.put([start("e2")])
    first, second = sorted(box.waiting(10, clock.now()), key=lambda stored: stored.seq)
    assert (first.put_at.mono_s, first.message.at.mono_s) == (-math.inf, -math.inf)
    assert second.put_at == clock.now()
    assert box.stats().oldest_s == 90
    box.acknowledge(box.stream, [(1, 2)])
    box.close()


def test_bounds_and_age_tell_what_waits(outbox: Outbox, clock: SteppedClock) -> None:
    assert outbox.bounds() == (None, None)
    assert outbox.stats().oldest_s is None
    outbox.put([start("e1")])
    clock.advance(10)
    outbox.put([start("e2")])
    clock.advance(5)
    assert outbox.bounds() == (1, 2)
    assert outbox.stats().oldest_s == 15
    outbox.acknowledge(outbox.stream, [(1, 1)])
    assert outbox.bounds() == (2, 2)
    assert outbox.stats().oldest_s == 5


def test_watchers_hear_of_each_put(outbox: Outbox) -> None:
    heard: list[str] = []
    outbox.watch(lambda: heard.append(threading.current_thread().name))
    outbox.put([start("e1")])
    outbox.put([])
    assert heard == [threading.current_thread().name]


def test_threads_that_put_at_once_share_transactions(outbox: Outbox) -> None:
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement.lower().startswith("commit")

    outbox._disk.held.db.set_trace_callback(count)
    gate = threading.Barrier(8)
    given: list[int] = []

    def work(name: int) -> None:
        gate.wait()
        for n in range(50):
            given.extend(outbox.put([start(f"{name}-{n}")]))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox._disk.held.db.set_trace_callback(None)
    seals = outbox.bounds()[1] or 0
    assert len(set(given)) == 400
    assert max(given) <= seals == 400 + 400 // SEAL_EVERY
    assert commits < 400


def test_a_closed_outbox_says_so(outbox: Outbox) -> None:
    outbox.close()
    outbox.close()
    with pytest.raises(OutboxError, match="closed"):
        outbox.put([start("e1")])


def test_a_full_disk_is_met_with_the_ballast(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, OutboxSettings(max_bytes=64 << 20, ballast_bytes=1 << 20), clock)
    ballast = path.with_name("outbox.db.ballast")
    assert ballast.stat().st_size == 1 << 20
    db = box._disk.held.db
    pages = db.execute("pragma page_count").fetchone()[0]
    db.execute(f"pragma max_page_count = {pages + 2}")  # what a full disk looks like to SQLite
    box.put([message(f"e{n}", body=bytes(3000)) for n in range(20)])
    assert not ballast.exists()
    assert box.condition() == Condition(full=True, in_memory="database or disk is full")
    clock.advance(AGAIN_S)
    box.tend()  # opens the file anew, without the limit
    assert box.condition() == Condition(full=True)
    assert box.stats().pending == 21, "all of them, and the seal that tells where they come from"
    clock.advance(AGAIN_S)
    box.tend()
    assert box.condition() == Condition()
    assert ballast.exists()
    box.close()


def test_invariant_12_memory_bridges_what_the_disk_does_not_take(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    stream = box.stream
    box.put([start("e1"), start("e2"), message("old")])
    box._disk.held.db.execute("pragma query_only = on")  # what a read-only disk looks like to SQLite
    assert box.put([end("e1", 2), update("e3", 1), message("new")]) == [1, 2, 3]
    assert box.condition().in_memory == "attempt to write a readonly database"
    memory = box.stream
    assert memory != stream
    assert sent(box, clock) == [1, 3, 2]
    assert box.acknowledge(memory, [(3, 3)]) == 1
    clock.advance(AGAIN_S)
    box.tend()
    assert (box.condition(), box.stream) == (Condition(), stream)
    waiting = {s.message.event_id: s for s in box.waiting(20, clock.now())}
    assert set(waiting) == {"e1", "e2", "e3", "old", None}, "what has a receipt is not sent again"
    told = codec.parse(ChainPayload, codec.finish(waiting[None], stream, clock.now()))
    assert told.carried is not None
    assert (told.carried.stream, told.carried.newest, told.carried.seqs) == (memory, 3, ((1, 2),))
    assert [event.event_id for event in box.open_events()] == ["e2", "e3"]
    box.close()


def test_what_ended_is_remembered_only_while_another_file_may_hold_its_start(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1"), end("e1", 2), start("e2")])
    assert box._disk.held.ended == set()
    box._disk.held.db.execute("pragma query_only = on")
    box.put([end("e2", 2)])
    assert box._disk.held.ended == {"e2"}
    clock.advance(AGAIN_S)
    box.tend()
    assert box.open_events() == []
    box.put([start("e3")])
    assert box._disk.held.ended == set()
    box.close()


def test_invariant_12_memory_is_bounded_and_pictures_go_first(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, OutboxSettings(memory_bytes=1 << 20, ballast_bytes=0), clock)
    box._disk.held.db.execute("pragma query_only = on")
    for n in range(30):
        box.put([message(f"p{n}", priority=Priority.IMAGE, body=bytes(50_000)), message(f"e{n}")])
    stats = box.stats()
    assert stats.bytes <= 1 << 20
    assert stats.dropped["image"] > 0
    assert sum(stats.dropped.values()) == stats.dropped["image"]
    pictures = [s.message.event_id for s in box.waiting(99, clock.now(), priorities=[Priority.IMAGE])]
    assert pictures == [f"p{n}" for n in range(30 - len(pictures), 30)], "the oldest went"
    dropped = stats.dropped["image"]
    box.close()
    box = Outbox(path, OutboxSettings(ballast_bytes=0), clock)
    assert box.stats().dropped["image"] == dropped, "closing has moved what was there, and its losses"
    assert len(box.waiting(99, clock.now(), priorities=[Priority.IMAGE])) == len(pictures)
    box.close()


def test_invariant_12_memory_costs_at_most_32_megabytes(tmp_path: Path) -> None:
    """Promise P19: 60 MB are put while the disk takes nothing, in a process of its own."""
    child = textwrap.dedent("""
        import sys
        from pathlib import Path
        from agent.clock import SystemClock
        from agent.core.types import Instant
        from agent.wire.message import Message, Priority
        from agent.outbox.outbox import Condition, Outbox, OutboxSettings
        def rss():
            return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
        box = Outbox(Path(sys.argv[1]), OutboxSettings(ballast_bytes=0), SystemClock())
        box.put([Message("t", b"{}", "application/json", Priority.EVENT, Instant(0, 0))])
        before = rss()
        box._disk.held.db.execute("pragma query_only = on")
        most = 0
        for n in range(3000):
            at = Instant(n, n)
            box.put([Message("p", bytes(20_000), "image/jpeg", Priority.IMAGE, at, str(n))])
            if n % 100 == 0:
                most = max(most, rss() - before)
        assert box.condition().in_memory
        print(most)
    """)
    done = subprocess.run(
        [sys.executable, "-c", child, str(tmp_path / "outbox.db")], check=True, stdout=subprocess.PIPE
    )
    assert int(done.stdout.split()[-1]) <= 32 << 20


def test_invariant_13_seals_list_what_can_no_longer_change(outbox: Outbox, clock: SteppedClock) -> None:
    outbox.put([update("e1", 1), *(message(None) for _ in range(SEAL_EVERY - 1))])
    assert outbox.head() is None, "39 that cannot change are no seal yet"
    outbox.put([message(None), update("e1", 2)])
    waiting = {s.seq: s for s in outbox.waiting(99, clock.now())}
    told = codec.parse(ChainPayload, codec.finish(waiting[SEAL_EVERY + 2], outbox.stream, clock.now()))
    assert (told.number, told.previous) == (1, None)
    assert [seq for seq, _ in told.entries] == list(range(2, SEAL_EVERY + 2)), "not the update"
    assert dict(told.entries) == {seq: waiting[seq].sha256 for seq, _ in told.entries}
    assert outbox.head() == (outbox.stream, 1, waiting[SEAL_EVERY + 2].sha256)


def test_invariant_13_a_seal_comes_after_some_minutes_and_names_the_one_before(
    outbox: Outbox, clock: SteppedClock
) -> None:
    outbox.put([start("e1"), start("e2")])
    for _ in range(3):  # a seal alone needs none
        clock.advance(SEAL_AFTER_S)
        outbox.tend()
    assert outbox.bounds() == (1, 3)
    first = outbox.head()
    outbox.acknowledge(outbox.stream, [(1, 2)])
    outbox.put([end("e1", 2), end("e2", 2)])
    clock.advance(SEAL_AFTER_S)
    outbox.tend()
    (seal,) = [s for s in outbox.waiting(9, clock.now()) if s.seq == 6]
    told = codec.parse(ChainPayload, codec.finish(seal, outbox.stream, clock.now()))
    assert told.previous is not None
    assert (told.previous.stream, told.previous.number, told.previous.sha256) == first
    assert [seq for seq, _ in told.entries] == [3, 4, 5]


def test_invariant_13_a_seal_tells_what_was_given_up(outbox: Outbox, clock: SteppedClock) -> None:
    outbox.put([message(f"e{n}", priority=Priority.IMAGE, body=bytes(100_000)) for n in range(12)])
    assert outbox.stats().dropped["image"] == 2
    clock.advance(SEAL_AFTER_S)
    outbox.tend()
    seal = outbox.waiting(1, clock.now(), priorities=[Priority.COUNT])[0]
    told = codec.parse(ChainPayload, codec.finish(seal, outbox.stream, clock.now()))
    assert told.dropped == ((1, 2),)


def test_invariant_13_the_chain_goes_on_in_a_new_file(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([message(None) for _ in range(SEAL_EVERY)])
    before = box.head()
    box.close()
    with path.open("r+b") as file:
        file.seek(20)
        file.write(b"\xff" * 8)  # the header
    box = Outbox(path, SMALL, clock)
    seals = box.waiting(9, clock.now(), priorities=[Priority.COUNT])
    told = [codec.parse(ChainPayload, codec.finish(s, box.stream, clock.now())) for s in seals]
    first = next(seal for seal in told if seal.of == box.stream and seal.number == 1)
    assert first.previous is not None
    assert (first.previous.stream, first.previous.number, first.previous.sha256) == before
    box.close()


def test_invariant_14_on_a_full_disk_pictures_make_room_for_each_other(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, OutboxSettings(ballast_bytes=1 << 20), clock)
    box.put([message(f"p{n}", priority=Priority.IMAGE, body=bytes(30_000)) for n in range(20)])
    full = box.stats().bytes
    box._disk._full_bytes = full
    box.put([message(f"q{n}", priority=Priority.IMAGE, body=bytes(30_000)) for n in range(10)])
    assert box.stats().bytes <= full
    assert box.stats().dropped["image"] == 10
    box.put([message(f"e{n}", body=bytes(30_000)) for n in range(15)])
    stats = box.stats()
    assert stats.bytes <= full
    assert stats.dropped["image"] >= 25
    assert stats.dropped["event"] == 0
    box.put([message(f"f{n}", body=bytes(30_000)) for n in range(15)])
    stats = box.stats()
    assert stats.dropped["image"] == 30, "the last picture is gone"
    assert stats.dropped["event"] == 0, "and events have the ballast to themselves"
    assert stats.bytes > full
    box.close()


# ------------------------------------------------------------------------------------------- against a model


@dataclass
class Row:
    """What the model knows of one waiting message."""

    message: Message
    at: float
    given: bool = False
    apart: bool = False


class OutboxAgainstModel(RuleBasedStateMachine):
    """The outbox beside a dictionary, with the invariants read literally."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.clock = SteppedClock()
        self.count = getattr(type(self), "count", 0) + 1
        type(self).count = self.count
        self.path = self.folder / f"{self.count}.db"
        self.box = Outbox(self.path, SMALL, self.clock)
        self.rows: dict[int, Row] = {}
        self.open: dict[str, int] = {}
        self.revision = 0
        self.next_seq = 1
        self.dropped = 0
        self.unsealed: list[int] = []
        self.given_up: set[int] = set()
        self.seals = 0

    def teardown(self) -> None:
        self.box.close()

    @rule(
        event=st.sampled_from("abc"), size=st.sampled_from([10, 3000, 90_000]), kind=st.sampled_from(Priority)
    )
    def put_one(self, event: str, size: int, kind: Priority) -> None:
        self.revision += 1
        opens = kind in (Priority.EVENT, Priority.UPDATE)
        self._put(message(event, self.revision, priority=kind, body=bytes(size), opens=opens))

    @rule(event=st.sampled_from("abc"))
    def put_end(self, event: str) -> None:
        self.revision += 1
        self._put(end(event, self.revision))

    def _put(self, new: Message) -> None:
        assert new.event_id is not None
        old = [
            seq
            for seq, row in self.rows.items()
            if row.message.event_id == new.event_id
            and row.message.priority is Priority.UPDATE
            and not row.given
            and not row.apart
        ]
        may = old and (new.closes or new.priority is Priority.UPDATE) and new.topic == "camera/north/event"
        seq = old[-1] if may else self.next_seq
        (given,) = self.box.put([new])
        assert given == seq
        self._keep(seq, new, self.rows[seq].at if may else self.clock.now().mono_s)
        if new.closes:
            self.open.pop(new.event_id, None)
        elif new.opens:
            self.open[new.event_id] = new.revision
        self._seal()
        self._evict()

    @rule(number=st.sampled_from([7, 30]))
    def put_counts(self, number: int) -> None:
        counts = [message(None, priority=Priority.COUNT) for _ in range(number)]
        for seq, each in zip(self.box.put(counts), counts, strict=True):
            assert seq == self.next_seq
            self._keep(seq, each, self.clock.now().mono_s)
        self._seal()
        self._evict()

    def _keep(self, seq: int, new: Message, at: float) -> None:
        if seq == self.next_seq:
            self.next_seq += 1
            self.unsealed.append(seq)
        self.rows[seq] = Row(new, at)

    def _seal(self) -> None:
        fresh = {
            seq
            for seq, row in self.rows.items()
            if row.message.priority is Priority.UPDATE and not row.given and not row.apart
        }
        while len(ripe := [seq for seq in self.unsealed if seq not in fresh]) >= SEAL_EVERY:
            self.unsealed = [seq for seq in self.unsealed if seq not in ripe[:SEAL_EVERY]]
            body = codec.seal(  # as long as the real one: all hashes are
                self.box.stream,
                self.seals + 1,
                (self.box.stream, self.seals, "0" * 64) if self.seals else None,
                [(seq, "0" * 64) for seq in ripe[:SEAL_EVERY]],
                told := ranges(sorted(self.given_up))[:30],
                self.clock.now(),
            )
            self.seals += 1
            self.given_up -= {seq for first, last in told for seq in range(first, last + 1)}
            seal = replace(message(None, priority=Priority.COUNT, body=body), topic=codec.CHAIN)
            self._keep(self.next_seq, seal, self.clock.now().mono_s)

    def _cost(self) -> int:
        return sum(cost_bytes(len(row.message.body)) for row in self.rows.values())

    def _evict(self) -> None:
        while self._cost() > SMALL.max_bytes:
            seq = min(
                self.rows,
                key=lambda s: (EVICTION.index(self.rows[s].message.priority), not self.rows[s].apart, s),
            )
            del self.rows[seq]
            self.given_up.add(seq)
            self.dropped += 1

    @rule(limit=st.integers(0, 8), skip=st.sets(st.integers(1, 20)))
    def ask(self, limit: int, skip: set[int]) -> None:
        now = self.clock.now().mono_s
        order = sorted(
            (seq for seq, row in self.rows.items() if not row.apart and seq not in skip),
            key=lambda s: (self.rows[s].message.priority, now - self.rows[s].at > 60, s),
        )
        found = self.box.waiting(limit, self.clock.now(), skip)
        assert [s.seq for s in found] == order[:limit]
        for stored in found:
            seal = stored.message.topic == codec.CHAIN
            expected = self.rows[stored.seq].message
            assert stored.message == expected or (seal and expected.topic == codec.CHAIN)
            self.rows[stored.seq].given = True

    @rule(first=st.integers(0, 30), length=st.integers(0, 6))
    def receipt(self, first: int, length: int) -> None:
        gone = [seq for seq in self.rows if first <= seq <= first + length]
        assert self.box.acknowledge(self.box.stream, [(first, first + length)]) == len(gone)
        for seq in gone:
            del self.rows[seq]

    @precondition(lambda self: any(not row.apart for row in self.rows.values()))
    @rule(data=st.data())
    def set_apart(self, data: st.DataObject) -> None:
        seq = data.draw(st.sampled_from(sorted(s for s, row in self.rows.items() if not row.apart)))
        assert self.box.quarantine(seq, "a test")
        self.rows[seq].apart = True

    @rule(seconds=st.sampled_from([2, 30, 70]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.box.close()
        self.clock.advance(61)  # live means put by this life of the agent, too
        self.box = Outbox(self.path, SMALL, self.clock)
        for row in self.rows.values():
            row.given = True

    @rule()
    def crash(self) -> None:
        """The power goes: what the disk had at this moment is all that there is."""
        self.count = type(self).count = type(self).count + 1
        image = self.folder / f"{self.count}.db"
        for part in ("", "-wal"):
            shutil.copy(f"{self.path}{part}", f"{image}{part}")
        self.box.close()
        self.path = image
        self.clock.advance(61)
        self.box = Outbox(self.path, SMALL, self.clock)
        for row in self.rows.values():
            row.given = True

    @invariant()
    def sums_agree(self) -> None:
        stats = self.box.stats()
        assert stats.pending == sum(not row.apart for row in self.rows.values())
        assert stats.quarantined == sum(row.apart for row in self.rows.values())
        assert stats.bytes == self._cost()
        assert sum(stats.dropped.values()) == self.dropped
        assert self.box.bounds() == (min(self.rows, default=None), self.next_seq - 1 or None)
        assert {m.event_id: m.revision for m in self.box.open_events()} == self.open


def test_the_outbox_behaves_like_its_model(tmp_path: Path) -> None:
    machine = type("Machine", (OutboxAgainstModel,), {"folder": tmp_path})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=6, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_while_nothing_waits_the_database_is_not_asked_what_does(outbox: Outbox, clock: SteppedClock) -> None:
    (seq,) = outbox.put([start("e1")])
    assert not outbox.at_rest
    outbox.acknowledge(outbox.stream, [(seq, seq)])
    assert outbox.at_rest
    asked: list[str] = []
    outbox._disk.held.db.set_trace_callback(asked.append)
    assert outbox.waiting(10, clock.now()) == []
    assert asked == []
    outbox.put([start("e2")])

    assert [each.message.event_id for each in outbox.waiting(10, clock.now())] == ["e2"]
    assert not outbox.at_rest


def test_an_outbox_in_memory_is_not_at_rest(outbox: Outbox) -> None:
    """It must be looked after: the disk may come back."""
    outbox._disk._to_memory("a test", outbox._disk.held)
    assert not outbox.at_rest
