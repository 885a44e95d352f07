"""agent.mqtt.inflight"""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from agent.core.types import Instant
from agent.mqtt.inflight import (
    AWAITED_BULK,
    AWAITED_PLAIN,
    LARGE_BYTES,
    PATIENT,
    STRIKES_LARGE,
    STRIKES_SMALL,
    InFlightWindow,
    Suspects,
)
from agent.wire.message import Message, Priority, Stored


def at(seconds: float) -> Instant:
    return Instant(1000 + seconds, 0)


def stored(seq: int, priority: Priority = Priority.EVENT, body: bytes = b"{}") -> Stored:
    return Stored(seq, Message("t", body, "application/json", priority, at(0)), f"hash-{seq}", at(0))


def test_the_broker_s_word_starts_the_wait_for_the_receipt() -> None:
    window = InFlightWindow(30, 2)
    window.sent(stored(1), 11, at(0))
    assert window.fall_due(at(1000)) == 0, "in the air nothing falls due: the connection's end decides"
    window.acknowledged(11, at(1))
    assert window.next_due_s(at(1)) == 30
    assert window.fall_due(at(30)) == 0
    assert window.fall_due(at(31)) == 1
    assert not window.messages


def test_a_receipt_settles_before_and_after_the_broker_s_word() -> None:
    window = InFlightWindow(30, 2)
    window.sent(stored(1), 11, at(0))
    window.sent(stored(2), 12, at(0))
    window.receipted([(1, "hash-1"), (2, "hash-2")], [], at(2))
    assert not window.messages
    assert window.acknowledged(11, at(3)) is None
    assert window.unacked == 1
    assert window.rtt_s == 2


def test_without_receipts_the_waits_grow_to_five_minutes() -> None:
    window = InFlightWindow(30, 2)
    now, waits = 0.0, []
    for n in range(7):
        window.sent(stored(1), n, at(now))
        window.acknowledged(n, at(now))
        waits.append(window.next_due_s(at(now)))
        now += waits[-1]
        window.fall_due(at(now))
    assert waits == [30, 60, 120, 240, 300, 300, 300]


def test_a_refused_message_is_never_tried_more_often_than_every_five_seconds() -> None:
    window = InFlightWindow(30, 2)
    now, waits = 0.0, []
    for n in range(8):
        window.sent(stored(1), n, at(now))
        window.refused(n, at(now))
        waits.append(window.next_due_s(at(now)))
        now += waits[-1]
        window.fall_due(at(now))
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300]


def test_the_growth_outlives_the_connection() -> None:
    window = InFlightWindow(30, 2)
    window.sent(stored(1), 1, at(0))
    window.refused(1, at(0))
    window.disconnected()
    window.sent(stored(1), 1, at(1))
    window.refused(1, at(1))
    assert window.next_due_s(at(1)) == 10


def test_a_slow_station_is_not_asked_for_receipts_too_early() -> None:
    window = InFlightWindow(30, 2)
    window.sent(stored(1), 1, at(0))
    window.acknowledged(1, at(0))
    window.receipted([(1, "hash-1")], [], at(20))
    window.sent(stored(2), 2, at(20))
    window.acknowledged(2, at(20))
    assert window.next_due_s(at(20)) == 60


def test_one_picture_at_a_time_until_the_link_has_shown_that_it_bears_two() -> None:
    window = InFlightWindow(30, 2)
    assert window.room(10) == (10, 1)
    window.sent(stored(1, Priority.IMAGE), 1, at(0))
    assert window.room(9) == (9, 0)
    window.acknowledged(1, at(0.2))
    assert window.room(10) == (10, 2)
    window.sent(stored(2, Priority.IMAGE), 2, at(1))
    window.acknowledged(2, at(5))
    assert window.room(10) == (10, 1), "four seconds for one: alerts would wait behind two"


