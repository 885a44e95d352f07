"""station.access.lockout"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.access.lockout import (
    ADDRESS_TRIES,
    ADDRESS_TRY_EVERY_MS,
    FREE,
    FREE_OF_ACCOUNT,
    LONGEST_MS,
    Strangers,
    Tally,
    network_of,
)

NOW = 1_800_000_000_000
MINUTE = 60_000


def wrong(tally: Tally, times: int, now_ms: int = NOW) -> Tally:
    for _ in range(times):
        tally = tally.after_wrong(now_ms)
    return tally


def test_four_wrong_passwords_cost_nothing_and_the_fifth_a_minute() -> None:
    assert wrong(Tally(), 4).locked(NOW) is None
    assert wrong(Tally(), 5).locked(NOW) == NOW + MINUTE
    assert wrong(Tally(), 5).locked(NOW + MINUTE) is None


def test_each_further_one_doubles_it_up_to_a_quarter_of_an_hour() -> None:
    lasts = [(wrong(Tally(), times).locked(NOW) or NOW) - NOW for times in range(5, 12)]

    assert lasts == [MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, LONGEST_MS, LONGEST_MS, LONGEST_MS]
    assert wrong(Tally(), 100_000).locked(NOW) == NOW + LONGEST_MS


@given(st.lists(st.integers(0, 10**8), min_size=FREE, max_size=40))
def test_whoever_tries_on_and_on_gets_five_tries_and_then_at_most_four_an_hour(waits: list[int]) -> None:
    now, tally, tried = NOW, Tally(), []
    for wait in waits:
        now += wait
        if tally.locked(now) is None:
            tally = tally.after_wrong(now)
            tried.append(now)
    late = tried[FREE + 4 :]

    assert all(after - before >= LONGEST_MS for before, after in pairwise(late))


def test_a_lock_is_of_one_login_at_one_address_only() -> None:
    strangers = Strangers()
    for _ in range(FREE):
        strangers.wrong("lan", "10.0.0.9", NOW, exists=True)

    assert strangers.locked("lan", "10.0.0.9", NOW) == NOW + MINUTE
    assert strangers.locked("lan", "10.0.0.7", NOW) is None
    assert strangers.locked("hoa", "10.0.0.9", NOW) is None


def test_what_is_right_is_forgotten() -> None:
    strangers = Strangers()
    for _ in range(FREE - 1):
        strangers.wrong("lan", "10.0.0.9", NOW, exists=True)
    strangers.right("lan", "10.0.0.9")

    assert not strangers.wrong("lan", "10.0.0.9", NOW, exists=True)


def test_an_address_with_many_logins_has_so_many_tries_and_gets_them_back_slowly() -> None:
    strangers = Strangers()
    for number in range(ADDRESS_TRIES):
        assert strangers.locked("x", "10.0.0.9", NOW) is None
        strangers.wrong(f"login{number}", "10.0.0.9", NOW, exists=False)

    assert strangers.locked("x", "10.0.0.9", NOW) == NOW + ADDRESS_TRY_EVERY_MS
    assert strangers.locked("x", "10.0.0.7", NOW) is None
    assert strangers.locked("x", "10.0.0.9", NOW + ADDRESS_TRY_EVERY_MS) is None


def test_a_login_that_nobody_has_is_locked_over_all_addresses_as_one_that_somebody_has() -> None:
    strangers = Strangers()
    for number in range(FREE_OF_ACCOUNT):
        strangers.wrong("nobody", f"10.0.{number}.1", NOW, exists=False)

    assert strangers.locked("nobody", "10.9.9.9", NOW) == NOW + MINUTE


@pytest.mark.parametrize("exists", [True, False])
def test_it_is_known_how_many_more_there_may_be_whether_or_not_somebody_has_the_login(exists: bool) -> None:
    strangers = Strangers()
    assert strangers.left("lan", "10.0.0.1") == FREE
    left = []
    for _ in range(FREE + 1):
        strangers.wrong("lan", "10.0.0.1", NOW, exists=exists)
        left.append(strangers.left("lan", "10.0.0.1"))

    assert left == [4, 3, 2, 1, 1, 1]
    assert strangers.left("lan", "10.0.0.2") == FREE


def test_what_is_remembered_has_room_for_so_many_and_the_oldest_go() -> None:
    strangers = Strangers(room=3)
    for _ in range(FREE):
        strangers.wrong("lan", "10.0.0.1", NOW, exists=True)
    for number in range(2, 5):
        strangers.wrong("lan", f"10.0.0.{number}", NOW, exists=True)

    assert strangers.locked("lan", "10.0.0.1", NOW) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("", ""),
        ("testclient" * 10, ("testclient" * 10)[:64]),
    ],
)
def test_a_house_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
