"""agent.core.heat"""

from __future__ import annotations

from agent.core import heat
from agent.core.ids import Ids
from agent.core.throttle import FULL, Reading, Throttle
from agent.core.types import EndReason, Event, EventKind, Instant, Phase, Severity

IDS = Ids(b"a seed of sixteen")
HALF, QUARTER = Throttle(0.5, hot=True), Throttle(0.25, hot=True)


def reading(second: float, temp_c: float | None = 85.0, *, capped: bool = False) -> Reading:
    return Reading(Instant(second, second), temp_c, capped, 0.0, 0.0)


def story(*steps: tuple[Throttle, Reading]) -> list[Event]:
    open_, ids, told = None, IDS, []
    for pace, at in steps:
        open_, ids, events = heat.tell(open_, pace, at, ids)
        told.extend(events)
    return told


def test_one_event_tells_the_whole_spell_of_heat() -> None:
    told = story(
        (FULL, reading(0, 60)),
        (HALF, reading(10, 82.04)),
        (HALF, reading(12, 83)),
        (QUARTER, reading(70, 90)),
        (QUARTER, reading(80, 75)),
        (FULL, reading(400, 70)),
        (FULL, reading(410, 70)),
    )

    assert [(each.phase, each.revision, each.detail) for each in told] == [
        (Phase.START, 1, "82.0 °C; 50% of the pictures are looked at"),
        (Phase.UPDATE, 2, "90.0 °C; 25% of the pictures are looked at"),
        (Phase.END, 3, "70.0 °C; cool after 390 s"),
    ]
    assert {each.id for each in told} == {told[0].id}
    assert {(each.kind, each.severity) for each in told} == {(EventKind.OVERHEATED, Severity.INFO)}


def test_haste_is_no_heat() -> None:
    assert story((Throttle(0.5, busy=True), reading(0, 60))) == []


def test_without_a_sensor_the_firmware_speaks() -> None:
    (told,) = story((HALF, reading(0, None, capped=True)))

    assert told.detail == "the processor is slowed down for heat; 50% of the pictures are looked at"


def test_a_stop_ends_it_and_says_why() -> None:
    (start,) = story((HALF, reading(0)))
    (end,) = heat.close(start, reading(5), EndReason.AGENT_RESTARTED)

    assert (end.phase, end.revision, end.end_reason) == (Phase.END, 2, EndReason.AGENT_RESTARTED)
    assert heat.close(None, reading(5), EndReason.AGENT_RESTARTED) == ()
