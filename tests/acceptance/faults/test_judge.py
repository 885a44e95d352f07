"""tests.acceptance.faults.judge: a judge that cannot turn red proves nothing"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.acceptance.faults.judge import Row, judge

NAMES = ("a/1", "b/1", "c/1")
ACCEPTED = [Row(("s", seq), name) for seq, name in enumerate(NAMES, 1)]


def test_what_arrived_as_it_was_taken_is_clean() -> None:
    assert judge(NAMES, ACCEPTED, ACCEPTED).clean


def test_what_did_not_arrive_is_lost_and_named() -> None:
    assert judge(NAMES, ACCEPTED, ACCEPTED[:2]).lost == (("s", 3),)


def test_what_nobody_wanted_is_a_phantom() -> None:
    assert judge(NAMES, ACCEPTED, [*ACCEPTED, Row(("s", 4), "x/1")]).phantom == ("x/1",)


def test_one_message_in_two_rows_is_doubled() -> None:
    assert judge(NAMES, ACCEPTED, [*ACCEPTED, Row(("s", 9), "a/1")]).doubled == ("a/1",)


def test_ids_used_twice_are_a_conflict() -> None:
    verdict = judge(NAMES, ACCEPTED, [ACCEPTED[0], Row(("s", 2), "c/1"), ACCEPTED[2]])
    assert verdict.conflicts == (("s", 2),)


def test_a_number_given_to_two_events_is_a_conflict_whichever_of_them_arrived() -> None:
    again = [*ACCEPTED, Row(("s", 1), "x/1")]
    for arrived in ("a/1", "x/1"):
        verdict = judge([*NAMES, "x/1"], again, [Row(("s", 1), arrived), *ACCEPTED[1:]])
        assert verdict.conflicts == (("s", 1),)


def test_a_picture_that_came_without_its_number_is_not_lost_and_is_a_phantom_if_nobody_wanted_it() -> None:
    verdict = judge(NAMES, ACCEPTED, [*ACCEPTED[:2], Row(None, "c/1"), Row(None, "x")])
    assert (verdict.lost, verdict.phantom, verdict.committed) == ((), ("x",), 4)
    assert judge(NAMES, ACCEPTED, [*ACCEPTED[:2], Row(None, "a/1")]).lost == (("s", 3),)


def test_a_later_event_under_an_earlier_number_is_out_of_order() -> None:
    swapped = [Row(("s", 1), "b/1"), Row(("s", 2), "a/1"), Row(("s", 3), "c/1")]
    assert judge(NAMES, ACCEPTED, swapped).reordered == 1


def test_an_update_that_took_the_place_of_another_is_no_conflict() -> None:
    taken = [*ACCEPTED, Row(("s", 3), "c/2")]
    assert judge([*NAMES, "c/2"], taken, [*ACCEPTED[:2], Row(("s", 3), "c/2")]).clean


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n)))))
def test_exactly_the_missing_are_lost(verdict: tuple[int, set[int]]) -> None:
    count, missing = verdict
    accepted = [Row(("s", seq), f"e{seq}/1") for seq in range(1, count + 1)]
    committed = [row for row in accepted if row.number and row.number[1] not in missing]
    found = judge([row.name for row in accepted], accepted, committed)
    assert {seq for _, seq in found.lost} == missing
    assert not (found.phantom or found.doubled or found.conflicts or found.reordered)
