"""station.uplink.requests.effect: what every one of them promises"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from agent.wire.message import Priority
from station.config import StationConfig
from station.uplink.requests.box_clips import BoxClips
from station.uplink.requests.effect import RequestEffect
from station.uplink.requests.errands import Errands
from station.uplink.requests.events import EventsEffect
from station.uplink.requests.footage import FootageEffect
from station.uplink.requests.order import RequestKind
from station.uplink.requests.pictures import PictureEffect
from station.uplink.settings import RequestSettings
from tests.support.asked_requests import PICTURE, as_read, command
from tests.support.stores import Place
from tests.support.told_events import COMMUNE

CAMERAS = [{"device": "north-01", "camera": "north"}]
ARGS: dict[RequestKind, dict[str, Any]] = {
    RequestKind.PICTURE: PICTURE | {"sha256": "a" * 64},
    RequestKind.EVENTS: {"purpose": "kiểm tra", "cameras": CAMERAS, "from_ms": 1, "to_ms": 2},
    RequestKind.FOOTAGE: {"purpose": "kiểm tra", "case_number": "12", "from_ms": 1, "to_ms": 2} | CAMERAS[0],
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Place]:
    place = Place(URL.create("sqlite", database=str(tmp_path / "station.db")), tmp_path)
    with closing(place.open()):
        yield place


@pytest.mark.parametrize("kind", list(RequestKind))
def test_where_nothing_is_kept_it_ends_at_once_with_a_reason_and_goes_behind_alerts(
    store: Place, kind: RequestKind
) -> None:
    station = StationConfig(commune=COMMUNE, state_dir=store.folder)
    effects: dict[RequestKind, RequestEffect] = {
        RequestKind.PICTURE: PictureEffect(store.engine, store.folder, COMMUNE, 10**6),
        RequestKind.EVENTS: EventsEffect(store.engine, COMMUNE),
        RequestKind.FOOTAGE: FootageEffect(
            BoxClips(station, store.engine), RequestSettings(key="k"), Errands()
        ),
    }

    part = effects[kind].part(as_read(command(1, **ARGS[kind]), kind), "")

    assert part.is_last and part.reason is not None and not part.items
    assert effects[kind].priority > Priority.COUNT
