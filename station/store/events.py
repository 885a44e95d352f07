"""Events: every message of each, and how each stands."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from agent.wire.payloads import UNKNOWN_COLOUR, ColourPayload, EventPayload
from station.ingest.inbound import InboundMessage
from station.store.clocks import TRUSTED_CLOCKS, correct_event_times
from station.store.columns import ms
from station.store.schema import event, event_feed, event_revision
from station.store.statements.inserts import insert_once
from station.store.statements.many import execute_many

_KEYS = ("box_id", "event_id")
_FIRST = "first_received_ms"
_PICTURES = ("thumbnail", "scene")
_INDEXED = ("rule_id", "label", "direction")
LONGEST_WORD = 200
"""Of label, rule and direction, in characters: they are indexed, and PostgreSQL takes no more than 2,704 bytes
into an index. The whole is in the body."""
FEED_ROWS = 200_000
"""A screen that was away for longer begins anew."""
_FEED_ROWS_AT_ONCE = 20_000

AGAIN = 0
_PICTURES_AT_ONCE = 200
"""Few enough for the bound parameters of one statement."""

_FEED = insert(event_feed)
Row = dict[str, Any]


class Events:
    """Those of one batch, to be written together."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._revisions: list[Row] = []
        self._current: list[Row] = []
        self._untrusted: set[tuple[int, str, str]] = set()
        """Ids of boxes, of boots and of events."""

    def add(
        self, message: InboundMessage, payload: EventPayload, box_id: int, stream_id: int, digest: str
    ) -> None:
        """One message of an event that is not here yet."""
        key = {"box_id": box_id, "event_id": payload.id, "revision": payload.revision}
        life = {"phase": str(payload.phase), "time_ms": ms(payload.time), "replayed": payload.replayed}
        place = {"stream_id": stream_id, "seq": payload.seq, "digest": digest, "body": message.raw.decode()}
        self._revisions.append(key | life | place | {"received_ms": self._now_ms})
        received = {_FIRST: self._now_ms, "received_ms": self._now_ms}
        self._current.append(key | life | columns_of(payload) | _pictures_of(payload) | received)
        if payload.clock.state not in TRUSTED_CLOCKS and payload.clock.boot_id is not None:
            self._untrusted.add((box_id, payload.clock.boot_id, payload.id))

    @property
    def keys(self) -> set[tuple[int, str]]:
        """Ids of boxes and events."""
        return {(row["box_id"], row["event_id"]) for row in self._revisions}

    def write(self, connection: Connection) -> None:
        """All of them. The highest revision counts, and of pictures the highest that names one."""
        if not self._revisions:
            return
        execute_many(connection, insert_once(connection, event_revision), self._revisions)
        followed = ("box_id", "event_id", "revision")
        feed = [{name: row[name] for name in followed} for row in self._revisions]
        execute_many(connection, _FEED, feed)
        execute_many(connection, _put_newer(connection.dialect.name, tuple(self._current[0])), self._current)
        correct_event_times(connection, sorted(self._untrusted))


@cache
def _put_newer(dialect: str, columns: tuple[str, ...]) -> Insert:
    """The row of an event as it stands; what is here stays where this revision is no newer.

    A picture goes by the revision that names it: one that names none keeps the last.
    """
    put: Any = (postgresql if dialect == "postgresql" else sqlite).insert(event)
    newer = put.excluded["revision"] > event.c.revision
    better = {name: newer for name in columns if name not in (*_KEYS, _FIRST)}
    for kind in _PICTURES:
        here, there = event.c[f"{kind}_revision"], put.excluded[f"{kind}_revision"]
        names_later = there.is_not(None) & (here.is_(None) | (there > here))
        better |= dict.fromkeys(_columns_of(kind), names_later)
    values = {
        name: case((is_better, put.excluded[name]), else_=event.c[name]) for name, is_better in better.items()
    }
    changes = or_(newer, *(better[f"{kind}_revision"] for kind in _PICTURES))
    statement: Insert = put.on_conflict_do_update(index_elements=_KEYS, set_=values, where=changes)
    return statement


