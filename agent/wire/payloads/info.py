"""Birth: what a box is, with its cameras, zones and rules as configured."""

from __future__ import annotations

from pydantic import Field

from agent.core.types import Severity
from agent.settings.base import Name
from agent.wire.payloads.base import SCHEMA_VERSION, Payload
from agent.wire.payloads.field_types import Fraction, Id, Number, Sha256, Text, Time, Version
from agent.wire.payloads.origin import FramePayload, ModelPayload

MOST_CAMERAS = 256
"""Of a box: four times what a configuration may have. Who says more is no box, and every page would show it."""
MOST_PLACES = 256
"""Zones, and rules, of a camera: four times what a configuration may have."""


class ZoneInfo(Payload):
    """A zone as configured."""

    id: Text = Field(description="As events name it.")
    name: Text | None = Field(None, description="For people; null: its id.")
    points: tuple[tuple[Fraction, Fraction], ...] = Field((), description="[x, y] corners, fractions.")


class RuleInfo(Payload):
    """A rule as configured."""

    id: Text = Field(description="As events name it.")
    name: Text | None = Field(None, description="For people; null: its id.")
    kind: Text = Field(description="Such as line, zone, motion.")
    zones: tuple[Text, ...] = Field((), description="Zones it watches.")
    labels: tuple[Text, ...] = Field((), description="Labels it is about; empty: all.")
    severity: Severity = Field(Severity.INFO, description="Of its events.")
    points: tuple[tuple[Fraction, Fraction], ...] = Field((), description="[x, y] of a line, fractions.")


class CameraInfo(Payload):
    """A camera as configured; never its address or credentials."""

    id: Name = Field(description="As in the topic.")
    name: Text | None = Field(None, description="For people; null: its id.")
    kind: Text | None = Field(None, description="rtsp, usb, csi or file.")
    frame: FramePayload | None = Field(None, description="Size of its picture, once known.")
    encoder: Text | None = Field(
        None,
        description="hardware or software: who on the box encodes what is recorded; "
        "null: the camera itself, or nothing is recorded yet.",
    )
    decoder: Text | None = Field(
        None,
        description="Who decodes the picture, such as FFmpeg h264 or FFmpeg h264_v4l2m2m (the board); "
        "null: not known yet.",
    )
    decoder_fallback: Text | None = Field(
        None, description="Why software decodes where the board was to do it; null: it is as configured."
    )
    zones: tuple[ZoneInfo, ...] = Field((), max_length=MOST_PLACES, description="Its zones.")
    rules: tuple[RuleInfo, ...] = Field((), max_length=MOST_PLACES, description="Its rules.")
    recording: Text | None = Field(
        None, description="How it is recorded, in words, and what becomes of masks and MJPEG; null: it is not."
    )


class LocationInfo(Payload):
    """Where the box hangs."""

    latitude_deg: Number | None = Field(None, ge=-90, le=90, description="WGS 84.")
    longitude_deg: Number | None = Field(None, ge=-180, le=180, description="WGS 84.")
    description: Text | None = Field(None, description="For people: the junction's name.")


class InfoPayload(Payload):
    """Birth: what the box is. Retained, sent at each connect and when it changes."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    commune: Name = Field(description="As in the topic.")
    device: Name = Field(description="As in the topic.")
    session: Id = Field(description="The life of the agent that says so.")
    time: Time = Field(description="When it was said.")
    versions: dict[Text, Text] = Field(description="Of the agent, Python, the system and the libraries.")
    config_sha256: Sha256 | None = Field(None, description="Of the configuration file.")
    role: Text | None = Field(None, description="What the box is for, such as junction.")
    location: LocationInfo | None = Field(None, description="Where it hangs.")
    cameras: tuple[CameraInfo, ...] = Field(
        (), max_length=MOST_CAMERAS, description="Its cameras with zones and rules."
    )
    model: ModelPayload | None = Field(None, description="Its detector.")
    capabilities: tuple[Text, ...] = Field((), description="What it can do beyond events: commands, clips.")
    evidence_key: Text | None = Field(
        None,
        description="By which it signs packages of footage: Ed25519, base64 of 32 bytes; null: it keeps none.",
    )
