"""agent.outbox.outbox"""

from __future__ import annotations

import hashlib
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.clock import SystemClock
from agent.core.types import Instant
from agent.errors import OutboxError
from agent.outbox import file as outbox_file
from agent.outbox.degraded import AGAIN_S
from agent.outbox.file import transact
from agent.outbox.outbox import FORK_AGAIN_S, Condition, Outbox, OutboxSettings
from agent.outbox.seals import SEAL_AFTER_S, SEAL_EVERY
from agent.outbox.transaction import EVICTION, cost_bytes
from agent.wire import codec
from agent.wire.message import Message, Priority
from agent.wire.payloads import ChainBody, ChainPayload
from tests.conftest import SteppedClock
from tests.support.outboxes import SMALL, by_hand, end, message, proofs, refusing, start, update


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "box" / "outbox.db"


@pytest.fixture
def outbox(path: Path, clock: SteppedClock) -> Iterator[Outbox]:
    box = Outbox(path, SMALL, clock)
    yield box
    box.close()


def sent_proof(outbox: Outbox, seq: int) -> str:
    stored = outbox.one(seq)
    assert stored is not None
    return stored.sha256


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
    said = int(rest[-1] if rest and rest[-1].isdigit() else last)
    clock = SystemClock()
    box = Outbox(file, OutboxSettings(ballast_bytes=0), clock)
    found = box.waiting(1_000_000, clock.now())
    box.close()
    assert said >= 120
    assert sorted(stored.seq for stored in found) == list(range(1, len(found) + 1))
    assert said <= len(found)
    assert sum(s.message.topic != codec.CHAIN for s in found) % 3 == 0, "a put is kept whole or not at all"


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
        pytest.skip("strace is not here, so only its settings show whether put() syncs: apt install strace")
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
        box.acknowledge(box.stream, proofs(path, (1, 1 << 60)))
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
    box.acknowledge(box.stream, proofs(path, (1, 99)))
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
    for n in range(100):
        size = (n * 7919) % 9000
        box.put([message(f"e{n}-{k}", priority=Priority.IMAGE, body=bytes(size)) for k in range(10)])
    box.close()
    assert path.stat().st_size <= 1.15 * (1 << 20)


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
    by_hand(path, "pragma wal_checkpoint(truncate)")
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


def test_invariant_10_a_receipt_for_another_stream_changes_nothing(
    outbox: Outbox, path: Path, clock: SteppedClock
) -> None:
    outbox.put([start("e1"), start("e2")])
    assert outbox.acknowledge("019a0000-0000-7000-8000-000000000000", proofs(path, (1, 2))) == 0
    assert sent(outbox, clock) == [1, 2]


