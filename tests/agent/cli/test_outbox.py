"""agent.cli.outbox"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.cli.main import gathered
from agent.clock import SystemClock
from agent.outbox.degraded import AGAIN_S
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.wire import codec, topics
from agent.wire.channels import MessageKind
from agent.wire.message import Message, Priority
from agent.wire.payloads import ChainPayload
from tests.conftest import SteppedClock

Say = Callable[..., Result]
JPEG = b"\xff\xd8 a picture"


class Box:
    """An outbox with three events, a picture and two that could not be delivered."""

    def __init__(self, path: Path) -> None:
        self.path, self.clock = path, SteppedClock(SystemClock().now())
        self.outbox = self.open()
        at = self.clock.now()
        events = [
            Message("camera/north/event", b'{"n":%d}' % n, codec.JSON, Priority.EVENT, at, f"e{n}", 1)
            for n in range(3)
        ]
        picture = Message("camera/north/image/e1/thumbnail", JPEG, codec.JPEG, Priority.IMAGE, at, "e1", 1)
        count = Message("camera/north/count/r", b"{}", codec.JSON, Priority.COUNT, at)
        self.outbox.put([*events, picture, count])
        self.outbox.quarantine(2, "larger than the broker takes")
        self.outbox.quarantine(4, "three connections ended with it")

    def open(self) -> Outbox:
        return Outbox(self.path, OutboxSettings(ballast_bytes=0), self.clock)


@pytest.fixture(params=["at work", "not running", "killed"])
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Box]:
    """With the agent at work, stopped in order, or killed: its log still lies there."""
    made = Box(tmp_path / "state" / "outbox.db")
    if request.param == "not running":
        made.outbox.close()
    elif request.param == "killed":
        image = tmp_path / "image"  # what the disk has at this moment
        shutil.copytree(made.path.parent, image, ignore=shutil.ignore_patterns("*-shm"))
        made.outbox.close()
        made.path = image / made.path.name
    yield made
    made.outbox.close()


@pytest.fixture
def say(box: Box) -> Say:
    def run(*words: str, **more: str) -> Result:
        return CliRunner().invoke(gathered("outbox"), ["outbox", *words, "--file", str(box.path)], **more)

    return run


def test_status_tells_what_waits_and_what_is_lost(say: Say) -> None:
    status = json.loads(say("status", "--json").stdout)

    assert {name: each["messages"] for name, each in status["waiting"].items()} == {"event": 2, "count": 1}
    assert (status["quarantined"], status["newest_seq"], status["unsealed"]) == (2, 5, 5)
    shown = say("status").stdout
    assert "event" in shown
    assert "quarantined" in shown
    assert ("at work" in shown) == status["at_work"]


def test_the_list_of_the_quarantined_tells_the_reasons(say: Say) -> None:
    found = [json.loads(line) for line in say("list", "--quarantined", "--json").stdout.splitlines()]

    assert [(each["seq"], each["reason"]) for each in found] == [
        (2, "larger than the broker takes"),
        (4, "three connections ended with it"),
    ]
    assert "larger than the" in say("list", "--quarantined").stdout
    assert [json.loads(line)["seq"] for line in say("list", "--json", "--limit", "2").stdout.splitlines()] == [
        1,
        3,
    ]


def test_everything_can_be_copied_and_is_still_there(say: Say, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    assert say("export", str(folder)).stdout == f"5 messages copied to {folder}\n"
    lines = [json.loads(line) for line in (folder / "messages.jsonl").read_text().splitlines()]

    assert [each["seq"] for each in lines] == [1, 2, 3, 4, 5]
    for each in lines:
        data = (folder / each["file"]).read_bytes()
        assert sha256(data if each["file"].endswith("jpg") else codec.body(data)).hexdigest() == each["sha256"]
    assert (folder / "00000004.jpg").read_bytes() == JPEG
    assert json.loads(say("status", "--json").stdout)["quarantined"] == 2
    again = say("export", str(folder))
    assert (again.exit_code, "is not empty" in again.stderr) == (1, True)


def test_reading_changes_not_a_byte(box: Box, say: Say, tmp_path: Path) -> None:
    before = content(box.path.parent)
    say("status")
    say("list")
    say("export", str(tmp_path / "stick"))

    assert content(box.path.parent) == before


def content(folder: Path) -> dict[str, bytes]:
    """All files but SQLite's shared memory, which readers mark themselves in."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def test_what_is_requeued_is_sent_again_under_its_number(box: Box, say: Say) -> None:
    assert say("requeue", "4", "99").stdout == "1 messages wait to be sent again\n"
    if not json.loads(say("status", "--json").stdout)["at_work"]:
        box.outbox = box.open()
    box.clock.advance(AGAIN_S)
    box.outbox.tend()

    waiting = {s.seq: s.message.body for s in box.outbox.waiting(9, box.clock.now())}
    assert waiting[4] == JPEG
    assert (box.outbox.stats().pending, box.outbox.stats().quarantined) == (4, 1)
    assert box.outbox.stats().damaged == 0


def test_what_is_dropped_is_counted_as_lost_and_told(box: Box, say: Say) -> None:
    refused = say("drop", "--all", input="n\n")
    assert refused.exit_code == 1
    assert say("drop", "--all", "--yes").stdout == "2 messages dropped\n"
    if not json.loads(say("status", "--json").stdout)["at_work"]:
        box.outbox = box.open()
    box.clock.advance(1000)
    box.outbox.tend()
    box.outbox.tend()

    stats = box.outbox.stats()
    assert (stats.quarantined, stats.dropped["event"], stats.dropped["image"]) == (0, 1, 1)
    chain = topics.suffix(MessageKind.CHAIN)
    seals = [s for s in box.outbox.waiting(9, box.clock.now()) if s.message.topic == chain]
    seal = codec.parse(ChainPayload, codec.finish(seals[-1], seals[-1].stream, box.clock.now()))
    assert seal.dropped == ((2, 2), (4, 4))


@pytest.mark.parametrize("words", [("requeue",), ("drop", "--yes"), ("requeue", "3", "--all")])
def test_numbers_or_all_must_be_said(say: Say, words: tuple[str, ...]) -> None:
    done = say(*words)

    assert (done.exit_code, done.stderr) == (
        2,
        "name the numbers, or say --all\n  hint: `ngatu outbox list` shows them\n",
    )


def test_what_is_no_outbox_is_explained(tmp_path: Path) -> None:
    for name, content, words in (
        ("none.db", None, "there is no outbox at"),
        ("text.db", b"some text" * 1000, "cannot be read"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        for command in (["status"], ["list"], ["requeue", "--all"], ["drop", "--all", "--yes"]):
            done = CliRunner().invoke(gathered("outbox"), ["outbox", *command, "--file", str(path)])
            assert done.exit_code == 1
            assert words in done.stderr
        assert content is None or path.read_bytes() == content
