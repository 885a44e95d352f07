"""station.web.pages.entry"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from station.access.lockout import FREE
from station.access.roles import Role
from station.watch.embedded import Address
from station.web.pages.entry import inside
from tests.support.duty_room import PHONE, at_the_screen, browser, duty_room
from tests.support.people import GOOD
from tests.support.screens import Screen, csrf_of, screen


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Screen]:
    with screen(tmp_path) as found:
        yield found


def cookies(answer: httpx.Response) -> SimpleCookie:
    found = SimpleCookie()
    for each in answer.headers.get_list("set-cookie"):
        found.load(each)
    return found


def log_in(client: httpx.Client, password: str = GOOD, login: str = "lan", **more: str) -> httpx.Response:
    return client.post("/login", data={"login": login, "password": password, **more})


def test_a_cookie_is_for_this_host_and_no_script(room: Screen) -> None:
    made = cookies(log_in(room.browser()))

    for name, path in (("ngatu", "/"), ("ngatu-known", "/login")):
        flags = made[name]
        assert (flags["httponly"], flags["samesite"], flags["path"], flags["domain"]) == (
            True,
            "strict",
            path,
            "",
        )
        assert not flags["secure"]


def test_behind_tls_a_cookie_goes_over_tls_only(tmp_path: Path) -> None:
    with screen(tmp_path, ", public_url: 'https://tram.example'") as room:
        made = cookies(log_in(room.browser(host="tram.example")))
        assert made["ngatu"]["secure"]
        assert made["ngatu-known"]["secure"]


@pytest.mark.long
def test_stations_at_two_ports_of_one_name_log_nobody_out_of_each_other(tmp_path: Path) -> None:
    """A browser has one jar for all ports of a name."""
    jar: dict[str, str] = {}
    for port in ("", ":8443"):
        (folder := tmp_path / f"at{port[1:]}").mkdir()
        with screen(folder, f", public_url: 'https://tram.example{port}'") as room:
            made = cookies(log_in(room.browser(host=f"tram.example{port}")))
            jar |= {name: each.value for name, each in made.items()}
            asked = room.browser(
                host=f"tram.example{port}", cookie="; ".join("=".join(each) for each in jar.items())
            )
            assert asked.get("/").status_code == 200

    assert set(jar) == {"ngatu", "ngatu-known", "ngatu-8443", "ngatu-known-8443"}


def test_a_log_in_gives_a_new_token_and_ends_the_session_that_was_there(room: Screen) -> None:
    """A token that somebody else has put into the browser is worth nothing after it."""
    first = room.visitor(Role.OFFICER)
    planted = first.cookies["ngatu"]
    victim = room.browser(cookie=f"ngatu={planted}")
    answer = log_in(victim, login="minh")

    assert cookies(answer)["ngatu"].value not in ("", planted)
    assert room.console.sessions.find(planted) is None
    assert first.get("/").headers["location"] == "/login"


@pytest.mark.parametrize("path", ["/", "/lookup?label=car&page=2", "/events/hai-ninh/1", "/own"])
def test_after_the_log_in_one_is_where_one_wanted_to_be(room: Screen, path: str) -> None:
    assert inside(path) == path
    assert log_in(room.browser(), next=path).headers["location"] == path


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/ok\r\nset-cookie: a=b",
        "",
    ],
)
def test_nobody_is_led_elsewhere_by_a_log_in(room: Screen, path: str) -> None:
    assert inside(path) == "/"
    assert log_in(room.browser(), next=path).headers["location"] == "/"
    assert "evil" not in room.browser().get("/login", params={"next": path}).text


def test_a_wrong_password_and_an_unknown_login_read_the_same(room: Screen) -> None:
    one, other = log_in(room.browser(), "wrong password"), log_in(room.browser(), "wrong password", "nobody")

    assert one.status_code == other.status_code == 401
    assert one.text.replace('value="lan"', 'value="nobody"') == other.text
    assert "wrong password" not in one.text
    assert "set-cookie" not in one.headers


def said(answer: httpx.Response) -> str:
    """What the page says is wrong."""
    found = re.search(r'<p class="problem" role="alert">(.*?)<br>', answer.text)
    return found[1] if found else ""


@pytest.mark.parametrize("login", ["lan", "nobody.at.all"])
def test_a_wrong_password_is_told_how_many_tries_are_left_whether_or_not_the_login_exists(
    room: Screen, login: str
) -> None:
    browser = room.browser()
    browser.cookies.set("ngatu-language", "en")

    answers = [log_in(browser, "wrong one", login) for _ in range(FREE)]

    assert [said(each) for each in answers[:2]] == [
        "name or password is wrong; 4 more tries at most, then you must wait",
        "name or password is wrong; 3 more tries at most, then you must wait",
    ]
    assert said(answers[3]) == "name or password is wrong; after one more wrong one you must wait"
    assert said(answers[4]).startswith("there were too many wrong passwords: wait until ")
    assert all("Unikey" in each.text.split("<form")[0] for each in answers)


def test_a_browser_that_is_known_has_a_count_of_its_own(room: Screen) -> None:
    browser = room.browser()
    browser.cookies.set("ngatu-language", "en")
    log_in(browser)
    log_in(room.browser(), "wrong one")

    assert "4 more tries" in said(log_in(browser, "wrong one"))


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_the_page_says_what_the_keyboard_does_with_a_password_and_shows_it_on_demand(
    embedded: Address, tmp_path: Path
) -> None:
    with (
        duty_room(tmp_path / "duty", embedded.port) as room,
        browser() as chrome,
        at_the_screen(chrome, room, None, PHONE) as officer,
    ):
        officer.go("/login")
        page = officer.page
        marks, field = page.locator("#marks"), page.locator("[name=password]")
        expect(marks).to_be_hidden()
        field.fill("con trau")
        expect(marks).to_be_hidden()
        field.fill("con trâu")
        expect(marks).to_contain_text("Unikey")
        expect(field).to_have_attribute("type", "password")
        page.check("#show")
        expect(field).to_have_attribute("type", "text")
        capital = "new KeyboardEvent('keydown', {key: 'A', bubbles: true, modifierCapsLock: true})"
        field.evaluate(f"field => field.dispatchEvent({capital})")
        expect(page.locator("#caps")).to_contain_text("Caps Lock")
        field.evaluate("field => field.dispatchEvent(new KeyboardEvent('keydown', {key: 'a', bubbles: true}))")
        expect(page.locator("#caps")).to_be_hidden()
        page.fill("[name=login]", "lan")
        page.click("button.main")
        expect(page.locator(".problem")).to_contain_text("Caps Lock")
        assert [each for each in officer.complaints if "401" not in each] == []


def test_after_five_wrong_ones_the_page_says_until_when_one_must_wait(room: Screen) -> None:
    client = room.browser()
    answers = [log_in(client, "wrong password") for _ in range(FREE + 1)]

    assert [each.status_code for each in answers] == [401] * (FREE - 1) + [429] * 2
    assert "hãy đợi đến" in answers[-1].text
    assert log_in(client).status_code == 429


def test_a_known_browser_gets_in_while_others_wait(room: Screen) -> None:
    known = room.visitor(Role.OFFICER)
    stranger = room.browser()
    for _ in range(FREE):
        log_in(stranger, "wrong password")

    assert log_in(stranger).status_code == 429
    assert log_in(known).status_code == 303


def test_a_disabled_account_is_told_so_with_its_password_only(room: Screen) -> None:
    room.console.accounts.disable("lan")

    assert log_in(room.browser(), "wrong password").status_code == 401
    assert log_in(room.browser()).status_code == 403


def test_a_log_in_from_another_site_is_refused(room: Screen) -> None:
    answer = log_in(room.browser(**{"sec-fetch-site": "cross-site"}))

    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_who_logs_out_is_out_also_with_the_old_token(room: Screen) -> None:
    client = room.visitor(Role.OFFICER)
    token = client.cookies["ngatu"]
    answer = client.post("/logout", data={"csrf": csrf_of(client.get("/own").text)})

    assert answer.headers["location"] == "/login"
    assert cookies(answer)["ngatu"].value == ""
    assert room.browser(cookie=f"ngatu={token}").get("/").headers["location"] == "/login"


def test_what_is_typed_as_a_login_comes_back_as_text(room: Screen) -> None:
    answer = log_in(room.browser(), "x", '"><script>alert(1)</script>')

    assert "<script>alert" not in answer.text


@pytest.mark.parametrize(
    "data", [{}, {"login": "lan"}, {"password": GOOD}, {"login": "l" * 201, "password": "x"}]
)
def test_half_a_form_is_told_and_lets_nobody_in(room: Screen, data: dict[str, str]) -> None:
    answer = room.browser().post("/login", data=data)

    assert answer.status_code in (401, 422)
    assert "set-cookie" not in answer.headers


def test_a_language_is_chosen_before_one_is_logged_in_and_leads_back(room: Screen) -> None:
    client = room.browser()
    assert "Đăng nhập" in client.get("/login").text
    answer = client.get("/language/en", headers={"referer": f"http://127.0.0.1:{room.port}/login?next=/own"})

    assert answer.headers["location"] == "/login?next=/own"
    assert "Log in" in client.get("/login").text
    answer = client.get("/language/xx", headers={"referer": "https://evil.example/"})
    assert (answer.headers["location"], "set-cookie" in answer.headers) == ("/", False)


def test_the_screen_says_that_it_is_alive(room: Screen) -> None:
    assert room.browser().get("/alive").json() == {"state": "ok"}
