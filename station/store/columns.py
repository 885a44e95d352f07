"""What a message puts into columns: moments as numbers, and back; and the hash of what belongs in a file."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

from agent.wire.payloads import FIRST_YEAR, LAST_YEAR
from station.ingest.inbound import InboundMessage


def blob_of(message: InboundMessage) -> str | None:
    """The hash of a picture, which lies beside the database; None for JSON, footage and what cannot be read."""
    return message.image_sha256 if message.image is not None else None


def ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


FIRST_MS: Final = ms(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC))
LAST_MS: Final = ms(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)) - 1


def moment(at_ms: float, zone: tzinfo = UTC) -> datetime:
    """A moment of the store; one that no calendar has is the nearest that the wire has.

    A box has a say in moments, and a page that one of them stops would hide what the other boxes tell.
    """
    return datetime.fromtimestamp(min(max(at_ms, FIRST_MS), LAST_MS) / 1000, zone)


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
