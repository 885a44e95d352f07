"""A store with events of now, of one box, as a console or a webhook finds them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from agent.core.types import Instant
from agent.publishing.compose import Sender, event_messages
from agent.wire import codec
from agent.wire.message import Stored
from station.ingest.inbound import InboundMessage, read
from station.store.store import Store
from tests.station.ingest.test_receipts import BASE
from tests.support.fake_box import an_event
from tests.support.jpegs import jpeg

INFO = {
    "schema": "1.0", "commune": "hai-ninh", "device": "north-01", "session": "life", "role": "junction",
    "time": "2026-11-27T01:00:00.000Z", "versions": {"agent": "0.1.0"},
    "location": {"description": "Ngã tư Hải Ninh"},
    "cameras": [
        {
            "id": "north", "name": "Hướng bắc",
            "rules": [
                {"id": "stop-line", "kind": "line"}, {"id": "junction", "kind": "zone"},
                {"id": "Ngõ 3/#", "kind": "zone"},
            ],
        }
    ],
}  # fmt: skip
HEALTH = {
    "schema": "1.0", "time": "2026-11-27T01:00:00.000Z", "cpu_temp_c": 51.5, "outbox": {"pending": 3},
}  # fmt: skip


def event_now(number: int, revision: int = 1, *, ago_s: float = 1.0, **fields: Any) -> InboundMessage:
    """A message of the event `e-NUMBER`, which began so many seconds ago."""
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = json.loads(_made(number))
    body["object"]["start_time"] = moment
    body |= {
        "revision": revision, "time": moment, "start_time": moment, "stream": "s-1", "replayed": False,
        "seq": number * 100 + revision, "published_at": moment,
        "clock": {"state": "ntp", "error_ms": 1, "boot_id": "b-1", "mono_ms": 1},
    }  # fmt: skip
    seen = fields.pop("object", {})
    body |= fields
    body["object"] = None if seen is None else body["object"] | seen
    topic = f"ngatu/v1/hai-ninh/{body['device']}/camera/{body['camera']}/event"
    return read(topic, json.dumps(body).encode(), {})


def picture_of(event: InboundMessage, data: bytes) -> InboundMessage:
    """The thumbnail that comes behind it."""
    assert event.event is not None
    topic = f"{BASE}camera/north/image/{event.event.id}/thumbnail"
    seq = event.event.seq + 50
    return read(topic, data, {"stream": "s-1", "seq": str(seq), "sha256": sha256(data).hexdigest()})


def a_thumbnail() -> tuple[bytes, dict[str, Any]]:
    """A JPEG, and how a message names it."""
    data = jpeg(b"motorcycle")
    named = {
        "topic": "camera/north/image/e-1/thumbnail", "sha256": sha256(data).hexdigest(), "width_px": 8,
        "height_px": 8, "bytes": len(data),
    }  # fmt: skip
    return data, named


def present_box(store: Store, state: str = "online", **info: Any) -> None:
    """The box says what it is, that it is there, and how it does."""
    status = {"state": state, "session": "life", "time": "2026-11-27T01:00:00.000Z"}
    camera = {"state": "streaming", "since": "2026-11-27T01:00:00.000Z"}
    bodies = {"status": status, "info": INFO | info, "health": HEALTH, "camera/north/status": camera}
    store.commit(
        [read(BASE + suffix, json.dumps(body).encode(), {}, retained=True) for suffix, body in bodies.items()]
    )


def _made(number: int) -> bytes:
    (message,) = event_messages(an_event(number), Sender("hai-ninh", "north-01", "north", "boot-1"))
    at = Instant(time.monotonic(), time.time())
    return codec.finish(Stored(number, message, sha256(message.body).hexdigest(), at), "s-1", at)
