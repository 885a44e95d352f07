"""Alarms: what is wrong and lasts, one row each, from its opening to its close.

To raise an alarm that stands already counts it once more and renews its detail; to close one that does not
stand changes nothing. So whoever notices a trouble raises it each time, and needs to remember nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from station.ingest.alarms import AlarmKind
from station.store.schema import alarm, box
from station.store.statements.inserts import upsert

LogLine = tuple[str, dict[str, object]]
"""The name of a log line and its fields."""

_LONGEST_DETAIL = 500


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm that is not over."""

    kind: str
    box: str | None
    """commune/device; None: it is about no single box."""
    opened_ms: int
    last_ms: int
    """When it was raised last."""
    count: int
    """How often it was raised, or of how much: the detail says."""
    detail: str

    @property
    def meaning(self) -> str:
        """What it is about, in a line; a kind of a newer version speaks for itself."""
        return AlarmKind(self.kind).meaning if self.kind in set(AlarmKind) else self.kind


def raise_alarm(
    connection: Connection,
    kind: AlarmKind,
    box_id: int | None,
    now_ms: int,
    detail: str,
    count: int = 1,
    since_ms: int | None = None,
) -> LogLine | None:
    """Open it, or raise it again by `count` (at least 1); what to log if it was opened.

    `since_ms` is when it began, where that is known to be before now.
    """
    detail = detail.replace("\0", "\ufffd").encode(errors="replace").decode()[:_LONGEST_DETAIL]
    row = {"kind": str(kind), "box_id": box_id, "standing": _key(kind, box_id), "detail": detail}
    opened_ms = now_ms if since_ms is None else min(since_ms, now_ms)
    put = upsert(connection, alarm).values(row | {"opened_ms": opened_ms, "last_ms": now_ms, "count": count})
    again = {"last_ms": now_ms, "count": alarm.c.count + count, "detail": put.excluded.detail}
    put = put.on_conflict_do_update(index_elements=["standing"], set_=again).returning(alarm.c.count)
    if connection.scalar(put) != count:
        return None
    return "alarm_opened", _of(connection, kind, box_id) | {"why": detail, "hint": kind.meaning}


def close_alarm(connection: Connection, kind: AlarmKind, box_id: int | None, now_ms: int) -> LogLine | None:
    """Close it if it stands; what to log then."""
    stands = alarm.c.standing == _key(kind, box_id)
    found = connection.execute(
        select(alarm.c.opened_ms, alarm.c.count.label("raised")).where(stands)
    ).one_or_none()
    if found is None:
        return None
    connection.execute(update(alarm).where(stands).values(standing=None, closed_ms=now_ms))
    lasted_s = max(0, now_ms - found.opened_ms) // 1000
    return "alarm_closed", _of(connection, kind, box_id) | {"count": found.raised, "lasted_s": lasted_s}


def close_quiet(connection: Connection, kind: AlarmKind, before_ms: int, now_ms: int) -> list[LogLine]:
    """Close those of a kind that nobody has raised since `before_ms`; what to log."""
    quiet = select(alarm.c.box_id).where(
        alarm.c.kind == str(kind), alarm.c.closed_ms.is_(None), alarm.c.last_ms < before_ms
    )
    lines = (close_alarm(connection, kind, box_id, now_ms) for box_id in list(connection.scalars(quiet)))
    return [line for line in lines if line is not None]


def standing(connection: Connection) -> tuple[StandingAlarm, ...]:
    """Every alarm that is not over, the oldest first."""
    query = (
        select(alarm, alarm.c.count.label("raised"), box.c.commune, box.c.device)
        .join(box, box.c.id == alarm.c.box_id, isouter=True)
        .where(alarm.c.closed_ms.is_(None))
        .order_by(alarm.c.opened_ms, alarm.c.id)
    )
    return tuple(
        StandingAlarm(
            kind=row.kind,
            box=None if row.box_id is None else f"{row.commune}/{row.device}",
            opened_ms=row.opened_ms,
            last_ms=row.last_ms,
            count=row.raised,
            detail=row.detail,
        )
        for row in connection.execute(query)
    )


def _key(kind: AlarmKind, box_id: int | None) -> str:
    return f"{kind}/{'' if box_id is None else box_id}"


def _of(connection: Connection, kind: AlarmKind, box_id: int | None) -> dict[str, object]:
    fields: dict[str, object] = {"kind": str(kind)}
    if box_id is not None:
        row = connection.execute(select(box.c.commune, box.c.device).where(box.c.id == box_id)).one()
        fields["box"] = f"{row.commune}/{row.device}"
    return fields
