"""The station's commands, which `ngatu` gathers: `ngatu station` and all below it, and `ngatu watch`."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from functools import partial
from getpass import getuser
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agent import log
from agent.cli.exit import FAILED, STYLES, VERDICTS, ExitCode, one_line_errors
from agent.errors import ConfigError
from agent.language import translated
from agent.translatable import tr
from agent.wire.verbs import VERBS
from station.access.cli import account_app, say_screen
from station.audit.cli import audit_command
from station.backup.cli import (
    DEFAULT,
    StationFile,
    backup_command,
    needs_sqlalchemy,
    progress_bars,
    restore_command,
)
from station.footage.cli import clip_command, footage_key_command
from station.footage.keys_cli import keys_command
from station.footage.samples.cli import samples_command
from station.labels.cli import labels_command
from station.look.cli import look_command
from station.lookup.cli import events_command
from station.province.cli import province
from station.retention.cli import retention_command
from station.watch.cli import watch_command

station = typer.Typer()
commands = typer.Typer(no_args_is_help=True)
commands.add_typer(station, name="station")
commands.add_typer(province, name="province")
commands.command("watch")(watch_command)
commands.command("look")(look_command)
station.add_typer(account_app, name="account")
station.command("events")(events_command)
station.command("audit")(audit_command)
station.command("labels")(labels_command)
station.command("backup")(backup_command)
station.command("restore")(restore_command)
station.command("retention")(retention_command)
station.command("clip")(clip_command)
station.command("footage-key")(footage_key_command)
station.command("samples")(samples_command)
station.command("keys")(keys_command)


@station.callback(invoke_without_command=True)
@one_line_errors
def station_command(
    context: typer.Context,
    config: StationFile = DEFAULT,
    commune: Annotated[
        str | None, typer.Option(help="Without a file: whose boxes. The rest is as for a first try.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="With --commune: the broker; this machine.")] = None,
    port: Annotated[int | None, typer.Option(help="With --commune: its port; 1883.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="With --commune: where all is kept; ngatu-station, here.")
    ] = None,
    duration_s: Annotated[float | None, typer.Option("--for", min=0, help="End after so many seconds.")] = None,
    take_over: Annotated[
        bool, typer.Option("--take-over", help="Begin although another station speaks for the commune.")
    ] = False,
) -> None:
    """Take in what the boxes of the commune tell, until a signal says stop.

    What it keeps is receipted, and the boxes forget it. While another station speaks for the commune,
    it waits, says so, and gives no receipts.

    With --commune it needs no file: it writes a small one into the folder, for the other commands.

    Exit code 0: ended as told; 1: store or broker cannot be used; 2: the file is wrong.
    """
    if context.invoked_subcommand is not None:
        return
    needs_sqlalchemy()
    from station.config import load  # noqa: PLC0415 (`ngatu watch` needs none of SQLAlchemy)
    from station.service import run  # noqa: PLC0415
    from station.starter import FOLDER, starter_file  # noqa: PLC0415

    if commune is not None:
        if config != DEFAULT:
            raise ConfigError(
                tr("--commune: the commune is in {config} already", config=config),
                tr("name one of the two only"),
            )
        config = starter_file(folder or FOLDER, commune, host, port)
        made = load(config)
        said = tr(
            "commune {commune}, broker {where}, store in {folder}; -c {file}",
            commune=made.commune,
            where=made.broker.where,
            folder=made.state_dir,
            file=config,
        )
        typer.echo(translated(said), err=True)
    elif any(each is not None for each in (host, port, folder)):
        raise ConfigError(
            tr("--host, --port and --folder go only with --commune"),
            tr("change it in {config}, or name a commune", config=config),
        )
    run(load(config), duration_s, take_over=take_over, on_screen=say_screen)


@station.command("check")
@one_line_errors
def check_command(
    config: StationFile = DEFAULT,
    offline: Annotated[bool, typer.Option("--offline", help="Stop after judging the file.")] = False,
) -> None:
    """Judge the file, then look at the folder, the database and the broker; changes nothing.

    Exit code 0: all is well; 1: something cannot be reached or used; 2: the file is wrong.
    """
    needs_sqlalchemy()
    from station.check import doubtful, findings  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415

    if offline:
        load(config)
        typer.echo(translated(tr("{file}: every value is right; nothing else was looked at", file=config)))
        return
    table = Table(title=Text(str(config)), title_justify="left")
    for heading in (tr("part"), tr("found"), tr("verdict")):
        table.add_column(translated(heading))
    failed = False
    settings = load(config)
    for part, found, verdict in (*doubtful(config), *findings(settings)):
        table.add_row(Text(part), Text(translated(found)), Text(translated(VERDICTS[verdict]), STYLES[verdict]))
        failed = failed or verdict == "failed"
    Console(highlight=False, markup=False).print(table)
    if failed:
        raise typer.Exit(FAILED)


@station.command("stats")
@one_line_errors
def stats_command(
    config: StationFile = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="One object of JSON, for programs.")] = False,
) -> None:
    """Show what the store holds: messages, gaps, conflicts, sizes. The service may be at work."""
    needs_sqlalchemy()
    from station.config import load  # noqa: PLC0415
    from station.stats import collect  # noqa: PLC0415
    from station.stats_table import tables  # noqa: PLC0415
    from station.store.database import engine_of, url_of  # noqa: PLC0415

    settings = load(config)
    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)
    try:
        found = collect(engine, settings.state_dir)
    finally:
        engine.dispose()
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    console = Console(highlight=False, markup=False)
    for part in tables(found):
        console.print(part, soft_wrap=isinstance(part, Text))


@station.command("verify")
@one_line_errors
def verify_command(config: StationFile = DEFAULT) -> None:
    """Read the whole store, pictures included: name what was deleted or altered since it came.

    The audit logs of the boxes are held against their answers: a line that is missing, or was another when it
    came, is named. So is the log of the duty room's screen, against itself and its end in console.head.

    What no seal of its box lists yet, and what was deleted by its age as a record says, is told at the end;
    nothing is known against it.

    Exit code 0: all is as it came; 1: something is not, or the store cannot be read; 2: the file is wrong.
    """
    needs_sqlalchemy()
    from agent.wire.audit_log import AuditFault  # noqa: PLC0415
    from station.access.audit_log import AuditLog  # noqa: PLC0415
    from station.access.audit_proof import broken_line  # noqa: PLC0415
    from station.audit.box_logs import finding_line, logs  # noqa: PLC0415
    from station.audit.proof import (  # noqa: PLC0415
        DeletedByAge,
        StoreFinding,
        Unsealed,
        deleted_line,
        fault_lines,
        proof,
        unsealed_line,
    )
    from station.config import load  # noqa: PLC0415
    from station.store.blobs import BLOBS  # noqa: PLC0415
    from station.store.database import engine_of, url_of  # noqa: PLC0415

    settings = load(config)
    engine = engine_of(url_of(settings.database, settings.state_dir), writes=False)
    try:
        found = list(proof(engine, settings.state_dir / BLOBS))
        of_logs = [(each.box, one) for each in logs(engine) for one in each.findings]
        of_console = AuditLog(engine, settings.state_dir).verify().broken
    finally:
        engine.dispose()
    lines = fault_lines(each for each in found if isinstance(each, StoreFinding))
    lines += [finding_line(*each) for each in of_logs if each[1].fault is not AuditFault.ANEW]
    lines += [broken_line(of_console)] if of_console is not None else []
    for line in lines or [tr("everything is as it came")]:
        typer.echo(translated(line))
    for each in found:
        if isinstance(each, Unsealed):
            typer.echo(translated(unsealed_line(each)))
        elif isinstance(each, DeletedByAge):
            typer.echo(translated(deleted_line(each)))
    for box, one in of_logs:
        if one.fault is AuditFault.ANEW:
            typer.echo(translated(finding_line(box, one)))
    if lines:
        raise typer.Exit(FAILED)


@station.command("import")
@one_line_errors
def import_command(
    file: Annotated[Path, typer.Argument(help="The file that `ngatu watch --store` was told.")],
    config: StationFile = DEFAULT,
) -> None:
    """Take over what an earlier `ngatu watch --store` kept, for the boxes have forgotten it.

    Stop the service first. The file stays as it is, and a second time changes nothing.

    Exit code 0: all is in the store; 1: it is not, or some of it is not whole in the file; 2: the file of
    the configuration is wrong.
    """
    needs_sqlalchemy()
    from station.config import load  # noqa: PLC0415
    from station.takeover import take_over  # noqa: PLC0415

    settings = load(config)
    log.configure(settings.log.level, settings.log.format)
    with progress_bars() as tell:
        taken = take_over(settings, file, partial(tell, "messages"))
    typer.echo(
        translated(tr("{file}: {messages} messages are in the store", file=file, messages=taken.messages))
    )
    for each in taken.skipped:
        typer.echo(translated(tr("{each} is not whole in the file", each=each)), err=True)
    if taken.skipped:
        raise typer.Exit(FAILED)


@station.command("command")
@one_line_errors
def send_command(
    box: Annotated[str, typer.Argument(help="The box: the id in its topics.")],
    verb: Annotated[str, typer.Argument(help=", ".join(VERBS))],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="camera=north, action=pause, until=+2h."),
    ] = None,
    config: StationFile = DEFAULT,
    issuer: Annotated[str | None, typer.Option(help="Who orders it; without it, who is logged in.")] = None,
    life_s: Annotated[float, typer.Option("--life", min=1, max=604_800, help="Not to be done later.")] = 600.0,
    wait_s: Annotated[float, typer.Option("--wait", min=0, help="How long to wait for the answer.")] = 30.0,
    save: Annotated[Path | None, typer.Option(help="File for the picture of a snapshot.")] = None,
    key: Annotated[Path | None, typer.Option(help="The station's private key for commands; signs it.")] = None,
) -> None:
    """Give a box an order, and wait for its answer; of a snapshot also say where the station keeps it.

    Exit code 0: done; 1: refused, failed, or it did not go out; 2: no such order, or not with these arguments:
    nothing was sent; 3: no answer yet.
    """
    from agent.wire.signature import private_key  # noqa: PLC0415
    from station import command, command_words  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415
    from station.store.pictures.snapshot import KeptSnapshot  # noqa: PLC0415

    order = command_words.order(verb, words or [])
    if save is not None:
        command_words.may_save(save, order.verb)
    settings = load(config)
    topics = command_words.topics(settings.commune, box, settings.broker.root)
    own = settings.subscriber(receipts=False).model_copy(
        update={"client_id": f"ngatu-command-{uuid4().hex[:12]}"}
    )
    answered = command.send(
        own,
        topics,
        order.verb,
        order.args,
        issuer=issuer or getuser(),
        life_s=life_s,
        wait_s=wait_s,
        key=private_key(key) if key else None,
    )
    typer.echo(translated(command_words.shown(answered)))
    if sha256 := command_words.promised(answered):
        with closing(KeptSnapshot(settings, sha256)) as kept:
            said = command_words.picture_words(answered, sha256, kept.is_kept(), wait_s)
            typer.echo(translated(said))
            if save is not None:
                command_words.save(save, answered.picture, kept.read)
    if not answered.answers:
        raise typer.Exit(ExitCode.NOT_YET)
    if answered.answers[-1].state != "done":
        raise typer.Exit(ExitCode.FAILED)


@station.command("example")
@one_line_errors
def example_command() -> None:
    """Print a file with every setting, its default and its meaning."""
    from station.describe import example_text  # noqa: PLC0415

    typer.echo(example_text(), nl=False)
