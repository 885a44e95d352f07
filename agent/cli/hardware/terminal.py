"""`ngatu check --hardware`: the walk over a board, on a terminal or without one."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import typer

from agent.cli.exit import FAILED, ExitCode
from agent.language import translated
from agent.translatable import tr

if TYPE_CHECKING:
    from agent.config.schema import Config

FOLDER = "hardware"


def walk_hardware(settings: Config, report: Path | None, again: bool) -> None:
    """Walk, print each item as it is found, save all of them, and end as they stand.

    Raises:
        typer.Exit: 1: an item failed; 3: something is left to be done.
        NgatuError: the checklist cannot be written.
    """
    from rich.console import Console  # noqa: PLC0415 – `ngatu --help` needs none of these
    from rich.text import Text  # noqa: PLC0415

    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.host import state_folder  # noqa: PLC0415
    from agent.tools.hardware import board, checklist  # noqa: PLC0415
    from agent.tools.hardware.walk import walk  # noqa: PLC0415
    from agent.wire.codec import moment  # noqa: PLC0415

    styles = {"ok": "green", "warning": "yellow", "failed": "bold red", "open": "cyan", "absent": "dim"}
    folder = report or settings.state_dir / FOLDER
    state_folder.require(folder)
    _made(folder)
    clock, console = SystemClock(), Console(highlight=False, markup=False)
    kept, seen = checklist.loaded(folder), list[str]()
    person = _Person() if sys.stdin.isatty() and sys.stdout.isatty() else None
    about = {"device": settings.device.id, "time": str(moment(clock.now())), **board.about()}
    heading = translated(tr("Checklist of this board"))
    console.print(heading)
    for finding in walk(settings, clock, kept, folder, person, again=again):
        kept.add(finding, clock.now())
        seen.append(finding.item)
        line = Text(f"{translated(checklist.MARKS[finding.state]):>9}  ", styles[finding.state.value])
        console.print(line.append(f"{translated(finding.title)}: {translated(finding.found)}", "default"))
        if finding.hint:
            console.print(Text(f"{'':11}{translated(finding.hint)}", "dim"))
        checklist.save(kept, folder, about, translated, heading)  # the power may go at the next item
    kept.keep_only(seen)
    files = checklist.save(kept, folder, about, translated, heading)
    _end(kept, files)


def _made(folder: Path) -> None:
    from agent.errors import NgatuError  # noqa: PLC0415

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NgatuError(
            tr("{folder}: the checklist cannot be written: {why}", folder=folder, why=error.strerror),
            tr("name another folder by --report"),
        ) from None


def _end(kept: object, files: tuple[Path, Path]) -> None:
    from agent.tools.hardware.checklist import Checklist, State  # noqa: PLC0415

    assert isinstance(kept, Checklist)
    failed, left = kept.count(State.FAILED), kept.count(State.OPEN)
    words = tr(
        "{ok} ok, {warnings} warnings, {failed} failed, {left} to do; saved as {json} and {text}",
        ok=kept.count(State.OK),
        warnings=kept.count(State.WARNING),
        failed=failed,
        left=left,
        json=files[0],
        text=files[1],
    )
    typer.echo(translated(words))
    if failed:
        raise typer.Exit(FAILED)
    if left:
        raise typer.Exit(ExitCode.NOT_YET)


class _Person:
    """Whoever sits at the terminal."""

    def asked(self, what: str, then: str) -> bool:
        """Ask; Enter means yes, s or Ctrl-D not now."""
        typer.echo(f"\n{translated(what)}")
        typer.echo(translated(tr("verified by itself: {then}", then=then)))
        try:
            return input(translated(tr("Enter: begin; s: not now "))).strip().lower() not in ("s", "n")
        except EOFError:
            return False

    def now(self) -> None:
        """Its pictures come: the moment for it."""
        typer.echo(translated(tr("its pictures come: do it now")))

    def waits(self, for_s: float) -> None:
        """Until the time is over, or the board is shut down in order, or Ctrl-C."""
        over: SimpleQueue[None] = SimpleQueue()  # unlike an Event it is made for handlers
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, lambda *_: over.put(None)) for number in numbers}
        typer.echo(translated(tr("waiting; Ctrl-C if the power stays")))
        try:
            with suppress(Empty):
                over.get(timeout=for_s)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
