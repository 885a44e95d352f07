"""`ngatu station labels`: what officers made of alerts, as a data set to train and judge a detector with."""

from __future__ import annotations

from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.exit import one_line_errors
from agent.cli.moments import FORMS, moment
from agent.errors import UsageError
from agent.language import translated
from agent.printable import printable
from agent.translatable import tr
from station.backup.cli import DEFAULT, StationFile, needs_sqlalchemy

if TYPE_CHECKING:
    from station.config import StationConfig
    from station.labels.export import LabelExport, LabelGrounds
    from station.labels.judged import LabelWish

MAX_WORDS = 300
"""Characters of a purpose, and of a legal basis."""


@one_line_errors
def labels_command(
    folder: Annotated[Path, typer.Argument(help="The folder to be made.")],
    purpose: Annotated[str, typer.Option(help="What for; it stands in the log and in the data set.")],
    legal_basis: Annotated[str, typer.Option(help="By what right; it stands there, too.")],
    config: StationFile = DEFAULT,
    since: Annotated[str, typer.Option(help=f"Events that began since then, in local time: {FORMS}.")] = "90d",
    until: Annotated[str, typer.Option(help="Until before when, said in the same way.")] = "now",
    box: Annotated[list[str] | None, typer.Option(help="Which boxes; repeatable. Without it: all.")] = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="Which cameras, NAME or BOX/NAME; repeatable. Without it: all.")
    ] = None,
    officer: Annotated[
        str | None, typer.Option(help="Who takes them away; without it, who is logged in.")
    ] = None,
) -> None:
    """Make a data set of the alerts that officers judged: what is there, and where nothing is.

    It is in COCO's format, with pictures of which one place was judged and the rest was not looked at:
    complete it with `ngatu models label`. The console's log has who took what, and what for. The service may
    be at work.

    Exit code 0: made; 1: nothing was judged, or it cannot be noted, read or written; 2: the file or an option
    is wrong.
    """
    needs_sqlalchemy()
    from station.config import load  # noqa: PLC0415
    from station.labels.export import LabelGrounds  # noqa: PLC0415
    from station.labels.judged import LabelWish  # noqa: PLC0415

    now = datetime.now(UTC)
    first, last = moment(since, now, "--since"), moment(until, now, "--until")
    if first >= last:
        raise UsageError(
            tr(
                "--until: {last:%Y-%m-%d %H:%M:%S} is not after {first:%Y-%m-%d %H:%M:%S}",
                last=last,
                first=first,
            ),
            tr("a time without a day is today's, and a day without a time is its beginning"),
        )
    since_ms, until_ms = (round(each.timestamp() * 1000) for each in (first, last))
    wish = LabelWish(since_ms, until_ms, tuple(box or ()), tuple(camera or ()))
    grounds = LabelGrounds(_said("--purpose", purpose), _said("--legal-basis", legal_basis))
    _tell(folder, _exported(load(config), wish, folder, grounds, officer or getuser()))


def _said(option: str, words: str) -> str:
    """In one line.

    Raises:
        UsageError: it says nothing, or too much.
    """
    said = " ".join(printable(words).split())
    if not 0 < len(said) <= MAX_WORDS:
        raise UsageError(
            tr("{option}: {length} characters", option=option, length=len(said)),
            tr("say it in 1 to {most} characters, as you would read it out", most=MAX_WORDS),
        )
    return said


def _exported(
    settings: StationConfig, wish: LabelWish, folder: Path, grounds: LabelGrounds, who: str
) -> LabelExport:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from station.access.audit_entry import AT_THE_MACHINE, Actor  # noqa: PLC0415
    from station.access.audit_log import AuditLog  # noqa: PLC0415
    from station.backup.folder import refuse_other_user  # noqa: PLC0415
    from station.labels.export import LabelSource  # noqa: PLC0415
    from station.store.blobs import BLOBS  # noqa: PLC0415
    from station.store.database import StoreError, current_version, engine_of, in_words, shown, url_of  # noqa: PLC0415

    url = url_of(settings.database, settings.state_dir)
    if url.drivername == "sqlite" and not Path(str(url.database)).exists():
        raise StoreError(
            tr("{url} is not there", url=shown(url)), tr("start the station once: it makes the store")
        )
    reads = engine_of(url, writes=False)
    try:
        with reads.connect() as connection, connection.begin():  # a store that is not there is not made
            current_version(connection)
        refuse_other_user(settings.state_dir)
        writes = engine_of(url)
        try:
            source = LabelSource(
                reads, AuditLog(writes, settings.state_dir), settings.state_dir.absolute() / BLOBS
            )
            return source.export(wish, folder, grounds, Actor("", who, "", AT_THE_MACHINE))
        finally:
            writes.dispose()
    except SQLAlchemyError as error:
        raise in_words(error, url) from error
    finally:
        reads.dispose()


def _tell(folder: Path, done: LabelExport) -> None:
    from station.labels.verdict import WHY_NOT  # noqa: PLC0415

    said = tr(
        "{folder}: {pictures} pictures, {there} road users with their label, {ruled_out} places without one; "
        "complete them with: ngatu models label {folder}",
        folder=folder,
        pictures=done.pictures,
        there=done.there,
        ruled_out=done.ruled_out,
    )
    typer.echo(translated(said))
    for why, number in sorted(done.left_out.items(), key=lambda each: -each[1]):
        typer.echo(translated(tr("left out {number}: {why}", number=number, why=WHY_NOT[why])), err=True)
