"""`ngatu station backup` and `ngatu station restore`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from agent.cli.exit import FAILED, one_line_errors
from agent.errors import NgatuError, UsageError, how_to_install
from agent.language import translated
from agent.translatable import tr

if TYPE_CHECKING:
    from station.backup.restore import Restored

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
    """Copy the store while the service works: the database whole, of pictures and footage only what is new.

    The station's keys (custody.key, footage.key) are not copied: keep copies of them elsewhere.

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
    if made.footage.packages:
        typer.echo(
            translated(
                tr(
                    "{packages} packages of footage, {fresh} of them new or changed ({fresh_bytes})",
                    packages=made.footage.packages,
                    fresh=made.footage.fresh,
                    fresh_bytes=_size(made.footage.fresh_bytes),
                )
            )
        )
    if made.footage.left:
        typer.echo(
            translated(
                tr(
                    "footage that went on meanwhile, for the next backup: {requests}",
                    requests=", ".join(made.footage.left),
                )
            ),
            err=True,
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
    """Bring a backup back into an empty place, with what its journal holds, and verify all of it, footage too.

    A restore that was cut off goes on when it is called again.

    Exit code 0: all is there as it came; 1: it is not, the text says what; 2: the file is wrong.
    """
    needs_sqlalchemy()
    from station.audit.proof import fault_lines  # noqa: PLC0415
    from station.backup.restore import restore  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415

    settings = load(config)
    with progress_bars() as progress:
        made = restore(settings, folder, progress, which)
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
    _tell_footage(made, settings.state_dir)
    for line in fault_lines(made.faults):
        typer.echo(translated(line))
    if made.faults or copied.missing or copied.altered or made.footage_altered or made.packages_missing:
        raise typer.Exit(FAILED)
    typer.echo(translated(tr("everything in it is as it came")))


def _tell_footage(made: Restored, state_dir: Path) -> None:
    from station.footage.custody import FILE  # noqa: PLC0415

    if made.footage.packages:
        typer.echo(translated(tr("{packages} packages of footage are back", packages=made.footage.packages)))
    if made.packages_missing:
        typer.echo(
            translated(
                tr("{packages} packages of footage are missing in the backup", packages=made.packages_missing)
            ),
            err=True,
        )
    if made.footage_altered:
        said = tr(
            "packages of footage that are not as they were judged: {requests}",
            requests=", ".join(made.footage_altered),
        )
        typer.echo(translated(said), err=True)
    if made.footage.packages and not (state_dir / FILE).exists():
        said = tr(
            "{path} is not there: put back your copies of custody.key and footage.key before the service "
            "starts; without them no custody log goes on, and no footage that boxes still keep can be read",
            path=state_dir / FILE,
        )
        typer.echo(translated(said), err=True)


def needs_sqlalchemy() -> None:
    """Say how to install what only the service needs.

    Raises:
        NgatuError: it is not here.
    """
    for package in ("alembic", "sqlalchemy"):
        if find_spec(package) is None:  # not imported for that: Alembic is of use for one start of many
            raise NgatuError(
                tr("the station needs the package {package}", package=package),
                how_to_install("station"),
            )


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
