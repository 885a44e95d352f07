"""Ctrl-C in a command that works for minutes: whether it has written anything, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from agent.cli.exit import ExitCode

WRITTEN = ("*.bundle", "*.lock")


@contextmanager
def saying_what_is_written(what: str, folder: Path) -> Iterator[None]:
    """A block that puts `what` into the folder, whole, at its very end.

    Raises:
        typer.Exit: it was interrupted, and that was said.
    """
    before = _there(folder)
    try:
        yield
    except (typer.Abort, KeyboardInterrupt):
        # Two files get their names one after the other: who interrupts just then has one of them.
        new = sorted(name for name, state in _there(folder).items() if before.get(name) != state)
        done = f"{', '.join(new)} is new in {folder}" if new else "nothing was written"
        typer.echo(f"\nstopped before {what} was complete: {done}; run the same again", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def _there(folder: Path) -> dict[str, tuple[int, int]]:
    """Name of each file of that kind -> what is another when it is written anew."""
    states = [(path.name, path.stat()) for each in WRITTEN for path in folder.glob(each)]
    return {name: (state.st_ino, state.st_mtime_ns) for name, state in states}
