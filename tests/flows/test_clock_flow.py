"""The whole program while its wall clock jumps: libfaketime steps it, the clock that never steps goes on"""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from agent.clock import BUILT_S
from station.watch.embedded import Address
from tests.support.boxes import Box, Station, at_work, everything_arrives
from tests.support.brokers import until

pytestmark = pytest.mark.long

LIBRARIES = [
    *Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"),
    *Path("/usr/lib").glob("faketime/libfaketimeMT.so.1"),
]
DAY_S = 86400.0
JUMPS_S = [1.0, -3600.0, -20 * 365 * DAY_S, 20 * 365 * DAY_S, 12.5 * 365 * DAY_S]


@pytest.fixture
def library() -> Path:
    if not LIBRARIES:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("libfaketime is not here: apt install faketime")
    return LIBRARIES[0]


def test_jumps_of_twenty_years_lose_nothing_and_every_stamp_says_how_far_to_trust_it(
    tmp_path: Path, embedded: Address, library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P21 in small: five jumps, also back to before the agent was built and beyond 2038."""
    box, station = Box(tmp_path, embedded.port), Station(tmp_path, embedded.port)
    offset = tmp_path / "offset"
    offset.write_text("+0")
    seed = 11
    jumps = random.Random(seed).sample(JUMPS_S, len(JUMPS_S))

    with at_work(station):
        for name, value in {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }.items():
            monkeypatch.setenv(name, value)
        with at_work(box):
            until(lambda: box.accepted() > 0, 40, "it watches")
            for jump_s in jumps:
                before = box.accepted()
                fresh = tmp_path / "offset.new"
                fresh.write_text(f"{jump_s:+.0f}")
                fresh.replace(offset)
                until(lambda before=before: box.accepted() > before, 20, f"it goes on after {jump_s:+.0f} s")
            assert box.stop() == 0
        for name in ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE"):
            monkeypatch.delenv(name)
        everything_arrives(box, station, 30)
        station.end()

    log = box.log.read_text()
    assert "Traceback" not in log and "health_failed" not in log
    events = station.events()
    assert {event["id"] for event in events} == {e["id"] for e in events if e["phase"] == "end"}
    assert {event["clock"]["state"] for event in events} <= {"ntp", "rtc", "floor", "unknown"}
    stamps = [datetime.fromisoformat(event["time"]).timestamp() for event in events]
    assert min(stamps) >= BUILT_S  # the floor
    assert max(stamps) > datetime(2038, 1, 20, tzinfo=UTC).timestamp()
    by_mono = sorted(events, key=lambda event: event["clock"]["mono_ms"])
    assert len({event["clock"]["boot_id"] for event in events}) == 1
    for life in {event["id"] for event in events}:
        monos = [e["clock"]["mono_ms"] for e in sorted(events, key=lambda e: e["revision"]) if e["id"] == life]
        assert all(later >= earlier for earlier, later in pairwise(monos))
    assert by_mono
    for row in station.rows("select body from count_interval"):
        assert json.loads(row[0])["duration_s"] >= 0
