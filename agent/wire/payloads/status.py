"""Who is there now: box, camera and station, each retained."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agent.wire.payloads.base import Payload
from agent.wire.payloads.field_types import Amount, Id, Text, Time


class StatusPayload(Payload):
    """Is the box there? The will is the same with state offline and the same session."""

    state: Literal["online", "offline", "stopped"] = Field(
        description="stopped: on purpose; offline: the broker lost it."
    )
    session: Id = Field(description="One life of the agent; an offline of another session is stale.")
    time: Time = Field(description="When it was said; for a will, when the box connected.")


class CameraStatusPayload(Payload):
    """Does the camera see? Retained."""

    state: Literal["streaming", "stalled", "lost", "blind", "disabled"] = Field(description="Now.")
    since: Time = Field(description="When that state began.")
    time: Time | None = Field(None, description="When it was said.")
    reason: Text | None = Field(None, description="In words, when it does not stream.")
    fps: Amount | None = Field(None, description="Frames per second.")
    frame_age_s: Amount | None = Field(None, description="Age of the newest frame.")


class StationStatusPayload(Payload):
    """Is a station there that gives receipts? Retained; the will says offline."""

    state: Literal["online", "offline"] = Field(description="Now.")
    station: Id | None = Field(None, description="Which station.")
    session: Id | None = Field(None, description="One life of its subscriber.")
    time: Time | None = Field(None, description="When it was said.")
