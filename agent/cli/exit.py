"""How a command ends: an error in one line on standard error, and an exit code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec

import typer

from agent.errors import ConfigError, ModelError, NgatuError

FAILED, WRONG, BROKEN = 1, 2, 70
"""Exit codes: something cannot be reached; configuration or model is wrong; a fault of ngatu (EX_SOFTWARE)."""
STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red", "broken": "bold magenta"}
"""How a table shows what was found: verdict -> style."""

P = ParamSpec("P")


def one_line_errors(command: Callable[P, None]) -> Callable[P, None]:
    """No traceback ever: errors become their text on stderr and an exit code."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter, BrokenPipeError):
            raise
        except NgatuError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(WRONG if isinstance(error, ConfigError | ModelError) else FAILED) from None
        except Exception as error:
            from agent.settings.diagnostics import redacted  # noqa: PLC0415 (pydantic: `ngatu --help` needs none of it)

            text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            typer.echo(
                redacted(f"ngatu is broken: {text}\n  hint: report this line with `ngatu version`"), err=True
            )
            raise typer.Exit(BROKEN) from None

    return wrapped
