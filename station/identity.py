"""What makes two messages the same, which of their bytes belong in a file, and moments as numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from station.arrival import Arrival, Sort

_ADDED = re.compile(
    rb'\{"seq":\d{1,19},"stream":"[^"]{1,64}","published_at":"[^"]{1,40}","replayed":(?:true|false)(?:,|(?=\}))'
)
"""What a box of ours puts in front at each sending (wire.finish)."""
_VARYING = ("seq", "stream", "published_at", "replayed")


def digest(arrival: Arrival) -> str:
    """sha256 of what stays the same however often a message is sent: of what lay in the box's outbox.

    Of JSON that was not put together by a box of ours: of its content without those fields.
    """
    raw = arrival.raw
    if added := _ADDED.match(raw):
        return sha256(b"{" + raw[added.end() :]).hexdigest()
    if arrival.image_sha256 is None and blob_of(arrival) is None:
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError):
            told = None
        if isinstance(told, dict):
            told = {key: value for key, value in told.items() if key not in _VARYING}
            raw = json.dumps(told, sort_keys=True).encode()
    return sha256(raw).hexdigest()


def blobs_of(arrivals: Sequence[Arrival]) -> dict[str, bytes]:
    """What belongs in files: pictures and pieces of footage, by their hash."""
    return {sha: arrival.raw for arrival in arrivals if (sha := blob_of(arrival)) is not None}


def blob_of(arrival: Arrival) -> str | None:
    """The hash of what belongs in a file; None for JSON and for what cannot be read."""
    if arrival.image is not None:
        return arrival.image_sha256
    if arrival.sort is Sort.CHUNK and arrival.problem is None:
        return sha256(arrival.raw).hexdigest()
    return None


def ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return round(moment.timestamp() * 1000)
