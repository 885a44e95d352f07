"""station.retention.holds"""

from __future__ import annotations

import threading

import pytest

from station.retention.holds import EventHolds, HoldRefused
from station.review.states import ReviewState
from station.store.database import engine_of
from tests.support.aged_store import MINH, AgedStore


def test_who_holds_what_for_which_case_stands_for_ever(aged: AgedStore) -> None:
    aged.event(1, 3)
    key = aged.key(1)
    aged.holds.hold(key, MINH, " 12/2026 ", "a collision\x1b[2J")
    (one, box, camera) = aged.holds.standing_holds()[0]
    assert (one.case_number, one.by, box, camera) == ("12/2026", MINH, "north-01", "north")
    assert "\x1b" not in one.reason

    aged.holds.release(key, MINH, "over")

    assert aged.holds.standing_holds() == []
    assert aged.holds.standing(key).hold is None
    row = aged.place.rows("select act, case_number, released_name, released_reason from event_hold")
    assert row == [("hold", "12/2026", MINH.name, "over")]


@pytest.mark.parametrize(("case", "reason"), [("", "why"), ("1", " \t"), ("1" * 301, "why")])
def test_a_hold_without_case_or_reason_is_refused(aged_file: AgedStore, case: str, reason: str) -> None:
    aged_file.event(1, 3)
    with pytest.raises(HoldRefused):
        aged_file.holds.hold(aged_file.key(1), MINH, case, reason)
    assert aged_file.place.rows("select * from event_hold") == []


def test_steps_that_do_not_follow_are_refused(aged: AgedStore) -> None:
    aged.event(1, 3)
    key, holds = aged.key(1), aged.holds
    for step in (
        lambda: holds.release(key, MINH, "not held"),
        lambda: holds.close(key, MINH, "1", "nobody judged it"),
        lambda: holds.hold((key[0], "e-404"), MINH, "1", "there is none"),
    ):
        with pytest.raises(HoldRefused):
            step()
    holds.hold(key, MINH, "1", "once")
    with pytest.raises(HoldRefused):
        holds.hold(key, MINH, "1", "twice")


def test_a_case_is_closed_once_and_who_judges_anew_opens_it_anew(aged: AgedStore) -> None:
    aged.event(1, 3, severity="alert")
    key = aged.key(1)
    aged.review(1, ReviewState.CONFIRMED)
    assert aged.holds.standing(key).may_close

    aged.holds.close(key, MINH, "12/2026", "handed over")
    standing = aged.holds.standing(key)
    assert not standing.may_close
    assert standing.closing is not None
    assert standing.closing.by == MINH

    aged.review(1, ReviewState.PASSED_ON)
    assert aged.holds.standing(key).may_close
    assert aged.holds.standing(key).closing is None


@pytest.mark.long
def test_a_hold_and_a_deletion_at_the_same_moment_agree(aged: AgedStore) -> None:
    """Invariant 2: either the event is there and held, or it is gone and whoever would hold it hears so."""
    for number in range(1, 13):
        aged.event(number, 40)
    keys, refused = [aged.key(number) for number in range(1, 13)], set()
    engine = engine_of(aged.place.url)
    holds = EventHolds(engine, now=lambda: aged.now_s)

    def hold_all() -> None:
        for key in keys:
            try:
                holds.hold(key, MINH, "1/2026", "at the same moment")
            except HoldRefused:
                refused.add(key[1])

    other = threading.Thread(target=hold_all)
    other.start()
    aged.run(events=30)
    other.join(30)
    engine.dispose()

    assert aged.events() == {key[1] for key in keys} - refused
