"""agent.workers.clock"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import BUILT_S, FlooredClock, Trust
from agent.core.ids import Ids
from agent.core.types import Event, EventKind, Phase
from agent.workers.clock import NAME, NOTE_EVERY_S, PATIENCE_S, ClockReport, ClockState, Timekeeper, update
from tests.conftest import SteppedClock

IDS = Ids(b"a seed of sixteen")
YEARS_S = 365.25 * 86400
TRUE_S = BUILT_S + 30 * 86400.0
NTP, RTC, NOBODY = Trust("ntp", 12), Trust("rtc"), Trust("unknown")


class Machine(SteppedClock):
    """A machine's clocks, and what its kernel thinks of them."""

    kept = NOBODY

    def asked(self) -> Trust:
        return self.kept


@pytest.fixture
def machine() -> Machine:
    machine = Machine()
    machine.step_wall(TRUE_S - machine.now().wall_s)
    return machine


def looks(keeper: Timekeeper, machine: Machine, seconds: float, every_s: float = 2.0) -> list[ClockReport]:
    """What is told over a time of looking."""
    reports = []
    for _ in range(int(seconds / every_s)):
        machine.advance(every_s)
        reports.append(keeper.look())
    return [each for each in reports if each != ClockReport()]


def test_a_box_that_wakes_in_1970_goes_on_from_the_latest_good_time(tmp_path: Path, machine: Machine) -> None:
    machine.kept = NTP
    looks(Timekeeper(tmp_path, IDS, machine, machine.asked), machine, 10)
    machine.kept = NOBODY
    machine.advance(3600)
    machine.step_wall(-machine.now().wall_s)
    clock = Timekeeper(tmp_path, IDS, machine, machine.asked).clock
    first = clock.now()
    machine.advance(5)

    assert TRUE_S <= first.wall_s <= TRUE_S + 10
    assert clock.now().wall_s - first.wall_s == pytest.approx(5)
    assert clock.trust() == Trust("floor")


@pytest.mark.parametrize(
    "spoilt", ["", "[]", "{}", '{"wall_s": "soon"}', '{"wall_s": NaN}', '{"wall_s": 1e300}']
)
def test_without_a_note_the_floor_is_the_day_the_agent_was_built(
    tmp_path: Path, machine: Machine, spoilt: str
) -> None:
    (tmp_path / NAME).write_text(spoilt)
    machine.step_wall(-machine.now().wall_s)

    assert Timekeeper(tmp_path, IDS, machine, machine.asked).clock.now().wall_s == BUILT_S


def test_a_battery_clock_that_shows_1970_too_is_not_believed(tmp_path: Path, machine: Machine) -> None:
    machine.kept = RTC
    keeper = Timekeeper(tmp_path, IDS, machine, machine.asked)
    assert keeper.clock.trust() == RTC
    machine.step_wall(-machine.now().wall_s)

    assert keeper.clock.trust() == Trust("floor")


def test_ntp_is_believed_below_a_floor_that_was_noted_in_error(tmp_path: Path, machine: Machine) -> None:
    (tmp_path / NAME).write_text(json.dumps({"wall_s": TRUE_S + 20 * YEARS_S}))
    keeper = Timekeeper(tmp_path, IDS, machine, machine.asked)
    assert keeper.clock.now().wall_s == TRUE_S + 20 * YEARS_S
    machine.kept = NTP
    looks(keeper, machine, 2)

    assert keeper.clock.now().wall_s == machine.now().wall_s
    assert json.loads((tmp_path / NAME).read_text())["wall_s"] == machine.now().wall_s


def test_an_untrusted_clock_is_one_event_and_its_synchronisation_ends_it_with_one_map(
    tmp_path: Path, machine: Machine
) -> None:
    machine.step_wall(-40 * YEARS_S)
    keeper = Timekeeper(tmp_path, IDS, machine, machine.asked)
    doubted = looks(keeper, machine, 3600)
    machine.step_wall(TRUE_S - machine.now().wall_s)
    machine.kept = NTP
    good = looks(keeper, machine, 3600)

    (start,) = doubted
    assert start.event is not None and not start.clock_map
    assert (start.event.kind, start.event.phase) == (EventKind.CLOCK_UNTRUSTED, Phase.START)
    (end,) = good
    assert end.event is not None and end.clock_map
    assert (end.event.id, end.event.revision, end.event.phase) == (start.event.id, 2, Phase.END)
    assert end.event.started.wall_s == pytest.approx(end.event.at.wall_s - 3600, abs=3)


def test_a_clock_that_ntp_sets_within_a_minute_is_a_map_but_no_event(tmp_path: Path, machine: Machine) -> None:
    keeper = Timekeeper(tmp_path, IDS, machine, machine.asked)
    assert looks(keeper, machine, PATIENCE_S - 4) == []
    machine.kept = NTP

    assert looks(keeper, machine, 3600) == [ClockReport(None, clock_map=True)]


def test_a_trusted_clock_that_is_set_anew_is_mapped_anew(tmp_path: Path, machine: Machine) -> None:
    machine.kept = RTC
    keeper = Timekeeper(tmp_path, IDS, machine, machine.asked)
    looks(keeper, machine, 60)
    machine.kept = NTP
    assert looks(keeper, machine, 60) == []  # both showed the same
    machine.step_wall(7)

    assert looks(keeper, machine, 60) == [ClockReport(None, clock_map=True)]


def test_the_good_time_is_noted_now_and_then_and_a_bad_one_never(tmp_path: Path, machine: Machine) -> None:
    keeper = Timekeeper(tmp_path, IDS, machine, machine.asked)
    looks(keeper, machine, 60)
    assert not (tmp_path / NAME).exists()
    machine.kept = NTP
    noted = set()
    for _ in range(60):
        looks(keeper, machine, 60)
        noted.add((tmp_path / NAME).read_text())

    assert len(noted) == pytest.approx(3600 / NOTE_EVERY_S, abs=1)


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path, machine: Machine) -> None:
    machine.kept = NTP

    assert looks(Timekeeper(tmp_path / "none", IDS, machine, machine.asked), machine, 10) == [
        ClockReport(None, True)
    ]


JUMPS = st.lists(
    st.tuples(
        st.sampled_from([-20 * YEARS_S, -3600.0, -1.0, 0.0, 1.0, 3600.0, 20 * YEARS_S, -70 * YEARS_S]),
        st.sampled_from([NTP, RTC, NOBODY]),
        st.floats(0.1, 700),
    ),
    max_size=40,
)


@given(JUMPS)
def test_whatever_the_wall_clock_does_starts_and_ends_alternate_and_nothing_is_negative(
    jumps: list[tuple[float, Trust, float]],
) -> None:
    machine, ids = Machine(), IDS
    clock = FlooredClock(TRUE_S, machine, machine.asked)
    state, events = ClockState(), list[Event]()
    for step_s, kept, seconds in jumps:
        machine.step_wall(step_s)
        machine.kept = kept
        machine.advance(seconds)
        state, ids, report = update(state, clock.now(), clock.trust(), ids)
        events += [report.event] if report.event else []

    assert [event.phase for event in events] == [Phase.START, Phase.END] * (len(events) // 2) + (
        [Phase.START] if len(events) % 2 else []
    )
    assert all(event.at.since(event.started) >= 0 for event in events)
    assert all(clock.now().wall_s >= BUILT_S for _ in events)
