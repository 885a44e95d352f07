"""`ngatu watch`: its options, and how it ends."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import structlog
import typer
from rich.console import Console

from agent.cli.exit import ExitCode, code_of, one_line_errors
from agent.cli.moments import zone
from agent.cli.options import pair_without_authority, settings_of, topic_root
from agent.errors import NgatuError
from agent.language import translated
from agent.settings.base import Secret
from agent.stop_signals import StopSignals
from agent.translatable import tr
from agent.transport.settings import TlsSettings
from station.ingest.subscriber import IngestCounters, Subscriber, SubscriberSettings
from station.picture_files import is_a_store
from station.watch.screen import JsonLines, Lines, LiveTable, Screen
from station.watch.watch import SeenEvents, Watch

OPTIONS = {"communes": "--commune", "devices": "--device", "host": "--host", "port": "--port", "root": "--root"}
"""By which option a setting is given."""


@one_line_errors
def watch_command(
    *,
    host: Annotated[str, typer.Option(help="The broker's name or address.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="Its port; 1883, or 8883 with TLS.")] = None,
    commune: Annotated[list[str] | None, typer.Option(help="Whose boxes; repeatable. Without it: all.")] = None,
    device: Annotated[list[str] | None, typer.Option(help="Which boxes; repeatable. Without it: all.")] = None,
    root: Annotated[str, typer.Option(help="First levels of all topics.", callback=topic_root)] = "ngatu/v1",
    tls_ca: Annotated[
        Path | None,
        typer.Option(help="The broker's certificate authority; turns TLS on.", exists=True, dir_okay=False),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(help="A certificate of the station's.", exists=True, dir_okay=False)
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="The key of the certificate.", exists=True, dir_okay=False)
    ] = None,
    username: Annotated[str | None, typer.Option(help="As the broker knows who looks.")] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="File with the password.", exists=True, dir_okay=False)
    ] = None,
    store: Annotated[Path | None, typer.Option(hidden=True)] = None,
    save: Annotated[Path | None, typer.Option(help="Folder for the pictures.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One line of JSON per event, for pipes.")] = False,
    for_s: Annotated[float | None, typer.Option("--for", min=0, help="End after so many seconds.")] = None,
    until_events: Annotated[int | None, typer.Option(min=1, help="End after so many events.")] = None,
) -> None:
    """Show events as they arrive: look on beside the station, and leave no trace at the broker.

    Receipts are given by the station alone (`ngatu station`): until it has a message, the box keeps it.

    Exit code 1: the broker refused or was never reached, or a picture could not be saved; 3: --for ended before
    --until-events.
    """
    _log_to_stderr()
    if store is not None:
        no_station = tr(
            "`ngatu watch` only looks, and keeps nothing. The station is `ngatu station --commune {commune}`; "
            "`ngatu station import FILE` takes over what `watch --store` kept.",
            commune=(commune or ["NAME"])[0],
        )
        raise typer.BadParameter(translated(no_station), param_hint="--store")
    if save is not None and is_a_store(save):
        raise typer.BadParameter(
            translated(tr("{save} belongs to a station's store: name another folder", save=save)),
            param_hint="--save",
        )
    pair_without_authority(tls_ca, cert, key, "--tls-ca")
    settings = settings_of(
        SubscriberSettings,
        OPTIONS,
        host=host,
        port=(8883 if tls_ca else 1883) if port is None else port,
        tls=TlsSettings(ca=tls_ca, cert=cert, key=key) if tls_ca else None,
        username=username,
        password=Secret(file=password_file) if password_file else None,
        root=root,
        communes=tuple(commune or ()),
        devices=tuple(device or ()),
        client_id=f"ngatu-watch-{uuid4().hex[:12]}",
    )
    raise typer.Exit(_watch(settings, save=save, json=json, for_s=for_s, until_events=until_events))


def _watch(
    settings: SubscriberSettings,
    *,
    save: Path | None,
    json: bool,
    for_s: float | None,
    until_events: int | None,
) -> int:
    """Watch until the end, sum up, and give the exit code."""
    # Whole lines, whatever their length and brackets: paths and addresses are copied out of them.
    talk = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        handler = Watch(save)
        subscriber = Subscriber(settings, handler)
        StopSignals(subscriber.stop)
        words = tr(
            "looking on; what comes is kept by the station, `ngatu station`; local time: {zone}",
            zone=zone(datetime.now(UTC)),
        )
        talk.print(translated(words))
        with _screen(json, subscriber, f"{settings.host}:{settings.port}") as screen:
            handler.begin(screen, subscriber.stop, until_events)
            subscriber.run(for_s)
    except NgatuError as error:
        talk.print(translated(error), style="red")
        return code_of(error)
    if not subscriber.counters.connects:
        talk.print(
            translated(tr("never connected: {trouble}", trouble=subscriber.trouble or tr("ended too early"))),
            style="red",
        )
        return ExitCode.FAILED
    talk.print(translated(_summary(handler.seen, subscriber.counters)))
    if handler.seen.unsaved:
        return ExitCode.FAILED
    return ExitCode.NOT_YET if until_events is not None and handler.seen.events < until_events else 0


def _screen(json: bool, subscriber: Subscriber, where: str) -> Screen:
    if json:
        return JsonLines(sys.stdout)
    console = Console()
    return LiveTable(console, subscriber, where) if console.is_terminal else Lines(sys.stdout)


def _summary(seen: SeenEvents, counters: IngestCounters) -> str:
    unsaved = tr(" ({number} not saved)", number=seen.unsaved) if seen.unsaved else ""
    return tr(
        "{events} events ({alerts} alerts, {open} still open), {pictures} pictures{unsaved}, "
        "{duplicates} repeated, {problems} unreadable",
        events=seen.events,
        alerts=seen.alerts,
        open=seen.open,
        pictures=seen.pictures,
        unsaved=unsaved,
        duplicates=counters.duplicates,
        problems=seen.problems,
    )


def _log_to_stderr() -> None:
    """Standard output belongs to the events."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper("iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
