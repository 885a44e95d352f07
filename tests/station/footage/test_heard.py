"""station.footage.heard"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from station.footage.heard import MOST, heard_links
from station.store.id_cache import IdCache
from station.store.schema import other_message
from tests.support.station_custody import footage_request
from tests.support.stores import Place
from verifier.custody_log import HeardLink

REQUEST = footage_request("q-1")
MINUTE = timedelta(minutes=1)


def row(
    place_ids: tuple[int, int], seq: int, start: datetime, camera: str = REQUEST.camera, body: str = ""
) -> dict[str, Any]:
    stream_id, box_id = place_ids
    said = {"number": seq, "link_sha256": f"{seq:064}", "start": start.isoformat(), "end": start.isoformat()}
    what = {"kind": "recording", "suffix": f"camera/{camera}/recording", "body": body or json.dumps(said)}
    return {
        "stream_id": stream_id,
        "seq": seq,
        "box_id": box_id,
        "sha256": None,
        "received_ms": seq * 1000,
        **what,
    }


def test_links_around_what_was_asked_for_are_known(place: Place) -> None:
    with closing(place.open()), place.engine.begin() as connection:
        ids = IdCache()
        box_id = ids.box_id(connection, (REQUEST.commune, REQUEST.device), 1)
        here = ids.stream_id(connection, box_id, "s-1", 1), box_id
        first, last = REQUEST.from_time, REQUEST.to_time
        rows = [
            row(here, 1, first - 40 * MINUTE),
            row(here, 2, first - 5 * MINUTE),
            row(here, 3, last + 5 * MINUTE),
            row(here, 4, last + 40 * MINUTE),
            row(here, 5, first, camera="another"),
            row(here, 6, first, body="no json"),
            row(here, 7, first, body='{"start": 1}'),
        ]
        connection.execute(insert(other_message).values(rows))
    found = heard_links(place.engine, REQUEST)

    assert [link.number for link in found] == [2, 3]
    assert found[0] == HeardLink(2, f"{2:064}", datetime.fromtimestamp(2, UTC))


def test_what_was_heard_first_stays_whatever_the_box_says_later(place: Place) -> None:
    """Who has the box's key sends other links of the same numbers, and as many new ones as he likes."""
    with closing(place.open()), place.engine.begin() as connection:
        ids = IdCache()
        box_id = ids.box_id(connection, (REQUEST.commune, REQUEST.device), 1)
        here = ids.stream_id(connection, box_id, "s-1", 1), box_id
        true = [row(here, seq, REQUEST.from_time) for seq in (1, 2, 3)]
        forged = {**row(here, 4, REQUEST.from_time), "body": true[1]["body"].replace("02", "ff")}
        more = [row(here, seq, REQUEST.to_time) for seq in range(5, 5 + MOST)]
        no_number = row(here, 9_999, REQUEST.from_time, body=true[0]["body"].replace("1,", "Infinity,", 1))
        no_hash = row(here, 9_998, REQUEST.from_time, body=true[0]["body"].replace("0001", "x"))
        connection.execute(insert(other_message).values([*true, forged, *more]))
        connection.execute(
            insert(other_message).values([no_number | {"received_ms": 0}, no_hash | {"received_ms": 0}])
        )
    found = heard_links(place.engine, REQUEST)

    assert len(found) == MOST
    assert [(link.number, link.sha256) for link in found[:4]] == [(n, f"{n:064}") for n in (1, 2, 3, 5)]


def test_until_when_its_footage_goes_is_kept_where_ntp_kept_the_clock(place: Place) -> None:
    with closing(place.open()), place.engine.begin() as connection:
        ids = IdCache()
        box_id = ids.box_id(connection, (REQUEST.commune, REQUEST.device), 1)
        here = ids.stream_id(connection, box_id, "s-1", 1), box_id
        for seq, clock in enumerate(({"state": "ntp"}, {"state": "rtc"}, {}, [], None), 1):
            message = row(here, seq, REQUEST.from_time)
            body = json.dumps(json.loads(message["body"]) | {"clock": clock})
            connection.execute(insert(other_message).values([message | {"body": body}]))

    assert [link.until for link in heard_links(place.engine, REQUEST)] == [REQUEST.from_time, *[None] * 4]
