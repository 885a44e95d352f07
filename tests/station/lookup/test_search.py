"""station.lookup.search"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert

from agent.errors import NgatuError
from station.lookup.colour_asked import with_unknown
from station.lookup.found import EventPage
from station.lookup.search import counted, counted_unknown, found_all, found_page, looked_up
from station.lookup.wanted import EventSearch
from station.store import schema
from station.store.database import StoreError
from tests.support.stores import Place
from tests.support.told_events import born, event_at, road_user

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
DAY = EventSearch(SIX - timedelta(hours=12), SIX + timedelta(hours=12))
KINDS = ("line_crossed", "wrong_way", "zone_entered", "camera_lost")
LABELS = ("motorcycle", "car", "bus")
ZONES = ("gate", "lane-1", "lane-2")
CAMERAS = (("north-01", "north"), ("north-01", "south"), ("east-02", "north"))
COLOURS = ("red", "white")
STATES = ("seen", "confirmed", "false", "passed_on")
Made = dict[str, Any]


def made(number: int, chance: Random) -> Made:
    """What an event is, as drawn by chance."""
    box, camera = chance.choice(CAMERAS)
    kind = chance.choice(KINDS)
    label = None if kind == "camera_lost" else chance.choice(LABELS)
    lasts_s: float | None = chance.choice((1, 60, 5_000, 20_000))
    return {
        "number": number, "box": box, "camera": camera, "kind": kind, "label": label,
        "riders": chance.randint(0, 4) if label == "motorcycle" else 0,
        "at": SIX + timedelta(seconds=chance.randint(-80_000, 40_000)), "lasts_s": lasts_s,
        "direction": chance.choice(("in", "out", None)), "severity": chance.choice(("info", "info", "alert")),
        "rule": chance.choice(("stop-line", "bus-lane")), "zones": chance.sample(ZONES, chance.randint(0, 2)),
        "late": chance.random() < 0.2, "review": chance.choice((*STATES, None, None, None)),
        "detail": "covered by a leaf" if kind == "camera_lost" else None,
        "vehicle": chance.choice((*COLOURS, "unknown", None)), "clothes": chance.choice((*COLOURS, None)),
    }  # fmt: skip


def message(it: Made) -> Any:
    seen = road_user(it["number"], it["at"], label=it["label"], riders=it["riders"], entered_zones=it["zones"])
    for name, word in (("vehicle_colour", it["vehicle"]), ("clothes_colour", it["clothes"])):
        seen[name] = word and {"word": word, "confidence": 0.7}
    return event_at(
        it["number"], it["at"], box=it["box"], camera=it["camera"], lasts_s=it["lasts_s"], kind=it["kind"],
        direction=it["direction"], severity=it["severity"], rule={"id": it["rule"], "kind": "line"},
        object=seen if it["label"] else None, replayed=it["late"], detail=it["detail"],
    )  # fmt: skip


def reviewed(place: Place, events: list[Made]) -> None:
    ids = dict(place.rows("select device, id from box"))
    rows = [
        {
            "box_id": ids[it["box"]], "event_id": f"e-{it['number']}", "state": it["review"], "note": "",
            "login": "lan", "name": "Lan", "changed_ms": round(it["at"].timestamp() * 1000) + 60_000,
            "change_id": 0, "camera": it["camera"], "rule_id": it["rule"], "rule_kind": "line",
            "began_ms": round(it["at"].timestamp() * 1000),
        }
        for it in events
        if it["review"]
    ]  # fmt: skip
    with place.engine.begin() as connection:
        connection.execute(insert(schema.review), rows)


EVENTS = [made(number, Random(number)) for number in range(1, 401)]


@pytest.fixture
def filled(place: Place) -> Place:
    """400 events of three cameras, most of them reviewed."""
    return fill(place)


def fill(place: Place) -> Place:
    later = {it["number"]: it["at"].timestamp() + (3600 if it["late"] else 1) for it in EVENTS}
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit(
            [born("north-01", "Ngã tư chợ", {"north": "Chợ, hướng bắc", "south": "Chợ, hướng nam"}, SIX)]
        )
        store.commit([message(it) for it in EVENTS])
    with place.engine.begin() as connection:
        for number, at_s in later.items():
            values = {"first_received_ms": round(at_s * 1000)}
            connection.execute(
                schema.event.update().where(schema.event.c.event_id == f"e-{number}").values(values)
            )
    reviewed(place, EVENTS)
    return place


def drawn(chance: Random) -> EventSearch:
    """A search by chance: now and then with what is not there."""
    since = SIX + timedelta(seconds=chance.randint(-90_000, 30_000))
    search = EventSearch(since, since + timedelta(seconds=chance.choice((600, 7_200, 200_000))))
    fields: dict[str, Any] = {
        "boxes": chance.sample(("north-01", "east-02", "elsewhere"), chance.randint(1, 2)),
        "cameras": chance.sample([f"{box}/{camera}" for box, camera in CAMERAS], 1),
        "kinds": chance.sample(KINDS, chance.randint(1, 2)),
        "labels": chance.sample((*LABELS, "tram"), chance.randint(1, 2)),
        "vehicle_colours": chance.sample((*COLOURS, "unknown"), chance.randint(1, 2)),
        "clothes_colours": chance.sample(("red", "pink", "unknown"), chance.randint(1, 2)),
        "directions": chance.sample(("in", "out", "up"), 1),
        "zones": chance.sample((*ZONES, "nowhere"), 1),
        "rules": chance.sample(("stop-line", "bus-lane", "nothing"), 1),
        "severities": ["alert"],
        "reviews": chance.sample((*STATES, "new"), chance.randint(1, 2)),
        "words": [chance.choice(("gate", "leaf", "bắc", "bus", "chợ", "e-17", "nowhere"))],
    }
    some = {name: tuple(fields[name]) for name in chance.sample(sorted(fields), chance.randint(0, 3))}
    if chance.random() < 0.2:
        some |= {"riders": chance.randint(0, 4), "riders_at_least": chance.random() < 0.5}
    return replace(search, late_only=chance.random() < 0.1, newest_first=chance.random() < 0.6, **some)


def fits(it: Made, wanted: EventSearch) -> bool:
    """Said once more in another way, event by event."""
    ends = it["at"] + timedelta(seconds=it["lasts_s"])
    place = f"{it['box']}/{it['camera']}"
    texts = [it["camera"], it["rule"], ",".join(it["zones"]), it["detail"] or "", it["box"]]
    if it["box"] == "north-01":
        texts += ["Ngã tư chợ", {"north": "Chợ, hướng bắc", "south": "Chợ, hướng nam"}[it["camera"]]]
    of_all = (
        it["at"] < wanted.until and (it["at"] >= wanted.since or ends >= wanted.since),
        not (wanted.boxes or wanted.cameras) or it["box"] in wanted.boxes or place in wanted.cameras,
        not wanted.kinds or it["kind"] in wanted.kinds,
        not wanted.labels or it["label"] in wanted.labels,
        not wanted.vehicle_colours or (it["label"] and (it["vehicle"] or "unknown") in wanted.vehicle_colours),
        not wanted.clothes_colours
        or (it["label"] and it["clothes"] in wanted.clothes_colours)
        or ("unknown" in wanted.clothes_colours and it["riders"] > 0 and it["clothes"] is None),
        not wanted.directions or it["direction"] in wanted.directions,
        not wanted.zones or (it["label"] and set(it["zones"]) & set(wanted.zones)),
        not wanted.rules or it["rule"] in wanted.rules,
        not wanted.severities or it["severity"] in wanted.severities,
        not wanted.reviews or (it["review"] or "new") in wanted.reviews,
        not wanted.late_only or it["late"],
        all(
            word == f"e-{it['number']}" or any(word in text.casefold() for text in _said(it, texts))
            for word in wanted.words
        ),
    )
    if not all(of_all):
        return False
    if wanted.riders is None:
        return True
    if it["label"] is None:
        return False
    return bool(it["riders"] >= wanted.riders if wanted.riders_at_least else it["riders"] == wanted.riders)


def _said(it: Made, texts: list[str]) -> list[str]:
    return texts if it["label"] else [text for text in texts if text != ",".join(it["zones"])]


def ids(place: Place, wanted: EventSearch, limit: int, budget_s: float) -> list[str]:
    """Of all pages, one after the other."""
    found: list[str] = []
    after: str | None = None
    while True:
        page: EventPage = found_page(place.engine, wanted, after, limit, budget_s)
        found += [card.event_id for card in page.cards]
        if page.next is None:
            return found
        assert page.next != after, "each page goes on"
        after = page.next


@pytest.mark.long
def test_a_look_up_finds_what_fits_and_nothing_else_however_it_is_cut_into_pages(filled: Place) -> None:
    chance = Random(4)
    some = 0
    for _ in range(150):
        wanted = drawn(chance)
        expected = {f"e-{it['number']}" for it in EVENTS if fits(it, wanted)}
        some += bool(expected)
        found = ids(filled, wanted, chance.choice((3, 60)), chance.choice((0.0, 5.0)))

        assert sorted(found) == sorted(expected), wanted
        began = {f"e-{it['number']}": it["at"] for it in EVENTS}
        assert [began[each] for each in found] == sorted(
            (began[each] for each in found), reverse=wanted.newest_first
        )
        more = len([it for it in EVENTS if fits(it, with_unknown(wanted))]) - len(expected)
        besides = counted_unknown(filled.engine, wanted, budget_s=5.0)
        assert (besides.number if besides else 0, besides is None or besides.is_all) == (more, True), wanted
        number = counted(filled.engine, wanted, most=50, budget_s=5.0)
        assert number.number == min(len(expected), 50), wanted
        assert number.is_all == (len(expected) <= 50), wanted
        first, whole = looked_up(filled.engine, wanted, limit=20, budget_s=5.0)
        assert first == found_page(filled.engine, wanted, limit=20, budget_s=5.0), wanted
        assert (whole.number, whole.is_all) == (len(expected), True), wanted
    assert some > 50


def test_a_page_and_its_count_agree_with_both_alone(filled: Place) -> None:
    page, number = looked_up(filled.engine, DAY, limit=20, budget_s=5.0)
    assert page == found_page(filled.engine, DAY, limit=20, budget_s=5.0)
    assert number == counted(filled.engine, DAY, budget_s=5.0)

    page, number = looked_up(filled.engine, replace(DAY, rules=("bus-lane",), labels=("bus",)), budget_s=5.0)
    assert (number.number, number.is_all, page.next) == (len(page.cards), True, None)


@pytest.mark.long
def test_what_comes_in_between_takes_nothing_from_the_next_page_and_puts_nothing_in_twice(
    filled: Place,
) -> None:
    before = ids(filled, DAY, 500, 5.0)
    first = found_page(filled.engine, DAY, limit=30, budget_s=5.0)
    with closing(filled.open(now=SIX.timestamp)) as store:
        at = datetime.fromtimestamp(first.cards[0].began_ms / 1000, UTC)
        store.commit([event_at(1000 + number, at + timedelta(seconds=number)) for number in range(20)])

    rest = ids_after(filled, first)

    assert [card.event_id for card in first.cards] + rest == before


def ids_after(place: Place, page: EventPage) -> list[str]:
    found, after = list[str](), page.next
    while after is not None:
        page = found_page(place.engine, DAY, after, 30, 5.0)
        found += [card.event_id for card in page.cards]
        after = page.next
    return found


@pytest.mark.long
def test_when_the_time_is_up_the_page_says_how_far_it_has_looked(filled: Place) -> None:
    for number in range(4):  # more than a chunk
        with closing(filled.open(now=SIX.timestamp)) as store:
            first = 10_000 * (number + 1)
            store.commit([event_at(first + index, SIX + timedelta(seconds=index)) for index in range(300)])
    wanted = replace(DAY, until=SIX + timedelta(hours=1), zones=("nowhere",), labels=("motorcycle",))
    filled.do(
        "update event set zones = ',' || event_id || ',' where zones is null"
    )  # too many lists for an index

    page, number = looked_up(filled.engine, wanted, budget_s=0.0)

    assert (page.cards, number.number, number.is_all) == ((), 0, False)
    assert page.looked_to_ms is not None
    assert SIX.timestamp() * 1000 <= page.looked_to_ms < (SIX.timestamp() + 300) * 1000
    assert ids(filled, wanted, 60, 0.0) == []


@pytest.mark.long
def test_an_export_has_all_of_it(filled: Place) -> None:
    found = [card.event_id for card in found_all(filled.engine, DAY, page=7)]

    assert found == ids(filled, DAY, 60, 5.0)
    assert len(found) > 100


def test_what_has_no_end_went_on_as_long_as_its_box_was_heard(place: Place) -> None:
    with closing(place.open(now=(SIX + timedelta(hours=1)).timestamp)) as store:
        store.commit([event_at(1, SIX - timedelta(hours=9), lasts_s=None)])

    assert ids(place, EventSearch(SIX, SIX + timedelta(minutes=5)), 9, 5.0) == ["e-1"]
    assert ids(place, EventSearch(SIX + timedelta(hours=2), SIX + timedelta(hours=3)), 9, 5.0) == []


def test_a_place_that_is_none_of_ours_is_refused(filled: Place) -> None:
    with pytest.raises(NgatuError, match="cannot be found"):
        found_page(filled.engine, DAY, "1~-1~e")


def test_a_database_that_is_away_is_told(filled: Place) -> None:
    filled.do("drop table event_feed")
    filled.do("alter table event rename to elsewhere")

    with pytest.raises(StoreError):
        found_page(filled.engine, DAY)
