"""agent.runtime.box_events"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.clock import BUILT_S, Trust
from agent.config.schema import load
from agent.runtime.app import Agent
from agent.status import health
from agent.wire import codec
from agent.wire.payloads import ClockMapPayload
from station.ingest.inbound import MessageKind, read
from tests.conftest import SteppedClock
from tests.support.boxes import Box
from tests.support.brokers import free_port

HERE = "ngatu/v1/test-commune/test-box-01"


def test_a_synchronised_clock_is_one_map_that_the_station_can_read(tmp_path: Path, clock: SteppedClock) -> None:
    trusted = [Trust("unknown")]
    agent = Agent(load(Box(tmp_path, free_port()).config), clock, trusted=lambda: trusted[0])
    clock.step_wall(BUILT_S - clock.now().wall_s + 86400)
    for _ in range(40):
        clock.advance(2)
        agent.look()
    before = health.report(agent.sources, agent.clock)
    trusted[0] = Trust("ntp", 7)
    clock.step_wall(3600)
    for _ in range(3):
        clock.advance(2)
        agent.look()

    sent = sorted(agent.outbox.waiting(10, agent.clock.now()), key=lambda each: each.seq)
    stream = agent.outbox.stream
    arrivals = [
        read(f"{HERE}/{each.message.topic}", codec.finish(each, stream, clock.now()), {}) for each in sent
    ]
    assert [(each.kind, each.problem) for each in arrivals] == [
        (MessageKind.EVENT, None),
        (MessageKind.EVENT, None),
        (MessageKind.CLOCK_MAP, None),
    ]
    clock_map = arrivals[-1].payload
    assert isinstance(clock_map, ClockMapPayload)
    assert before.clock is not None
    assert (clock_map.clock.state, clock_map.clock.error_ms, clock_map.clock.boot_id) == (
        "ntp",
        7,
        before.clock.boot_id,
    )
    passed_s = ((clock_map.clock.mono_ms or 0) - (before.clock.mono_ms or 0)) / 1000
    happened_s = clock_map.time.timestamp() - passed_s
    assert happened_s == pytest.approx(clock.now().wall_s - 6, abs=3)  # an hour later than it was stamped
    assert "clock_untrusted" in before.degraded
    assert arrivals[0].event and arrivals[0].event.kind == "clock_untrusted"
    agent.close()
