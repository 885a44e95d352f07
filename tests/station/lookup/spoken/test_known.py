"""station.lookup.spoken.known"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from station.lookup.spoken.known import MOST_DIRECTIONS, known_names
from tests.support.stores import Place
from tests.support.told_events import born, event_at

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def test_names_are_those_of_boxes_and_directions_those_of_events(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([born("north-01", "Ngã tư chợ", {"north": "Hướng Bắc"}, SIX)])
        store.commit(
            [event_at(n, SIX, direction=name) for n, name in enumerate(("out", "in", "bac", None, "in"), 1)]
        )

        found = known_names(place.engine)
        assert [each.title for each in found.places] == ["Ngã tư chợ"]
        assert found.directions == ("bac", "in", "out")

        store.commit([event_at(n, SIX, direction=f"d-{n}") for n in range(100, 102 + MOST_DIRECTIONS)])
        assert known_names(place.engine).directions == (), "as many as somebody likes are no names"
