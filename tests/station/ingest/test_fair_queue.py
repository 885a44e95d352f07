"""station.ingest.fair_queue"""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from station.ingest.fair_queue import Box, FairQueue

A, B, C = ("commune", "a-01"), ("commune", "b-01"), ("commune", "c-01")


def test_each_box_has_its_turn_however_much_one_has_sent() -> None:
    queue = FairQueue[str]()
    for number in range(100):
        queue.put(A, f"a{number}", 1)
    queue.put(B, "b0", 1)
    queue.put(C, "c0", 1)

    assert queue.take(5, 100) == ["a0", "b0", "c0", "a1", "a2"]
    queue.put(B, "b1", 1)
    assert queue.take(3, 100) == ["a3", "b1", "a4"]


def test_who_has_sent_too_much_has_no_room_and_the_others_have() -> None:
    queue = FairQueue[int](box_messages=3, box_bytes=100, all_bytes=140)

    assert [queue.put(A, 1, 1) for _ in range(5)] == [True] * 3 + [False] * 2
    assert [queue.put(B, 1, 45) for _ in range(3)] == [True, True, False]
    assert queue.put(C, 1, 45)
    assert not queue.put(B, 1, 10)  # all of them have 138, and B would have 100 of them: a share is 50
    assert queue.take(10, 1000) == [1] * 6
    assert queue.put(B, 1, 100)


def test_a_single_message_always_has_room_so_that_no_box_is_shut_out() -> None:
    queue = FairQueue[str](box_messages=1, box_bytes=10, all_bytes=10)

    assert queue.put(A, "large", 1000)
    assert queue.put(B, "late", 1000)


def test_a_batch_ends_once_it_has_enough_bytes() -> None:
    queue = FairQueue[str]()
    for number in range(9):
        queue.put(A, f"a{number}", 40)

    assert queue.take(9, 100) == ["a0", "a1", "a2"]
    assert len(queue) == 6


@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(0, 50)) | st.integers(0, 6), max_size=60))
def test_what_had_room_comes_out_once_and_in_order_of_its_box(steps: list[tuple[Box, int] | int]) -> None:
    queue = FairQueue[tuple[Box, int]](box_messages=5, box_bytes=120, all_bytes=200)
    put: defaultdict[Box, list[int]] = defaultdict(list)
    taken: defaultdict[Box, list[int]] = defaultdict(list)
    for number, step in enumerate([*steps, 1000]):
        if isinstance(step, int):
            for box, item in queue.take(step, 10_000):
                taken[box].append(item)
        elif queue.put(step[0], (step[0], number), step[1]):
            put[step[0]].append(number)

    assert taken == put
    assert len(queue) == 0
    assert queue.take(1, 1) == []
