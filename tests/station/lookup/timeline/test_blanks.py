"""station.lookup.timeline.blanks"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from station.lookup.timeline.blanks import BlankKind, BlankTime, blank_times
from station.store.store import Store
from tests.support.duty_store import add_alarm
from tests.support.stores import Place
from tests.support.told_events import camera_status, event_at, status

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
NOW = [SIX]


def at_ms(minutes: float) -> int:
    return round((SIX + timedelta(minutes=minutes)).timestamp() * 1000)


def opened(place: Place, minutes: float = -600, gap_after_s: float = 60.0) -> Store:
    NOW[0] = SIX + timedelta(minutes=minutes)
    return place.open(gap_after_s, now=lambda: NOW[0].timestamp() + 0)


def blanks(place: Place, since: float, until: float, camera: str = "north") -> list[tuple[str, float, float]]:
    with place.engine.connect() as connection:
        found = blank_times(connection, 1, camera, at_ms(since), at_ms(until))
    return [
        (each.kind, (each.start_ms - at_ms(0)) / 60_000, (each.end_ms - at_ms(0)) / 60_000) for each in found
    ]


def said(store: Store, minutes: float, *states: str) -> None:
    """What a box and a camera say of themselves at a minute."""
    NOW[0] = at = SIX + timedelta(minutes=minutes)
    for state in states:
        is_box = state in ("online", "offline", "stopped")
        store.commit(
            [status("north-01", state, at) if is_box else camera_status("north-01", "north", state, at)]
        )


def test_a_camera_that_does_not_stream_sees_nothing_until_it_does_again(place: Place) -> None:
    with closing(opened(place)) as store:
        said(store, -600, "online", "streaming")
        said(store, 10, "lost")
        said(store, 20, "stalled")
        said(store, 25, "streaming")

    assert blanks(place, 0, 60) == [("camera", 10, 20), ("camera", 20, 25)]
    assert blanks(place, 12, 15) == [("camera", 12, 15)], "cut to what is asked for"
    assert blanks(place, 30, 60) == []
    assert blanks(place, 0, 60, camera="south") == []


def test_a_state_of_before_goes_on_and_the_last_one_goes_on_to_the_end(place: Place) -> None:
    with closing(opened(place)) as store:
        said(store, -600, "online")
        said(store, -500, "blind")

    assert blanks(place, 0, 60) == [("camera", 0, 60)]


def test_a_box_that_is_not_heard_is_no_camera_that_does_not_see(place: Place) -> None:
    with closing(opened(place)) as store:
        said(store, -600, "online", "streaming")
        said(store, 10, "offline")
        said(store, 20, "online")
        said(store, 40, "stopped")

    assert blanks(place, 0, 60) == [("offline", 10, 20), ("stopped", 40, 60)]


def test_a_box_that_was_silent_though_connected_or_saw_less_is_told_as_the_report_of_a_shift_tells_it(
    place: Place,
) -> None:
    with closing(opened(place)) as store:
        said(store, -600, "online", "streaming")
    with place.engine.begin() as connection:
        add_alarm(connection, 1, "box_silent", at_ms(10), at_ms(20))
        add_alarm(connection, 1, "detector_failed", at_ms(30), at_ms(35))
        add_alarm(connection, 1, "overheated", at_ms(50), None)

    assert blanks(place, 0, 60) == [("silent", 10, 20), ("less", 30, 35), ("less", 50, 60)]


def test_before_a_box_was_heard_first_nobody_watched(place: Place) -> None:
    with closing(opened(place)) as store:
        said(store, 30, "online")

    assert blanks(place, 0, 60) == [("before", 0, 30)]


@pytest.mark.parametrize("filled", [False, True])
def test_what_is_missing_is_a_gap_between_what_came_before_and_after_it(place: Place, filled: bool) -> None:
    with closing(opened(place, gap_after_s=0.0)) as store:
        said(store, -600, "online")
        first, last = SIX + timedelta(minutes=5), SIX + timedelta(minutes=9)
        NOW[0] = SIX + timedelta(minutes=30)
        store.commit([event_at(1, first, seq=1, lasts_s=0), event_at(2, last, seq=4, lasts_s=0)])
        store.attend()
        store.attend()
        if filled:
            store.commit([event_at(3, first, seq=2), event_at(4, first, seq=3)])
            store.attend()

    assert blanks(place, 0, 60) == ([] if filled else [("gap", 5, 9)])


def test_a_blank_time_knows_its_state_and_how_many_are_missing(place: Place) -> None:
    with closing(opened(place, gap_after_s=0.0)) as store:
        said(store, -600, "online")
        said(store, 10, "blind")
        store.commit([event_at(1, SIX, seq=1), event_at(2, SIX, seq=5)])
        store.attend()
        store.attend()
    with place.engine.connect() as connection:
        found = blank_times(connection, 1, "north", at_ms(0), at_ms(60))

    assert {(each.kind, each.detail) for each in found} == {(BlankKind.GAP, "3"), (BlankKind.CAMERA, "blind")}
    assert BlankTime(BlankKind.CAMERA, at_ms(10), at_ms(60), "blind") in found