def tell_again(connection: Connection, which: ColumnElement[bool]) -> None:
    """Put events into the feed once more: what a screen shows of them has changed, though no message came.

    The revision is 0, which none has: who follows messages passes over it.
    """
    changed = select(event.c.box_id, event.c.event_id, literal(AGAIN)).where(which)
    columns = ["box_id", "event_id", "revision"]
    connection.execute(insert(event_feed).from_select(columns, changed))


def tell_pictures(connection: Connection, pictures: Collection[tuple[int, str, str]]) -> None:
    """The same for the events that show one of these pictures (ids of box and event, sha256), kept just now."""
    listed = sorted(pictures)
    for at in range(0, len(listed), _PICTURES_AT_ONCE):
        part = listed[at : at + _PICTURES_AT_ONCE]
        these = tuple_(event.c.box_id, event.c.event_id).in_({each[:2] for each in part})
        tell_again(connection, and_(these, event.c.thumbnail_sha256.in_({each[2] for each in part})))


def trim_feed(connection: Connection, keep: int = FEED_ROWS) -> None:
    """Let go of what no screen follows any more; of very many rows the first: the next call has its turn."""
    newest = connection.scalar(select(func.max(event_feed.c.id)))
    oldest = connection.scalar(select(func.min(event_feed.c.id)))  # both at once would read all of it
    if newest is not None and oldest is not None and newest - oldest >= keep:
        until = min(newest - keep, oldest + _FEED_ROWS_AT_ONCE)
        connection.execute(delete(event_feed).where(event_feed.c.id <= until))


def _pictures_of(payload: EventPayload) -> Row:
    row: Row = {}
    for kind, image in zip(_PICTURES, (payload.image, payload.scene), strict=True):
        named = (None, None) if image is None else (image.sha256, payload.revision)
        row |= zip(_columns_of(kind), named, strict=True)
    return row


def _columns_of(kind: str) -> tuple[str, str]:
    """Hash and revision of a picture that an event shows."""
    return f"{kind}_sha256", f"{kind}_revision"


def words_of(payload: EventPayload) -> tuple[list[str], list[str]]:
    """The texts that stand in columns of their own beside the body, and those of them that indexes have."""
    texts = _texts_of(payload)
    return [word for word in texts.values() if word], [word for name in _INDEXED if (word := texts[name])]


def columns_of(payload: EventPayload) -> Row:
    """What a screen looks for."""
    seen = payload.object
    return _texts_of(payload) | {
        "start_ms": ms(payload.start_time),
        "riders": seen.riders if seen else None,
        "top_score_permille": round(seen.top_score * 1000) if seen else None,
        "mono_ms": payload.clock.mono_ms,
        "clock_offset_ms": None,  # of the revision before
    }


def _texts_of(payload: EventPayload) -> Row:
    """Those of the columns whose length the sender chooses, and other words."""
    seen = payload.object
    return {
        "rule_id": payload.rule.id[:LONGEST_WORD],
        "label": seen.label[:LONGEST_WORD] if seen else None,
        "direction": payload.direction and payload.direction[:LONGEST_WORD],
        "camera": payload.camera,
        "kind": str(payload.kind),
        "severity": str(payload.severity),
        "rule_kind": payload.rule.kind,
        "zones": f",{','.join(seen.entered_zones)}," if seen and seen.entered_zones else None,
        "track_id": seen.track_id if seen else None,
        "end_reason": None if payload.end_reason is None else str(payload.end_reason),
        "detail": payload.detail,
        "clock_state": payload.clock.state,
        "boot_id": payload.clock.boot_id,
        "vehicle_colour": _colour(seen.vehicle_colour) if seen else None,
        "clothes_colour": _colour(seen.clothes_colour) if seen else None,
    }


def _colour(seen: ColourPayload | None) -> str | None:
    return None if seen is None or seen.word == UNKNOWN_COLOUR else seen.word
