"""`ngatu samples`: the frames that this box keeps for training a detector, looked through and taken away."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.config import DEFAULT, ConfigFile
from agent.cli.exit import FAILED, one_line_errors
from agent.cli.moments import FORMS, moment
from agent.errors import UsageError
from agent.language import translated
from agent.printable import printable
from agent.translatable import tr

if TYPE_CHECKING:
    from agent.tools.sample_export import Exported, LyingSample

samples_app = typer.Typer(help="Frames kept for training a detector: list, export.", no_args_is_help=True)

REASONS = {
    "missed_motion": tr("goes by, not found"),
    "wavering_label": tr("label wavers"),
    "middle_score": tr("not sure"),
    "rare_scene": tr("rare scene"),
}
"""Why a frame was kept: word -> as people are told."""

Since = Annotated[str | None, typer.Option(help=f"Only those taken since then, in local time: {FORMS}.")]


@samples_app.command("list")
@one_line_errors
def list_command(
    config: ConfigFile = DEFAULT,
    since: Since = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the frames that lie on this box, oldest first, and their room; the agent may be at work.

    Exit code 0: listed, also where there are none; 1: the folder cannot be read; 2: the configuration is wrong.
    """
    from rich.console import Console  # noqa: PLC0415 – like the others: `ngatu run` needs none of it
    from rich.table import Table  # noqa: PLC0415

    from agent.config.schema import load  # noqa: PLC0415
    from agent.evidence.samples.store import FOLDER  # noqa: PLC0415
    from agent.tools.sample_export import lying  # noqa: PLC0415

    settings = load(config)
    found = lying(settings.state_dir / FOLDER, _since_s(since))
    if as_json:
        for each in found:
            typer.echo(json.dumps({**asdict(each.name), "sealed": each.sealed}))
        return
    table = Table(box=None, pad_edge=False)
    for heading in (tr("TIME"), tr("CAMERA"), tr("WHY"), tr("WHERE"), tr("WORTH")):
        table.add_column(translated(heading), overflow="fold")
    for each in found:
        table.add_row(*_cells(each))
    if found:
        Console(highlight=False, markup=False).print(table)
    said = tr(
        "{frames} frames, {used_mb:.1f} of {most_mb} MB; kept {days:g} days",
        frames=len(found),
        used_mb=sum(_size(each) for each in found) / 1e6,
        most_mb=settings.samples.max_mb,
        days=settings.samples.max_days,
    )
    typer.echo(translated(said))
    if not settings.samples.enabled:
        typer.echo(translated(tr("none are kept now: samples.enabled is false")))


@samples_app.command("export")
@one_line_errors
def export_command(
    folder: Annotated[Path, typer.Argument(help="Folder to make, such as on a USB stick.")],
    config: ConfigFile = DEFAULT,
    since: Since = None,
    officer: Annotated[str | None, typer.Option(help="For whom, if not for you; for the audit log.")] = None,
) -> None:
    """Copy the frames into a folder: images/ and instances.json (COCO); the agent may be at work.

    The boxes in it are the detector's proposals, not labels. Where the box encrypts to its station's key, the
    frames are copied as they are, and `ngatu samples open` makes the data set where that key is. Who took them
    stands in the box's audit log; where that cannot be written, nothing leaves.

    Exit code 0: the folder is there; 1: there are no frames, some could not be read, or they cannot be written;
    2: a word of the command or the configuration is wrong.
    """
    from agent.config.schema import load  # noqa: PLC0415
    from agent.tools.sample_export import export  # noqa: PLC0415

    done = export(load(config), folder, _since_s(since), officer)
    _tell(folder, done)


@samples_app.command("open")
@one_line_errors
def open_command(
    sealed: Annotated[
        Path, typer.Argument(help="Folder that `ngatu samples export` or `ngatu station samples` made.")
    ],
    folder: Annotated[Path, typer.Argument(help="Folder to make, for the data set.")],
    key: Annotated[
        Path | None, typer.Option(help="File of the station's key for footage (AGE-SECRET-KEY-1…).")
    ] = None,
) -> None:
    """Make images/ and instances.json (COCO) of frames that a box gave away as they lay on it.

    Where they are encrypted, it takes the station's key.

    Exit code 0: the folder is there; 1: some could not be opened, or it cannot be written; 2: a word of the
    command is wrong.
    """
    from agent.tools.sample_export import opened  # noqa: PLC0415

    _tell(folder, opened(sealed, folder, None if key is None else _identity(key)))


def _tell(folder: Path, done: Exported) -> None:
    said = (
        tr(
            "{folder}: {frames} frames, encrypted; where the station's key is: ngatu samples open {folder} NEW "
            "--key FILE",
            folder=folder,
            frames=done.frames,
        )
        if done.sealed
        else tr(
            "{folder}: {frames} frames with what the detector proposes; the labels are yours to make",
            folder=folder,
            frames=done.frames,
        )
    )
    typer.echo(translated(said))
    for line in done.left_out:
        typer.echo(translated(tr("left out: {line}", line=printable(line))), err=True)
    if done.left_out:
        raise typer.Exit(FAILED)


def _since_s(said: str | None) -> float:
    return 0.0 if said is None else moment(said, datetime.now(UTC), "--since").timestamp()


def _cells(each: LyingSample) -> tuple[str, ...]:
    taken = f"{datetime.fromtimestamp(each.name.taken_ms / 1000).astimezone():%Y-%m-%d %H:%M:%S}"
    why = translated(REASONS.get(each.name.reason, each.name.reason))
    return taken, each.name.camera, why, each.name.place, f"{each.name.worth:.2f}"


def _size(each: LyingSample) -> int:
    try:
        return each.path.stat().st_size
    except OSError:  # it has gone meanwhile
        return 0


def _identity(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            lines = opened.read(4096).decode("ascii", "replace").splitlines()
    except OSError as error:
        raise UsageError(
            tr("--key: {file}: {reason}", file=file, reason=error.strerror or error),
            tr("name the station's identity file; see `ngatu station footage-key --help`"),
        ) from None
    found = next((line.strip() for line in lines if line.startswith("AGE-SECRET-KEY-")), None)
    if found is None:
        raise UsageError(
            tr("--key: {file}: there is no age identity in it", file=file),
            tr("a line of it begins with AGE-SECRET-KEY-1"),
        )
    return found
