"""The links of a camera's chain that this station heard of while the box recorded, out of the store."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select

from agent.wire.payloads import LARGEST
from station.footage.folder import FootageRequest
from station.store.schema import box, other_message
from verifier.custody_log import HeardLink

AROUND: Final = timedelta(minutes=30)
"""A box tells its newest link every five minutes; one after the footage is the one that vouches for it."""
MOST: Final = 500
"""Of these the oldest: what a box says later pushes nothing out that it said before."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_AT_ONCE: Final = 1_000


def heard_links(engine: Engine, request: FootageRequest) -> tuple[HeardLink, ...]:
    """The links of the segments around what was asked for, in the order in which they were heard of.

    Of each number the first that was heard counts: who has a box's key later can sign another one.

    Raises:
        SQLAlchemyError: the store cannot be read.
    """
    query = (
        select(other_message.c.body, other_message.c.received_ms)
        .join(box, box.c.id == other_message.c.box_id)
        .where(
            box.c.commune == request.commune,
            box.c.device == request.device,
            other_message.c.suffix == f"camera/{request.camera}/recording",
        )
        .order_by(other_message.c.received_ms, other_message.c.stream_id, other_message.c.seq)
    )
    found: dict[int, HeardLink] = {}
    query = query.execution_options(yield_per=_AT_ONCE)
    with engine.connect() as connection, connection.execute(query) as rows:
        for row in rows:
            link = _heard(row.body or "", row.received_ms, request)
            if link is not None:
                found.setdefault(link.number, link)
            if len(found) == MOST:
                break
    return tuple(found.values())


def _heard(body: str, received_ms: int, request: FootageRequest) -> HeardLink | None:
    with suppress(ValueError, TypeError, LookupError, OverflowError):
        members = json.loads(body)
        number, digest = members["number"], members["link_sha256"]
        if type(number) is not int or not 0 < number <= LARGEST or not _SHA256.fullmatch(digest):
            return None
        start, end = (datetime.fromisoformat(members[name]) for name in ("start", "end"))
        if request.from_time - AROUND <= end and start <= request.to_time + AROUND:
            clock = members.get("clock")
            kept = isinstance(clock, dict) and clock.get("state") == "ntp"
            at = datetime.fromtimestamp(received_ms / 1000, UTC)
            return HeardLink(number, digest, at, until=end if kept else None)
    return None
