"""station.access.log_in"""

from __future__ import annotations

import threading

import pytest

from station.access.audit_entry import AuditVerb, ConsoleEntry
from station.access.audit_log import AuditQuery
from station.access.lockout import ADDRESS_TRIES, FREE, FREE_OF_ACCOUNT
from station.access.log_in import AT_A_TIME, KNOWN_MS, MOST_KNOWN, Admitted, LogIn, LogInRefusal, Refused
from station.access.passwords import HashCost, Passwords, PasswordsBusy
from station.access.roles import Role
from tests.support.people import GOOD, People
from tests.support.stores import Place

DESK, ELSEWHERE = "10.0.0.7", "10.0.0.66"


@pytest.fixture
def people(place: Place) -> People:
    made = People(place)
    made.somebody("chi", Role.ADMINISTRATOR)
    made.somebody("lan")
    return made


def right(
    people: People, address: str = DESK, known: str | None = None, login: str = "lan"
) -> Admitted | Refused:
    return people.door.attempt(login, GOOD, address, "Firefox", known)


def wrong(people: People, address: str = DESK, known: str | None = None, login: str = "lan") -> Refused:
    found = people.door.attempt(login, "wrong password", address, "Firefox", known)
    assert isinstance(found, Refused)
    return found


def admitted(found: Admitted | Refused) -> Admitted:
    assert isinstance(found, Admitted), found
    return found


def entries(people: People) -> list[ConsoleEntry]:
    """Of log-ins; whoever made the accounts has left some, too."""
    found = list(people.audit.every(AuditQuery()))[::-1]
    return [each for each in found if each.verb in (AuditVerb.LOG_IN, AuditVerb.LOG_IN_FAILED)]


@pytest.mark.long
def test_who_knows_the_password_is_in_and_it_is_written_down(people: People) -> None:
    made = admitted(right(people, login=" LAN "))
    live = people.sessions.find(made.session.token)

    assert live is not None
    assert live.account.login == "lan"
    assert live.account.login_ms == people.clock.ms
    (entry,) = entries(people)
    assert (entry.login, entry.role, entry.address, entry.verb, entry.subject, entry.details) == (
        "lan",
        "officer",
        DESK,
        "log_in",
        "lan",
        {"browser": "Firefox"},
    )


def test_each_log_in_has_a_token_of_its_own(people: People) -> None:
    made = [admitted(right(people)) for _ in range(2)]

    assert len({each.session.token for each in made} | {each.known for each in made}) == 4


def test_a_wrong_password_and_a_login_that_nobody_has_are_refused_alike(people: People) -> None:
    assert wrong(people) == wrong(people, login="nobody") == Refused(LogInRefusal.WRONG, left=4)
    one, other = entries(people)

    assert (one.subject, one.login, one.verb) == ("lan", "", "log_in_failed")
    assert (other.subject, other.login, other.verb) == ("", "", "log_in_failed")
    assert "nobody" not in str(other)


@pytest.mark.parametrize("login", ["lan", "nobody"])
def test_after_five_wrong_ones_a_place_waits_and_no_password_is_tried_there(people: People, login: str) -> None:
    for _ in range(FREE - 1):
        assert wrong(people, login=login).why is LogInRefusal.WRONG
    until_ms = people.clock.ms + 60_000
    assert wrong(people, login=login) == Refused(LogInRefusal.WAIT, until_ms)
    assert right(people, login=login) == Refused(LogInRefusal.WAIT, until_ms)
    assert len(entries(people)) == FREE

    people.clock.at_s += 60
    assert isinstance(right(people, login=login), Refused) == (login == "nobody")


def test_the_sixth_costs_two_minutes_and_a_right_one_forgets_all(people: People) -> None:
    for _ in range(FREE):
        wrong(people)
    people.clock.at_s += 60
    assert wrong(people).until_ms == people.clock.ms + 120_000
    people.clock.at_s += 120
    admitted(right(people))

    assert wrong(people).why is LogInRefusal.WRONG


def test_who_knows_a_login_keeps_nobody_out_of_another_place(people: People) -> None:
    for _ in range(FREE + 5):
        wrong(people, ELSEWHERE)

    admitted(right(people, DESK))
    assert right(people, ELSEWHERE).__class__ is Refused


def flood(people: People) -> None:
    """From many addresses, until the account as a whole is locked for strangers."""
    for number in range(FREE_OF_ACCOUNT):
        wrong(people, f"10.1.{number}.1")


