"""station.lookup.walk.ways"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event as hooks

from station.lookup.places import read_places
from station.lookup.search import found_page, looked_up
from station.lookup.walk.ways import ALL, KnownCameras, SearchWay, distinct, known_cameras, placed_by
from station.store.schema import event
from tests.station.lookup.test_search import DAY, fill
from tests.support.stores import Place

WAYS = {
    "ix_event_began_ms": {},
    "ix_event_label_began_ms": {"labels": ("tram",)},
    "ix_event_kind_label_began_ms": {"kinds": ("crowd",)},
    "ix_event_rule_began_ms": {"rules": ("nothing",)},
    "ix_event_direction_began_ms": {"directions": ("up",)},
    "ix_event_alert_began_ms": {"severities": ("alert",)},
    "ix_event_late_began_ms": {"late_only": True},
    "ix_event_crowded_began_ms": {"riders": 4},
    "ix_event_zones_began_ms": {"zones": ("gate",)},
    "ix_event_box_camera_began_ms": {"cameras": ("north-01/north",)},
    "ix_event_alert_box_camera_began_ms": {"cameras": ("north-01/north",), "severities": ("alert",)},
}


@pytest.mark.parametrize("index", WAYS)
@pytest.mark.parametrize("newest_first", [True, False])
def test_each_filter_has_an_index_that_gives_its_events_in_order(
    sqlite_place: Place, index: str, newest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL plans by what it knows of a table, nothing of so small a one: the benchmark sees it."""
    filled = fill(sqlite_place)
    monkeypatch.setattr("station.lookup.walk.ways.PROBE_ROWS", 1)  # as if there were a million
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_: object) -> None:
        is_probe = list(values)[-2:] == [1, 0]  # one row behind PROBE_ROWS - 1: how far a way reaches
        if "ORDER BY coalesce(" in statement and not statement.startswith("explain") and not is_probe:
            plans.append(str(connection.exec_driver_sql(f"explain query plan {statement}", values).all()))

    hooks.listen(filled.engine, "before_cursor_execute", explain)
    found_page(filled.engine, replace(DAY, newest_first=newest_first, **WAYS[index]), budget_s=5.0)

    assert any(index in plan for plan in plans), plans
    assert not any("MATERIALIZE" in plan for plan in plans)


@pytest.mark.parametrize("wanted", [{}, {"cameras": ("north-01/north",)}, {"boxes": ("north-01",)}], ids=str)
def test_of_events_that_last_no_row_is_read_to_know_who_lasts_into_the_time(
    sqlite_place: Place, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows lie apart, one on each page, and all that ever lasted are asked."""
    filled = fill(sqlite_place)
    monkeypatch.setattr("station.lookup.walk.ways.PROBE_ROWS", 1)  # as if there were a million
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, values: Any, *_: object) -> None:
        if "3600000" in statement and not statement.startswith("explain"):
            plans.append(str(connection.exec_driver_sql(f"explain query plan {statement}", values).all()))

    hooks.listen(filled.engine, "before_cursor_execute", explain)
    looked_up(filled.engine, replace(DAY, **wanted))

    assert plans
    assert all("USING COVERING INDEX ix_event_lasting" in plan for plan in plans), plans


def test_of_ways_of_which_one_lies_within_the_other_none_is_asked_how_far_it_reaches(
    sqlite_place: Place,
) -> None:
    """Each question costs a server a millisecond; that a camera has fewer than all is plain."""
    filled = fill(sqlite_place)
    probes: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: object) -> None:
        if list(values)[-2:] == [1, 1999]:
            probes.append(statement)

    hooks.listen(filled.engine, "before_cursor_execute", note)
    for wanted in ({"severities": ("alert",)}, {"cameras": ("north-01/north",)}, {"labels": ("bus",)}):
        found_page(filled.engine, replace(DAY, **wanted))
    found_page(filled.engine, replace(DAY, cameras=("north-01/north",), severities=("alert",)))
    assert not probes
    found_page(filled.engine, replace(DAY, cameras=("north-01/north",), labels=("bus",)))
    assert probes


def test_a_way_is_within_another_by_what_it_answers_and_in_no_more_heads() -> None:
    alerts, bus, car = (event.c.severity == "alert",), (event.c.label == "bus",), (event.c.label == "car",)
    of_alerts = SearchWay((alerts,), fulfils=frozenset({"severities"}))
    of_both = SearchWay(((*alerts, *bus),), fulfils=frozenset({"severities", "labels"}))
    of_two = SearchWay((bus, car), fulfils=frozenset({"labels", "severities"}))
    some_zone = SearchWay((alerts,))

    assert of_both.is_within(of_alerts)
    assert not of_alerts.is_within(of_both)
    assert not of_two.is_within(of_alerts)
    assert not of_both.is_within(some_zone)
    assert all(each.is_within(ALL) for each in (of_alerts, of_both, some_zone))
    assert not of_two.is_within(ALL)


def test_cameras_and_boxes_are_found_by_their_names_and_by_those_of_people(sqlite_place: Place) -> None:
    filled = fill(sqlite_place)
    ids = dict(filled.rows("select device, id from box"))
    with filled.engine.connect() as connection:
        places = read_places(connection)
        labels = distinct(connection, event.c.label, (), 9)
        too_many = distinct(connection, event.c.label, (), 2)

    wanted = replace(DAY, boxes=("east-02",), cameras=("north-01/north", "elsewhere/north"))
    found = known_cameras(wanted, places)
    assert found == KnownCameras(((ids["north-01"], "north"),), (ids["east-02"],))
    assert known_cameras(DAY, places).pairs is None
    assert known_cameras(replace(DAY, boxes=("elsewhere",)), places).is_none
    assert placed_by("hướng nam", places) == KnownCameras(((ids["north-01"], "south"),), ())
    assert placed_by("NGÃ TƯ", places).box_ids == (ids["north-01"],)
    assert labels == ["bus", "car", "motorcycle"]
    assert too_many is None
