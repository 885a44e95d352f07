"""agent.outbox.inspect: as a command, it is tried in tests/agent/cli/test_outbox.py"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import OutboxError
from agent.outbox import inspect
from agent.outbox.inspect import Sum, age
from agent.outbox.outbox import Outbox
from agent.wire.message import Priority
from tests.conftest import SteppedClock
from tests.support.outboxes import SMALL, by_hand, message, start


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


@pytest.fixture
def box(path: Path, clock: SteppedClock) -> Iterator[Outbox]:
    """Two that wait and two in quarantine."""
    box = Outbox(path, SMALL, clock)
    box.put(
        [start("e1"), message("e2"), message("e3", priority=Priority.IMAGE, body=b"\xff\xd8"), message("e4")]
    )
    box.quarantine(2, "too large")
    box.quarantine(3, "again and again")
    yield box
    box.close()


def test_the_status_tells_what_waits_with_or_without_an_agent(
    box: Outbox, path: Path, clock: SteppedClock
) -> None:
    clock.advance(30)
    status = inspect.status(path, clock)
    box.close()

    assert status.at_work
    assert status.stream == box.stream
    assert set(status.waiting) == {"event"}
    assert status.waiting["event"].messages == 2
    assert isinstance(status.waiting["event"], Sum)
    assert (status.oldest_s, status.quarantined, status.newest_seq, status.unsealed) == (30, 2, 4, 4)
    assert (status.seals, status.dropped, status.damaged, status.ballast_bytes) == (0, {}, (), 0)
    assert status.file_bytes > 4096
    assert not inspect.status(path, clock).at_work


def test_looking_leaves_no_file_behind(box: Outbox, path: Path, clock: SteppedClock) -> None:
    box.close()
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    inspect.status(path, clock)
    inspect.entries(path, quarantined=True, limit=9)

    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before


def test_entries_are_those_that_wait_or_those_in_quarantine(box: Outbox, path: Path) -> None:
    assert [(entry.seq, entry.reason) for entry in inspect.entries(path, quarantined=False, limit=9)] == [
        (1, None),
        (4, None),
    ]
    (first,) = inspect.entries(path, quarantined=True, limit=1)
    assert (first.seq, first.priority, first.event_id, first.bytes, first.reason) == (
        2, "event", "e2", 7, "too large",
    )  # fmt: skip


def test_everything_can_be_copied(box: Outbox, path: Path, tmp_path: Path, clock: SteppedClock) -> None:
    assert inspect.export(path, tmp_path / "copy", clock) == (4, 0)
    lines = [json.loads(line) for line in (tmp_path / "copy" / "messages.jsonl").read_text().splitlines()]

    assert [(line["seq"], line["file"], line["reason"]) for line in lines] == [
        (1, "00000001.json", None),
        (2, "00000002.json", "too large"),
        (3, "00000003.jpg", "again and again"),
        (4, "00000004.json", None),
    ]
    assert (tmp_path / "copy" / "00000003.jpg").read_bytes() == b"\xff\xd8"
    with pytest.raises(OutboxError, match="not empty"):
        inspect.export(path, tmp_path / "copy", clock)


@pytest.mark.parametrize("at_work", [True, False])
def test_what_is_in_quarantine_is_sent_again_or_given_up(
    box: Outbox, path: Path, clock: SteppedClock, at_work: bool
) -> None:
    if not at_work:
        box.close()
    assert inspect.requeue(path, [2, 1], clock) == 1
    assert inspect.drop(path, None, clock) == 1

    status = inspect.status(path, clock)
    assert (status.quarantined, status.dropped) == (0, {"image": 1})
    assert status.waiting["event"].messages == 3


def test_what_is_no_outbox_is_refused(path: Path, clock: SteppedClock) -> None:
    with pytest.raises(OutboxError, match="no outbox at"):
        inspect.status(path, clock)
    by_hand(path, "create table theirs (x)")
    with pytest.raises(OutboxError, match="another program"):
        inspect.drop(path, None, clock)
    path.write_bytes(b"nonsense" * 1000)
    with pytest.raises(OutboxError, match="cannot be read"):
        inspect.status(path, clock)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "-"),
        (float("inf"), "-"),
        (0.4, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (172_800, "2 d"),
    ],
)
def test_an_age_is_told_for_people(seconds: float | None, words: str) -> None:
    assert age(seconds) == words
