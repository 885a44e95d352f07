"""What lies in an envelope, read item by item into rows. Pure; what cannot be read is kept with its reason."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import (
    LARGEST,
    MOST_CAMERAS,
    MOST_COUNTS,
    ChainPayload,
    CountPayload,
    EventPayload,
    Posted,
)
from station.counting.hours import CountedHour, read_hour
from station.ingest.digests import of_bytes, of_json
from station.province.months import Month, month_of_id, month_within
from station.store.columns import HOUR_MS, ms, storable
from station.store.events import LONGEST_WORD, columns_of
from station.uplink.envelope import ItemKind, UpItem, is_moment
from station.uplink.requests.answer import read_answer, read_piece
from station.uplink.titles import read_titles

Row = dict[str, Any]
MOST_SPANS: Final = 1_000
"""Within an hour: a box tells a few, and a chart of a month reads those of every hour at once."""
_STATES: Final = (None, "online", "offline", "stopped")


@dataclass
class ItemRows:
    """Rows of items, by the kind of the item."""

    rows: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[Row] = field(default_factory=list)

    def add(self, commune: str, items: Iterable[UpItem], now_ms: int) -> None:
        """Read the items of one envelope."""
        common = {"commune": commune, "received_ms": now_ms}
        for item in items:
            try:
                row = _read(commune, item, now_ms)
            except (WireError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                why = error.what if isinstance(error, WireError) else repr(error)
                self.unreadable.append(common | unreadable(item.kind, item.device, item.raw, why))
            else:
                self.rows[item.kind].append(common | {"device": item.device} | row)

    def months(self, now_ms: int) -> set[Month]:
        """Of which these tell, as far as a clock that is right says them."""
        found = {month_of_id(row["event_id"], now_ms) for row in self.rows[ItemKind.EVENT]}
        for kind in (ItemKind.SEAL, ItemKind.COUNT, ItemKind.HOUR):
            found |= {month_within(row["at_ms"], now_ms) for row in self.rows[kind]}
        return {month for month in found if month is not None}


def unreadable(kind: str, device: str, raw: bytes, why: str) -> Row:
    """What is kept of something that cannot be read."""
    return {"kind": kind, "device": device, "reason": storable(why[:1000]), "raw": raw, "digest": of_bytes(raw)}


def _read(commune: str, item: UpItem, now_ms: int) -> Row:
    """Raises WireError and what Python raises where it is not what it says."""
    match item.kind:
        case ItemKind.EVENT:
            return _event(commune, item)
        case ItemKind.SEAL:
            seal = codec.parse(ChainPayload, item.raw)
            return {"at_ms": ms(seal.time)} | _place(seal, item)
        case ItemKind.ANSWER | ItemKind.PIECE:
            return _of_a_request(item)
        case ItemKind.COUNT:
            count = codec.parse(CountPayload, item.raw)
            _own(commune, item, count.commune, count.device)
            return {"at_ms": ms(count.end_time)} | _place(count, item)
        case ItemKind.HOUR:
            return _hour(json.loads(item.raw), now_ms)
        case ItemKind.BOX:
            return _box(json.loads(item.raw), now_ms)
        case _:
            raise WireError(f"an item of a kind that this version does not know: {item.kind}")


def _of_a_request(item: UpItem) -> Row:
    if item.kind == ItemKind.ANSWER:
        return {"answer": read_answer(item.raw)}
    return {"piece": read_piece(item.raw)}


def _place(posted: Posted, item: UpItem) -> Row:
    place = {"stream": posted.stream, "seq": posted.seq}
    return place | {"digest": of_json(item.raw), "body": storable(item.raw.decode())}


def _own(commune: str, item: UpItem, its_commune: str, its_device: str) -> None:
    if (its_commune, its_device) != (commune, item.device):
        raise WireError(f"the payload names {its_commune}/{its_device}, the item {commune}/{item.device}")


def _event(commune: str, item: UpItem) -> Row:
    event = codec.parse(EventPayload, item.raw)
    _own(commune, item, event.commune, event.device)
    columns = {
        name: storable(value) if isinstance(value, str) else value for name, value in columns_of(event).items()
    }
    named = {
        kind: (None if image is None else storable(image.sha256))
        for kind, image in (("thumbnail_sha256", event.image), ("scene_sha256", event.scene))
    }
    return (
        columns
        | named
        | _place(event, item)
        | {
            "event_id": event.id,
            "revision": event.revision,
            "phase": str(event.phase),
            "time_ms": ms(event.time),
            "replayed": event.replayed,
        }
    )


def _hour(said: Row, now_ms: int) -> Row:
    at_ms, said_ms = _moment(said["hour_ms"]), _moment(said["said_ms"])
    _judge_sums(read_hour(at_ms, said["sums"]))
    names = {"camera": _text(said["camera"]), "rule": _text(said["rule"])}
    return names | {"at_ms": at_ms, "said_ms": min(said_ms, now_ms), "sums": storable(said["sums"])}


def _judge_sums(hour: CountedHour) -> None:
    """Whoever draws charts trusts them: one number that is none would spoil a page.

    Raises:
        WireError: it is no sum of an hour.
    """
    end_ms = hour.hour_ms + HOUR_MS
    numbers = all(type(each) is int and 0 <= each <= LARGEST for each in hour.numbers.values())
    words = all(len(word) <= LONGEST_WORD for entry in hour.numbers for word in entry)
    spans = all(
        type(start) is int and type(end) is int and hour.hour_ms <= start <= end <= end_ms
        for start, end in hour.spans
    )
    parted = all(type(each) is bool for each in hour.is_parted)
    if (
        hour.hour_ms % HOUR_MS
        or not (numbers and words and spans and parted)
        or len(hour.numbers) > MOST_COUNTS
        or len(hour.spans) > MOST_SPANS
    ):
        raise WireError("no sum of an hour")


def _box(said: Row, now_ms: int) -> Row:
    if len(said["cameras"]) > MOST_CAMERAS:
        raise WireError(f"more cameras than a box has: {len(said['cameras'])}")
    cameras = {_text(name): [_text(state), _moment(since)] for name, (state, since) in said["cameras"].items()}
    if said["state"] not in _STATES:
        raise WireError(f"no state of a box: {str(said['state'])[:40]}")
    state_ms = None if said["state_ms"] is None else _moment(said["state_ms"])
    # Titles come only now and then, and of an older station never.
    titles = {"titles": read_titles(said["titles"])} if "titles" in said else {}
    return titles | {
        "state": said["state"],
        "state_ms": state_ms,
        "last_seen_ms": _moment(said["last_seen_ms"]),
        "cameras": json.dumps(cameras, ensure_ascii=False),
        "said_ms": min(_moment(said["said_ms"]), now_ms),
    }


def _moment(value: object) -> int:
    if not is_moment(value):
        raise WireError(f"no moment: {str(value)[:40]}")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_WORD:
        raise WireError(f"no name: {str(value)[:40]}")
    return storable(value)
