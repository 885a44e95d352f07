"""station.access.sessions"""

from __future__ import annotations

import pytest
from sqlalchemy import event

from station.access.account import Account, AccountError
from station.access.roles import Role
from station.access.sessions import Sessions
from station.store.database import StoreError, engine_of
from tests.support.people import People
from tests.support.stores import Place


@pytest.fixture
def people(place: Place) -> People:
    made = People(place)
    made.somebody("chi", Role.ADMINISTRATOR)
    made.somebody("lan")
    return made


def lan(people: People) -> Account:
    account = people.accounts.find("lan")
    assert account is not None
    return account


def test_a_session_is_found_by_its_token_with_the_account_of_now(people: People) -> None:
    made = people.sessions.begin(lan(people), "10.0.0.7", "Fire\x1bfox" * 100)
    live = people.sessions.find(made.token)

    assert live is not None
    assert (live.account, live.csrf, live.address) == (lan(people), made.csrf, "10.0.0.7")
    assert len(live.browser) == 200
    assert "\x1b" not in live.browser
    assert people.sessions.find(made.token[:-1]) is None
    assert people.sessions.find("") is None
    assert people.sessions.find("\ud800") is None


def test_tokens_are_of_32_bytes_never_the_same_and_not_in_the_table(people: People) -> None:
    made = [people.sessions.begin(lan(people), "10.0.0.7", "") for _ in range(3)]
    rows = str(people.place.rows("select * from web_session"))

    assert len({each.token for each in made} | {each.csrf for each in made}) == 6
    assert all(len(each.token) == 43 and each.token not in rows for each in made)


def test_a_session_is_over_when_it_was_idle(people: People) -> None:
    made = people.sessions.begin(lan(people), "10.0.0.7", "")
    for _ in range(3):
        people.clock.at_s += 1799
        assert people.sessions.find(made.token)
    people.clock.at_s += 1800

    assert people.sessions.find(made.token) is None


def test_a_session_is_over_when_it_is_old_however_much_it_is_used(people: People) -> None:
    made = people.sessions.begin(lan(people), "10.0.0.7", "")
    for _ in range(39):
        people.clock.at_s += 900
        assert people.sessions.find(made.token)
    people.clock.at_s += 900

    assert people.sessions.find(made.token) is None


def test_that_it_is_used_is_written_once_a_minute_at_most(people: People) -> None:
    made = people.sessions.begin(lan(people), "10.0.0.7", "")
    begun = people.clock.ms
    people.clock.at_s += 59
    people.sessions.find(made.token)
    assert people.place.rows("select seen_ms from web_session") == [(begun,)]
    people.clock.at_s += 1
    people.sessions.find(made.token)

    assert people.place.rows("select seen_ms from web_session") == [(begun + 60_000,)]


def test_the_oldest_goes_when_there_are_too_many_of_one_account(people: People) -> None:
    chi = people.accounts.find("chi")
    assert chi is not None
    other = people.sessions.begin(chi, "10.0.0.8", "")
    made = []
    for _ in range(4):
        people.clock.at_s += 1
        made.append(people.sessions.begin(lan(people), "10.0.0.7", ""))

    assert [bool(people.sessions.find(each.token)) for each in made] == [False, True, True, True]
    assert people.sessions.find(other.token)


def test_what_is_over_goes_from_the_table_when_another_begins(people: People) -> None:
    people.sessions.begin(lan(people), "10.0.0.7", "")
    people.clock.at_s += 100_000
    people.sessions.begin(lan(people), "10.0.0.7", "")

    assert people.place.rows("select count(*) from web_session") == [(1,)]


def test_logging_out_ends_one_and_everywhere_all_but_the_one_that_asks(people: People) -> None:
    one, two, three = (people.sessions.begin(lan(people), "10.0.0.7", "") for _ in range(3))
    people.sessions.end(one.token)
    assert [bool(people.sessions.find(each.token)) for each in (one, two, three)] == [False, True, True]

    assert people.sessions.end_all(lan(people).id, but=three.token) == 1
    assert [each.csrf for each in people.sessions.of(lan(people).id)] == [three.csrf]
    assert people.sessions.end_all(lan(people).id) == 1
    assert people.sessions.of(lan(people).id) == ()


def test_no_session_begins_by_a_password_that_was_changed_while_it_was_tried(people: People) -> None:
    before = lan(people)
    people.accounts.reset("lan")

    with pytest.raises(AccountError, match="at this moment"):
        people.sessions.begin(before, "10.0.0.7", "")


def test_a_session_that_is_left_in_the_table_counts_no_more_after_a_change_of_password(people: People) -> None:
    """As one of a backup, or one that was written beside the program."""
    made = people.sessions.begin(lan(people), "10.0.0.7", "")
    people.place.do(f"update account set changed_ms = {people.clock.ms + 1} where login = 'lan'")
    assert people.sessions.find(made.token) is None

    people.place.do("update account set changed_ms = 0, disabled = true where login = 'lan'")
    assert people.sessions.find(made.token) is None


def test_a_store_that_cannot_be_written_keeps_nobody_from_reading(sqlite_place: Place) -> None:
    people = People(sqlite_place)
    people.somebody("lan")
    made = people.sessions.begin(lan(people), "10.0.0.7", "")
    engine = engine_of(sqlite_place.url, writes=False)
    sqlite_place.engines.append(engine)
    event.listen(engine, "connect", lambda connection, _: connection.execute("pragma query_only = on"))
    people.clock.at_s += 120
    with pytest.raises(StoreError):
        Sessions(engine, 1800.0, 36_000.0, now=people.clock).end(made.token)

    late = Sessions(engine, 1800.0, 36_000.0, now=people.clock)
    assert late.find(made.token)


@pytest.mark.long
def test_after_a_restore_nobody_is_logged_in(people: People) -> None:
    made = people.sessions.begin(lan(people), "10.0.0.7", "")

    assert people.sessions.forget_all() == 1
    assert people.sessions.find(made.token) is None
