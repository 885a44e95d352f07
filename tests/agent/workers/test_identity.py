"""agent.workers.identity"""

from __future__ import annotations

from agent.core.ids import Ids
from agent.core.types import Event, EventKind, Phase, Severity
from agent.workers.identity import AGAIN_S, IdentityMonitor
from tests.conftest import SteppedClock


def test_a_taken_connection_is_an_alert_once_in_an_hour(clock: SteppedClock) -> None:
    taken, reports = [0], list[Event]()
    monitor = IdentityMonitor(lambda: taken[0], clock, Ids(bytes(32)), reports.extend)
    monitor.tick()
    assert reports == []
    taken[0] = 1
    for _ in range(3):
        monitor.tick()
    assert [(each.kind, each.phase, each.severity) for each in reports] == [
        (EventKind.IDENTITY_TAKEN, Phase.END, Severity.ALERT)
    ]
    assert reports[0].detail == "another client with this box's name took its connection, once since the start"
    taken[0] = 9
    clock.advance(AGAIN_S - 1)
    monitor.tick()
    assert len(reports) == 1
    clock.advance(1)
    monitor.tick()
    assert [each.detail for each in reports[1:]] == [
        "another client with this box's name took its connection, 9 times since the start"
    ]
