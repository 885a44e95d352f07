"""What is written down of each command, and how its ack becomes a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog

from agent.clock import Clock
from agent.commands.audit import Audit
from agent.commands.policy import Command, KnownTime
from agent.core.types import Instant
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import moment
from agent.wire.message import Message
from agent.wire.payloads import rfc3339
from agent.wire.verbs import SetArgs, SnapshotArgs

log = structlog.get_logger(__name__)

DETAIL_LETTERS: Final = 500
"""Of a reason, in a line of the audit log."""


class CommandRecords:
    """Lines of the audit log with the time as far as it is known; any thread may write."""

    def __init__(self, audit: Audit, clock: Clock, known: Callable[[], KnownTime], boot_id: str) -> None:
        """`known` is what the box knows of the time."""
        self._audit, self._clock, self._known, self._boot_id = audit, clock, known, boot_id
        self._left_out = 0

    def note(self, command: Command, state: str, detail: str | None = None) -> int | None:
        """How far the command has come; the number of the line, or None if the disk would not take it."""
        entry: dict[str, Any] = {
            "verb": command.verb,
            "id": command.id,
            "issuer": command.issuer,
            "state": state,
        }
        if detail:
            entry["detail"] = detail[:DETAIL_LETTERS]
        if isinstance(command.args, SetArgs | SnapshotArgs):
            entry["args"] = command.args.model_dump(mode="json", exclude_none=True)
        number = self.write(entry)
        log.info("command", verb=command.verb, id=command.id, state=state, detail=detail)
        return number

    def leave_out(self) -> None:
        """One more that is not written down; the next line says how many."""
        self._left_out += 1

    def write(self, entry: dict[str, Any]) -> int | None:
        """One line; its number, or None if the disk would not take it."""
        at, known = self._clock.now(), self._known()
        left_out, self._left_out = self._left_out, 0
        return self._audit.write(
            {
                "time": rfc3339(moment(at)),
                "trusted": known.trusted,
                "boot_id": self._boot_id,
                "mono_ms": round(at.mono_s * 1000),
                **entry,
                **({"left_out": left_out} if left_out else {}),
            }
        )


def ack_message(body: bytes, command_id: str, at: Instant) -> Message:
    """The ack of a command, for the outbox."""
    return codec.message(MessageKind.ACK, body, at, about=command_id, command_id=command_id)
