"""station.web.asking.picture over HTTP, with a real database"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import httpx
import pytest
from sqlalchemy import URL

from tests.support.asked_commune import CLOSE
from tests.support.backups import own_database
from tests.support.duty_screen import csrf_of
from tests.support.province_desk import ProvinceScreen, province_screen
from tests.support.province_keys import key_pair
from tests.support.provinces_up import NOW_MS, ProvincePlace, an_alert, up, v7

pytestmark = pytest.mark.postgresql
DIGEST = sha256(CLOSE).hexdigest()
IMAGE = {"topic": "t", "sha256": DIGEST, "width_px": 64, "height_px": 48, "bytes": len(CLOSE)}
OWN, OTHER = (f"/events/{commune}.hn-01/{v7(NOW_MS)}" for commune in ("hai-ninh", "mong-cai"))
BARE = f"/events/hai-ninh.hn-01/{v7(NOW_MS, 2)}"


@pytest.fixture(scope="module")
def place(postgresql: URL) -> ProvincePlace:
    return ProvincePlace(own_database(postgresql))


@pytest.fixture(scope="module")
def screen(place: ProvincePlace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvinceScreen]:
    """Two communes with an alert that names a picture each; `lan` may see one of them."""
    folder = tmp_path_factory.mktemp("desk")
    with province_screen(place, folder, key_pair(folder)[0]) as found:
        store = place.open()
        for commune in ("hai-ninh", "mong-cai"):
            store.commit([up(1, an_alert(1, commune=commune, image=IMAGE), an_alert(2), commune=commune)])
        store.close()
        found.open("lan", "hai-ninh")
        found.open("binh", "*")
        yield found


def ask(client: httpx.Client, path: str, page: str = OWN, **fields: str) -> httpx.Response:
    token = csrf_of(client.get(page).text)
    return client.post(f"{path}/ask", data={"csrf": token, "view": "thumbnail", "purpose": "tin báo"} | fields)


def asked(place: ProvincePlace) -> int:
    return int(place.rows("select count(*) from request")[0][0])


@pytest.mark.long
def test_what_the_account_may_not_see_it_cannot_ask_for_either(
    screen: ProvinceScreen, place: ProvincePlace
) -> None:
    lan = screen.client("lan", "en")

    assert ask(lan, OTHER).status_code == 404
    assert ask(lan, "/events/hai-ninh.hn-01/nothing").status_code == 404
    lan.cookies.set("ngatu-commune", "mong-cai")
    assert ask(lan, OTHER).status_code == 404
    assert asked(place) == 0


def test_nothing_is_asked_without_a_purpose_a_page_of_ours_or_a_picture(
    screen: ProvinceScreen, place: ProvincePlace
) -> None:
    lan = screen.client("lan", "en")

    assert ask(lan, OWN, purpose="  ").status_code == 422
    assert ask(lan, OWN, view="scene").status_code == 404
    assert ask(lan, BARE).status_code == 404
    assert lan.post(f"{OWN}/ask", data={"purpose": "tin báo"}).status_code == 403
    assert screen.client(None).post(f"{OWN}/ask").status_code in (303, 401)
    assert asked(place) == 0


@pytest.mark.long
def test_a_page_shows_what_may_be_asked_then_how_it_stands_and_a_second_click_asks_nothing(
    screen: ProvinceScreen, place: ProvincePlace
) -> None:
    lan = screen.client("lan", "en")
    before = lan.get(OWN).text
    assert (
        "Ask the commune for the picture" in before
        and "Ask the commune for the picture" not in lan.get(BARE).text
    )

    assert ask(lan, OWN, purpose="<b>tin báo</b>").status_code == 303
    ask(lan, OWN)

    after = lan.get(OWN).text
    assert asked(place) == 1 and "asked, and not sent yet" in after
    assert "&lt;b&gt;tin báo" in after and "Ask the commune for the picture" not in after
    assert screen.acts().count(("ask_commune", OWN.removeprefix("/events/"))) == 1
    listed = lan.get("/asked").text
    assert "a picture of an event" in listed and "Nguyễn Thị Lan" in listed
    assert "asked a commune" in screen.client("binh", "en").get("/audit").text
