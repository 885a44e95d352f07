"""agent.core.blindness"""

from __future__ import annotations

from agent.core import blindness
from agent.core.ids import Ids
from agent.core.tamper.monitor import SEES, TamperKind, Visibility
from agent.core.types import EndReason, Event, EventKind, Instant, Phase, Severity, Size

FRAME = Size(640, 360)
COVERED = Visibility(TamperKind.COVERED, Instant(8.0, 108.0))
MOVED = Visibility(TamperKind.MOVED, Instant(8.0, 108.0))


def run(*views: Visibility) -> tuple[Event | None, list[Event]]:
    told: Event | None = None
    ids, events = Ids(b"a seed of sixteen"), list[Event]()
    for second, view in enumerate(views, 10):
        told, ids, more = blindness.tell(told, view, Instant(second, 100 + second), FRAME, ids)
        events += more
    return told, events


def test_a_fault_is_one_event_from_its_beginning_to_its_end() -> None:
    told, (start, end) = run(SEES, COVERED, COVERED, SEES, SEES)

    assert told is None
    assert (start.kind, start.phase, start.severity) == (EventKind.CAMERA_BLIND, Phase.START, Severity.ALERT)
    assert (start.detail, start.started.mono_s, start.at.mono_s) == ("covered", 8.0, 11.0)
    assert (end.id, end.phase, end.revision, end.at.mono_s) == (start.id, Phase.END, 2, 13.0)


def test_another_fault_is_an_update_of_the_same_event() -> None:
    told, (start, update) = run(COVERED, MOVED, MOVED)

    assert told == update
    assert (update.id, update.phase, update.revision, update.detail) == (start.id, Phase.UPDATE, 2, "moved")


def test_two_faults_are_two_events() -> None:
    _, events = run(COVERED, SEES, COVERED)

    assert len({each.id for each in events}) == 2


def test_what_is_open_is_closed_with_the_reason() -> None:
    told, _ = run(COVERED)
    (end,) = blindness.close(told, Instant(20, 120), EndReason.CAMERA_LOST)

    assert (end.phase, end.revision, end.end_reason) == (Phase.END, 2, EndReason.CAMERA_LOST)
    assert blindness.close(None, Instant(20, 120), EndReason.CAMERA_LOST) == ()
