"""station.web.visitor: who may ask what, over every route of the console, whichever page it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from station.access.audit_log import AuditQuery
from station.access.roles import Role, allows
from station.web.visitor import FIRST_PAGES
from tests.support.screens import LOGINS, Screen, csrf_of, screen

OPEN = {"/login", "/alive", "/static/{name}", "/language/{code}"}
"""What answers without a log-in; nothing that a box said is there."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    with screen(tmp_path_factory.mktemp("store")) as found:
        yield found


def needed(route: APIRoute) -> Role | None:
    """The role that a route asks for, by its dependencies; programs ask an officer's at least."""

    def names(dependant: Any) -> Iterator[str]:
        yield getattr(dependant.call, "__name__", "")
        for each in dependant.dependencies:
            yield from names(each)

    known = set(names(route.dependant))
    found = [each.partition("at_least_")[2] for each in known if "at_least_" in each]
    return Role(found[0]) if found else Role.OFFICER if "_asker" in known else None


def each_request(room: Screen) -> Iterator[tuple[str, str, Role | None]]:
    for whole, route in room.routes():
        path = re.sub(r"\{[^}]*\}", "1", whole)
        for method in sorted(route.methods - {"HEAD", "OPTIONS"}):
            if whole not in OPEN:
                yield method, path, needed(route)


def is_for_programs(path: str) -> bool:
    return path.startswith("/api/")


def test_every_route_but_the_open_ones_asks_for_a_role(room: Screen) -> None:
    assert [(method, path) for method, path, role in each_request(room) if role is None] == []
    assert {path for path, _ in room.routes()} >= OPEN


def test_without_a_login_nothing_is_answered_on_any_route(room: Screen) -> None:
    stranger, program = room.browser(), room.browser(accept="application/json")
    for method, path, _ in each_request(room):
        page, data = stranger.request(method, path), program.request(method, path)

        if not is_for_programs(path):
            assert (page.status_code, page.headers["location"].partition("?")[0]) == (303, "/login"), path
            assert page.content == b"", path
        assert (data.status_code, set(data.json())) == (401, {"error", "hint"}), path


def test_a_made_up_token_is_no_login(room: Screen) -> None:
    stranger = room.browser(cookie="ngatu=" + "a" * 43)

    assert stranger.get("/").headers["location"] == "/login"


@pytest.mark.parametrize("own", list(Role))
def test_whose_role_does_not_reach_gets_403_on_every_route_that_needs_more(room: Screen, own: Role) -> None:
    client = room.visitor(own)
    csrf = csrf_of(client.get("/own").text)
    for method, path, role in each_request(room):
        if role is not None and not allows(own, role):
            answer = client.request(method, path, headers={"x-csrf": csrf})
            assert answer.status_code == 403, (method, path)
            assert "traceback" not in answer.text.lower()
    if own is Role.OFFICER:
        refused = [
            each for each in room.console.audit.every(AuditQuery(verb="refused")) if each.login == LOGINS[own]
        ]
        assert {each.subject for each in refused} >= {"/people", "/audit"}


def test_nothing_is_changed_without_the_token_of_the_page_on_any_route(room: Screen) -> None:
    client = room.visitor(Role.ADMINISTRATOR)
    csrf = csrf_of(client.get("/own").text)
    wrong: tuple[dict[str, str], ...] = (
        {},
        {"x-csrf": ""},
        {"x-csrf": csrf[:-1]},
        {"x-csrf": "é"},
        {"x-csrf": csrf, "sec-fetch-site": "cross-site"},
        {"x-csrf": csrf, "sec-fetch-site": "same-site"},
    )
    for method, path, _ in each_request(room):
        if method not in ("GET", "HEAD"):
            for headers in wrong:
                encoded = {name: value.encode() for name, value in headers.items()}
                assert client.request(method, path, headers=encoded).status_code == 403, (path, headers)  # type: ignore[arg-type]
    assert client.get("/own").status_code == 200


def test_the_token_of_another_session_is_not_ones_own(room: Screen) -> None:
    lan, minh = room.visitor(Role.OFFICER), room.visitor(Role.SUPERVISOR)
    csrf = csrf_of(minh.get("/own").text)

    assert lan.post("/own/language", data={"csrf": csrf, "code": "en"}).status_code == 403


def test_who_must_change_the_password_gets_nothing_else_on_any_route(room: Screen) -> None:
    _, password = room.console.accounts.create("moi", "Cán bộ mới", Role.ADMINISTRATOR)
    client = room.browser()
    answer = client.post("/login", data={"login": "moi", "password": password, "next": "/people"})
    assert answer.headers["location"] == "/own"
    csrf = csrf_of(client.get("/own").text)
    assert "unkept" in client.get("/standing").json()  # what this page, too, asks for every few seconds
    for method, path, _ in each_request(room):
        if path not in FIRST_PAGES:
            answer = client.request(method, path, headers={"x-csrf": csrf})
            led = (answer.status_code, answer.headers.get("location"))
            assert led == ((403, None) if is_for_programs(path) else (303, "/own")), path


def test_every_answer_says_what_a_browser_may_do_with_it(room: Screen) -> None:
    client = room.visitor(Role.ADMINISTRATOR)
    for path in ("/", "/login", "/own", "/people", "/audit", "/no/such/page", "/alive"):
        headers = client.get(path).headers

        assert "default-src 'none'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"], path
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store"), path


def test_a_role_counts_from_the_moment_at_which_it_changes(room: Screen) -> None:
    room.somebody("hoa", Role.SUPERVISOR)
    client = room.browser()
    client.post("/login", data={"login": "hoa", "password": "ba con mèo ngồi hiên"})
    assert client.get("/audit").status_code == 200
    room.console.accounts.change("hoa", role=Role.OFFICER)

    assert client.get("/audit").headers["location"].startswith("/login")


def test_the_folder_of_a_test_holds_a_console(room: Screen) -> None:
    assert Path(room.console.config.state_dir, "station.db").is_file()
