"""station.province.requests.incoming, through the worker's store"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest

from station.province.store import ProvinceStore
from station.store.database import engine_of
from station.uplink.envelope import UpItem
from station.uplink.requests.answer import PIECE_BYTES, RequestAnswer, answer_item, file_of, piece_items
from station.uplink.requests.order import RequestState
from tests.support.asked_commune import CLOSE
from tests.support.jpegs import jpeg
from tests.support.provinces_up import NOW_MS, ProvincePlace, an_alert, up

pytestmark = pytest.mark.postgresql
DIGEST, REQUEST = sha256(CLOSE).hexdigest(), "c" * 64
LARGE = jpeg(b"z" * (2 * PIECE_BYTES))


@pytest.fixture
def store(province: ProvincePlace) -> Iterator[ProvinceStore]:
    """Two communes; the first was asked for a small picture (r-1) and a large one (r-2)."""
    opened = province.open()
    for commune in ("hai-ninh", "mong-cai"):
        opened.commit([up(1, an_alert(1, commune=commune), commune=commune)])
    engine = engine_of(province.url)
    with engine.begin() as connection:
        for number, digest in (("r-1", DIGEST), ("r-2", sha256(LARGE).hexdigest())):
            connection.exec_driver_sql(
                "insert into request (id, commune_id, shard, kind, body, sha256, device, about, wanted_sha256, "
                "login, name, purpose, asked_ms, expires_ms) select %s, id, 's01', 'picture', '', %s, 'hn-01', "
                "'e-1', %s, 'lan', 'Lan', 'why', 0, %s from commune where name = 'hai-ninh'",
                (number, REQUEST, digest, NOW_MS * 2),
            )
    engine.dispose()
    yield opened
    opened.close()


def answer(state: str, number: int = 1, sha: str = REQUEST, request: str = "r-1", **more: object) -> UpItem:
    said = RequestAnswer(request, sha, number, RequestState(state), None, NOW_MS, **more)  # type: ignore[arg-type]
    return answer_item(said, "hn-01")


def sent(data: bytes, request: str = "r-1") -> list[UpItem]:
    return list(piece_items(request, file_of("picture.jpg", data), data, "hn-01"))


def stands(province: ProvincePlace, request: str = "r-1") -> tuple[object, ...]:
    return province.rows(f"select state, reason, complete_ms is not null from request where id = '{request}'")[
        0
    ]


def test_a_picture_is_shown_once_all_of_it_is_here_in_whatever_order(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    first, *others = sent(LARGE, "r-2")
    assert len(others) == 2
    store.commit([up(2, answer("done", 2, request="r-2")), up(3, *others)])
    store.commit([up(4, answer("accepted", 1, request="r-2"))])
    assert stands(province, "r-2") == ("done", None, False)
    assert province.rows("select count(*) from picture") == [(0,)]

    store.commit([up(5, first), up(6, *others)])

    assert stands(province, "r-2") == ("done", None, True)
    assert bytes(province.rows("select data from picture")[0][0]) == LARGE
    assert province.rows("select count(*) from request_piece") == [(0,)]


def test_what_comes_again_changes_nothing(store: ProvinceStore, province: ProvincePlace) -> None:
    for seq in (2, 3, 4):
        store.commit([up(seq, answer("done", 2), *sent(CLOSE))])

    assert stands(province) == ("done", None, True)
    assert province.rows("select count(*) from picture") == [(1,)]
    assert province.rows("select count(*) from request_piece") == [(0,)]


def test_a_station_of_another_commune_answers_nothing_that_it_was_not_asked(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    store.commit([up(2, answer("refused"), *sent(CLOSE), commune="mong-cai")])

    assert stands(province) == ("asked", None, False)
    assert province.rows("select count(*) from picture") == [(0,)]
    assert province.rows("select count(*) from request_piece") == [(0,)]


def test_an_answer_to_other_bytes_than_were_sent_is_not_believed(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    store.commit([up(2, answer("refused", sha="d" * 64), answer("refused", request="r-9"))])

    assert stands(province) == ("asked", None, False)


def test_a_picture_that_nobody_asked_for_is_not_kept(store: ProvinceStore, province: ProvincePlace) -> None:
    other = jpeg(b"other")
    store.commit([up(2, *sent(other), *sent(CLOSE, "r-9"))])

    assert province.rows("select count(*) from picture") == [(0,)]
    assert province.rows("select count(*) from request_piece") == [(0,)]


def test_bytes_that_are_not_those_of_the_hash_are_let_go_and_the_request_has_failed(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    file = file_of("picture.jpg", CLOSE)
    (forged,) = piece_items("r-1", file, CLOSE[:-3] + b"x\xff\xd9", "hn-01")
    store.commit([up(2, forged)])

    assert stands(province) == ("failed", "spoiled", False)
    assert province.rows("select count(*) from picture") == [(0,)]


def test_an_alert_beside_a_spoiled_answer_is_kept(store: ProvinceStore, province: ProvincePlace) -> None:
    store.commit([up(2, an_alert(7), UpItem("answer", "hn-01", b"{}"), UpItem("piece", "hn-01", b"[]"))])

    assert province.rows("select count(*) from event") == [(3,)]
    assert province.rows("select kind from unreadable order by kind") == [("answer",), ("piece",)]


def test_under_other_names_or_beyond_any_number_nothing_of_a_picture_is_kept(
    store: ProvinceStore, province: ProvincePlace
) -> None:
    file = file_of("picture.jpg", LARGE)
    for number in range(5):
        (first, *_) = piece_items("r-2", replace(file, name=f"p-{number}.jpg"), LARGE, "hn-01")
        store.commit([up(2 + number, first)])
    assert province.rows("select count(*) from request_piece") == [(0,)]

    store.commit([up(10, answer("done", 2**31), an_alert(7))])
    assert stands(province) == ("asked", None, False)
    assert province.rows("select kind from unreadable") == [("answer",)]
