"""`ngatu station samples`: its options, and how it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.cli.exit import FAILED, ExitCode, one_line_errors
from agent.cli.moments import FORMS, moment
from agent.errors import UsageError
from agent.language import translated
from agent.printable import printable
from agent.translatable import tr
from agent.wire.verbs import MOST_SAMPLES
from station.backup.cli import DEFAULT, StationFile, needs_sqlalchemy

if TYPE_CHECKING:
    from station.command import CommandReply
    from station.config import StationConfig
    from station.footage.ask import Sending
    from station.footage.samples.folder import SampleFolder

EXAMPLE = tr(
    'write: ngatu station samples hai-ninh-03 --since 7d --purpose "a better detector" --officer "Lê Văn A"'
)


@one_line_errors
def samples_command(
    box: Annotated[str | None, typer.Argument(help="The box: the id in its topics.")] = None,
    since: Annotated[
        str | None, typer.Option(help=f"Only frames taken since then, in local time: {FORMS}.")
    ] = None,
    most: Annotated[
        int, typer.Option(min=1, max=MOST_SAMPLES, help="So many at most: those that teach most.")
    ] = MOST_SAMPLES,
    purpose: Annotated[str | None, typer.Option(help="What for, in words.")] = None,
    officer: Annotated[str | None, typer.Option(help="Who orders.")] = None,
    config: StationFile = DEFAULT,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until they are here.")] = True,
    listed: Annotated[bool, typer.Option("--list", help="Show all orders, and how far each is.")] = False,
    again: Annotated[str | None, typer.Option("--request", help="Go on with an earlier order.")] = None,
    release: Annotated[
        str | None, typer.Option(help="End this order: what has not come stays on its box.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The station's private key for commands; signs it.")] = None,
    life_s: Annotated[float, typer.Option("--life", min=1, max=604_800, help="Not to be done later.")] = 600.0,
    answer_s: Annotated[float, typer.Option("--answer", min=0, help="How long to wait for the answer.")] = 30.0,
) -> None:
    """Have a box send the frames for training that it keeps, and wait until they are here.

    The box must allow it (samples.by_order), and sends them behind everything else, encrypted where it encrypts
    footage. `ngatu samples open` makes a data set of the folder. Ctrl-C only ends the waiting. Who ordered, and
    what for, stays in the box's audit log and in the folder.

    Exit code 0: the frames are here, or ordered with --no-wait; 1: refused, failed, some did not come, or their
    list is not signed by the box; 2: a word of the command is wrong, and nothing was sent; 3: no answer yet, or
    no longer waited for.
    """
    needs_sqlalchemy()
    from agent.wire.signature import private_key  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415
    from station.footage.ask import Sending  # noqa: PLC0415
    from station.footage.samples.ask import find_order  # noqa: PLC0415

    settings = load(config)
    if listed:
        _list(settings)
        return
    how = Sending(life_s, answer_s, private_key(key) if key is not None else None)
    if release is not None:
        _release(settings, release, how)
        return
    if again is not None:
        folder = find_order(settings, again)
    else:
        words = {"BOX": box, "--purpose": purpose, "--officer": officer}
        folder = _order(settings, words, since, most, how)
    if wait:
        _follow(folder, settings)


def _order(
    settings: StationConfig, words: dict[str, str | None], since: str | None, most: int, how: Sending
) -> SampleFolder:
    from station.footage.samples.ask import SamplesWanted, order  # noqa: PLC0415

    if lacking := [name for name, value in words.items() if not value]:
        raise UsageError(tr("these are missing: {names}", names=", ".join(lacking)), EXAMPLE)
    box, purpose, officer = (value or "" for value in words.values())
    first = None if since is None else moment(since, datetime.now(UTC), "--since")
    folder, answered = order(settings, SamplesWanted(box, purpose, officer, getuser(), first, most), how)
    _answer(answered)
    return folder


def _release(settings: StationConfig, order_id: str, how: Sending) -> None:
    from station.footage.ask import release  # noqa: PLC0415
    from station.footage.samples.ask import find_order  # noqa: PLC0415

    _answer(release(settings, find_order(settings, order_id), getuser(), how))


def _answer(answered: CommandReply) -> None:
    from station import command_words  # noqa: PLC0415

    typer.echo(translated(command_words.shown(answered)))
    if not answered.answers:
        raise typer.Exit(ExitCode.NOT_YET)
    if answered.answers[-1].state != "done":
        raise typer.Exit(FAILED)


def _follow(folder: SampleFolder, settings: StationConfig) -> None:
    from station.footage.identity import path_of  # noqa: PLC0415
    from station.footage.progress import shown_until_over  # noqa: PLC0415
    from station.footage.words import how_far, judged  # noqa: PLC0415

    state = shown_until_over(folder, f"ngatu station samples --request {folder.request.id}")
    verdict = judged(state)
    if verdict is None:
        typer.echo(how_far(state), err=True)
        raise typer.Exit(FAILED)
    typer.echo(translated(tr("{verdict}: {folder}", verdict=verdict, folder=folder.package)))
    if state.detail:
        typer.echo(translated(printable(state.detail)), err=True)
    key = f" --key {path_of(settings)}" if any(folder.package.glob("*.age")) else ""
    said = tr("the data set: ngatu samples open {folder} NEW{key}", folder=folder.package, key=key)
    typer.echo(translated(said))
    if state.verdict != "authentic":
        raise typer.Exit(FAILED)


def _list(settings: StationConfig) -> None:
    from station.footage.progress import shown_percent  # noqa: PLC0415
    from station.footage.samples.ask import orders  # noqa: PLC0415
    from station.footage.words import how_far  # noqa: PLC0415

    every = list(orders(settings).every())
    if not every:
        typer.echo(translated(tr("nothing was ordered yet")))
        return
    table = Table()
    for heading in (tr("order"), tr("box"), tr("when"), tr("officer"), tr("purpose"), tr("how far")):
        table.add_column(translated(heading), overflow="fold")
    for folder in every:
        request, state = folder.request, folder.state()
        at = f"{request.asked_at.astimezone():%Y-%m-%d %H:%M:%S}"
        cells = (
            request.id,
            request.device,
            at,
            request.officer,
            request.purpose,
            how_far(state, shown_percent(state)),
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console(highlight=False, markup=False).print(table)
