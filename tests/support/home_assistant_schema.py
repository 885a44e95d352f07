"""Judges a device's announcement on standard input by Home Assistant's own schemas, in a Python that has it.

    PYTHON tests/support/home_assistant_schema.py < announcement.json

Prints {entity: "taken"}; what is refused ends it with the schema's words.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from typing import Any

from homeassistant import core  # type: ignore[import-not-found]
from homeassistant.components.mqtt import discovery  # type: ignore[import-not-found]


async def judged(announcement: dict[str, Any]) -> dict[str, str]:
    """Each entity as Home Assistant merges it with what it shares with the device, by its platform's schema."""
    hass = core.HomeAssistant("/nonexistent")
    device = discovery._parse_device_payload(hass, json.dumps(announcement), "north-01", "hai-ninh")
    assert device, "the device was refused"
    found = {}
    for key, entity in device["components"].items():
        platform = importlib.import_module(f"homeassistant.components.mqtt.{entity.pop('platform')}")
        payload = discovery.MQTTDiscoveryPayload(entity)
        payload["device"], payload["origin"] = device["device"], device["origin"]
        discovery._merge_common_device_options(payload, device)
        platform.DISCOVERY_SCHEMA(dict(payload))
        found[key] = "taken"
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(judged(json.load(sys.stdin)))))
