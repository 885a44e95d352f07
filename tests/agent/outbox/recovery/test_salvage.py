"""agent.outbox.recovery.salvage"""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from agent.outbox.database import log_of
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.outbox.recovery.pages import PAGE, Pages
from agent.outbox.recovery.salvage import DamagedFile
from agent.wire import codec
from agent.wire.message import Message, Priority
from agent.wire.payloads import ChainPayload
from tests.conftest import SteppedClock

SETTINGS = OutboxSettings(ballast_bytes=0)
Units = dict[tuple[str, int], bytes]
Damage = Callable[[Path, random.Random], None]


def body_of(n: int) -> bytes:
    """Unlike any other in each of its pages."""
    size = (80, 700, 1900, 5000, 14_000)[n % 5]
    return random.Random(n).randbytes(size)


def fill(path: Path, number: int = 60, *, killed: bool = False) -> dict[str, bytes]:
    """An outbox with messages of all sizes, closed in order or left as a crash leaves it; event -> body."""
    clock = SteppedClock()
    target = path.with_name("made.db") if killed else path
    box = Outbox(target, SETTINGS, clock)
    bodies = {f"event-{n:05}": body_of(n) for n in range(number)}
    for at in range(0, number, 6):
        box.put(
            [
                Message(f"camera/north/image/{e}/scene", body, codec.JPEG, Priority.IMAGE, clock.now(), e, 1)
                for e, body in list(bodies.items())[at : at + 6]
            ]
        )
        if killed and at == number // 2:
            box._disk.held.db.execute("pragma wal_checkpoint(passive)")
    if killed:
        for part in ("", "-wal"):
            shutil.copy(f"{target}{part}", f"{path}{part}")
    box.close()
    return bodies


def units(path: Path) -> Units:
    """Every page of the file and every frame of its log, by place."""
    found: Units = {}
    for part, begin, size in ((path, 0, PAGE), (log_of(path), 32, PAGE + 24)):
        data = part.read_bytes() if part.is_file() else b""
        found |= {(part.name, at): data[at : at + size] for at in range(begin, len(data), size)}
    return found


def whole(before: Units, after: Units, bodies: dict[str, bytes]) -> set[str]:
    """Events all of whose pages, wherever a copy of them lay, are as they were.

    Written without the code under test: it looks for an event's name and for pieces of its body.
    """
    damaged = [content for place, content in before.items() if after.get(place) != content]
    return {
        event
        for event, body in bodies.items()
        if not any(
            piece in content
            for content in damaged
            for piece in (event.encode(), *(body[at : at + 40] for at in range(0, len(body), 500)))
        )
    }


def flip(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        for _ in range(chance.choice([1, 3, 20])):
            at = chance.randrange(path.stat().st_size)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << chance.randrange(8)]))


