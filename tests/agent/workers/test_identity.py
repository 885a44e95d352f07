"""agent.workers.identity"""

from __future__ import annotations

from agent.core.ids import Ids
from agent.core.types import Event, EventKind, Phase, Severity
from agent.workers.identity import AGAIN_S, IdentityMonitor
from tests.conftest import SteppedClock


def test_a_taken_connection_is_an_alert_once_in_an_hour(clock: SteppedClock) -> None:
    taken, told = [0], list[Event]()
    monitor = IdentityMonitor(lambda: taken[0], clock, Ids(bytes(32)), told.extend)
    monitor.tick()
    assert told == []
    taken[0] = 1
    for _ in range(3):
        monitor.tick()
    assert [(each.kind, each.phase, each.severity) for each in told] == [
        (EventKind.IDENTITY_TAKEN, Phase.END, Severity.ALERT)
    ]
    assert told[0].detail == "another client with this box's name took its connection, once since the start"
    taken[0] = 9
    clock.advance(AGAIN_S - 1)
    monitor.tick()
    assert len(told) == 1
    clock.advance(1)
    monitor.tick()
    assert [each.detail for each in told[1:]] == [
        "another client with this box's name took its connection, 9 times since the start"
    ]
