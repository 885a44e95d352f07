"""station.access.accounts"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from station.access.account import Account, AccountError
from station.access.accounts import Accounts
from station.access.passwords import PasswordRefused
from station.access.roles import Role
from tests.support.people import GOOD, People
from tests.support.stores import Place


@pytest.fixture
def people(place: Place) -> People:
    return People(place)


def found(people: People, login: str) -> Account:
    account = people.accounts.find(login)
    assert account is not None
    return account


def kept(people: People, login: str) -> str:
    return str(people.place.rows(f"select password_hash from account where login = '{login}'")[0][0])


def test_an_account_is_made_with_a_password_that_must_be_changed(people: People) -> None:
    made, password = people.accounts.create("Lan", "Nguyễn Thị Lan", Role.SUPERVISOR, language="vi")

    assert made == found(people, " LAN ")
    assert (made.login, made.name, made.role, made.language) == ("lan", "Nguyễn Thị Lan", Role.SUPERVISOR, "vi")
    assert (made.must_change, made.disabled, made.login_ms) == (True, False, None)
    assert people.passwords.is_right(password, kept(people, "lan"))
    assert people.accounts.list() == (made,)
    assert people.accounts.find("hoa") is None


def test_a_login_is_of_one_person(people: People) -> None:
    people.accounts.create("lan", "Lan", Role.OFFICER)

    with pytest.raises(AccountError, match="already"):
        people.accounts.create("LAN", "Another", Role.OFFICER)


def test_the_first_administrator_is_made_once_and_only_where_there_is_nobody(people: People) -> None:
    password = people.accounts.first_administrator()

    assert password is not None
    assert found(people, "admin").role is Role.ADMINISTRATOR
    assert people.passwords.is_right(password, kept(people, "admin"))
    assert people.accounts.first_administrator() is None


def test_two_that_start_at_once_make_one_administrator_and_one_knows_the_password(people: People) -> None:
    starts = [Accounts(people.more_engines(), passwords=people.passwords) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        given = [each for each in pool.map(Accounts.first_administrator, starts) if each is not None]

    assert len(given) == 1
    assert people.passwords.is_right(given[0], kept(people, "admin"))
    assert len(people.accounts.list()) == 1


def test_the_last_enabled_administrator_stays(people: People) -> None:
    people.somebody("chi", Role.ADMINISTRATOR)
    people.somebody("hoa", Role.ADMINISTRATOR)
    people.accounts.disable("hoa")
    for wrong in (
        lambda: people.accounts.disable("chi"),
        lambda: people.accounts.change("chi", role=Role.OFFICER),
    ):
        with pytest.raises(AccountError, match="last administrator"):
            wrong()

    people.accounts.enable("hoa")
    people.accounts.change("chi", role=Role.OFFICER)
    assert found(people, "chi").role is Role.OFFICER


def test_two_administrators_who_demote_each_other_at_once_leave_one(people: People) -> None:
    people.somebody("chi", Role.ADMINISTRATOR)
    people.somebody("hoa", Role.ADMINISTRATOR)
    several = [Accounts(people.more_engines(), passwords=people.passwords) for _ in range(2)]

    def demoted(accounts: Accounts, login: str) -> bool:
        try:
            accounts.change(login, role=Role.OFFICER)
        except AccountError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(demoted, several, ("chi", "hoa")))

    assert sorted(done) == [False, True]


@pytest.mark.parametrize("act", ["role", "disable", "reset", "own"])
def test_what_changes_password_role_or_right_logs_out_everywhere_and_nobody_else(
    people: People, act: str
) -> None:
    people.somebody("chi", Role.ADMINISTRATOR)
    people.somebody("lan")
    own = people.sessions.begin(found(people, "lan"), "10.0.0.7", "Firefox")
    other = people.sessions.begin(found(people, "chi"), "10.0.0.8", "Firefox")
    assert people.sessions.find(own.token)
    match act:
        case "role":
            people.accounts.change("lan", role=Role.SUPERVISOR)
        case "disable":
            people.accounts.disable("lan")
        case "reset":
            people.accounts.reset("lan")
        case "own":
            people.accounts.change_own("lan", GOOD, "bốn con mèo dưới hiên")

    assert people.sessions.find(own.token) is None
    assert people.sessions.find(other.token)


def test_a_name_or_a_language_changes_without_logging_out(people: People) -> None:
    people.somebody("lan")
    session = people.sessions.begin(found(people, "lan"), "10.0.0.7", "Firefox")
    people.accounts.change("lan", name="Lê Thị Lan", role=Role.OFFICER)
    people.accounts.speak("lan", "en")

    live = people.sessions.find(session.token)
    assert live is not None
    assert (live.account.name, live.account.language) == ("Lê Thị Lan", "en")


def test_a_reset_gives_another_password_that_must_be_changed_and_ends_a_lock(people: People) -> None:
    people.somebody("lan")
    people.place.do("update account set failed = 60, locked_until_ms = 9000000000000")
    password = people.accounts.reset("lan")

    assert people.passwords.is_right(password, kept(people, "lan"))
    assert not people.passwords.is_right(GOOD, kept(people, "lan"))
    account = found(people, "lan")
    assert (account.must_change, account.failed, account.locked_until_ms) == (True, 0, None)


def test_ones_own_password_is_changed_by_who_knows_it_only_and_to_a_good_one(people: People) -> None:
    people.somebody("lan")
    before = kept(people, "lan")
    with pytest.raises(AccountError, match="another one"):
        people.accounts.change_own("lan", "wrong password", "bốn con mèo dưới hiên")
    with pytest.raises(PasswordRefused):
        people.accounts.change_own("lan", GOOD, "12345")
    with pytest.raises(AccountError, match="that of now"):
        people.accounts.change_own("lan", GOOD, GOOD)
    assert kept(people, "lan") == before

    assert not people.accounts.change_own("lan", GOOD, "bốn con mèo dưới hiên").must_change
    assert people.passwords.is_right("bốn con mèo dưới hiên", kept(people, "lan"))


def test_what_is_asked_of_nobodys_account_is_told(people: People) -> None:
    for act in (people.accounts.disable, people.accounts.enable, people.accounts.reset):
        with pytest.raises(AccountError, match="no account hoa"):
            act("hoa")
