"""station.web.pages.own"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from station.access.audit_log import AuditQuery
from station.access.lockout import FREE
from station.access.roles import Role
from tests.support.people import GOOD
from tests.support.screens import Screen, csrf_of, screen

NEW = "bốn con mèo dưới hiên"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Screen]:
    with screen(tmp_path) as found:
        yield found


def post(client: httpx.Client, path: str, **data: str) -> httpx.Response:
    return client.post(path, data={"csrf": csrf_of(client.get("/own").text), **data})


def change(client: httpx.Client, old: str = GOOD, new: str = NEW, again: str | None = None) -> httpx.Response:
    return post(client, "/own/password", old=old, new=new, again=again or new)


def test_another_password_logs_out_elsewhere_and_gives_this_browser_a_new_token(room: Screen) -> None:
    here, elsewhere = room.visitor(), room.visitor()
    before = here.cookies["ngatu"]
    answer = change(here)

    assert answer.headers["location"] == "/own?done=password"
    assert here.cookies["ngatu"] != before
    assert here.get("/own").status_code == 200
    assert elsewhere.get("/own").status_code == 303
    assert room.browser(cookie=f"ngatu={before}").get("/own").status_code == 303
    assert room.browser().post("/login", data={"login": "lan", "password": NEW}).status_code == 303
    found = next(room.console.audit.every(AuditQuery(verb="password_changed")))
    assert (found.login, found.subject, found.detail) == ("lan", "lan", '{"by":"own"}')


def test_who_had_a_given_password_is_at_the_wall_after_the_change(room: Screen) -> None:
    password = room.console.accounts.reset("lan")
    client = room.browser()
    client.post("/login", data={"login": "lan", "password": password})
    assert "Mật khẩu của bạn do người khác cấp" in client.get("/own").text
    assert client.get("/").headers["location"] == "/own"

    assert change(client, password).headers["location"] == "/"
    assert client.get("/own").status_code == 200


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"old": "wrong password"}, "mật khẩu hiện tại không đúng"),
        ({"new": "ngắn"}, "mật khẩu có 4 ký tự"),
        ({"new": "matkhau12345"}, "ai cũng thử đầu tiên"),
        ({"new": GOOD}, "trùng với mật khẩu hiện tại"),
        ({"again": "khác hẳn lần trước"}, "hai lần"),
    ],
)
def test_what_is_refused_is_told_and_nothing_is_changed(room: Screen, words: dict[str, str], why: str) -> None:
    client = room.visitor()
    answer = change(client, **words)

    assert (answer.status_code, why in answer.text) == (422, True), answer.text
    assert client.get("/own").status_code == 200
    assert room.visitor().get("/own").status_code == 200


def test_an_open_session_is_no_place_to_try_passwords_without_end(room: Screen) -> None:
    client = room.visitor()
    for _ in range(FREE):
        change(client, "wrong password")
    answer = change(client)

    assert (answer.status_code, "hãy đợi đến" in answer.text) == (429, True)


def test_the_language_is_of_the_person_on_every_machine(room: Screen) -> None:
    client = room.visitor()
    client.get("/language/vi")
    assert post(client, "/own/language", code="en").headers["location"] == "/own?done=language"

    assert "Your account" in client.get("/own").text
    assert "Your account" in room.visitor().get("/own").text
    assert post(client, "/own/language", code="xx").status_code == 422
    post(client, "/own/language", code="")
    assert "Tài khoản của bạn" in client.get("/own").text


def test_one_sees_where_one_is_logged_in_and_ends_it(room: Screen) -> None:
    here = room.visitor()
    other = room.browser(**{"user-agent": "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/128.0"})
    other.post("/login", data={"login": "lan", "password": GOOD})
    page = here.get("/own").text
    assert "Firefox trên Windows" in page
    assert page.count("trình duyệt này") == 1
    assert post(here, "/own/logout").headers["location"] == "/own?done=out"

    assert other.get("/own").status_code == 303
    assert "Firefox" not in here.get("/own").text


def test_nobody_elses_sessions_are_shown_or_ended(room: Screen) -> None:
    minh = room.visitor(Role.SUPERVISOR)
    lan = room.visitor()
    post(lan, "/own/logout")

    assert minh.get("/own").status_code == 200
