"""`ngatu station audit`: who asked which box for what, and what left it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from agent.cli.audit_words import COLUMNS, cells, last_lines
from agent.cli.exit import FAILED, one_line_errors
from agent.cli.moments import FORMS, moment
from agent.language import translated
from agent.translatable import tr
from station.access.cli import show_console_log
from station.backup.cli import DEFAULT, StationFile, needs_sqlalchemy

if TYPE_CHECKING:
    from agent.wire.audit_log import AuditEntry
    from station.audit.box_logs import BoxLog


@one_line_errors
def audit_command(
    config: StationFile = DEFAULT,
    box: Annotated[list[str] | None, typer.Option(help="Which boxes; repeatable. Without it: all.")] = None,
    since: Annotated[str, typer.Option(help=f"From when on, in local time: {FORMS}.")] = "30d",
    every: Annotated[
        bool, typer.Option("--all", help="All orders, not only those by which pictures leave a box.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Each line as the box wrote it, for programs.")
    ] = False,
    console: Annotated[
        bool, typer.Option("--console", help="The log of the duty room's screen instead of the boxes'.")
    ] = False,
) -> None:
    """Show who looked at what, of which box, and what for: the audit logs as the boxes sent them.

    They are held against each other and against the answers: a line that is missing, one that was another when
    it came, and a log that began again are told.

    With --console: who did what at the duty room's screen, and whether each entry is as it was written.

    Exit code 0: nothing is missing or rewritten; 1: something is, or the store cannot be read; 2: the file or
    an option is wrong.
    """
    needs_sqlalchemy()
    from station.audit.box_logs import finding_line, logs  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415
    from station.store.database import engine_of, url_of  # noqa: PLC0415

    from_ = moment(since, datetime.now(UTC), "--since")
    settings = load(config)
    if console:
        show_console_log(settings, from_, as_json=as_json)
        return
    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)
    try:
        found = list(logs(engine, box or ()))
    finally:
        engine.dispose()
    shown = [(each, _since(last_lines(each.entries, every), from_)) for each in found]
    if as_json:
        for each, entries in shown:
            for entry in entries:
                typer.echo(json.dumps({"box": each.box, "line": json.loads(entry.text)}, ensure_ascii=False))
    else:
        _print(shown)
    lines = [finding_line(each.box, one) for each in found for one in each.findings]
    for line in lines:
        typer.echo(translated(line), err=True)
    if any(one.fault != "anew" for each in found for one in each.findings):
        raise typer.Exit(FAILED)


def _since(entries: Iterable[AuditEntry], from_: datetime) -> Iterator[AuditEntry]:
    """A time that cannot be read is shown: who hides behind one must not be left out."""
    for each in entries:
        try:
            at = datetime.fromisoformat(each.word("time")).astimezone()
        except (ValueError, OverflowError):
            yield each
            continue
        if at >= from_:
            yield each


def _print(shown: list[tuple[BoxLog, Iterator[AuditEntry]]]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in (tr("BOX"), *COLUMNS):
        table.add_column(translated(column), overflow="fold")
    for log, entries in shown:
        for each in entries:
            table.add_row(log.box.partition("/")[2], *map(translated, cells(each)))
    if table.row_count:
        Console(highlight=False, markup=False).print(table)
    else:
        typer.echo(translated(tr("nobody asked for anything in that time")))
