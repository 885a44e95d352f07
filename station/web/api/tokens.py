"""Programs that may ask the console's interface: tokens, each with a role, made by an administrator.

Invariants
1. The table holds the sha256 of a token, never the token: it is shown once, to whoever made it. It has 256 bits
   of chance, so nobody guesses one, and its hash needs no salt.
2. A token that was revoked counts no more from the next request on; it is never removed, so that the audit
   log's names stay known.
3. What is made or revoked is an entry of the audit log, in the same transaction.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Row, select
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import NgatuError
from agent.settings.base import NAME_IN_WORDS, NAME_PATTERN
from agent.translatable import tr
from station.access.audit_entry import Actor, AuditVerb
from station.access.audit_log import AuditLog
from station.access.roles import Role
from station.store.database import in_words
from station.store.schema import api_token

PREFIX: Final = "ngatu_"
"""By it whoever finds a token knows what it is."""
MOST: Final = 100
"""That count, at one time."""
_USED_EVERY_MS: Final = 60_000


class TokenError(NgatuError):
    """What was asked of a token cannot be done; nothing was changed."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """One of them; without what is secret."""

    id: int
    name: str
    """Of the program."""
    role: Role
    made_by: str
    """A login."""
    created_ms: int
    used_ms: int | None
    """The latest, to the minute."""
    revoked_ms: int | None

    @property
    def login(self) -> str:
        """As the audit log names the program: no account is called so."""
        return f"api:{self.name}"


class ApiTokens:
    """The tokens of one station; for many threads."""

    def __init__(
        self,
        writes: Engine,
        audit: AuditLog,
        reads: Engine | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`reads` is for whoever only looks, so that it waits for no writer; None: `writes`."""
        self._writes, self._reads, self._now = writes, reads or writes, now
        self._audit = audit

    def make(self, name: str, role: Role, by: Actor) -> tuple[ApiToken, str]:
        """One for a program, and what it is to show: nobody can see that again (invariant 1).

        Raises:
            TokenError: the name can be none, or is that of a token that counts; or there are very many.
            StoreError: the store cannot be written.
        """
        if not re.fullmatch(NAME_PATTERN, name):
            raise TokenError(tr("{name} can be no name of a program", name=repr(name[:40])), NAME_IN_WORDS)
        secret = PREFIX + secrets.token_urlsafe(32)
        row = {
            "token_sha256": _hash(secret),
            "name": name,
            "role": str(role),
            "made_by": by.login,
            "created_ms": self._now_ms(),
        }
        with self._audit.transaction() as transaction:
            connection = transaction.connection
            counting = connection.execute(_ALL.where(api_token.c.revoked_ms.is_(None))).all()
            if name in (each.name for each in counting):
                raise TokenError(tr("there is a token for {name} already", name=name), tr("revoke it first"))
            if len(counting) >= MOST:
                raise TokenError(tr("there are {most} tokens already", most=MOST), tr("revoke one first"))
            key = connection.execute(api_token.insert().values(row)).inserted_primary_key
            assert key is not None
            made = _one(connection, key[0])
            transaction.note(by, AuditVerb.TOKEN_MADE, made.login, {"role": made.role})
            return made, secret

    def find(self, secret: str) -> ApiToken | None:
        """The one that counts with this secret; notes that it was used.

        Raises:
            StoreError: the store cannot be read.
        """
        is_it = (api_token.c.token_sha256 == _hash(secret)) & api_token.c.revoked_ms.is_(None)
        try:
            with self._reads.connect() as connection, connection.begin():
                row = connection.execute(_ALL.where(is_it)).first()
            if row is None:
                return None
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error
        self._used(is_it, row.used_ms)
        return _token(row)

    def revoke(self, token_id: int, by: Actor) -> ApiToken:
        """It counts no more (invariant 2).

        Raises:
            TokenError: there is none, or it was revoked before.
            StoreError: the store cannot be written.
        """
        is_it = (api_token.c.id == token_id) & api_token.c.revoked_ms.is_(None)
        with self._audit.transaction() as transaction:
            connection = transaction.connection
            changed = connection.execute(api_token.update().where(is_it).values(revoked_ms=self._now_ms()))
            if not changed.rowcount:
                raise TokenError(tr("there is no such token any more"))
            revoked = _one(connection, token_id)
            transaction.note(by, AuditVerb.TOKEN_REVOKED, revoked.login)
            return revoked

    def list(self) -> tuple[ApiToken, ...]:
        """All that there ever were, those that count first, then by name.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            with self._reads.connect() as connection, connection.begin():
                rows = connection.execute(_ALL).all()
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error
        return tuple(sorted(map(_token, rows), key=lambda it: (it.revoked_ms is not None, it.name, it.id)))

    def _used(self, is_it: ColumnElement[bool], before_ms: int | None) -> None:
        now_ms = self._now_ms()
        if before_ms is not None and now_ms - before_ms < _USED_EVERY_MS:
            return
        with suppress(SQLAlchemyError), self._writes.begin() as connection:  # on a full disk one still reads
            connection.execute(api_token.update().where(is_it).values(used_ms=now_ms))

    def _now_ms(self) -> int:
        return round(self._now() * 1000)


_ALL: Final = select(*(column for column in api_token.c if column.name != "token_sha256"))


def _hash(secret: str) -> str:
    return sha256(secret.encode(errors="replace")).hexdigest()


def _one(connection: Connection, token_id: int) -> ApiToken:
    return _token(connection.execute(_ALL.where(api_token.c.id == token_id)).one())


def _token(row: Row[Any]) -> ApiToken:
    fields = dict(row._mapping)
    return ApiToken(**{**fields, "role": Role(fields["role"])})
