"""What every payload is, and what sending adds to one that lay in the outbox."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from agent.wire.payloads.field_types import Id, Time, Whole

SCHEMA_VERSION = "1.0"
"""Semantic: a new minor version only adds, a new major version breaks."""


class Payload(BaseModel):
    """A frozen JSON object that ignores what it does not know."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, populate_by_name=True, allow_inf_nan=False, serialize_by_alias=True
    )


class Posted(Payload):
    """What every message that lies in the outbox is given when it is sent."""

    seq: Whole = Field(description="Number within the stream, without gaps: a hole is a message not here yet.")
    stream: Id = Field(description="One life of the box's outbox file; a new file starts a new stream.")
    published_at: Time = Field(description="When the box sent this copy of the message.")
    replayed: bool = Field(False, description="Older than a minute when sent: do not alarm on it.")
