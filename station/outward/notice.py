"""What a webhook says: one message of an event, and what the station knows beside it. Pure."""

from __future__ import annotations

import json
from typing import Any

from agent.wire.payloads import rfc3339
from station.outward.feed import OutEvent
from station.outward.settings import WebhookSettings
from station.store.columns import moment

PICTURES = "api/v1/pictures/"
"""Where a picture is, below the console's own address."""


def wants(hook: WebhookSettings, out: OutEvent) -> bool:
    """Whether this program is to hear of it."""
    kind, severity = str(out.payload.kind), str(out.payload.severity)
    return (not hook.kinds or kind in hook.kinds) and (not hook.severities or severity in hook.severities)


def notice(out: OutEvent, console_url: str) -> bytes:
    """The body of the call: `type`, `timestamp` and `data`, as Standard Webhooks recommends.

    `data` is the message by the contract of the wire (docs/reference/wire.md), with `received_at`, `late` and
    `pictures`; `console_url` ends with a slash.
    """
    payload = out.payload
    pictures = {
        kind: console_url + PICTURES + image.sha256
        for kind, image in (("thumbnail", payload.image), ("scene", payload.scene))
        if image is not None
    }
    data: dict[str, Any] = payload.model_dump(mode="json", by_alias=True)
    data |= {"received_at": moment_of(out.received_ms), "late": out.is_old_news, "pictures": pictures}
    said = {"type": f"event.{payload.phase}", "timestamp": rfc3339(payload.time), "data": data}
    return json.dumps(said, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()


def moment_of(at_ms: int) -> str:
    """A moment of the store as the wire writes it."""
    return rfc3339(moment(at_ms))
