"""station.web.footage.requests, over HTTP, with a broker and a box that answers"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from playwright.sync_api import Browser, expect

from agent.transport.settings import EndpointSettings
from station.watch.embedded import Address
from tests.support.brokers import until
from tests.support.duty_screen import PASSWORD, DutyScreen, csrf_of
from tests.support.judged_packages import COMMUNE, DEVICE, JudgedPackages

BASE = f"ngatu/v1/{COMMUNE}/{DEVICE}/"


def form(**change: str) -> dict[str, str]:
    at = datetime.now(UTC).astimezone() - timedelta(minutes=10)
    local = (at + timedelta(hours=7) - (at.utcoffset() or timedelta())).replace(tzinfo=None)
    given = {
        "place": f"{DEVICE}/north",
        "since": f"{local:%Y-%m-%dT%H:%M:%S}",
        "until": f"{local + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S}",
        "case": "12/2026",
        "purpose": "Va chạm ở ngã tư",
    }
    return given | change


def sent(client: httpx.Client, **change: str) -> httpx.Response:
    csrf = csrf_of(client.get("/requests/new").text)
    return client.post("/requests", data=form(**change) | {"csrf": csrf})


@contextmanager
def answering_box(address: Address) -> Iterator[list[dict[str, Any]]]:
    """It says `done` to each order; those that it got."""
    got: list[dict[str, Any]] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, DEVICE, protocol=MQTTProtocolVersion.MQTTv5)
    ready: list[bool] = []

    def hear(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        order = json.loads(message.payload)
        got.append(order)
        answer = {"schema": "1.0", "id": order["id"], "state": "done", "time": datetime.now(UTC).isoformat()}
        client.publish(f"{BASE}ack/{order['id']}", json.dumps(answer), qos=1)

    client.on_message, client.on_subscribe = hear, lambda *_: ready.append(True)
    client.connect(address.host, address.port)
    client.loop_start()
    try:
        until(client.is_connected)
        client.subscribe(f"{BASE}command/#", 1)
        until(lambda: ready)
        info = {
            "schema": "1.0", "commune": COMMUNE, "device": DEVICE, "session": "life-1",
            "time": datetime.now(UTC).isoformat(), "versions": {}, "cameras": [{"id": "north"}],
        }  # fmt: skip
        client.publish(f"{BASE}info", json.dumps(info), qos=1, retain=True).wait_for_publish(5)
        yield got
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def connected(screen: DutyScreen, embedded: Address) -> DutyScreen:
    broker = EndpointSettings(host=embedded.host, port=embedded.port)
    screen.console.config = screen.console.config.model_copy(update={"broker": broker})
    return screen


@pytest.mark.long
def test_an_officer_asks_for_footage_and_sees_how_far_it_is(
    packages: JudgedPackages, connected: DutyScreen, embedded: Address
) -> None:
    client = connected.client("lan")
    with answering_box(embedded) as got:
        answer = sent(client)

    assert answer.status_code == 303
    page = client.get(answer.headers["location"]).text
    assert "đã yêu cầu" in page
    (order,) = got
    assert (order["issuer"], order["args"]["officer"]) == ("lan", "Nguyễn Thị Lan")
    assert (order["args"]["case_number"], order["args"]["camera"]) == ("12/2026", "north")
    (folder,) = packages.folders.every()
    assert folder.request.id == order["id"]
    assert ("request_footage", "pole-7/north") in connected.acts()
    assert "12/2026" in client.get("/requests?show=open").text


def test_a_box_that_does_not_answer_is_asked_all_the_same(
    packages: JudgedPackages, connected: DutyScreen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.web.footage.requests.ANSWER_S", 0.1)
    client = connected.client("lan", "en")

    answer = sent(client)

    assert answer.status_code == 303
    assert "The box has not answered yet" in client.get(answer.headers["location"]).text


def test_without_a_broker_the_form_stays_as_it_was_filled_in(
    packages: JudgedPackages, screen: DutyScreen
) -> None:
    broker = EndpointSettings(host="127.0.0.1", port=9)
    screen.console.config = screen.console.config.model_copy(update={"broker": broker})

    answer = sent(screen.client("lan", "en"), purpose="Xe bỏ chạy")

    assert answer.status_code == 503
    assert "broker 127.0.0.1:9" in answer.text
    assert 'value="Xe bỏ chạy"' in answer.text
    assert list(packages.folders.every()) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"place": "pole-9/north"}, "no such camera is known here"),
        ({"until": ""}, "from when until when?"),
        ({"case": ""}, "the case number is missing"),
        ({"since": "2020-01-01T00:00:00"}, "that is more than an hour"),
    ],
)
def test_what_cannot_be_asked_for_is_told_and_nothing_is_sent(
    packages: JudgedPackages, screen: DutyScreen, change: dict[str, str], why: str
) -> None:
    answer = sent(screen.client("lan", "en"), **change)

    assert answer.status_code == 422
    assert why in answer.text
    assert list(packages.folders.every()) == []
    assert "request_footage" not in [verb for verb, _ in screen.acts()]


def test_the_form_is_filled_in_by_its_address(screen: DutyScreen) -> None:
    page = screen.client().get("/requests/new?box=pole-7&camera=north&at_ms=1800000000000&case=7/2026").text

    assert '<option value="pole-7/north" selected>' in page
    assert 'value="2027-01-15T14:59:30"' in page
    assert 'value="2027-01-15T15:00:30"' in page
    assert 'value="7/2026"' in page
    assert screen.client().get("/requests/new?at_ms=soon").status_code == 422


def test_the_list_says_how_far_each_is_the_newest_first(packages: JudgedPackages, screen: DutyScreen) -> None:
    client = screen.client()
    assert "Chưa có yêu cầu nào." in client.get("/requests").text
    packages.here("01-here", case_number="1/2026")
    packages.asked("02-asked", case_number="2/2026")
    packages.asked("03-refused", case_number="3/2026").tell(stage="refused", detail="no")

    every = client.get("/requests").text
    assert every.index("3/2026") < every.index("2/2026") < every.index("1/2026")
    assert "xác thực" in every
    for show, case in (("here", "1/2026"), ("open", "2/2026"), ("ended", "3/2026")):
        page = client.get(f"/requests?show={show}").text
        assert [each for each in ("1/2026", "2/2026", "3/2026") if each in page] == [case]


@pytest.mark.long
def test_many_requests_have_pages(packages: JudgedPackages, screen: DutyScreen) -> None:
    for number in range(60):
        packages.asked(f"q-{number:03}", case_number=f"vụ-{number}")
    client = screen.client()

    assert "trang 1/2" in client.get("/requests").text
    assert "vụ-0<" in client.get("/requests?page=2").text
    assert client.get("/requests?page=99").status_code == 200


def test_nobody_sees_a_request_without_a_login(screen: DutyScreen) -> None:
    for path in ("/requests", "/requests/new", "/requests/progress"):
        assert screen.client(None).get(path, headers={"accept": "*/*"}).status_code == 401


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_what_was_typed_is_there_after_a_reload_and_a_failure_and_gone_once_it_was_taken(
    packages: JudgedPackages, connected: DutyScreen, monkeypatch: pytest.MonkeyPatch, chromium: Browser
) -> None:
    monkeypatch.setattr("station.web.footage.requests.ANSWER_S", 0.1)
    path, given = "/requests/new?box=pole-7&camera=north", form()
    context = chromium.new_context(base_url=connected.url)
    page = context.new_page()
    page.goto("/language/en")
    page.goto("/login")
    page.fill("[name=login]", "lan")
    page.fill("[name=password]", PASSWORD)
    page.click("button.main")
    page.wait_for_selector("nav.menu")
    page.goto(path)
    for name in ("since", "until", "case", "purpose"):
        page.fill(f"[name={name}]", given[name])

    page.reload()
    expect(page.locator("[name=case]")).to_have_value("12/2026")
    expect(page.locator("[name=since]")).to_have_value(given["since"])
    expect(page.locator(".restored")).to_contain_text("What you wrote here before is back.")
    page.goto("/requests/new?box=pole-7&camera=south")
    expect(page.locator("[name=case]")).to_have_value("")

    page.goto(path)
    page.route("**/requests", lambda route: route.abort())
    page.click("form[data-draft] button.main")
    page.wait_for_url("chrome-error://**")
    page.unroute("**/requests")
    page.goto(path)
    expect(page.locator("[name=purpose]")).to_have_value("Va chạm ở ngã tư")

    page.click("form[data-draft] button.main")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Case 12/2026")
    page.goto(path)
    expect(page.locator("[name=case]")).to_have_value("")
    expect(page.locator(".restored")).to_be_hidden()
    assert len(list(packages.folders.every())) == 1

    page.fill("[name=case]", "13/2026")
    page.reload()
    page.click(".restored button")
    expect(page.locator("[name=case]")).to_have_value("")
    page.fill("[name=case]", "14/2026")
    page.click("[data-leave]")
    page.goto(path)
    expect(page.locator("[name=case]")).to_have_value("")
    context.close()
