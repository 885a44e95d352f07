"""What is written down of each command, and how its ack becomes a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from agent.clock import Clock
from agent.commands.audit import Audit, AuditLine
from agent.commands.policy import Command, KnownTime
from agent.core.types import Instant
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import moment
from agent.wire.message import Message
from agent.wire.payloads import rfc3339

log = structlog.get_logger(__name__)

DETAIL_LETTERS: Final = 500
"""Of a reason, in a line of the audit log."""


class CommandRecords:
    """Lines of the audit log with the time as far as it is known; any thread may write."""

    def __init__(self, audit: Audit, clock: Clock, known: Callable[[], KnownTime], boot_id: str) -> None:
        """`known` is what the box knows of the time."""
        self._audit, self._clock, self._known, self._boot_id = audit, clock, known, boot_id
        self._left_out = 0

    def note(
        self, command: Command, state: str, detail: str | None = None, result: Mapping[str, Any] | None = None
    ) -> AuditLine | None:
        """How far the command has come; the line, or None if the disk would not take it.

        `result` is what left the box: the hash of a picture, how many of a look.
        """
        entry: dict[str, Any] = {
            "verb": command.verb,
            "id": command.id,
            "issuer": command.issuer,
            "state": state,
        }
        if detail:
            entry["detail"] = detail[:DETAIL_LETTERS]
        if args := command.args.model_dump(mode="json", exclude_none=True):
            entry["args"] = args
        if result:
            entry["result"] = dict(result)
        line = self.write(entry)
        log.info("command", verb=command.verb, id=command.id, state=state, detail=detail)
        return line

    def leave_out(self) -> None:
        """One more that is not written down; the next line says how many."""
        self._left_out += 1

    def write(self, entry: dict[str, Any]) -> AuditLine | None:
        """One line, or None if the disk would not take it."""
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
