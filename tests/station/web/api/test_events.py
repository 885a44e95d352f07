"""station.web.api.events"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.station.web.api.conftest import Interface
from tests.support.duty_store import add_box_state
from tests.support.kept_events import a_thumbnail, event_now

EVENTS = "/api/v1/events"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return sorted(each["id"] for each in answer.json()["events"])


def test_it_finds_what_the_look_ups_find(interface: Interface) -> None:
    program = interface.program()

    assert ids(program.get(EVENTS)) == ["e-1", "e-2", "e-3", "e-4"]
    assert ids(program.get(EVENTS, params={"severity": "alert"})) == ["e-1", "e-2", "e-3"]
    assert ids(program.get(EVENTS, params={"label": ["bicycle", "bus"]})) == ["e-4"]
    assert ids(program.get(EVENTS, params={"direction": "in", "riders_at_least": 2})) == [
        "e-1",
        "e-2",
        "e-3",
        "e-4",
    ]
    assert ids(program.get(EVENTS, params={"camera": "north-01/south"})) == []
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert ids(program.get(EVENTS, params={"until": hour_ago})) == []


def test_pages_follow_each_other_without_a_hole(interface: Interface) -> None:
    interface.store.commit([event_now(number) for number in range(10, 40)])
    program, seen, cursor = interface.program(), [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = program.get(EVENTS, params={"limit": 7, **more}).json()
        seen += [each["id"] for each in page["events"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == 34
    looked_up = [subject for _, verb, subject in interface.acts() if verb == "look_up"]
    assert len(looked_up) == 1, "one look-up is one entry, however many pages it has"


def test_beside_events_stands_when_nobody_watched_on_the_first_page(interface: Interface) -> None:
    now_ms = interface.console.now_ms
    with interface.console.writes.begin() as connection:
        add_box_state(connection, 1, "offline", now_ms - 3_600_000)
        add_box_state(connection, 1, "online", now_ms - 1_800_000)
    program = interface.program()

    first = program.get(EVENTS, params={"limit": 2}).json()

    assert [(each["box"], each["camera"], each["state"]) for each in first["unwatched"]] == [
        ("north-01", None, "offline")
    ]
    assert first["unwatched"][0]["until"] is not None
    assert program.get(EVENTS, params={"limit": 2, "cursor": first["next"]}).json()["unwatched"] is None
    assert program.get(EVENTS, params={"since": "2020-01-01T00:00:00Z"}).json()["unwatched"] is None


def test_a_cursor_that_is_none_and_a_moment_that_is_none_are_refused(interface: Interface) -> None:
    program = interface.program()

    for params in ({"cursor": "whatever"}, {"since": "yesterday"}, {"severity": "loud"}, {"word": "a\x00b"}):
        answer = program.get(EVENTS, params=params)
        assert (answer.status_code, set(answer.json())) == (422, {"error", "hint"}), params


def test_an_export_is_all_of_it_as_csv_and_as_lines_of_json(interface: Interface) -> None:
    formula = {"id": "=HYPERLINK(1)", "kind": "line"}
    interface.store.commit([event_now(9, rule=formula, detail="\x1b[31m red")])
    program = interface.program()

    lines = program.get(f"{EVENTS}/export", params={"form": "jsonl"}).text.splitlines()
    answer = program.get(f"{EVENTS}/export")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert sorted(json.loads(each)["id"] for each in lines) == sorted(row["id"] for row in rows)
    assert len(rows) == 5
    assert answer.headers["content-disposition"] == 'attachment; filename="events.csv"'
    (hostile,) = (row for row in rows if row["id"] == "e-9")
    assert hostile["rule"] == "'=HYPERLINK(1)"
    assert "\x1b" not in answer.text
    assert [verb for _, verb, _ in interface.acts()] == ["export", "export"]


def test_one_event_has_its_messages_and_its_picture(interface: Interface) -> None:
    interface.store.commit([event_now(1, 2, phase="end", end_reason="left")])
    program, (data, _) = interface.program(), a_thumbnail()
    found = program.get(f"{EVENTS}/north-01/e-1").json()

    assert [(each["revision"], each["phase"]) for each in found["steps"]] == [(1, "start"), (2, "end")]
    assert (found["event"]["box_title"], found["event"]["camera_title"]) == ("Ngã tư Hải Ninh", "Hướng bắc")
    picture = program.get(f"/api/v1/pictures/{found['event']['thumbnail']}")
    assert (picture.content, picture.headers["content-type"]) == (data, "image/jpeg")
    assert [verb for _, verb, _ in interface.acts()] == ["view_event", "view_picture"]


def test_what_is_not_there_is_not_found(interface: Interface) -> None:
    program = interface.program()

    for path in (f"{EVENTS}/north-01/e-99", f"{EVENTS}/south-01/e-1", "/api/v1/pictures/" + "0" * 64):
        assert program.get(path).status_code == 404
    assert program.get("/api/v1/pictures/whatever").status_code == 422
