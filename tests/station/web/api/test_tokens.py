"""station.web.api.tokens"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL

from station.access.audit_entry import AuditVerb
from station.access.audit_log import AuditQuery
from station.access.roles import Role
from station.store.database import StoreError, engine_of
from station.web.api.tokens import MOST, ApiTokens, TokenError
from tests.support.people import QUAN, People
from tests.support.stores import Place


@pytest.fixture
def people(place: Place) -> People:
    return People(place)


@pytest.fixture
def tokens(people: People) -> ApiTokens:
    return ApiTokens(people.engine, people.audit, now=people.clock)


def test_a_program_is_known_by_its_token_and_by_nothing_else(tokens: ApiTokens, place: Place) -> None:
    made, secret = tokens.make("dispatch", Role.SUPERVISOR, QUAN)
    _, other = tokens.make("archive", Role.OFFICER, QUAN)

    assert secret.startswith("ngatu_") and len(secret) > 45 and secret != other
    found = tokens.find(secret)
    assert found is not None
    assert (found.id, found.name, found.role, found.login) == (
        made.id,
        "dispatch",
        Role.SUPERVISOR,
        "api:dispatch",
    )
    assert [tokens.find(each) for each in ("", "ngatu_", secret[:-1], secret.upper(), "\ud800")] == [None] * 5
    kept = str(place.rows("select * from api_token"))
    assert secret not in kept and secret.removeprefix("ngatu_") not in kept


def test_one_that_is_revoked_counts_no_more_and_stays_listed(tokens: ApiTokens, people: People) -> None:
    made, secret = tokens.make("dispatch", Role.OFFICER, QUAN)
    tokens.revoke(made.id, QUAN)

    assert tokens.find(secret) is None
    assert [each.revoked_ms for each in tokens.list()] == [people.clock.ms]
    with pytest.raises(TokenError, match="no such token"):
        tokens.revoke(made.id, QUAN)
    again, _ = tokens.make("dispatch", Role.OFFICER, QUAN)
    assert [each.id for each in tokens.list()] == [again.id, made.id]


def test_when_it_was_used_is_known_to_the_minute(tokens: ApiTokens, people: People) -> None:
    _, secret = tokens.make("dispatch", Role.OFFICER, QUAN)

    def used() -> int | None:
        tokens.find(secret)
        return tokens.list()[0].used_ms

    first = people.clock.ms
    assert used() == first
    people.clock.at_s += 59
    assert used() == first
    people.clock.at_s += 2
    assert used() == people.clock.ms


@pytest.mark.parametrize("name", ["", "a", "Dispatch", "điều hành", "a" * 33, "a/b", "api:x", "a\nb"])
def test_a_name_that_can_be_none_is_refused(tokens: ApiTokens, name: str) -> None:
    with pytest.raises(TokenError, match="can be no name"):
        tokens.make(name, Role.OFFICER, QUAN)


@pytest.mark.long
def test_a_name_is_given_once_and_there_are_not_very_many(tokens: ApiTokens) -> None:
    for number in range(MOST):
        tokens.make(f"program-{number}", Role.OFFICER, QUAN)
    with pytest.raises(TokenError, match="already"):
        tokens.make("program-1", Role.OFFICER, QUAN)
    with pytest.raises(TokenError, match=f"{MOST} tokens"):
        tokens.make("one-more", Role.OFFICER, QUAN)


def test_a_store_that_is_gone_is_told_in_words(tokens: ApiTokens, place: Place) -> None:
    place.do("drop table api_token")
    for ask in (lambda: tokens.make("dispatch", Role.OFFICER, QUAN), lambda: tokens.find("x"), tokens.list):
        with pytest.raises(StoreError):
            ask()
    with pytest.raises(StoreError):
        tokens.revoke(1, QUAN)


def test_where_nothing_can_be_written_a_token_still_counts(people: People, tmp_path: Path) -> None:
    _, secret = ApiTokens(people.engine, people.audit).make("dispatch", Role.OFFICER, QUAN)
    nowhere = engine_of(URL.create("sqlite", database=str(tmp_path / "nothing" / "here.db")))

    assert ApiTokens(nowhere, people.audit, people.engine).find(secret) is not None


def test_no_token_is_made_or_revoked_without_an_entry_of_the_log(
    tokens: ApiTokens, people: People, place: Place
) -> None:
    made, secret = tokens.make("dispatch", Role.OFFICER, QUAN)
    place.do("alter table audit_entry rename to gone")
    for act in (lambda: tokens.make("archive", Role.OFFICER, QUAN), lambda: tokens.revoke(made.id, QUAN)):
        with pytest.raises(StoreError):
            act()
    place.do("alter table gone rename to audit_entry")

    assert [(each.name, each.revoked_ms) for each in tokens.list()] == [("dispatch", None)]
    assert tokens.find(secret)
    (entry,) = people.audit.search(AuditQuery()).entries
    assert (entry.login, entry.verb, entry.subject) == ("quan.tri", AuditVerb.TOKEN_MADE, "api:dispatch")
