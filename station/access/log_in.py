"""Logging in: who is let in, who must wait, and what is written down of it.

Invariants
1. Who is refused learns the same, and in the same time, whether or not the login exists; only who knows the
   password learns that an account is disabled.
2. Where somebody must wait no password is tried, so that what is right is not told to who tries on.
3. Each log-in, and each wrong password that was tried, is an entry of the audit log. A login that nobody has is
   not written there: people type their password into the wrong field.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, select
from sqlalchemy.exc import SQLAlchemyError

from station.access.account import Account, account_of, one_form
from station.access.audit_entry import Actor, AuditVerb
from station.access.audit_log import AuditLog
from station.access.lockout import FREE, FREE_OF_ACCOUNT, Strangers, Tally
from station.access.passwords import Passwords, PasswordsBusy
from station.access.sessions import TOKEN_BYTES, NewSession, Sessions, token_sha256
from station.store.database import in_words
from station.store.schema import account, known_browser

KNOWN_MS: Final = 90 * 86_400_000
"""So long a browser is known after its latest log-in."""
AT_A_TIME: Final = 6
"""Tries of strangers, and as many of known browsers: the rest is told to come again, and holds no thread."""
MOST_KNOWN: Final = 10
"""Browsers of one account; the one that was away longest goes."""


class LogInRefusal(StrEnum):
    """Why somebody is not let in."""

    WRONG = "wrong"
    WAIT = "wait"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Refused:
    """Not let in."""

    why: LogInRefusal
    until_ms: int | None = None
    """When the next try is possible; None: now."""
    left: int | None = None
    """After so many more wrong passwords at most somebody must wait; None: it is not about that."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """Let in, with what goes into two cookies: the session's token, and what makes the browser known."""

    account: Account
    session: NewSession
    known: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is known of a try before its password is tried."""

    login: str
    address: str
    account: Account | None
    password_hash: str | None
    browser_key: str | None
    """Of the row of a known browser; None: a stranger."""
    tally: Tally
    """Of the browser, or of the account where it is a stranger."""

    @property
    def is_known(self) -> bool:
        """Whether the account was logged in there before."""
        return self.browser_key is not None


class LogIn:
    """Lets people in; for many threads."""

    def __init__(
        self,
        writes: Engine,
        sessions: Sessions,
        audit: AuditLog,
        reads: Engine | None = None,
        passwords: Passwords | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`reads` is for what is only read, so that it waits for no writer; None: `writes`."""
        self._writes, self._reads, self._now = writes, reads or writes, now
        self._sessions, self._audit = sessions, audit
        self._passwords, self._strangers = passwords or Passwords(), Strangers()
        self.retries = Strangers()
        """Of whoever is logged in and gives the password once more: no open session is a place where passwords
        are tried without end."""
        self._strangers_room = threading.BoundedSemaphore(AT_A_TIME)
        self._known_room = threading.BoundedSemaphore(AT_A_TIME)

    def attempt(
        self, login: str, password: str, address: str, browser: str, known: str | None = None
    ) -> Admitted | Refused:
        """Try to log in; `known` is the cookie by which the browser shows that it was let in before.

        Raises:
            PasswordsBusy: too many are logging in at this moment.
            AccountError: the account was changed while its password was tried.
            StoreError: the store cannot be read or written; then nobody is let in.
        """
        now_ms = round(self._now() * 1000)
        asked = self._ask(one_form(login)[:64], address, known, now_ms)
        room = self._known_room if asked.is_known else self._strangers_room
        if not room.acquire(blocking=False):
            raise PasswordsBusy
        try:
            until_ms = self._must_wait(asked, asked.tally, now_ms)
            if until_ms is not None:
                return Refused(LogInRefusal.WAIT, until_ms)
            if not self._passwords.is_right(password, asked.password_hash, known=asked.is_known):
                return self._wrong(asked, now_ms)
            return self._admitted(asked, password, browser, now_ms)
        finally:
            room.release()

    def _admitted(self, asked: _Asked, password: str, browser: str, now_ms: int) -> Admitted | Refused:
        assert asked.account is not None
        assert asked.password_hash is not None
        if asked.account.disabled:
            self._note(AuditVerb.LOG_IN_FAILED, asked, {"why": LogInRefusal.DISABLED})
            return Refused(LogInRefusal.DISABLED)
        if self._passwords.is_outdated(asked.password_hash):
            self._hash_anew(asked.account, password, asked.password_hash)
        session = self._sessions.begin(asked.account, asked.address, browser)
        try:
            made = Admitted(asked.account, session, self._right(asked, now_ms))
            self._note(AuditVerb.LOG_IN, asked, {"browser": browser[:200]})
        except BaseException:
            self._sessions.end(session.token)  # invariant 3
            raise
        self._strangers.right(asked.login, asked.address)
        return made

    def _ask(self, login: str, address: str, known: str | None, now_ms: int) -> _Asked:
        try:
            with self._reads.connect() as connection, connection.begin():
                row = connection.execute(select(account).where(account.c.login == login)).first()
                if row is None:
                    return _Asked(login, address, None, None, None, Tally())
                browser = _known(connection, row.id, known, now_ms)
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error
        counted = row if browser is None else browser
        key = None if browser is None else str(browser.token_sha256)
        tally = Tally(counted.failed, counted.locked_until_ms)
        return _Asked(login, address, account_of(row), row.password_hash, key, tally)

    def _must_wait(self, asked: _Asked, tally: Tally, now_ms: int) -> int | None:
        ends = [tally.locked(now_ms)]
        if not asked.is_known:
            ends.append(self._strangers.locked(asked.login, asked.address, now_ms))
        return max((each for each in ends if each is not None), default=None)

    def _wrong(self, asked: _Asked, now_ms: int) -> Refused:
        tally = self._counted(asked, now_ms)
        if not asked.is_known:
            self._strangers.wrong(asked.login, asked.address, now_ms, exists=asked.account is not None)
        until_ms = self._must_wait(asked, tally, now_ms)
        self._note(AuditVerb.LOG_IN_FAILED, asked, {"why": LogInRefusal.WRONG, "locked_until_ms": until_ms})
        if until_ms is not None:
            return Refused(LogInRefusal.WAIT, until_ms)
        left = tally.left if asked.is_known else self._strangers.left(asked.login, asked.address)
        return Refused(LogInRefusal.WRONG, left=left)

    def _counted(self, asked: _Asked, now_ms: int) -> Tally:
        """Count a wrong password in the database, where the login exists."""
        if asked.account is None:
            return Tally()
        table, key, free = account, account.c.id == asked.account.id, FREE_OF_ACCOUNT
        if asked.is_known:
            table, key, free = known_browser, known_browser.c.token_sha256 == asked.browser_key, FREE
        with self._writing() as connection:
            # by itself, for another thread or process may count at the same time
            connection.execute(table.update().where(key).values(failed=table.c.failed + 1))
            row = connection.execute(select(table.c.failed, table.c.locked_until_ms).where(key)).first()
            if row is None:  # removed meanwhile
                return Tally()
            tally = Tally(row.failed - 1, row.locked_until_ms).after_wrong(now_ms, free)
            connection.execute(table.update().where(key).values(locked_until_ms=tally.locked_until_ms))
        return tally

    def _right(self, asked: _Asked, now_ms: int) -> str:
        """Forget what was wrong in this place, and make the browser known; gives back its new cookie."""
        assert asked.account is not None
        of, token = asked.account.id, secrets.token_urlsafe(TOKEN_BYTES)
        fields: dict[str, Any] = {"login_ms": now_ms}
        if not asked.is_known:
            fields |= {"failed": 0, "locked_until_ms": None}
        with self._writing() as connection:
            connection.execute(account.update().where(account.c.id == of).values(**fields))
            own = known_browser.c.account_id == of
            keys = select(known_browser.c.token_sha256).where(own).order_by(known_browser.c.seen_ms.desc())
            gone = [asked.browser_key, *connection.scalars(keys).all()[MOST_KNOWN - 1 :]]
            connection.execute(
                known_browser.delete().where(known_browser.c.token_sha256.in_(filter(None, gone)))
            )
            key = token_sha256(token)
            connection.execute(
                known_browser.insert().values(token_sha256=key, account_id=of, seen_ms=now_ms, failed=0)
            )
        return token

    def _hash_anew(self, of: Account, password: str, kept: str) -> None:
        """With the parameters of now; the password stays, and so does when it was given."""
        hashed = self._passwords.hashed(password)
        same = (account.c.id == of.id) & (account.c.password_hash == kept)
        with self._writing() as connection:
            connection.execute(account.update().where(same).values(password_hash=hashed))

    def _note(self, verb: AuditVerb, asked: _Asked, detail: Mapping[str, Any]) -> None:
        of = asked.account
        if of is None:  # invariant 3
            self._audit.note(Actor("", "", "", asked.address), verb, "", detail)
            return
        who = Actor(of.login, of.name, of.role, asked.address)
        if verb is AuditVerb.LOG_IN_FAILED:  # it need not have been this person
            who = Actor("", "", "", asked.address)
        self._audit.note(who, verb, of.login, detail)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._writes.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise in_words(error, self._writes.url) from error


def _known(connection: Connection, of: int, cookie: str | None, now_ms: int) -> Row[Any] | None:
    if not cookie:
        return None
    query = select(known_browser).where(
        known_browser.c.token_sha256 == token_sha256(cookie),
        known_browser.c.account_id == of,
        known_browser.c.seen_ms > now_ms - KNOWN_MS,
    )
    return connection.execute(query).first()
