"""A station's store with its uplink, driven by hand: what it brings into its outbox."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.clock import Clock
from agent.core.types import Instant
from agent.wire.channels import MessageKind
from station.ingest.inbound import InboundMessage, read
from station.uplink.envelope import ENVELOPE, Envelope, UpItem, unpack
from station.uplink.requests.desk import RequestDesk
from station.uplink.settings import UplinkSettings
from station.uplink.uplink import Uplink
from tests.support.stores import Place
from tests.support.told_events import COMMUNE, event_at

SETTINGS = UplinkSettings(shard="s01")


def alert(number: int, *, seq: int | None = None, revision: int = 1, **fields: Any) -> InboundMessage:
    """A message of an alert, begun a minute or so ago; its number is the event's unless another is given."""
    at = datetime.now(UTC) - timedelta(seconds=60)
    seq = number if seq is None else seq
    return event_at(number, at, seq=seq, revision=revision, **({"severity": "alert"} | fields))


def a_seal(seq: int, number: int, device: str = "north-01", stream: str = "s-1") -> InboundMessage:
    """A seal of a box over nothing."""
    document = {
        "seq": seq, "stream": stream, "published_at": "2026-11-29T08:00:00.000Z", "replayed": False,
        "of": stream, "number": number, "previous": None, "entries": [], "dropped": [],
        "time": "2026-11-29T08:00:00.000Z",
    }  # fmt: skip
    message = read(f"ngatu/v1/{COMMUNE}/{device}/chain", json.dumps(document).encode(), {})
    assert message.problem is None and message.kind is MessageKind.CHAIN, message.problem
    return message


@contextmanager
def uplink_at(
    place: Place,
    settings: UplinkSettings = SETTINGS,
    clock: Clock | None = None,
    requests: RequestDesk | None = None,
) -> Iterator[Uplink]:
    """One life of the uplink of a store, which is not started: `turn` it."""
    uplink = Uplink(settings, COMMUNE, place.folder, place.engine, clock, requests)
    try:
        yield uplink
    finally:
        uplink.close()


def envelopes(uplink: Uplink) -> list[Envelope]:
    """What waits in its outbox, in the order of sending."""
    now = Instant(time.monotonic(), time.time())
    waiting = (each.message for each in uplink.outbox.waiting(1_000, now))
    return [unpack(message.body) for message in waiting if message.topic == ENVELOPE]


def items(uplink: Uplink, kind: str = "event") -> list[UpItem]:
    """The items of one kind that wait in its outbox."""
    return [item for each in envelopes(uplink) for item in each.items if item.kind == kind]
