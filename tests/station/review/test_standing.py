"""station.review.standing; how steps are written is test_queue.py's"""

from __future__ import annotations

from contextlib import closing

import pytest

from station.review.queue import ReviewQueue
from station.review.standing import NOBODY, Reviewer, changes_after, history, newest_change, standings
from station.review.states import ReviewState
from station.store.database import StoreError, engine_of
from tests.station.review.test_queue import alerts
from tests.support.stores import Place

HA = Reviewer("ha", "Hà")


def test_many_events_are_asked_at_once_and_each_has_an_answer(place: Place) -> None:
    numbers = range(1, 451)
    with closing(place.open()) as store:
        store.commit(alerts(*numbers))
        queue = ReviewQueue(place.engine)
        for number in (1, 450):
            queue.mark((1, f"e-{number}"), ReviewState.CONFIRMED, HA, seen=0)

        found = standings(place.engine, [(1, f"e-{number}") for number in numbers])

    assert len(found) == 450
    judged = [key for key, standing in found.items() if standing is not NOBODY]
    assert judged == [(1, "e-1"), (1, "e-450")]
    assert found[1, "e-1"].state is ReviewState.CONFIRMED


def test_a_store_that_cannot_be_read_is_one_clear_error(sqlite_place: Place) -> None:
    engine = engine_of(sqlite_place.url)
    for ask in (lambda: standings(engine, [(1, "e")]), lambda: history(engine, (1, "e"))):
        with pytest.raises(StoreError):
            ask()
    with pytest.raises(StoreError):
        changes_after(engine, 0)
    with pytest.raises(StoreError):
        newest_change(engine)
    engine.dispose()
