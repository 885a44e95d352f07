"""station.retention.clock_votes"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from station.ingest.inbound import InboundMessage, read
from station.retention.clock_votes import ClockVotes, clock_votes
from tests.support.aged_store import DAY_S, AgedStore
from tests.support.kept_events import event_now


def votes(aged: AgedStore) -> ClockVotes:
    with aged.engine.connect() as connection:
        return clock_votes(connection, round(aged.now_s * 1000))


def event_of(device: str, days_ago: float, number: int = 1, **fields: Any) -> InboundMessage:
    """What a box says of now, by its clock."""
    return event_now(number, ago_s=days_ago * DAY_S, device=device, **fields)


def says(device: str, suffix: str, days_ago: float, **fields: Any) -> InboundMessage:
    """How a box is, as the broker gives it again to a station that has just started."""
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    body = {"schema": "1.0", "session": "life", "time": at} | fields
    return read(f"ngatu/v1/hai-ninh/{device}/{suffix}", json.dumps(body).encode(), {}, retained=True)


def heard(device: str, days_ago: float, state: str = "online") -> list[InboundMessage]:
    clock = {"state": "ntp", "error_ms": 1, "boot_id": "b-1", "mono_ms": 1}
    return [says(device, "status", days_ago, state=state), says(device, "health", days_ago, clock=clock)]


def test_one_box_that_dates_wrongly_does_not_stand_against_the_others_however_much_it_tells(
    aged: AgedStore,
) -> None:
    """What the law has deleted would wait in the whole commune: 200 of its events were all that was asked."""
    aged.keep(0, event_of("good-01", 0), event_of("good-02", 0))
    aged.keep(0, *(event_of("hostile-01", 3, number) for number in range(1, 251)))

    found = votes(aged)

    assert found.doubt == ""
    assert [(each.box[1], each.days) for each in found.wrong] == [("hostile-01", 3)]
    assert "3 days before" in found.wrong[0].detail


@pytest.mark.parametrize(
    ("days_ago", "doubted", "wrong"),
    [
        ((), False, 0),
        ((0,), False, 0),
        ((3,), True, 0),  # nobody can say which is right, and what is deleted is gone
        ((3, 0), False, 1),  # the station and one box against one
        ((3, 4), True, 0),
        ((3, 4, 0), True, 0),
        ((3, 0, 0), False, 1),
        ((3, -3), False, 2),  # they agree with each other no more than with the station
        ((-3, -3, 0), True, 0),
        ((0.9, 0.9), False, 0),
    ],
)
def test_the_clock_is_in_doubt_where_most_boxes_agree_against_it(
    aged: AgedStore, days_ago: tuple[float, ...], doubted: bool, wrong: int
) -> None:
    for number, days in enumerate(days_ago):
        aged.keep(0, event_of(f"box-{number}", days))

    found = votes(aged)

    assert bool(found.doubt) is doubted
    assert len(found.wrong) == wrong


def test_the_doubt_names_the_boxes_and_by_how_much(aged: AgedStore) -> None:
    for number in range(7):
        aged.keep(0, event_of(f"box-{number}", 400 if number else 0))

    assert votes(aged).doubt == (
        "6 of 7 boxes date what they tell more than a day before this machine does: box-1 (400 days), "
        "box-2 (400 days), box-3 (400 days), box-4 (400 days), box-5 (400 days), 1 more"
    )


def test_a_box_whose_clock_nobody_vouches_for_has_no_vote(aged: AgedStore) -> None:
    aged.keep(0, event_of("box-1", 3, clock={"state": "floor", "error_ms": 1, "boot_id": "b-1", "mono_ms": 1}))

    assert votes(aged).every == []


def test_what_waited_at_a_box_that_was_cut_off_for_days_is_no_witness(aged: AgedStore) -> None:
    aged.keep(0, event_of("box-1", 5, replayed=True), event_of("box-2", 5), event_of("box-2", 0, 2))

    assert [(each.box[1], each.days) for each in votes(aged).every] == [("box-2", 0)]


def test_what_lay_at_the_broker_while_the_station_was_away_speaks_against_nobody(aged: AgedStore) -> None:
    """The box has long said how it is; only its old events are all that came."""
    aged.keep(0, event_of("box-1", 5), *heard("box-1", 0))

    assert votes(aged).doubt == ""


def test_a_clock_that_was_set_ahead_is_doubted_before_a_box_has_told_an_event(aged: AgedStore) -> None:
    """The station starts with a wrong clock: what boxes keep at the broker comes at once, events do not."""
    aged.keep(0, event_of("box-1", 0), *heard("box-1", 0))
    aged.now_s += 365 * DAY_S
    assert votes(aged).every == []

    aged.keep(0, *heard("box-1", 0))
    assert "box-1 (365 days)" in votes(aged).doubt


def test_what_a_box_that_is_away_said_last_is_no_witness(aged: AgedStore) -> None:
    aged.keep(0, *heard("box-1", 9, "offline"))

    assert votes(aged).every == []
