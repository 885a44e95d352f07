"""agent.mqtt.bandwidth"""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from agent.mqtt.bandwidth import FIRST_BYTES, LEAST_BYTES, MOST_BYTES, OVERHEAD_BYTES, TARGET_S, SendWindow


class Link:
    """A line with a queue: each byte takes its time, each answer the delay on top."""

    def __init__(self, rate: float, delay_s: float = 0.05) -> None:
        self.rate, self.delay_s, self.now_s = rate, delay_s, 0.0
        self.longest_s = 0.0
        """That a message waited before its last byte was through."""
        self.carried = 0
        self._free_s = 0.0
        self._due: deque[tuple[float, int]] = deque()
        self._mid = 0

    def fill(self, send_window: SendWindow, body_bytes: int, seconds: float) -> None:
        """Send as much as may be sent, for so long."""
        ends_s = self.now_s + seconds
        while self.now_s < ends_s:
            while send_window.room_bytes > 0 and len(self._due) < 1000:
                self._mid += 1
                send_window.sent(self._mid, body_bytes, self.now_s)
                whole = body_bytes + OVERHEAD_BYTES
                self._free_s = max(self._free_s, self.now_s) + whole / self.rate
                self.longest_s = max(self.longest_s, self._free_s - self.now_s)
                self._due.append((self._free_s + self.delay_s, self._mid))
                self.carried += whole
            self.now_s, mid = self._due.popleft()
            send_window.answered(mid, self.now_s)


def test_on_a_slow_link_little_more_than_two_seconds_are_under_way() -> None:
    link, send_window = Link(4000), SendWindow()
    link.fill(send_window, 1000, 60)
    link.longest_s = 0.0
    link.fill(send_window, 1000, 60)
    assert link.longest_s <= 1.5 * TARGET_S
    assert link.carried >= 0.95 * 120 * 4000, "and yet it is never idle"


def test_a_quick_link_is_soon_not_held_up() -> None:
    link, send_window = Link(10_000_000, delay_s=0.001), SendWindow()
    link.fill(send_window, 1000, 1.0)
    assert send_window.bound_bytes > 1_000_000


def test_a_long_delay_alone_makes_no_link_slow() -> None:
    link, send_window = Link(1_000_000, delay_s=1.5), SendWindow()
    link.fill(send_window, 1000, 60)
    assert send_window.bound_bytes > 1_000_000


def test_a_link_that_gets_slow_is_noticed_and_one_that_recovers_too() -> None:
    link, send_window = Link(1_000_000), SendWindow()
    link.fill(send_window, 1000, 3)
    link.rate = 4000
    link.fill(send_window, 1000, 600)
    assert send_window.bound_bytes <= 2 * TARGET_S * 4000
    link.rate = 1_000_000
    link.fill(send_window, 1000, 20)
    assert send_window.bound_bytes > 100_000


def test_a_picture_goes_only_while_little_is_under_way() -> None:
    send_window = SendWindow()
    assert send_window.calm
    send_window.sent(1, FIRST_BYTES // 2, 0.0)
    assert not send_window.calm
    send_window.answered(1, 0.1)
    assert send_window.calm


def test_an_answer_to_what_was_never_sent_changes_nothing() -> None:
    send_window = SendWindow()
    send_window.sent(1, 1000, 0.0)
    before = (send_window.bound_bytes, send_window.room_bytes)
    send_window.answered(2, 5.0)
    assert (send_window.bound_bytes, send_window.room_bytes) == before


@given(st.lists(st.tuples(st.integers(0, 300_000), st.floats(0.0, 1000.0)), max_size=50))
def test_whatever_the_answers_the_bound_stays_between_its_own(sizes: list[tuple[int, float]]) -> None:
    send_window, now_s = SendWindow(), 0.0
    for mid, (size, took_s) in enumerate(sizes):
        send_window.sent(mid, size, now_s)
        now_s += took_s
        send_window.answered(mid, now_s)
        assert LEAST_BYTES <= send_window.bound_bytes <= MOST_BYTES
    assert send_window.room_bytes == send_window.bound_bytes, "nothing is under way any more"
