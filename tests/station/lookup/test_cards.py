"""station.lookup.cards"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from station.lookup.cards import EventCard, cards_of, feed_after, feed_floor, feed_head
from station.store import schema
from tests.station.store.test_clocks import WALL_MS, clock_map, stamped
from tests.support.jpegs import jpeg
from tests.support.stores import Place
from tests.support.told_events import born, event_at, picture_of

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def card(place: Place, number: int = 1) -> EventCard:
    ((box_id,),) = place.rows("select id from box where device = 'north-01'")
    (found,) = cards_of(place.engine, [(box_id, f"e-{number}")])
    return found


def test_a_card_says_where_it_was_by_the_names_of_people(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([born("north-01", "Ngã tư chợ", {"north": "Chợ, hướng bắc"}, SIX), event_at(1, SIX)])
        store.commit([event_at(2, SIX, camera="south"), event_at(3, SIX, camera="box")])

    found = card(place)
    assert (found.box, found.box_title, found.camera, found.camera_title) == (
        "north-01", "Ngã tư chợ", "north", "Chợ, hướng bắc",
    )  # fmt: skip
    assert card(place, 2).camera_title == "south", "it is configured no longer"
    assert (found.review, found.reviewed_by, found.ended_ms) == ("new", None, found.began_ms + 1000)


def test_a_card_names_a_picture_only_once_it_is_here(place: Place) -> None:
    image, thumbnail = picture_of(jpeg(), 1, 2)
    scene, whole = picture_of(jpeg(b"whole"), 1, 3, kind="scene")
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(1, SIX, image=image, scene=scene), thumbnail])
        assert (card(place).thumbnail, card(place).scene) == (thumbnail.image_sha256, None)
        store.commit([whole])
        assert card(place).scene == whole.image_sha256


def test_what_came_a_minute_late_or_was_replayed_is_no_news(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(1, SIX - timedelta(seconds=59)), event_at(2, SIX - timedelta(seconds=61))])
        store.commit([event_at(3, SIX - timedelta(seconds=1), replayed=True)])

    assert [card(place, number).late for number in (1, 2, 3)] == [False, True, False]
    assert [card(place, number).is_old_news for number in (1, 2, 3)] == [False, True, True]


def test_lateness_is_judged_by_the_time_that_the_station_put_right(place: Place) -> None:
    with closing(place.open(now=lambda: WALL_MS / 1000 - 55)) as store:
        store.commit([stamped(1, 5_000), clock_map(2, 65_000)])

    found = card(place)
    assert (found.clock, found.late, found.began_ms) == ("corrected", False, WALL_MS - 61_000)


def test_a_card_says_what_was_made_of_it_and_by_whom(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(1, SIX), event_at(2, SIX)])
    shared: dict[str, Any] = {
        "box_id": 1, "note": "", "login": "lan", "name": "Lan", "changed_ms": 1, "change_id": 1,
        "camera": "north", "rule_id": "r", "rule_kind": "line", "began_ms": 1,
    }  # fmt: skip
    with place.engine.begin() as connection:
        rows = [shared | {"event_id": "e-1", "state": "false", "reason": "animal"}]
        rows.append(shared | {"event_id": "e-2", "state": "new", "reason": None})
        connection.execute(insert(schema.review), rows)

    assert (card(place).review, card(place).reviewed_by, card(place).review_reason) == (
        "false",
        "Lan",
        "animal",
    )
    assert (card(place, 2).review, card(place, 2).reviewed_by) == ("new", None), "it was taken back"


def test_cards_stand_in_the_order_of_their_keys_once_and_without_those_that_are_not_here(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(number, SIX) for number in range(1, 260)])
    keys = [(1, f"e-{number}") for number in (7, 3, 7, 999)] + [(1, f"e-{number}") for number in range(10, 250)]

    found = [each.event_id for each in cards_of(place.engine, keys)]

    assert found[:3] == ["e-7", "e-3", "e-10"]
    assert len(found) == 242
    assert cards_of(place.engine, []) == []


def test_no_text_of_a_box_steers_whoever_shows_it(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([born("north-01", "chợ", {"north": "b\x1b[2J"}, SIX), event_at(1, SIX)])
    place.do("update event set zones = ',a\x1b[2J,b,', label = 'x\x9by'")

    found = card(place)

    assert found.zones == ("a\ufffd[2J", "b")
    assert found.label == "x\ufffdy"
    assert found.camera_title == "b\ufffd[2J"


def test_the_feed_is_followed_from_its_head_and_each_revision_comes_once(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        assert (feed_head(place.engine), feed_floor(place.engine)) == (0, 0)
        store.commit([event_at(1, SIX, lasts_s=None)])
        head = feed_head(place.engine)
        store.commit([event_at(2, SIX), event_at(1, SIX, revision=2, seq=3)])

    part = feed_after(place.engine, head)
    assert part.keys == ((1, "e-2"), (1, "e-1"))
    assert part.ids == (head + 1, head + 2)
    assert feed_after(place.engine, part.ids[-1]).ids == ()
    assert feed_after(place.engine, 0, limit=2).ids == (head, head + 1)
    place.do(f"delete from event_feed where id <= {head}")
    assert feed_floor(place.engine) == head + 1
