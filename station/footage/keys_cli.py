"""`ngatu station keys`: by which keys packages of footage are verified, and which of a box's counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.cli.exit import one_line_errors
from agent.errors import NgatuError, UsageError
from agent.language import translated
from agent.translatable import tr
from station.backup.cli import DEFAULT, StationFile, needs_sqlalchemy

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from station.config import StationConfig
    from station.footage.box_keys import KnownKey

STATES = {True: tr("counts"), False: tr("does not count")}


@one_line_errors
def keys_command(
    box: Annotated[str | None, typer.Argument(help="Only of this box.")] = None,
    config: StationFile = DEFAULT,
    save: Annotated[
        Path | None,
        typer.Option(help="Folder for the keys that count, a file each: what `ngatu verify` needs."),
    ] = None,
    accept: Annotated[
        str | None, typer.Option(help="Judge BOX by the key whose fingerprint begins so, from now on.")
    ] = None,
) -> None:
    """Show by which key each box signs packages of footage, and the station's own for custody logs.

    The first key that a box told counts. Another one is an alarm until somebody who has been at the box accepts
    it: compare the fingerprint there, with `ngatu box-key`.

    Exit code 0: done; 1: the store or a file cannot be used; 2: there is no such box or key.
    """
    needs_sqlalchemy()
    from station.config import load  # noqa: PLC0415
    from station.footage.box_keys import accept_key, known_keys  # noqa: PLC0415

    settings = load(config)
    if accept is not None:
        if box is None:
            raise UsageError(tr("--accept: of which box?"), tr("ngatu station keys BOX --accept FINGERPRINT"))
        with _store(settings, writes=True) as connection:
            begins = accept.replace(" ", "").lower()
            known = accept_key(connection, settings.commune, box, begins, round(time.time() * 1000))
        if known is None:
            raise UsageError(
                tr("{box} has told no such key, or more than one", box=box),
                tr("`ngatu station keys {box}` shows them", box=box),
            )
    with _store(settings, writes=False) as connection:
        keys = known_keys(connection, settings.commune, box)
    if box is not None and not keys:
        raise UsageError(
            tr("{box} has told no key yet", box=box), tr("it tells one at its start, if it records")
        )
    _show(settings, keys)
    if save is not None:
        _save(settings, save, keys)


def _show(settings: StationConfig, keys: list[KnownKey]) -> None:
    from agent.evidence.package.manifest import fingerprint  # noqa: PLC0415
    from station.footage.custody import CustodyBook  # noqa: PLC0415

    table = Table()
    for heading in (tr("whose"), tr("fingerprint"), tr("first told"), tr("last told"), tr("counts?")):
        table.add_column(translated(heading), overflow="fold")
    own = fingerprint(CustodyBook(settings.state_dir).public())
    table.add_row(translated(tr("this station")), own, "", "", translated(STATES[True]))
    for each in keys:
        first, last = (
            f"{datetime.fromtimestamp(moment_ms / 1000).astimezone():%Y-%m-%d %H:%M}"
            for moment_ms in (each.first_ms, each.last_ms)
        )
        table.add_row(Text(each.device), each.sha256, first, last, translated(STATES[each.accepted]))
    Console(highlight=False, markup=False).print(table)


def _save(settings: StationConfig, folder: Path, keys: list[KnownKey]) -> None:
    from station.footage.custody import CustodyBook, pem  # noqa: PLC0415

    files = {f"{each.device}.pub": pem(each.key) for each in keys if each.accepted}
    files["station.pub"] = pem(CustodyBook(settings.state_dir).public())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
            typer.echo(str(folder / name))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise NgatuError(tr("{folder}: {reason}", folder=folder, reason=why)) from None


@contextmanager
def _store(settings: StationConfig, *, writes: bool) -> Iterator[Connection]:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from station.store.database import engine_of, in_words, url_of  # noqa: PLC0415

    engine = engine_of(url_of(settings.database, settings.state_dir), writes=writes)
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise in_words(error, engine.url) from error
    finally:
        engine.dispose()
