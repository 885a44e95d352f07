"""Rows into PostgreSQL, many in one statement: they travel as one text of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

Row = dict[str, Any]
Key = tuple[Any, ...]

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "event": ("event_id", "commune_id", "device"),
    "event_revision": ("event_id", "commune_id", "device", "revision"),
    "seal": ("at_ms", "commune_id", "device", "stream", "seq"),
    "count_interval": ("at_ms", "commune_id", "device", "stream", "seq"),
    "count_hour": ("at_ms", "commune_id", "device", "camera", "rule"),
    "box_state": ("commune_id", "device"),
    "box_title": ("commune_id", "device"),
    "unreadable": ("commune_id", "digest"),
    "conflict": ("commune_id", "key_kind", "key", "digest"),
    "up_message": ("stream_id", "seq"),
}
FIRSTS: Final = ("first_received_ms",)
"""Columns that stay as they are when a row is replaced."""
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "event": (
        *KEYS["event"],
        *("revision", "camera", "kind", "phase", "severity", "label", "rule_id", "direction"),
        *("start_ms", "time_ms", "received_ms", "box_id", "first_received_ms", "rule_kind", "riders"),
        *("top_score_permille", "zones", "track_id", "end_reason", "detail", "replayed", "clock_state"),
        *("vehicle_colour", "clothes_colour"),
    ),
    "event_revision": (
        *KEYS["event_revision"],
        *("stream", "seq", "digest", "body", "received_ms", "box_id", "phase", "time_ms", "replayed"),
    ),
    "seal": (*KEYS["seal"], "digest", "body", "received_ms"),
    "count_interval": (*KEYS["count_interval"], "digest", "body", "received_ms"),
    "count_hour": (*KEYS["count_hour"], "sums", "said_ms", "received_ms"),
    "box_state": (*KEYS["box_state"], "state", "state_ms", "last_seen_ms", "cameras", "said_ms", "received_ms"),
    "box_title": (*KEYS["box_title"], "titles", "size_bytes", "said_ms", "received_ms"),
    "unreadable": (*KEYS["unreadable"], "kind", "device", "reason", "raw", "received_ms"),
    "conflict": (*KEYS["conflict"], "kept_digest", "raw", "received_ms"),
    "up_message": (*KEYS["up_message"], "digest", "size_bytes", "items", "received_ms"),
}


def put_once(connection: Connection, table: str, rows: Sequence[Row]) -> set[Key]:
    """Insert those whose key is not there; the keys of these. No two of them have one key."""
    return _keys(connection, _once(table), table, rows)


def put_later(connection: Connection, table: str, rows: Sequence[Row], by: str) -> None:
    """Insert them, or replace what is there where the new one's `by` is greater. No two have one key."""
    _keys(connection, _later(table, by), table, rows)


def digests(connection: Connection, table: str, rows: Sequence[Row]) -> dict[Key, str]:
    """What is there under the keys of these."""
    if not rows:
        return {}
    found = connection.execute(_digests(table), {"rows": _as_text(table, rows)})
    return {tuple(row[:-1]): row[-1] for row in found}


def key_of(table: str, row: Row) -> Key:
    """Its key."""
    return tuple(row[name] for name in KEYS[table])


def first_of_each(table: str, rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Of each key the first, and all others."""
    firsts: dict[Key, Row] = {}
    others = [row for row in rows if firsts.setdefault(key_of(table, row), row) is not row]
    return list(firsts.values()), others


def latest_of_each(table: str, rows: Iterable[Row], by: Callable[[Row], Any]) -> list[Row]:
    """Of each key the one that is greatest, the first of equals."""
    latest: dict[Key, Row] = {}
    for row in rows:
        key = key_of(table, row)
        if key not in latest or by(row) > by(latest[key]):
            latest[key] = row
    return list(latest.values())


def _keys(connection: Connection, statement: TextClause, table: str, rows: Sequence[Row]) -> set[Key]:
    if not rows:
        return set()
    return {tuple(row) for row in connection.execute(statement, {"rows": _as_text(table, rows)})}


def _as_text(table: str, rows: Sequence[Row]) -> str:
    """By key, so that two who write the same rows wait for each other and do not meet crosswise."""
    names = COLUMNS[table]
    listed = sorted(rows, key=lambda row: str(key_of(table, row)))
    return json.dumps([{name: _plain(row[name]) for name in names if name in row} for row in listed])


def _plain(value: Any) -> Any:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value


def _from(table: str) -> str:
    return f"jsonb_populate_recordset(null::{table}, cast(:rows as jsonb))"


@cache
def _once(table: str) -> TextClause:
    names, keys = ", ".join(COLUMNS[table]), ", ".join(KEYS[table])
    return text(
        f"insert into {table} ({names}) select {names} from {_from(table)} "  # noqa: S608
        f"on conflict ({keys}) do nothing returning {keys}"
    )


@cache
def _later(table: str, by: str) -> TextClause:
    names, keys = ", ".join(COLUMNS[table]), ", ".join(KEYS[table])
    stays = (*KEYS[table], *FIRSTS)
    put = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[table] if name not in stays)
    return text(
        f"insert into {table} ({names}) select {names} from {_from(table)} "  # noqa: S608
        f"on conflict ({keys}) do update set {put} where excluded.{by} > {table}.{by} returning {keys}"
    )


@cache
def _digests(table: str) -> TextClause:
    keys = ", ".join(f"here.{name}" for name in KEYS[table])
    same = " and ".join(f"here.{name} = asked.{name}" for name in KEYS[table])
    return text(f"select {keys}, here.digest from {table} here join {_from(table)} asked on {same}")  # noqa: S608
