"""station.store.clocks"""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from agent.wire.payloads import LARGEST
from station.ingest.inbound import InboundMessage, MessageKind, read
from station.store.clocks import MAPS_PER_BOOT
from tests.station.ingest.test_receipts import BASE, messages
from tests.station.store.test_store import altered
from tests.support.stores import Place

WALL, WALL_MS = "2026-03-02T11:01:05.000Z", 1_772_449_265_000
FROM_1970 = {"time": "1970-01-01T00:00:05.000Z", "start_time": "1970-01-01T00:00:04.000Z"}


def stamped(
    number: int, mono_ms: int, state: str = "unknown", boot: str = "b-1", **fields: Any
) -> InboundMessage:
    """An event that a box has told five seconds after its boot in 1970."""
    (event,) = messages(number, number)
    clock = {"state": state, "error_ms": None, "boot_id": boot, "mono_ms": mono_ms}
    return altered(event, clock=clock, **FROM_1970 | fields)


def clock_map(seq: int, mono_ms: int, time: str = WALL, boot: str = "b-1") -> InboundMessage:
    document = {"seq": seq, "stream": "s-1", "published_at": WALL, "replayed": False, "schema": "1.0"}
    clock = {"state": "ntp", "error_ms": 5, "boot_id": boot, "mono_ms": mono_ms}
    document |= {"session": "life", "time": time, "clock": clock}
    arrival = read(BASE + "camera/box/clock_map", json.dumps(document).encode(), {})
    assert (arrival.kind, arrival.problem) == (MessageKind.CLOCK_MAP, None)
    return arrival


def happened(place: Place) -> dict[str, int | None]:
    """When each event was, by all that is known."""
    rows = place.rows("select event_id, time_ms + clock_offset_ms from event")
    return {row[0]: row[1] for row in rows}


def test_what_was_stamped_before_the_map_is_put_right_whichever_comes_first(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([stamped(1, 5_000)])
        assert happened(place) == {"e-1": None}
        store.commit([clock_map(2, 65_000)])
        assert happened(place) == {"e-1": WALL_MS - 60_000}
        store.commit([stamped(3, 15_000)])
        assert happened(place)["e-3"] == WALL_MS - 50_000

    assert place.rows("select min(time_ms), min(start_ms) from event") == [(5_000, 4_000)]
    (body,) = place.rows("select body from event_revision where event_id = 'e-1'")[0]
    assert json.loads(body)["time"].startswith("1970")


def test_what_is_trusted_later_or_of_another_boot_is_left_alone(place: Place) -> None:
    with closing(place.open()) as store:
        store.commit([stamped(1, 5_000, "ntp"), stamped(2, 5_000, "rtc"), stamped(3, 70_000)])
        store.commit([stamped(4, 5_000, boot="b-2"), clock_map(5, 65_000)])

    assert set(happened(place).values()) == {None}


def test_the_first_map_after_an_event_counts(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([stamped(1, 5_000), stamped(2, 70_000)])
        store.commit([clock_map(3, 80_000, "2026-03-02T12:00:00.000Z"), clock_map(4, 65_000)])

    times = happened(sqlite_place)
    assert times["e-1"] == WALL_MS - 60_000
    assert times["e-2"] == 1_772_452_800_000 - 10_000


def test_a_newer_revision_has_its_own_moment(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([stamped(1, 5_000), clock_map(2, 65_000)])
        store.commit([stamped(1, 8_000, revision=2, seq=3, time="1970-01-01T00:00:08.000Z")])

        assert happened(sqlite_place) == {"e-1": WALL_MS - 57_000}
        store.commit([stamped(1, 9_000, "ntp", revision=3, seq=4, time=WALL)])
        assert happened(sqlite_place) == {"e-1": None}


def test_a_map_without_a_moment_of_the_boot_changes_nothing(sqlite_place: Place) -> None:
    arrival = clock_map(2, 65_000)
    raw = arrival.raw.replace(b'"mono_ms": 65000', b'"mono_ms": null')
    with closing(sqlite_place.open()) as store:
        store.commit([stamped(1, 5_000), read(BASE + "camera/box/clock_map", raw, {})])

    assert happened(sqlite_place) == {"e-1": None}
    assert sqlite_place.rows("select kind from other_message") == [("clock_map",)]


@pytest.mark.parametrize("first", ["event", "map"])
def test_two_moments_of_a_boot_that_no_clock_has_put_nothing_outside_the_years_of_the_wire(
    place: Place, first: str
) -> None:
    """A stolen card says both; a page that shows an event of the year -568827 shows no other either."""
    both = [stamped(1, -LARGEST), clock_map(2, LARGEST)]
    with closing(place.open()) as store:
        for each in both if first == "event" else reversed(both):
            store.commit([each])
        store.commit([stamped(3, LARGEST - 60_000)])

        assert happened(place) == {"e-1": None, "e-3": WALL_MS - 60_000}


def test_a_map_between_two_others_changes_only_what_was_before_it(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([stamped(1, 5_000), stamped(2, 30_000), stamped(3, 70_000)])
        store.commit([clock_map(4, 80_000, "2026-03-02T12:00:00.000Z"), clock_map(5, 10_000)])
        store.commit([clock_map(6, 40_000, "2026-03-02T13:00:00.000Z")])

    assert happened(sqlite_place) == {
        "e-1": WALL_MS - 5_000,
        "e-2": 1_772_456_400_000 - 10_000,
        "e-3": 1_772_452_800_000 - 10_000,
    }


@pytest.mark.long
def test_a_clock_that_flaps_costs_the_same_with_each_map_and_ends_to_be_heeded(sqlite_place: Place) -> None:
    with closing(sqlite_place.open()) as store:
        store.commit([stamped(number, 10 * number) for number in range(1, 200)])
        for number in range(500):
            store.commit([clock_map(1000 + number, 5_000 + number)])
        store.commit([stamped(900, 5_000 + MAPS_PER_BOOT)])

    assert sqlite_place.rows("select count(*) from clock_map") == [(MAPS_PER_BOOT,)]
    assert sqlite_place.rows("select count(*) from other_message") == [(500,)]
    assert happened(sqlite_place)["e-900"] is None
    assert happened(sqlite_place)["e-1"] == WALL_MS - 4_990
