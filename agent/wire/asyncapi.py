"""The AsyncAPI 3.0 document of the wire (docs/reference/asyncapi.yaml), made from the payload models.

Specification: https://www.asyncapi.com/docs/reference/specification/v3.0.0. `describe.py` writes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

import yaml
from pydantic.json_schema import models_json_schema

from agent.core.types import EventKind
from agent.wire import codec, payloads
from agent.wire.payloads import Payload


@dataclass(frozen=True, slots=True)
class Channel:
    """One topic of the contract."""

    suffix: str
    """Below the device; the station's own status is below the commune."""
    what: str
    sender: Literal["box", "station"]
    payload: type[Payload] | Literal["jpeg", "bytes"]
    retained: bool = False
    numbered: bool = False
    """Lies in the outbox, has a seq and is sent until a receipt comes."""

    @property
    def name(self) -> str:
        """An identifier for the document: cameraEvent for camera/{camera}/event."""
        if self.suffix == "../station/status":
            return "stationStatus"
        words = [re.sub(r"[{}]", "", word) for word in re.split(r"[/_]", self.suffix)]
        fixed = [words[0], *(word.capitalize() for word in words[1:] if word != "camera")]
        return "".join(fixed)

    @property
    def address(self) -> str:
        """The whole topic, with the ids in braces."""
        if self.suffix.startswith("../"):
            return f"{codec.ROOT}/{{commune}}/{self.suffix[3:]}"
        return f"{codec.ROOT}/{{commune}}/{{device}}/{self.suffix}"


CHANNELS = (
    Channel("status", "Whether the box is there; also its will.", "box", payloads.StatusPayload, True),
    Channel("info", "Birth: what the box is.", "box", payloads.InfoPayload, True),
    Channel("health", "What the box says about itself.", "box", payloads.HealthPayload, True),
    Channel("camera/{camera}/status", "Whether the camera sees.", "box", payloads.CameraStatusPayload, True),
    Channel("camera/{camera}/event", "The life of an event.", "box", payloads.EventPayload, numbered=True),
    Channel("camera/{camera}/count/{rule}", "A closed interval.", "box", payloads.CountPayload, numbered=True),
    Channel(
        "camera/{camera}/image/{event_id}/{kind}",
        "A picture of an event; kind is thumbnail or scene.",
        "box",
        "jpeg",
        numbered=True,
    ),
    Channel("camera/{camera}/snapshot", "A picture on command.", "box", "jpeg", numbered=True),
    Channel("evidence/{request_id}", "The state of a request.", "box", payloads.EvidencePayload, numbered=True),
    Channel("evidence/{request_id}/{file}/{chunk}", "A piece of footage.", "box", "bytes", numbered=True),
    Channel("ack/{command_id}", "What became of a command.", "box", payloads.AckPayload, numbered=True),
    Channel(
        "camera/box/clock_map",
        "Which time belongs to which moment, once the clock is synchronised.",
        "box",
        payloads.ClockMapPayload,
        numbered=True,
    ),
    Channel("chain", "A seal: messages by hash.", "box", payloads.ChainPayload, numbered=True),
    Channel("hello", "What the outbox holds, at each connect.", "box", payloads.HelloPayload),
    Channel("receipt", "What the station has committed.", "station", payloads.ReceiptPayload),
    Channel("command/{verb}", "An order; never retained.", "station", payloads.CommandPayload),
    Channel("../station/status", "Whether receipts are given.", "station", payloads.StationStatusPayload, True),
)
"""Every topic of the contract, in the order of the reference."""

ONVIF = {
    **{str(kind): kind.onvif for kind in EventKind if kind is not EventKind.CAMERA_BLIND},
    "count": "RuleEngine/CountAggregation/Counter",
    "camera_blind:covered": "VideoSource/GlobalSceneChange",
    "camera_blind:moved": "VideoSource/GlobalSceneChange",
    "camera_blind:dark": "VideoSource/ImageTooDark",
    "camera_blind:bright": "VideoSource/ImageTooBright",
    "camera_blind:blurred": "VideoSource/ImageTooBlurry",
    "camera_blind:frozen": "VideoSource/SignalLoss",
}
"""Kind, or kind:detail, -> topic of ONVIF's event service, for a republisher at the station.

From ONVIF's Core and Analytics specifications; the topics of kinds stand with them (core/types.py).
Object tracks: start is Initial, update Intermediate, end Final. Boxes: x = 2·left - 1, y = 1 - 2·top.
"""

