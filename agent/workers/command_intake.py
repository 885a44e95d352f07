"""Hears what the station commands: read, judged, noted, and only then acknowledged to the broker.

It runs in the forwarder's thread and does nothing of what is commanded; commands.py does.
What is refused has an ack, too, unless it bears no id; and everything is in the audit log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.clock import Clock
from agent.commands import policy
from agent.commands.journal import CommandState, CommandTooOld, Journal, JournalFull
from agent.commands.policy import Command, KnownTime, Refusal
from agent.errors import OutboxError
from agent.host.supervise import OutageLog
from agent.outbox.outbox import Outbox
from agent.wire import codec
from agent.wire.payloads import AckBody
from agent.wire.topics import Topics
from agent.workers.command_records import CommandRecords, ack_message

log = structlog.get_logger(__name__)

REFUSALS: Final = 60
"""Refusals that are acknowledged and audited in a minute; of more, only the number is."""
WINDOW_S: Final = 60.0


class CommandIntake:
    """From a message to a command in the journal, or to a refusal."""

    def __init__(
        self,
        topics: Topics,
        journal: Journal,
        records: CommandRecords,
        outbox: Outbox,
        clock: Clock,
        known: Callable[[], KnownTime],
        session: str,
        key: Ed25519PublicKey | None,
        outage: OutageLog,
        taken: Callable[[Command], None],
    ) -> None:
        """`taken` is given each command that is new and in the journal; the rest as for CommandWorker."""
        self._topics, self._journal, self._records, self._outbox = topics, journal, records, outbox
        self._clock, self._known, self._session, self._key = clock, known, session, key
        self._outage, self._taken = outage, taken
        self._refused_s: deque[float] = deque(maxlen=REFUSALS)

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
            self._outage.lost(error)
            why = f"it cannot be noted, so it is not done: {error.what}"
        else:
            self._outage.back()
        if known is not None:
            if known.sha256 == command.sha256:
                self._again(command, known.ack)
                return None
            why = "repeated: this id was used for another command"
        if why is not None:
            return Refusal(why, command.verb, command.id, command.issuer)
        self._records.note(command, CommandState.ACCEPTED)
        self._taken(command)
        return None

    def _again(self, command: Command, ack: bytes | None) -> None:
        """It was taken before, and is not done again. Who asks again has missed the ack, if there is one."""
        if ack is not None:
            first = codec.parse(AckBody, ack)
            detail = "; ".join(filter(None, (first.detail, "repeated: not done again")))
            self._acknowledge(codec.encode(first.model_copy(update={"detail": detail})), command.id)
        self._records.note(command, "repeated")

    def _refuse(self, refusal: Refusal) -> None:
        now_s = self._clock.now().mono_s
        while self._refused_s and now_s - self._refused_s[0] > WINDOW_S:
            self._refused_s.popleft()
        if len(self._refused_s) == REFUSALS:  # a flood must fill neither the disk nor the way to the station
            self._records.leave_out()
            return
        self._refused_s.append(now_s)
        why = refusal.why.encode("utf-8", "replace").decode()  # errors of the system may hold lone surrogates
        self._records.write(
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
        self._outbox.put_or_drop([ack_message(body, command_id, self._clock.now())])
