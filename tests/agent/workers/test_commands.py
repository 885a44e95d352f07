"""agent.workers.commands"""

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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from agent.clock import BUILT_S, FlooredClock, Trust
from agent.commands.audit import Audit, verify
from agent.commands.journal import Journal
from agent.commands.policy import KnownTime, Pause
from agent.core.types import Instant
from agent.errors import ConfigError, NgatuError
from agent.host.supervise import Stop
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.publishing.jpeg import Jpeg
from agent.wire import codec
from agent.wire.message import Stored
from agent.wire.payloads import AckPayload, CommandPayload
from agent.wire.signature import sign
from agent.wire.topics import Topics
from agent.workers.commands import REFUSALS, CommandWorker, known_time
from tests.agent.commands.test_policy import payloads
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
    wrong: str | None = None
    dies: str | None = None

    def names(self) -> dict[str, tuple[str, ...]]:
        return {"north": ("stop-line",)}

    def picture(self, camera: str, within_s: float, turn: Callable[[], bool]) -> Jpeg:
        assert turn()
        self._do(f"picture {camera}")
        return Jpeg(b"\xff\xd8 a picture", 640, 480, "ab" * 32)

    def halt(self, pauses: Sequence[Pause]) -> None:
        self.halted = list(pauses)

    def check(self) -> str:
        self._do("check")
        return "cd" * 32

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


class Box:
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

    def acks(self, name: str = "") -> list[AckPayload]:
        return [
            codec.parse(AckPayload, each.message.body)
            for each in self.sent()
            if each.message.topic.startswith(f"ack/{name}") and each.message.content_type == codec.JSON
        ]

    def audit(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "audit.log").read_text().splitlines()]


def beat(_wait_s: float = 0.0) -> None:
    """Nobody listens."""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    for journal in (*box.journals, box.journal):
        journal.close()
    box.outbox.close()


def test_the_broker_hears_once_it_is_on_disk_and_the_station_once_it_is_done(box: Box) -> None:
    name = box.command("ping")
    assert len(box.acked) == 1
    assert box.acks() == []
    box.work()

    (ack,) = box.acks(name)
    assert (ack.id, ack.state, ack.detail) == (name, "done", None)
    assert ack.result == {"audit": 2}  # the second line of the log
    assert [line["state"] for line in box.audit()] == ["accepted", "done"]
    assert box.audit()[0]["issuer"] == "duty officer"


def test_a_snapshot_is_a_picture_and_an_ack_that_names_it(box: Box) -> None:
    name = box.command("snapshot", camera="north")
    box.work()

    (ack,) = box.acks(name)
    (picture,) = [each.message for each in box.sent() if each.message.content_type == codec.JPEG]
    assert ack.result["sha256"] == "ab" * 32
    assert (picture.topic, picture.event_id) == ("camera/north/snapshot", name)
    assert picture.body == b"\xff\xd8 a picture"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"camera": "south", "action": "resume"}, "there is no camera 'south'; there are north"),
        ({"camera": "north", "rule": "x-y", "action": "resume"}, "has no rule 'x-y'; it has stop-line"),
    ],
)
def test_what_names_something_that_is_not_there_fails_with_what_is(
    box: Box, args: dict[str, Any], why: str
) -> None:
    name = box.command("set", **args)
    box.work()

    (ack,) = box.acks(name)
    assert ack.state == "failed"
    assert why in (ack.detail or "")


def until(hours: float) -> str:
    return datetime.fromtimestamp(NOW_S + hours * 3600, UTC).isoformat()


def test_a_pause_begins_survives_a_restart_and_ends_by_itself(box: Box) -> None:
    box.command("set", camera="north", rule="stop-line", action="pause", until=until(1))
    box.work()
    assert [(pause.camera, pause.rule) for pause in box.hands.halted] == [("north", "stop-line")]
    box.hands.halted = []
    box.begin()
    box.work()
    assert [pause.rule for pause in box.hands.halted] == ["stop-line"]
    box.machine.advance(3600)
    box.work()

    assert box.hands.halted == []
    assert box.journal.pauses() == []
    assert box.audit()[-1]["state"] == "pause_over"


def test_resume_ends_a_pause(box: Box) -> None:
    box.command("set", camera="north", action="pause", until=until(1))
    box.work()
    assert box.hands.halted
    name = box.command("set", camera="north", action="resume")
    box.work()

    assert box.hands.halted == []
    assert box.acks(name)[0].state == "done"


