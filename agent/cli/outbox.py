"""`ngatu outbox`: what waits for the station, and what could not be delivered. For a technician at the box.

Everything works while the agent runs and while it is stopped. status, list and export change nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.config import DEFAULT, ConfigFile
from agent.cli.exit import FAILED, one_line_errors
from agent.errors import OutboxError, UsageError

if TYPE_CHECKING:
    from agent.outbox.encryption import OutboxKey
    from agent.outbox.inspect import Status

outbox_app = typer.Typer(
    help="What waits for the station: status, list, export, quarantine.", no_args_is_help=True
)

File = Annotated[Path | None, typer.Option("--file", help="The outbox itself; else state_dir's outbox.db.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Seqs = Annotated[list[int] | None, typer.Argument(help="Numbers from `ngatu outbox list --quarantined`.")]
All = Annotated[bool, typer.Option("--all", help="All that are in quarantine.")]


def _place(config: Path, file: Path | None) -> Path:
    if file is not None:
        return file
    from agent.config.schema import load  # noqa: PLC0415 (imports the cameras, numpy and ONNX Runtime)

    return load(config).outbox_path


@outbox_app.command("status")
@one_line_errors
def status_command(config: ConfigFile = DEFAULT, file: File = None, as_json: Json = False) -> None:
    """Say what waits, what was lost, and how the file is."""
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.outbox import inspect  # noqa: PLC0415

    path = _place(config, file)
    status = inspect.status(path, SystemClock())
    if as_json:
        typer.echo(json.dumps(asdict(status), ensure_ascii=False, indent=2))
        return
    _print_status(path, status)


def _print_status(path: Path, status: Status) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from agent.outbox.inspect import Sum, age  # noqa: PLC0415

    table = Table(title=Text(str(path)), title_justify="left")
    table.add_column("class")
    for heading in ("waiting", "KiB", "lost"):
        table.add_column(heading, justify="right")
    for name in dict.fromkeys([*status.waiting, *status.dropped]):
        each, lost = status.waiting.get(name, Sum(0, 0)), status.dropped.get(name, 0)
        table.add_row(
            name.replace("_", " "), f"{each.messages:,}", f"{each.bytes / 1024:,.0f}",
            Text(f"{lost:,}", "bold red" if lost else ""),
        )  # fmt: skip
    console = Console(highlight=False, markup=False)
    console.print(table)
    facts = Table.grid(padding=(0, 2))
    quarantine = Text(f"{status.quarantined:,}", "yellow" if status.quarantined else "")
    for name, value in (
        ("agent", "at work" if status.at_work else "not running"),
        ("oldest", age(status.oldest_s)),
        ("quarantined", quarantine),
        ("newest seq", f"{status.newest_seq:,} of stream {status.stream}"),
        ("chain", f"{status.seals:,} seals, {status.unsealed:,} messages wait for one"),
        ("file", f"{status.file_bytes / 1024:,.0f} KiB, and {status.ballast_bytes / 1024:,.0f} KiB of ballast"),
        ("damaged files", Text(", ".join(status.damaged), "yellow") if status.damaged else "none"),
    ):
        facts.add_row(name, value)
    console.print(facts)


@outbox_app.command("list")
@one_line_errors
def list_command(
    config: ConfigFile = DEFAULT,
    file: File = None,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Those that could not be delivered.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="At most so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List messages by their number: those that wait, or those in quarantine with the reason."""
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.outbox import inspect  # noqa: PLC0415

    found = inspect.entries(_place(config, file), quarantined=quarantined, limit=limit)
    if as_json:
        for entry in found:
            typer.echo(json.dumps(asdict(entry), ensure_ascii=False))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table()
    for heading in ("seq", "class", "topic", "bytes", "age", *(("reason",) if quarantined else ())):
        table.add_column(
            heading, justify="right" if heading in ("seq", "bytes", "age") else "left", overflow="fold"
        )
    now_s = SystemClock().now().wall_s
    for each in found:
        cells = [
            str(each.seq), each.priority.replace("_", " "), each.topic, f"{each.bytes:,}",
            inspect.age(now_s - each.put_wall_s), *((each.reason or "",) if quarantined else ()),
        ]  # fmt: skip
        table.add_row(*map(Text, cells))
    console = Console(highlight=False, markup=False)
    console.print(table if found else Text("nothing"))


def _key(config: Path, file: Path | None) -> OutboxKey | None:
    """Of the configuration; without that, or where it cannot be had, what needs it is told about."""
    if file is not None:
        return None
    from agent.config.schema import load  # noqa: PLC0415
    from agent.outbox.encryption import read_key  # noqa: PLC0415

    secret = load(config).outbox.key
    try:
        return None if secret is None else read_key(secret)
    except OutboxError as error:
        typer.echo(f"{error.what}: {error.hint}", err=True)
        return None


@outbox_app.command("export")
@one_line_errors
def export_command(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder, on a stick for instance.")],
    config: ConfigFile = DEFAULT,
    file: File = None,
) -> None:
    """Copy all that waits, quarantined too: a file each, and messages.jsonl. The outbox keeps it."""
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.outbox import inspect  # noqa: PLC0415
    from agent.outbox.encryption import LOCKED  # noqa: PLC0415

    number, locked = inspect.export(_place(config, file), folder, SystemClock(), _key(config, file))
    typer.echo(f"{number - locked} messages copied to {folder}")
    if locked:
        typer.echo(f"{locked} pictures not copied: {LOCKED}", err=True)
        raise typer.Exit(FAILED)


@outbox_app.command("requeue")
@one_line_errors
def requeue_command(
    seqs: Seqs = None, everything: All = False, config: ConfigFile = DEFAULT, file: File = None
) -> None:
    """Let quarantined messages be sent again, once their reason is gone."""
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.outbox import inspect  # noqa: PLC0415

    number = inspect.requeue(_place(config, file), _chosen(seqs, everything), SystemClock())
    typer.echo(f"{number} messages wait to be sent again")


@outbox_app.command("drop")
@one_line_errors
def drop_command(
    seqs: Seqs = None,
    everything: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = DEFAULT,
    file: File = None,
) -> None:
    """Give quarantined messages up for good. They are counted as lost, and the station is told."""
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.outbox import inspect  # noqa: PLC0415

    chosen, path = _chosen(seqs, everything), _place(config, file)
    if not yes:
        typer.confirm(f"drop {'all' if chosen is None else len(chosen)} quarantined for good?", abort=True)
    typer.echo(f"{inspect.drop(path, chosen, SystemClock())} messages dropped")


def _chosen(seqs: list[int] | None, everything: bool) -> list[int] | None:
    """None: all of them."""
    if bool(seqs) == everything:
        raise UsageError("name the numbers, or say --all", "`ngatu outbox list` shows them")
    return None if everything else seqs
