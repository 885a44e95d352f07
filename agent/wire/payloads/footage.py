"""How far a recording is, and how far a request for footage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.settings.base import Name
from agent.wire.payloads.base import SCHEMA_VERSION, Payload, Posted
from agent.wire.payloads.clock import ClockPayload
from agent.wire.payloads.field_types import Id, Sha256, Text, Time, Version, Whole, Word
from agent.wire.payloads.origin import FramePayload


class RecordingBody(Payload):
    """The newest link of a recording, as it lies in the outbox."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    camera: Name = Field(description="As in the topic.")
    number: Whole = Field(description="Of the newest finished segment; counts the segments of the camera.")
    link_sha256: Sha256 = Field(
        description="The hash of its link, which names all that was recorded before: footage that comes "
        "later is held against it."
    )
    start: Time = Field(description="Of that segment.")
    end: Time = Field(description="Of that segment.")
    oldest: Time | None = Field(None, description="Since when footage of the camera is kept; null: unknown.")
    codec: Word | None = Field(None, description="h264, hevc, mjpeg, …")
    frame: FramePayload | None = Field(None, description="Size of its pictures.")
    recipient: Text | None = Field(None, description="The age public key for which it is encrypted.")
    time: Time = Field(description="When it was said.")
    clock: ClockPayload = Field(description="The same moment by the steady clock, and who vouches for it.")


class RecordingPayload(RecordingBody, Posted):
    """Box to station, every five minutes while a camera is recorded, and when a recording stops."""


class EvidenceBody(Payload):
    """The state of a request for footage, or of an order for frames, as it lies in the outbox."""

    id: Id = Field(description="Of the request.")
    state: Literal["requested", "cutting", "sending", "complete", "refused", "failed", "released"] = Field(
        description="How far it came; complete: the station has receipted all of it, or all frames that were "
        "still there."
    )
    time: Time = Field(description="When that was so.")
    detail: Text | None = Field(None, description="Why, in words.")
    size_bytes: Whole | None = Field(None, description="Of the whole package; null: it is not cut yet.")
    sent_bytes: Whole = Field(0, description="Of these, what the station has receipted.")
    parts: Whole | None = Field(None, description="Pieces of all files together; null: it is not cut yet.")
    sent_parts: Whole = Field(0, description="Of these, those that the station has receipted.")


class EvidencePayload(EvidenceBody, Posted):
    """Box to station: the state of a request for footage, or of an order for frames."""
