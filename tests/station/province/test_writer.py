"""station.province.writer"""

from __future__ import annotations

import time
from contextlib import closing

import pytest
from structlog.testing import capture_logs

from agent.core.types import Instant
from agent.wire import codec
from station.ingest.inbound import InboundMessage
from station.province.inbound import read_up
from station.uplink.settings import UP_ROOT
from tests.support.provinces_up import BASE, ProvincePlace, an_alert, up

pytestmark = pytest.mark.postgresql


def said(what: str, raw: bytes) -> InboundMessage:
    return read_up(BASE + what, raw, {}, root=UP_ROOT)


def status(state: str, session: str) -> InboundMessage:
    now = Instant(time.monotonic(), time.time())
    return said("status", codec.status(state, session, now))  # type: ignore[arg-type]


def test_numbers_are_kept_as_few_ranges_in_whatever_order_they_come(province: ProvincePlace) -> None:
    with closing(province.open()) as store:
        for seqs in ((5, 6), (1,), (3,), (2,), (4, 9)):
            store.commit([up(seq) for seq in seqs])
        assert store.committed("s01", "hai-ninh", "u-1") == [(1, 6), (9, 9)]

    assert province.rows("select first, last from up_span order by first") == [(1, 6), (9, 9)]


def test_the_seals_of_the_uplink_have_numbers_as_its_envelopes(province: ProvincePlace) -> None:
    now = Instant(time.monotonic(), time.time())
    body = codec.seal("u-1", 1, None, [(1, "ab" * 32)], [], now)
    head = b'{"seq":2,"stream":"u-1","published_at":"2026-11-29T08:00:00.000Z","replayed":false,'
    with closing(province.open()) as store:
        store.commit([up(1), said("chain", head + body[1:])])
        assert store.committed("s01", "hai-ninh", "u-1") == [(1, 2)]

    assert province.rows("select count(*) from unreadable") == [(0,)]


def test_how_an_uplink_stands_is_what_its_latest_life_says(province: ProvincePlace) -> None:
    with closing(province.open()) as store:
        for one in (status("online", "a"), status("online", "b"), status("offline", "a")):
            store.commit([one])
        assert province.rows("select state, session from commune") == [("online", "b")]
        store.commit([status("offline", "b")])

    assert province.rows("select state from commune") == [("offline",)]


def test_two_lives_that_take_turns_are_two_stations_with_one_name(province: ProvincePlace) -> None:
    with closing(province.open()) as store, capture_logs() as lines:
        for session in ("a", "b"):
            store.commit([status("online", session)])
        assert [line["event"] for line in lines] == []
        store.commit([status("online", "a")])

    assert [(line["event"], line["commune"]) for line in lines] == [("second_uplink", "hai-ninh")]


def test_what_no_station_says_is_kept_apart(province: ProvincePlace) -> None:
    with closing(province.open()) as store:
        store.commit([said("camera/north/event", b"{}"), said("status", b"{}"), said("status", b"")])

    assert province.rows("select count(*) from unreadable") == [(1,)]  # the same bytes once; a cleared one not


def test_a_hello_says_what_an_uplink_holds(province: ProvincePlace) -> None:
    now = Instant(time.monotonic(), time.time())
    with closing(province.open()) as store:
        store.commit([said("hello", codec.hello("life", "u-1", 3, 9, now)), up(3, an_alert(1))])

    assert province.rows("select name, oldest, newest from up_stream") == [("u-1", 3, 9)]
