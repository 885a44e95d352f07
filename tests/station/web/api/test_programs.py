"""station.web.api.programs"""

from __future__ import annotations

import re
from dataclasses import replace

from station.access.roles import Role
from station.outward.progress import HookBook
from station.outward.settings import OutwardSettings, WebhookSettings
from tests.station.web.api.conftest import Interface
from tests.support.duty_screen import csrf_of

PAGE = "/programs"
HTML = {"accept": "text/html"}


def test_an_administrator_makes_a_token_sees_it_once_and_revokes_it(interface: Interface) -> None:
    chief = interface.somebody(Role.ADMINISTRATOR, "quan.tri")
    page = chief.get(PAGE, headers=HTML).text
    made = chief.post(PAGE, data={"csrf": csrf_of(page), "name": "Dispatch", "role": "officer"}, headers=HTML)
    (secret,) = re.findall(r"ngatu_[\w-]{43}", made.text)

    program = interface.nobody(authorization=f"Bearer {secret}")
    assert program.get("/api/v1/boxes").status_code == 200
    page = chief.get(PAGE, headers=HTML).text
    assert "dispatch" in page and secret not in page
    (revoke,) = re.findall(r'action="(/programs/\d+/revoke)"', page)
    chief.post(revoke, data={"csrf": csrf_of(page)}, headers=HTML)
    assert program.get("/api/v1/boxes").status_code == 401
    gone = chief.post(revoke, data={"csrf": csrf_of(page)}, headers=HTML)
    assert gone.status_code == 404
    assert [act[1:] for act in interface.acts()][-2:] == [
        ("token_made", "api:dispatch"), ("token_revoked", "api:dispatch"),
    ]  # fmt: skip
    assert secret not in str(interface.acts())


def test_what_can_be_no_program_is_told_and_kept_in_the_form(interface: Interface) -> None:
    chief = interface.somebody(Role.ADMINISTRATOR, "quan.tri")
    csrf = csrf_of(chief.get(PAGE, headers=HTML).text)

    for data in ({"name": "điều hành", "role": "officer"}, {"name": "dispatch", "role": "king"}):
        answer = chief.post(PAGE, data={"csrf": csrf, **data}, headers=HTML)
        assert answer.status_code == 422
        assert data["name"] in answer.text
    assert chief.post(f"{PAGE}/99999999999/revoke", data={"csrf": csrf}, headers=HTML).status_code == 404


def test_nobody_below_an_administrator_sees_them(interface: Interface) -> None:
    for role, login in ((Role.OFFICER, "lan"), (Role.SUPERVISOR, "binh")):
        assert interface.somebody(role, login).get(PAGE, headers=HTML).status_code == 403


def test_how_far_a_webhook_is_stands_there(interface: Interface) -> None:
    hooks = [
        WebhookSettings(name=name, url="https://a.example/", secret={"env": "X"}) for name in ("one", "two")
    ]
    outward = OutwardSettings(webhooks=hooks)
    interface.console.config = interface.console.config.model_copy(update={"outward": outward})
    book = HookBook(interface.console.writes)
    book.keep(replace(book.begin("one", 0, 0), delivered=4711, failing_ms=1_700_000_000_000, trouble="x"))
    page = interface.somebody(Role.ADMINISTRATOR, "quan.tri").get(PAGE, headers=HTML).text

    assert "4711" in page
    assert "không được nhận từ" in page and "chưa bắt đầu" in page
