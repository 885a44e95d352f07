"""One account of the console, and what may stand in it. Pure but for rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from agent.errors import NgatuError
from agent.language import LANGUAGES
from agent.printable import printable
from agent.translatable import tr
from station.access.roles import Role
from station.store.schema import account

MAX_NAME_CHARS: Final = 80
ALL_COMMUNES: Final = "*"
MOST_COMMUNES: Final = 500
PUBLIC: Final = tuple(column for column in account.c if column.name != "password_hash")
"""The columns of an account that everybody who reads one gets."""
_COMMUNE: Final = re.compile(r"[a-z0-9-]{2,32}")
_LOGIN: Final = re.compile(r"[a-z0-9._-]{2,32}")


class AccountError(NgatuError):
    """What was asked of an account cannot be done; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may use the console; without the hash of the password."""

    id: int
    login: str
    name: str
    """As it stands in logs and reports."""
    role: Role
    must_change: bool
    disabled: bool
    language: str | None
    created_ms: int
    changed_ms: int
    """When the password was given."""
    login_ms: int | None
    """The latest log-in."""
    failed: int
    locked_until_ms: int | None
    communes: str = ""
    """At the province: those that are open to this person, with spaces between; ALL_COMMUNES: every one."""


def one_form(login: str) -> str:
    """A login as it is kept, whoever typed it."""
    return login.strip().lower()


def account_of(row: Row[Any]) -> Account:
    """From a row that has all columns of the table, or more."""
    fields = {column.name: getattr(row, column.name) for column in PUBLIC}
    return Account(**{**fields, "role": Role(fields["role"])})


def login_of(said: str) -> str:
    """A login as somebody gives it, in the form in which it is kept.

    Raises:
        AccountError: it cannot be one.
    """
    login = one_form(said)
    if not _LOGIN.fullmatch(login):
        raise AccountError(
            tr("{login} cannot be a login", login=repr(printable(login)[:40])),
            tr("2 to 32 of a-z, 0-9, '.', '_' and '-'"),
        )
    return login


def name_of(said: str) -> str:
    """A person's name, in one line.

    Raises:
        AccountError: it is empty or too long.
    """
    name = " ".join(printable(said).split())
    if not 0 < len(name) <= MAX_NAME_CHARS:
        raise AccountError(tr("a name has 1 to {count} characters", count=MAX_NAME_CHARS))
    return name


def language_of(said: str | None) -> str | None:
    """A language that is written; None: the console's.

    Raises:
        AccountError: nobody has written it.
    """
    if said is not None and said not in LANGUAGES:
        raise AccountError(tr("nobody has written that language yet"))
    return said


def communes_of(said: str) -> str:
    """Names of communes as somebody gives them, in the form in which they are kept.

    Raises:
        AccountError: one of them can be none, or there are too many.
    """
    names = sorted(set(said.replace(",", " ").split()))
    if ALL_COMMUNES in names:
        return ALL_COMMUNES
    for name in names:
        if not _COMMUNE.fullmatch(name):
            raise AccountError(
                tr("{name} cannot be a commune", name=repr(printable(name)[:40])),
                tr("names of communes with spaces between, or * for all"),
            )
    if len(names) > MOST_COMMUNES:
        raise AccountError(tr("these are too many communes"), tr("name * for all"))
    return " ".join(names)