def test_what_is_signed_for_one_life_is_done_by_no_other_whatever_became_of_the_journal(box: Box) -> None:
    box.begin(KEY.public_key())
    done = box.signed("order-1", verb="snapshot", camera="north")
    box.work()
    box.journal.close()
    (box.folder / "commands.db").unlink()
    box.begin(KEY.public_key())
    box.hear(TOPICS.below("command/snapshot"), done)
    box.signed("order-2", session=None)
    box.signed("order-3")
    box.work()

    assert box.hands.did == ["picture north"]
    assert [ack.state for ack in box.acks("order-1")] == ["done", "refused"]
    assert "another session" in (box.acks("order-1")[1].detail or "")
    assert "names no session" in (box.acks("order-2")[0].detail or "")
    assert [ack.state for ack in box.acks("order-3")] == ["done"]


def test_a_signed_order_that_was_done_is_answered_again_in_a_later_life(box: Box) -> None:
    box.begin(KEY.public_key())
    body = box.signed("order-1")
    box.work()
    box.begin(KEY.public_key())
    box.hear(TOPICS.below("command/ping"), body)

    assert [ack.state for ack in box.acks("order-1")] == ["done", "done"]
    assert box.acks("order-1")[1].detail == "repeated: not done again"


def test_a_signed_order_that_a_life_left_undone_is_told_undone_for_a_copy_of_the_card_has_it_too(
    box: Box,
) -> None:
    box.begin(KEY.public_key())
    box.signed("order-1", verb="snapshot", camera="north")
    box.begin(KEY.public_key())
    box.work()

    assert box.hands.did == []
    (ack,) = box.acks("order-1")
    assert (ack.state, (ack.detail or "")[:8]) == ("failed", "not done")


def test_an_unsigned_order_that_names_a_session_is_for_that_one_only(box: Box) -> None:
    box.signed("order-1", session="session-0")
    box.signed("order-2")
    box.work()

    assert [ack.state for ack in (*box.acks("order-1"), *box.acks("order-2"))] == ["refused", "done"]


def test_after_a_power_cut_a_pause_waits_for_a_clock_that_can_be_trusted(box: Box) -> None:
    box.command("set", camera="north", action="pause", until=until(5))
    box.work()
    box.boot, box.kept = "boot-2", Trust("unknown")
    box.hands.halted = []
    box.machine.moment = Instant(20.0, 0.0)
    box.begin()
    box.work()
    assert box.hands.halted == []  # nobody knows whether it is over, so the camera is watched
    box.kept = Trust("ntp", 5)
    box.machine.moment = Instant(40.0, NOW_S + 3600)
    box.work()

    assert [pause.camera for pause in box.hands.halted] == ["north"]


@pytest.mark.parametrize("verb", ["restart", "reload"])
def test_a_restart_is_acknowledged_by_the_next_life_and_done_once(box: Box, verb: str) -> None:
    name = box.command(verb)
    later = box.command("ping")
    box.work()
    assert box.hands.did[-1] == "leave"
    assert box.acks() == []
    box.begin()
    box.work()
    box.begin()
    box.work()

    assert box.hands.did.count("leave") == 1
    assert [ack.state for ack in box.acks(name)] == ["done"]
    assert [ack.state for ack in box.acks(later)] == ["done"]


def test_a_wrong_file_is_refused_before_anything_is_stopped(box: Box) -> None:
    box.hands.wrong = "north.yaml:14: cameras[0].motion.treshold: no such setting"
    name = box.command("reload")
    box.work()

    (ack,) = box.acks(name)
    assert (ack.state, ack.detail) == ("failed", box.hands.wrong)
    assert box.hands.did == []


def test_a_file_that_no_agent_can_start_with_is_told_by_the_life_that_went_back(box: Box) -> None:
    name = box.command("reload")
    box.work()
    box.hands.wrong = "the last good configuration is kept: no such model"
    box.begin()
    box.work()

    (ack,) = box.acks(name)
    assert (ack.state, ack.detail) == ("failed", box.hands.wrong)


# --------------------------------------------------------------------------------------------- once, whatever


