"""station.web.asking.footage over HTTP, with a real database"""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from sqlalchemy import URL

from station.uplink.envelope import UpItem
from station.uplink.requests.answer import RequestAnswer, answer_item
from station.uplink.requests.order import RequestReason, RequestState
from tests.support.backups import own_database
from tests.support.duty_screen import csrf_of
from tests.support.province_desk import ProvinceScreen, province_screen
from tests.support.province_keys import key_pair
from tests.support.provinces_up import NOW_MS, ProvincePlace, a_box, an_alert, up, v7
from tests.support.requested_footage import DATA, FILE, pieces_of

pytestmark = pytest.mark.postgresql
PLACE = "hai-ninh.hn-01/north"
FORM = {
    "place": PLACE,
    "since": "2026-11-28T10:00:00",
    "until": "2026-11-28T10:01:00",
    "case": "12/2026",
    "purpose": "va chạm",
}


@pytest.fixture(scope="module")
def place(postgresql: URL) -> ProvincePlace:
    return ProvincePlace(own_database(postgresql))


@pytest.fixture(scope="module")
def screen(place: ProvincePlace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvinceScreen]:
    """Two communes with a box and an alert each; `lan` may see one of them."""
    folder = tmp_path_factory.mktemp("desk")
    with province_screen(place, folder, key_pair(folder)[0]) as found:
        store = place.open()
        for commune in ("hai-ninh", "mong-cai"):
            store.commit([up(1, a_box(NOW_MS, "online"), an_alert(1, commune=commune), commune=commune)])
        store.close()
        found.open("lan", "hai-ninh")
        found.open("binh", "*")
        yield found


def ask(client: httpx.Client, **fields: str) -> httpx.Response:
    token = csrf_of(client.get(f"/asked/footage?place={fields.get('place', PLACE)}").text)
    return client.post("/asked/footage", data={"csrf": token, **(FORM | fields)})


def asked(place: ProvincePlace) -> list[tuple[object, ...]]:
    return place.rows("select id, sha256, device, about, purpose from request order by asked_ms")


def test_the_page_of_an_event_leads_to_the_form_with_its_camera_and_its_time(screen: ProvinceScreen) -> None:
    lan = screen.client("lan", "en")
    page = lan.get(f"/events/hai-ninh.hn-01/{v7(NOW_MS)}").text
    href = unescape(page.split('href="/asked/footage?')[1].split('"')[0])

    form = lan.get(f"/asked/footage?{href}").text
    assert f'value="{PLACE}" selected' in form and 'value="2026-11-29T14:59:00"' in form


def test_the_form_is_there_once_one_commune_is_shown(screen: ProvinceScreen) -> None:
    binh = screen.client("binh", "en")
    assert "Choose one commune" in binh.get("/asked/footage").text
    assert "mong-cai.hn-01/north" in binh.get("/asked/footage?place=mong-cai.hn-01/north").text
    assert 'href="/asked/footage"' in binh.get("/asked").text


def test_what_may_not_be_asked_is_not_and_the_form_says_what_to_mend(
    screen: ProvinceScreen, place: ProvincePlace
) -> None:
    lan = screen.client("lan", "en")

    token = csrf_of(lan.get("/asked/footage").text)
    other = lan.post("/asked/footage", data={"csrf": token, **FORM, "place": "mong-cai.hn-01/north"})
    assert other.status_code == 422 and "no such camera" in other.text
    for wrong, why in (
        ({"until": FORM["since"]}, "the end is not after the beginning"),
        ({"until": "2026-11-28T11:00:01"}, "more than an hour"),
        ({"case": " "}, "the case number is missing"),
        ({"purpose": "x"}, "in three letters at least"),
        ({"since": "never"}, "from when until when"),
    ):
        answer = ask(lan, **wrong)
        assert answer.status_code == 422 and why in answer.text, answer.text
    assert lan.post("/asked/footage", data=FORM).status_code == 403
    assert asked(place) == []


def test_a_clip_is_asked_for_once_told_part_by_part_and_fetched_with_its_proof(
    screen: ProvinceScreen, place: ProvincePlace
) -> None:
    lan = screen.client("lan", "en")
    assert ask(lan, purpose="<b>va chạm</b>").status_code == 303
    ask(lan, purpose="<b>va chạm</b>")
    ((request_id, digest, device, about, _),) = asked(place)
    assert device == "hn-01" and '"case_number":"12/2026"' in str(about)
    assert screen.acts().count(("ask_commune", PLACE)) == 1
    page = lan.get("/asked").text
    assert "asked, and not sent yet" in page and "&lt;b&gt;va chạm" in page and "case 12/2026" in page
    assert lan.get(f"/asked/{request_id}/package").status_code == 404

    def said(state: RequestState, number: int, reason: RequestReason | None = None) -> UpItem:
        return answer_item(RequestAnswer(str(request_id), str(digest), number, state, reason, NOW_MS), "hn-01")

    store = place.open()
    try:
        store.commit([up(2, said(RequestState.ACCEPTED, 2, RequestReason.BOX_AWAY))])
        assert "the box is not connected" in lan.get("/asked").text
        first, *others = pieces_of(request=str(request_id))
        store.commit([up(3, first)])
        assert "on its way: 1 of 4 parts are here" in lan.get("/asked").text
        store.commit([up(4, *others, said(RequestState.DONE, 3))])
        assert "is being checked" in lan.get("/asked").text
        assert lan.get(f"/asked/{request_id}/package").status_code == 404
        store.attend()
    finally:
        store.close()

    page = lan.get("/asked").text
    assert "came at" in page and FILE.sha256 in page and f"/asked/{request_id}/package" in page
    got = lan.get(f"/asked/{request_id}/package")
    assert got.content == DATA and FILE.name in got.headers["content-disposition"]
    assert ("export", str(request_id)) in screen.acts()
    binh = screen.client("binh", "vi")
    assert "về lúc" in binh.get("/asked").text


def test_who_may_not_see_the_commune_fetches_nothing(screen: ProvinceScreen, place: ProvincePlace) -> None:
    (row,) = asked(place)
    screen.open("binh", "mong-cai")
    assert screen.client("binh", "en").get(f"/asked/{row[0]}/package").status_code == 404
    assert screen.client(None).get(f"/asked/{row[0]}/package").status_code in (303, 401)
