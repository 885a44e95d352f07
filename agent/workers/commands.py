"""Does what the station commands, one after the other, in a thread of its own.

heard  in the forwarder's thread: read, judged, put into the journal (command_intake.py)
run    begun, done (command_effects.py), acknowledged; and what the last life left, first
acks   go into the outbox like everything else, so that no outage loses one
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.clock import Clock, FlooredClock
from agent.commands import policy
from agent.commands.audit import Audit
from agent.commands.journal import CommandState, Journal, StoredAck
from agent.commands.policy import Command, KnownTime
from agent.errors import NgatuError, OutboxError
from agent.host.supervise import Beat, OutageLog, Stop
from agent.outbox.outbox import Outbox
from agent.wire import codec
from agent.wire.codec import JPEG
from agent.wire.message import Message, Priority
from agent.wire.topics import Topics
from agent.wire.verbs import Verb
from agent.workers.command_effects import CommandEffects, CommandResult, Executor, Unfinished
from agent.workers.command_intake import CommandIntake
from agent.workers.command_records import CommandRecords, ack_message
from agent.workers.pauses import PauseWatch

log = structlog.get_logger(__name__)

TURN_S: Final = 1.0
"""While something must be watched or tried again: a pause that ends, an outbox that would not take an ack."""
QUIET_S: Final = 10.0
"""While nothing is: commands and the end wake the thread, and its heart must beat."""
UNDONE: Final = (
    "not done: the box was started again before it was its turn; if it is still wanted, send it anew"
)


CUT_OFF: Final = "cut off: the box was started again in the middle of it; if it is still wanted, send it anew"


class CommandWorker:
    """Everything between the station's word and its effect."""

    def __init__(
        self,
        topics: Topics,
        journal: Journal,
        audit: Audit,
        outbox: Outbox,
        executor: Executor,
        clock: Clock,
        known: Callable[[], KnownTime],
        boot_id: str,
        session: str,
        key: Ed25519PublicKey | None = None,
    ) -> None:
        """`known` is what the box knows of the time, `session` this life of the agent.

        With the station's `key`, only what it has signed for this session is taken.
        """
        self._key, self._journal, self._executor = key, journal, executor
        self._outbox, self._clock, self._known = outbox, clock, known
        self._arrived: queue.Queue[Command | None] = queue.Queue()
        """None only wakes the thread."""
        self._outage = OutageLog("commands")
        self._records = CommandRecords(audit, clock, known, boot_id)
        self._effects = CommandEffects(
            executor, clock, known, boot_id, lambda command: self._records.note(command, CommandState.BEGUN)
        )
        self._pauses = PauseWatch(journal, self._records, executor.halt, clock, known, boot_id)
        intake = CommandIntake(
            topics, journal, self._records, outbox, clock, known, session, key, self._outage, self._arrived.put
        )
        self.heard: Final = intake.heard
        """A message has come; for the forwarder's thread."""
        self._acks_wait = True
        """The journal may hold acks that the outbox does not have."""
        self._lasting: set[str] = set()
        """Ids of looks that were begun and are not ended."""
        self._looks_over: list[tuple[Command, CommandResult]] = []
        """Not in the journal yet."""
        self._leaving = False

    def run(self, stop: Stop, beat: Beat) -> None:
        """Do what is commanded until `stop` is set. What the last life left comes first."""
        stop.wakes(self._wake)
        behind = True
        while not stop.is_set():
            beat()
            try:
                if behind:
                    self.settle(stop, beat)
                    behind = False
                self._turn(stop, beat)
            except OutboxError as error:  # a disk that will not take it now: what was not ended is done again
                self._outage.lost(error)
                behind = True
                stop.wait(TURN_S)
        with suppress(OutboxError):
            self._end_looks(all_of_them=True)
            self._put_acks()

    def settle(self, stop: Stop, beat: Beat) -> None:
        """Do all that waits: what the last life left, then what has come since."""
        self._resume(stop, beat)
        while not self._arrived.empty() and not stop.is_set():
            command = self._arrived.get()
            if command is not None:
                self._do(command, stop, beat)
        self._put_acks()
        self._pauses.look()

    def _turn(self, stop: Stop, beat: Beat) -> None:
        self._end_looks()
        self._put_acks()
        self._pauses.look()
        restless = self._acks_wait or self._pauses.any or bool(self._lasting)
        try:
            command = self._arrived.get(timeout=TURN_S if restless else QUIET_S)
        except queue.Empty:
            return
        if command is not None and not stop.is_set():  # else the next life does it
            self._do(command, stop, beat)

    def _wake(self) -> None:
        """Have the thread look again now."""
        self._arrived.put(None)

    def _resume(self, stop: Stop, beat: Beat) -> None:
        for command, state in [] if self._leaving else self._journal.unended():
            if state is CommandState.BEGUN and command.verb in (Verb.RESTART, Verb.RELOAD):
                went_well, result = self._executor.restarted(command.verb)
                detail = None if went_well else str(result.pop("why", ""))
                self._end(
                    command,
                    CommandResult(CommandState.DONE if went_well else CommandState.FAILED, detail, result),
                )
            elif state is CommandState.BEGUN and command.verb is Verb.LOOK:
                if command.id not in self._lasting:  # else it is on, and ends by itself
                    self._end(command, CommandResult(CommandState.FAILED, CUT_OFF))
            elif self._key is not None and command.id in self._journal.inherited:
                # A copy of this card holds it, too: what is signed for one life is done by none but that.
                self._end(command, CommandResult(CommandState.FAILED, UNDONE))
            elif not stop.is_set():
                self._do(command, stop, beat)

    def _do(self, command: Command, stop: Stop, beat: Beat) -> None:
        """One command from its beginning to its ack."""
        known = self._journal.find(command.id)
        if (
            command.id in self._lasting
            or self._leaving
            or known is None
            or known.state not in (CommandState.ACCEPTED, CommandState.BEGUN)
        ):
            return  # the next life does it, or it was done when the queue was a moment behind the journal
        why = policy.untimely(command, self._known())
        if why is not None:  # it waited too long
            self._end(command, CommandResult(CommandState.REFUSED, why))
            return
        self._journal.begin(command.id)
        try:
            outcome = self._effects.of(command, stop, beat)
        except NgatuError as error:
            outcome = CommandResult(CommandState.FAILED, error.what)
        except Exception as error:  # a command that meets a mistake of ours must not stop the others
            log.exception("command_failed", verb=command.verb, id=command.id)
            outcome = CommandResult(
                CommandState.FAILED, f"a mistake in the program: {type(error).__name__}; see the log of the box"
            )
        if isinstance(outcome, CommandResult):
            self._end(command, outcome)
            return
        self._records.note(command, CommandState.BEGUN)
        if outcome is Unfinished.LASTS:
            self._lasting.add(command.id)
            return
        self._leaving = True
        self._executor.leave()

    def _end_looks(self, all_of_them: bool = False) -> None:
        if self._lasting:
            self._looks_over += self._effects.looks_over(all_of_them)
        while self._looks_over:
            command, outcome = self._looks_over[0]
            self._end(command, outcome)
            del self._looks_over[0]
            self._lasting.discard(command.id)

    def _end(self, command: Command, outcome: CommandResult) -> None:
        """Into the journal with its effect, then to the station."""
        now = self._clock.now()
        line = self._records.note(command, outcome.state, outcome.detail, outcome.result)
        # Number and hash of the line, known outside of the box: who writes the log anew is found by them.
        audit = {} if line is None else {"audit": line.n, "audit_sha256": line.sha256}
        result = {**(outcome.result or {}), **audit}
        state: Any = outcome.state.value  # the contract has the same words
        body = codec.ack(command.id, state, now, outcome.detail, result)
        picture = outcome.picture.data if outcome.picture else None
        self._acks_wait = True
        self._pauses.changed()
        self._journal.end(
            StoredAck(command.id, body, picture, outcome.topic),
            outcome.state,
            pause=outcome.pause,
            resume=outcome.resume,
        )
        if outcome.pause is not None or outcome.resume is not None:
            self._pauses.look()
        self._put_acks()

    def _put_acks(self) -> None:
        """Into the outbox with what it does not have yet; a disk that will not take them is asked again."""
        if not self._acks_wait:
            return
        for ack in self._journal.acks():
            messages = [ack_message(ack.body, ack.id, self._clock.now())]
            if ack.picture is not None and ack.topic is not None:
                messages.append(
                    Message(ack.topic, ack.picture, JPEG, Priority.ALERT_IMAGE, self._clock.now(), ack.id)
                )
            try:
                self._outbox.put(messages)
            except OutboxError as error:
                self._outage.lost(error)
                return
            self._outage.back()
            self._journal.stored(ack.id)
        self._acks_wait = False


def known_time(clock: FlooredClock) -> KnownTime:
    """The time if somebody vouches for it, else what it is at least."""
    if clock.trust().good:
        return KnownTime(clock.now().wall_s, trusted=True)
    return KnownTime(clock.least_s(), trusted=False)
