"""Does what the station orders: heard in the forwarder's thread, noted on disk, done in a thread of its own.

    heard    read, judged, put into the journal; only then does the broker hear that it has come
    run      one after the other: begun, done, answered; and what the last life left, first
    answers  go into the outbox like everything else, so that no outage loses one

What is refused is answered, too, unless it bears no id. Everything is in the audit log.
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
from agent.commands.journal import Crowded, Journal, JournalLost, StoredAck
from agent.commands.policy import Command, KnownTime, Pause, Refusal, SetArgs, SnapshotArgs
from agent.errors import NgatuError, OutboxError
from agent.host.supervise import Beat, OutageLog, Stop
from agent.publishing.jpeg import Jpeg
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import JPEG, moment
from agent.wire.message import Message, Priority
from agent.wire.payloads import AckPayload, rfc3339
from agent.wire.topics import Topics, suffix
from agent.workers.keeping import Keeper, Keeping

log = structlog.get_logger(__name__)

TURN_S: Final = 1.0
"""While something must be watched or tried again: a pause that ends, a disk that would not take an answer."""
QUIET_S: Final = 10.0
"""While nothing is: orders and the end wake the thread, and its heart must beat."""
PICTURE_S: Final = 10.0
"""How long a picture may take: a camera that is slowed down gives one a second at least."""
REFUSALS: Final = 60
"""Refusals that are answered and audited in a minute; of more, only the number is."""
WINDOW_S: Final = 60.0

End = Literal["done", "failed", "refused"]


class Executor(Protocol):
    """Who carries the orders out. Each may raise NgatuError, which is told as the reason."""

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

    def restarted(self, verb: str) -> tuple[bool, dict[str, Any]]:
        """Whether this life began as `verb` (reload or restart) wanted it, and what to tell of it."""
        ...

    def leave(self) -> None:
        """Stop in order, and be started again."""
        ...


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of an order."""

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
        keeper: Keeper,
        crew: Executor,
        clock: Clock,
        known: Callable[[], KnownTime],
        boot_id: str,
        key: Ed25519PublicKey | None = None,
    ) -> None:
        """`known` is what the box knows of the time; with the station's `key`, only signed orders are done."""
        self._key = key
        self._topics, self._journal, self._audit, self._crew = topics, journal, audit, crew
        self._keeper, self._clock, self._known, self._boot_id = keeper, clock, known, boot_id
        self._keeping = Keeping(keeper, "answers", clock)
        self._arrived: queue.Queue[Command | None] = queue.Queue()
        """None only wakes the thread."""
        self._voice = OutageLog("orders")
        self._refused_s: deque[float] = deque(maxlen=REFUSALS)
        self._unheard = 0
        """Refusals that were neither answered nor audited."""
        self._untold = True
        """The journal may hold answers that the outbox does not have."""
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

    def _take(self, order: Command) -> Refusal | None:
        """Into the journal and the queue, or why not."""
        why = policy.untimely(order, self._known())
        known = None
        try:
            # One that was taken may meanwhile be expired: its answer counts, not that.
            known = self._journal.take(order) if why is None else self._journal.find(order.id)
        except (JournalLost, Crowded) as error:
            why = str(error)
        except OutboxError as error:
            self._voice.lost(error)
            why = f"it cannot be noted, so it is not done: {error.what}"
        else:
            self._voice.back()
        if known is not None:
            if known.sha256 == order.sha256:
                self._again(order, known.answer)
                return None
            why = "repeated: this id was used for another order"
        if why is not None:
            return Refusal(why, order.verb, order.id, order.issuer)
        self._note(order, "accepted")
        self._arrived.put(order)
        return None

    def _again(self, order: Command, answer: bytes | None) -> None:
        """It was taken before, and is not done again. Who asks again has missed the answer, if there is one."""
        if answer is not None:
            told = codec.parse(AckPayload, answer)
            detail = "; ".join(filter(None, (told.detail, "repeated: not done again")))
            self._answer(codec.encode(told.model_copy(update={"detail": detail})), order.id)
        self._note(order, "repeated")

    def _refuse(self, refusal: Refusal) -> None:
        now_s = self._clock.now().mono_s
        while self._refused_s and now_s - self._refused_s[0] > WINDOW_S:
            self._refused_s.popleft()
        if len(self._refused_s) == REFUSALS:  # a flood must fill neither the disk nor the way to the station
            self._unheard += 1
            return
        self._refused_s.append(now_s)
        why = refusal.why.encode("utf-8", "replace").decode()  # errors of the system may hold lone surrogates
        told = {"verb": refusal.verb, "id": refusal.id, "issuer": refusal.issuer, "state": "refused"}
        self._write(told | {"detail": why})
        log.warning("order_refused", verb=refusal.verb, id=refusal.id, why=why)
        if refusal.id is not None:
            body = codec.ack(refusal.id, "refused", self._clock.now(), why)
            self._answer(body, refusal.id)

    def _answer(self, body: bytes, order_id: str) -> None:
        """Into the outbox; what that will not take now the orders' own thread tries again."""
        self._keeping.keep([self._message(body, order_id)])
        if self._keeping.holds:
            self._wake()

    # ----------------------------------------------------------------------------------- in a thread of its own

    def run(self, stop: Stop, beat: Beat) -> None:
        """Do what is ordered until `stop` is set. What the last life left comes first."""
        stop.wakes(self._wake)
        behind = True
        while not stop.is_set():
            beat()
            try:
                if behind:
                    self._resume(stop, beat)
                    behind = False
                self._turn(stop, beat)
            except OutboxError as error:  # a disk that will not take it now: what was not ended is done again
                self._voice.lost(error)
                behind = True
                stop.wait(TURN_S)
        with suppress(OutboxError):
            self._tell_answers()

    def _turn(self, stop: Stop, beat: Beat) -> None:
        self._tell_answers()
        self._watch_pauses()
        restless = self._untold or self._pauses or self._keeping.holds
        try:
            order = self._arrived.get(timeout=TURN_S if restless else QUIET_S)
        except queue.Empty:
            return
        if order is not None and not stop.is_set():  # else the next life does it
            self._do(order, stop, beat)

    def _wake(self) -> None:
        """Have the thread look again now."""
        self._arrived.put(None)

    def _resume(self, stop: Stop, beat: Beat) -> None:
        for order, state in [] if self._leaving else self._journal.unended():
            if state == "begun" and order.verb in ("restart", "reload"):
                went_well, result = self._crew.restarted(order.verb)
                detail = None if went_well else str(result.pop("why", ""))
                self._end(order, CommandResult("done" if went_well else "failed", detail, result))
            elif not stop.is_set():
                self._do(order, stop, beat)

    def _do(self, order: Command, stop: Stop, beat: Beat) -> None:
        """One order from its beginning to its answer."""
        known = self._journal.find(order.id)
        if self._leaving or known is None or known.state not in ("accepted", "begun"):
            return  # the next life does it, or it was done when the queue was a moment behind the journal
        why = policy.untimely(order, self._known())
        if why is not None:  # it waited too long
            self._end(order, CommandResult("refused", why))
            return
        self._journal.begin(order.id)
        try:
            done = self._carry_out(order, stop, beat)
        except NgatuError as error:
            done = CommandResult("failed", error.what)
        except Exception as error:  # an order that meets a mistake of ours must not stop the others
            log.exception("order_failed", verb=order.verb, id=order.id)
            done = CommandResult(
                "failed", f"a mistake in the program: {type(error).__name__}; see the log of the box"
            )
        if done is not None:
            self._end(order, done)

    def _carry_out(self, order: Command, stop: Stop, beat: Beat) -> CommandResult | None:
        """What became of it; None: the next life of the agent will know."""
        if isinstance(order.args, SnapshotArgs):
            return self._snapshot(order, order.args.camera, stop, beat)
        if isinstance(order.args, SetArgs):
            return self._set(order, order.args)
        if order.verb == "ping":
            return CommandResult("done")
        if order.verb == "reload":
            self._crew.check()
        self._note(order, "begun")
        self._leaving = True
        self._crew.leave()
        return None

    def _snapshot(self, order: Command, camera: str, stop: Stop, beat: Beat) -> CommandResult:
        self._known_camera(camera)

        def turn() -> bool:
            beat()
            return not stop.is_set()

        picture = self._crew.picture(camera, PICTURE_S, turn)
        result = {
            "sha256": picture.sha256,
            "bytes": len(picture.data),
            "width_px": picture.width_px,
            "height_px": picture.height_px,
        }
        return CommandResult("done", None, result, picture, suffix(MessageKind.SNAPSHOT, camera=camera))

    def _set(self, order: Command, args: SetArgs) -> CommandResult:
        rules = self._known_camera(args.camera)
        if args.rule is not None and args.rule not in rules:
            return CommandResult(
                "failed", f"camera {args.camera} has no rule {args.rule!r}; it has {', '.join(rules)}"
            )
        if args.action == "resume":
            return CommandResult("done", resume=(args.camera, args.rule))
        at, now = self._clock.now(), self._known()
        pause = policy.pause(order, args, at.mono_s, self._boot_id, now)
        if pause.until_mono_s <= at.mono_s:
            return CommandResult("failed", "the pause has ended before it could begin")
        return CommandResult("done", pause=pause)

    def _known_camera(self, camera: str) -> tuple[str, ...]:
        names = self._crew.names()
        if camera not in names:
            raise NgatuError(f"there is no camera {camera!r}; there are {', '.join(names)}")
        return names[camera]

    def _end(self, order: Command, done: CommandResult) -> None:
        """Into the journal with its effect, then to the station."""
        now = self._clock.now()
        number = self._note(order, done.state, done.detail)
        # The line's number, known outside of the box: who cuts lines off at the end is found by it.
        result = {**(done.result or {}), **({} if number is None else {"audit": number})}
        body = codec.ack(order.id, done.state, now, done.detail, result)
        picture = done.picture.data if done.picture else None
        self._untold = True
        self._pauses = None
        self._journal.end(
            StoredAck(order.id, body, picture, done.topic), done.state, pause=done.pause, resume=done.resume
        )
        if done.pause is not None or done.resume is not None:
            self._watch_pauses()
        self._tell_answers()

    def _tell_answers(self) -> None:
        """Into the outbox with what it does not have yet; a disk that will not take them is asked again."""
        self._keeping.keep()
        if not self._untold:
            return
        for answer in self._journal.untold():
            messages = [self._message(answer.body, answer.id)]
            if answer.picture is not None and answer.topic is not None:
                messages.append(
                    Message(
                        answer.topic, answer.picture, JPEG, Priority.ALERT_IMAGE, self._clock.now(), answer.id
                    )
                )
            try:
                self._keeper.put(messages)
            except OutboxError as error:
                self._voice.lost(error)
                return
            self._voice.back()
            self._journal.told(answer.id)
        self._untold = False

    def _watch_pauses(self) -> None:
        """Have the cameras obey exactly the pauses that are in force now."""
        pauses = self._pauses = self._journal.pauses() if self._pauses is None else self._pauses
        if not pauses and not self._halted:
            return
        mono_s, now = self._clock.now().mono_s, self._known()
        in_force = tuple(pause for pause in pauses if pause.in_force(mono_s, self._boot_id, now))
        over = [pause for pause in pauses if pause.over(mono_s, self._boot_id, now)]
        if in_force != self._halted:
            self._crew.halt(in_force)
            log.info("paused", what=[f"{pause.camera}/{pause.rule or ''}".rstrip("/") for pause in in_force])
            self._halted = in_force
        for pause in over:
            self._write({"state": "pause_over", "camera": pause.camera, "rule": pause.rule})
        if over:
            self._pauses = None
            self._journal.drop(over)

    # -------------------------------------------------------------------------------------------------- telling

    def _message(self, body: bytes, order_id: str) -> Message:
        return codec.message(MessageKind.ACK, body, self._clock.now(), about=order_id, command_id=order_id)

    def _note(self, order: Command, state: str, detail: str | None = None) -> int | None:
        """Into the audit log; the number of the line."""
        told = {"verb": order.verb, "id": order.id, "issuer": order.issuer, "state": state}
        if detail:
            told["detail"] = detail[:500]
        if isinstance(order.args, SetArgs | SnapshotArgs):
            told["args"] = order.args.model_dump(mode="json", exclude_none=True)  # type: ignore[assignment]
        number = self._write(told)
        log.info("order", verb=order.verb, id=order.id, state=state, detail=detail)
        return number

    def _write(self, told: dict[str, Any]) -> int | None:
        at, known = self._clock.now(), self._known()
        unheard, self._unheard = self._unheard, 0
        return self._audit.write(
            {
                "time": rfc3339(moment(at)),
                "trusted": known.trusted,
                "boot_id": self._boot_id,
                "mono_ms": round(at.mono_s * 1000),
                **told,
                **({"left_out": unheard} if unheard else {}),
            }
        )


def known_time(clock: FlooredClock) -> KnownTime:
    """The time if somebody vouches for it, else what it is at least."""
    if clock.trust().good:
        return KnownTime(clock.now().wall_s, trusted=True)
    return KnownTime(clock.least_s(), trusted=False)
