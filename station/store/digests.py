"""What makes two messages the same, which of their bytes belong in a file, and moments as numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from agent.wire.codec import MAX_JSON_BYTES, body
from station.ingest.inbound import InboundMessage, MessageKind

_VARYING = ("seq", "stream", "published_at", "replayed")
"""What is put in at each sending."""


def digest(message: InboundMessage) -> str:
    """sha256 of what stays the same however often a message is sent: of what lay in the box's outbox."""
    is_bytes = message.image_sha256 is not None or blob_of(message) is not None
    if is_bytes or len(message.raw) > MAX_JSON_BYTES:
        return of_bytes(message.raw)
    return of_json(message.raw)


def of_bytes(raw: bytes) -> str:
    """The digest of a picture or of a piece of footage."""
    return sha256(raw).hexdigest()


def of_json(raw: bytes) -> str:
    """The digest of JSON as a box of ours puts it together, and of what was meant to be JSON.

    Of another program's JSON it is that of its content, whatever the order and the spacing.
    """
    kept = body(raw)
    if kept != raw:
        return of_bytes(kept)
    try:
        fields = json.loads(raw)
    except (ValueError, RecursionError):
        return of_bytes(raw)
    if not isinstance(fields, dict):
        return of_bytes(raw)
    fields = {key: value for key, value in fields.items() if key not in _VARYING}
    return of_bytes(json.dumps(fields, sort_keys=True).encode())


def blobs_of(messages: Sequence[InboundMessage]) -> dict[str, bytes]:
    """What belongs in files: pictures and pieces of footage, by their hash."""
    return {sha: message.raw for message in messages if (sha := blob_of(message)) is not None}


def blob_of(message: InboundMessage) -> str | None:
    """The hash of what belongs in a file; None for JSON and for what cannot be read."""
    if message.image is not None:
        return message.image_sha256
    if message.kind is MessageKind.CHUNK and message.problem is None:
        return sha256(message.raw).hexdigest()
    return None


def ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return round(moment.timestamp() * 1000)
