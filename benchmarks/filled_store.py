"""A store as a commune's boxes fill it in a season, written at once: events, each with its picture.

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
from sqlalchemy import Engine, case, insert, literal, select, update

from station.counting.hour_rows import sum_up
from station.store.pictures.record import HEAD_BYTES
from station.store.pictures.shelf import PictureShelf
from station.store.pictures.writer import SEGMENT_BYTES
from station.store.schema import count_interval, event, event_revision, review

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
_PICTURE_BYTES = 20_000
_IN_SEGMENT = SEGMENT_BYTES // (HEAD_BYTES + _PICTURE_BYTES) + 1
"""Pictures: one is begun as long as there is room for any of it."""
_BATCH = 20_000
_EVENT = (
    "box_id", "event_id", "revision", "camera", "kind", "phase", "severity", "start_ms", "time_ms", "rule_id",
    "rule_kind", "label", "track_id", "direction", "end_reason", "replayed", "clock_state", "boot_id",
    "thumbnail_sha256", "thumbnail_revision", "first_received_ms", "received_ms",
)  # fmt: skip
_REVISION = (
    "box_id", "event_id", "revision", "stream_id", "seq", "phase", "time_ms", "replayed", "digest", "body",
    "received_ms",
)  # fmt: skip
_MESSAGE = "stream_id", "seq", "kind", "suffix", "digest", "received_ms"
_BLOB = "sha256", "size_bytes", "received_ms", "segment", "segment_offset"
_PICTURE = "box_id", "event_id", "kind", "sha256", "camera", "received_ms"
Rows = Sequence[tuple[Any, ...]]


def fill(engine: Engine, events: int, progress: Callable[[int], None] = lambda _: None) -> None:
    """Boxes, streams and events into empty tables of version 0009, the oldest event first."""
    put = _Put(engine)
    infos = [_info(number) for number in range(BOXES)]
    boxes = [
        (number + 1, "hai-ninh", f"box-{number:03}", BEGIN_MS, END_MS, infos[number]) for number in range(BOXES)
    ]
    put("box", ("id", "commune", "device", "first_seen_ms", "last_seen_ms", "info"), boxes)
    streams = [(number + 1, number + 1, "s-1", BEGIN_MS, 0) for number in range(BOXES)]
    put("stream", ("id", "box_id", "name", "first_seen_ms", "unnumbered"), streams)
    done = 0
    for rows in _events(events):
        put("event", _EVENT, [row[0] for row in rows])
        put("event_revision", _REVISION, [row[1] for row in rows])
        done += len(rows)
        progress(done)


def bring_pictures(engine: Engine, progress: Callable[[int], None] = lambda _: None) -> None:
    """The picture of each event, in its segment, and the numbers of both messages; into tables of version 0021.

    Hashes come in no order, as they do. The segments themselves are laid out by `lay_segments`.
    """
    put = _Put(engine)
    of, by = event.c, event_revision.c
    columns = of.box_id, of.event_id, of.camera, of.thumbnail_sha256, of.received_ms, by.stream_id, by.seq
    same = (of.event_id == by.event_id) & (of.box_id == by.box_id)
    with engine.connect() as connection:
        found = connection.execute(select(*columns).join(event_revision, same).order_by(of.event_id)).all()
    newest = {row.stream_id: row.seq + 1 for row in found}
    put("span", ("stream_id", "first", "last"), [(stream, 1, last) for stream, last in newest.items()])
    for begin in range(0, len(found), _BATCH):
        for table, columns_of, rows in _pictures(begin, found[begin : begin + _BATCH]):
            put(table, columns_of, rows)
        progress(min(begin + _BATCH, len(found)))


def _pictures(begin: int, events: Sequence[Any]) -> Iterator[tuple[str, Sequence[str], Rows]]:
    blobs, pictures, messages = list[tuple[Any, ...]](), list[tuple[Any, ...]](), list[tuple[Any, ...]]()
    record_bytes = HEAD_BYTES + _PICTURE_BYTES
    for nth, (box, event_id, camera, sha, at_ms, stream, seq) in enumerate(events, begin):
        segment, place = divmod(nth, _IN_SEGMENT)
        blobs.append((sha, _PICTURE_BYTES, at_ms, segment + 1, place * record_bytes))
        pictures.append((box, event_id, "thumbnail", sha, camera, at_ms))
        suffix = f"camera/{camera}/image/{event_id}/thumbnail"
        messages.append((stream, seq, "event", f"camera/{camera}/event", _sha(-seq), at_ms))
        messages.append((stream, seq + 1, "image", suffix, sha, at_ms))
    yield "blob", _BLOB, blobs
    yield "picture", _PICTURE, pictures
    yield "message", _MESSAGE, messages


def lay_segments(state_dir: Path, pictures: int) -> None:
    """The files of so many pictures, as long as they are, and without anything in them: they take no room."""
    shelf = PictureShelf(state_dir / "blobs")
    shelf.segments.mkdir(parents=True, exist_ok=True)
    for first in range(0, pictures, _IN_SEGMENT):
        many = min(_IN_SEGMENT, pictures - first)
        with shelf.segment(first // _IN_SEGMENT + 1).open("wb") as file:
            file.truncate(many * (HEAD_BYTES + _PICTURE_BYTES))


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


def _events(number: int) -> Iterator[list[tuple[tuple[Any, ...], tuple[Any, ...]]]]:
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
            seqs[box] += 2
            at_ms = BEGIN_MS + round(index * (END_MS - BEGIN_MS) / number)
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
        direction, "left", late, "ntp", "b-1", _sha(index), 1, received_ms, received_ms,
    )  # fmt: skip
    raw = json.dumps(body, separators=(",", ":"))
    return row, (box + 1, event_id, 2, box + 1, seq, "end", ends_ms, late, "d" * 64, raw, received_ms)


def _sha(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()


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
