"""station.web.boxes.orders, with a really running box and broker"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from station.access.audit_log import AuditQuery
from station.store.schema import blob
from station.watch.embedded import Address
from tests.station.web.boxes.test_overview import opened
from tests.support.boxes import Box, Station, at_work
from tests.support.brokers import until
from tests.support.duty_room import DESK, browser
from tests.support.duty_screen import DutyScreen, csrf_of

BOX = "test-box-01"
JSON = {"accept": "application/json"}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory, embedded: Address) -> Iterator[DutyScreen]:
    """Beside a station that keeps what a running box sends."""
    folder: Path = tmp_path_factory.mktemp("orders")
    box, station = Box(folder, embedded.port), Station(folder, embedded.port)
    with at_work(station, box):
        until(lambda: station.rows("select 1 from box where state = 'online' and health is not null"), 60)
        broker = {"host": embedded.host, "port": embedded.port}
        screen = DutyScreen(station.folder, "test-commune", {"broker": broker})
        with closing(screen), screen.served():
            yield screen


class Desk:
    """Somebody who orders."""

    def __init__(self, screen: DutyScreen, login: str = "lan") -> None:
        self.client = screen.client(login, "en")
        self.csrf = csrf_of(self.client.get(f"/boxes/{BOX}").text)

    def post(self, csrf: str | None = None, box: str = BOX, **fields: Any) -> httpx.Response:
        headers = JSON | {"x-csrf": self.csrf if csrf is None else csrf}
        return self.client.post(f"/boxes/{box}/orders", data=fields, headers=headers)

    def give(self, **fields: Any) -> str:
        answer = self.post(**fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def state(self, order: str) -> dict[str, Any]:
        found = self.client.get(f"/live/orders/{order}", headers=JSON)
        assert found.status_code == 200
        return dict(found.json())

    def over(self, order: str) -> dict[str, Any]:
        until(lambda: self.state(order)["over"], 90)
        return self.state(order)


@pytest.mark.long
def test_an_officer_gets_a_picture_of_now_and_it_stands_in_the_audit_log(screen: DutyScreen) -> None:
    desk, before = Desk(screen), _pictures(screen)
    order = desk.give(kind="picture", camera="road")
    done = desk.over(order)

    assert (done["stage_words"], done["tone"]) == ("done", "good")
    assert desk.client.get(done["picture"]).content.startswith(b"\xff\xd8")
    assert ("order", f"{BOX}/road") in screen.acts()
    page = desk.client.get(f"/boxes/{BOX}").text
    assert done["picture"] in page
    assert "Nguyễn Thị Lan" in page
    live = desk.client.get(f"/live/boxes/{BOX}").json()
    assert done["picture"] not in before
    # The road is busy: an event that began since then may have brought a newer picture already.
    until(lambda: desk.client.get(f"/live/boxes/{BOX}").json()["cameras_list"][0]["picture"] not in before)
    assert live["orders"][0]["what"] == "Picture of now · road"


def _pictures(screen: DutyScreen) -> set[str]:
    """Addresses of all that the station has."""
    with screen.console.reads.connect() as connection:
        return {f"/pictures/{sha256}" for sha256 in connection.execute(select(blob.c.sha256)).scalars()}


@pytest.mark.long
def test_an_officer_looks_for_a_purpose_and_only_he_sees_it(screen: DutyScreen) -> None:
    desk, other = Desk(screen), Desk(screen, "binh")
    assert desk.post(kind="look", camera="road").status_code == 409
    assert not [each for each in screen.acts() if each[0] == "look"]
    look = desk.give(kind="look", camera="road", seconds=10, purpose="crowd at the gate")
    shown, first = 0, 0
    while not (state := desk.state(look))["over"]:
        if number := state["look"]["newest"]:
            first = first or number
            assert other.client.get(f"/live/orders/{look}/pictures/{number}").status_code == 404
            picture = desk.client.get(f"/live/orders/{look}/pictures/{number}")
            shown += picture.status_code == 200 and picture.content.startswith(b"\xff\xd8")
    assert shown >= 2
    assert desk.client.get(f"/live/orders/{look}/pictures/{first}").status_code == 204
    assert other.state(look)["look"] is None
    assert state["look"]["complete"] is True
    (entry,) = screen.console.audit.search(AuditQuery(verb="look")).entries
    assert entry.details["purpose"] == "crowd at the gate"


@pytest.mark.long
def test_a_look_ends_when_its_giver_leaves(screen: DutyScreen) -> None:
    desk, other = Desk(screen), Desk(screen, "binh")
    look = desk.give(kind="look", camera="road", seconds=60, purpose="x")
    until(lambda: desk.state(look)["look"]["came"], 30)
    again = other.post(kind="look", camera="road", seconds=5, purpose="y")
    assert again.status_code == 409
    assert "Nguyễn Thị Lan has ordered the same" in again.json()["error"]
    headers = JSON | {"x-csrf": other.csrf}
    assert other.client.post(f"/live/orders/{look}/end", headers=headers).status_code == 404
    headers = JSON | {"x-csrf": desk.csrf}
    assert desk.client.post(f"/live/orders/{look}/end", headers=headers).status_code == 200
    assert desk.over(look)["why"] == "nobody was looking any more"


@pytest.mark.long
def test_a_camera_is_paused_and_goes_on(screen: DutyScreen) -> None:
    desk = Desk(screen)
    assert desk.over(desk.give(kind="pause", camera="road", minutes=15))["tone"] == "good"

    def camera() -> dict[str, Any]:
        return dict(desk.client.get(f"/live/boxes/{BOX}").json()["cameras_list"][0])

    until(lambda: camera()["paused"], 30)
    assert camera()["why"].startswith("paused by Nguyễn Thị Lan (lan) until ")
    assert desk.over(desk.give(kind="resume", camera="road"))["tone"] == "good"
    until(lambda: camera()["state_words"] == "sees", 30)


@pytest.mark.long
def test_a_supervisor_restarts_and_reloads_and_an_officer_does_not(screen: DutyScreen) -> None:
    officer, supervisor = Desk(screen), Desk(screen, "binh")
    before = screen.acts()
    for kind in ("restart", "reload"):
        refused = officer.post(kind=kind)
        assert (refused.status_code, refused.json()["error"]) == (403, "this is not for your role")
    assert not [each for each in screen.acts()[len(before) :] if each[0] == "order"]
    for kind in ("restart", "reload"):
        assert supervisor.over(supervisor.give(kind=kind))["tone"] == "good"


def test_frames_are_had_sent_by_supervisors_only_and_the_log_says_what_for(screen: DutyScreen) -> None:
    officer, supervisor = Desk(screen), Desk(screen, "binh")
    refused = officer.post(kind="samples", purpose="x")
    assert (refused.status_code, refused.json()["error"]) == (403, "this is not for your role")
    without = supervisor.post(kind="samples")
    assert (without.status_code, without.json()["error"]) == (409, "frames need their purpose")

    ended = supervisor.over(supervisor.give(kind="samples", purpose="a better detector"))
    assert "samples.enabled is false" in ended["why"]
    assert [each for each in screen.acts() if each[0] == "order"]


def test_without_javascript_an_order_leads_back_to_the_box(screen: DutyScreen) -> None:
    desk = Desk(screen)
    fields = {"kind": "picture", "camera": "road", "csrf": desk.csrf}
    answer = desk.client.post(f"/boxes/{BOX}/orders", data=fields)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/boxes/{BOX}#orders")
    (newest, *_) = screen.console.orders.of_box(BOX)
    assert desk.over(newest.id)["tone"] == "good"


def test_what_is_no_order_of_ours_is_not_given(screen: DutyScreen) -> None:
    desk = Desk(screen)
    before = screen.console.orders.of_box(BOX)

    assert desk.post(csrf="x", kind="picture", camera="road").status_code == 403
    assert desk.post(kind="dance", camera="road").status_code == 422
    assert desk.post(kind="picture", camera="No Camera").status_code == 409
    assert desk.post(kind="picture", camera="road", box="away-01").status_code == 404
    assert desk.post(kind="pause", camera="road", minutes=99_999).status_code == 422
    assert desk.client.get("/live/orders/x", headers=JSON).status_code == 404
    assert httpx.get(f"{screen.url}/live/orders/{before[0].id if before else 'x'}").status_code == 401
    assert screen.console.orders.of_box(BOX) == before


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.mark.browser
def test_an_officer_looks_through_a_camera_in_a_browser(chrome: Browser, screen: DutyScreen) -> None:
    page = opened(chrome, screen, DESK)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{screen.url}/boxes/{BOX}")
    page.get_by_text("Xem trực tiếp", exact=True).click()
    page.locator("[name=purpose]").press_sequentially("ùn tắc", delay=20)
    with page.expect_response(lambda answer: "/live/boxes/" in answer.url):
        pass  # the page renews itself while somebody writes …
    assert page.evaluate("document.activeElement.name") == "purpose"
    expect(page.locator("[name=purpose]")).to_have_value("ùn tắc")  # … and takes nothing from him
    page.locator("[name=seconds]").select_option("15")
    page.get_by_role("button", name="Bắt đầu xem").click()
    expect(page.locator("#look img")).to_be_visible()
    first = page.locator("#look img").get_attribute("src")
    expect(page.locator("#look img")).not_to_have_attribute("src", first or "")
    assert page.evaluate("document.querySelector('#look img').naturalWidth") > 100
    page.locator("[data-stop]").click()
    expect(page.locator("#look")).to_be_hidden()
    expect(page.locator(".orders li").first).to_contain_text("Xem trực tiếp · road")
    expect(page.locator(".orders li").first).to_have_attribute("data-tone", "good")
    page.get_by_role("button", name="Lấy ảnh lúc này").click()
    expect(page.locator(".orders li").first).to_contain_text("Lấy ảnh lúc này")
    expect(page.locator(".orders .thumb img").first).to_be_visible(timeout=120_000)
    assert complaints == []
    page.context.close()
