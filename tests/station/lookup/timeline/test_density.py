"""station.lookup.timeline.density"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from station.lookup.timeline import density
from station.lookup.timeline.density import DAY_MS, HOUR_MS, MINUTE_MS, MOST_BARS, densities, step_of
from station.lookup.wanted import EventSearch
from tests.support.stores import Place
from tests.support.told_events import camera_status, event_at, status

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
SIX_MS = round(SIX.timestamp() * 1000)


@pytest.fixture
def filled(place: Place) -> Place:
    """An event every minute of two hours, every fifth of them of a bus; an outage after them."""
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([status("north-01", "online", SIX - timedelta(days=9))])
        store.commit([camera_status("north-01", "north", "lost", SIX + timedelta(hours=2))])
        for number in range(120):
            seen = {"object": {**event_at(1, SIX).event.object.model_dump(mode="json"), "label": "bus"}}  # type: ignore[union-attr]
            more = seen if number % 5 == 0 else {}
            store.commit([event_at(number + 1, SIX + timedelta(minutes=number), **more)])
    place.do("update box set first_seen_ms = 0")
    return place


def test_every_step_has_a_bar_and_blank_times_stand_beside_them(filled: Place) -> None:
    (found,) = densities(filled.engine, [(1, "north")], SIX_MS, SIX_MS + 3 * HOUR_MS)

    assert found.step_ms == 10 * MINUTE_MS
    assert [bar.events for bar in found.bars] == [10] * 12 + [0] * 6
    assert [(each.kind, each.start_ms) for each in found.blanks] == [("camera", SIX_MS + 2 * HOUR_MS)]


def test_nothing_is_said_of_a_time_that_has_not_been_yet(filled: Place) -> None:
    now_ms = SIX_MS + 150 * MINUTE_MS
    (found,) = densities(filled.engine, [(1, "north")], SIX_MS, SIX_MS + 3 * HOUR_MS, now_ms=now_ms)

    assert [each.end_ms for each in found.blanks] == [now_ms]


def test_bars_say_how_many_of_their_events_are_looked_for(filled: Place) -> None:
    wanted = EventSearch(SIX, SIX + timedelta(hours=3), labels=("bus",))

    (found,) = densities(filled.engine, [(1, "north")], SIX_MS, SIX_MS + HOUR_MS, wanted)

    assert [(bar.events, bar.matching) for bar in found.bars] == [(10, 2)] * 6


def test_of_very_many_events_each_bar_is_counted_so_far_and_no_further(
    filled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(density, "MOST_ROWS", 50)
    monkeypatch.setattr(density, "MOST_OF_A_BAR", 8)

    (found,) = densities(filled.engine, [(1, "north")], SIX_MS, SIX_MS + 3 * HOUR_MS)

    assert {(bar.events, bar.is_all, bar.matching) for bar in found.bars} == {(8, False, None), (0, True, None)}


def test_bars_begin_at_whole_hours_and_days_of_the_place(filled: Place) -> None:
    hanoi = ZoneInfo("Asia/Ho_Chi_Minh")

    (found,) = densities(filled.engine, [(1, "north")], SIX_MS - 30 * DAY_MS, SIX_MS + DAY_MS, zone=hanoi)

    assert found.step_ms == DAY_MS
    assert {datetime.fromtimestamp(bar.start_ms / 1000, hanoi).hour for bar in found.bars} == {0}
    assert sum(bar.events for bar in found.bars) == 120
    busy = [bar for bar in found.bars if bar.events]
    assert [datetime.fromtimestamp(bar.start_ms / 1000, hanoi).day for bar in busy] == [3]


def test_a_camera_that_is_not_there_has_empty_bars(filled: Place) -> None:
    (found,) = densities(filled.engine, [(1, "south")], SIX_MS, SIX_MS + HOUR_MS)

    assert {bar.events for bar in found.bars} == {0}


@pytest.mark.parametrize(
    ("lasts_ms", "step_ms"),
    [
        (HOUR_MS, 10 * MINUTE_MS),
        (12 * HOUR_MS, 10 * MINUTE_MS),
        (13 * HOUR_MS, HOUR_MS),
        (9 * DAY_MS, DAY_MS),
        (3 * MOST_BARS * DAY_MS - 1, 3 * DAY_MS),
    ],
)
def test_a_step_is_as_long_as_the_range_asks_for(lasts_ms: int, step_ms: int) -> None:
    assert step_of(lasts_ms) == step_ms
