"""station.web.api.asker"""

from __future__ import annotations

from collections.abc import Callable

from station.access.roles import Role
from station.web.api.asker import ApiRates
from station.web.api.rates import Rates
from station.web.api.tokens import ApiTokens
from tests.station.web.api.conftest import PASSWORD, Interface
from tests.support.people import QUAN

BOXES, REVIEW = "/api/v1/boxes", "/api/v1/events/north-01/e-1/review"


def test_a_program_asks_by_its_token_without_cookie_and_csrf(interface: Interface) -> None:
    program = interface.program()

    assert program.get(BOXES).status_code == 200
    answer = program.put(REVIEW, json={"state": "seen", "seen": 0})
    assert answer.status_code == 200, answer.text
    assert not answer.cookies and not program.cookies
    assert ("api:dispatch", "review", "north-01/e-1") in interface.acts()


def test_a_token_that_was_revoked_counts_no_more_at_once(interface: Interface) -> None:
    program = interface.program()
    assert program.get(BOXES).status_code == 200
    tokens = ApiTokens(interface.console.writes, interface.console.audit)
    (made,) = tokens.list()
    tokens.revoke(made.id, QUAN)

    assert program.get(BOXES).status_code == 401


def test_a_token_has_the_rights_of_its_role_and_no_others(interface: Interface) -> None:
    log = "/api/v1/audit"

    assert interface.program(Role.OFFICER, "one").get(log).status_code == 403
    assert interface.program(Role.SUPERVISOR, "two").get(log).status_code == 200
    assert interface.program(Role.ADMINISTRATOR, "three").get(log).status_code == 200


def test_a_token_opens_no_page(interface: Interface) -> None:
    program = interface.program(Role.ADMINISTRATOR)

    for page in ("/requests", "/programs", "/people", "/pictures/" + "0" * 64):
        assert program.get(page, follow_redirects=False).status_code == 401


def test_somebody_who_is_logged_in_asks_as_on_a_page(interface: Interface) -> None:
    lan = interface.somebody()

    assert lan.get(BOXES).status_code == 200
    assert lan.get("/api/v1/audit").status_code == 403
    wish = {"state": "seen", "seen": 0}
    assert lan.put(REVIEW, json=wish).status_code == 403, "without the page's token nothing is changed"
    csrf = interface.console.sessions.find(lan.cookies["ngatu"])
    assert csrf is not None
    headers = {"x-csrf": csrf.csrf}
    assert lan.put(REVIEW, json=wish, headers={**headers, "sec-fetch-site": "cross-site"}).status_code == 403
    assert lan.put(REVIEW, json=wish, headers=headers).status_code == 200


def test_who_must_change_the_password_first_is_told_so(interface: Interface) -> None:
    interface.console.accounts.create("moi", "Người Mới", Role.OFFICER)
    given = interface.console.accounts.reset("moi")
    client = interface.nobody()
    client.post("/login", data={"login": "moi", "password": given})

    answer = client.get(BOXES, follow_redirects=False)
    assert (answer.status_code, answer.json()["error"]) == (403, "the password is to be changed first")
    assert given != PASSWORD


def test_who_asks_too_often_waits_and_nobody_else_does(serve: Callable[..., Interface]) -> None:
    interface = serve(fast=False)
    interface.app.state.rates = ApiRates(asked=Rates(0.001, 3))
    one, other = interface.program(name="one"), interface.program(name="other")

    assert [one.get(BOXES).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert "again in" in one.get(BOXES).json()["error"]
    assert other.get(BOXES).status_code == 200


def test_who_guesses_tokens_is_slowed_down(serve: Callable[..., Interface]) -> None:
    interface = serve(fast=False)
    interface.app.state.rates = ApiRates(wrong=Rates(0.001, 3))
    guesses = [
        interface.nobody(authorization=f"Bearer ngatu_{number}").get(BOXES).status_code for number in range(5)
    ]

    assert guesses == [401, 401, 401, 429, 429]