def test_after_many_from_everywhere_an_account_waits_but_for_the_browsers_it_was_in(people: People) -> None:
    known = admitted(right(people)).known
    flood(people)

    assert right(people, "10.0.0.200") == Refused(LogInRefusal.WAIT, people.clock.ms + 60_000)
    assert right(people, DESK) == Refused(LogInRefusal.WAIT, people.clock.ms + 60_000)
    again = admitted(right(people, DESK, known))
    admitted(right(people, "10.77.0.1", again.known))
    assert isinstance(right(people, "10.0.0.200"), Refused)
    people.clock.at_s += 60
    admitted(right(people, "10.0.0.200"))


@pytest.mark.long
def test_the_lock_of_an_account_outlives_a_new_start_of_the_console(people: People) -> None:
    flood(people)
    people.door = people.new_door()

    assert isinstance(right(people), Refused)
    assert people.more_accounts().find("lan").failed == FREE_OF_ACCOUNT  # type: ignore[union-attr]


def test_a_known_browser_is_locked_by_itself_only(people: People) -> None:
    known = admitted(right(people)).known
    for _ in range(FREE):
        wrong(people, DESK, known)
    people.door = people.new_door()

    assert right(people, DESK, known) == Refused(LogInRefusal.WAIT, people.clock.ms + 60_000)
    admitted(right(people, DESK))


def test_a_browser_is_known_for_one_account_for_ninety_days_and_by_its_newest_cookie(people: People) -> None:
    first = admitted(right(people)).known
    second = admitted(right(people, DESK, first)).known
    flood(people)

    assert isinstance(right(people, DESK, first), Refused)
    assert isinstance(right(people, DESK, "made up"), Refused)
    people.clock.at_s += KNOWN_MS / 1000 - 61
    flood(people)
    third = admitted(right(people, DESK, second)).known
    people.clock.at_s += KNOWN_MS / 1000
    wrong(people, "10.2.0.1")
    assert isinstance(right(people, DESK, third), Refused)


def test_a_browser_that_is_known_for_one_account_is_a_stranger_to_another(people: People) -> None:
    known = admitted(right(people)).known
    for _ in range(FREE):
        wrong(people, DESK, known, login="chi")

    assert isinstance(right(people, DESK, known, login="chi"), Refused)
    admitted(right(people, DESK, known))


def test_an_account_is_known_in_so_many_browsers_and_the_oldest_goes(people: People) -> None:
    made = []
    for _ in range(MOST_KNOWN + 1):
        people.clock.at_s += 1
        made.append(admitted(right(people)).known)
    flood(people)

    assert isinstance(right(people, DESK, made[0]), Refused)
    admitted(right(people, DESK, made[1]))


def test_an_address_with_many_logins_waits_but_for_browsers_that_are_known(people: People) -> None:
    known = admitted(right(people)).known
    for number in range(ADDRESS_TRIES):
        wrong(people, DESK, login=f"nobody{number}")

    assert right(people, DESK) == Refused(LogInRefusal.WAIT, people.clock.ms + 6_000)
    admitted(right(people, DESK, known))
    admitted(right(people, "10.0.0.8"))


def test_that_an_account_is_disabled_is_told_to_who_knows_the_password_only(people: People) -> None:
    people.accounts.disable("lan")

    assert wrong(people) == Refused(LogInRefusal.WRONG, left=4)
    assert right(people) == Refused(LogInRefusal.DISABLED)
    assert people.place.rows("select count(*) from web_session") == [(0,)]
    people.accounts.enable("lan")
    admitted(right(people))


def test_a_hash_of_older_parameters_is_made_anew_and_nobody_is_logged_out(people: People) -> None:
    session = admitted(right(people)).session
    people.passwords = Passwords(HashCost(passes=2, memory_kib=16, lanes=1))
    people.door = people.new_door()
    admitted(right(people))

    assert "m=16,t=2,p=1" in people.place.rows("select password_hash from account where login = 'lan'")[0][0]
    assert people.sessions.find(session.token)
    admitted(right(people))


@pytest.mark.long
def test_too_many_at_a_time_are_told_to_come_again_and_hold_no_thread(people: People) -> None:
    known = admitted(right(people)).known
    slow = LogIn(
        people.engine,
        people.sessions,
        people.audit,
        passwords=Passwords(HashCost(passes=25, memory_kib=16 * 1024, lanes=1)),
        now=people.clock,
    )
    slow.attempt("lan", "x", "10.3.0.1", "")

    refused = []

    def try_one(number: int) -> None:
        try:
            slow.attempt("nobody", "x", f"10.3.1.{number}", "")
        except PasswordsBusy:
            refused.append(number)

    busy = [threading.Thread(target=try_one, args=(number,)) for number in range(5 * AT_A_TIME)]
    for each in busy:
        each.start()
    try:
        assert isinstance(slow.attempt("lan", GOOD, DESK, "", known), Admitted)
    finally:
        for each in busy:
            each.join()
    assert refused
