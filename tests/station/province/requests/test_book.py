"""station.province.requests.book"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from agent.errors import NgatuError
from agent.wire.signature import public_key
from station.access.audit_entry import Actor
from station.access.audit_log import AuditLog, AuditQuery
from station.access.roles import Role
from station.province.desk import opened_to, prepare, reading, writing
from station.province.requests import book as under_test
from station.province.requests.book import DAY_MS, LIFE_MS, RequestBook
from station.store.database import StoreError
from station.uplink.requests.order import (
    CameraOf,
    EventsArgs,
    FootageArgs,
    PictureArgs,
    digest_of,
    read_request,
)
from tests.support.people import LAN
from tests.support.provinces_up import NOW_MS, ProvincePlace, an_alert, up

pytestmark = pytest.mark.postgresql
ARGS = PictureArgs(purpose="tin báo 12/2026", device="hn-01", event_id="e-1", sha256="a" * 64)
MINH = Actor("minh", "Trần Minh", Role.OFFICER, "10.0.0.8")


@pytest.fixture
def reads(province: ProvincePlace) -> Iterator[Engine]:
    """Two communes that the worker knows."""
    store = province.open()
    for commune in ("hai-ninh", "mong-cai"):
        store.commit([up(1, an_alert(1, commune=commune), commune=commune)])
    store.close()
    prepare(province.url)
    engine = reading(province.url)
    yield engine
    engine.dispose()


@pytest.fixture
def audit(province: ProvincePlace, reads: Engine, tmp_path: Path) -> Iterator[AuditLog]:
    engine = writing(province.url)
    yield AuditLog(engine, tmp_path)
    engine.dispose()


def book_of(reads: Engine, audit: AuditLog, key: Path | None, communes: str = "hai-ninh") -> RequestBook:
    return RequestBook(opened_to(reads, communes), audit, key)


def test_what_is_put_down_is_what_the_station_of_that_commune_will_believe(
    reads: Engine, audit: AuditLog, keys: tuple[Path, Path], province: ProvincePlace
) -> None:
    book = book_of(reads, audit, keys[0])

    request_id = book.ask_picture(LAN, "hai-ninh", ARGS, NOW_MS)

    (row,) = province.rows("select body, sha256, shard, state from request")
    request = read_request("picture", bytes(row[0]), False, "s01", "hai-ninh", public_key(keys[1]))
    assert request.id == request_id and request.args == ARGS and request.issuer == "Nguyễn Thị Lan (lan)"
    assert request.expires_ms - request.issued_ms == LIFE_MS
    assert row[1:] == (digest_of("picture", bytes(row[0])), "s01", "asked")
    (found,) = book.of_event("hai-ninh", "hn-01", "e-1")
    assert (found.state, found.name, found.purpose) == ("asked", LAN.name, ARGS.purpose)


def test_each_request_is_in_the_log_and_none_without_it(
    reads: Engine,
    audit: AuditLog,
    keys: tuple[Path, Path],
    province: ProvincePlace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = book_of(reads, audit, keys[0])
    with monkeypatch.context() as patch:
        patch.setattr("station.access.audit_log.entry_of", _full)
        with pytest.raises(StoreError):
            book.ask_picture(LAN, "hai-ninh", ARGS, NOW_MS)
    assert province.rows("select count(*) from request") == [(0,)]

    book.ask_picture(LAN, "hai-ninh", ARGS, NOW_MS)

    (entry,) = audit.every(AuditQuery(verb="ask_commune"))
    assert (entry.login, entry.subject) == ("lan", "hai-ninh.hn-01/e-1")
    assert (
        json.loads(entry.detail)["purpose"] == ARGS.purpose and json.loads(entry.detail)["asked"] == "picture"
    )


def _full(*_: object) -> None:
    raise OSError(28, "no room")


def test_a_commune_that_is_not_open_is_neither_asked_nor_seen(
    reads: Engine, audit: AuditLog, keys: tuple[Path, Path], province: ProvincePlace
) -> None:
    for commune in ("mong-cai", "nowhere", "*"):
        with pytest.raises(NgatuError, match="not open"):
            book_of(reads, audit, keys[0]).ask_picture(LAN, commune, ARGS, NOW_MS)
    assert province.rows("select count(*) from request") == [(0,)]

    book_of(reads, audit, keys[0], "*").ask_picture(MINH, "mong-cai", ARGS, NOW_MS)
    assert book_of(reads, audit, keys[0]).latest() == []
    assert book_of(reads, audit, keys[0]).of_event("mong-cai", "hn-01", "e-1") == []
    assert len(book_of(reads, audit, keys[0], "mong-cai").latest()) == 1


def test_what_is_under_way_is_not_asked_twice_and_what_has_ended_may_be(
    reads: Engine, audit: AuditLog, keys: tuple[Path, Path]
) -> None:
    book = book_of(reads, audit, keys[0])
    first = book.ask_picture(LAN, "hai-ninh", ARGS, NOW_MS)

    assert book.ask_picture(MINH, "hai-ninh", ARGS, NOW_MS + 5) == first
    assert book.ask_picture(LAN, "hai-ninh", ARGS, NOW_MS + LIFE_MS) != first


def test_an_account_asks_so_often_a_day_and_no_more(
    reads: Engine, audit: AuditLog, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "MOST_A_DAY", 2)
    book = book_of(reads, audit, keys[0])

    def ask(number: int, now_ms: int = NOW_MS, actor: Actor = LAN) -> str:
        return book.ask_picture(actor, "hai-ninh", ARGS.model_copy(update={"event_id": f"e-{number}"}), now_ms)

    ask(1)
    ask(2)
    with pytest.raises(NgatuError, match="2 times today"):
        ask(3)
    assert ask(4, actor=MINH) and ask(5, NOW_MS + DAY_MS)
    assert len(book.latest()) == 4


def test_without_a_key_nothing_can_be_asked(reads: Engine, audit: AuditLog) -> None:
    book = book_of(reads, audit, None)

    assert not book.can_ask
    with pytest.raises(NgatuError, match="no key"):
        book.ask_picture(LAN, "hai-ninh", ARGS, NOW_MS)


def test_a_span_of_events_is_asked_for_with_its_cameras_in_the_log(
    reads: Engine, audit: AuditLog, keys: tuple[Path, Path]
) -> None:
    book = book_of(reads, audit, keys[0])
    cameras = (CameraOf(device="hn-01", camera="north"),)
    book.ask_events(LAN, "hai-ninh", EventsArgs(purpose="rà soát", cameras=cameras, from_ms=1, to_ms=2), NOW_MS)

    (found,) = book.latest()
    assert (found.kind, found.commune, found.device) == ("events", "hai-ninh", "")
    (entry,) = audit.every(AuditQuery(verb="ask_commune"))
    assert entry.details["cameras"] == ["hai-ninh.hn-01/north"]


def test_a_clip_is_asked_for_once_with_its_case_in_the_log(
    reads: Engine, audit: AuditLog, keys: tuple[Path, Path], province: ProvincePlace
) -> None:
    book = book_of(reads, audit, keys[0])
    args = FootageArgs(
        purpose="va chạm", case_number="12/2026", device="hn-01", camera="north", from_ms=1_000, to_ms=61_000
    )
    first = book.ask_footage(LAN, "hai-ninh", args, NOW_MS)

    assert book.ask_footage(MINH, "hai-ninh", args, NOW_MS + 5) == first
    assert book.ask_footage(LAN, "hai-ninh", args.model_copy(update={"to_ms": 62_000}), NOW_MS) != first
    (row,) = province.rows(f"select body from request where id = '{first}'")
    request = read_request("footage", bytes(row[0]), False, "s01", "hai-ninh", public_key(keys[1]))
    assert request.args == args
    entry = audit.every(AuditQuery(verb="ask_commune"))
    noted = next(each for each in entry if each.details["request"] == first)
    assert noted.subject == "hai-ninh.hn-01/north" and noted.details["case"] == "12/2026"
    found = next(each for each in book.latest() if each.id == first)
    assert (found.kind, found.pieces, found.all_pieces, found.is_here) == ("footage", 0, None, False)