def test_invariant_10_a_receipt_during_which_the_file_breaks_takes_nothing_of_the_new_stream(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([message(f"e{n}", body=bytes(3000)) for n in range(200)])
    stream = box.stream
    by_hand(path, "pragma wal_checkpoint(truncate)")
    receipt = proofs(path, (1, 200))
    half = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(half)
        file.write(os.urandom(half))
    assert box.acknowledge(stream, receipt) == 0
    assert box.stream != stream
    assert box.stats().pending >= 50, "what was saved is under other numbers"
    box.close()


def test_invariant_10_a_receipt_without_the_digest_of_the_message_changes_nothing(
    outbox: Outbox, path: Path, clock: SteppedClock
) -> None:
    outbox.put([start("e1"), start("e2")])
    stream = outbox.stream
    assert outbox.acknowledge(stream, [(0, "0" * 16), (-5, "0" * 16)]) == 0
    assert outbox.acknowledge(stream, []) == 0
    assert (sent(outbox, clock), outbox.stream) == ([1, 2], stream)
    assert outbox.acknowledge(stream, proofs(path, (2, 2))) == 1


def forked_events(logs: list[Any]) -> list[str]:
    return [line["why"] for line in logs if line["event"] == "outbox_forked"]


def test_invariant_16_where_the_station_has_another_message_all_goes_on_in_a_new_stream(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1"), start("e2"), message(None, body=b"count")])
    box.quarantine(2, "larger than the broker takes")
    stream, (first,) = box.stream, proofs(path, (1, 1))
    with capture_logs() as logs:
        assert box.acknowledge(stream, [first, (3, "f" * 16)]) == 1, "what it has proven is forgotten"
    assert box.stream != stream
    assert forked_events(logs) == ["the station has another message 3 than this outbox"]
    assert [each.message.body for each in box.waiting(9, clock.now()) if each.message.topic != codec.CHAIN] == [
        b"count"
    ]
    assert (box.stats().quarantined, box.stats().damaged) == (1, 0)
    assert {each.event_id for each in box.open_events()} == {"e1", "e2"}
    (salvaged,) = box.salvaged()
    assert (salvaged.forked, salvaged.messages, salvaged.stream) == (True, 3, stream), "and its last seal"
    assert list(path.parent.glob("*forked*")) == [], "nothing of the old file stays"
    box.close()


def test_invariant_16_a_file_that_was_put_back_begins_a_new_stream_by_what_the_station_has(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1")])
    box.close()
    older = path.read_bytes()
    box = Outbox(path, SMALL, clock)
    box.put([start("e2"), start("e3")])
    box.close()
    path.write_bytes(older)
    box = Outbox(path, SMALL, clock)
    stream = box.stream
    box.put([start("e4")])
    assert box.acknowledge(stream, proofs(path, (1, 1)), newest=3) == 1
    assert box.stream != stream
    assert [each.message.event_id for each in box.waiting(9, clock.now()) if each.message.event_id] == ["e4"]
    carried = [
        codec.parse(ChainBody, each.message.body).carried
        for each in box.waiting(9, clock.now())
        if each.message.topic == codec.CHAIN
    ]
    assert [(one.stream, one.newest, one.seqs, one.forked) for one in carried if one] == [
        (stream, 3, ((2, 3),), True)
    ]
    box.close()


def test_invariant_16_nothing_that_has_left_the_file_comes_again(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([message(f"e{n}", body=b"%05d" % n * 300) for n in range(300)])
    box.acknowledge(box.stream, proofs(path, (1, 290)))
    box.acknowledge(box.stream, [], newest=9_000)
    bodies = {each.message.body[:5] for each in box.waiting(900, clock.now()) if each.message.event_id}
    known = {b"%05d" % n for n in range(280, 300)}
    assert bodies < known
    assert box.stats().pending < 40
    box.close()


def test_invariant_16_what_differs_in_a_new_stream_again_is_set_aside(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1"), start("e2")])
    box.acknowledge(box.stream, [(1, "f" * 16)])
    stream = box.stream
    (first, *_) = sent(box, clock)
    box.acknowledge(stream, [(first, "f" * 16)])
    assert (box.stream, box.stats().quarantined) == (stream, 1)
    clock.advance(FORK_AGAIN_S)
    box.acknowledge(stream, [(99, "f" * 16)])
    assert box.stream != stream
    assert box.stats().quarantined == 1
    box.close()


def test_invariant_16_what_was_set_aside_so_is_sent_again_each_hour_without_another_fork(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    box.tend()
    box.put([start("e1"), start("e2"), message("apart")])
    box.acknowledge(box.stream, [(1, "f" * 16)])
    stream, seqs = box.stream, sent(box, clock)
    box.quarantine(seqs[-1], "too large")
    for _ in range(3):
        box.acknowledge(stream, [(seq, "f" * 16) for seq in seqs[:-1]])
        apart = box.stats().quarantined
        box.tend()
        assert box.stats().quarantined == apart == len(seqs), "not at once"
        clock.advance(FORK_AGAIN_S)
        box.tend()
        assert (box.stats().quarantined, box.stats().pending) == (1, len(seqs) - 1)
        assert sent(box, clock) == seqs[:-1]
    assert box.stream == stream, "it was contradicted before: that says no more than it did"
    assert box.acknowledge(stream, [pair for pair in proofs(path, (1, 99)) if pair[0] in seqs]) == len(seqs)
    box.close()


def test_invariant_16_what_was_set_aside_so_is_sent_again_after_a_start(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1")])
    box.acknowledge(box.stream, [(1, "f" * 16)])
    seqs = sent(box, clock)
    box.acknowledge(box.stream, [(seq, "f" * 16) for seq in seqs])
    assert sent(box, clock) == []
    box.close()
    again = Outbox(path, SMALL, clock)
    again.tend()
    assert sent(again, clock) == seqs
    again.close()


def test_invariant_16_a_large_forked_file_is_saved_beside_the_work_also_after_a_restart(
    path: Path, clock: SteppedClock
) -> None:
    large = OutboxSettings(max_bytes=64 << 20, ballast_bytes=0)
    box = Outbox(path, large, clock)
    box.put([message(f"e{n}", body=bytes(90_000)) for n in range(120)])
    box.acknowledge(box.stream, [], newest=9_000)
    assert (box.stats().pending, box.unsaved) == (0, True)
    box.close()
    box = Outbox(path, large, clock)
    assert box.unsaved
    box.salvage()
    assert (box.unsaved, box.stats().pending >= 120) == (False, True)
    for _ in range(9):  # overwritten piece by piece
        clock.advance(AGAIN_S)
        box.tend()
    assert list(path.parent.glob("*forked*")) == []
    box.close()


def test_invariant_16_a_stream_in_memory_is_not_forked(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    with refusing(path):
        box.put([start("e1")])
        memory = box.stream
        box.acknowledge(memory, [(1, "f" * 16)], newest=70)
        assert (box.stream, box.stats().pending) == (memory, 1)
    box.close()


def test_invariant_11_quarantined_messages_are_kept_but_not_given_out(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.put([start("e1"), start("e2"), start("e3")])
    assert box.quarantine(2, "larger than the broker takes")
    assert not box.quarantine(2, "again")
    assert sent(box, clock) == [1, 3]
    assert (box.stats().pending, box.stats().quarantined) == (2, 1)
    box.acknowledge(box.stream, proofs(path, (1, 1), (3, 3)))
    assert box.bounds() == (2, 3)
    before = box.stats()
    box.close()
    box = Outbox(path, SMALL, clock)
    assert box.stats() == before
    assert box.acknowledge(box.stream, proofs(path, (2, 2))) == 1, "the station had it after all"
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
    box.close()
    by_hand(path, "update boot set boot_id = 'earlier'")
    clock.moment = replace(clock.now(), mono_s=5.0, wall_s=clock.now().wall_s + 90)
    box = Outbox(path, SMALL, clock)
    box.put([start("e2")])
    first, second = sorted(box.waiting(10, clock.now()), key=lambda stored: stored.seq)
    assert (first.put_at.mono_s, first.message.at.mono_s) == (-math.inf, -math.inf)
    assert second.put_at == clock.now()
    assert box.stats().oldest_s == 90
    box.acknowledge(box.stream, proofs(path, (1, 2)))
    box.close()


def test_bounds_and_age_tell_what_waits(outbox: Outbox, path: Path, clock: SteppedClock) -> None:
    assert outbox.bounds() == (None, None)
    assert outbox.stats().oldest_s is None
    outbox.put([start("e1")])
    clock.advance(10)
    outbox.put([start("e2")])
    clock.advance(5)
    assert outbox.bounds() == (1, 2)
    assert outbox.stats().oldest_s == 15
    outbox.acknowledge(outbox.stream, proofs(path, (1, 1)))
    assert outbox.bounds() == (2, 2)
    assert outbox.stats().oldest_s == 5


def test_watchers_hear_of_each_put(outbox: Outbox) -> None:
    heard: list[str] = []
    outbox.watch(lambda: heard.append(threading.current_thread().name))
    outbox.put([start("e1")])
    outbox.put([])
    assert heard == [threading.current_thread().name]


def test_threads_that_put_at_once_share_transactions(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    commits: list[object] = []
    monkeypatch.setattr(
        "agent.outbox.store.transact", lambda db, work: commits.append(work) or transact(db, work)
    )
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
    seals = outbox.bounds()[1] or 0
    assert len(set(given)) == 400
    assert max(given) <= seals == 400 + 400 // SEAL_EVERY
    assert len(commits) < 400


def test_what_was_sent_on_a_day_is_known_after_a_restart(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    box.note_spent("2026-03-02", {Priority.IMAGE: 500})
    box.close()
    box = Outbox(path, SMALL, clock)
    assert box.spent("2026-03-02") == {Priority.IMAGE: 500}
    box.close()


def test_a_closed_outbox_says_so(outbox: Outbox) -> None:
    outbox.close()
    outbox.close()
    with pytest.raises(OutboxError, match="closed"):
        outbox.put([start("e1")])


def test_invariant_12_memory_bridges_what_the_disk_does_not_take(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, SMALL, clock)
    stream = box.stream
    box.put([start("e1"), start("e2"), message("old")])
    with refusing(path):
        assert box.put([end("e1", 2), update("e3", 1), message("new")]) == [1, 2, 3]
    assert box.condition().in_memory == "refused"
    memory = box.stream
    assert memory != stream
    assert sent(box, clock) == [1, 3, 2]
    assert box.acknowledge(memory, [(3, sent_proof(box, 3))]) == 1
    clock.advance(AGAIN_S)
    box.tend()
    assert (box.condition(), box.stream) == (Condition(), stream)
    waiting = {s.message.event_id: s for s in box.waiting(20, clock.now())}
    assert set(waiting) == {"e1", "e2", "e3", "old", None}, "what has a receipt is not sent again"
    seal = codec.parse(ChainPayload, codec.finish(waiting[None], stream, clock.now()))
    assert seal.carried is not None
    assert (seal.carried.stream, seal.carried.newest, seal.carried.seqs) == (memory, 3, ((1, 2),))
    assert [event.event_id for event in box.open_events()] == ["e2", "e3"]
    box.close()


def test_invariant_12_memory_is_bounded_and_pictures_go_first(path: Path, clock: SteppedClock) -> None:
    box = Outbox(path, OutboxSettings(memory_bytes=1 << 20, ballast_bytes=0), clock)
    with refusing(path):
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
        import sqlite3, sys
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
        other = sqlite3.connect(sys.argv[1])
        other.execute("create trigger no before insert on message begin select raise(abort, 'refused'); end")
        other.commit()
        most = 0
        for n in range(300):
            at = Instant(n, n)
            names = [f"{n}-{k}" for k in range(10)]
            box.put([Message("p", bytes(20_000), "image/jpeg", Priority.IMAGE, at, name) for name in names])
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
    seal = codec.parse(ChainPayload, codec.finish(waiting[SEAL_EVERY + 2], outbox.stream, clock.now()))
    assert (seal.number, seal.previous) == (1, None)
    assert [seq for seq, _ in seal.entries] == list(range(2, SEAL_EVERY + 2)), "not the update"
    assert dict(seal.entries) == {seq: waiting[seq].sha256 for seq, _ in seal.entries}
    assert outbox.head() == (outbox.stream, 1, waiting[SEAL_EVERY + 2].sha256)


def test_invariant_13_a_seal_comes_after_some_minutes_and_names_the_one_before(
    outbox: Outbox, path: Path, clock: SteppedClock
) -> None:
    outbox.put([start("e1"), start("e2")])
    for _ in range(3):  # a seal alone needs none
        clock.advance(SEAL_AFTER_S)
        outbox.tend()
    assert outbox.bounds() == (1, 3)
    first = outbox.head()
    outbox.acknowledge(outbox.stream, proofs(path, (1, 2)))
    outbox.put([end("e1", 2), end("e2", 2)])
    clock.advance(SEAL_AFTER_S)
    outbox.tend()
    (seal,) = [s for s in outbox.waiting(9, clock.now()) if s.seq == 6]
    seal = codec.parse(ChainPayload, codec.finish(seal, outbox.stream, clock.now()))
    assert seal.previous is not None
    assert (seal.previous.stream, seal.previous.number, seal.previous.sha256) == first
    assert [seq for seq, _ in seal.entries] == [3, 4, 5]


def test_invariant_13_a_seal_tells_what_was_given_up(outbox: Outbox, clock: SteppedClock) -> None:
    outbox.put([message(f"e{n}", priority=Priority.IMAGE, body=bytes(100_000)) for n in range(12)])
    assert outbox.stats().dropped["image"] == 2
    clock.advance(SEAL_AFTER_S)
    outbox.tend()
    seal = outbox.waiting(1, clock.now(), priorities=[Priority.COUNT])[0]
    seal = codec.parse(ChainPayload, codec.finish(seal, outbox.stream, clock.now()))
    assert seal.dropped == ((1, 2),)


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
    chain = [codec.parse(ChainPayload, codec.finish(s, box.stream, clock.now())) for s in seals]
    first = next(seal for seal in chain if seal.of == box.stream and seal.number == 1)
    assert first.previous is not None
    assert (first.previous.stream, first.previous.number, first.previous.sha256) == before
    box.close()


# ------------------------------------------------------------------------------------ what cannot be taken


POISON = replace(message("poison"), body="no bytes")  # type: ignore[arg-type]  # a mistake of ours


def test_invariant_15_what_cannot_be_taken_is_counted_and_told_when_it_begins_and_when_it_is_over(
    outbox: Outbox, path: Path, clock: SteppedClock
) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            outbox.put_or_drop([POISON, message("with it")])
            outbox.put_or_drop([message("after it")])
            clock.advance(AGAIN_S / 2)
            outbox.tend()
        refused = outbox.condition().refused
        clock.advance(AGAIN_S)
        outbox.tend()

    assert refused is not None
    assert outbox.condition() == Condition()
    assert outbox.stats().dropped["event"] == 6
    assert outbox.stats().pending == 3
    said = [(line["event"], line["log_level"], line["path"]) for line in lines]
    assert said == [("outbox_refuses", "error", str(path)), ("outbox_takes_again", "warning", str(path))]


def test_invariant_15_what_cannot_be_taken_takes_nothing_of_others_with_it(outbox: Outbox) -> None:
    gate, refused = threading.Barrier(8), []

    def work(name: int) -> None:
        gate.wait()
        for n in range(20):
            try:
                outbox.put([POISON if name == 0 else message(f"{name}-{n}")])
            except OutboxError as error:
                refused.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    with capture_logs():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(refused) == 20
    assert outbox.stats().pending == 140 + 140 // SEAL_EVERY
    assert sum(outbox.stats().dropped.values()) == 0, "who asked still has them"


def test_invariant_15_losses_that_were_counted_are_known_after_a_restart(
    path: Path, clock: SteppedClock
) -> None:
    box = Outbox(path, SMALL, clock)
    with capture_logs():
        box.put_or_drop([POISON])
    box.count_dropped([Priority.COUNT, Priority.COUNT])
    box.close()
    box.put_or_drop([message("too late")])
    box = Outbox(path, SMALL, clock)
    dropped = box.stats().dropped
    box.close()

    assert (dropped["event"], dropped["count"]) == (1, 2)


def test_invariant_12_memory_takes_what_the_file_refuses_for_any_reason(
    outbox: Outbox, path: Path, clock: SteppedClock
) -> None:
    with refusing(path):
        outbox.put([message("e1")])
        reasons = [outbox.condition().in_memory]
        clock.advance(AGAIN_S)
        outbox.tend()
        reasons.append(outbox.condition().in_memory)
        outbox.count_dropped([Priority.IMAGE])
        outbox.acknowledge(outbox.stream, [(1, sent_proof(outbox, 1))])
        assert not outbox.at_rest, "it must be looked after: the disk may come back"
        outbox.put([message("e2")])
    clock.advance(AGAIN_S)
    outbox.tend()

    assert reasons == ["refused", "refused"]
    assert outbox.condition() == Condition()
    assert [s.message.event_id for s in outbox.waiting(9, clock.now())] == ["e2", None]
    assert outbox.stats().dropped["image"] == 1


def piece(number: int, request: str = "r1", body: bytes = b"age") -> Message:
    return Message(
        f"evidence/{request}/footage.mp4/{number}",
        body,
        "application/octet-stream",
        Priority.EVIDENCE,
        Instant(999.0, 1_769_999_999.0),
        request,
    )


def test_pieces_of_footage_are_told_when_they_are_receipted_and_only_then(
    path: Path, clock: SteppedClock
) -> None:
    outbox = Outbox(path, SMALL, clock)
    named: list[str] = []
    outbox.watch_footage(named.extend)
    outbox.put([start("a"), piece(0), piece(1), piece(2)])
    outbox.quarantine(4, "too large")

    outbox.acknowledge(outbox.stream, [*proofs(path, (1, 2)), (3, "f" * 16)])

    assert named == ["evidence/r1/footage.mp4/0"]
    lying = outbox.footage()
    assert lying is not None
    assert lying.waiting | {*lying.apart} <= {"evidence/r1/footage.mp4/1", "evidence/r1/footage.mp4/2"}
    assert lying.apart["evidence/r1/footage.mp4/2"] == "too large"
    outbox.close()


def test_footage_that_is_no_longer_wanted_goes_and_is_counted(path: Path, clock: SteppedClock) -> None:
    outbox = Outbox(path, SMALL, clock)
    outbox.put([piece(0), piece(1), piece(0, "r2"), start("a")])
    outbox.quarantine(2, "too large")

    assert outbox.withdraw_footage(lambda topic: topic.startswith("evidence/r1/")) == 2

    lying = outbox.footage()
    assert lying is not None
    assert (lying.waiting, lying.apart) == ({"evidence/r2/footage.mp4/0"}, {})
    assert outbox.stats().dropped["evidence"] == 2
    assert outbox.stats().pending == 2
    assert sent(outbox, clock) == [4, 3]
    outbox.close()


def test_while_the_disk_takes_nothing_nobody_says_which_footage_lies_there(
    path: Path, clock: SteppedClock
) -> None:
    outbox = Outbox(path, SMALL, clock)
    outbox.put([piece(0)])
    with refusing(path):
        outbox.put([start("a")])
        assert outbox.footage() is None
    outbox.close()
