"""How a command ends: an error in one line on standard error, and an exit code out of one table for all."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import ParamSpec

import typer

from agent.errors import ConfigError, ModelError, NgatuError, UsageError
from agent.language import choose_by, translated
from agent.translatable import tr


class ExitCode(IntEnum):
    """What a command's end means, the same for every command; docs/reference/commands.md shows the table."""

    meaning: str

    def __new__(cls, number: int, meaning: str) -> ExitCode:
        """A number with its meaning."""
        member = int.__new__(cls, number)
        member._value_ = number
        member.meaning = meaning
        return member

    DONE = 0, "done, all is well, or ended as told: by a signal, by `--for`, or with the last file"
    FAILED = 1, "something cannot be reached, used or done, or what was looked at is not as it should be"
    WRONG = 2, "the words of the command, a file of settings or a model is wrong; nothing was done"
    NOT_YET = 3, "what was waited for has not come in time, and may come yet"
    UNDECIDED = 4, "`ngatu models judge`: neither better nor worse can be told from what it was given"
    BROKEN = 70, "a fault of ngatu: report it with the line that it says (EX_SOFTWARE of sysexits.h)"
    AGAIN = 75, "`ngatu run` as a service: the station ordered it to begin anew (EX_TEMPFAIL)"
    INTERRUPTED = 130, "Ctrl-C, where the command has no end of its own for it"


FAILED, WRONG, BROKEN = ExitCode.FAILED, ExitCode.WRONG, ExitCode.BROKEN
STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "broken": "bold magenta"}
"""How a table shows what was found: verdict -> style."""

VERDICTS = {"ok": tr("ok"), "warning": tr("warning"), "failed": tr("failed"), "broken": tr("broken")}
"""How a table names it: verdict -> word."""

P = ParamSpec("P")


def one_line_errors(command: Callable[P, None]) -> Callable[P, None]:
    """No traceback ever: errors become their text on stderr and an exit code.

    Before anything is said, the file of `--config` may choose the language.
    """

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        file = kwargs.get("config")
        choose_by(file if isinstance(file, Path) else None)
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except NgatuError as error:
            typer.echo(translated(error), err=True)
            raise typer.Exit(code_of(error)) from None
        except Exception as error:
            from agent.settings.quoting import redacted  # noqa: PLC0415 (pydantic: `ngatu --help` needs none of it)

            text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            broken = tr("ngatu is broken: {text}\n  hint: report this line with `ngatu version`", text=text)
            typer.echo(translated(redacted(broken)), err=True)
            raise typer.Exit(ExitCode.BROKEN) from None

    return wrapped


def code_of(error: NgatuError) -> ExitCode:
    """The code with which a command ends by this error."""
    return ExitCode.WRONG if isinstance(error, ConfigError | ModelError | UsageError) else ExitCode.FAILED
