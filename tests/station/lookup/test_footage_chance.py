"""station.lookup.footage_chance"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from station.lookup.cards import cards_of
from station.lookup.footage_chance import FootageChance, FootageOutlook, footage_chance
from tests.support.stores import Place
from tests.support.told_events import event_at, health, status

SIX = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def chance(place: Place) -> FootageChance:
    (card,) = cards_of(place.engine, [(1, "e-1")])
    with place.engine.connect() as connection:
        return footage_chance(connection, card)


def recording(kept_since: datetime | None) -> dict[str, Any]:
    since = None if kept_since is None else kept_since.isoformat()
    return {"north": {"recording": {"state": "recording", "mode": "continuous", "kept_since": since}}}


@pytest.mark.parametrize(
    ("cameras", "expected"),
    [
        (recording(SIX - timedelta(days=2)), FootageOutlook.LIKELY),
        (recording(SIX + timedelta(seconds=1)), FootageOutlook.TOO_OLD),
        (recording(None), FootageOutlook.UNKNOWN),
        ({"north": {"state": "streaming"}}, FootageOutlook.NOT_RECORDED),
        ({"south": {"state": "streaming"}}, FootageOutlook.UNKNOWN),
    ],
)
def test_whether_footage_may_be_there_is_judged_by_what_the_box_said_last(
    place: Place, cameras: dict[str, Any], expected: FootageOutlook
) -> None:
    with closing(place.open(now=SIX.timestamp)) as store:
        store.commit([event_at(1, SIX), status("north-01", "online", SIX)])
        assert chance(place).state is FootageOutlook.UNKNOWN
        store.commit([health("north-01", SIX, cameras)])

    found = chance(place)
    assert (found.state, found.is_online) == (expected, True)
