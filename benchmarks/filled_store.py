"""A store as a commune's boxes fill it in a season, written at once: events, each with its last message.

The commune is a usual one of the province: 14,053 cameras over 332 communes are 42 each, here on boxes of two.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, case, func, insert, literal, select, update

from station.counting.hour_rows import sum_up
from station.store.pictures.record import HEAD_BYTES
from station.store.pictures.shelf import PictureShelf
from station.store.schema import (
    blob,
    count_interval,
    event,
    event_revision,
    message,
    picture,
    review,
    span,
)

BOXES, CAMERAS, DAYS = 21, 2, 90
END_MS = round(datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp() * 1000)
BEGIN_MS = END_MS - DAYS * 86_400_000
RARE_RULE = "bus-lane"
RARE_EVENTS = 7
COUNTING, COUNT_DAYS, COUNT_RULE = 10, 38, "line-1"
ZONES = ("lane-1", "lane-2", "crossing", "pavement", "gate")
_KINDS = {
    "line_crossed": 0.45, "zone_entered": 0.30, "object": 0.16, "stopped_vehicle": 0.04, "wrong_way": 0.02,
    "loitering": 0.015, "crowd": 0.01, "camera_lost": 0.005,
}  # fmt: skip
_LABELS = {"motorcycle": 0.55, "car": 0.2, "person": 0.12, "bicycle": 0.06, "truck": 0.04, "bus": 0.03}
_ALERTS = {"wrong_way", "loitering", "crowd"}
PICTURE_BYTES = 12_000
SEGMENT_PICTURES = 5_500
"""In one segment: 64 MiB."""
_BATCH = 20_000
_CACHE_KIB = 400_000
_EVENT = (
    "box_id", "event_id", "revision", "camera", "kind", "phase", "severity", "start_ms", "time_ms", "rule_id",
    "rule_kind", "label", "track_id", "direction", "end_reason", "replayed", "clock_state", "boot_id",
    "thumbnail_sha256", "thumbnail_revision", "first_received_ms", "received_ms",
)  # fmt: skip
_REVISION = (
    "box_id", "event_id", "revision", "stream_id", "seq", "phase", "time_ms", "replayed", "digest", "body",
    "received_ms",
)  # fmt: skip
Rows = Sequence[tuple[Any, ...]]


def fill(
    engine: Engine, events: int, progress: Callable[[int], None] = lambda _: None, days: float = DAYS
) -> None:
    """Boxes, streams and events into empty tables of version 0009, the oldest first; the last is of now."""
    put = _Put(engine)
    infos = [_info(number) for number in range(BOXES)]
    boxes = [
        (number + 1, "hai-ninh", f"box-{number:03}", BEGIN_MS, END_MS, infos[number]) for number in range(BOXES)
    ]
    put("box", ("id", "commune", "device", "first_seen_ms", "last_seen_ms", "info"), boxes)
    streams = [(number + 1, number + 1, "s-1", BEGIN_MS, 0) for number in range(BOXES)]
    put("stream", ("id", "box_id", "name", "first_seen_ms", "unnumbered"), streams)
    done = 0
    for rows in _events(events, days):
        put("event", _EVENT, [row[0] for row in rows])
        put("event_revision", _REVISION, [row[1] for row in rows])
        done += len(rows)
        progress(done)


def bring_pictures(engine: Engine) -> None:
    """A thumbnail of each event, and the numbers of all messages; for after the upgrade."""
    of, later, numbers = event.c, event_revision.c, message.c
    rows = func.row_number().over(order_by=(of.received_ms, of.event_id)) - 1
    placed = select(of.thumbnail_sha256, literal(PICTURE_BYTES), of.received_ms, *_places(rows))
    into = ["sha256", "size_bytes", "received_ms", "segment", "segment_offset"]
    shown = select(of.box_id, of.event_id, literal("thumbnail"), of.thumbnail_sha256, of.camera, of.received_ms)
    same = (of.box_id == later.box_id) & (of.event_id == later.event_id)
    of_events = select(
        later.stream_id, later.seq, literal("event"), literal("camera/") + of.camera + "/event", later.digest,
        later.received_ms,
    ).join_from(event_revision, event, same)  # fmt: skip
    topic = literal("camera/") + of.camera + "/image/" + of.event_id + "/thumbnail"
    of_pictures = select(
        later.stream_id, later.seq + 1, literal("image"), topic, of.thumbnail_sha256, later.received_ms
    ).join_from(event_revision, event, same)
    names = [
        each.name for each in (numbers.stream_id, numbers.seq, numbers.kind, numbers.suffix, numbers.digest)
    ]
    ends = select(numbers.stream_id, func.min(numbers.seq), func.max(numbers.seq)).group_by(numbers.stream_id)
    with engine.begin() as connection:
        _widen(connection)
        connection.execute(insert(blob).from_select(into, placed))
        put = insert(picture)
        connection.execute(
            put.from_select(["box_id", "event_id", "kind", "sha256", "camera", "received_ms"], shown)
        )
        for each in (of_events, of_pictures):
            connection.execute(insert(message).from_select([*names, "received_ms"], each))
        connection.execute(insert(span).from_select(["stream_id", "first", "last"], ends))


def lay_segments(engine: Engine, folder: Path) -> None:
    """The files in which the pictures lie: they have their lengths, and nothing in them."""
    shelf = PictureShelf(folder)
    shelf.segments.mkdir(parents=True, exist_ok=True)
    query = select(blob.c.segment, func.max(blob.c.segment_offset)).group_by(blob.c.segment)
    with engine.connect() as connection, connection.begin():
        for number, last in connection.execute(query):
            with shelf.segment(number).open("wb") as file:
                file.truncate(last + _RECORD_BYTES)


def repeat(engine: Engine, times: int, days: float) -> None:
    """All events so many times, each time so many days earlier and with pictures of their own.

    For after the upgrade, and before pictures and counts. Writing a million one by one takes an hour where
    other programs work; so it takes minutes.
    """
    with engine.begin() as connection:
        _widen(connection)
        last = connection.scalar(select(func.max(event_revision.c.seq))) or 0
        indexes = _without_indexes(connection)
        for table in (event, event_revision):
            base = f"base_{table.name}"
            connection.exec_driver_sql(f"create temporary table {base} as select * from {table.name}")
            connection.exec_driver_sql(f"delete from {table.name}")
            for ago in range(times - 1, -1, -1):
                values = {
                    each.name: _earlier(
                        each.name, ago, round(days * 86_400_000), (times - 1 - ago) * (last + 1)
                    )
                    for each in table.columns
                }
                connection.exec_driver_sql(
                    f"insert into {table.name} ({', '.join(values)}) select {', '.join(values.values())} "
                    f"from {base} order by received_ms, event_id"
                )
        for statement in indexes:
            connection.exec_driver_sql(statement)


def _earlier(column: str, ago: int, day_ms: int, more: int) -> str:
    """A column of an event of `ago` times before, as SQL of either database."""
    if column in ("start_ms", "time_ms", "received_ms", "first_received_ms"):
        return f"{column} - {ago * day_ms}"
    if column in ("thumbnail_sha256", "digest"):  # as much a hash as before
        return f"substr({column}, {ago + 1}) || substr({column}, 1, {ago})"
    if column == "event_id":
        return f"'01{92 - ago}' || substr(event_id, 5)"
    if column == "body":
        return f"replace(body, '\"0192', '\"01{92 - ago}')"
    if column == "track_id":
        return f"track_id || '-{ago}'"
    return f"seq + {more}" if column == "seq" else column


def _widen(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":  # a million hashes come in no order
        connection.exec_driver_sql(f"pragma cache_size = -{_CACHE_KIB}")


def _without_indexes(connection: Connection) -> list[str]:
    """Drop what a table has of indexes; the statements that bring them back."""
    tables = f"('{event.name}', '{event_revision.name}')"
    if connection.dialect.name == "sqlite":
        query = (
            f"select name, sql from sqlite_master where type = 'index' and tbl_name in {tables} "
            "and sql is not null"
        )
    else:
        query = (
            "select indexname, indexdef from pg_indexes where schemaname = current_schema() "
            f"and tablename in {tables} and indexname like 'ix|_%%' escape '|'"
        )
    found = connection.exec_driver_sql(query).all()
    for name, _ in found:
        connection.exec_driver_sql(f"drop index {name}")
    return [statement for _, statement in found]


_RECORD_BYTES = HEAD_BYTES + PICTURE_BYTES


def _places(number: Any) -> tuple[Any, Any]:
    """Segment and offset of a picture by its number."""
    return number // SEGMENT_PICTURES + 1, number % SEGMENT_PICTURES * _RECORD_BYTES


def review_alerts(engine: Engine) -> None:
    """Six alerts of ten are seen to; for after the upgrade."""
    last = event.c.start_ms - event.c.start_ms // 10 * 10  # the last digit
    state = case((last < 3, "seen"), (last < 5, "confirmed"), else_="false")
    rows = select(
        event.c.box_id, event.c.event_id, state, literal(""), literal("lan"), literal("Lan"),
        event.c.start_ms + 600_000, literal(0),
        event.c.camera, event.c.rule_id, event.c.rule_kind, event.c.start_ms,
    ).where(event.c.severity == "alert", last < 6)  # fmt: skip
    columns = ["box_id", "event_id", "state", "note", "login", "name", "changed_ms", "change_id"]
    columns += ["camera", "rule_id", "rule_kind", "began_ms"]
    with engine.begin() as connection:
        connection.execute(insert(review).from_select(columns, rows))


def paint(engine: Engine) -> None:
    """Most vehicles and clothes have a colour, as they are on the roads; for after the upgrade."""
    last = event.c.start_ms - event.c.start_ms // 100 * 100  # the last two digits
    shares = {"white": 30, "black": 55, "grey": 65, "red": 75, "blue": 82, "yellow": 84, "purple": 85}
    # Three in twenty nobody could name.
    colour = case(*((last < share, word) for word, share in shares.items()), else_=None)
    worn = case(*((last < share, word) for word, share in shares.items() if word != "white"), else_=None)
    on_foot, in_a_car = event.c.label == "person", event.c.label.in_(("car", "truck", "bus"))
    values = {
        "vehicle_colour": case((on_foot, None), else_=colour),
        "clothes_colour": case((in_a_car, None), else_=worn),
    }
    with engine.begin() as connection:
        connection.execute(update(event).where(event.c.label.is_not(None)).values(values))


def count(engine: Engine, boxes: int = COUNTING, days: int = COUNT_DAYS) -> None:
    """A line of each of these boxes, counted by the quarter of an hour and summed up; for after the upgrade."""
    put, columns = _Put(engine), ("stream_id", "seq", "box_id", "camera", "rule", "start_ms", "end_ms", "body")
    quarter_ms, first = 900_000, 10_000_000
    for box in range(1, boxes + 1):
        times = (END_MS - (n + 1) * quarter_ms + n % 120 for n in range(days * 96))
        rows = [
            (box, first + n, box, "cam-1", COUNT_RULE, at_ms, at_ms + quarter_ms, _counts(box + n))
            for n, at_ms in enumerate(times)
        ]
        put("count_interval", columns, rows)
    stamped = update(count_interval).values(clock_state="ntp", received_ms=count_interval.c.end_ms)
    with engine.begin() as connection:
        connection.execute(stamped)
        connection.exec_driver_sql(
            "insert into count_hour (box_id, camera, rule, hour_ms, due_ms) "
            "select distinct box_id, camera, rule, start_ms / 3600000 * 3600000, 0 from count_interval union "
            "select distinct box_id, camera, rule, (end_ms - 1) / 3600000 * 3600000, 0 from count_interval"
        )
    left = 1
    while left:
        with engine.begin() as connection:
            left = sum_up(connection, END_MS, 1_000)


def _counts(number: int) -> str:
    counts = {label: {"in": number * n % 17, "out": number % n} for n, label in enumerate(_LABELS, 1)}
    clock = {"state": "ntp", "error_ms": 5, "boot_id": "b-1", "mono_ms": number}
    model = {"name": "yolox-nano", "sha256": "a" * 64}
    return json.dumps({"schema": "1.0", "clock": clock, "rule": COUNT_RULE, "counts": counts, "model": model})


class _Put:
    """Rows into a table, as fast as each database takes them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        with self._engine.begin() as connection:
            driver: Any = connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                marks = ", ".join("?" * len(columns))
                driver.executemany(f"insert into {table} ({', '.join(columns)}) values ({marks})", rows)
                return
            with (
                driver.cursor() as cursor,
                cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin") as copy,
            ):
                for row in rows:
                    copy.write_row(row)


