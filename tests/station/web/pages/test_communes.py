"""station.web.pages.communes; over a province's database in tests/station/province/test_desk.py"""

from __future__ import annotations

from tests.support.duty_screen import DutyScreen


def test_a_station_has_no_communes_to_choose_and_none_to_open(screen: DutyScreen) -> None:
    officer, admin = screen.client("lan", "en"), screen.client("quan.tri", "en")

    assert officer.get("/commune?name=hai-ninh").status_code == 404
    assert "/communes" not in admin.get("/people/lan").text and 'action="/commune"' not in officer.get("/").text
