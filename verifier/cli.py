"""`ngatu verify`, which `ngatu` gathers; `python -m verifier` does the same where only Python is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.exit import FAILED, one_line_errors

commands = typer.Typer()


@commands.command("verify")
@one_line_errors
def verify_command(
    package: Annotated[Path, typer.Argument(help="The package: a folder, or a ZIP file.")],
    key: Annotated[Path, typer.Option("--key", help="The box's public key, PEM.")],
    station: Annotated[
        Path | None, typer.Option("--station", help="The station's public key: judges custody.log, too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One object of JSON, for programs.")] = False,
) -> None:
    """Say whether a package of footage is what a box signed; works offline.

    It answers in ONVIF's words: authentic, authentic with missing, not signed, not authentic; and names each
    file and time range that is not as it was signed.

    Exit code 0: authentic; 1: anything else, or the package cannot be read; 2: a word of the command is wrong.
    """
    from verifier.run import run  # noqa: PLC0415 (`ngatu --help` needs no cryptography)

    if not run(package, key, station, as_json, typer.echo):
        raise typer.Exit(FAILED)
