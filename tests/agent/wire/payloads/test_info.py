"""agent.wire.payloads.info"""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.config.schema import Config
from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import MOST_CAMERAS, MOST_PLACES, InfoPayload

SAID: dict[str, Any] = {
    "commune": "hai-ninh", "device": "north-01", "session": "a", "time": "2026-03-02T11:04:07Z", "versions": {},
}  # fmt: skip


def read(*cameras: dict[str, Any]) -> InfoPayload:
    return codec.parse(InfoPayload, json.dumps(SAID | {"cameras": cameras}).encode())


def named(number: int) -> list[dict[str, Any]]:
    return [{"id": f"c{at}", "kind": "line"} for at in range(number)]


def test_a_box_says_no_more_cameras_zones_and_rules_than_fit_on_a_page() -> None:
    most = named(MOST_PLACES)
    assert (
        len(read(*named(MOST_CAMERAS - 1), {"id": "last", "zones": most, "rules": most}).cameras)
        == MOST_CAMERAS
    )

    for cameras in (
        named(MOST_CAMERAS + 1),
        [{"id": "c0", "zones": named(MOST_PLACES + 1)}],
        [{"id": "c0", "rules": named(MOST_PLACES + 1)}],
    ):
        with pytest.raises(WireError):
            read(*cameras)


def test_whatever_a_configuration_may_have_can_be_said() -> None:
    schema = Config.model_json_schema()
    cameras = schema["properties"]["cameras"]["maxItems"]
    places = [schema["$defs"]["CameraConfig"]["properties"][name]["maxItems"] for name in ("zones", "rules")]

    assert 2 * cameras <= MOST_CAMERAS and 2 * max(places) <= MOST_PLACES
