"""station.uplink.requests.events"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from station.uplink.requests.effect import RequestPart
from station.uplink.requests.events import AT_ONCE, EventsEffect
from station.uplink.requests.order import RequestKind, RequestReason
from tests.support.asked_commune import AT
from tests.support.asked_requests import as_read, command
from tests.support.stores import Place
from tests.support.told_events import COMMUNE, event_at

AT_MS = round(AT.timestamp() * 1000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Place]:
    """450 events of severity info, two at each moment; an alert, one that goes on, one of another camera."""
    place = Place(URL.create("sqlite", database=str(tmp_path / "station.db")), tmp_path)
    ended = [event_at(each, AT + timedelta(seconds=each // 2)) for each in range(1, 451)]
    others = [
        event_at(901, AT, severity="alert"), event_at(902, AT, lasts_s=None), event_at(903, AT, camera="south"),
    ]  # fmt: skip
    with closing(place.open()) as opened:
        opened.commit([*ended, *others])
        yield place


def parts(store: Place, **more: Any) -> list[RequestPart]:
    """All steps of a request."""
    args = {
        "purpose": "kiểm tra", "cameras": [{"device": "north-01", "camera": "north"}],
        "from_ms": AT_MS, "to_ms": AT_MS + 3_600_000,
    }  # fmt: skip
    request = as_read(command(1, **(args | more)), RequestKind.EVENTS)
    effect, found = EventsEffect(store.engine, COMMUNE), list[RequestPart]()
    while not found or not found[-1].is_last:
        found.append(effect.part(request, found[-1].mark if found else ""))
    return found


def ids(found: list[RequestPart]) -> list[str]:
    return [json.loads(item.raw)["id"] for part in found for item in part.items]


def test_all_ends_of_the_cameras_and_the_span_go_the_newest_first_each_once(store: Place) -> None:
    found = parts(store)

    sent = ids(found)
    assert len(found) == 3 and len(sent) == len(set(sent)) == 450 and sent[0] in ("e-450", "e-449")
    assert set(sent) == {f"e-{each}" for each in range(1, 451)}
    assert found[-1].counts == {"went": 450, "are": 450} and all(len(each.items) <= AT_ONCE for each in found)


def test_no_more_go_than_were_asked_for_and_it_is_said_how_many_there_are(store: Place) -> None:
    found = parts(store, most=250)

    assert len(ids(found)) == 250 and found[-1].counts == {"went": 250, "are": 450}


def test_a_span_ends_before_its_last_moment(store: Place) -> None:
    assert sorted(ids(parts(store, to_ms=AT_MS + 1_000))) == ["e-1"]
    assert sorted(ids(parts(store, from_ms=AT_MS + 225_000))) == ["e-450"]


def test_of_a_camera_that_is_not_there_nothing_goes(store: Place) -> None:
    (none,) = parts(store, cameras=[{"device": "nowhere", "camera": "north"}])
    assert none.reason is RequestReason.NO_CAMERA
    (empty,) = parts(store, cameras=[{"device": "north-01", "camera": "west"}])
    assert empty.reason is None and empty.counts == {"went": 0, "are": 0}
