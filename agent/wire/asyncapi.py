"""The AsyncAPI 3.0 document of the wire (docs/reference/asyncapi.yaml), made from channels and payload models.

Specification: https://www.asyncapi.com/docs/reference/specification/v3.0.0. `describe.py` writes it.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from agent.wire import payloads
from agent.wire.channels import CHANNELS, PARAMETERS, Channel, Format, models
from agent.wire.codec import JSON, content_type
from agent.wire.topics import ROOT

ONVIF = {
    "motion": "RuleEngine/MotionRegionDetector/Motion",
    "object": "RuleEngine/ObjectTrack/Aggregation",
    "zone_entered": "RuleEngine/FieldDetector/ObjectsInside",
    "line_crossed": "RuleEngine/LineDetector/Crossed",
    "loitering": "RuleEngine/LoiteringDetector/ObjectIsLoitering",
    "stopped_vehicle": "RuleEngine/ngatu/StoppedVehicle",
    "wrong_way": "RuleEngine/ngatu/WrongWay",
    "crowd": "RuleEngine/ngatu/Crowd",
    "count": "RuleEngine/CountAggregation/Counter",
    "camera_lost": "VideoSource/SignalLoss",
    "camera_blind:covered": "VideoSource/GlobalSceneChange",
    "camera_blind:moved": "VideoSource/GlobalSceneChange",
    "camera_blind:dark": "VideoSource/ImageTooDark",
    "camera_blind:bright": "VideoSource/ImageTooBright",
    "camera_blind:blurred": "VideoSource/ImageTooBlurry",
    "camera_blind:frozen": "VideoSource/SignalLoss",
    "storage_full": "Device/HardwareFailure/StorageFailure",
    "storage_ram_only": "Device/HardwareFailure/StorageFailure",
    "storage_corrupt": "Device/HardwareFailure/StorageFailure",
    "clock_untrusted": "Monitoring/OperatingTime/LastClockSynchronization",
    "overheated": "Device/Sensor/Temperature/High",
    "agent_restarted": "Monitoring/OperatingTime/LastReboot",
}
"""Kind, or kind:detail, -> topic of ONVIF's event service, for a republisher at the station.

From ONVIF's Core and Analytics specifications. What ONVIF does not name lies under our own word `ngatu`.
Object tracks: start is Initial, update Intermediate, end Final. Boxes: x = 2·left - 1, y = 1 - 2·top.
"""


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
        "defaultContentType": JSON,
        "servers": {
            "station": {
                "host": "broker.example:8883",
                "protocol": "mqtts",
                "protocolVersion": "5.0",
                "description": "The commune's broker. MQTT 3.1.1 works too: delivery rests on receipts.",
            }
        },
        "channels": {name(channel): _channel(channel) for channel in CHANNELS},
        "operations": {
            _verb(channel) + name(channel)[0].upper() + name(channel)[1:]: _operation(channel)
            for channel in CHANNELS
        },
        "components": {
            "messages": {name(channel): _message(channel) for channel in CHANNELS},
            "schemas": schemas["$defs"],
        },
        "x-onvif-topics": dict(ONVIF),
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def name(channel: Channel) -> str:
    """An identifier for the document: cameraEvent for camera/{camera}/event."""
    if channel.below == "station":
        return "station" + channel.topic.capitalize()
    first, *rest = re.split(r"[/_]", re.sub(r"[{}]", "", channel.topic))
    return first + "".join(word.capitalize() for word in rest if word != "camera")


def address(channel: Channel) -> str:
    """The whole topic, with the ids in braces."""
    return f"{ROOT}/{{commune}}/{'{device}' if channel.below == 'device' else 'station'}/{channel.topic}"


def _verb(channel: Channel) -> str:
    return "send" if channel.sender == "box" else "receive"


def _channel(channel: Channel) -> dict[str, Any]:
    whole, known = address(channel), name(channel)
    return {
        "address": whole,
        "description": channel.what,
        "parameters": {
            each: {"description": PARAMETERS[each].what} for each in re.findall(r"\{(\w+)\}", whole)
        },
        "messages": {known: {"$ref": f"#/components/messages/{known}"}},
    }


def _operation(channel: Channel) -> dict[str, Any]:
    known = name(channel)
    return {
        "action": _verb(channel),
        "channel": {"$ref": f"#/channels/{known}"},
        "messages": [{"$ref": f"#/channels/{known}/messages/{known}"}],
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retained, "bindingVersion": "0.2.0"}},
    }


def _message(channel: Channel) -> dict[str, Any]:
    message: dict[str, Any] = {"name": name(channel), "summary": channel.what}
    if channel.kept:
        message["headers"] = _HEADERS
    message["contentType"] = content_type(channel.kind)
    if isinstance(channel.payload, Format):
        message["payload"] = {"type": "string", "format": "binary"}
    else:
        message["payload"] = {"$ref": f"#/components/schemas/{channel.payload.__name__}"}
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
