"""What a message puts into columns: moments as numbers, and the hash of what belongs in a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from station.ingest.inbound import InboundMessage


def blobs_of(messages: Sequence[InboundMessage]) -> dict[str, bytes]:
    """What belongs in files: pictures, by their hash."""
    return {sha: message.raw for message in messages if (sha := blob_of(message)) is not None}


def blob_of(message: InboundMessage) -> str | None:
    """The hash of what belongs in a file of its own; None for JSON, for footage, for what cannot be read."""
    return message.image_sha256 if message.image is not None else None


def ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


_LONGEST_SUFFIX = 500


def suffix_of(message: InboundMessage) -> str:
    """The topic below the device, as it is kept."""
    return storable(message.suffix[:_LONGEST_SUFFIX])


def storable(text: str) -> str:
    """What every database takes: without NUL and halves of characters."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
