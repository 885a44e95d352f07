"""`ngatu station account`, and the console's part of `ngatu station audit`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from agent.cli.exit import FAILED, one_line_errors
from agent.errors import UsageError
from agent.language import translated
from agent.printable import printable, printable_json
from agent.translatable import tr
from station.access.roles import ROLES, Role
from station.backup.cli import DEFAULT, StationFile, needs_sqlalchemy

if TYPE_CHECKING:
    from station.access.accounts import Accounts
    from station.access.audit_entry import Actor, ConsoleEntry
    from station.config import StationConfig

account_app = typer.Typer(no_args_is_help=True, help="Who may use the duty room's screen.")
LoginWord = Annotated[str, typer.Argument(metavar="LOGIN", help="2 to 32 of a-z, 0-9, '.', '_' and '-'.")]


@account_app.command("list")
@one_line_errors
def list_command(config: StationFile = DEFAULT) -> None:
    """Show every account: its login, name, role, latest log-in, and whether it is disabled.

    Exit code 0: shown; 1: the store cannot be read; 2: the file is wrong.
    """
    with _opened(config) as accounts:
        found = accounts.list()
    table = Table(box=None, pad_edge=False)
    for column in (tr("LOGIN"), tr("NAME"), tr("ROLE"), tr("LATEST LOG-IN"), ""):
        table.add_column(translated(column), overflow="fold")
    for each in found:
        state = tr("disabled") if each.disabled else tr("password not changed yet") if each.must_change else ""
        at = _local(each.login_ms) if each.login_ms else tr("never")
        table.add_row(each.login, printable(each.name), *map(translated, (ROLES[each.role], at, state)))
    if found:
        Console(highlight=False, markup=False).print(table)
    else:
        typer.echo(translated(tr("there is no account yet: the console makes the first one when it starts")))


@account_app.command("add")
@one_line_errors
def add_command(
    login: LoginWord,
    name: Annotated[str, typer.Option(help="The person's name, as it stands in logs and reports.")],
    config: StationFile = DEFAULT,
    role: Annotated[str, typer.Option(help=f"What this person may do: {', '.join(Role)}.")] = "officer",
) -> None:
    """Make an account, and show its first password, once; it must be changed at the first log-in.

    Exit code 0: made; 1: the login is taken or cannot be one, or the store cannot be written; 2: the file or
    the role is wrong.
    """
    if role not in tuple(Role):
        raise UsageError(tr("there is no role {role}", role=repr(role)), ", ".join(Role))
    with _opened(config) as accounts:
        made, password = accounts.create(login, name, Role(role))
    show_password(made.login, password)


@account_app.command("password")
@one_line_errors
def password_command(login: LoginWord, config: StationFile = DEFAULT) -> None:
    """Give an account a new password, and show it, once; this person is logged out everywhere.

    It also ends a lock after wrong passwords.

    Exit code 0: done; 1: there is no such account, or the store cannot be written; 2: the file is wrong.
    """
    with _opened(config) as accounts:
        password = accounts.reset(login)
    show_password(login, password)


@account_app.command("disable")
@one_line_errors
def disable_command(login: LoginWord, config: StationFile = DEFAULT) -> None:
    """Let this person in no more, from this moment on; the last administrator cannot be disabled.

    Exit code 0: done; 1: it cannot be done; 2: the file is wrong.
    """
    with _opened(config) as accounts:
        accounts.disable(login)


@account_app.command("enable")
@one_line_errors
def enable_command(login: LoginWord, config: StationFile = DEFAULT) -> None:
    """Let this person in again; a lock after wrong passwords ends, too.

    Exit code 0: done; 1: there is no such account, or the store cannot be written; 2: the file is wrong.
    """
    with _opened(config) as accounts:
        accounts.enable(login)


def show_console_log(settings: StationConfig, since: datetime, *, as_json: bool) -> None:
    """What was done at the console since then, the newest last, and whether its log is whole.

    Raises:
        StoreError: the store cannot be read.
        typer.Exit: something is missing or rewritten.
    """
    from station.access.audit_log import AuditLog, AuditQuery  # noqa: PLC0415
    from station.access.audit_proof import broken_line  # noqa: PLC0415
    from station.store.database import current_version, engine_of, url_of  # noqa: PLC0415

    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)
    try:
        with engine.connect() as connection, connection.begin():
            current_version(connection)
        audit = AuditLog(engine, settings.state_dir)
        verdict = audit.verify()
        found = list(audit.every(AuditQuery(since_ms=round(since.timestamp() * 1000))))[::-1]
    finally:
        engine.dispose()
    if as_json:
        for each in found:
            typer.echo(printable_json(json.dumps({**asdict(each), "detail": each.details}, ensure_ascii=False)))
    else:
        _print(found)
    if verdict.broken is not None:
        typer.echo(translated(broken_line(verdict.broken)), err=True)
        raise typer.Exit(FAILED)
    if not as_json:
        typer.echo(translated(tr("all {count} entries are as they were written", count=verdict.entries)))


@contextmanager
def _opened(config: Path) -> Iterator[Accounts]:
    needs_sqlalchemy()
    from station.access.accounts import Accounts  # noqa: PLC0415
    from station.access.audit_log import AuditLog  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415
    from station.store.database import StoreError, current_version, engine_of, shown, url_of  # noqa: PLC0415

    settings = load(config)
    url = url_of(settings.database, settings.state_dir)
    if url.drivername == "sqlite" and not Path(str(url.database)).exists():
        raise StoreError(
            tr("{url} is not there", url=shown(url)), tr("start the station once: it makes the store")
        )
    engine = engine_of(url)
    try:
        with engine.connect() as connection, connection.begin():
            current_version(connection)
        yield Accounts(engine, AuditLog(engine, settings.state_dir)).by(at_the_machine())
    finally:
        engine.dispose()


def at_the_machine() -> Actor:
    """Who works at a terminal, as audit entries name him."""
    from station.access.audit_entry import AT_THE_MACHINE, Actor  # noqa: PLC0415

    return Actor("", getuser(), "", AT_THE_MACHINE)


def say_screen(url: str, password: str | None) -> None:
    """Where the screen is, and the first password: this once."""
    typer.echo(translated(tr("the duty room's screen: {url}", url=url)), err=True)
    if password is not None:
        from station.access.accounts import FIRST_LOGIN  # noqa: PLC0415

        said = tr("log in as {name} with the password {password}", name=FIRST_LOGIN, password=password)
        typer.echo(translated(said), err=True)


def show_password(login: str, password: str) -> None:
    """A password that an account was given, this once."""
    said = tr(
        "{login}: {password} (shown once; to be changed at the first log-in)", login=login, password=password
    )
    typer.echo(translated(said))


def _print(found: list[ConsoleEntry]) -> None:
    from station.access.audit_entry import VERBS  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    for column in (tr("TIME"), tr("WHO"), tr("WHAT"), tr("SUBJECT"), tr("DETAIL"), tr("ADDRESS")):
        table.add_column(translated(column), overflow="fold")
    for each in found:
        who, what = each.login or each.name, translated(VERBS.get(each.verb, each.verb))
        cells = (_local(each.time_ms), who, what, each.subject, printable_json(each.detail), each.address)
        table.add_row(*map(printable, cells))
    if found:
        Console(highlight=False, markup=False).print(table)
    else:
        typer.echo(translated(tr("nobody did anything at the console in that time")))


def _local(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
