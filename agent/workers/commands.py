"""Does what the station commands: heard in the forwarder's thread, noted on disk, done in a thread of its own.

    heard  read, judged, put into the journal; only then does the broker hear that it has come
    run    one after the other: begun, done, acknowledged; and what the last life left, first
    acks   go into the outbox like everything else, so that no outage loses one

What is refused has an ack, too, unless it bears no id. Everything is in the audit log.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.clock import Clock, FlooredClock
from agent.commands import policy
from agent.commands.audit import Audit
from agent.commands.journal import CommandState, CommandTooOld, Journal, JournalFull, StoredAck
from agent.commands.policy import Command, KnownTime, Pause, Refusal, SetArgs, SnapshotArgs, Verb
from agent.errors import NgatuError, OutboxError
from agent.host.supervise import Beat, OutageLog, Stop
from agent.outbox.outbox import Outbox
from agent.publishing.jpeg import Jpeg
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import JPEG, moment
from agent.wire.message import Message, Priority
from agent.wire.payloads import AckPayload, rfc3339
from agent.wire.topics import Topics, suffix

log = structlog.get_logger(__name__)

TURN_S: Final = 1.0
"""While something must be watched or tried again: a pause that ends, an outbox that would not take an ack."""
QUIET_S: Final = 10.0
"""While nothing is: commands and the end wake the thread, and its heart must beat."""
PICTURE_S: Final = 10.0
"""How long a picture may take: a camera that is slowed down gives one a second at least."""
REFUSALS: Final = 60
"""Refusals that are acknowledged and audited in a minute; of more, only the number is."""
WINDOW_S: Final = 60.0

UNDONE: Final = (
    "not done: the box was started again before it was its turn; if it is still wanted, send it anew"
)

End = Literal[CommandState.DONE, CommandState.FAILED, CommandState.REFUSED]


class Executor(Protocol):
    """Who carries the commands out. Each may raise NgatuError, which is told as the reason."""

    def names(self) -> dict[str, tuple[str, ...]]:
        """The cameras of this box with the rules of each."""
        ...

    def picture(self, camera: str, within_s: float, turn: Callable[[], bool]) -> Jpeg:
        """A picture of the camera, as it is now."""
        ...

    def halt(self, pauses: Sequence[Pause]) -> None:
        """From now on exactly these are paused."""
        ...

    def check(self) -> str:
        """Judge the configuration file as it lies there now; its hash.

        Raises:
            ConfigError: it is wrong.
        """
        ...

    def restarted(self, verb: Verb) -> tuple[bool, dict[str, Any]]:
        """Whether this life began as `verb` (reload or restart) wanted it, and the result to send."""
        ...

    def leave(self) -> None:
        """Stop in order, and be started again."""
        ...


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command."""

    state: End
    detail: str | None = None
    result: dict[str, Any] | None = None
    picture: Jpeg | None = None
    topic: str | None = None
    pause: Pause | None = None
    resume: tuple[str, str | None] | None = None


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
        self._key, self._session = key, session
        self._topics, self._journal, self._audit, self._executor = topics, journal, audit, executor
        self._outbox, self._clock, self._known, self._boot_id = outbox, clock, known, boot_id
        self._arrived: queue.Queue[Command | None] = queue.Queue()
        """None only wakes the thread."""
        self._voice = OutageLog("commands")
        self._refused_s: deque[float] = deque(maxlen=REFUSALS)
        self._unlisted = 0
        """Refusals that were neither acknowledged nor audited."""
        self._acks_wait = True
        """The journal may hold acks that the outbox does not have."""
        self._pauses: Sequence[Pause] | None = None
        """Those in the journal, where nobody else writes; None: they have changed since it was asked."""
        self._halted: tuple[Pause, ...] = ()
        self._leaving = False

    # ----------------------------------------------------------------------------- in the forwarder's thread

    def heard(self, topic: str, payload: bytes, retained: bool, ack: Callable[[], None]) -> None:
        """A message has come; `ack` tells the broker that it need not send it again."""
        read = policy.read(topic, payload, retained, self._topics, self._key)
        refusal = self._take(read) if isinstance(read, Command) else read
        if refusal is not None:
            self._refuse(refusal)
        ack()

    def _take(self, command: Command) -> Refusal | None:
        """Into the journal and the queue, or why not."""
        why = policy.untimely(command, self._known()) or policy.for_another_life(
            command, self._session, self._key is not None
        )
        known = None
        try:
            # One that was taken may meanwhile be expired, or of an earlier life: its ack counts, not that.
            known = self._journal.take(command) if why is None else self._journal.find(command.id)
        except (CommandTooOld, JournalFull) as error:
            why = str(error)
        except OutboxError as error:
            self._voice.lost(error)
            why = f"it cannot be noted, so it is not done: {error.what}"
        else:
            self._voice.back()
        if known is not None:
            if known.sha256 == command.sha256:
                self._again(command, known.ack)
                return None
            why = "repeated: this id was used for another command"
        if why is not None:
            return Refusal(why, command.verb, command.id, command.issuer)
        self._note(command, CommandState.ACCEPTED)
        self._arrived.put(command)
        return None

    def _again(self, command: Command, ack: bytes | None) -> None:
        """It was taken before, and is not done again. Who asks again has missed the ack, if there is one."""
        if ack is not None:
            first = codec.parse(AckPayload, ack)
            detail = "; ".join(filter(None, (first.detail, "repeated: not done again")))
            self._acknowledge(codec.encode(first.model_copy(update={"detail": detail})), command.id)
        self._note(command, "repeated")

    def _refuse(self, refusal: Refusal) -> None:
        now_s = self._clock.now().mono_s
        while self._refused_s and now_s - self._refused_s[0] > WINDOW_S:
            self._refused_s.popleft()
        if len(self._refused_s) == REFUSALS:  # a flood must fill neither the disk nor the way to the station
            self._unlisted += 1
            return
        self._refused_s.append(now_s)
        why = refusal.why.encode("utf-8", "replace").decode()  # errors of the system may hold lone surrogates
        self._write(
            {
                "verb": refusal.verb,
                "id": refusal.id,
                "issuer": refusal.issuer,
                "state": CommandState.REFUSED,
                "detail": why,
            }
        )
        hint = "`ngatu station command` sends what a box takes; docs/reference/wire.md says what that is"
        log.warning("command_refused", verb=refusal.verb, id=refusal.id, why=why, hint=hint)
        if refusal.id is not None:
            body = codec.ack(refusal.id, "refused", self._clock.now(), why)
            self._acknowledge(body, refusal.id)

    def _acknowledge(self, body: bytes, command_id: str) -> None:
        self._outbox.put_or_drop([self._message(body, command_id)])

    # ----------------------------------------------------------------------------------- in a thread of its own

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
                self._voice.lost(error)
                behind = True
                stop.wait(TURN_S)
        with suppress(OutboxError):
            self._put_acks()

    def settle(self, stop: Stop, beat: Beat) -> None:
        """Do all that waits: what the last life left, then what has come since."""
        self._resume(stop, beat)
        while not self._arrived.empty() and not stop.is_set():
            command = self._arrived.get()
            if command is not None:
                self._do(command, stop, beat)
        self._put_acks()
        self._watch_pauses()

    def _turn(self, stop: Stop, beat: Beat) -> None:
        self._put_acks()
        self._watch_pauses()
        restless = self._acks_wait or self._pauses
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
            elif self._key is not None and command.id in self._journal.inherited:
                # A copy of this card holds it, too: what is signed for one life is done by none but that.
                self._end(command, CommandResult(CommandState.FAILED, UNDONE))
            elif not stop.is_set():
                self._do(command, stop, beat)

    def _do(self, command: Command, stop: Stop, beat: Beat) -> None:
        """One command from its beginning to its ack."""
        known = self._journal.find(command.id)
        if self._leaving or known is None or known.state not in (CommandState.ACCEPTED, CommandState.BEGUN):
            return  # the next life does it, or it was done when the queue was a moment behind the journal
        why = policy.untimely(command, self._known())
        if why is not None:  # it waited too long
            self._end(command, CommandResult(CommandState.REFUSED, why))
            return
        self._journal.begin(command.id)
        try:
            outcome = self._execute(command, stop, beat)
        except NgatuError as error:
            outcome = CommandResult(CommandState.FAILED, error.what)
        except Exception as error:  # a command that meets a mistake of ours must not stop the others
            log.exception("command_failed", verb=command.verb, id=command.id)
            outcome = CommandResult(
                CommandState.FAILED, f"a mistake in the program: {type(error).__name__}; see the log of the box"
            )
        if outcome is not None:
            self._end(command, outcome)

    def _execute(self, command: Command, stop: Stop, beat: Beat) -> CommandResult | None:
        """What became of it; None: the next life of the agent will know."""
        if isinstance(command.args, SnapshotArgs):
            return self._snapshot(command, command.args.camera, stop, beat)
        if isinstance(command.args, SetArgs):
            return self._set(command, command.args)
        if command.verb is Verb.PING:
            return CommandResult(CommandState.DONE)
        if command.verb is Verb.RELOAD:
            self._executor.check()
        self._note(command, CommandState.BEGUN)
        self._leaving = True
        self._executor.leave()
        return None

    def _snapshot(self, command: Command, camera: str, stop: Stop, beat: Beat) -> CommandResult:
        self._known_camera(camera)

        def turn() -> bool:
            beat()
            return not stop.is_set()

        picture = self._executor.picture(camera, PICTURE_S, turn)
        result = {
            "sha256": picture.sha256,
            "bytes": len(picture.data),
            "width_px": picture.width_px,
            "height_px": picture.height_px,
        }
        return CommandResult(
            CommandState.DONE, None, result, picture, suffix(MessageKind.SNAPSHOT, camera=camera)
        )

    def _set(self, command: Command, args: SetArgs) -> CommandResult:
        rules = self._known_camera(args.camera)
        if args.rule is not None and args.rule not in rules:
            return CommandResult(
                CommandState.FAILED,
                f"camera {args.camera} has no rule {args.rule!r}; it has {', '.join(rules)}",
            )
        if args.action == "resume":
            return CommandResult(CommandState.DONE, resume=(args.camera, args.rule))
        at, now = self._clock.now(), self._known()
        pause = policy.pause(command, args, at.mono_s, self._boot_id, now)
        if pause.until_mono_s <= at.mono_s:
            return CommandResult(CommandState.FAILED, "the pause has ended before it could begin")
        return CommandResult(CommandState.DONE, pause=pause)

    def _known_camera(self, camera: str) -> tuple[str, ...]:
        names = self._executor.names()
        if camera not in names:
            raise NgatuError(f"there is no camera {camera!r}; there are {', '.join(names)}")
        return names[camera]

    def _end(self, command: Command, outcome: CommandResult) -> None:
        """Into the journal with its effect, then to the station."""
        now = self._clock.now()
        number = self._note(command, outcome.state, outcome.detail)
        # The line's number, known outside of the box: who cuts lines off at the end is found by it.
        result = {**(outcome.result or {}), **({} if number is None else {"audit": number})}
        state: Any = outcome.state.value  # the contract has the same words
        body = codec.ack(command.id, state, now, outcome.detail, result)
        picture = outcome.picture.data if outcome.picture else None
        self._acks_wait = True
        self._pauses = None
        self._journal.end(
            StoredAck(command.id, body, picture, outcome.topic),
            outcome.state,
            pause=outcome.pause,
            resume=outcome.resume,
        )
        if outcome.pause is not None or outcome.resume is not None:
            self._watch_pauses()
        self._put_acks()

    def _put_acks(self) -> None:
        """Into the outbox with what it does not have yet; a disk that will not take them is asked again."""
        if not self._acks_wait:
            return
        for ack in self._journal.acks():
            messages = [self._message(ack.body, ack.id)]
            if ack.picture is not None and ack.topic is not None:
                messages.append(
                    Message(ack.topic, ack.picture, JPEG, Priority.ALERT_IMAGE, self._clock.now(), ack.id)
                )
            try:
                self._outbox.put(messages)
            except OutboxError as error:
                self._voice.lost(error)
                return
            self._voice.back()
            self._journal.stored(ack.id)
        self._acks_wait = False

    def _watch_pauses(self) -> None:
        """Have the cameras obey exactly the pauses that are in force now."""
        pauses = self._pauses = self._journal.pauses() if self._pauses is None else self._pauses
        if not pauses and not self._halted:
            return
        mono_s, now = self._clock.now().mono_s, self._known()
        in_force = tuple(pause for pause in pauses if pause.in_force(mono_s, self._boot_id, now))
        over = [pause for pause in pauses if pause.over(mono_s, self._boot_id, now)]
        if in_force != self._halted:
            self._executor.halt(in_force)
            log.info("paused", what=[f"{pause.camera}/{pause.rule or ''}".rstrip("/") for pause in in_force])
            self._halted = in_force
        for pause in over:
            self._write({"state": "pause_over", "camera": pause.camera, "rule": pause.rule})
        if over:
            self._pauses = None
            self._journal.drop(over)

    # -------------------------------------------------------------------------------------------------- telling

    def _message(self, body: bytes, command_id: str) -> Message:
        return codec.message(MessageKind.ACK, body, self._clock.now(), about=command_id, command_id=command_id)

    def _note(self, command: Command, state: str, detail: str | None = None) -> int | None:
        """Into the audit log; the number of the line."""
        entry: dict[str, Any] = {
            "verb": command.verb,
            "id": command.id,
            "issuer": command.issuer,
            "state": state,
        }
        if detail:
            entry["detail"] = detail[:500]
        if isinstance(command.args, SetArgs | SnapshotArgs):
            entry["args"] = command.args.model_dump(mode="json", exclude_none=True)
        number = self._write(entry)
        log.info("command", verb=command.verb, id=command.id, state=state, detail=detail)
        return number

    def _write(self, entry: dict[str, Any]) -> int | None:
        at, known = self._clock.now(), self._known()
        unlisted, self._unlisted = self._unlisted, 0
        return self._audit.write(
            {
                "time": rfc3339(moment(at)),
                "trusted": known.trusted,
                "boot_id": self._boot_id,
                "mono_ms": round(at.mono_s * 1000),
                **entry,
                **({"left_out": unlisted} if unlisted else {}),
            }
        )


def known_time(clock: FlooredClock) -> KnownTime:
    """The time if somebody vouches for it, else what it is at least."""
    if clock.trust().good:
        return KnownTime(clock.now().wall_s, trusted=True)
    return KnownTime(clock.least_s(), trusted=False)
