"""`ngatu station backup` and `ngatu station restore`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from agent.cli.exit import FAILED, one_line_errors
from agent.errors import NgatuError, UsageError
from agent.language import translated
from agent.translatable import tr

DEFAULT = Path("/etc/ngatu-station/station.yaml")
# Whoever reads the file says why it cannot be read, and what to do.
StationFile = Annotated[
    Path, typer.Option("--config", "-c", readable=False, help="The station's configuration file.")
]


@one_line_errors
def backup_command(
    folder: Annotated[
        Path | None, typer.Argument(help="The folder of the backup; without it, backup.folder of the file.")
    ] = None,
    config: StationFile = DEFAULT,
) -> None:
    """Copy the store into a folder while the service works: the database whole, of pictures only new ones.

    A backup that was cut off changes nothing of the one before, and what was copied is not copied again.

    Exit code 0: all is there; 1: it is not, or pictures are missing in the store; 2: the file is wrong.
    """
    needs_sqlalchemy()
    from station.backup.take import take  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415

    settings = load(config)
    place = folder or settings.backup.folder
    if place is None:
        raise UsageError(tr("there is no folder to write to"), tr("name one, or set backup.folder"))
    with progress_bars() as progress:
        made = take(settings, place, progress)
    manifest, copied = made.manifest, made.pictures
    typer.echo(
        translated(
            tr(
                "{place}/{database}: {database_bytes}; {pictures} pictures, {fresh} of them new "
                "({fresh_bytes})",
                place=place,
                database=manifest.database,
                database_bytes=_size(manifest.database_bytes),
                pictures=manifest.pictures,
                fresh=copied.fresh,
                fresh_bytes=_size(copied.fresh_bytes),
            )
        )
    )
    if made.is_beside:
        typer.echo(
            translated(
                tr(
                    "warning: {place}: it lies on the disk of the store, which takes both when it dies\n"
                    "  hint: name a folder on another disk",
                    place=place,
                )
            ),
            err=True,
        )
    if manifest.pictures_missing:
        typer.echo(
            translated(
                tr(
                    "{pictures} pictures are missing or altered in the store",
                    pictures=manifest.pictures_missing,
                )
            ),
            err=True,
        )
        raise typer.Exit(FAILED)


@one_line_errors
def restore_command(
    folder: Annotated[Path, typer.Argument(help="The folder of the backup.")],
    config: StationFile = DEFAULT,
    which: Annotated[
        str | None, typer.Option(help="An earlier one than the latest, such as 000001-20260302T110407Z.")
    ] = None,
) -> None:
    """Bring a backup back into an empty place, with what its journal holds, and verify all of it.

    A restore that was cut off goes on when it is called again.

    Exit code 0: all is there as it came; 1: it is not, the text says what; 2: the file is wrong.
    """
    needs_sqlalchemy()
    from station.audit.proof import fault_lines  # noqa: PLC0415
    from station.backup.restore import restore  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415

    with progress_bars() as progress:
        made = restore(load(config), folder, progress, which)
    copied = made.pictures
    typer.echo(
        translated(
            tr(
                "restored: the database of {made}, {pictures} pictures, {journal_messages} messages "
                "of the journal up to {until}",
                made=_moment(made.manifest.made_ms),
                pictures=copied.fresh + copied.there,
                journal_messages=made.journal_messages,
                until=_moment(made.until_ms),
            )
        )
    )
    for hole in made.holes:
        typer.echo(
            translated(
                tr(
                    "not covered: {hole}; what is missing the station tells as gaps when boxes say hello",
                    hole=hole,
                )
            ),
            err=True,
        )
    for names, what in (
        (copied.missing, tr("missing in the backup")),
        (copied.altered, tr("altered in the backup")),
    ):
        if names:
            typer.echo(
                translated(
                    tr(
                        "{count} pictures are {what}, such as {name}",
                        count=len(names),
                        what=what,
                        name=names[0],
                    )
                ),
                err=True,
            )
    for line in fault_lines(made.faults):
        typer.echo(translated(line))
    if made.faults or copied.missing or copied.altered:
        raise typer.Exit(FAILED)
    typer.echo(translated(tr("everything in it is as it came")))


def needs_sqlalchemy() -> None:
    """Say how to install what only the service needs.

    Raises:
        NgatuError: it is not here.
    """
    try:
        import alembic  # noqa: F401, PLC0415
        import sqlalchemy  # noqa: F401, PLC0415
    except ImportError as error:
        raise NgatuError(
            tr("the station needs the package {package}", package=error.name),
            tr("in the clone of ngatu: pip install '.[station]'"),
        ) from None


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Bars on a terminal; elsewhere nothing."""
    with Progress(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        yield tell


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone().isoformat(" ", "seconds")


def _size(size_bytes: int) -> str:
    return translated(tr("{mib:,.1f} MiB", mib=size_bytes / 2**20))
