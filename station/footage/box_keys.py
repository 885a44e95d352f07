"""By which key each box signs its packages: the first that it told counts until somebody accepts another.

A box makes its key at its first start and keeps it. Another one means that its card was made anew, or that
somebody else speaks in its place: the station tells an alarm, and goes on to judge by the key that it knows.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Row, delete, func, select, update

from agent.evidence.package.manifest import fingerprint
from station.ingest.alarms import AlarmKind
from station.store.alarms import LogLine, close_alarm, raise_alarm
from station.store.schema import box, box_key
from station.store.statements.inserts import insert_once

MOST = 20
"""Of one box so many keys are kept: one that tells another with every start fills nothing.

The one that it told last is always among them, so that it can be accepted."""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One key of one box."""

    commune: str
    device: str
    key: Ed25519PublicKey
    first_ms: int
    last_ms: int
    """When the box told it first and last."""
    accepted: bool
    """By it its packages are judged; of several the one that was accepted last."""

    @property
    def sha256(self) -> str:
        """Its fingerprint, hex."""
        return fingerprint(self.key)


def record_key(connection: Connection, box_id: int, key: str | None, now_ms: int) -> list[LogLine]:
    """Write down what a box tells as its key (base64 of 32 bytes); gives back what to log."""
    read = public_key(key)
    if key is None or read is None:
        return []
    of_box = box_key.c.box_id == box_id
    rows = {row.key: row for row in connection.execute(select(box_key).where(of_box))}
    if key not in rows and (len(rows) < MOST or _forget_one(connection, box_id, rows.values())):
        row = {"box_id": box_id, "key": key, "first_ms": now_ms, "last_ms": now_ms}
        row["accepted_ms"] = None if rows else now_ms
        connection.execute(insert_once(connection, box_key).values(row))
    elif key in rows:
        connection.execute(update(box_key).where(of_box, box_key.c.key == key).values(last_ms=now_ms))
    newest = max((row for row in rows.values() if row.accepted_ms is not None), key=_accepted, default=None)
    if newest is None or newest.key == key:
        line = close_alarm(connection, AlarmKind.BOX_KEY_CHANGED, box_id, now_ms)
    else:
        known = public_key(newest.key)
        assert known is not None, "only what can be read is kept"
        detail = f"it signs with {fingerprint(read)[:16]}, and is known by {fingerprint(known)[:16]}"
        line = raise_alarm(connection, AlarmKind.BOX_KEY_CHANGED, box_id, now_ms, detail)
    return [] if line is None else [line]


def known_keys(connection: Connection, commune: str | None = None, device: str | None = None) -> list[KnownKey]:
    """The keys of all boxes, a commune's or one's, each box's in the order in which it told them."""
    query = select(box_key, box.c.commune, box.c.device).join(box, box.c.id == box_key.c.box_id)
    if commune is not None:
        query = query.where(box.c.commune == commune)
    if device is not None:
        query = query.where(box.c.device == device)
    rows = connection.execute(query.order_by(box.c.commune, box.c.device, box_key.c.first_ms)).all()
    newest: dict[int, int] = {}
    for row in rows:
        if row.accepted_ms is not None:
            newest[row.box_id] = max(newest.get(row.box_id, 0), row.accepted_ms)
    return [
        KnownKey(
            row.commune, row.device, key, row.first_ms, row.last_ms, row.accepted_ms == newest.get(row.box_id)
        )
        for row in rows
        if (key := public_key(row.key)) is not None
    ]


def accept_key(connection: Connection, commune: str, device: str, sha256: str, now_ms: int) -> KnownKey | None:
    """Judge a box by another key that it told, by how its fingerprint begins; None: it told none such."""
    found = [each for each in known_keys(connection, commune, device) if each.sha256.startswith(sha256)]
    if not sha256 or len(found) != 1:
        return None
    raw = base64.b64encode(found[0].key.public_bytes_raw()).decode()
    box_id = connection.scalar(select(box.c.id).where(box.c.commune == commune, box.c.device == device))
    of_box = box_key.c.box_id == box_id
    newest_ms = connection.scalar(select(func.max(box_key.c.accepted_ms)).where(of_box)) or 0
    accepted_ms = max(now_ms, newest_ms + 1)  # it counts also where the clock went back
    connection.execute(update(box_key).where(of_box, box_key.c.key == raw).values(accepted_ms=accepted_ms))
    close_alarm(connection, AlarmKind.BOX_KEY_CHANGED, box_id, now_ms)
    return found[0]


def public_key(key: str | None) -> Ed25519PublicKey | None:
    """The key in the words of a birth message; None: it is none."""
    try:
        raw = base64.b64decode(key or "", validate=True)
        if base64.b64encode(raw).decode() != key:
            return None  # one key, one spelling
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return None


def _forget_one(connection: Connection, box_id: int, rows: Iterable[Row[Any]]) -> bool:
    """Make room for what it tells now: what never counted, and was told longest ago, goes."""
    never = [row for row in rows if row.accepted_ms is None]
    if not never:
        return False
    oldest = min(never, key=lambda row: (row.last_ms, row.first_ms))
    connection.execute(delete(box_key).where(box_key.c.box_id == box_id, box_key.c.key == oldest.key))
    return True


def _accepted(row: object) -> int:
    return int(getattr(row, "accepted_ms", 0) or 0)
