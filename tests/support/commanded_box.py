"""The commands of one box over several lives, on a real journal, outbox and audit log, with hands that note."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.clock import BUILT_S, FlooredClock, Trust
from agent.commands.audit import Audit
from agent.commands.journal import Journal
from agent.commands.policy import Command, KnownTime, Pause
from agent.core.types import Instant
from agent.errors import ConfigError
from agent.host.supervise import Stop
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.publishing.jpeg import Jpeg
from agent.wire import codec
from agent.wire.message import Stored
from agent.wire.payloads import AckBody, CommandPayload
from agent.wire.signature import sign
from agent.wire.topics import Topics
from agent.wire.verbs import ClipArgs, LookArgs, ReleaseArgs, SamplesArgs
from agent.workers.commands import CommandWorker, known_time
from agent.workers.looks import LookReport
from tests.conftest import SteppedClock

TOPICS = Topics("hai-ninh", "hai-ninh-03")
NOW_S = BUILT_S + 30 * 86400.0
KEY = Ed25519PrivateKey.generate()


class Died(BaseException):
    """What SIGKILL is to a thread."""


@dataclass
class Hands:
    """A box without cameras; it notes what it was asked to do."""

    did: list[str] = field(default_factory=list)
    halted: list[Pause] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    """Of the audit log, in which clips were asked for."""
    wrong: str | None = None
    dies: str | None = None
    looks: list[Command] = field(default_factory=list)
    looks_end: bool = False

    def names(self) -> dict[str, tuple[str, ...]]:
        return {"north": ("stop-line",)}

    def picture(self, camera: str, within_s: float, turn: Callable[[], bool]) -> Jpeg:
        assert turn()
        self._do(f"picture {camera}")
        return Jpeg(b"\xff\xd8 a picture", 640, 480, "ab" * 32)

    def clip(self, command: Command, args: ClipArgs, line: int) -> dict[str, Any]:
        self._do(f"clip {args.camera}")
        self.lines.append(line)
        return {"size_bytes": 7}

    def samples(self, command: Command, args: SamplesArgs, line: int) -> dict[str, Any]:
        self._do(f"samples {args.most}")
        self.lines.append(line)
        return {"frames": 3}

    def release(self, command: Command, args: ReleaseArgs) -> dict[str, Any]:
        self._do(f"release {args.request}")
        return {"was": "sending"}

    def look(self, command: Command, args: LookArgs) -> None:
        self._do(f"look {args.camera}")
        self.looks.append(command)

    def looks_over(self, all_of_them: bool = False) -> list[LookReport]:
        over = self.looks if all_of_them or self.looks_end else []
        self.looks = [] if over else self.looks
        return [
            LookReport(each, {"sent": 3, "dropped": 1, "pictures_sha256": "ef" * 32}, None) for each in over
        ]

    def halt(self, pauses: Sequence[Pause]) -> None:
        self.halted = list(pauses)

    def may_leave(self, verb: str) -> None:
        self._do(f"may {verb}")

    def restarted(self, verb: str) -> tuple[bool, dict[str, Any]]:
        return (self.wrong is None), {"config_sha256": "cd" * 32} | ({"why": self.wrong} if self.wrong else {})

    def leave(self) -> None:
        self._do("leave")

    def _do(self, what: str) -> None:
        if self.dies == f"before {what}":
            raise Died
        if self.wrong:
            raise ConfigError(self.wrong)
        self.did.append(what)
        if self.dies == f"after {what}":
            raise Died


class CommandedBox:
    """The commands of one box over several lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.machine = SteppedClock(Instant(1000.0, NOW_S))
        self.kept = Trust("ntp", 5)
        self.hands = Hands()
        self.acked: list[int] = []
        self.number = self.lives = 0
        self.boot = "boot-1"
        self.stop = Stop()
        self.journals: list[Journal] = []
        """Of all lives: a dead process has no open files, but ours has until they are closed."""
        self.outbox = Outbox(folder / "outbox.db", OutboxSettings(ballast_bytes=0), self.machine)
        self.begin()

    def begin(self, key: Ed25519PublicKey | None = None) -> None:
        """A new life of the agent; the old one simply is no more. With a `key` it obeys only who has signed."""
        self.lives += 1
        self.clock = FlooredClock(BUILT_S, self.machine, lambda: self.kept)
        self.stop = Stop()
        self.journal = Journal(self.folder / "commands.db", self.known().wall_s)
        self.journals.append(self.journal)
        self.worker = CommandWorker(
            TOPICS,
            self.journal,
            Audit(self.folder / "audit.log"),
            self.outbox,
            self.hands,
            self.clock,
            self.known,
            self.boot,
            f"session-{self.lives}",
            key,
        )

    def known(self) -> KnownTime:
        return known_time(self.clock)

    def command(self, verb: str = "ping", name: str = "", **more: Any) -> str:
        """Send one; its id."""
        self.number += 1
        name = name or f"id-{self.number}"
        at = datetime.fromtimestamp(more.pop("issued_s", NOW_S), UTC)
        message = {
            "id": name,
            "issued_at": at.isoformat(),
            "expires_at": (at + timedelta(seconds=more.pop("life_s", 600))).isoformat(),
            "issuer": "duty officer",
            "args": more,
        }
        self.hear(TOPICS.below(f"command/{verb}"), json.dumps(message).encode())
        return name

    def signed(self, name: str, session: str | None = "", verb: str = "ping", **args: str) -> bytes:
        """Send one that is signed, for this life unless another is named; its bytes."""
        payload = CommandPayload(
            id=name,
            issued_at=datetime.fromtimestamp(NOW_S, UTC),
            expires_at=datetime.fromtimestamp(NOW_S + 600, UTC),
            issuer="duty officer",
            args=args,
            session=f"session-{self.lives}" if session == "" else session,
        )
        body = sign(codec.encode(payload), TOPICS.device, verb, KEY)
        self.hear(TOPICS.below(f"command/{verb}"), body)
        return body

    def hear(self, topic: str, payload: bytes, retained: bool = False) -> None:
        self.worker.heard(topic, payload, retained, lambda: self.acked.append(len(self.acked)))

    def work(self) -> None:
        """Do all that waits, as the thread would."""
        self.worker.settle(self.stop, beat)

    @contextmanager
    def journal_refusing(self, what: str) -> Iterator[None]:
        """The journal's file takes no insert, or no update, of a command."""
        with closing(sqlite3.connect(self.folder / "commands.db")) as db:
            db.execute(f"create trigger refuse before {what} on command begin select raise(abort, 'no'); end")
            yield
            db.execute("drop trigger refuse")

    def sent(self) -> list[Stored]:
        return sorted(self.outbox.waiting(1000, self.machine.now()), key=lambda each: each.seq)

    def acks(self, name: str = "") -> list[AckBody]:
        return [
            codec.parse(AckBody, each.message.body)
            for each in self.sent()
            if each.message.topic.startswith(f"ack/{name}") and each.message.content_type == codec.JSON
        ]

    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.log").read_text().splitlines()]

    def close(self) -> None:
        """Let go of all files."""
        for journal in (*self.journals, self.journal):
            journal.close()
        self.outbox.close()


def beat(_wait_s: float = 0.0) -> None:
    """Nobody listens."""


def hours_on(hours: float) -> str:
    """A time so many hours after the box's now, as the wire writes it."""
    return datetime.fromtimestamp(NOW_S + hours * 3600, UTC).isoformat()


def until_true(condition: Callable[[], object]) -> None:
    """Wait for it, for ten seconds at most."""
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("not in time")


@contextmanager
def at_work(box: CommandedBox) -> Iterator[tuple[threading.Thread, list[float]]]:
    """The worker's own thread and its heartbeats, from the first of them until it is told to end."""
    beats: list[float] = []
    thread = threading.Thread(target=box.worker.run, args=(box.stop, lambda wait_s=0.0: beats.append(wait_s)))
    thread.start()
    try:
        until_true(lambda: beats)
        yield thread, beats
    finally:
        box.stop.set()
        thread.join(5)
