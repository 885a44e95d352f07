"""station.web.pages.people"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from station.access.audit_log import AuditQuery
from station.access.roles import Role
from tests.support.people import GOOD
from tests.support.screens import Screen, csrf_of, screen


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Screen]:
    with screen(tmp_path) as found:
        yield found


@pytest.fixture
def quan(room: Screen) -> httpx.Client:
    return room.visitor(Role.ADMINISTRATOR)


def post(client: httpx.Client, path: str, **data: str) -> httpx.Response:
    return client.post(path, data={"csrf": csrf_of(client.get("/own").text), **data})


def password_on(answer: httpx.Response) -> str:
    found = re.search(r'class="secret">([^<]+)<', answer.text)
    assert found, answer.text
    return found[1]


def verbs(room: Screen) -> list[tuple[str, str, str]]:
    """What the administrator did, oldest first."""
    found = room.console.audit.every(AuditQuery(who="quan"))
    return [(each.verb, each.subject, each.detail) for each in found if each.verb != "log_in"][::-1]


def test_all_accounts_are_listed_with_role_and_state(room: Screen, quan: httpx.Client) -> None:
    room.console.accounts.disable("lan")
    page = quan.get("/people").text

    for words in ("Cán bộ lan", "minh", "chỉ huy", "quản trị viên", "đã khóa", "chưa bao giờ"):
        assert words in page


def test_an_account_is_made_and_its_password_shown_once(room: Screen, quan: httpx.Client) -> None:
    answer = post(quan, "/people", name="Trần Thị Hoa", login="Hoa", role="supervisor")
    password = password_on(answer)
    hoa = room.browser()

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert hoa.post("/login", data={"login": "hoa", "password": password}).headers["location"] == "/own"
    assert all(password not in quan.get(path).text for path in ("/people", "/people/hoa", "/audit"))
    assert verbs(room)[0] == ("account_made", "hoa", '{"name":"Trần Thị Hoa","role":"supervisor"}')


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"name": "X", "login": "lan", "role": "officer"}, "đã có tài khoản lan"),
        ({"name": "X", "login": "lan nguyễn", "role": "officer"}, "không dùng làm tên đăng nhập"),
        ({"name": " ", "login": "hoa", "role": "officer"}, "họ tên có từ"),
        ({"name": "X", "login": "hoa", "role": "boss"}, "không có vai trò này"),
    ],
)
def test_what_cannot_be_made_is_told_beside_what_was_typed(
    room: Screen, quan: httpx.Client, data: dict[str, str], why: str
) -> None:
    answer = post(quan, "/people", **data)

    assert (answer.status_code, why in answer.text, f'value="{data["login"]}"' in answer.text) == (
        422,
        True,
        True,
    )
    assert len(room.console.accounts.list()) == 3
    assert verbs(room) == []


def test_a_name_and_a_role_change_and_the_person_logs_in_again(room: Screen, quan: httpx.Client) -> None:
    lan = room.visitor(Role.OFFICER)
    answer = post(quan, "/people/lan", name="Lê Thị Lan", role="supervisor")

    assert answer.headers["location"] == "/people/lan?done=changed"
    assert "Đã đổi." in quan.get("/people/lan?done=changed").text
    assert lan.get("/").headers["location"] == "/login"
    assert room.visitor(Role.OFFICER).get("/audit").status_code == 200
    assert verbs(room)[0] == ("account_changed", "lan", '{"name":"Lê Thị Lan","role":"supervisor"}')


def test_who_is_disabled_is_out_at_once_and_in_again_when_enabled(room: Screen, quan: httpx.Client) -> None:
    lan = room.visitor(Role.OFFICER)
    assert lan.get("/own").status_code == 200
    post(quan, "/people/lan/disable")
    assert lan.get("/own").status_code == 303
    post(quan, "/people/lan/enable")

    assert room.visitor(Role.OFFICER).get("/own").status_code == 200
    assert [each[:2] for each in verbs(room)] == [("account_changed", "lan")] * 2


def test_a_reset_shows_a_password_that_must_be_changed_and_the_old_one_is_none(
    room: Screen, quan: httpx.Client
) -> None:
    password = password_on(post(quan, "/people/lan/password"))
    lan = room.browser()

    assert lan.post("/login", data={"login": "lan", "password": GOOD}).status_code == 401
    assert lan.post("/login", data={"login": "lan", "password": password}).headers["location"] == "/own"
    assert [each[:2] for each in verbs(room)] == [("password_changed", "lan")]


def test_somebody_is_logged_out_everywhere(room: Screen, quan: httpx.Client) -> None:
    several = [room.visitor(Role.OFFICER) for _ in range(2)]
    assert "2 trình duyệt" in quan.get("/people/lan").text
    post(quan, "/people/lan/logout")

    assert [each.get("/own").status_code for each in several] == [303, 303]
    assert "không ở đâu" in quan.get("/people/lan").text


def test_the_last_administrator_can_be_neither_disabled_nor_demoted(room: Screen, quan: httpx.Client) -> None:
    for path, data in (("/people/quan", {"name": "Quân", "role": "officer"}), ("/people/quan/disable", {})):
        answer = post(quan, path, **data)
        assert (answer.status_code, "quản trị viên cuối cùng" in answer.text) == (422, True)
    assert quan.get("/people").status_code == 200


def test_nobody_lets_oneself_in_no_more_by_a_slip(quan: httpx.Client) -> None:
    assert "/people/quan/disable" not in quan.get("/people/quan").text
    assert "/people/lan/disable" in quan.get("/people/lan").text


def test_that_somebody_must_wait_is_shown(room: Screen, quan: httpx.Client) -> None:
    engine = room.console.writes
    with engine.begin() as connection:
        connection.exec_driver_sql("update account set locked_until_ms = 9000000000000 where login = 'lan'")

    assert "phải đợi" in quan.get("/people/lan").text


def test_a_person_who_is_not_there_is_told(quan: httpx.Client) -> None:
    assert quan.get("/people/nobody").status_code == 404
    assert post(quan, "/people/nobody/password").status_code == 404


def test_a_name_is_text_on_every_page(room: Screen, quan: httpx.Client) -> None:
    post(quan, "/people", name="<script>alert(1)</script>", login="hoa", role="officer")
    for path in ("/people", "/people/hoa", "/audit"):
        assert "<script>alert" not in quan.get(path).text
