"""Where a message comes from: which camera, how large its picture is, which detector."""

from __future__ import annotations

from pydantic import Field

from agent.settings.base import Name
from agent.wire.payloads.base import Payload
from agent.wire.payloads.clock import ClockPayload
from agent.wire.payloads.field_types import Sha256, Text, Version, Whole


class Origin(Payload):
    """Which camera speaks, and how it knows the time."""

    schema_version: Version = Field(alias="schema", description="Version of this contract.")
    commune: Name = Field(description="As in the topic.")
    device: Name = Field(description="As in the topic.")
    camera: Name = Field(description="As in the topic.")
    clock: ClockPayload = Field(description="How far the times can be trusted.")


class FramePayload(Payload):
    """Size of the camera's picture."""

    width_px: Whole = Field(description="Width in pixels.")
    height_px: Whole = Field(description="Height in pixels.")


class ModelPayload(Payload):
    """The detector behind the labels and scores."""

    name: Text = Field(description="As its model card names it.")
    sha256: Sha256 | None = Field(None, description="Of the model file.")
