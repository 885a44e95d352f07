"""agent.wire.payloads.counts"""

from __future__ import annotations

import json

import pytest

from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import MOST_COUNTS, CountBody

SAID = {
    "schema": "1.0", "commune": "hai-ninh", "device": "north-01", "camera": "north", "clock": {"state": "ntp"},
    "rule": "the-line", "start_time": "2026-03-02T11:00:00Z", "end_time": "2026-03-02T11:15:00Z",
    "duration_s": 900.0,
}  # fmt: skip


def read(counts: dict[str, dict[str, int]]) -> CountBody:
    return codec.parse(CountBody, json.dumps(SAID | {"counts": counts}).encode())


def test_an_interval_has_no_more_numbers_than_a_page_can_bear() -> None:
    labels = {f"l{at}": {"in": 1, "out": 2} for at in range(MOST_COUNTS // 2)}
    assert read(labels).counts == labels

    for more in ({**labels, "another": {"in": 1}}, {"car": {f"w{at}": 1 for at in range(MOST_COUNTS + 1)}}):
        with pytest.raises(WireError):
            read(more)
