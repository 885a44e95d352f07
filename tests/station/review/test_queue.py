"""station.review.queue"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import Engine

from station.ingest.inbound import InboundMessage
from station.review.queue import EventUnknown, ReviewOvertaken, ReviewQueue
from station.review.standing import NOBODY, Reviewer, ReviewKey
from station.review.states import FalseReason, ReviewRefused, ReviewState
from station.store.database import engine_of
from tests.station.ingest.test_receipts import messages
from tests.station.store.test_store import altered
from tests.support.stores import Place

HA, NAM = Reviewer("ha", "Thu Hà"), Reviewer("nam", "Nam")
FIRST: ReviewKey = (1, "e-1")


def alerts(*numbers: int) -> list[InboundMessage]:
    return [message for number in numbers for message in messages(number, number)]


@pytest.fixture
def filled(place: Place) -> Iterator[Place]:
    with closing(place.open()) as store:
        store.commit(alerts(1, 2, 3))
    yield place
    place.close()


@pytest.fixture
def engines(filled: Place) -> Iterator[tuple[Engine, Engine]]:
    """What a screen has: one that reads, and one that writes."""
    both = engine_of(filled.url, writes=False), engine_of(filled.url)
    yield both
    for engine in both:
        engine.dispose()


@pytest.fixture
def queue(engines: tuple[Engine, Engine]) -> ReviewQueue:
    moments = iter(range(1_000, 2_000))
    return ReviewQueue(*engines, now=lambda: next(moments))


def test_a_step_is_how_the_event_stands_and_a_part_of_its_history(queue: ReviewQueue) -> None:
    assert queue.standing(FIRST) is NOBODY

    seen = queue.acknowledge(FIRST, HA, seen=0, note="  a patrol\n is on its way ")
    false = queue.mark(FIRST, ReviewState.FALSE, NAM, seen=seen.change_id, reason=FalseReason.ANIMAL)

    assert queue.standing(FIRST) == false
    assert (false.state, false.reason, false.by, false.changed_ms) == ("false", "animal", NAM, 1_001_000)
    assert [(step.state, step.note, step.by.name) for step in queue.history(FIRST)] == [
        ("seen", "a patrol is on its way", "Thu Hà"),
        ("false", "", "Nam"),
    ]


def test_what_was_taken_for_something_else_stands_with_what_it_is(queue: ReviewQueue) -> None:
    wrong = FalseReason.WRONG_LABEL
    with pytest.raises(ReviewRefused, match="it was taken for that: motorcycle"):
        queue.mark(FIRST, ReviewState.FALSE, HA, seen=0, reason=wrong, right_label="motorcycle")
    with pytest.raises(ReviewRefused, match="there is no label cow"):
        queue.mark(FIRST, ReviewState.FALSE, HA, seen=0, reason=wrong, right_label="cow")
    assert queue.standing(FIRST) is NOBODY

    false = queue.mark(FIRST, ReviewState.FALSE, HA, seen=0, reason=wrong, right_label="car")
    assert queue.standing(FIRST) == false
    assert false.right_label == "car"

    with pytest.raises(ReviewOvertaken) as overtaken:
        queue.mark(FIRST, ReviewState.CONFIRMED, NAM, seen=0)
    assert overtaken.value.standing == false, "the second learns that, too"
    queue.mark(FIRST, ReviewState.CONFIRMED, NAM, seen=false.change_id)
    assert queue.standing(FIRST).right_label is None, "what was said before is corrected as a whole"
    assert [step.right_label for step in queue.history(FIRST)] == ["car", None]


def test_of_two_officers_at_once_the_second_learns_what_the_first_said(queue: ReviewQueue) -> None:
    """Invariant 1."""
    queue.mark(FIRST, ReviewState.CONFIRMED, HA, seen=0, note="a lorry")

    with pytest.raises(ReviewOvertaken, match="Thu Hà was faster: confirmed") as overtaken:
        queue.mark(FIRST, ReviewState.FALSE, NAM, seen=0, reason=FalseReason.OTHER)

    standing = overtaken.value.standing
    assert (standing.state, standing.by, standing.note) == ("confirmed", HA, "a lorry")
    assert queue.standing(FIRST) == standing
    assert len(queue.history(FIRST)) == 1, "nothing of the second is kept"
    queue.mark(FIRST, ReviewState.FALSE, NAM, seen=standing.change_id, reason=FalseReason.OTHER)
    assert queue.standing(FIRST).state is ReviewState.FALSE


def test_who_comes_after_it_was_taken_back_learns_who_did(queue: ReviewQueue) -> None:
    seen = queue.acknowledge(FIRST, HA, seen=0)
    assert queue.take_back(FIRST, NAM, seen=seen.change_id) is NOBODY

    with pytest.raises(ReviewOvertaken, match="Nam was faster: not taken yet"):
        queue.mark(FIRST, ReviewState.CONFIRMED, HA, seen=seen.change_id)
    queue.mark(FIRST, ReviewState.CONFIRMED, HA, seen=0)


def test_however_many_decide_at_the_same_moment_one_is_heeded(filled: Place) -> None:
    """Invariants 1 and 3, with as many connections as officers."""
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def decide(number: int) -> None:
        engine = engine_of(filled.url)
        start.wait(20)
        try:
            ReviewQueue(engine).mark(
                FIRST, ReviewState.CONFIRMED, Reviewer(f"o-{number}", f"O {number}"), seen=0
            )
            outcomes.append("heeded")
        except ReviewOvertaken as overtaken:
            assert overtaken.standing.by is not None
            outcomes.append(overtaken.standing.by.login)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    (winner,) = {each for each in outcomes if each != "heeded"}
    assert sorted(outcomes) == ["heeded", *[winner] * 5]
    assert filled.rows("select login from review_change") == [(winner,)]


def test_a_refused_step_changes_nothing(queue: ReviewQueue, filled: Place) -> None:
    with pytest.raises(ReviewRefused):
        queue.mark(FIRST, ReviewState.FALSE, HA, seen=0)
    with pytest.raises(EventUnknown):
        queue.acknowledge((1, "e-9"), HA, seen=0)

    assert filled.rows("select count(*) from review_change") == [(0,)]


def test_the_three_tables_say_the_same_at_every_step(queue: ReviewQueue, filled: Place) -> None:
    """Invariant 2."""
    settled = "select settled_ms from event where event_id = 'e-1'"
    standing = queue.acknowledge(FIRST, HA, seen=0)
    assert filled.rows(settled) == [(None,)]
    standing = queue.mark(FIRST, ReviewState.PASSED_ON, HA, seen=standing.change_id)
    assert filled.rows(settled) == [(standing.changed_ms,)]
    assert filled.rows("select change_id, rule_id, rule_kind, camera from review") == [
        (standing.change_id, "stop-line", "line", "north")
    ]

    queue.take_back(FIRST, HA, seen=standing.change_id)

    assert filled.rows(settled) == [(None,)]
    assert filled.rows("select count(*) from review") == [(0,)]
    assert [step.state for step in queue.history(FIRST)] == ["seen", "passed_on", "new"]


def test_what_a_box_tells_later_of_a_settled_alert_does_not_open_it_again(
    queue: ReviewQueue, filled: Place
) -> None:
    queue.mark(FIRST, ReviewState.CONFIRMED, HA, seen=0)
    with closing(filled.open()) as store:
        store.commit([altered(alerts(1)[0], seq=9, revision=2, phase="end", end_reason="left")])

    assert filled.rows("select revision from event where event_id = 'e-1'") == [(2,)]
    assert FIRST not in [each.key for each in queue.open_alerts()]


def test_a_feed_gets_every_step_once_in_order(queue: ReviewQueue) -> None:
    """Invariant 3."""
    assert (queue.newest_change(), queue.changes_after(0)) == (0, ())
    for number in (3, 1, 2):
        queue.acknowledge((1, f"e-{number}"), HA, seen=0)

    first = queue.changes_after(0, limit=2)
    rest = queue.changes_after(first[-1].id)

    assert [step.event_id for step in (*first, *rest)] == ["e-3", "e-1", "e-2"]
    assert queue.newest_change() == rest[-1].id
    assert queue.changes_after(rest[-1].id) == ()
