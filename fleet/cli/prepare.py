"""`ngatu fleet`: the administrator's computer itself."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.exit import ExitCode, one_line_errors
from agent.errors import NgatuError
from fleet.cli.folder import named_folder

if TYPE_CHECKING:
    from fleet.prepare.answers import Answerer
    from fleet.prepare.questions import Question

fleet_app = typer.Typer(help="The administrator's computer.", no_args_is_help=True)


@fleet_app.command("init")
@one_line_errors
def init_command(
    folder: Annotated[
        Path,
        typer.Argument(help="Where it goes; made if it is not there.", parser=named_folder),
    ],
) -> None:
    """Write the playbooks, roles, units and an example of an inventory, for whoever has no checkout.

    What is there is never written over. Each version of ngatu needs a folder of its own; keys and inventory lie
    elsewhere, and serve the next version too.
    """
    from fleet.prepare.folder import DEPLOY, write  # noqa: PLC0415

    new = write(folder)
    typer.echo(f"{'made' if new else 'there already'}: {folder / DEPLOY}")
    typer.echo("\nNext, one after the other:\n")
    _say_environment()
    typer.echo(f"cd {shlex.quote(str(folder.absolute()))}")
    typer.echo("# keys, vault and inventory, from questions; it ends with the commands that come after it")
    typer.echo("ngatu fleet prepare")


def _say_environment() -> None:
    if sys.prefix != sys.base_prefix:
        typer.echo(f"# in each new terminal\n. {shlex.quote(sys.prefix)}/bin/activate")


@fleet_app.command("prepare")
@one_line_errors
def prepare_command(
    checkout: Annotated[
        Path,
        typer.Option(
            help="A checkout, or a folder of `ngatu fleet init`.", parser=named_folder, metavar="<path>"
        ),
    ] = Path(),
    province: Annotated[
        Path | None,
        typer.Option(
            help="Where keys, inventory and releases lie; if absent, ~/province.",
            parser=named_folder,
            metavar="<path>",
        ),
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(help="A file of answers, KEY: answer; if absent, you are asked.")
    ] = None,
) -> None:
    """Make this computer ready for the first commune: keys, vault and inventory, from questions.

    What is there is left alone, and it may be run again at any time.
    """
    from fleet.prepare.afterwards import commands  # noqa: PLC0415
    from fleet.prepare.answers import Noted, read  # noqa: PLC0415
    from fleet.prepare.controller import Controller, prepare  # noqa: PLC0415

    if answers is None and not sys.stdin.isatty():
        raise NgatuError("there is no terminal to ask at", "give the answers in a file: --answers FILE")
    source = Terminal() if answers is None else read(answers)
    folder = (province or Path.home() / "province").absolute()
    noted = Noted(folder / "answers.yml", source)
    here = Controller(checkout.absolute(), folder, Path.home(), noted, version("ngatu"), typer.echo)
    try:
        prepare(here, datetime.now(UTC))
    except (typer.Abort, KeyboardInterrupt):
        typer.echo(
            f"\nstopped; what was answered is in {noted.path}: run the same again, and it goes on", err=True
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    typer.echo("\nNext, one after the other:\n")
    _say_environment()
    for what, command in commands(here.checkout, folder, noted.words, here.version):
        typer.echo(f"# {what}\n{command}")


class Terminal:
    """Somebody who types."""

    def word(self, question: Question, guess: str, *, twice: bool) -> str:
        """What is typed; nothing typed is the guess."""
        default = guess if guess or question.may_be_empty else None
        typed: str = typer.prompt(
            question.ask, default=default, show_default=bool(guess), hide_input=question.secret,
            confirmation_prompt=question.secret and twice,
        )  # fmt: skip
        return typed.strip() if not question.secret else typed

    def refused(self, question: Question, why: NgatuError) -> None:
        """Show it; the question comes again."""
        typer.echo(f"  {why.what}\n  {why.hint}" if why.hint else f"  {why.what}")


if TYPE_CHECKING:
    _: Answerer = Terminal()
