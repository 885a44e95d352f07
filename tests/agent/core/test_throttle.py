"""agent.core.throttle"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.core import throttle
from agent.core.ids import Ids
from agent.core.throttle import (
    FULL,
    LONGEST_WAIT_S,
    SHARES,
    HeatReport,
    Reading,
    Throttle,
    ThrottleSettings,
    ThrottleState,
)
from agent.core.types import Event, EventKind, Instant, Phase, Severity

SETTINGS = ThrottleSettings()
TICK_S = 2.0
HALF, QUARTER = Throttle(0.5, hot=True), Throttle(0.25, hot=True)


def reading(
    second: float, temp_c: float | None = 50.0, *, capped: bool = False, behind: float = 0.0, load: float = 0.3
) -> Reading:
    return Reading(Instant(second, second), temp_c, capped, behind, load)


def run(
    readings: Iterable[Reading], state: ThrottleState | None = None
) -> tuple[ThrottleState, list[Throttle]]:
    throttles = []
    for each in readings:
        state, now = throttle.update(state, each, SETTINGS)
        throttles.append(now)
    assert state is not None
    return state, throttles


def changes(throttles: list[Throttle]) -> list[float]:
    """Every share in turn, without repetitions."""
    shares = [FULL.share, *(each.share for each in throttles)]
    return [b for a, b in pairwise(shares) if a != b]


def test_heat_that_comes_and_goes_changes_the_rate_four_times_at_most() -> None:
    warming = [60 + 35 * n / 300 for n in range(300)]
    hot, cooling = [95.0] * 300, [95 - 35 * n / 300 for n in range(300)]
    temps = [*warming, *hot, *cooling, *[60.0] * 300]

    _, throttles = run(reading(n * TICK_S, temp) for n, temp in enumerate(temps))

    assert changes(throttles) == [0.5, 0.25, 0.5, 1.0]
    assert throttles[-1] == FULL
    assert all(each.hot == (each.share < 1) for each in throttles)


def test_a_moment_of_heat_changes_nothing() -> None:
    temps = [70, 85, 85, 70, 70] * 40

    assert changes(run(reading(n * TICK_S, temp) for n, temp in enumerate(temps))[1]) == []


def test_between_hot_and_cool_nothing_changes() -> None:
    temps = [*[81.0] * 10, *[76.0] * 2000]

    assert changes(run(reading(n * TICK_S, temp) for n, temp in enumerate(temps))[1]) == [0.5]


def test_a_processor_that_its_firmware_slows_down_is_hot_whatever_the_sensor_says() -> None:
    state, throttles = run(reading(n * TICK_S, None, capped=True) for n in range(10))
    _, later = run((reading(20 + n * TICK_S, None) for n in range(100)), state)

    assert (throttles[-1].share, throttles[-1].hot) == (0.5, True)
    assert later[-1] == FULL


def test_a_box_that_heats_up_again_at_full_rate_tries_ever_more_seldom() -> None:
    """at full rate it goes to 84 °C, at a half to 70 °C: the plainest way to flap."""
    state: ThrottleState | None = None
    temp, now, throttles = 60.0, FULL, []
    for n in range(int(12 * 3600 / TICK_S)):
        target = 84.0 if now.share == 1 else 70.0
        temp += (target - temp) * TICK_S / 60
        state, now = throttle.update(state, reading(n * TICK_S, temp), SETTINGS)
        throttles.append(now)
    last_hours = throttles[-int(6 * 3600 / TICK_S) :]

    assert len(changes(throttles)) <= 36
    assert len(changes(last_hours)) <= 13
    assert state is not None
    assert state.heat.wait_s <= LONGEST_WAIT_S


def test_who_cannot_keep_up_is_slowed_until_there_is_time_again() -> None:
    late = [reading(n * TICK_S, behind=0.5, load=1.0) for n in range(30)]
    half = [reading(60 + n * TICK_S, load=0.6) for n in range(300)]
    calm = [reading(660 + n * TICK_S, load=0.2) for n in range(100)]

    state, first = run(late)
    state, then = run(half, state)
    _, last = run(calm, state)

    assert (first[-1].share, first[-1].busy, first[-1].hot) == (0.5, True, False)
    assert changes(first + then) == [0.5]  # at full rate it would work 1.2 times the time there is
    assert last[-1] == FULL


def test_heat_and_overload_do_not_add_up() -> None:
    both = [reading(n * TICK_S, 85.0, behind=0.5, load=1.0) for n in range(25)]
    state, throttles = run(both)
    _, cool = run((reading(50 + n * TICK_S, load=0.2) for n in range(100)), state)

    assert (throttles[-1].share, throttles[-1].hot, throttles[-1].busy) == (0.5, True, True)
    assert changes(throttles + cool) == [0.5, 1.0]


def test_some_pictures_are_looked_at_in_any_case() -> None:
    assert throttle.fps(10, 0.25, SETTINGS) == 2.5
    assert throttle.fps(5, 0.25, SETTINGS) == 2
    assert throttle.fps(1, 0.25, SETTINGS) == 1  # never more than wanted


def test_a_box_that_is_hot_before_it_is_warm_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be below hot_c"):
        ThrottleSettings(hot_c=70, cool_c=75)


@given(
    st.lists(
        st.tuples(
            st.floats(0.5, 30),
            st.one_of(st.none(), st.floats(20, 110)),
            st.booleans(),
            st.floats(0, 1),
            st.floats(0, 1),
        ),
        max_size=60,
    )
)
def test_one_step_at_a_time_and_seldom(moments: list[tuple[float, float | None, bool, float, float]]) -> None:
    second, state, before, changed = 0.0, None, FULL, float("-inf")
    for gap_s, temp, capped, behind, load in moments:
        second += gap_s
        state, now = throttle.update(
            state, reading(second, temp, capped=capped, behind=behind, load=load), SETTINGS
        )
        assert now.share in SHARES
        assert (now.share < 1) == (now.hot or now.busy)
        if now.share > before.share:
            assert second - changed >= SETTINGS.recover_s
        elif now.share < before.share:
            assert SHARES.index(now.share) - SHARES.index(before.share) == 1
        changed = second if now.share != before.share else changed
        before = now


def reports(*steps: tuple[Throttle, Reading]) -> list[Event]:
    heat, ids, sent = HeatReport(), Ids(b"a seed of sixteen"), list[Event]()
    for now, at in steps:
        heat, ids, events = throttle.report(heat, now, at, ids)
        sent += events
    return sent


def test_one_event_tells_from_the_first_heat_to_the_last() -> None:
    sent = reports(
        (FULL, reading(0, 60)),
        (HALF, reading(10, 82.04)),
        (HALF, reading(12, 83)),
        (QUARTER, reading(70, 90)),
        (QUARTER, reading(80, 75)),
        (FULL, reading(400, 70)),
        (FULL, reading(410, 70)),
    )

    assert [(each.phase, each.revision, each.detail) for each in sent] == [
        (Phase.START, 1, "82.0 °C; 50% of the pictures are looked at"),
        (Phase.UPDATE, 2, "90.0 °C; 25% of the pictures are looked at"),
        (Phase.END, 3, "70.0 °C; cool after 390 s"),
    ]
    assert {each.id for each in sent} == {sent[0].id}
    assert {(each.kind, each.severity) for each in sent} == {(EventKind.OVERHEATED, Severity.INFO)}


def test_to_be_late_is_no_heat() -> None:
    assert reports((Throttle(0.5, busy=True), reading(0, 60))) == []


def test_without_a_sensor_the_firmware_speaks() -> None:
    (start,) = reports((HALF, reading(0, None, capped=True)))

    assert start.detail == "the processor is slowed down for heat; 50% of the pictures are looked at"
