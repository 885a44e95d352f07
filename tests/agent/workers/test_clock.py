"""agent.workers.clock"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.clock import BUILT_S, FlooredClock, Trust
from agent.core.ids import Ids
from agent.core.types import Event, EventKind, Instant, Phase
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


def later(machine: Machine, keeper: Timekeeper, seconds: float) -> None:
    """The box is at work, and its clock is looked at every ten minutes."""
    looks(keeper, machine, seconds, every_s=600.0)


@pytest.mark.parametrize("years", [50, -50])
@pytest.mark.parametrize("again", ["at once", "the agent", "the box"])
def test_the_time_that_is_believed_goes_on_whatever_the_clock_shows_for_less_than_a_day(
    tmp_path: Path, machine: Machine, years: int, again: str
) -> None:
    def start() -> Timekeeper:
        return Timekeeper(tmp_path, IDS, machine, machine.asked, f"boot-{boots}")

    machine.step_wall(60 * YEARS_S)
    machine.kept, boots = NTP, 1
    keeper = start()
    later(machine, keeper, 3600)
    right = machine.now().wall_s
    for step in (years, -years) * 3:
        machine.step_wall(step * YEARS_S)
        later(machine, keeper, 5 * 3600)
        if again != "at once":
            keeper.note()
            boots += again == "the box"
            machine.moment = Instant(machine.now().mono_s * (again == "the agent"), machine.now().wall_s)
            keeper = start()
        right += 5 * 3600
        assert keeper.believed.now().wall_s == pytest.approx(right, abs=1)

    assert keeper.believed.now().mono_s == machine.now().mono_s
    later(machine, keeper, 3600)
    assert keeper.believed.now().wall_s == pytest.approx(machine.now().wall_s, abs=1)


@pytest.mark.parametrize("years", [50, -50])
def test_a_clock_that_stood_for_a_day_of_work_is_believed(tmp_path: Path, machine: Machine, years: int) -> None:
    machine.step_wall(60 * YEARS_S)
    machine.kept = NTP
    keeper = Timekeeper(tmp_path, IDS, machine, machine.asked)
    later(machine, keeper, 3600)
    machine.step_wall(years * YEARS_S)
    later(machine, keeper, 23 * 3600)
    assert abs(keeper.believed.now().wall_s - machine.now().wall_s) == pytest.approx(50 * YEARS_S, abs=1)
    later(machine, keeper, 2 * 3600)

    assert keeper.believed.now() == machine.now()


def test_what_nobody_vouches_for_moves_the_time_that_is_believed_by_nothing(
    tmp_path: Path, machine: Machine
) -> None:
    keeper = Timekeeper(tmp_path, IDS, machine, machine.asked)
    began = machine.now().wall_s
    for step in (9, -3, 50):
        machine.step_wall(step * YEARS_S)
        later(machine, keeper, 86400)
    assert keeper.believed.now().wall_s == pytest.approx(began + 3 * 86400)
    machine.step_wall(-56 * YEARS_S)
    machine.kept = NTP
    later(machine, keeper, 600)

    assert keeper.believed.now() == machine.now(), "the first time that somebody vouches for is believed"


@pytest.mark.parametrize(
    "believed",
    [
        {},
        7,
        {"boot": 1, "offset_ms": 1, "shown_ms": 1, "last_ms": 1},
        {"boot": "a", "offset_ms": "1", "shown_ms": 1, "last_ms": 1},
        {"boot": "a", "offset_ms": 1.5, "shown_ms": 1, "last_ms": 1},
        {"boot": "a", "offset_ms": 1 << 80, "shown_ms": 1, "last_ms": 1},
        {"boot": "a", "offset_ms": 1, "shown_ms": 1, "last_ms": 1, "more": 1},
    ],
)
def test_a_note_that_nobody_can_believe_is_none(tmp_path: Path, machine: Machine, believed: object) -> None:
    (tmp_path / NAME).write_text(json.dumps({"wall_s": TRUE_S, "believed": believed}))
    machine.kept = NTP

    assert Timekeeper(tmp_path, IDS, machine, machine.asked).believed.now() == machine.now()


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