MOMENTS = ["before picture north", "after picture north", "put", "stored", "end", "begin"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_life_that_ends_at_any_moment_leaves_a_command_that_is_done_once(
    box: Box, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = box.command("snapshot", camera="north")
    box.hands.dies = moment
    with monkeypatch.context() as patch:
        if moment in ("stored", "end", "begin"):
            real = getattr(box.journal, moment)

            def after(*given: Any, **more: Any) -> None:
                real(*given, **more)
                raise Died

            patch.setattr(box.journal, moment, after)
        if moment == "put":
            patch.setattr(box.outbox, "put", lambda _messages: (_ for _ in ()).throw(Died))
        with pytest.raises(Died):
            box.work()
    box.hands.dies = None
    for _ in range(3):
        box.begin()
        box.work()

    assert box.journal.find(name) is not None
    assert {ack.state for ack in box.acks(name)} == {"done"}
    pictures = [each.message for each in box.sent() if each.message.content_type == codec.JPEG]
    assert len(pictures) == 1
    assert len(box.acks(name)) == 1


def test_the_same_command_again_is_acknowledged_again_and_not_done_again(box: Box) -> None:
    name = box.command("snapshot", "once", camera="north")
    box.command("snapshot", "once", camera="north")  # before it is done: nothing to say yet
    box.work()
    assert len(box.acks(name)) == 1
    box.machine.advance(3600)  # the life of the command is over, but not its ack
    box.command("snapshot", "once", camera="north")
    box.work()

    assert box.hands.did == ["picture north"]
    assert [(ack.state, ack.detail) for ack in box.acks(name)] == [
        ("done", None),
        ("done", "repeated: not done again"),
    ]


def test_another_command_under_the_same_id_is_refused(box: Box) -> None:
    box.command("ping", "mine")
    box.command("restart", "mine")
    box.work()

    assert box.hands.did == []
    assert sorted(ack.state for ack in box.acks("mine")) == ["done", "refused"]


def test_what_expired_while_it_waited_is_refused(box: Box) -> None:
    name = box.command("ping", life_s=5)
    box.machine.advance(5)
    box.begin()
    box.work()

    assert [(ack.state, ack.detail) for ack in box.acks(name)] == [("refused", "expired")]


def test_an_untrusted_clock_lets_nothing_expire_but_what_ended_before_the_floor(box: Box) -> None:
    box.kept = Trust("unknown")
    box.machine.step_wall(20 * 365 * 86400)
    new = box.command("ping")
    old = box.command("ping", issued_s=BUILT_S - 86400)
    box.work()

    assert [ack.state for ack in box.acks(new)] == ["done"]
    assert [ack.state for ack in box.acks(old)] == ["refused"]


def test_a_journal_that_cannot_be_written_means_not_done_and_the_station_hears_so(box: Box) -> None:
    with box.journal_refusing("insert"):
        name = box.command("restart")
    box.work()

    assert box.hands.did == []
    (ack,) = box.acks(name)
    assert ack.state == "refused"
    assert "it cannot be noted, so it is not done" in (ack.detail or "")


def test_a_journal_that_fails_under_way_is_told_once_and_the_command_is_done_when_it_works_again(
    box: Box,
) -> None:
    name = box.command("snapshot", camera="north")
    thread = threading.Thread(target=box.worker.run, args=(box.stop, beat))
    with capture_logs() as lines:
        with box.journal_refusing("update"):
            thread.start()
            until_true(lambda: any(line["event"] == "lost" for line in lines))
        until_true(lambda: box.acks(name))
        box.stop.set()
        thread.join(5)

    assert [line["event"] for line in lines if line.get("part") == "commands"] == ["lost", "back"]
    assert box.hands.did == ["picture north"]


def until_true(condition: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(1000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("not in time")


def test_acks_that_the_outbox_would_not_take_are_put_in_the_next_life(box: Box) -> None:
    name = box.command("ping")
    box.outbox.close()
    box.work()
    box.outbox = Outbox(box.folder / "outbox.db", OutboxSettings(ballast_bytes=0), box.machine)
    box.begin()
    box.work()

    assert [ack.state for ack in box.acks(name)] == ["done"]


def test_a_mistake_in_the_program_fails_one_command_and_not_the_next(box: Box) -> None:
    def broken(*_given: object) -> Jpeg:
        raise ZeroDivisionError

    box.hands.picture = broken  # type: ignore[method-assign]
    first, second = box.command("snapshot", camera="north"), box.command("ping")
    box.work()

    assert "ZeroDivisionError" in (box.acks(first)[0].detail or "")
    assert box.acks(second)[0].state == "done"


def test_a_flood_of_refusals_is_counted_and_neither_acknowledged_nor_written(box: Box) -> None:
    for _ in range(REFUSALS + 40):
        box.hear(TOPICS.below("command/ping"), b"{}")
    box.machine.advance(61)
    box.hear(TOPICS.below("command/ping"), b"{}")

    assert len(box.audit()) == REFUSALS + 1
    assert box.audit()[-1]["left_out"] == 40
    assert len(box.acked) == REFUSALS + 41
    assert verify(box.folder / "audit.log") is None


def test_retained_commands_are_refused_and_audited(box: Box) -> None:
    message = {"id": "old", "issued_at": until(0), "expires_at": until(1), "issuer": "x"}
    box.hear(TOPICS.below("command/restart"), json.dumps(message).encode(), retained=True)
    box.work()

    assert box.acks("old")[0].state == "refused"
    assert box.audit()[-1]["detail"] == "retained: publish commands without retain"
    assert box.hands.did == []


@contextmanager
def at_work(box: Box) -> Iterator[tuple[threading.Thread, list[float]]]:
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


def test_the_thread_does_what_comes_and_ends_when_told(box: Box) -> None:
    with at_work(box) as (thread, beats):
        name = box.command("ping")
        until_true(lambda: box.acks(name))

    assert not thread.is_alive()
    assert box.acks(name)[0].state == "done"
    assert beats


def test_while_nothing_is_commanded_the_journal_is_not_asked(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.command("set", camera="north", action="pause", until=until(1))
    box.work()
    box.machine.advance(3700)
    box.work()  # it is over
    box.work()  # and gone
    monkeypatch.setattr("agent.workers.commands.QUIET_S", 0.05)
    asked: list[str] = []
    for question in ("acks", "pauses", "unended"):
        monkeypatch.setattr(box.journal, question, lambda question=question: asked.append(question) or [])
    with at_work(box) as (_, beats):
        until_true(lambda: len(beats) > 3)

    assert box.hands.halted == []
    assert asked == ["unended"], "once at the start"


def test_a_thread_that_waits_for_commands_ends_at_once_when_told(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.workers.commands.QUIET_S", 3600.0)
    with at_work(box) as (thread, _):
        pass

    assert not thread.is_alive()


def test_a_pause_ends_in_time_though_nothing_else_happens(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.workers.commands.QUIET_S", 3600.0)
    with at_work(box):
        name = box.command("set", camera="north", action="pause", until=until(1))
        until_true(lambda: box.acks(name))
        assert box.hands.halted
        box.machine.advance(3700)
        until_true(lambda: not box.hands.halted)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(payloads(), st.sampled_from(["ping", "set", "snapshot", "restart", "x"]), st.booleans()))
)
def test_nothing_that_a_broker_can_bring_raises_or_has_an_effect_beyond_its_command(
    box: Box, messages: list[tuple[bytes, str, bool]]
) -> None:
    before = len(box.acked)
    for payload, verb, retained in messages:
        box.machine.advance(1)
        box.hear(TOPICS.below(f"command/{verb}"), payload, retained)
    box.work()

    assert len(box.acked) - before == len(messages)
    allowed = {line["verb"] for line in box.audit() if line["state"] == "begun"} if box.acked else set()
    assert "leave" not in box.hands.did or "restart" in allowed


def test_errors_of_the_executor_are_its_reasons(box: Box) -> None:
    def dark(*_given: object) -> Jpeg:
        raise NgatuError("no picture within 10 s: the camera is lost, cable")

    box.hands.picture = dark  # type: ignore[method-assign]
    name = box.command("snapshot", camera="north")
    box.work()

    assert box.acks(name)[0].detail == "no picture within 10 s: the camera is lost, cable"


def test_a_snapshot_is_on_the_disk_of_the_journal_no_more_once_the_outbox_has_it(box: Box) -> None:
    box.command("snapshot", camera="north")
    box.work()

    files = [path for path in box.folder.iterdir() if path.name.startswith("commands.db")]
    assert files
    assert not [path.name for path in files if b" a picture" in path.read_bytes()]
