"""`ngatu station clip` and `ngatu station footage-key`: their options, and how they end."""

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
from agent.cli.moments import FORMS, zone
from agent.language import translated
from agent.printable import printable
from agent.translatable import tr
from station.backup.cli import DEFAULT, StationFile, needs_sqlalchemy

if TYPE_CHECKING:
    from station.config import StationConfig
    from station.footage.ask import Sending
    from station.footage.folder import FootageState, RequestFolder
    from station.footage.wanted import ClipWanted


@one_line_errors
def clip_command(
    box: Annotated[str | None, typer.Argument(help="The box: the id in its topics.")] = None,
    camera: Annotated[str | None, typer.Argument(help="Its camera.")] = None,
    since: Annotated[str | None, typer.Option("--from", help=f"From when on, in local time: {FORMS}.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Until when, said in the same way.")] = None,
    case_number: Annotated[str | None, typer.Option("--case", help="The number of the case.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What for, in words.")] = None,
    officer: Annotated[str | None, typer.Option(help="Who asks.")] = None,
    config: StationFile = DEFAULT,
    save: Annotated[Path | None, typer.Option(help="File (ZIP) for the package, to be handed over.")] = None,
    hand_to: Annotated[
        str | None, typer.Option(help="With --save: who receives it; stands in its custody log.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is here and judged.")] = True,
    listed: Annotated[bool, typer.Option("--list", help="Show all requests, and how far each is.")] = False,
    again: Annotated[
        str | None, typer.Option("--request", help="Go on with an earlier request: wait for it, save it.")
    ] = None,
    release: Annotated[
        str | None, typer.Option(help="End the hold of this request at its box, and what is still to be sent.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="The station's private key for commands; signs it.")] = None,
    life_s: Annotated[float, typer.Option("--life", min=1, max=604_800, help="Not to be done later.")] = 600.0,
    answer_s: Annotated[float, typer.Option("--answer", min=0, help="How long to wait for the answer.")] = 30.0,
) -> None:
    """Ask a box for the footage of a camera, and wait until it is here and judged.

    The box holds the range at once and sends it behind everything else, as fast as its link allows: a minute
    may take ten. Ctrl-C only ends the waiting. Who asked, and why, stays in the box's audit log and in the
    package.

    Exit code 0: here, and authentic or authentic with missing, as its first line says, or asked for with
    --no-wait; 1: refused, failed, not signed, not authentic, or not judged;
    2: a word of the command is wrong, and nothing was sent; 3: no answer yet, or no longer waited for.
    """
    needs_sqlalchemy()
    from agent.wire.signature import private_key  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415
    from station.footage import ask  # noqa: PLC0415
    from station.footage.wanted import Given, clip_wanted  # noqa: PLC0415

    settings = load(config)
    if listed:
        _list(settings)
        return
    how = ask.Sending(life_s, answer_s, private_key(key) if key is not None else None)
    if release is not None:
        _release(settings, release, how)
        return
    if again is not None:
        folder = ask.find(settings, again)
    else:
        given = Given(box, camera, since, until, case_number, purpose, officer)
        folder = _ask(settings, clip_wanted(given, getuser(), datetime.now(UTC)), how)
    if wait:
        _follow(folder)
    if save is not None:
        from station.footage import save as handing_over  # noqa: PLC0415
        from station.footage.custody import CustodyBook  # noqa: PLC0415

        handing_over.save(folder, save, CustodyBook(settings.state_dir), getuser(), hand_to)
        typer.echo(translated(tr("to hand over: {file}", file=save)))
    state = folder.state()
    if wait and state.verdict not in ("authentic", "authentic with missing"):
        raise typer.Exit(FAILED)


@one_line_errors
def footage_key_command(config: StationFile = DEFAULT) -> None:
    """Print the recipient for the boxes' configurations; make the station's key first, if there is none.

    The key itself stays here, readable by the station alone, and is never printed. Keep a copy of the file in a
    safe place: without it nobody can read what the boxes record for it.
    """
    from station.config import load  # noqa: PLC0415
    from station.footage import identity  # noqa: PLC0415

    path = identity.path_of(load(config))
    recipient, made = identity.make(path)
    if made:
        said = tr("{path} is made: keep a copy of it where no thief finds it", path=path)
        typer.echo(translated(said), err=True)
    typer.echo(recipient)


def _ask(settings: StationConfig, wanted: ClipWanted, how: Sending) -> RequestFolder:
    from station import command_words  # noqa: PLC0415
    from station.footage import ask  # noqa: PLC0415

    folder, answered = ask.ask(settings, wanted, how)
    span = tr(
        "{box} {camera}, from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}, local time: {zone}",
        box=wanted.box,
        camera=wanted.camera,
        first=wanted.from_time,
        last=wanted.to_time,
        zone=zone(wanted.from_time),
    )
    typer.echo(translated(span))
    typer.echo(translated(command_words.shown(answered)))
    if not answered.answers:
        raise typer.Exit(ExitCode.NOT_YET)
    if answered.answers[-1].state != "done":
        raise typer.Exit(FAILED)
    return folder


def _release(settings: StationConfig, request_id: str, how: Sending) -> None:
    from station import command_words  # noqa: PLC0415
    from station.footage import ask  # noqa: PLC0415

    answered = ask.release(settings, ask.find(settings, request_id), getuser(), how)
    typer.echo(translated(command_words.shown(answered)))
    if not answered.answers:
        raise typer.Exit(ExitCode.NOT_YET)
    if answered.answers[-1].state != "done":
        raise typer.Exit(FAILED)


def _follow(folder: RequestFolder) -> None:
    """Show how far it is until it is here; then where, and what it is worth."""
    from station.footage.progress import shown_until_over  # noqa: PLC0415

    _tell_end(folder, shown_until_over(folder, f"ngatu clip --request {folder.request.id}"))


def _tell_end(folder: RequestFolder, state: FootageState) -> None:
    from station.footage.words import how_far, judged  # noqa: PLC0415

    verdict = judged(state)
    if verdict is None:
        typer.echo(how_far(state), err=True)
        return
    typer.echo(translated(tr("{verdict}: {folder}", verdict=verdict, folder=folder.package)))
    if state.detail:
        typer.echo(translated(printable(state.detail)), err=True)
    for path in sorted(folder.package.glob("*.mp4")):
        typer.echo(str(path))
    said = tr("the box holds the range until it is released: ngatu clip --release {id}", id=folder.request.id)
    typer.echo(translated(said), err=True)


def _list(settings: StationConfig) -> None:
    from station.footage import ask  # noqa: PLC0415
    from station.footage.progress import shown_percent  # noqa: PLC0415
    from station.footage.words import how_far  # noqa: PLC0415

    if next(ask.folders(settings).every(), None) is None:
        typer.echo(translated(tr("nothing was asked for yet")))
        return
    table = Table()
    for heading in (
        tr("request"),
        tr("box"),
        tr("camera"),
        tr("from"),
        tr("case"),
        tr("officer"),
        tr("how far"),
    ):
        table.add_column(translated(heading), overflow="fold")
    for folder in ask.folders(settings).every():
        request, state = folder.request, folder.state()
        local = request.from_time.astimezone()
        cells = (
            request.id,
            request.device,
            request.camera,
            f"{local:%Y-%m-%d %H:%M:%S}",
            request.case_number,
            request.officer,
            how_far(state, shown_percent(state)),
        )
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console(highlight=False, markup=False).print(table)
