"""station.web.boxes.plans"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from station.boxes.plans import PlacedBox
from station.boxes.wall import BoxWall
from station.store.store import Store
from tests.station.boxes.test_plan_picture import encoded, image
from tests.station.web.boxes.test_overview import Duty, on_duty, opened
from tests.support.duty_room import DESK, PHONE, browser
from tests.support.duty_screen import DutyScreen, csrf_of
from tests.support.told_boxes import COMMUNE, ToldBox

PICTURE = encoded(image(1000, 500))


@pytest.fixture(scope="module")
def duty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Duty]:
    with on_duty(tmp_path_factory.mktemp("duty")) as duty:
        yield duty


@pytest.fixture
def store(duty: Duty) -> Store:
    """With one box that is well, and one that is away."""
    now_s = time.time()
    duty.store.commit(ToldBox("hn-01", now_s, "Ngã tư chợ").well())
    duty.store.commit([*ToldBox("hn-02", now_s, "Cầu").well(), ToldBox("hn-02", now_s).status("offline")])
    duty.screen.console.boxes = BoxWall(duty.screen.console.reads, COMMUNE)  # not what an earlier test has read
    return duty.store


@pytest.fixture
def screen(duty: Duty, store: Store) -> Iterator[DutyScreen]:
    """Without a plan."""
    yield duty.screen
    for each in duty.screen.console.plans.all():
        duty.screen.console.plans.remove(each.id)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def made(screen: DutyScreen, places: dict[str, tuple[int, int]] | None = None) -> int:
    plan = screen.console.plans.add("Trung tâm xã", PICTURE)
    screen.console.plans.arrange(plan, COMMUNE, places or {})
    return plan


def places(screen: DutyScreen) -> tuple[PlacedBox, ...]:
    return screen.console.plans.all()[0].places


@pytest.mark.long
def test_an_administrator_makes_a_plan_of_a_picture_and_puts_boxes_on_it(screen: DutyScreen) -> None:
    client = screen.client("quan.tri")
    csrf = csrf_of(client.get("/plans").text)
    answer = client.post(
        "/plans", data={"csrf": csrf, "name": "Trung tâm xã"}, files={"picture": ("a.png", PICTURE)}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/plans/1/edit")
    page = client.get("/plans/1/edit").text
    seen = page.partition('name="seen_ms" value="')[2].partition('"')[0]
    data = {"csrf": csrf, "seen_ms": seen, "x/hn-01": "250", "y/hn-01": "750", "x/hn-02": "", "y/hn-02": ""}
    assert client.post("/plans/1/places", data=data).status_code == 303
    assert places(screen) == (PlacedBox("hn-01", 250, 750),)
    stale = client.post("/plans/1/places", data=data)
    assert stale.status_code == 422
    assert "người khác đã sửa" in stale.text
    assert client.post("/plans/1", data={"csrf": csrf, "name": "Xã"}).status_code == 303
    assert [each.name for each in screen.console.plans.all()] == ["Xã"]
    assert client.post("/plans/1/remove", data={"csrf": csrf}).status_code == 303
    assert screen.console.plans.all() == ()
    assert [each for each in screen.acts() if each[0] == "plan_changed"] == [
        ("plan_changed", "Trung tâm xã"),
        ("plan_changed", "Trung tâm xã"),
        ("plan_changed", "Xã"),
        ("plan_changed", "Xã"),
    ]


def test_boxes_stand_on_the_plan_with_colour_shape_and_words(screen: DutyScreen) -> None:
    plan = made(screen, {"hn-02": (100, 200)})
    client = screen.client()
    page = client.get("/plans", follow_redirects=True).text

    assert 'x="10.0%" y="20.0%" data-verdict="broken"' in page
    assert 'aria-label="Cầu: cần xử lý ngay"' in page
    assert "Chưa có trên sơ đồ này" in page
    picture = client.get(f"/plans/{plan}/picture?v=1")
    assert (picture.headers["content-type"], picture.content[:4]) == ("image/png", b"\x89PNG")
    assert "immutable" in picture.headers["cache-control"]
    assert [each["key"] for each in client.get(f"/live/plans/{plan}").json()["places"]] == ["hn-02"]


def test_only_an_administrator_changes_plans(screen: DutyScreen) -> None:
    plan = made(screen, {"hn-01": (1, 1)})
    client = screen.client("binh")
    csrf = csrf_of(client.get("/plans", follow_redirects=True).text)
    posts: list[tuple[str, dict[str, Any]]] = [
        ("/plans", {"data": {"csrf": csrf, "name": "A"}, "files": {"picture": ("a.png", PICTURE)}}),
        (f"/plans/{plan}", {"data": {"csrf": csrf, "name": "A"}}),
        (f"/plans/{plan}/places", {"data": {"csrf": csrf}}),
        (f"/plans/{plan}/remove", {"data": {"csrf": csrf}}),
    ]
    before = screen.console.plans.all()
    assert client.get(f"/plans/{plan}/edit").status_code == 403
    assert f"/plans/{plan}/edit" not in client.get(f"/plans/{plan}").text
    assert [client.post(path, **more).status_code for path, more in posts] == [403] * 4
    nobody = [httpx.post(screen.url + path, **more).status_code for path, more in posts]
    assert nobody == [401] * 4
    assert httpx.get(f"{screen.url}/plans/{plan}/picture").status_code == 401
    without = screen.client("quan.tri")
    assert without.post(f"/plans/{plan}/remove", data={"csrf": "x"}).status_code == 403
    assert screen.console.plans.all() == before


def test_what_is_no_plan_is_refused_in_words(screen: DutyScreen) -> None:
    client = screen.client("quan.tri")
    csrf = csrf_of(client.get("/plans").text)

    def post(data: bytes, name: str = "A") -> httpx.Response:
        files = {"picture": ("a.svg", data, "image/svg+xml")}
        return client.post("/plans", data={"csrf": csrf, "name": name}, files=files)

    svg = post(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    assert (svg.status_code, "không dùng làm sơ đồ được" in svg.text) == (422, True)
    assert "lớn hơn 8 MB" in post(bytes(8_000_001)).text
    assert post(bytes(9_000_000)).status_code == 413
    assert post(PICTURE, "").status_code == 422
    for path in (
        "/plans/99",
        "/plans/99/edit",
        "/plans/99/picture",
        "/live/plans/99",
        "/plans/99999999999999999999",
    ):
        assert client.get(path).status_code == 404
    plan = made(screen)
    for x in ("-1", "1001", "1e3", "١"):
        data = {"csrf": csrf, "x/hn-01": x, "y/hn-01": "1"}
        assert client.post(f"/plans/{plan}/places", data=data).status_code == 422
    assert places(screen) == ()


@pytest.mark.browser
def test_boxes_are_put_on_a_plan_with_mouse_and_keys(chrome: Browser, screen: DutyScreen) -> None:
    made(screen, {"hn-01": (100, 100)})
    page = opened(chrome, screen, DESK, "quan.tri")
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{screen.url}/plans/1/edit")
    plan = page.locator(".plan").bounding_box()
    assert plan is not None
    left, top = plan["x"], plan["y"]
    page.mouse.move(left + 0.1 * plan["width"], top + 0.1 * plan["height"])
    page.mouse.down()
    page.mouse.move(left + 0.4 * plan["width"], top + 0.6 * plan["height"], steps=6)
    page.mouse.up()
    page.get_by_role("button", name="Cầu").first.click()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#unsaved")).to_have_text("Chưa lưu.")
    page.get_by_role("button", name="Lưu", exact=True).click()
    page.wait_for_url("**/plans/1")
    dragged, moved = places(screen)
    assert (abs(dragged.x_permille - 400) <= 3, abs(dragged.y_permille - 600) <= 3) == (True, True)
    assert moved == PlacedBox("hn-02", 495, 550)

    page.goto(f"{screen.url}/plans/1/edit")
    page.focus(".place[data-device='hn-01']")
    page.keyboard.press("Delete")
    page.get_by_role("button", name="Lưu", exact=True).click()
    page.wait_for_url("**/plans/1")
    assert [each.device for each in places(screen)] == ["hn-02"]
    page.locator(".place a").click()
    page.wait_for_url("**/boxes/hn-02")
    assert complaints == []
    page.context.close()


@pytest.mark.browser
def test_a_box_is_dragged_with_a_finger_on_a_phone(chrome: Browser, screen: DutyScreen) -> None:
    made(screen, {"hn-01": (500, 500)})
    page = opened(chrome, screen, PHONE, "quan.tri")
    page.goto(f"{screen.url}/plans/1/edit")
    plan = page.locator(".plan").bounding_box()
    assert plan is not None
    session = page.context.new_cdp_session(page)
    x, y = plan["x"] + plan["width"] / 2, plan["y"] + plan["height"] / 2
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x - 40, "y": y}]),
        ("touchMove", [{"x": x - 80, "y": y + 20}]),
        ("touchEnd", []),
    ):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator("#unsaved")).to_have_text("Chưa lưu.")
    page.get_by_role("button", name="Lưu", exact=True).click()
    page.wait_for_url("**/plans/1")
    (found,) = places(screen)
    assert abs(found.x_permille - (500 - 80 / plan["width"] * 1000)) <= 4
    assert abs(found.y_permille - (500 + 20 / plan["height"] * 1000)) <= 8
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.context.close()


@pytest.mark.browser
def test_the_map_renews_itself_and_hinders_nobody(chrome: Browser, screen: DutyScreen, store: Store) -> None:
    plan = made(screen, {"hn-01": (500, 500)})
    page = opened(chrome, screen, DESK, "quan.tri")
    for path in ("/plans/1/edit", "/plans/1"):
        page.goto(screen.url + path)
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == [], path
    store.commit([ToldBox("hn-01", time.time()).status("offline")])
    expect(page.locator(".place[data-key='hn-01']")).to_have_attribute("data-verdict", "broken")
    expect(page.locator(".place[data-key='hn-01'] a")).to_have_attribute(
        "aria-label", "Ngã tư chợ: cần xử lý ngay"
    )
    screen.console.plans.arrange(plan, COMMUNE, {"hn-01": (500, 500), "hn-02": (200, 300)})
    expect(page.locator(".place[data-key='hn-02']")).to_have_attribute("y", "30.0%")
    expect(page.locator(".place[data-key='hn-02'] text")).to_be_visible()
    page.context.close()
