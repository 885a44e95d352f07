"""station.web.api.rates"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from station.web.api.rates import REMEMBERED, Rates


class Turned:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.at_s = 100.0

    def __call__(self) -> float:
        return self.at_s


def test_so_many_at_once_then_so_many_a_second_each_for_himself() -> None:
    clock = Turned()
    rates = Rates(2, 3, clock)

    assert [rates.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert rates.take("b") == 0
    clock.at_s += 0.5
    assert [rates.take("a"), rates.take("a")] == [0, 0.5]
    clock.at_s += 1000
    assert [rates.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_to_look_takes_nothing() -> None:
    rates = Rates(1, 1, Turned())

    assert [rates.wait_s("a"), rates.wait_s("a"), rates.take("a"), rates.wait_s("a")] == [0, 0, 0, 1]


def test_of_very_many_it_knows_those_of_late() -> None:
    rates = Rates(1, 1, Turned())
    for number in range(REMEMBERED + 1):
        rates.take(str(number))

    assert (rates.wait_s("0"), rates.wait_s(str(REMEMBERED))) == (0, 1)


@given(st.lists(st.floats(0, 10), max_size=200))
def test_never_more_than_what_was_there_and_what_came(waits_s: list[float]) -> None:
    clock = Turned()
    rates, taken = Rates(2, 5, clock), 0
    for wait_s in waits_s:
        clock.at_s += wait_s
        taken += rates.take("a") == 0

    assert taken <= 5 + 2 * sum(waits_s) + 1e-6
