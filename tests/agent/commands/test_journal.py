"""agent.commands.journal"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.commands import journal as journals
from agent.commands.journal import (
    IN_MEMORY,
    CommandState,
    CommandTooOld,
    Journal,
    JournalEntry,
    JournalFull,
    StoredAck,
)
from agent.commands.policy import Command, Pause
from agent.errors import OutboxError
from agent.wire.verbs import PingArgs, SetArgs, Verb

PAUSE = Pause("north", None, 2e9, "boot-1", 5000.0, "officer")


def command(name: str, issued_s: float = 1e9, **more: object) -> Command:
    return replace(Command(name, Verb.PING, PingArgs(), "officer", issued_s, issued_s + 600, "aa"), **more)


def ack(name: str) -> StoredAck:
    return StoredAck(name, b'{"id":"%s"}' % name.encode(), b"\xff\xd8", "camera/north/snapshot")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Journal]]:
    """Opens the same file again and again, as lives of the agent do."""
    lives: list[Journal] = []

    def start(now_s: float = 1e9) -> Journal:
        lives.append(Journal(tmp_path / "commands.db", now_s))
        return lives[-1]

    yield start
    for each in lives:
        each.close()


def test_a_command_is_known_to_the_next_life_until_it_has_ended(opened: Callable[..., Journal]) -> None:
    """Invariants 1 and 3."""
    pause = SetArgs(camera="north", action="resume")
    opened().take(command("a", 2e9, verb=Verb.SET, args=pause))
    opened().take(command("b", 1e9))
    opened().begin("b")

    assert opened().unended() == [
        (command("b", 1e9), CommandState.BEGUN),
        (command("a", 2e9, verb=Verb.SET, args=pause), CommandState.ACCEPTED),
    ]
    opened().end(ack("b"), CommandState.DONE)
    assert [each.id for each, _ in opened().unended()] == ["a"]


def test_an_id_is_taken_once_and_what_became_of_it_is_known(opened: Callable[..., Journal]) -> None:
    """Invariant 2."""
    journal = opened()
    assert journal.take(command("a")) is None
    assert journal.take(command("a")) == JournalEntry(CommandState.ACCEPTED, "aa", None)
    journal.end(ack("a"), CommandState.FAILED)

    assert (
        opened().take(command("a"))
        == opened().find("a")
        == JournalEntry(CommandState.FAILED, "aa", ack("a").body)
    )
    assert journal.find("b") is None


def test_an_ack_stays_until_the_outbox_has_it(opened: Callable[..., Journal]) -> None:
    """Invariant 4."""
    journal = opened()
    journal.take(command("a"))
    journal.end(ack("a"), CommandState.DONE)
    assert opened().acks() == [ack("a")]
    opened().stored("a")

    assert opened().acks() == []


def test_a_pause_comes_and_goes_with_the_command(opened: Callable[..., Journal]) -> None:
    """Invariant 3."""
    journal = opened()
    for name in ("a", "b", "c"):
        journal.take(command(name))
    journal.end(ack("a"), CommandState.DONE, pause=PAUSE)
    journal.end(ack("b"), CommandState.DONE, pause=replace(PAUSE, rule="stop-line"))
    assert opened().pauses() == [PAUSE, replace(PAUSE, rule="stop-line")]
    journal.end(ack("c"), CommandState.DONE, resume=("north", None))
    assert opened().pauses() == [replace(PAUSE, rule="stop-line")]
    journal.drop(journal.pauses())

    assert opened().pauses() == []


def test_what_is_older_than_all_that_is_remembered_is_not_taken(
    opened: Callable[..., Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 2, for as long as the box lives: what is remembered is bounded."""
    monkeypatch.setattr(journals, "KEPT", 10)
    journal = opened()
    for number in range(30):
        journal.take(command(f"n{number}", 1e9 + number))
        journal.end(ack(f"n{number}"), CommandState.DONE)
        journal.stored(f"n{number}")
    for number in range(30):
        if number < 20:
            with pytest.raises(CommandTooOld, match=r"^repeated or too old: it was issued before all"):
                opened().take(command(f"n{number}", 1e9 + number))
        else:
            assert opened().take(command(f"n{number}", 1e9 + number)) is not None


def test_too_many_that_wait_are_refused(
    opened: Callable[..., Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "MOST_WAITING", 10)
    journal = opened()
    for number in range(10):
        journal.take(command(f"n{number}"))
    with pytest.raises(JournalFull, match=r"^10 commands wait to be done: send it again later$"):
        journal.take(command("one more"))
    journal.end(ack("n0"), CommandState.DONE)

    assert journal.take(command("one more")) is None


@pytest.mark.parametrize("spoilt", [b"no database at all", b"SQLite format 3\0" + b"\x07" * 5000])
def test_a_damaged_file_is_set_aside_and_nothing_old_is_done_again(
    tmp_path: Path, opened: Callable[..., Journal], spoilt: bytes
) -> None:
    """Invariant 5."""
    (tmp_path / "commands.db").write_bytes(spoilt)
    journal = opened(now_s=1e9)

    with pytest.raises(CommandTooOld):
        journal.take(command("a", 1e9 - 1))
    assert journal.take(command("b", 1e9 + 1)) is None
    assert (tmp_path / "commands.db.damaged").read_bytes() == spoilt


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "none" / "commands.db"
    with pytest.raises(OutboxError) as caught:
        Journal(path, 0.0)
    assert caught.value.what == f"command journal {path}: unable to open database file"
    assert caught.value.hint == "look at the disk: full, read-only, or dying?"

    journal = Journal(IN_MEMORY, 0.0)
    assert journal.take(command("a")) is None
    assert journal.take(command("a")) == JournalEntry(CommandState.ACCEPTED, "aa", None)
    journal.close()


def test_what_could_not_be_written_changes_nothing_and_the_journal_goes_on(
    tmp_path: Path, opened: Callable[..., Journal]
) -> None:
    """Invariant 3: the effect and the ack are there together or not at all."""
    journal = opened()
    journal.take(command("a"))
    with closing(sqlite3.connect(tmp_path / "commands.db")) as other:
        other.execute("create trigger no before insert on pause begin select raise(abort, 'no'); end")
    with pytest.raises(OutboxError, match=": no"):
        journal.end(ack("a"), CommandState.DONE, pause=PAUSE)

    assert journal.acks() == []
    assert journal.find("a") == JournalEntry(CommandState.ACCEPTED, "aa", None)
    assert journal.take(command("b")) is None
