"""`ngatu station retention`: what is kept how long, what would go, what is held, and what went and why."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent.cli.exit import one_line_errors
from agent.errors import UsageError
from agent.language import translated
from agent.translatable import tr
from station.backup.cli import DEFAULT, StationFile, needs_sqlalchemy

if TYPE_CHECKING:
    from station.config import StationConfig
    from station.retention.overview import RetentionOverview
    from station.retention.worker import RetentionResult


@one_line_errors
def retention_command(
    config: StationFile = DEFAULT,
    now: Annotated[bool, typer.Option("--now", help="Delete what is due, now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One object of JSON, for programs.")] = False,
) -> None:
    """Show how long what boxes told is kept, what would go now, what is held, and what was deleted and why.

    The service deletes what is due once an hour; --now does it at once, and the service may be at work.

    Exit code 0: done; 1: the store or a file of it cannot be used, or the clock may be wrong; 2: the file is
    wrong, or --now where nothing is ever to be deleted.
    """
    needs_sqlalchemy()
    from station.config import load  # noqa: PLC0415

    settings = load(config)
    result = _delete(settings) if now else None
    found = _found(settings)
    if as_json:
        typer.echo(json.dumps(_plain(settings, found, result), ensure_ascii=False))
        return
    if result is not None:
        _print_result(result)
    _print(settings, found)


def _found(settings: StationConfig) -> RetentionOverview:
    from station.retention.overview import overview  # noqa: PLC0415
    from station.store.database import engine_of, url_of  # noqa: PLC0415

    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)
    try:
        return overview(engine, settings.state_dir, settings.retention, round(time.time() * 1000), counted=True)
    finally:
        engine.dispose()


def _delete(settings: StationConfig) -> RetentionResult:
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from station.backup.folder import refuse_other_user  # noqa: PLC0415
    from station.retention.worker import RetentionRun  # noqa: PLC0415
    from station.store.database import current_version, engine_of, in_words, url_of  # noqa: PLC0415

    if settings.retention is None:
        raise UsageError(
            tr("retention is not set: nothing is ever deleted"), tr("set days under retention: first")
        )
    url = url_of(settings.database, settings.state_dir)
    refuse_other_user(settings.state_dir)
    reads = engine_of(url, writes=False)
    try:
        with reads.connect() as connection, connection.begin():
            current_version(connection)
    except SQLAlchemyError as error:
        raise in_words(error, url) from error
    finally:
        reads.dispose()

    def pause(seconds: float) -> bool:
        time.sleep(seconds)
        return False

    run = RetentionRun(url, settings.state_dir, pause=pause)
    try:
        return run.run(settings.retention)
    except OSError as error:
        raise in_words(error, url) from error
    finally:
        run.close()


def _print_result(result: RetentionResult) -> None:
    done = [
        tr(
            "{what}: {count} deleted, {mib:,.1f} MiB",
            what=kept.words,
            count=each.items,
            mib=each.size_bytes / 2**20,
        )
        for kept, each in result.taken.items()
        if each.items
    ]
    for line in done or [tr("nothing was due")]:
        typer.echo(translated(line))
    if result.left:
        typer.echo(translated(tr("a backup is being made: some files go at the next run")))


def _print(settings: StationConfig, found: RetentionOverview) -> None:
    console = Console(highlight=False, markup=False)
    if settings.retention is None:
        typer.echo(translated(tr("retention is not set: nothing is ever deleted")))
    kept = _table(tr("class"), tr("kept"), tr("oldest"), tr("due now"))
    for each in found.classes:
        days = tr("for ever") if each.days is None else tr("{n} days", n=each.days)
        oldest = "–" if each.oldest_ms is None else _day(each.oldest_ms)
        kept.add_row(*_cells(each.kept.words, days, oldest, each.due if each.days is not None else "–"))
    console.print(kept)
    held = _table(tr("held"), tr("how many"))
    for kind, count in found.held.items():
        if count:
            held.add_row(*_cells(kind.words, count))
    if held.row_count:
        console.print(held)
    went = _table(tr("day"), tr("what was deleted"), tr("how many"), tr("MiB"), tr("because older than"))
    for one in found.deleted:
        size = f"{one.size_bytes / 2**20:,.1f}"
        went.add_row(*_cells(f"{one.day:%d/%m/%Y}", one.words, one.items, size, tr("{n} days", n=one.days)))
    if went.row_count:
        console.print(went)
    else:
        typer.echo(translated(tr("nothing was deleted in the last three months")))


def _table(*headings: str) -> Table:
    made = Table()
    for each in headings:
        made.add_column(translated(each))
    return made


def _cells(*values: object) -> list[Text]:
    return [Text(translated(value) if isinstance(value, str) else str(value)) for value in values]


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000).astimezone():%d/%m/%Y}"


def _plain(settings: StationConfig, found: RetentionOverview, result: RetentionResult | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "set": settings.retention is not None,
        "classes": {
            str(each.kept): {
                "days": each.days,
                "oldest_ms": each.oldest_ms,
                "next_ms": each.next_ms,
                "due": each.due,
            }
            for each in found.classes
        },
        "held": {str(kind): count for kind, count in found.held.items()},
        "deleted": [
            {
                "day": each.day.isoformat(),
                "class": each.kept,
                "days": each.days,
                "count": each.items,
                "messages": each.messages,
                "bytes": each.size_bytes,
            }
            for each in found.deleted
        ],
    }
    if result is not None:
        now = {str(kept): each.items for kept, each in result.taken.items()}
        said["now"] = {"deleted": now, "left": result.left}
    return said
