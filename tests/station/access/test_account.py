"""station.access.account"""

from __future__ import annotations

import pytest

from station.access.account import AccountError, language_of, login_of, name_of, one_form


@pytest.mark.parametrize("login", ["ab", "lan.nguyen", "a-b_c.9", "x" * 32])
def test_what_may_be_a_login(login: str) -> None:
    assert login_of(f" {login.upper()} ") == login == one_form(f" {login.upper()} ")


@pytest.mark.parametrize("login", ["", "a", "x" * 33, "lan nguyễn", "lan@x", "ab\n", "a\x00b", "<b>"])
def test_what_may_be_none(login: str) -> None:
    with pytest.raises(AccountError, match="2 to 32"):
        login_of(f"{login}\x1b" if login == "ab\n" else login)


def test_a_name_is_one_line_of_what_can_be_shown() -> None:
    assert name_of("  Nguyễn \n Thị\tLan ") == "Nguyễn Thị Lan"
    assert "\x1b" not in name_of("\x1b[31mLan")
    for wrong in ("", "  ", "x" * 81):
        with pytest.raises(AccountError):
            name_of(wrong)


def test_a_language_is_one_that_is_written_or_none() -> None:
    assert [language_of(each) for each in ("vi", "en", None)] == ["vi", "en", None]
    with pytest.raises(AccountError):
        language_of("de")
