"""What a console looks for, made of what stations sent: ids and titles of boxes, pictures of events, lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, text

from station.province.rows import key_of, latest_of_each, put_later

Row = dict[str, Any]
KINDS: Final = ("thumbnail", "scene")
"""Pictures that an event may name; they stay at the station."""
MOST_TITLE_BYTES: Final = 1024 * 1024
"""Of a commune: some hundred boxes with a title for everything. Each page of the console reads them all."""
_TITLED: Final = text(
    "select commune_id, sum(size_bytes) as size from box_title where commune_id = any(:communes) "
    "group by commune_id"
)
_TITLES: Final = text(
    "select box_title.commune_id, box_title.device, said_ms, size_bytes as size from box_title "
    "join jsonb_to_recordset(cast(:rows as jsonb)) as told(commune_id integer, device text) "
    "on box_title.commune_id = told.commune_id and box_title.device = told.device"
)
_NEW_BOXES: Final = text(
    "insert into box (commune_id, device, first_seen_ms) select commune_id, device, :now_ms "
    "from jsonb_to_recordset(cast(:rows as jsonb)) as told(commune_id integer, device text) "
    "where not exists (select from box where box.commune_id = told.commune_id and box.device = told.device) "
    "on conflict do nothing"
)
_BOXES: Final = text(
    "select box.commune_id, box.device, box.id from box "
    "join jsonb_to_recordset(cast(:rows as jsonb)) as told(commune_id integer, device text) "
    "on box.commune_id = told.commune_id and box.device = told.device"
)
_LINES: Final = text(
    "insert into count_line (box_id, commune_id, device, camera, rule, first_ms, last_ms) "
    "select box_id, commune_id, device, camera, rule, first_ms, last_ms "
    "from jsonb_populate_recordset(null::count_line, cast(:rows as jsonb)) "
    "on conflict (box_id, camera, rule) do update set "
    "first_ms = least(count_line.first_ms, excluded.first_ms), "
    "last_ms = greatest(count_line.last_ms, excluded.last_ms) "
    "where excluded.first_ms < count_line.first_ms or excluded.last_ms > count_line.last_ms"
)
_SHOW: Final = {
    kind: text(
        f"update event set {kind}_sha256 = told.{kind}_sha256, {kind}_revision = told.revision "  # noqa: S608
        f"from jsonb_to_recordset(cast(:rows as jsonb)) as told(event_id text, commune_id integer, "
        f"device text, revision bigint, {kind}_sha256 text) "
        "where event.event_id = told.event_id and event.commune_id = told.commune_id "
        f"and event.device = told.device "
        f"and (event.{kind}_revision is null or event.{kind}_revision < told.revision)"
    )
    for kind in KINDS
}


def box_ids(connection: Connection, rows: Sequence[Row], now_ms: int) -> dict[tuple[int, str], int]:
    """(commune_id, device) -> the box's id, of each box that rows are about; new ones are put there."""
    boxes = sorted({(row["commune_id"], row["device"]) for row in rows})
    if not boxes:
        return {}
    asked = {"rows": json.dumps([{"commune_id": commune_id, "device": device} for commune_id, device in boxes])}
    connection.execute(_NEW_BOXES, asked | {"now_ms": now_ms})
    return {(row.commune_id, row.device): row.id for row in connection.execute(_BOXES, asked)}


def put_lines(connection: Connection, hours: Sequence[Row]) -> None:
    """From when to when hours came of each line."""
    lines: dict[tuple[Any, ...], Row] = {}
    for row in hours:
        names = {name: row[name] for name in ("box_id", "commune_id", "device", "camera", "rule")}
        line = lines.setdefault(
            tuple(names.values()), names | {"first_ms": row["at_ms"], "last_ms": row["at_ms"]}
        )
        line["first_ms"] = min(line["first_ms"], row["at_ms"])
        line["last_ms"] = max(line["last_ms"], row["at_ms"])
    if lines:
        connection.execute(_LINES, {"rows": json.dumps([lines[key] for key in sorted(lines)])})


def show_pictures(connection: Connection, events: Sequence[Row]) -> None:
    """An event names the pictures of the highest revision that names one; none means the one before."""
    for kind in KINDS:
        named: dict[tuple[Any, ...], Row] = {}
        for row in events:
            key = (row["event_id"], row["commune_id"], row["device"])
            before = named.get(key)
            if row[f"{kind}_sha256"] is not None and (before is None or row["revision"] > before["revision"]):
                named[key] = row
        if named:
            wanted = ("event_id", "commune_id", "device", "revision", f"{kind}_sha256")
            listed = [{name: named[key][name] for name in wanted} for key in sorted(named)]
            connection.execute(_SHOW[kind], {"rows": json.dumps(listed)})


def put_titles(connection: Connection, boxes: Sequence[Row]) -> list[int]:
    """What boxes are called, of those rows that say it; ids of communes that say more than MOST_TITLE_BYTES.

    A box for which there is no room has none: an old title that it no longer has would be worse than its id.
    """
    rows = latest_of_each("box_title", [row for row in boxes if "titles" in row], lambda row: row["said_ms"])
    if not rows:
        return []
    asked = json.dumps([{name: row[name] for name in ("commune_id", "device")} for row in rows])
    before = {tuple(row[:2]): row for row in connection.execute(_TITLES, {"rows": asked})}
    communes = sorted({row["commune_id"] for row in rows})
    used = {row.commune_id: int(row.size) for row in connection.execute(_TITLED, {"communes": communes})}
    put, full = list[Row](), set[int]()
    for row in sorted(rows, key=lambda row: str(key_of("box_title", row))):
        old, commune_id = before.get(key_of("box_title", row)), row["commune_id"]
        if old is not None and old.said_ms >= row["said_ms"]:
            continue
        others = used.get(commune_id, 0) - (0 if old is None else old.size)
        size_bytes = len(json.dumps(row["titles"], ensure_ascii=False).encode())
        fits = others + size_bytes <= MOST_TITLE_BYTES
        if not fits:
            full.add(commune_id)
        used[commune_id] = others + (size_bytes if fits else 0)
        put.append(row | ({"size_bytes": size_bytes} if fits else {"titles": {}, "size_bytes": 0}))
    put_later(connection, "box_title", put, "said_ms")
    return sorted(full)
