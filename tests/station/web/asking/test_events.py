"""station.web.asking.events over HTTP, with a real database"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import URL

from tests.support.backups import own_database
from tests.support.duty_screen import csrf_of
from tests.support.province_desk import ProvinceScreen, province_screen
from tests.support.province_keys import key_pair
from tests.support.provinces_up import NOW_MS, ProvincePlace, a_box, up

pytestmark = pytest.mark.postgresql
SPAN = {"since": "2026-11-28T00:00:00", "until": "2026-11-29T00:00", "purpose": "rà soát"}


@pytest.fixture(scope="module")
def place(postgresql: URL) -> ProvincePlace:
    return ProvincePlace(own_database(postgresql))


@pytest.fixture(scope="module")
def screen(place: ProvincePlace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvinceScreen]:
    folder = tmp_path_factory.mktemp("desk")
    with province_screen(place, folder, key_pair(folder)[0]) as found:
        store = place.open()
        for commune in ("hai-ninh", "mong-cai"):
            store.commit([up(1, a_box(NOW_MS, "online"), commune=commune)])
        store.close()
        found.open("lan", "hai-ninh")
        found.open("binh", "*")
        yield found


def ask(client: httpx.Client, *cameras: str, **fields: str) -> httpx.Response:
    token = csrf_of(client.get("/asked").text)
    return client.post("/asked", data={"csrf": token, "place": list(cameras), **(SPAN | fields)})


def test_the_form_is_there_once_one_commune_is_shown_and_names_its_cameras(screen: ProvinceScreen) -> None:
    lan, binh = screen.client("lan", "en"), screen.client("binh", "en")

    assert 'value="hai-ninh.hn-01/north"' in lan.get("/asked").text
    assert "Choose one commune" in binh.get("/asked").text
    binh.get("/commune?name=mong-cai")
    page = binh.get("/asked").text
    assert 'value="mong-cai.hn-01/north"' in page and "hai-ninh.hn-01" not in page


def test_what_may_not_be_asked_is_not(screen: ProvinceScreen, place: ProvincePlace) -> None:
    lan = screen.client("lan", "en")

    assert ask(lan, "mong-cai.hn-01/north").status_code == 422
    assert ask(lan, "hai-ninh.hn-01/north", "mong-cai.hn-01/north").status_code == 422
    assert ask(lan).status_code == 422
    for wrong in (
        {"until": SPAN["since"]},
        {"since": "never"},
        {"since": "2026-01-01T00:00"},
        {"purpose": " "},
    ):
        assert ask(lan, "hai-ninh.hn-01/north", **wrong).status_code == 422
    assert place.rows("select count(*) from request") == [(0,)]


def test_a_span_is_asked_for_by_the_consoles_clock_and_listed(
    screen: ProvinceScreen, place: ProvincePlace
) -> None:
    lan = screen.client("lan", "en")

    assert ask(lan, "hai-ninh.hn-01/north").status_code == 303

    page = lan.get("/asked").text
    assert "informative events" in page and "hn-01/north" in page and "rà soát" in page
    (row,) = place.rows("select kind, about from request")
    assert row[0] == "events" and '"from_ms":1795798800000' in row[1]  # midnight at UTC+7


def test_the_list_and_the_form_say_what_the_station_calls_its_cameras(
    screen: ProvinceScreen, place: ProvincePlace
) -> None:
    titles = {"place": "Ngã tư Bưu điện", "cameras": {"north": {"title": "Hướng chợ"}}}
    store = place.open(now_ms=NOW_MS + 9)
    store.commit([up(2, a_box(NOW_MS + 5, "online", titles=titles), commune="mong-cai")])
    store.close()
    binh = screen.client("binh", "en")
    binh.get("/commune?name=mong-cai")

    assert ask(binh, "mong-cai.hn-01/north").status_code == 303

    page = binh.get("/asked").text
    assert (
        '<optgroup label="mong-cai.hn-01 · Ngã tư Bưu điện"><option value="mong-cai.hn-01/north">Hướng chợ<'
        in page
    )
    assert "mong-cai.hn-01 · Ngã tư Bưu điện, Hướng chợ" in page
    footage = binh.get("/asked/footage").text
    assert (
        '<option value="mong-cai.hn-01/north">Hướng chợ · mong-cai.hn-01 · Ngã tư Bưu điện</option>' in footage
    )
