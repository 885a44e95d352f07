"""station.access.accounts"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from station.access.account import Account, AccountError
from station.access.accounts import Accounts
from station.access.audit_log import AuditQuery
from station.access.passwords import PasswordRefused
from station.access.roles import Role
from station.store.database import StoreError
from tests.support.people import GOOD, LAN, QUAN, People
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


@pytest.mark.long
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
    starts = [people.more_accounts() for _ in range(6)]
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
    several = [people.more_accounts() for _ in range(2)]

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


def test_communes_are_opened_by_their_names_from_the_next_page_on_and_noted(people: People) -> None:
    people.accounts.create("lan", "Lan", Role.OFFICER)
    assert found(people, "lan").communes == ""  # nothing is open that nobody has opened

    for said, kept_as in (
        (" mong-cai, hai-ninh  hai-ninh ", "hai-ninh mong-cai"),
        ("hai-ninh *", "*"),
        ("", ""),
    ):
        assert people.accounts.open_communes("lan", said).communes == kept_as
        newest = next(iter(people.audit.every(AuditQuery())))
        assert (newest.verb, newest.details) == ("account_changed", {"communes": kept_as})
    for wrong in ("Hải-Ninh", "a", "hai_ninh", "x" * 33, "hai-ninh/..", "%"):
        with pytest.raises(AccountError, match="cannot be a commune"):
            people.accounts.open_communes("lan", wrong)
    with pytest.raises(AccountError, match="too many"):
        people.accounts.open_communes("lan", " ".join(f"xa-{n}" for n in range(501)))
    assert found(people, "lan").communes == ""


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


def test_each_change_is_noted_as_of_whoever_made_it(people: People) -> None:
    people.accounts.by(QUAN).create("lan", "Lan", Role.OFFICER)
    people.accounts.by(QUAN).change("lan", role=Role.SUPERVISOR)
    password = people.accounts.by(QUAN).reset("lan")
    people.accounts.by(LAN).change_own("lan", password, GOOD)
    people.accounts.by(LAN).speak("lan", "en")
    people.accounts.by(QUAN).disable("lan")
    people.accounts.enable("lan")

    entries = people.audit.search(AuditQuery()).entries[::-1]
    assert [(each.login, each.verb, each.details) for each in entries] == [
        ("quan.tri", "account_made", {"role": "officer", "name": "Lan"}),
        ("quan.tri", "account_changed", {"role": "supervisor", "name": "Lan"}),
        ("quan.tri", "password_changed", {"by": "reset"}),
        ("lan", "password_changed", {"by": "own"}),
        ("lan", "account_changed", {"language": "en"}),
        ("quan.tri", "account_changed", {"disabled": True}),
        ("", "account_changed", {"disabled": False}),
    ]
    assert {each.subject for each in entries} == {"lan"}
    assert people.audit.verify().broken is None


def test_what_is_refused_is_no_entry_of_the_log(people: People) -> None:
    people.accounts.create("lan", "Lan", Role.ADMINISTRATOR)
    for wrong in (
        lambda: people.accounts.create("lan", "Another", Role.OFFICER),
        lambda: people.accounts.disable("lan"),
        lambda: people.accounts.reset("hoa"),
    ):
        with pytest.raises(AccountError):
            wrong()

    assert [each.verb for each in people.audit.search(AuditQuery()).entries] == ["account_made"]


@pytest.mark.parametrize("act", ["create", "change", "disable", "reset", "own", "speak"])
def test_what_cannot_be_noted_is_not_changed(people: People, act: str) -> None:
    people.somebody("chi", Role.ADMINISTRATOR)
    people.somebody("lan")
    before = people.accounts.list(), kept(people, "lan")
    people.place.do("alter table audit_entry rename to gone")
    with pytest.raises(StoreError):
        match act:
            case "create":
                people.accounts.create("hoa", "Hoa", Role.OFFICER)
            case "change":
                people.accounts.change("lan", role=Role.SUPERVISOR)
            case "disable":
                people.accounts.disable("lan")
            case "reset":
                people.accounts.reset("lan")
            case "own":
                people.accounts.change_own("lan", GOOD, "bốn con mèo dưới hiên")
            case "speak":
                people.accounts.speak("lan", "en")

    assert (people.accounts.list(), kept(people, "lan")) == before
