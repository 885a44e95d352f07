"""What a message puts into columns: moments as numbers, and the hash of what belongs in a file."""

from __future__ import annotations

from datetime import datetime

from station.ingest.inbound import InboundMessage


def blob_of(message: InboundMessage) -> str | None:
    """The hash of a picture, which lies beside the database; None for JSON, footage and what cannot be read."""
    return message.image_sha256 if message.image is not None else None


def ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


HOUR_MS = 3_600_000


def hour_of(at_ms: int) -> int:
    """Where the hour of a moment begins, in UTC."""
    return at_ms - at_ms % HOUR_MS


_LONGEST_SUFFIX = 500


def suffix_of(message: InboundMessage) -> str:
    """The topic below the device, as it is kept."""
    return kept_suffix(message.suffix)


def kept_suffix(suffix: str) -> str:
    """As much of a topic below the device as is kept."""
    return storable(suffix[:_LONGEST_SUFFIX])


def storable(text: str) -> str:
    """What every database takes: without NUL and halves of characters."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
