"""station.web.api.audit"""

from __future__ import annotations

from station.access.roles import Role
from tests.station.web.api.conftest import Interface

AUDIT = "/api/v1/audit"


def test_a_supervisors_program_reads_who_did_what(interface: Interface) -> None:
    lan, program = interface.somebody(), interface.program(Role.SUPERVISOR)
    lan.get("/api/v1/events")
    first = program.get(AUDIT, params={"limit": 2}).json()

    assert [each["verb"] for each in first["entries"]] == ["view_audit", "look_up"]
    rest = program.get(AUDIT, params={"before": first["next"]}).json()
    before = ["token_made", "log_in", "password_changed", "account_made"]
    assert [each["verb"] for each in rest["entries"]] == before
    by_lan = program.get(AUDIT, params={"who": "lan", "verb": "look_up"}).json()["entries"]
    assert [each["id"] for each in by_lan] == [first["entries"][1]["id"]]
    assert program.get(AUDIT, params={"verb": "whatever"}).status_code == 422
