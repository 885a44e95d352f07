"""Events, births and states of boxes as a station reads them: any box, any camera, at any time."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from agent.wire.payloads import rfc3339
from station.ingest.inbound import InboundMessage, read

COMMUNE = "hai-ninh"


def event_at(
    number: int,
    at: datetime,
    *,
    box: str = "north-01",
    camera: str = "north",
    seq: int | None = None,
    revision: int = 1,
    lasts_s: float | None = 1.0,
    **fields: Any,
) -> InboundMessage:
    """A message of the event e-NUMBER; without `lasts_s` it goes on. `fields` replace those of the payload."""
    began, ended = rfc3339(at), rfc3339(at + timedelta(seconds=lasts_s or 0))
    document: dict[str, Any] = {
        "schema": "1.0", "commune": COMMUNE, "device": box, "camera": camera, "id": f"e-{number}",
        "revision": revision, "kind": "line_crossed", "phase": "start" if lasts_s is None else "end",
        "severity": "info", "time": ended, "start_time": began, "rule": {"id": "stop-line", "kind": "line"},
        "clock": {"state": "ntp", "error_ms": 3, "boot_id": "b-1", "mono_ms": number * 1000},
        "object": road_user(number, at), "direction": "in", "seq": seq or number, "stream": "s-1",
        "published_at": ended, "replayed": False, "end_reason": None if lasts_s is None else "left",
    }  # fmt: skip
    document |= fields
    raw = json.dumps(document, separators=(",", ":")).encode()
    message = read(f"ngatu/v1/{COMMUNE}/{box}/camera/{camera}/event", raw, {})
    assert message.problem is None, message.problem
    return message


def road_user(number: int, at: datetime, **fields: Any) -> dict[str, Any]:
    """A motorcycle with one rider, on its way from the left to the right."""
    return {
        "track_id": f"t-{number}", "label": "motorcycle", "score": 0.8, "top_score": 0.91, "riders": 1,
        "box": {"left": 0.4, "top": 0.5, "right": 0.5, "bottom": 0.7}, "start_time": rfc3339(at),
        "entered_zones": [], "path": [[0.0, 0.1, 0.6], [0.5, 0.3, 0.65], [1.0, 0.45, 0.7]],
    } | fields  # fmt: skip


def picture_of(
    jpeg: bytes, number: int, seq: int, *, kind: str = "thumbnail", box: str = "north-01", camera: str = "north"
) -> tuple[dict[str, Any], InboundMessage]:
    """What an event says of its picture (`image` or `scene`), and the picture's own message."""
    digest, suffix = sha256(jpeg).hexdigest(), f"camera/{camera}/image/e-{number}/{kind}"
    said = {"topic": suffix, "sha256": digest, "width_px": 64, "height_px": 48, "bytes": len(jpeg)}
    user = {"sha256": digest, "stream": "s-1", "seq": str(seq), "event_id": f"e-{number}"}
    message = read(f"ngatu/v1/{COMMUNE}/{box}/{suffix}", jpeg, user)
    assert message.problem is None, message.problem
    return said, message


def born(box: str, title: str, cameras: dict[str, str], at: datetime, **more: Any) -> InboundMessage:
    """A box's birth message: its title for people, its cameras' names with theirs."""
    listed = [{"id": name, "name": words, **more.get(name, {})} for name, words in cameras.items()]
    document = {
        "schema": "1.0", "commune": COMMUNE, "device": box, "session": "life-1", "time": rfc3339(at),
        "versions": {}, "location": {"description": title}, "cameras": listed,
    }  # fmt: skip
    return _state(box, "info", document)


def status(box: str, state: str, at: datetime, session: str = "life-1") -> InboundMessage:
    """Whether a box is there."""
    return _state(box, "status", {"state": state, "session": session, "time": rfc3339(at)})


def camera_status(box: str, camera: str, state: str, at: datetime, reason: str | None = None) -> InboundMessage:
    """Whether a camera sees."""
    return _state(box, f"camera/{camera}/status", {"state": state, "since": rfc3339(at), "reason": reason})


def health(box: str, at: datetime, cameras: dict[str, Any]) -> InboundMessage:
    """How a box does, as far as its cameras are concerned."""
    return _state(
        box, "health", {"schema": "1.0", "session": "life-1", "time": rfc3339(at), "cameras": cameras}
    )


def _state(box: str, suffix: str, document: dict[str, Any]) -> InboundMessage:
    message = read(f"ngatu/v1/{COMMUNE}/{box}/{suffix}", json.dumps(document).encode(), {})
    assert message.problem is None, message.problem
    return message
