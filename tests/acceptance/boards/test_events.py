"""tests.acceptance.boards.events"""

from __future__ import annotations

from typing import Any

from tests.acceptance.boards.events import compared


def message(start_s: float, label: str | None = "car", revision: int = 1, **more: Any) -> dict[str, Any]:
    at = f"2026-01-01T00:00:{start_s:06.3f}Z"
    return {
        "revision": revision, "kind": "object", "phase": "start", "time": at, "start_time": at,
        "rule": "road-users", "camera": "north", "object": None if label is None else {"label": label},
    } | more  # fmt: skip


def test_the_same_messages_in_another_order_are_all_the_same() -> None:
    one, other, end = message(1), message(2, None), message(1, revision=2, phase="end")
    same = compared([one, end, other], [other, one, end])
    assert (same.exact, same.near, same.events) == (3, 2, 2)
    assert same.all_exact and same.all_near


def test_an_event_that_begins_a_little_later_is_near_and_not_the_same() -> None:
    same = compared([message(1.4)], [message(1)])
    assert (same.exact, same.all_exact, same.all_near) == (0, False, True)


def test_an_event_of_another_label_or_much_later_is_neither() -> None:
    assert compared([message(1, "bus")], [message(1)]).near == 0
    assert compared([message(1.6)], [message(1)]).near == 0


def test_one_event_is_never_matched_twice() -> None:
    same = compared([message(1), message(1.1)], [message(1)])
    assert (same.exact, same.near, same.events) == (1, 1, 2)
    assert not same.all_near


def test_two_empty_replays_say_nothing() -> None:
    same = compared([], [])
    assert not same.all_exact and not same.all_near
