"""station.store.schema.access"""

from __future__ import annotations

import pytest
from sqlalchemy import Table

from station.store.schema import account, audit_entry, known_browser, web_session
from tests.support.declared_tables import is_refused, number_after_a_removal, put
from tests.support.stores import Place

OFFICER = {
    "id": 1, "login": "lan", "name": "Lan", "role": "officer", "password_hash": "x", "must_change": False,
    "disabled": False, "failed": 0, "created_ms": 1, "changed_ms": 1,
}  # fmt: skip
SESSION = {"csrf": "c", "created_ms": 1, "seen_ms": 1, "address": "::1", "browser": "b"}


def test_a_login_is_one_accounts(declared: Place) -> None:
    assert not is_refused(declared, account, **OFFICER)
    assert is_refused(declared, account, **OFFICER | {"id": 2})
    assert not is_refused(declared, account, **OFFICER | {"id": 2, "login": "minh"})


def test_an_account_has_no_commune_until_somebody_gives_it_one(declared: Place) -> None:
    put(declared, account, **OFFICER)

    assert declared.rows("select communes from account") == [("",)]


@pytest.mark.parametrize(
    ("table", "row"),
    [(web_session, SESSION), (known_browser, {"seen_ms": 1, "failed": 0})],
    ids=["web_session", "known_browser"],
)
def test_nobody_is_logged_in_without_an_account(declared: Place, table: Table, row: dict[str, object]) -> None:
    put(declared, account, **OFFICER)

    assert is_refused(declared, table, **row, token_sha256="a", account_id=7)
    assert not is_refused(declared, table, **row, token_sha256="a", account_id=1)
    assert is_refused(declared, table, **row, token_sha256="a", account_id=1)


def test_a_line_that_was_cut_off_the_log_leaves_its_number_empty(declared: Place) -> None:
    words = ("login", "name", "role", "address", "verb", "subject", "detail", "previous_sha256", "sha256")

    first, second = number_after_a_removal(declared, audit_entry, **dict.fromkeys(words, ""), time_ms=1)

    assert second > first