def zero_page(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.seek(chance.randrange(path.stat().st_size // PAGE) * PAGE)
        file.write(bytes(PAGE))


def truncate(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size))


def header(path: Path, chance: random.Random) -> None:
    with path.open("r+b") as file:
        file.seek(chance.randrange(80))
        file.write(chance.randbytes(20))


def flip_log(path: Path, chance: random.Random) -> None:
    flip(log_of(path), chance)


def no_log(path: Path, _chance: random.Random) -> None:
    log_of(path).unlink()


def foreign_log(path: Path, _chance: random.Random) -> None:
    other = path.with_name("other.db")
    clock = SteppedClock()
    box = Outbox(other, SETTINGS, clock)
    box.put(
        [
            Message("p", b"%d" % n * 800, codec.JPEG, Priority.IMAGE, clock.now(), f"other-{n}")
            for n in range(20)
        ]
    )
    shutil.copy(log_of(other), log_of(path))
    box.close()


def empty(path: Path, _chance: random.Random) -> None:
    os.truncate(path, 0)


def folder(path: Path, _chance: random.Random) -> None:
    path.unlink()
    log_of(path).unlink(missing_ok=True)
    path.mkdir()
    (path / "something").write_text("of someone")


CLOSED: tuple[Damage, ...] = (flip, zero_page, truncate, header, empty, folder)
KILLED: tuple[Damage, ...] = (flip, flip_log, no_log, foreign_log, zero_page, truncate, header, empty)
CASES = [
    pytest.param(damage, killed, seed, id=f"{damage.__name__}-{'killed' if killed else 'closed'}-{seed}")
    for seed in range(int(os.environ.get("NGATU_DAMAGES", "1")))
    for killed, damages in ((False, CLOSED), (True, KILLED))
    for damage in damages
]
"""14 damages; 200 and more with NGATU_DAMAGES=15."""


@pytest.mark.parametrize(("damage", "killed", "seed"), CASES)
def test_whatever_became_of_the_file_the_box_starts_and_has_every_whole_message(
    damage: Damage, killed: bool, seed: int, tmp_path: Path
) -> None:
    """Promise P18."""
    path = tmp_path / "outbox.db"
    bodies = fill(path, killed=killed)
    before = units(path)
    damage(path, random.Random(seed))
    there = whole(before, units(path), bodies)
    if damage is flip_log:  # a log that ends in nonsense is what a power cut in the last commit leaves
        there -= set(list(bodies)[-6:])
    clock = SteppedClock()
    began = time.monotonic()
    box = Outbox(path, SETTINGS, clock)
    took_s = time.monotonic() - began
    found = {s.message.event_id: s.message.body for s in box.waiting(999, clock.now())}
    told = box.salvaged()
    asides = [p for p in tmp_path.glob("outbox.db.damaged.*") if p.suffix[1:].isdigit()]
    assert took_s <= 5
    found.pop(None, None)  # seals
    assert there <= set(found)
    assert all(bodies.get(event or "") == body for event, body in found.items()), "no flipped bit is passed on"
    assert len(told) == len(asides), "what is set aside is told, and what is told was set aside"
    assert box.put([Message("camera/north/event", b"{}", codec.JSON, Priority.EVENT, clock.now())])
    box.close()


def test_a_message_with_a_flipped_bit_is_found_when_it_is_to_be_sent(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    bodies = fill(path)
    data = path.read_bytes()
    at = data.index(bodies["event-00003"][2500:2508])
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"x")
    clock = SteppedClock()
    box = Outbox(path, SETTINGS, clock)
    stream = box.stream
    found = [s.message.event_id for s in box.waiting(999, clock.now(), priorities=[Priority.IMAGE])]
    assert box.stream != stream
    assert set(bodies) - set(found) == {"event-00003"}
    (told,) = box.salvaged()
    assert (told.messages, told.spoiled, told.stream) == (60, 1, stream)
    box.close()


def test_the_new_stream_tells_what_came_from_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    fill(path)
    with closing(sqlite3.connect(path)) as db:
        (old,) = db.execute("select stream from life").fetchone()
    header(path, random.Random(1))
    clock = SteppedClock()
    box = Outbox(path, SETTINGS, clock)
    seals = [
        codec.parse(ChainPayload, codec.finish(s, box.stream, clock.now()))
        for s in box.waiting(99, clock.now(), priorities=[Priority.COUNT])
    ]
    carried = [each.carried for each in seals if each.carried is not None]
    assert {each.stream for each in carried} == {old}
    told = {seq for each in carried for first, last in each.seqs for seq in range(first, last + 1)}
    assert told == set(range(1, 62)), "sixty messages and a seal"
    box.close()


def test_what_was_in_quarantine_or_open_is_so_again(tmp_path: Path) -> None:
    path, clock = tmp_path / "outbox.db", SteppedClock()
    box = Outbox(path, SETTINGS, clock)
    start = Message(
        "camera/north/event", b'{"a":1}', codec.JSON, Priority.EVENT, clock.now(), "e1", 1, opens=True
    )
    box.put([start, Message("camera/north/event", b"{}", codec.JSON, Priority.EVENT, clock.now(), "e2", 1)])
    box.quarantine(2, "larger than the broker takes")
    box.close()
    header(path, random.Random(2))
    box = Outbox(path, SETTINGS, clock)
    assert (box.stats().pending, box.stats().quarantined) == (2, 1), "the other message, and a seal"
    assert [event.body for event in box.open_events()] == [b'{"a":1}']
    box.close()


def test_salvage_goes_on_after_a_crash_in_the_middle_of_it(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    bodies = fill(path)
    path.rename(tmp_path / "outbox.db.damaged.1")  # set aside by a life that ended before it was saved
    clock = SteppedClock()
    box = Outbox(path, SETTINGS, clock)
    assert box.stats().pending >= len(bodies)
    pending = box.stats().pending
    box.close()
    box = Outbox(path, SETTINGS, clock)
    assert box.stats().pending == pending, "once is enough"
    box.close()


def test_a_file_of_another_user_is_set_aside(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    path = tmp_path / "box" / "outbox.db"
    path.parent.mkdir()
    fill(path)
    path.chmod(0o600)
    (path.parent / "outbox.db.lock").unlink()
    for folder_of_it in (path.parent, *path.parents):
        if folder_of_it == Path(tmp_path.anchor) / "tmp":
            break
        folder_of_it.chmod(0o755)
    path.parent.chmod(0o777)
    child = os.fork()
    if child == 0:
        os.setgid(65534)
        os.setuid(65534)
        try:
            (told,) = Outbox(path, SETTINGS, SteppedClock()).salvaged()
            os._exit(0 if told.kept_as == "outbox.db.damaged.1" and told.unreadable_pages else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("seed", range(20))
def test_bytes_of_any_kind_never_make_it_raise(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    path = tmp_path / "wreck"
    data = bytearray(chance.randbytes(chance.randrange(1, 12) * PAGE + chance.randrange(PAGE)))
    for page in range(0, len(data), PAGE):
        data[page : page + 2] = b"\x0d\x00"  # as if each were a leaf
        data[page + 3 : page + 5] = chance.choice([b"\x00\x08", b"\xff\xff"])
    path.write_bytes(bytes(data[: chance.randrange(1, len(data))]))
    log_of(path).write_bytes(b"\x37\x7f\x06\x82" + chance.randbytes(3 * PAGE))
    wreck = DamagedFile(path)
    wreck.life()
    assert wreck.search() == 0
    assert list(wreck.messages()) == []
    wreck.close()


def test_the_rows_of_a_page_are_those_that_sqlite_reads(tmp_path: Path) -> None:
    path = tmp_path / "any.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"pragma page_size = {PAGE}")
        db.execute("create table t (a, b real, c text, d blob, e integer)")
        rows = [(n, n / 3, "x" * n, os.urandom(n * 37 % 9000), -(1 << (n % 63))) for n in range(300)] + [
            (None, 1.0, "", b"", 0)
        ]
        db.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
        db.commit()
    pages = Pages(path, log_of(path))
    found = {
        row.rowid: row.values
        for n in range(2, pages.count + 1)
        for row in pages.rows(n)
        if len(row.values) == 5
    }
    pages.close()
    assert [found[n + 1] for n in range(len(rows))] == rows
