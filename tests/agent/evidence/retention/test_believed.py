"""agent.evidence.retention.believed: how old footage is, whatever a wrong clock says."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.evidence.retention.believed import (
    AGREES_MS,
    LOOK_MS,
    STANDS_MS,
    STEP_MS,
    TOLD_MS,
    BootClock,
    fold,
    lasted,
    look,
    offsets,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
YEAR_MS = 365 * DAY_MS
NOON_MS = 1_800_000_000_000
MINUTE_MS = 60_000


@dataclass
class Life:
    """A box whose clock is looked at every minute, and what it believes."""

    true_ms: int = NOON_MS
    wrong_ms: int = 0
    """What its wall clock shows beyond the truth."""
    booted_ms: int = NOON_MS
    boots: int = 1
    back_waits: bool = False
    believed: BootClock | None = None
    ends: list[tuple[str, int]] = field(default_factory=list)
    shown: dict[str, int] = field(default_factory=dict)

    @property
    def mono_ms(self) -> int:
        return self.true_ms - self.booted_ms

    @property
    def now(self) -> BootClock:
        assert self.believed is not None
        return self.believed

    @property
    def error_ms(self) -> int:
        """What it believes beyond the truth."""
        return self.now.believed_ms(self.mono_ms) - self.true_ms

    def work(self, for_ms: int, step_ms: int = LOOK_MS) -> None:
        end_ms = self.true_ms + for_ms
        while True:
            self.believed = look(
                self.believed,
                f"boot-{self.boots}",
                self.mono_ms,
                self.true_ms + self.wrong_ms,
                back_waits=self.back_waits,
            )
            self.shown[self.now.boot] = self.now.shown_ms
            if self.true_ms >= end_ms:
                return
            self.true_ms = min(end_ms, self.true_ms + step_ms)

    def off(self, for_ms: int) -> None:
        self.ends.append((f"boot-{self.boots}", self.mono_ms))
        self.boots += 1
        self.true_ms += for_ms
        self.booted_ms = self.true_ms

    def ages_ms(self) -> list[int]:
        """How old the end of each boot is held to be, the oldest first."""
        found = offsets([*self.ends, (self.now.boot, self.mono_ms)], self.shown, self.now)
        now_ms = self.now.believed_ms(self.mono_ms)
        return [now_ms - (found[boot] + end_ms) for boot, end_ms in self.ends]


@pytest.mark.parametrize("ahead_ms", [2 * HOUR_MS, 40 * DAY_MS, 50 * YEAR_MS])
def test_a_step_forward_in_a_boot_is_believed_after_it_stood_for_a_day(ahead_ms: int) -> None:
    life = Life()
    life.work(HOUR_MS)
    life.wrong_ms = ahead_ms
    life.work(STANDS_MS - HOUR_MS)
    assert (life.error_ms, life.now.ahead_ms, life.now.doubted) == (0, ahead_ms, True)
    life.work(2 * HOUR_MS)
    assert (life.error_ms, life.now.ahead_ms, life.now.doubted) == (ahead_ms, 0, False)


def test_a_step_that_is_taken_back_leaves_nothing_behind() -> None:
    life = Life()
    life.work(HOUR_MS)
    life.wrong_ms = 40 * DAY_MS
    life.work(20 * HOUR_MS)
    life.wrong_ms = 0
    life.work(HOUR_MS)
    assert (life.error_ms, life.now.stood_ms, life.now.doubted) == (0, 0, False)
    life.wrong_ms = 40 * DAY_MS
    life.work(20 * HOUR_MS)
    assert life.error_ms == 0, "it stands for a day at one time, or not at all"


def test_a_clock_that_goes_on_stepping_does_not_stand() -> None:
    life = Life()
    life.work(HOUR_MS)
    for _ in range(60):
        life.wrong_ms += 2 * AGREES_MS
        life.work(HOUR_MS)
    assert life.error_ms == 0
    assert life.now.stood_ms <= HOUR_MS


def test_of_what_nobody_looked_at_little_counts_as_stood() -> None:
    life = Life()
    life.work(HOUR_MS)
    life.wrong_ms = 40 * DAY_MS
    life.work(10 * DAY_MS, step_ms=5 * DAY_MS)
    assert life.error_ms == 0
    assert life.now.stood_ms == 2 * LOOK_MS


def test_a_small_step_waits_too_and_nobody_need_know() -> None:
    life = Life()
    life.work(HOUR_MS)
    life.wrong_ms = TOLD_MS
    life.work(HOUR_MS)
    assert (life.error_ms, life.now.doubted) == (0, False)


@pytest.mark.parametrize(("off_ms", "waits"), [(6 * HOUR_MS, False), (21 * DAY_MS, True), (60 * DAY_MS, True)])
def test_a_power_cut_is_believed_at_once_and_weeks_in_a_store_after_a_day_at_work(
    off_ms: int, waits: bool
) -> None:
    life = Life()
    life.work(10 * DAY_MS)
    life.off(off_ms)
    life.work(HOUR_MS)
    assert (life.error_ms, life.now.doubted) == (-off_ms if waits else 0, waits)
    life.work(STANDS_MS)
    assert (life.error_ms, life.now.doubted) == (0, False)
    assert life.ages_ms() == [off_ms + STANDS_MS + HOUR_MS]


def test_what_a_clock_stood_before_a_restart_counts_after_it() -> None:
    life = Life()
    life.work(HOUR_MS)
    life.off(21 * DAY_MS)
    for _ in range(4):
        life.work(5 * HOUR_MS)
        life.off(HOUR_MS)
    life.work(5 * HOUR_MS)
    assert life.error_ms == 0
    assert life.ages_ms()[0] == 21 * DAY_MS + 29 * HOUR_MS


def test_what_was_recorded_while_a_long_outage_was_not_believed_is_no_older_for_it_after_a_restart() -> None:
    life = Life()
    life.work(HOUR_MS)
    life.off(21 * DAY_MS)
    life.work(12 * HOUR_MS)
    life.off(HOUR_MS)
    life.work(13 * HOUR_MS)
    assert life.error_ms == 0
    assert life.ages_ms() == [21 * DAY_MS + 26 * HOUR_MS, 14 * HOUR_MS]


def test_a_step_back_is_believed_at_once_and_makes_nothing_younger_than_it_is() -> None:
    life = Life()
    life.work(DAY_MS)
    life.off(HOUR_MS)
    life.work(2 * DAY_MS)
    life.wrong_ms = -30 * YEAR_MS
    life.work(LOOK_MS)
    assert life.error_ms == life.wrong_ms
    assert life.ages_ms() == [2 * DAY_MS + LOOK_MS]


@pytest.mark.parametrize("wrong_ms", [50 * YEAR_MS, 2 * HOUR_MS, -2 * HOUR_MS, -50 * YEAR_MS])
@pytest.mark.parametrize("off_ms", [None, HOUR_MS], ids=["step", "boot"])
def test_where_a_step_back_waits_too_none_is_believed_before_it_stood_for_a_day(
    wrong_ms: int, off_ms: int | None
) -> None:
    if off_ms is not None and 0 < wrong_ms < 2 * DAY_MS:
        wrong_ms += DAY_MS  # what a box may have been off is believed
    life = Life(back_waits=True)
    life.work(HOUR_MS)
    if off_ms is not None:
        life.off(off_ms)
    life.wrong_ms = wrong_ms
    life.work(STANDS_MS - HOUR_MS)
    assert life.error_ms == -(off_ms or 0), "a boot whose clock is not believed began when the one before ended"
    life.wrong_ms = 0
    life.work(STANDS_MS - HOUR_MS)
    life.wrong_ms = wrong_ms
    life.work(STANDS_MS + HOUR_MS)
    assert life.error_ms == wrong_ms


def test_footage_of_a_clock_far_ahead_that_was_believed_is_as_old_as_the_boot_after_it_at_least() -> None:
    life = Life(wrong_ms=50 * YEAR_MS)
    life.work(3 * DAY_MS)
    life.off(HOUR_MS)
    life.wrong_ms = 0
    life.work(2 * DAY_MS)
    assert life.error_ms == 0
    assert life.ages_ms() == [2 * DAY_MS]


def test_boots_in_which_nobody_vouched_count_as_time_that_passed() -> None:
    before = BootClock("boot-1", NOON_MS, NOON_MS, DAY_MS)
    after = lasted(before, [DAY_MS + MINUTE_MS, 3 * DAY_MS])
    assert after.last_ms == 4 * DAY_MS + MINUTE_MS
    assert not look(after, "boot-3", 0, NOON_MS + 4 * DAY_MS + HOUR_MS).doubted
    assert look(before, "boot-3", 0, NOON_MS + 4 * DAY_MS + HOUR_MS).doubted


def test_of_a_boot_of_which_nothing_is_known_footage_ends_when_the_next_one_begins() -> None:
    now = BootClock("boot-3", NOON_MS, NOON_MS, HOUR_MS)
    found = offsets([("boot-1", DAY_MS), ("boot-2", HOUR_MS), ("boot-3", HOUR_MS)], {}, now)
    assert found == {
        "boot-3": NOON_MS, "boot-2": NOON_MS - HOUR_MS, "boot-1": NOON_MS - HOUR_MS - DAY_MS,
    }  # fmt: skip


def test_what_is_believed_can_be_made_anew_from_the_moments_of_each_boot() -> None:
    moments = [(at, NOON_MS + at) for at in range(0, HOUR_MS, MINUTE_MS)]
    jumped = [(at, NOON_MS + 40 * DAY_MS + at) for at in range(HOUR_MS, 2 * HOUR_MS, MINUTE_MS)]
    (clock,) = fold([("boot-0", []), ("boot-1", [*moments, *jumped])])
    assert (clock.boot, clock.offset_ms, clock.ahead_ms) == ("boot-1", NOON_MS, 40 * DAY_MS)
    assert clock.stood_ms == HOUR_MS - MINUTE_MS


WORK = st.tuples(st.just("work"), st.integers(0, 20 * HOUR_MS))
STEP = st.tuples(st.just("step"), st.integers(-70 * YEAR_MS, 70 * YEAR_MS))
OFF = st.tuples(st.just("off"), st.integers(0, 90 * DAY_MS))


@given(st.lists(st.one_of(WORK, STEP, OFF), max_size=12))
def test_whatever_the_clock_does_no_footage_is_younger_than_what_the_box_lived_through_since(
    happened: list[tuple[str, int]],
) -> None:
    life = Life()
    life.work(HOUR_MS)
    for what, how_much in happened:
        if what == "work":
            life.work(how_much, step_ms=HOUR_MS)
        elif what == "step":
            life.wrong_ms += how_much
            if life.true_ms + life.wrong_ms < 0:
                life.wrong_ms = 0
        else:
            life.off(how_much)
            life.work(0)
    assert all(age >= least for age, least in zip(life.ages_ms(), _since_ends(happened), strict=True))


def _since_ends(happened: list[tuple[str, int]]) -> list[int]:
    """For the end of each boot: how long the box has worked since."""
    found: list[int] = []
    for what, how_much in happened:
        if what == "off":
            found.append(0)
        elif what == "work":
            found = [each + how_much for each in found]
    return found


@given(st.lists(st.one_of(WORK, OFF), max_size=12))
def test_while_the_clock_is_right_no_footage_is_held_older_than_it_is(happened: list[tuple[str, int]]) -> None:
    life = Life()
    life.work(HOUR_MS)
    ended_ms: list[int] = []
    for what, how_much in happened:
        if what == "off":
            ended_ms.append(life.true_ms)
            life.off(how_much)
        life.work(how_much if what == "work" else 0)
        ages_ms = life.ages_ms()
        assert all(age <= life.true_ms - end for age, end in zip(ages_ms, ended_ms, strict=True))


@given(st.lists(st.one_of(WORK, STEP), max_size=8), st.integers(0, 10))
def test_a_clock_that_was_wrong_for_less_than_a_day_makes_nothing_older(
    happened: list[tuple[str, int]], worked_h: int
) -> None:
    life = Life()
    life.work(worked_h * HOUR_MS)
    life.off(HOUR_MS)
    life.work(HOUR_MS)
    before_ms, since_ms = life.ages_ms()[0], life.true_ms
    for what, how_much in happened:
        if what == "step":
            life.wrong_ms = how_much
        else:
            life.work(how_much)
            assert life.ages_ms()[0] <= before_ms + life.true_ms - since_ms + STEP_MS
            life.wrong_ms = 0
            life.work(0)


@given(st.lists(st.one_of(WORK, STEP, OFF), max_size=12))
def test_once_the_clock_is_right_for_two_days_the_truth_is_believed(happened: list[tuple[str, int]]) -> None:
    life = Life()
    for what, how_much in happened:
        if what == "work":
            life.work(how_much, step_ms=HOUR_MS)
        elif what == "step":
            life.wrong_ms = how_much
        else:
            life.off(how_much)
            life.work(0)
    life.wrong_ms = 0
    life.work(2 * STANDS_MS)
    assert abs(life.error_ms) <= STEP_MS
