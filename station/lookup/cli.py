"""`ngatu station events`: its options, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console

from agent.cli.exit import one_line_errors
from agent.cli.moments import FORMS, moment, zone
from agent.core.types import Severity
from agent.errors import ConfigError
from agent.language import translated
from agent.printable import printable
from agent.translatable import tr
from station.backup.cli import DEFAULT, StationFile, needs_sqlalchemy
from station.picture_files import is_a_store

if TYPE_CHECKING:
    from station.lookup.output import Writer
    from station.lookup.query import FoundEvent

_THERE = 12
"""Words that are named instead of one that no event has."""


@one_line_errors
def events_command(
    config: StationFile = DEFAULT,
    since: Annotated[str, typer.Option(help=f"From when on, in local time: {FORMS}.")] = "24h",
    until: Annotated[str, typer.Option(help="Until before when, said in the same way.")] = "now",
    box: Annotated[list[str] | None, typer.Option(help="Which boxes; repeatable. Without it: all.")] = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="Which cameras, NAME or BOX/NAME; repeatable. Without it: all.")
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option(help="What happened, such as line_crossed; repeatable.")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="Who or what, such as motorcycle; repeatable.")
    ] = None,
    colour: Annotated[
        list[str] | None, typer.Option(help="Of the vehicle, such as red, or unknown; repeatable.")
    ] = None,
    clothes: Annotated[
        list[str] | None, typer.Option(help="The colour of what somebody wears, or unknown; repeatable.")
    ] = None,
    direction: Annotated[
        list[str] | None, typer.Option(help="As the rule names it, such as in; repeatable.")
    ] = None,
    rule: Annotated[list[str] | None, typer.Option(help="The rule's id; repeatable.")] = None,
    severity: Annotated[str | None, typer.Option(help="alert or info. Without it: both.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet: every column.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per event, for programs.")] = False,
    save: Annotated[
        Path | None, typer.Option(help="Folder to copy their pictures to, named by time, camera and kind.")
    ] = None,
    wide: Annotated[bool, typer.Option("--wide", help="Whole lines, whatever the terminal's width.")] = False,
) -> None:
    """Look up who and what was seen between two moments. The service may be at work.

    An event is one row, from its start to its end. One that went on at some moment of that time is found,
    also where it began before. Times are in this machine's local time.

    Exit code 0: also where nothing was found; 1: the store cannot be read; 2: the file or an option is wrong.
    """
    needs_sqlalchemy()
    from station.config import load  # noqa: PLC0415
    from station.lookup.pictures import PictureFolder  # noqa: PLC0415
    from station.lookup.query import found, number_of_unknown, strangers  # noqa: PLC0415
    from station.lookup.wanted import EventFilter  # noqa: PLC0415
    from station.store.blobs import BLOBS  # noqa: PLC0415
    from station.store.database import engine_of, url_of  # noqa: PLC0415
    from station.store.pictures.rows import KeptPictures  # noqa: PLC0415

    if save is not None and is_a_store(save):
        raise ConfigError(
            tr("--save: {save} belongs to a station's store", save=save), tr("name another folder")
        )
    if severity not in (None, *Severity):
        raise ConfigError(
            tr("--severity: {severity} is neither alert nor info", severity=repr(severity)),
            tr("name one of the two"),
        )
    if as_csv and as_json:
        raise ConfigError(tr("--csv and --json: only one of the two"), tr("leave one out"))
    now = datetime.now(UTC)
    first, last = _time(since, until, now)
    wanted = EventFilter(
        since=first,
        until=last,
        boxes=tuple(box or ()),
        cameras=tuple(camera or ()),
        kinds=tuple(kind or ()),
        labels=tuple(label or ()),
        vehicle_colours=tuple(colour or ()),
        clothes_colours=tuple(clothes or ()),
        directions=tuple(direction or ()),
        rules=tuple(rule or ()),
        severities=(severity,) if severity else (),
    )
    settings = load(config)
    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)
    rows = found(engine, wanted)
    kept = KeptPictures(engine, settings.state_dir / BLOBS)
    folder = PictureFolder(save, kept) if save is not None else None
    aside = sys.stderr if as_csv or as_json else sys.stdout
    span = tr(
        "from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}, local time: {zone}",
        first=first,
        last=last,
        zone=zone(first),
    )
    aside.write(translated(span) + "\n")
    try:
        if not _show(rows if folder is None else map(folder.copy, rows), _writer(as_csv, as_json, wide), aside):
            _tell_strangers(strangers(engine, wanted))
        if number := number_of_unknown(engine, wanted):
            words = tr("{number} more fit but for a colour that is not known: add unknown to it", number=number)
            typer.echo(translated(words), err=True)
        if folder is not None:
            missing = tr("; {number} are missing in the store", number=folder.missing) if folder.missing else ""
            copied = tr(
                "{number} pictures in {folder}{missing}", number=folder.copied, folder=save, missing=missing
            )
            aside.write(translated(copied) + "\n")
    except BrokenPipeError:  # as after `| head`: that is no failure
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more as it ends
    finally:
        engine.dispose()


def _time(since: str, until: str, now: datetime) -> tuple[datetime, datetime]:
    first, last = moment(since, now, "--since"), moment(until, now, "--until")
    if first > now:
        raise ConfigError(
            tr("--since: {first:%Y-%m-%d %H:%M:%S} is yet to come", first=first), tr("say yesterday, or a date")
        )
    if first >= last:
        what = tr(
            "--until: {last:%Y-%m-%d %H:%M:%S} is not after {first:%Y-%m-%d %H:%M:%S}", last=last, first=first
        )
        raise ConfigError(
            what, tr("a time without a day is today's, and a day without a time is its beginning")
        )
    return first, last


def _writer(as_csv: bool, as_json: bool, wide: bool) -> Writer:
    from station.lookup.output import CsvWriter, JsonWriter, TableWriter  # noqa: PLC0415

    if as_csv:
        return CsvWriter(sys.stdout)
    if as_json:
        return JsonWriter(sys.stdout)
    console = Console()
    coloured = console.is_terminal and not console.no_color
    return TableWriter(
        sys.stdout, console.width if console.is_terminal and not wide else None, coloured=coloured
    )


def _show(rows: Iterable[FoundEvent], writer: Writer, aside: TextIO) -> bool:
    """Write them, and say whether there was any; what is to be said beside them goes to `aside`."""
    from station.lookup.output import TableWriter  # noqa: PLC0415

    any_found = False
    for each in rows:
        any_found = True
        writer.write(each)
    writer.end()
    if any_found and isinstance(writer, TableWriter) and writer.left_out:
        words = tr("no room for: {columns}; --wide shows all", columns=", ".join(writer.left_out))
        aside.write(translated(words) + "\n")
    sys.stdout.flush()
    return any_found


def _tell_strangers(missing: Iterable[tuple[str, str, list[str]]]) -> None:
    for word, value, there in missing:
        words = ", ".join(there[:_THERE]) + (", …" if len(there) > _THERE else "")
        text = tr(
            "no event at all has the {option} {value}; there is: {words}",
            option=word,
            value=value,
            words=words or tr("nothing yet"),
        )
        typer.echo(translated(printable(text)), err=True)
