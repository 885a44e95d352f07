"""station.lookup.newest"""

from __future__ import annotations

from station.lookup.newest import AHEAD_MS, newest_keys
from tests.support.duty_store import add_box, add_event, opened
from tests.support.stores import Place

NOON_MS = 1_795_000_000_000


def test_the_newest_come_first_and_a_clock_that_is_far_ahead_does_not_stay_on_top(sqlite_place: Place) -> None:
    engine = opened(sqlite_place.folder)
    with engine.begin() as connection:
        box_id = add_box(connection, "hai-ninh", "cho-01")
        for number in range(5):
            add_event(connection, box_id, number, NOON_MS + number * 1000)
        add_event(connection, box_id, 9, NOON_MS + AHEAD_MS + 60_000)
    assert newest_keys(engine, 3, NOON_MS + 5000) == [(box_id, "e-4"), (box_id, "e-3"), (box_id, "e-2")]
    engine.dispose()
