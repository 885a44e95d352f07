"""agent.core.attention.cadence"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.attention.cadence import EARLY, JITTER_S, in_doubt, next_s, wait_s
from agent.core.attention.settings import AttentionSettings
from agent.core.types import Box, Instant, Track

DEFAULT = AttentionSettings()
NOW = Instant(100.0, 1_770_000_000.0)
LONG_AGO = Instant(50.0, 1_769_999_950.0)
TRACK = Track(
    id="a",
    label="car",
    score=0.8,
    top_score=0.9,
    box=Box(0.4, 0.4, 0.5, 0.6),
    velocity=(0.0, 0.0),
    started=LONG_AGO,
    last_seen=NOW,
    seen=True,
    confirmed=True,
    stationary=False,
)


def looks(times: list[float], gap_s: float = 0.1) -> list[float]:
    """At which of the frames it may be looked, if each that may be is."""
    due_s, taken = float("-inf"), []
    for at_s in times:
        if at_s >= due_s - JITTER_S:
            due_s = next_s(due_s, at_s, gap_s)
            taken.append(at_s)
    return taken


def test_ten_of_25_pictures_a_second_are_all_looked_at_though_some_come_early() -> None:
    ten = list(accumulate([0.0] + [0.12, 0.08, 0.12, 0.08] * 25))
    assert looks(ten) == ten


@pytest.mark.parametrize("fps", [10, 12, 12.5, 15, 24, 25, 30, 120])
def test_the_mean_rate_of_looks_is_the_wanted_one_at_most(fps: float) -> None:
    taken = looks([n / fps for n in range(round(20 * fps))])
    assert len(taken) <= 20 / 0.1 + 1
    assert len(taken) >= 0.8 * min(fps, 10) * 20


@given(st.lists(st.floats(0.001, 2.0), max_size=100), st.floats(0.0, 1.0))
def test_no_pause_saves_up_looks_for_later(gaps: list[float], gap_s: float) -> None:
    """After however long a rest, two looks are one gap apart, but for the jitter of the frames."""
    due_s = float("-inf")
    for at_s in accumulate(gaps):
        if at_s >= due_s - JITTER_S:
            due_s = next_s(due_s, at_s, gap_s)
            assert at_s <= due_s <= at_s + gap_s + JITTER_S + 1e-9


def test_a_track_that_is_not_confirmed_waits_for_the_next_look_that_may_be() -> None:
    young = replace(TRACK, confirmed=False)
    assert wait_s(young, NOW.mono_s, False, NOW, DEFAULT) == pytest.approx(0.1 * EARLY)
    assert wait_s(young, NOW.mono_s, False, NOW, AttentionSettings(min_interval_s=0)) == 0


def test_who_stands_waits_longest_and_who_is_in_doubt_less_than_who_goes_on() -> None:
    stands = wait_s(replace(TRACK, stationary=True), NOW.mono_s, False, NOW, DEFAULT)
    goes_on, doubted = (wait_s(TRACK, NOW.mono_s, crowded, NOW, DEFAULT) for crowded in (False, True))
    assert doubted < goes_on < stands


def test_two_who_pass_each_other_are_in_doubt_and_two_who_go_side_by_side_are_not() -> None:
    beside = replace(TRACK, id="b", box=Box(0.5, 0.4, 0.6, 0.6))
    right, left = replace(TRACK, velocity=(0.3, 0.0)), replace(beside, velocity=(-0.3, 0.0))
    assert in_doubt([right, left], 0.3) == {"a", "b"}
    assert in_doubt([right, replace(beside, velocity=(0.3, 0.0))], 0.3) == set()
