"""station.web.menu"""

from __future__ import annotations

from station.access.roles import Role
from station.web.menu import MENU, here, menu_of


def test_a_role_sees_all_pages_of_those_before_it_and_its_own() -> None:
    officer, supervisor, administrator = (menu_of(role) for role in Role)
    assert officer == supervisor[: len(officer)]
    assert supervisor == administrator[: len(supervisor)]
    assert [path for path, _ in administrator] == [path for path, _, _ in MENU]
    assert "/audit" not in dict(officer)
    assert "/people" not in dict(supervisor)


def test_a_page_stands_under_the_one_of_the_menu_that_leads_to_it() -> None:
    assert here("/") == "/"
    assert here("/events/box-1/e-1") == "/lookup"
    assert here("/requests/new") == "/requests"
    assert here("/rules") == "/review"


def test_only_the_console_of_the_province_lists_what_was_asked_of_communes() -> None:
    assert "/asked" in dict(menu_of(Role.OFFICER, of_province=True))
    assert "/requests" not in dict(menu_of(Role.ADMINISTRATOR, of_province=True))
    assert all("/asked" not in dict(menu_of(role)) for role in Role)