_PARAMETERS = {
    "commune": "The commune's id: 3 to 32 of a-z, 0-9 and '-'.",
    "device": "The box's id, also its MQTT client id; not 'station'.",
    "camera": "The camera's id in the box.",
    "rule": "The counting rule's id.",
    "event_id": "The event's id.",
    "kind": "thumbnail or scene.",
    "request_id": "The id of the command that asked.",
    "file": "A file of the clip's manifest.",
    "chunk": "Counts the pieces of a file from 0.",
    "command_id": "The command's id.",
    "verb": "What to do.",
}


def models() -> tuple[type[Payload], ...]:
    """The payloads of all topics, in the order of the reference."""
    return tuple(channel.payload for channel in CHANNELS if isinstance(channel.payload, type))


def document() -> str:
    """The AsyncAPI document as YAML, seen from the box: it sends what a station receives."""
    _, schemas = models_json_schema(
        [(model, "validation") for model in models()], ref_template="#/components/schemas/{model}"
    )
    content: dict[str, Any] = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ngatu wire",
            "version": f"{payloads.SCHEMA_VERSION}.0",
            "description": "What a box on a pole and the station of its commune say to each other over MQTT. "
            "Written from the box's side. docs/reference/wire.md explains it to people.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": codec.JSON,
        "servers": {
            "station": {
                "host": "broker.example:8883",
                "protocol": "mqtts",
                "protocolVersion": "5.0",
                "description": "The commune's broker. MQTT 3.1.1 works too: delivery rests on receipts.",
            }
        },
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {
            _verb(channel) + channel.name[0].upper() + channel.name[1:]: _operation(channel)
            for channel in CHANNELS
        },
        "components": {
            "messages": {channel.name: _message(channel) for channel in CHANNELS},
            "schemas": schemas["$defs"],
        },
        "x-onvif-topics": dict(ONVIF),
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _verb(channel: Channel) -> str:
    return "send" if channel.sender == "box" else "receive"


def _channel(channel: Channel) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", channel.address)
    return {
        "address": channel.address,
        "description": channel.what,
        "parameters": {name: {"description": _PARAMETERS[name]} for name in names},
        "messages": {channel.name: {"$ref": f"#/components/messages/{channel.name}"}},
    }


def _operation(channel: Channel) -> dict[str, Any]:
    return {
        "action": _verb(channel),
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": [{"$ref": f"#/channels/{channel.name}/messages/{channel.name}"}],
        "bindings": {"mqtt": {"qos": 1, "retain": channel.retained, "bindingVersion": "0.2.0"}},
    }


def _message(channel: Channel) -> dict[str, Any]:
    message: dict[str, Any] = {"name": channel.name, "summary": channel.what}
    if channel.numbered:
        message["headers"] = _HEADERS
    if isinstance(channel.payload, type):
        message["contentType"] = codec.JSON
        message["payload"] = {"$ref": f"#/components/schemas/{channel.payload.__name__}"}
    else:
        message["contentType"] = codec.JPEG if channel.payload == "jpeg" else "application/octet-stream"
        message["payload"] = {"type": "string", "format": "binary"}
    return message


_HEADERS = {
    "type": "object",
    "description": "MQTT 5 user properties.",
    "properties": {
        "event_id": {"type": "string", "description": "The event it belongs to."},
        "seq": {"type": "string", "pattern": "^[0-9]+$", "description": "Number within the stream."},
        "stream": {"type": "string", "description": "One life of the box's outbox file."},
        "sha256": {
            "type": "string",
            "description": "Of a picture's bytes; of a JSON body without what is added at sending.",
        },
        "schema": {"type": "string", "description": "Version of this contract."},
    },
}
