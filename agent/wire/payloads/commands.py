"""What the station asks of a box, what became of it, and the audit log that tells of both."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from agent.wire.payloads.base import SCHEMA_VERSION, Payload, Posted
from agent.wire.payloads.field_types import Id, Text, Time, Version


class CommandPayload(Payload):
    """Station to box: an order. The verb is the topic's last level."""

    id: Id = Field(description="UUIDv7; the box does it once and answers at ack/{id}.")
    issued_at: Time = Field(description="When it was ordered.")
    expires_at: Time = Field(description="Not to be done afterwards.")
    issuer: Text = Field(description="Who ordered it.")
    args: dict[str, Any] = Field({}, description="What the verb needs.")
    session: Id | None = Field(
        None, description="The life of the agent, as in info, that may do it; none: any. Signed ones name it."
    )
    signature: Text | None = Field(
        None, description="Ed25519, base64, over RFC 8785 form with device and verb."
    )


class AckBody(Payload):
    """What became of a command, as it lies in the outbox."""

    id: Id = Field(description="Of the command.")
    state: Literal["accepted", "done", "refused", "failed"] = Field(description="How far it came.")
    time: Time = Field(description="When that was so.")
    detail: Text | None = Field(None, description="Why, in words, when it was not done.")
    result: dict[str, Any] = Field({}, description="What the verb gives back.")


class AckPayload(AckBody, Posted):
    """Box to station: what became of a command."""


AuditText = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]+$", max_length=32768)]
"""One line of a box's audit log: JSON in ASCII, byte for byte.

How long it may be stands outside of the pattern: counted there, `{1,32768}`, it was an automaton of 9.7 MB for
the two payloads that have such lines, in every process that imports this room (measured).
"""


class AuditBody(Payload):
    """Lines of the box's audit log as they lie in the outbox."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    lines: tuple[AuditText, ...] = Field(
        min_length=1,
        max_length=500,
        description="As they stand in the file: JSON with `n`, the number of the line, and `prev`, the sha256 "
        "of the line before.",
    )


class AuditPayload(AuditBody, Posted):
    """Box to station: what was asked of the box and what left it, line by line.

    So the station notices a line that is missing, and one that was another when it came.
    """
