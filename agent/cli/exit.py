"""How a command ends: an error in one line on standard error, and an exit code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import typer

from agent.errors import ConfigError, ModelError, NgatuError
from agent.language import choose_by, translated
from agent.translatable import tr

FAILED, WRONG, BROKEN = 1, 2, 70
"""Exit codes: something cannot be reached; configuration or model is wrong; a fault of ngatu (EX_SOFTWARE)."""
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
            raise typer.Exit(WRONG if isinstance(error, ConfigError | ModelError) else FAILED) from None
        except Exception as error:
            from agent.settings.diagnostics import redacted  # noqa: PLC0415 (pydantic: `ngatu --help` needs none of it)

            text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            broken = tr("ngatu is broken: {text}\n  hint: report this line with `ngatu version`", text=text)
            typer.echo(translated(redacted(broken)), err=True)
            raise typer.Exit(BROKEN) from None

    return wrapped
