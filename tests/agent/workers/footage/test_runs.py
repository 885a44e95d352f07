"""agent.workers.footage.runs: how often footage may begin anew by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.workers.footage.runs import CLOSED_S, MOST, WITHIN_S, ChangesTooOften, RunBudget


def test_ten_changes_a_minute_are_taken_and_the_next_is_refused_with_what_to_do() -> None:
    budget = RunBudget()
    for number in range(MOST + 1):
        budget.require(f"a-{number}", float(number))
    budget.require(f"a-{MOST}", 10.0)
    assert budget.steady(10.0)
    with pytest.raises(ChangesTooOften, match="more than 10 times a minute") as refused:
        budget.require("a-11", 10.0)
    assert "settings of the stream" in refused.value.hint
    assert not budget.steady(10.0 + CLOSED_S)
    assert budget.steady(10.0 + CLOSED_S + WITHIN_S)


def test_another_opening_of_the_camera_is_no_change() -> None:
    budget = RunBudget()
    for number in range(100):
        budget.require(f"opening-{number}-1", 0.0)


def test_a_clip_that_begins_again_at_its_end_is_no_change_either() -> None:
    budget = RunBudget(loops=True)
    for number in range(100):
        budget.require(f"a-{number}", 0.0)
    assert budget.steady(0.0)


@given(st.lists(st.floats(0.0, 20.0), max_size=200))
def test_whoever_waits_as_told_begins_at_most_ten_times_in_any_minute(waits: list[float]) -> None:
    budget, at_s, began = RunBudget(), 0.0, []
    budget.require("a-0", at_s)
    for number, wait_s in enumerate(waits, 1):
        at_s += wait_s
        try:
            budget.require(f"a-{number}", at_s)
        except ChangesTooOften:
            at_s += CLOSED_S
        else:
            began.append(at_s)
    assert all(len([each for each in began if begin <= each < begin + WITHIN_S]) <= MOST for begin in began)
