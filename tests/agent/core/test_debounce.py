"""agent.core.debounce"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.core.debounce import NEVER, Debounce, update
from agent.core.types import Instant


def run(pattern: str, *, rise_s: float, fall_s: float, gap_s: float = 0.0) -> str:
    """One letter for each second: '#' holds or is on."""
    state, out = NEVER, ""
    for second, letter in enumerate(pattern):
        at = Instant(float(second), 0.0)
        state = update(state, at, letter == "#", rise_s=rise_s, fall_s=fall_s, gap_s=gap_s)
        out += "#" if state.on else "."
    return out


def test_a_condition_counts_only_after_it_has_lasted() -> None:
    assert run(".##.####.", rise_s=3, fall_s=0) == ".......#."


def test_it_is_over_only_after_it_has_been_gone() -> None:
    assert run("#..#....#", rise_s=0, fall_s=2) == "######..#"


def test_short_holes_do_not_interrupt_a_run_where_they_are_allowed() -> None:
    assert run("#.#.#", rise_s=4, fall_s=0, gap_s=1) == "....#"
    assert run("#.#.#", rise_s=4, fall_s=0, gap_s=0) == "....."


def test_the_beginning_of_the_run_is_remembered() -> None:
    state = NEVER
    for second in range(3, 9):
        state = update(state, Instant(float(second), 0.0), True, rise_s=4, fall_s=1)

    assert state == Debounce(Instant(3.0, 0.0), Instant(8.0, 0.0), True)


@given(st.text(alphabet="#.", max_size=60), st.integers(0, 5), st.integers(0, 5))
def test_it_never_comes_on_without_holding_nor_goes_off_while_it_holds(
    pattern: str, rise: int, fall: int
) -> None:
    states = run(pattern, rise_s=rise, fall_s=fall)

    for before, after, holds in zip("." + states, states, pattern, strict=False):
        assert not (before == "." and after == "#" and holds == ".")
        assert not (before == "#" and after == "." and holds == "#")
