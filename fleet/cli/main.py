"""The controller's commands; `ngatu` gathers them."""

from __future__ import annotations

import typer

from fleet.cli.box import box_app
from fleet.cli.bundle import bundle_app
from fleet.cli.ca import ca_app
from fleet.cli.prepare import fleet_app

commands = typer.Typer(no_args_is_help=True)
commands.add_typer(bundle_app, name="bundle")
commands.add_typer(ca_app, name="ca")
commands.add_typer(box_app, name="box")
commands.add_typer(fleet_app, name="fleet")
