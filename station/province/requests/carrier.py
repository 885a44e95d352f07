"""The worker's part of a request: it carries what the console has signed to the station, until that answers.

The worker has no key: it can hold a request back, and it can send it again, and neither changes what it says.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text

from station.ingest.handler import OutboundCommand

AGAIN_MS: Final = 60_000
"""Before what has no answer is sent again; each further time after as long again as it has waited."""
_AT_ONCE: Final = 50
DAY_MS: Final = 86_400_000
KEPT_MS: Final = 400 * DAY_MS
"""Of a request, which the console's log names for as long as that is kept."""
_DUE: Final = text(
    "update request set sent_ms = :now_ms, sends = sends + 1 from commune where commune.id = commune_id "
    "and request.id in (select id from request where shard = :shard and state = 'asked' "
    "and expires_ms > :now_ms "
    "and (sent_ms is null or :now_ms - sent_ms >= greatest(:again_ms, sent_ms - asked_ms)) "
    "order by asked_ms limit :most) returning commune.name, kind, body, expires_ms, asked_ms"
)
_OLD: Final = (
    text(
        "delete from request_piece using request where request.id = request_id and "
        "case when kind = 'footage' then coalesce(complete_ms, asked_ms) else received_ms end < :pieces_ms"
    ),
    text("delete from picture where received_ms < :pictures_ms"),
    text("delete from request where asked_ms < :requests_ms"),
)


def commands_due(connection: Connection, shard: str, now_ms: int) -> list[OutboundCommand]:
    """What is to be sent to stations of a shard now; it counts as sent."""
    asked = {"shard": shard, "now_ms": now_ms, "again_ms": AGAIN_MS, "most": _AT_ONCE}
    rows = sorted(connection.execute(_DUE, asked), key=lambda row: row.asked_ms)
    return [
        OutboundCommand((shard, row.name), row.kind, bytes(row.body), (row.expires_ms - now_ms) / 1000)
        for row in rows
    ]


def forget_old(connection: Connection, picture_days: int, now_ms: int) -> None:
    """Let go of pictures and footage after so many days, of what never became whole, and of old requests."""
    pictures_ms = now_ms - picture_days * DAY_MS
    ages = {"pictures_ms": pictures_ms, "pieces_ms": pictures_ms, "requests_ms": now_ms - KEPT_MS}
    for each in _OLD:
        connection.execute(each, ages)
