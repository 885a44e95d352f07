"""station.province.requests.footage, through the worker's store"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.province.requests import footage as under_test
from station.province.store import ProvinceStore
from station.uplink.envelope import UpItem
from station.uplink.requests.answer import PIECE_BYTES, RequestAnswer, SentFile, answer_item
from station.uplink.requests.order import RequestReason, RequestState
from tests.support.provinces_up import NOW_MS, ProvincePlace, an_alert, up
from tests.support.requested_footage import (
    DATA,
    FILE,
    asked_province,
    attended,
    part,
    pieces_of,
    put_request,
    stands,
)

pytestmark = pytest.mark.postgresql
_NUMBERS = count(1)


@pytest.fixture
def store(province: ProvincePlace) -> Iterator[ProvinceStore]:
    """The first commune was asked for a clip: r-1."""
    with asked_province(province, "r-1") as opened:
        yield opened


def answer(state: RequestState, number: int, reason: RequestReason | None = None) -> UpItem:
    files = (FILE,) if state is RequestState.DONE else ()
    return answer_item(RequestAnswer("r-1", "c" * 64, number, state, reason, NOW_MS, files), "hn-01")


def kept(province: ProvincePlace, request: str = "r-1") -> bytes:
    rows = province.rows(f"select data from request_piece where request_id = '{request}' order by number")
    return b"".join(bytes(row[0]) for row in rows)


def test_a_file_is_here_once_all_of_it_came_and_its_hash_was_taken(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    store.commit([up(2, answer(RequestState.ACCEPTED, 2, RequestReason.BOX_SENDS))])
    assert stands(province) == ("accepted", "box_sends", False, False, 0)
    *some, last = pieces_of()
    store.commit([up(3, *some)])
    attended(store)
    assert stands(province) == ("accepted", "box_sends", False, False, 3)
    store.commit([up(4, last, answer(RequestState.DONE, 3))])
    assert stands(province)[2:4] == (True, False)
    attended(store)

    assert stands(province) == ("done", None, True, True, 4) and kept(province) == DATA


def test_the_hash_is_taken_a_few_pieces_at_a_time(
    store: ProvinceStore, province: ProvincePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "AT_ONCE", 2)
    store.commit([up(2, *pieces_of())])
    attended(store)
    assert stands(province)[3] is False
    attended(store)
    assert stands(province)[3] is True


def test_a_worker_that_is_started_again_while_it_checks_begins_the_file_anew(
    province: ProvincePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "AT_ONCE", 3)
    with asked_province(province, "r-1") as store:
        store.commit([up(2, *pieces_of())])
        attended(store)
        assert stands(province)[3] is False
    later = province.open()
    attended(later, 2)
    later.close()

    assert stands(province)[3] is True


@pytest.fixture(scope="module")
def many(postgresql: object) -> Iterator[tuple[ProvincePlace, ProvinceStore]]:
    """One province for many trials, each with a request of its own."""
    from tests.support.backups import own_database  # noqa: PLC0415

    place = ProvincePlace(own_database(postgresql))  # type: ignore[arg-type]
    with asked_province(place) as opened:
        yield place, opened


@pytest.mark.long
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    order=st.permutations(list(range(4))),
    again=st.lists(st.integers(0, 3), max_size=6),
    batch=st.integers(1, 5),
)
def test_parts_in_any_order_and_however_often_become_the_same_file(
    many: tuple[ProvincePlace, ProvinceStore], order: list[int], again: list[int], batch: int
) -> None:
    place, store = many
    request = f"r-{next(_NUMBERS)}"
    put_request(place, request)
    every = pieces_of(request=request)
    sent = [every[each] for each in (*again, *order, *again)]
    for at in range(0, len(sent), batch):
        seq = int(place.rows("select coalesce(max(seq), 0) + 1 from up_message")[0][0])
        store.commit([up(seq, *sent[at : at + batch])])
    attended(store)

    assert stands(place, request)[3:] == (True, 4) and kept(place, request) == DATA


def test_a_byte_that_was_changed_on_the_way_is_found_and_nothing_of_it_is_kept(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    data = bytearray(DATA)
    data[PIECE_BYTES + 5] ^= 1
    store.commit([up(2, *pieces_of(bytes(data)))])
    with structlog.testing.capture_logs() as logs:
        attended(store, 3)

    assert stands(province) == ("failed", "spoiled", False, False, 0)
    assert [each["event"] for each in logs] == ["up_footage_refused"]
    store.commit([up(3, answer(RequestState.DONE, 2), *pieces_of())])
    assert stands(province) == ("failed", "spoiled", False, False, 0)


@pytest.mark.parametrize(
    "other",
    [
        replace(FILE, sha256="d" * 64),
        replace(FILE, name="other.zip"),
        replace(FILE, size_bytes=FILE.size_bytes + PIECE_BYTES),
    ],
)
def test_another_file_than_was_announced_ends_the_request_with_one_line_in_the_log(
    store: ProvinceStore, province: ProvincePlace, other: SentFile
) -> None:
    first, second, *_ = pieces_of()
    store.commit([up(2, first)])
    forged = part(1, DATA[PIECE_BYTES : 2 * PIECE_BYTES], file=other)
    with structlog.testing.capture_logs() as logs:
        store.commit([up(3, forged, second)])
        for seq in range(4, 9):
            store.commit([up(seq, forged, second)])

    assert stands(province) == ("failed", "spoiled", False, False, 0)
    assert [(each["event"], each["why"]) for each in logs] == [("up_footage_refused", "spoiled")]


def test_a_file_larger_than_the_province_takes_is_refused_before_any_of_it_is_kept(
    province: ProvincePlace,
) -> None:
    with asked_province(province, "r-1", most=len(DATA) - 1) as store, structlog.testing.capture_logs() as logs:
        for seq in range(2, 5):
            store.commit([up(seq, *pieces_of())])

    assert stands(province) == ("failed", "too_large", False, False, 0)
    assert [(each["event"], each["why"]) for each in logs] == [("up_footage_refused", "too_large")]


def test_parts_without_end_and_parts_of_a_wrong_size_take_no_more_than_was_announced(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    first, *_ = pieces_of()
    head = first.raw[: first.raw.index(b"\n") + 1]
    beyond = UpItem("piece", "hn-01", head.replace(b",0]", b",77]") + b"x" * PIECE_BYTES)
    longer = UpItem("piece", "hn-01", first.raw + b"x")
    for seq in range(2, 12):
        store.commit([up(seq, first, beyond, longer)])

    assert stands(province)[-1] == 1
    assert province.rows("select distinct kind from unreadable") == [("piece",)]


def test_parts_that_nobody_asked_for_or_that_another_commune_sends_are_let_go(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    with structlog.testing.capture_logs() as logs:
        store.commit([up(2, *pieces_of(request="r-9"))])
        store.commit([up(2, *pieces_of(), commune="mong-cai")])

    assert province.rows("select count(*) from request_piece") == [(0,)]
    assert [each["event"] for each in logs] == ["up_answer_to_nothing"] * 2


def test_parts_of_what_the_station_has_refused_are_let_go(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    store.commit([up(2, answer(RequestState.REFUSED, 1, RequestReason.NOT_ALLOWED))])
    store.commit([up(3, *pieces_of())])
    assert stands(province) == ("refused", "not_allowed", False, False, 0)


def test_an_alert_beside_a_file_is_kept_and_two_files_are_checked_one_after_the_other(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    put_request(province, "r-2")
    store.commit([up(2, *pieces_of(), an_alert(7), *pieces_of(request="r-2"))])
    attended(store, 2)

    assert province.rows("select count(*) from event") == [(3,)]
    assert stands(province, "r-1")[3] is True and stands(province, "r-2")[3] is True
