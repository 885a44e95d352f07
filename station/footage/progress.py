"""How far a request is, on a terminal, until it is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from agent.cli.exit import ExitCode
from agent.language import translated
from agent.translatable import tr

if TYPE_CHECKING:
    from station.footage.folder import FootageState, PackageFolder

NOBODY_LOOKS_S = 15.0
"""After so long without a word of the service it is asked whether it is at work."""


def shown_until_over(folder: PackageFolder, again: str) -> FootageState:
    """Show how far it is until it is here, or never will be; `again` is how to go on after Ctrl-C.

    Raises:
        typer.Exit: nobody waits any more.
    """
    from station.footage import ask  # noqa: PLC0415 – like the others: a command line needs none of it
    from station.footage.words import STAGES  # noqa: PLC0415

    began_s, asked_once = time.monotonic(), False
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    try:
        with Progress(*columns, console=console, transient=True) as bars:
            task = bars.add_task(translated(STAGES[folder.state().stage]), total=None)

            def tell(state: FootageState) -> None:
                words = translated(STAGES[state.stage])
                bars.update(task, description=words, completed=state.arrived_bytes, total=state.size_bytes)
                if not console.is_terminal:
                    console.print(Text(f"{words} {state.arrived_bytes}/{state.size_bytes or '?'}"))

            def turn(seconds: float) -> None:
                nonlocal asked_once
                time.sleep(seconds)
                silent = time.monotonic() - began_s > NOBODY_LOOKS_S and folder.state().changed_at is None
                if silent and not asked_once:
                    asked_once = True
                    console.print(
                        translated(tr("nothing has come yet: is `ngatu station` at work, on this machine?"))
                    )

            return ask.follow(folder, tell, turn)
    except KeyboardInterrupt:
        typer.echo(translated(tr("it goes on by itself: {again}", again=again)), err=True)
        raise typer.Exit(ExitCode.NOT_YET) from None


def shown_percent(state: FootageState) -> str:
    """How much of it is here, behind the words for its stage; empty: nobody knows yet."""
    return f" {100 * state.arrived_bytes // state.size_bytes} %" if state.size_bytes else ""
