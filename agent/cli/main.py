"""`ngatu`: the box's commands, and the way to those of the station and of the model tools.

`ngatu` gathers the commands of all packages through the entry-point group `ngatu.commands`, so that no package
imports another for a command. Only the cli modules print.
"""

from __future__ import annotations

from agent import log as _log  # noqa: F401 – before anything else brings structlog (log.py)

# isort: split
import platform
import sys
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from agent import __version__
from agent.cli.cameras import cameras_command
from agent.cli.config import ConfigFile, check_command, config_app
from agent.cli.exit import ExitCode, one_line_errors
from agent.cli.footage.box_key import box_key_command
from agent.cli.footage.clip import clip_command, meant
from agent.cli.footage.record import record_command
from agent.cli.outbox import outbox_app
from agent.cli.preview import preview_command
from agent.cli.privacy import audit_command, notice_command, wipe_command
from agent.cli.replay import replay_command
from agent.cli.samples import samples_app
from agent.cli.usage import HelpfulGroup
from agent.host import versions
from agent.language import translated
from agent.printable import printable

OWN = (
    "audit",
    "box-key",
    "cameras",
    "check",
    "clip",
    "config",
    "notice",
    "outbox",
    "preview",
    "record",
    "replay",
    "run",
    "samples",
    "version",
    "wipe",
)
"""The commands of this package."""
OF_STATION = ("look", "province", "station", "watch")
"""Those of the station's package, of which some are at work for years, as the box's are."""

commands = typer.Typer(no_args_is_help=True)
commands.command("audit")(audit_command)
commands.command("box-key")(box_key_command)
commands.command("cameras")(cameras_command)
commands.command("check")(check_command)
commands.command("notice")(notice_command)
commands.command("clip")(clip_command)
commands.command("preview")(preview_command)
commands.command("record")(record_command)
commands.command("replay")(replay_command)
commands.command("wipe")(wipe_command)
commands.add_typer(config_app, name="config")
commands.add_typer(outbox_app, name="outbox")
commands.add_typer(samples_app, name="samples")


@commands.command("run")
@one_line_errors
def run_command(
    config: ConfigFile = Path("/etc/ngatu/config.yaml"),
    duration_s: Annotated[float | None, typer.Option("--for", min=0, help="End after so many seconds.")] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what the cameras see, a line for each thing.")
    ] = False,
) -> None:
    """Watch the cameras and tell the station, until a signal says stop.

    With -v it says on standard error, every two seconds at most, what moves at each camera, who is followed and
    where, why the detector rests, and each event.

    Exit code 0: told to stop; 1: a part cannot be had; 2: the file or the model is wrong; 75: the station
    ordered a service to begin anew. Started by hand, it begins anew by itself.
    """
    # Here, because these import the cameras, numpy and ONNX Runtime, which `ngatu --help` needs none of.
    from agent.runtime.launch import run  # noqa: PLC0415

    if not verbose:
        code = run(config, duration_s)
    else:
        from agent.runtime.narrator import Narrator  # noqa: PLC0415

        narrator = Narrator(_say)
        try:
            code = run(config, duration_s, narrator.of)
        finally:
            narrator.close()
    if code:
        raise typer.Exit(code)


def _say(line: str) -> None:
    with suppress(OSError, ValueError):  # a reader that has gone away is no reason to stop watching
        typer.echo(translated(printable(line)), err=True)


@commands.command("version")
def version_command() -> None:
    """Print the versions of the agent and of what it stands on."""
    typer.echo(f"ngatu {__version__}")
    for name, number in versions.versions().items():
        typer.echo(f"{name} {number}")
    typer.echo(f"python {platform.python_version()} on {platform.machine()}")


def gathered(asked: str | None = None) -> typer.Typer:
    """Every package's commands under one name; only those of the package in which what is `asked` for is.

    So a box at work carries nothing of the station's and of the model tools, and a station nothing of those.
    """
    everything = typer.Typer(
        cls=HelpfulGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="ngatu: cameras at junctions, seen on the pole, told to the duty room.",
        context_settings={"help_option_names": ["-h", "--help"]},  # commands inherit it
    )
    everything.callback()(_version_option)
    alone = "agent" if asked in OWN else "station" if asked in OF_STATION else None
    for entry in sorted(entry_points(group="ngatu.commands"), key=lambda each: each.name):
        if alone in (None, entry.name):
            everything.add_typer(entry.load())
    return everything


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ngatu {__version__}")
        raise typer.Exit


def _version_option(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            callback=_tell_version,
            is_eager=True,
            help="Print the version; `ngatu version` tells what it stands on, too.",
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """The console command."""
    words = meant(sys.argv[1:])
    asked = next((word for word in words if not word.startswith("-")), None)
    try:
        everything = gathered("version" if words[:1] in (["-V"], ["--version"]) else asked)
    except KeyboardInterrupt:  # while the commands are loaded, a second or two on a slow computer
        sys.exit(ExitCode.INTERRUPTED)
    everything(words)
