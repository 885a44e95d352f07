"""station.uplink.requests.errands"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from agent.errors import NgatuError
from station.uplink.requests.errands import Errands
from tests.support.brokers import until


@pytest.fixture
def errands() -> Iterator[Errands]:
    made = Errands()
    yield made
    made.close()


def test_one_of_a_name_is_done_at_a_time_and_whoever_asks_does_not_wait(errands: Errands) -> None:
    goes_on, done = threading.Event(), list[str]()

    def job() -> None:
        goes_on.wait(30)
        done.append(threading.current_thread().name)

    for _ in range(3):
        errands.run("file r-1", job)
    assert errands.is_open("file r-1") and done == []
    goes_on.set()
    until(lambda: not errands.is_open("file r-1"))

    assert done == ["requests"] and errands.failure("file r-1") is None
    errands.run("file r-1", job)
    until(lambda: len(done) == 2)


def test_what_fails_says_why_once_and_stops_no_other(errands: Errands) -> None:
    def fails() -> None:
        raise NgatuError("no room")

    done = list[int]()
    errands.run("a", fails)
    errands.run("b", lambda: 1 // 0)
    errands.run("c", lambda: done.append(1))
    until(lambda: done)

    first, second = errands.failure("a"), errands.failure("b")
    assert first is not None and first.what == "no room"
    assert second is not None and "ZeroDivisionError" in second.what
    assert errands.failure("a") is None and errands.failure("c") is None


def test_it_ends_with_whoever_closes_it_and_what_waited_is_left(errands: Errands) -> None:
    errands.run("a", lambda: None)
    until(lambda: not errands.is_open("a"))
    errands.close()

    assert all(each.name != "requests" or not each.is_alive() for each in threading.enumerate())