def test_what_is_awaited_is_bounded_by_class() -> None:
    window = InFlightWindow(30, 2)
    for seq in range(AWAITED_PLAIN):
        window.sent(stored(seq), seq, at(0))
        window.acknowledged(seq, at(0))
    assert window.room(10) == (0, 1), "pictures are not held up by it"
    for seq in range(AWAITED_PLAIN, AWAITED_PLAIN + AWAITED_BULK):
        window.sent(stored(seq, Priority.IMAGE), seq, at(0))
        window.acknowledged(seq, at(0))
    assert window.room(10) == (0, 0)


def test_what_is_never_receipted_does_not_hold_up_the_rest_for_ever() -> None:
    window, now = InFlightWindow(30, 2), 0.0
    for _ in range(PATIENT + 1):
        assert window.room(10)[0] == 10
        for seq in range(AWAITED_PLAIN):
            window.sent(stored(seq), seq, at(now))
            window.acknowledged(seq, at(now))
        if window.messages[0].tries <= PATIENT:
            assert window.room(10)[0] == 0
            now += 1000
            window.fall_due(at(now))
    assert window.room(10)[0] == 10


def test_when_the_station_comes_back_what_it_never_got_goes_soon() -> None:
    window = InFlightWindow(30, 2)
    for n in range(6):
        window.sent(stored(1), n, at(0))
        window.acknowledged(n, at(0))
        window.fall_due(at(math.inf))
    window.sent(stored(1), 7, at(0))
    window.acknowledged(7, at(0))
    assert window.next_due_s(at(0)) == 300
    window.station_came(at(10))
    assert window.next_due_s(at(10)) == 30
    window.sent(stored(2), 8, at(10))
    window.refused(8, at(10), no_subscribers=True)
    window.station_came(at(11))
    assert window.next_due_s(at(11)) == 0


def test_pictures_can_be_receipted_by_hash() -> None:
    window = InFlightWindow(30, 2)
    window.sent(stored(1, Priority.IMAGE), 1, at(0))
    window.sent(stored(2, Priority.IMAGE), 2, at(0))
    assert window.receipted([], ["hash-2", "hash-9"], at(1)) == [(2, "hash-2")]
    assert set(window.messages) == {1}


@given(
    flying=st.sets(st.integers(1, 60)),
    named=st.sets(st.integers(0, 70)),
    foreign=st.sets(st.integers(0, 70)),
)
def test_a_receipt_settles_exactly_what_it_proves(flying: set[int], named: set[int], foreign: set[int]) -> None:
    window = InFlightWindow(30, 2)
    for seq in flying:
        window.sent(stored(seq), seq, at(0))
    window.receipted(
        [*((seq, f"hash-{seq}") for seq in named), *((seq, "other") for seq in foreign)], [], at(1)
    )
    assert set(window.messages) == flying - named


def test_the_culprit_is_who_was_alone_at_three_hang_ups() -> None:
    window, suspects, now = InFlightWindow(30, 2), Suspects(), 0.0
    for seq in (1, 2, 3):
        window.sent(stored(seq, body=bytes(LARGE_BYTES)), seq, at(0))
    assert suspects.hung_up(window.disconnected(), at(0)) is None
    assert suspects.next(False, at(0)) == 1
    suspects.cleared(1)
    assert suspects.next(False, at(0)) == 2
    for strike in range(1, STRIKES_LARGE + 1):
        window.sent(stored(2, body=bytes(LARGE_BYTES)), strike, at(now))
        culprit = suspects.hung_up(window.disconnected(), at(now))
        assert culprit == (2 if strike == STRIKES_LARGE else None)
        if strike == 1:
            assert suspects.next(False, at(now)) == 3, "who has a strike waits behind the others"
            suspects.cleared(3)
        if culprit is None:
            assert suspects.next(True, at(now)) is None, "and longer each time"
            now += 5 * 2 ** (strike - 1)
            assert suspects.next(True, at(now)) == 2
    assert suspects.next(True, at(now)) is None


def test_a_small_message_on_a_bad_line_is_not_soon_taken_for_the_culprit() -> None:
    window, suspects = InFlightWindow(30, 2), Suspects()
    for strike in range(1, STRIKES_SMALL + 1):
        window.sent(stored(1), strike, at(0))
        assert suspects.hung_up(window.disconnected(), at(0)) == (1 if strike == STRIKES_SMALL else None)
