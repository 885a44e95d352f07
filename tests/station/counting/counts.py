"""Counts as boxes tell them, for the tests of this room."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from station.ingest.inbound import InboundMessage, read

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN = ZoneInfo("Europe/Berlin")
QUARTER = timedelta(minutes=15)


def a_count(
    seq: int,
    start: datetime,
    length: timedelta = QUARTER,
    counts: Mapping[str, Mapping[str, int]] | None = None,
    *,
    rule: str = "the-line",
    camera: str = "north",
    device: str = "north-01",
    **fields: Any,
) -> InboundMessage:
    """One interval of one line."""
    document = {
        "seq": seq,
        "stream": f"s-{device}",
        "published_at": (start + length).isoformat(),
        "replayed": False,
        "schema": "1.0",
        "commune": "hai-ninh",
        "device": device,
        "camera": camera,
        "clock": {"state": "ntp", "boot_id": "b-1", "mono_ms": seq},
        "rule": rule,
        "start_time": start.isoformat(),
        "end_time": (start + length).isoformat(),
        "duration_s": length.total_seconds(),
        "counts": {"motorcycle": {"in": 1}} if counts is None else counts,
    }
    topic = f"ngatu/v1/hai-ninh/{device}/camera/{camera}/count/{rule}"
    return read(topic, json.dumps(document | fields).encode(), {})


def quarters(start: datetime, number: int, first_seq: int = 1, **fields: Any) -> list[InboundMessage]:
    """So many quarters of an hour, one after another."""
    return [a_count(first_seq + at, start + at * QUARTER, **fields) for at in range(number)]
