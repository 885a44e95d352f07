"""Who is logged in: sessions, each known by a token that only its browser has.

Invariants
1. The table holds the sha256 of a token, never the token: who reads the table, or a backup of it, is not in.
2. A session is over when it was idle for too long, when it is too old, when the account was disabled, and
   when the password changed since: each request asks, so nothing has to be told to anybody. What changes a
   password, a role or the right to be here removes the sessions too.
3. One account has so many sessions at most; the oldest goes.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, Connection, Engine, Row, not_, or_, select
from sqlalchemy.exc import SQLAlchemyError

from agent.printable import printable
from agent.translatable import tr
from station.access.account import Account, AccountError, account_of
from station.store.database import StoreError, in_words
from station.store.schema import account, web_session

log = structlog.get_logger("station.access.sessions")

TOUCH_S: Final = 60.0
"""How often it is written down at most that a session is used."""
TOKEN_BYTES: Final = 32
MOST_PER_ACCOUNT: Final = 8
MAX_BROWSER_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that began just now; the token is kept nowhere else."""

    token: str
    csrf: str


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session of now."""

    id: str
    """What it is called where it is listed: the sha256 of its token, by which nobody gets in."""
    account: Account
    csrf: str
    created_ms: int
    seen_ms: int
    address: str
    browser: str


class Sessions:
    """The sessions of one console; for many threads."""

    def __init__(
        self,
        writes: Engine,
        idle_s: float,
        life_s: float,
        most_per_account: int = MOST_PER_ACCOUNT,
        reads: Engine | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`reads` is for whoever only looks, so that it waits for no writer; None: `writes`."""
        self._writes, self._reads, self._now = writes, reads or writes, now
        self._idle_ms, self._life_ms = round(idle_s * 1000), round(life_s * 1000)
        self._most = most_per_account

    def begin(self, of: Account, address: str, browser: str) -> NewSession:
        """A new session, always with a new token; those that are over go, and so does the oldest (invariant 3).

        Raises:
            AccountError: the account was disabled since it was read, or its password or role changed.
            StoreError: the store cannot be written.
        """
        made = NewSession(secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES))
        now_ms = self._now_ms()
        with self._writing() as connection:
            _refuse_changed(connection, of)
            connection.execute(web_session.delete().where(or_(*self._over(now_ms))))
            own = web_session.c.account_id == of.id
            keys = select(web_session.c.token_sha256).where(own).order_by(web_session.c.created_ms.desc())
            for key in connection.scalars(keys).all()[max(0, self._most - 1) :]:
                connection.execute(web_session.delete().where(web_session.c.token_sha256 == key))
            connection.execute(
                web_session.insert().values(
                    token_sha256=token_sha256(made.token),
                    account_id=of.id,
                    csrf=made.csrf,
                    created_ms=now_ms,
                    seen_ms=now_ms,
                    address=printable(address)[:MAX_BROWSER_CHARS],
                    browser=printable(browser)[:MAX_BROWSER_CHARS],
                )
            )
        return made

    def find(self, token: str) -> LiveSession | None:
        """The session of this token; None: there is none, or it is over (invariant 2). It counts as used.

        Raises:
            StoreError: the store cannot be read.
        """
        now_ms = self._now_ms()
        found = self._one(token_sha256(token), now_ms)
        if found is not None and now_ms - found.seen_ms >= TOUCH_S * 1000:
            self._touch(found.id, now_ms)
        return found

    def of(self, account_id: int) -> tuple[LiveSession, ...]:
        """All sessions of an account, the latest used first.

        Raises:
            StoreError: the store cannot be read.
        """
        return self._live(self._now_ms(), web_session.c.account_id == account_id)

    def end(self, token: str) -> None:
        """Log out.

        Raises:
            StoreError: the store cannot be written.
        """
        with self._writing() as connection:
            connection.execute(web_session.delete().where(web_session.c.token_sha256 == token_sha256(token)))

    def end_all(self, account_id: int, but: str | None = None) -> int:
        """Log out everywhere, but for the session of the token `but`; how many ended.

        Raises:
            StoreError: the store cannot be written.
        """
        ends = web_session.delete().where(web_session.c.account_id == account_id)
        if but is not None:
            ends = ends.where(web_session.c.token_sha256 != token_sha256(but))
        with self._writing() as connection:
            return connection.execute(ends).rowcount

    def forget_all(self) -> int:
        """Log everybody out: after a restore, for what is in a backup may be in other hands.

        Raises:
            StoreError: the store cannot be written.
        """
        with self._writing() as connection:
            return connection.execute(web_session.delete()).rowcount

    def _one(self, key: str, now_ms: int) -> LiveSession | None:
        return next(iter(self._live(now_ms, web_session.c.token_sha256 == key)), None)

    def _live(self, now_ms: int, which: ColumnElement[bool]) -> tuple[LiveSession, ...]:
        query = (
            select(*account.c, *(column.label(f"session_{column.name}") for column in web_session.c))
            .join(web_session, account.c.id == web_session.c.account_id)
            .where(which, *(not_(each) for each in self._over(now_ms)))
            .where(account.c.disabled.is_(False), web_session.c.created_ms >= account.c.changed_ms)
            .order_by(web_session.c.seen_ms.desc(), web_session.c.created_ms.desc())
        )
        try:
            with self._reads.connect() as connection, connection.begin():
                rows = connection.execute(query).all()
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error
        return tuple(map(_session_of, rows))

    def _touch(self, key: str, now_ms: int) -> None:
        """A store that cannot be written must not keep anybody from reading."""
        try:
            with self._writing() as connection:
                connection.execute(
                    web_session.update().where(web_session.c.token_sha256 == key).values(seen_ms=now_ms)
                )
        except StoreError as error:
            log.warning("session_untouched", why=error.what, hint=error.hint)

    def _over(self, now_ms: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return (
            web_session.c.seen_ms <= now_ms - self._idle_ms,
            web_session.c.created_ms <= now_ms - self._life_ms,
        )

    def _now_ms(self) -> int:
        return round(self._now() * 1000)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._writes.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise in_words(error, self._writes.url) from error


def token_sha256(token: str) -> str:
    """What the table holds of a token."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def _refuse_changed(connection: Connection, of: Account) -> None:
    """The password may have been tried before it was changed."""
    columns = account.c.changed_ms, account.c.role, account.c.disabled
    row = connection.execute(select(*columns).where(account.c.id == of.id)).first()
    if row is None or tuple(row) != (of.changed_ms, str(of.role), False):
        raise AccountError(tr("the account was changed at this moment"), tr("log in once more"))


def _session_of(row: Row[Any]) -> LiveSession:
    return LiveSession(
        row.session_token_sha256,
        account_of(row),
        row.session_csrf,
        row.session_created_ms,
        row.session_seen_ms,
        row.session_address,
        row.session_browser,
    )
