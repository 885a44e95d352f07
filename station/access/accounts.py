"""Accounts of the console: made, changed, disabled.

Invariants
1. While there is any account there is an enabled administrator: the last one is neither disabled nor demoted.
2. Two that write at once do so one after the other, in whatever process.
3. Whose password, role or right to be here changes is logged out everywhere, in the same transaction.
4. A password that somebody else has given must be changed before anything else.
5. Each change is an entry of the audit log, in the same transaction: no change without one, and none without
   a change.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from agent.printable import printable
from agent.translatable import tr
from station.access.account import (
    PUBLIC,
    Account,
    AccountError,
    account_of,
    communes_of,
    language_of,
    login_of,
    name_of,
    one_form,
)
from station.access.audit_entry import AT_THE_MACHINE, Actor, AuditVerb
from station.access.audit_log import AuditLog, AuditTransaction
from station.access.passwords import Passwords, judge, new_password
from station.access.roles import Role
from station.store.database import in_words
from station.store.schema import account, known_browser, web_session

FIRST_LOGIN: Final = "admin"


class Accounts:
    """The accounts of one station; for many threads."""

    def __init__(
        self,
        writes: Engine,
        audit: AuditLog,
        reads: Engine | None = None,
        passwords: Passwords | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`reads` is for whoever only looks, so that it waits for no writer; None: `writes`.

        Changes are noted as the station's own, until `by` says whose they are.
        """
        self._writes, self._reads, self._now = writes, reads or writes, now
        self._audit, self._actor = audit, Actor("", "", "", AT_THE_MACHINE)
        self._passwords = passwords or Passwords()

    def by(self, actor: Actor) -> Accounts:
        """The same accounts, changed by this person."""
        mine = copy.copy(self)
        mine._actor = actor
        return mine

    def list(self) -> tuple[Account, ...]:
        """All of them, by login.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._reading() as connection:
            rows = connection.execute(select(*PUBLIC).order_by(account.c.login)).all()
        return tuple(map(account_of, rows))

    def find(self, login: str) -> Account | None:
        """The account with this login, however it is written.

        Raises:
            StoreError: the store cannot be read.
        """
        with self._reading() as connection:
            row = connection.execute(select(*PUBLIC).where(account.c.login == one_form(login))).first()
        return account_of(row) if row is not None else None

    def create(self, login: str, name: str, role: Role, *, language: str | None = None) -> tuple[Account, str]:
        """Make one, and give back its first password, which is shown once (invariant 4).

        Raises:
            AccountError: the login is taken, or is none; the name is empty or too long.
            StoreError: the store cannot be written.
        """
        login, name = login_of(login), name_of(name)
        password = new_password()
        hashed = self._passwords.hashed(password)
        with self._writing() as transaction:
            connection = transaction.connection
            if connection.scalar(select(account.c.id).where(account.c.login == login)) is not None:
                raise AccountError(tr("there is an account {login} already", login=login))
            self._insert(transaction, login, name, role, hashed, language_of(language))
        made = self.find(login)
        assert made is not None
        return made, password

    def first_administrator(self) -> str | None:
        """Make `admin` if there is no account at all, and give back its password; None: there are some.

        Raises:
            StoreError: the store cannot be read or written.
        """
        with self._reading() as connection:
            if connection.scalar(select(func.count()).select_from(account)):
                return None
        password = new_password()
        hashed = self._passwords.hashed(password)
        with self._writing() as transaction:
            if transaction.connection.scalar(select(func.count()).select_from(account)):
                return None  # another process was quicker: its password counts
            self._insert(transaction, FIRST_LOGIN, FIRST_LOGIN, Role.ADMINISTRATOR, hashed, None)
        return password

    def change(self, login: str, *, name: str | None = None, role: Role | None = None) -> Account:
        """Change what is named.

        Raises:
            AccountError: there is no such account; the name is empty or too long; invariant 1.
            StoreError: the store cannot be written.
        """
        with self._writing() as transaction:
            connection = transaction.connection
            found = _found(connection, login)
            if name is not None:
                _update(connection, found, name=name_of(name))
            if role is not None and role is not found.role:
                _refuse_last(connection, found)
                _update(connection, found, role=str(role))
                _log_out(connection, found)
            after = _found(connection, login)
            self._note(transaction, AuditVerb.ACCOUNT_CHANGED, after, name=after.name, role=after.role)
            return after

    def open_communes(self, login: str, communes: str) -> Account:
        """Which communes are open to this person, from the next page on; `communes` as somebody types them.

        Raises:
            AccountError: there is no such account, or one of them can be none.
            StoreError: the store cannot be written.
        """
        with self._writing() as transaction:
            found = _found(transaction.connection, login)
            _update(transaction.connection, found, communes=communes_of(communes))
            after = _found(transaction.connection, login)
            self._note(transaction, AuditVerb.ACCOUNT_CHANGED, after, communes=after.communes)
            return after

    def speak(self, login: str, language: str | None) -> Account:
        """In which language this person is told things; None: in the console's.

        Raises:
            AccountError: there is no such account, or nobody has written that language.
            StoreError: the store cannot be written.
        """
        with self._writing() as transaction:
            found = _found(transaction.connection, login)
            _update(transaction.connection, found, language=language_of(language))
            self._note(transaction, AuditVerb.ACCOUNT_CHANGED, found, language=language or "")
            return _found(transaction.connection, login)

    def disable(self, login: str) -> Account:
        """Let this person in no more.

        Raises:
            AccountError: there is no such account; invariant 1.
            StoreError: the store cannot be written.
        """
        with self._writing() as transaction:
            connection = transaction.connection
            found = _found(connection, login)
            _refuse_last(connection, found)
            _update(connection, found, disabled=True)
            _log_out(connection, found)
            connection.execute(known_browser.delete().where(known_browser.c.account_id == found.id))
            self._note(transaction, AuditVerb.ACCOUNT_CHANGED, found, disabled=True)
            return _found(connection, login)

    def enable(self, login: str) -> Account:
        """Let this person in again; what was counted of wrong passwords is forgotten.

        Raises:
            AccountError: there is no such account.
            StoreError: the store cannot be written.
        """
        with self._writing() as transaction:
            found = _found(transaction.connection, login)
            _update(transaction.connection, found, disabled=False, failed=0, locked_until_ms=None)
            self._note(transaction, AuditVerb.ACCOUNT_CHANGED, found, disabled=False)
            return _found(transaction.connection, login)

    def reset(self, login: str) -> str:
        """Give a new password, which is shown once; what was counted of wrong ones is forgotten (invariant 4).

        Raises:
            AccountError: there is no such account.
            StoreError: the store cannot be written.
        """
        password = new_password()
        hashed = self._passwords.hashed(password)
        with self._writing() as transaction:
            found = _found(transaction.connection, login)
            self._set(transaction.connection, found, hashed, must_change=True)
            self._note(transaction, AuditVerb.PASSWORD_CHANGED, found, by="reset")
        return password

    def change_own(self, login: str, old: str, new: str) -> Account:
        """Whose account it is takes another password. All sessions end; whoever calls begins a new one.

        Raises:
            AccountError: there is no such account, the old password is wrong, or the new one is the old one.
            PasswordRefused: the new password may be none.
            PasswordsBusy: too many passwords are being tried now.
            StoreError: the store cannot be written.
        """
        with self._reading() as connection:
            found = _found(connection, login)
            kept = connection.scalar(select(account.c.password_hash).where(account.c.id == found.id))
        if not self._passwords.is_right(old, kept, known=True):
            raise AccountError(tr("the password of now is another one"))
        judge(new, found.login)
        if self._passwords.is_right(new, kept, known=True):
            raise AccountError(tr("the new password is that of now"), tr("take another one"))
        hashed = self._passwords.hashed(new)
        with self._writing() as transaction:
            connection = transaction.connection
            if connection.scalar(select(account.c.password_hash).where(account.c.id == found.id)) != kept:
                raise AccountError(tr("the password was changed meanwhile"))
            self._set(connection, found, hashed, must_change=False)
            self._note(transaction, AuditVerb.PASSWORD_CHANGED, found, by="own")
            return _found(connection, login)

    def _insert(
        self,
        transaction: AuditTransaction,
        login: str,
        name: str,
        role: Role,
        hashed: str,
        language: str | None,
    ) -> None:
        now_ms = round(self._now() * 1000)
        transaction.connection.execute(
            account.insert().values(
                login=login,
                name=name,
                role=str(role),
                password_hash=hashed,
                must_change=True,
                disabled=False,
                language=language,
                failed=0,
                created_ms=now_ms,
                changed_ms=now_ms,
            )
        )
        transaction.note(self._actor, AuditVerb.ACCOUNT_MADE, login, {"role": str(role), "name": name})

    def _note(self, transaction: AuditTransaction, verb: AuditVerb, of: Account, **detail: Any) -> None:
        """Invariant 5."""
        transaction.note(self._actor, verb, of.login, detail)

    def _set(self, connection: Connection, found: Account, hashed: str, *, must_change: bool) -> None:
        now_ms = round(self._now() * 1000)
        fields = {"password_hash": hashed, "must_change": must_change, "changed_ms": now_ms}
        _update(connection, found, **fields, failed=0, locked_until_ms=None)
        _log_out(connection, found)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._reads.connect() as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise in_words(error, self._reads.url) from error

    @contextmanager
    def _writing(self) -> Iterator[AuditTransaction]:
        """Invariant 2: SQLite's transaction began as a writer."""
        with self._audit.transaction() as transaction:
            if transaction.connection.dialect.name == "postgresql":
                transaction.connection.execute(text("lock table account in share row exclusive mode"))
            yield transaction


def _found(connection: Connection, login: str) -> Account:
    row = connection.execute(select(*PUBLIC).where(account.c.login == one_form(login))).first()
    if row is None:
        raise AccountError(
            tr("there is no account {login}", login=printable(login)[:40]),
            tr("`ngatu station account list` shows them"),
        )
    return account_of(row)


def _update(connection: Connection, found: Account, **fields: Any) -> None:
    connection.execute(account.update().where(account.c.id == found.id).values(**fields))


def _log_out(connection: Connection, found: Account) -> None:
    connection.execute(web_session.delete().where(web_session.c.account_id == found.id))


def _refuse_last(connection: Connection, found: Account) -> None:
    """Invariant 1."""
    if found.role is not Role.ADMINISTRATOR or found.disabled:
        return
    others = (
        select(func.count())
        .select_from(account)
        .where(
            account.c.role == str(Role.ADMINISTRATOR), account.c.disabled.is_(False), account.c.id != found.id
        )
    )
    if not connection.scalar(others):
        raise AccountError(
            tr("{login} is the last administrator", login=found.login), tr("make another one first")
        )
