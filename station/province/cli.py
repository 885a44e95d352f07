"""`ngatu province`: a worker that takes in what the stations of a shard send up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.exit import one_line_errors
from agent.errors import UsageError
from agent.language import translated
from agent.translatable import tr
from station.access.cli import LoginWord, at_the_machine, say_screen, show_password
from station.backup.cli import needs_sqlalchemy

DEFAULT = Path("/etc/ngatu-province/province.yaml")

province = typer.Typer()


@province.callback(invoke_without_command=True)
@one_line_errors
def province_command(
    context: typer.Context,
    config: Annotated[Path, typer.Option("-c", "--config", help="The worker's file.")] = DEFAULT,
    duration_s: Annotated[float | None, typer.Option("--for", min=0, help="End after so many seconds.")] = None,
) -> None:
    """Take in what the stations of one shard of the province send up, until a signal says stop.

    What it keeps is receipted, and the stations' uplinks forget it. While another worker has the shard,
    it waits, and takes over within seconds once that one has gone.

    Exit code 0: ended as told; 1: database or broker cannot be used; 2: the file is wrong.
    """
    if context.invoked_subcommand is not None:
        return
    needs_sqlalchemy()
    from station.province.service import run  # noqa: PLC0415 (`ngatu watch` needs none of SQLAlchemy)
    from station.province.settings import load  # noqa: PLC0415

    run(load(config), duration_s)


@province.command("console")
@one_line_errors
def console_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="The province's file.")] = DEFAULT,
    duration_s: Annotated[float | None, typer.Option("--for", min=0, help="End after so many seconds.")] = None,
) -> None:
    """Serve the duty room's console over what all communes sent up, until a signal says stop.

    At its first start it makes the account `admin` and shows its password, once. Nobody sees a commune
    that an administrator has not opened to him, on the page of his account.

    Exit code 0: ended as told; 1: the database cannot be used; 2: the file is wrong, or has no console.
    """
    needs_sqlalchemy()
    from station.province.serve import serve  # noqa: PLC0415
    from station.province.settings import load  # noqa: PLC0415

    settings = load(config)
    if settings.web is None:
        raise UsageError(tr("{file} has no console", file=config), tr("set web in it"))
    serve(settings, say_screen, duration_s)


@province.command("password")
@one_line_errors
def password_command(
    login: LoginWord,
    config: Annotated[Path, typer.Option("-c", "--config", help="The province's file.")] = DEFAULT,
) -> None:
    """Give an account of the province's console a new password, and show it, once.

    Exit code 0: given; 1: there is no such account, or the database cannot be used; 2: the file is wrong.
    """
    needs_sqlalchemy()
    from station.province.serve import accounts_of  # noqa: PLC0415
    from station.province.settings import load  # noqa: PLC0415

    with accounts_of(load(config)) as accounts:
        password = accounts.by(at_the_machine()).reset(login)
    show_password(login, password)


@province.command("check")
@one_line_errors
def check_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="The worker's file.")] = DEFAULT,
) -> None:
    """Judge the file; nothing else is looked at."""
    from station.province.settings import load  # noqa: PLC0415

    load(config)
    typer.echo(translated(tr("{file}: every value is right; nothing else was looked at", file=config)))


@province.command("example")
@one_line_errors
def example_command() -> None:
    """Print a file with every setting, its default and its meaning."""
    from station.describe import province_text  # noqa: PLC0415

    typer.echo(province_text(), nl=False)
