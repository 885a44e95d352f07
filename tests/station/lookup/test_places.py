"""station.lookup.places"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from station.lookup.places import BoxPlace, CameraPlace, PlacedRule, read_places
from tests.support.stores import Place
from tests.support.told_events import born, event_at

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def test_places_have_what_each_box_told_last_and_nothing_of_one_that_told_nothing(place: Place) -> None:
    zones = {"zones": [{"id": "lane", "points": []}], "rules": [{"id": "stop", "kind": "line"}]}
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit(
            [born("north-01", "Ngã tư", {"north": "Bắc"}, SIX, north=zones), event_at(9, SIX, box="a-2")]
        )
    place.do("update box set info = '[1, {\"cameras\": 3}]' where device = 'a-2'")

    with place.engine.connect() as connection:
        first, second = read_places(connection).values()

    assert first == BoxPlace(first.id, "a-2", "a-2", round(SIX.timestamp() * 1000), ())
    camera = CameraPlace("north", "Bắc", ("lane",), (PlacedRule("stop", "line"),), ("",))
    assert (second.title, second.cameras) == ("Ngã tư", (camera,))
    assert second.camera_title("north") == "Bắc"
    assert second.camera_title("gone") == "gone"


def test_titles_are_told_and_those_that_are_alike_with_their_ids(place: Place) -> None:
    said = {
        "zones": [{"id": "lane", "name": "Làn xe máy"}, {"id": "yard", "name": "lane"}, {"id": "gate"}],
        "rules": [
            {"id": "stop", "kind": "line", "name": "Vạch\u202e dừng"},
            {"id": "way-1", "kind": "wrong_way", "name": "Một chiều"},
            {"id": "way-2", "kind": "wrong_way", "name": "một chiều"},
        ],
    }
    cameras = {"north": "Chợ", "south": "chợ", "east": "Cầu"}
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([born("north-01", "Ngã tư", cameras, SIX, north=said)])

    with place.engine.connect() as connection:
        (box,) = read_places(connection).values()

    assert [each.title for each in box.cameras] == ["Chợ (north)", "chợ (south)", "Cầu"]
    titles = {"lane": "Làn xe máy", "yard": "lane (yard)", "gate": ""}
    assert (box.zone_titles("north"), box.zone_titles("gone")) == (titles, {})
    assert [box.rule_title("north", each) for each in ("stop", "way-1", "way-2", "gone")] == [
        "Vạch\ufffd dừng", "Một chiều (way-1)", "một chiều (way-2)", "gone",
    ]  # fmt: skip
    assert box.rule_title("south", "stop") == "stop"


def test_only_the_boxes_that_are_asked_for_are_read_by_the_order_of_their_titles(place: Place) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([born("b-01", "Chợ", {"north": "Bắc"}, SIX), born("a-02", "cầu", {"north": "Bắc"}, SIX)])

    with place.engine.connect() as connection:
        everything = read_places(connection)
        some = read_places(connection, [min(everything)])

    assert [each.title for each in everything.values()] == ["Chợ", "cầu"]
    assert list(some) == [min(everything)]


def test_titles_that_only_look_alike_are_told_with_their_ids_and_an_endless_one_is_cut(place: Place) -> None:
    zones = [
        {"id": "a", "name": "Cổng chợ"},
        {"id": "b", "name": "C\u043eng\u200b  cho"},  # Cyrillic, without accents, with what shows nothing
        {"id": "c", "name": "Vỉa hè\u200b\n phía đông"},
        {"id": "d", "name": "W" * 4_000},
    ]
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([born("north-01", "Ngã tư", {"north": "Bắc"}, SIX, north={"zones": zones})])

    with place.engine.connect() as connection:
        (box,) = read_places(connection).values()

    cyrillic = "C\u043eng cho (b)"
    assert box.cameras[0].zone_titles == ("Cổng chợ (a)", cyrillic, "Vỉa hè phía đông", "W" * 100 + "…")
