"""`ngatu`: the box's commands, and the way to those of the station and of the model tools.

`ngatu` gathers the commands of all packages through the entry-point group `ngatu.commands`, so that no package
imports another for a command. Only the cli modules print.
"""

from __future__ import annotations

from agent import log as _log  # noqa: F401 – before anything else brings structlog (log.py)

# isort: split
import platform
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from agent import __version__
from agent.cli.config import ConfigFile, check_command, config_app
from agent.cli.exit import one_line_errors
from agent.cli.outbox import outbox_app
from agent.cli.replay import replay_command
from agent.host import versions

OWN = ("check", "config", "outbox", "replay", "run", "version")
"""The commands of this package."""

commands = typer.Typer(no_args_is_help=True)
commands.command("check")(check_command)
commands.command("replay")(replay_command)
commands.add_typer(config_app, name="config")
commands.add_typer(outbox_app, name="outbox")


@commands.command("run")
@one_line_errors
def run_command(
    config: ConfigFile = Path("/etc/ngatu/config.yaml"),
    duration_s: Annotated[float | None, typer.Option("--for", min=0, help="End after so many seconds.")] = None,
) -> None:
    """Watch the cameras and tell the station, until a signal says stop.

    Exit code 0: told to stop; 1: a part cannot be had; 2: the file or the model is wrong; 75: the station
    ordered a service to begin anew. Started by hand, it begins anew by itself.
    """
    # Here, because these import the cameras, numpy and ONNX Runtime, which `ngatu --help` needs none of.
    from agent.runtime.launch import run  # noqa: PLC0415

    if code := run(config, duration_s):
        raise typer.Exit(code)


@commands.command("version")
def version_command() -> None:
    """Print the versions of the agent and of what it stands on."""
    typer.echo(f"ngatu {__version__}")
    for name, number in versions.versions().items():
        typer.echo(f"{name} {number}")
    typer.echo(f"python {platform.python_version()} on {platform.machine()}")


def gathered(asked: str | None = None) -> typer.Typer:
    """Every package's commands under one name; only the box's own where one of them is `asked` for.

    So a box at work carries nothing of the station's and of the model tools.
    """
    everything = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="ngatu: cameras at junctions, seen on the pole, told to the duty room.",
    )
    for entry in sorted(entry_points(group="ngatu.commands"), key=lambda each: each.name):
        if asked not in OWN or entry.name == "agent":
            everything.add_typer(entry.load())
    return everything


def main() -> None:
    """The console command."""
    gathered(next((word for word in sys.argv[1:] if not word.startswith("-")), None))()
