"""The controller's commands; `ngatu` gathers them."""

from __future__ import annotations

import typer

from fleet.cli_bundle import bundle_app

commands = typer.Typer(no_args_is_help=True)
commands.add_typer(bundle_app, name="bundle")
