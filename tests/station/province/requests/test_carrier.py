"""station.province.requests.carrier, and the way of a request: console, worker, broker, uplink, and back"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from station.province.requests.carrier import AGAIN_MS, DAY_MS, KEPT_MS, commands_due, forget_old
from station.store.database import engine_of
from tests.support.asked_commune import CLOSE, AskedCommune, an_alert_with_pictures, worker_at
from tests.support.brokers import Mosquitto, until
from tests.support.duty_screen import csrf_of
from tests.support.province_desk import province_screen
from tests.support.provinces_up import NOW_MS, ProvincePlace

pytestmark = [pytest.mark.broker, pytest.mark.postgresql, pytest.mark.timeout(600)]
SOON_S = 120.0
PURPOSE = "tai nạn, tin báo 12/2026"
PAGE = "/events/hai-ninh.north-01/e-1"
DIGEST = sha256(CLOSE).hexdigest()


def ask(client: httpx.Client, path: str, **fields: str) -> httpx.Response:
    """Send the form on a page."""
    page = client.get(path)
    assert page.status_code == 200, page.text
    return client.post(f"{path}/ask", data={"csrf": csrf_of(page.text), "purpose": PURPOSE} | fields)


@pytest.mark.long
def test_a_picture_is_asked_for_at_the_console_and_comes_up_once_worker_and_station_are_there(
    start_mosquitto: Callable[..., Mosquitto],
    province: ProvincePlace,
    keys: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    port = start_mosquitto().port
    station = AskedCommune(tmp_path / "station", port, keys[1])
    for folder in (station.folder, tmp_path / "desk"):
        folder.mkdir()
    station.keep(an_alert_with_pictures())
    with worker_at(province, port), station.sending_up():
        until(lambda: province.rows("select event_id from event") == [("e-1",)], SOON_S)
    assert province.rows("select count(*) from picture") == [(0,)]

    with province_screen(province, tmp_path / "desk", keys[0]) as screen:
        screen.open("lan", "hai-ninh")
        lan = screen.client("lan", "en")
        assert ask(lan, PAGE).status_code == 303
        assert "asked, and not sent yet" in lan.get(PAGE).text
        with worker_at(province, port):
            until(lambda: province.rows("select sends from request") == [(1,)], SOON_S)
            assert "asked, and no answer yet" in lan.get(PAGE).text
        with worker_at(province, port), station.sending_up():
            until(
                lambda: province.rows("select state from request where complete_ms > 0") == [("done",)], SOON_S
            )
        page, picture = lan.get(PAGE).text, lan.get(f"/pictures/{DIGEST}")
        acts = screen.acts()

    assert "came at" in page and f'src="/pictures/{DIGEST}"' in page and PURPOSE in page
    assert picture.content == CLOSE and picture.headers["content-type"] == "image/jpeg"
    (entry,) = station.log()
    assert (entry.name, entry.subject) == ("Nguyễn Thị Lan (lan)", "north-01/e-1")
    assert entry.details["purpose"] == PURPOSE and entry.details["answer"] == "accepted"
    assert entry.details["sha256"] == DIGEST
    assert ("ask_commune", "hai-ninh.north-01/e-1") in acts
    assert province.rows("select count(*) from request_piece") == [(0,)]


def put_request(engine: Engine, number: int, shard: str = "s01", **fields: object) -> None:
    row = {
        "id": f"r-{number}", "shard": shard, "kind": "picture", "body": b"{}", "sha256": "0" * 64,
        "device": "hn-01", "about": "e-1", "login": "lan", "name": "Lan", "purpose": "why",
        "asked_ms": NOW_MS, "expires_ms": NOW_MS + DAY_MS,
    } | fields  # fmt: skip
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"insert into request (commune_id, {', '.join(row)}) select id, {', '.join(['%s'] * len(row))} "
            "from commune limit 1",
            tuple(row.values()),
        )


@pytest.fixture
def engine(province: ProvincePlace) -> Engine:
    province.open().close()
    made = engine_of(province.url)
    with made.begin() as connection:
        connection.exec_driver_sql(
            "insert into commune (name, shard, first_seen_ms, last_seen_ms) values ('hai-ninh', 's01', 0, 0)"
        )
    return made


def sent(engine: Engine, now_ms: int, shard: str = "s01") -> int:
    with engine.begin() as connection:
        return len(commands_due(connection, shard, now_ms))


def test_what_has_no_answer_is_sent_again_ever_more_seldom_until_it_is_too_late(engine: Engine) -> None:
    put_request(engine, 1)
    moments = [NOW_MS + 1_000 * second for second in range(0, 3_600, 5)]

    times = [at - NOW_MS for at in moments if sent(engine, at)]

    assert times[:2] == [0, AGAIN_MS] and len(times) == 7  # 0, 1, 2, 4, 8, 16 and 32 minutes
    assert sent(engine, NOW_MS + DAY_MS) == 0
    engine.dispose()


def test_a_worker_carries_the_requests_of_its_own_shard_and_none_that_is_answered(engine: Engine) -> None:
    put_request(engine, 1, shard="s02")
    put_request(engine, 2, state="accepted")

    assert sent(engine, NOW_MS) == 0
    assert sent(engine, NOW_MS, "s02") == 1
    engine.dispose()


def test_pictures_go_after_their_days_and_requests_after_theirs(
    engine: Engine, province: ProvincePlace
) -> None:
    put_request(engine, 1)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "insert into picture select %s, id, 3, %s, %s from commune", ("a" * 64, b"abc", NOW_MS)
        )
        forget_old(connection, 30, NOW_MS + 30 * DAY_MS)
    assert province.rows("select count(*) from picture") == [(1,)]
    with engine.begin() as connection:
        forget_old(connection, 30, NOW_MS + 30 * DAY_MS + 1)
    assert province.rows("select count(*) from picture") == [(0,)]
    assert province.rows("select count(*) from request") == [(1,)]
    with engine.begin() as connection:
        forget_old(connection, 30, NOW_MS + KEPT_MS + 1)
    assert province.rows("select count(*) from request") == [(0,)]
    engine.dispose()


def test_footage_goes_as_a_whole_when_its_days_are_over(engine: Engine, province: ProvincePlace) -> None:
    day = 30 * DAY_MS
    put_request(engine, 1, kind="footage", complete_ms=NOW_MS + 5)
    put_request(engine, 2, kind="footage")  # never whole
    with engine.begin() as connection:
        for request, number, at_ms in (("r-1", 0, 1), ("r-1", 1, NOW_MS + 5), ("r-2", 0, NOW_MS)):
            connection.exec_driver_sql(
                "insert into request_piece values (%s, 'a.zip', %s, %s, %s)", (request, number, b"abc", at_ms)
            )
        forget_old(connection, 30, NOW_MS + day + 1)
    assert province.rows("select request_id, number from request_piece order by 2") == [("r-1", 0), ("r-1", 1)]
    with engine.begin() as connection:
        forget_old(connection, 30, NOW_MS + day + 6)
    assert province.rows("select count(*) from request_piece") == [(0,)]
    assert province.rows("select count(*) from request") == [(2,)]
    engine.dispose()