def _events(number: int, days: float = DAYS) -> Iterator[list[tuple[tuple[Any, ...], tuple[Any, ...]]]]:
    chance = np.random.default_rng(17)
    kinds, labels = list(_KINDS), list(_LABELS)
    rare = set(chance.choice(number, min(RARE_EVENTS, number), replace=False).tolist())
    seqs = [0] * BOXES
    for begin in range(0, number, _BATCH):
        many = min(_BATCH, number - begin)
        drawn = zip(
            range(begin, begin + many),
            chance.integers(0, BOXES, many).tolist(),
            chance.integers(0, CAMERAS, many).tolist(),
            chance.choice(len(kinds), many, p=list(_KINDS.values())).tolist(),
            chance.choice(len(labels), many, p=list(_LABELS.values())).tolist(),
            chance.random(many).tolist(),
            chance.choice((1, 2, 3, 4), many, p=(0.7, 0.289, 0.0108, 0.0002)).tolist(),
            strict=True,
        )
        rows = []
        for index, box, camera, kind, label, luck, riders in drawn:
            seqs[box] += 2  # the event's and its picture's
            at_ms = END_MS - round((number - index) * days * 86_400_000 / number)
            what = kinds[kind], None if kinds[kind] == "camera_lost" else labels[label]
            rule = RARE_RULE if index in rare else f"{kinds[kind].replace('_', '-')}-{1 + (box + camera) % 4}"
            rows.append(_event(index, box, f"cam-{camera + 1}", what, rule, at_ms, seqs[box] - 1, luck, riders))
        yield rows


