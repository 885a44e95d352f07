"""`ngatu preview`: a picture of each camera with a grid, for whoever writes zones and lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.config import DEFAULT, ConfigFile
from agent.cli.exit import one_line_errors
from agent.errors import NgatuError


@one_line_errors
def preview_command(
    config: ConfigFile = DEFAULT,
    camera: Annotated[
        list[str] | None, typer.Option(help="Which cameras of the configuration; repeatable. Without it: all.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="For one camera the picture's file; else a folder, here without it. NAME.jpg each."),
    ] = None,
) -> None:
    """Take one picture of each camera, and draw a grid of fractions and the file's zones, lines and masks in.

    What a privacy mask hides is black in it.

    Exit code 0: all are written; 1: a camera gave none, or a file cannot be written; 2: the configuration is
    wrong; 70: a fault of ngatu.
    """
    # Here, because these import the cameras and numpy, which `ngatu --help` needs none of.
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.config.schema import load  # noqa: PLC0415
    from agent.tools.preview import preview, save  # noqa: PLC0415

    settings = load(config)
    cameras = [settings.camera(name) for name in camera] if camera else list(settings.cameras)
    out = out or Path()
    if len(cameras) > 1 and not out.is_dir():
        raise NgatuError(f"{out}: no such folder", "for several cameras --out is a folder that is there")
    failed: list[NgatuError] = []
    for each in cameras:
        path = out / f"{each.name}.jpg" if out.is_dir() else out
        try:
            image, size = preview(each, SystemClock())
            save(image, path)
        except NgatuError as error:  # one camera that is off must not hide the others
            failed.append(error)
            continue
        typer.echo(
            f"{path}: camera {each.name} gives {size.width_px}×{size.height_px} pixels; "
            f"read corners off the grid, or divide: [x / {size.width_px}, y / {size.height_px}]"
        )
    if failed:
        raise NgatuError("\n".join(map(str, failed)))
