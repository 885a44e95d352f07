"""The JSON payloads of the wire, version 1: what each field is called, means and may hold.

The JSON Schema files in `agent/wire/schema/`, the AsyncAPI document and docs/reference/wire.md are generated
from these models. Unknown fields are ignored, so that a newer box can speak to an older station; words that may
grow with a minor version (kinds, reasons, clock states) are open. Times are RFC 3339 in UTC with milliseconds.

Whoever speaks or reads the wire takes every name from here; which module defines it is for readers only.
"""

from __future__ import annotations

from agent.wire.payloads.base import SCHEMA_VERSION, Payload, Posted
from agent.wire.payloads.clock import ClockMapBody, ClockMapPayload, ClockPayload
from agent.wire.payloads.commands import AckBody, AckPayload, AuditBody, AuditPayload, AuditText, CommandPayload
from agent.wire.payloads.counts import MOST_COUNTS, CountBody, CountPayload
from agent.wire.payloads.delivery import (
    PROOF_DIGITS,
    Carried,
    ChainBody,
    ChainPayload,
    HelloPayload,
    Proof,
    Range,
    ReceiptPayload,
    SealPlace,
)
from agent.wire.payloads.events import (
    UNKNOWN_COLOUR,
    BoxPayload,
    ColourPayload,
    EventBody,
    EventPayload,
    ImagePayload,
    ObjectPayload,
    RulePayload,
)
from agent.wire.payloads.field_types import (
    FIRST_YEAR,
    LARGEST,
    LAST_YEAR,
    Amount,
    Fraction,
    Id,
    Number,
    Sha256,
    Text,
    Time,
    Version,
    Whole,
    Word,
    rfc3339,
)
from agent.wire.payloads.footage import EvidenceBody, EvidencePayload, RecordingBody, RecordingPayload
from agent.wire.payloads.health import (
    MOST_DEGRADED,
    CameraHealth,
    Degradation,
    DiskHealth,
    FootageHealth,
    HealthPayload,
    MqttHealth,
    OutboxHealth,
    RecordingHealth,
    ShadowHealth,
    ThrottledHealth,
)
from agent.wire.payloads.info import (
    MOST_CAMERAS,
    MOST_PLACES,
    CameraInfo,
    InfoPayload,
    LocationInfo,
    RuleInfo,
    ZoneInfo,
)
from agent.wire.payloads.origin import FramePayload, ModelPayload, Origin
from agent.wire.payloads.status import CameraStatusPayload, StationStatusPayload, StatusPayload

__all__ = [
    "FIRST_YEAR",
    "LARGEST",
    "LAST_YEAR",
    "MOST_CAMERAS",
    "MOST_COUNTS",
    "MOST_DEGRADED",
    "MOST_PLACES",
    "PROOF_DIGITS",
    "SCHEMA_VERSION",
    "UNKNOWN_COLOUR",
    "AckBody",
    "AckPayload",
    "Amount",
    "AuditBody",
    "AuditPayload",
    "AuditText",
    "BoxPayload",
    "CameraHealth",
    "CameraInfo",
    "CameraStatusPayload",
    "Carried",
    "ChainBody",
    "ChainPayload",
    "ClockMapBody",
    "ClockMapPayload",
    "ClockPayload",
    "ColourPayload",
    "CommandPayload",
    "CountBody",
    "CountPayload",
    "Degradation",
    "DiskHealth",
    "EventBody",
    "EventPayload",
    "EvidenceBody",
    "EvidencePayload",
    "FootageHealth",
    "Fraction",
    "FramePayload",
    "HealthPayload",
    "HelloPayload",
    "Id",
    "ImagePayload",
    "InfoPayload",
    "LocationInfo",
    "ModelPayload",
    "MqttHealth",
    "Number",
    "ObjectPayload",
    "Origin",
    "OutboxHealth",
    "Payload",
    "Posted",
    "Proof",
    "Range",
    "ReceiptPayload",
    "RecordingBody",
    "RecordingHealth",
    "RecordingPayload",
    "RuleInfo",
    "RulePayload",
    "SealPlace",
    "Sha256",
    "ShadowHealth",
    "StationStatusPayload",
    "StatusPayload",
    "Text",
    "ThrottledHealth",
    "Time",
    "Version",
    "Whole",
    "Word",
    "ZoneInfo",
    "rfc3339",
]
