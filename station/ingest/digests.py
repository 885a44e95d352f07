"""What makes two messages the same: the sha256 of what lay in the outbox of the box that sent them."""

from __future__ import annotations

import json
from hashlib import sha256

from agent.wire.codec import MAX_JSON_BYTES, body

_VARYING = ("seq", "stream", "published_at", "replayed")
"""What is put in at each sending."""


def of_bytes(raw: bytes) -> str:
    """The digest of a picture or of a piece of footage."""
    return sha256(raw).hexdigest()


def of_json(raw: bytes) -> str:
    """The digest of JSON as a box of ours puts it together, and of what was meant to be JSON.

    Of another program's JSON it is that of its content, whatever the order and the spacing; of more than the
    contract allows, of its bytes.
    """
    if len(raw) > MAX_JSON_BYTES:
        return of_bytes(raw)
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