def _event(
    index: int, box: int, camera: str, what: tuple[str, str | None], rule: str, at_ms: int, seq: int,
    luck: float, riders: int,
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:  # fmt: skip
    kind, label = what
    event_id = f"0192{index:08x}-7000-8000-{box:012x}"
    severity = "alert" if kind in _ALERTS or luck < 0.003 else "info"
    direction = ("in" if luck < 0.5 else "out") if kind in ("line_crossed", "wrong_way") else None
    late = luck > 0.98
    received_ms = at_ms + (600_000 if late else 900)
    ends_ms = at_ms + round(20_000 * luck) + (5_400_000 if luck > 0.998 else 0)
    seen = None
    if label is not None:
        seen = {
            "track_id": f"t-{index}", "label": label, "score": 0.8, "top_score": round(0.6 + 0.39 * luck, 4),
            "riders": riders if label == "motorcycle" else 0,
            "box": {"left": 0.41, "top": 0.5, "right": 0.52, "bottom": 0.71},
            "zones": [], "entered_zones": [ZONES[index % 5]] if kind == "zone_entered" else [],
            "path": [[n / 2, round(0.1 + n / 20, 3), 0.6] for n in range(12)],
        }  # fmt: skip
    body = {"schema": "1.0", "commune": "hai-ninh", "device": f"box-{box:03}", "camera": camera, "id": event_id}
    body |= {
        "kind": kind,
        "phase": "end",
        "object": seen,
        "rule": {"id": rule, "kind": "line"},
        "suppressed": 0,
    }
    row = (
        box + 1, event_id, 2, camera, kind, "end", severity, at_ms, ends_ms, rule, "line", label, f"t-{index}",
        direction, "left", late, "ntp", "b-1", _sha(f"picture {index}"), 1, received_ms, received_ms,
    )  # fmt: skip
    raw = json.dumps(body, separators=(",", ":"))
    return row, (box + 1, event_id, 2, box + 1, seq, "end", ends_ms, late, _sha(raw), raw, received_ms)


def _sha(of: str) -> str:
    return sha256(of.encode()).hexdigest()


def _info(box: int) -> str:
    cameras = [
        {
            "id": f"cam-{camera + 1}",
            "name": f"Ngã tư {box:03}, hướng {camera + 1}",
            "zones": [{"id": zone, "points": [[0.1, 0.1], [0.5, 0.1], [0.5, 0.5]]} for zone in ZONES],
            "rules": [
                {"id": f"{kind.replace('_', '-')}-{n}", "kind": "line"} for kind in _KINDS for n in (1, 2)
            ],
        }
        for camera in range(CAMERAS)
    ]
    return json.dumps({"location": {"description": f"Ngã tư {box:03}"}, "cameras": cameras})
