"""A province's database, and messages of stations as its worker reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import URL, text

from station.ingest.inbound import InboundMessage
from station.province.inbound import read_up
from station.province.store import ProvinceStore, upgrade
from station.store.database import engine_of
from station.uplink.envelope import Envelope, UpItem, pack
from station.uplink.settings import UP_ROOT

BASE = f"{UP_ROOT}/s01/hai-ninh/"
NOW_MS = 1_796_000_000_000
"""29 November 2026."""


@dataclass
class ProvincePlace:
    """Where a province's store is; it may be opened again and again."""

    url: URL

    def open(self, shard: str = "s01", now_ms: int = NOW_MS, **more: Any) -> ProvinceStore:
        """A worker's store, with its shard."""
        engine = engine_of(self.url)
        upgrade(engine)
        store = ProvinceStore(engine, shard, **({"now": lambda: now_ms / 1000} | more))
        assert store.lock.take()
        return store

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What another program reads."""
        engine = engine_of(self.url, writes=False)
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()


def up(seq: int, *items: UpItem, commune: str = "hai-ninh", stream: str = "u-1", **more: Any) -> InboundMessage:
    """An envelope as it comes."""
    data = pack(Envelope(more.pop("named", commune), NOW_MS, items))
    return sent(seq, more.pop("raw", data), commune=commune, stream=stream)


def sent(seq: int, raw: bytes, *, commune: str = "hai-ninh", stream: str = "u-1") -> InboundMessage:
    """Any bytes on an envelope's topic."""
    properties = {"stream": stream, "seq": str(seq)}
    return read_up(f"{UP_ROOT}/s01/{commune}/envelope", raw, properties, root=UP_ROOT)


def v7(at_ms: int, number: int = 1) -> str:
    """The id of an event of a moment."""
    return str(UUID(int=at_ms << 80 | 7 << 76 | 2 << 62 | number))


def an_alert(
    number: int = 1, revision: int = 1, at_ms: int = NOW_MS, device: str = "hn-01", **more: Any
) -> UpItem:
    """One message of an event."""
    moment = "2026-11-29T08:00:00.000Z"
    document: dict[str, Any] = {
        "seq": number * 10 + revision, "stream": "s-1", "published_at": moment, "replayed": False,
        "schema": "1.0", "commune": "hai-ninh", "device": device, "camera": "north", "id": v7(at_ms, number),
        "revision": revision, "kind": "wrong_way", "phase": "start" if revision == 1 else "end",
        "severity": "alert", "time": moment, "start_time": moment, "rule": {"id": "way", "kind": "wrong_way"},
        "clock": {"state": "ntp"},
    } | more  # fmt: skip
    return UpItem("event", device, json.dumps(document).encode())


def said(kind: str, document: object, device: str = "hn-01") -> UpItem:
    """An item of the station's own words."""
    return UpItem(kind, device, json.dumps(document).encode())


def an_hour(said_ms: int, cars: int, hour_ms: int = NOW_MS - NOW_MS % 3_600_000) -> UpItem:
    """Counts of a line in an hour."""
    sums = json.dumps({"counts": {"car": {"in": cars}}, "spans": [[0, 3_600_000]], "parted": [False, False]})
    return said(
        "hour", {"camera": "north", "rule": "line", "hour_ms": hour_ms, "said_ms": said_ms, "sums": sums}
    )


def a_box(said_ms: int, state: str, device: str = "hn-01", **more: Any) -> UpItem:
    """How a box stands; without `titles` as a station of before says it, or one that has said them."""
    stands = {"state": state, "state_ms": said_ms, "last_seen_ms": said_ms, "cameras": {"north": ["online", 5]}}
    return said("box", stands | {"said_ms": said_ms} | more, device)


def all_of(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The one column."""
    return [row[0] for row in rows]
