"""`ngatu record`: a piece of a camera's video in a file."""

from __future__ import annotations

import signal
import threading
from hashlib import file_digest
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.config import DEFAULT, ConfigFile
from agent.cli.exit import FAILED, one_line_errors
from agent.language import translated
from agent.translatable import tr


@one_line_errors
def record_command(
    file: Annotated[
        Path, typer.Argument(help="The video file to make, .mp4 or .mkv; one that is there stays.")
    ],
    config: ConfigFile = DEFAULT,
    camera: Annotated[
        str | None, typer.Option(help="Which camera of the configuration; without it, the first.")
    ] = None,
    for_s: Annotated[float, typer.Option("--for", min=1, max=3600, help="How many seconds.")] = 60.0,
    officer: Annotated[str | None, typer.Option(help="For whom, if not for you; for the audit log.")] = None,
    purpose: Annotated[str | None, typer.Option(help="What for; for the audit log.")] = None,
) -> None:
    """Record a camera into a file, to try rules on it: `ngatu replay FILE -c CONFIG --overlay seen.mp4`.

    The video is copied as the camera sends it. Under privacy masks it is encoded again, and what they hide is
    black. Ctrl-C ends it sooner, and the file is whole. Only its owner may read it.

    On a box that works, who recorded and what for stands in its audit log; where that cannot be written,
    nothing is recorded.

    Exit code 0: the file is there; 1: the camera or the file failed, and what there is was told; 2: the
    configuration is wrong; 70: a fault of ngatu.
    """
    # Here, because these import the cameras and numpy, which `ngatu --help` needs none of.
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.commands import on_site  # noqa: PLC0415
    from agent.config.schema import load  # noqa: PLC0415
    from agent.tools.record import record  # noqa: PLC0415

    settings = load(config)
    chosen = settings.camera(camera) if camera is not None else settings.cameras[0]
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    screen = Console(stderr=True)
    with screen.status(Text(translated(tr("opening camera {camera}", camera=chosen.name)))) as status:

        def progress(seconds: float) -> bool:
            words = tr(
                "camera {camera}: {seconds:.0f} of {for_s:.0f} s",
                camera=chosen.name,
                seconds=seconds,
                for_s=for_s,
            )
            status.update(Text(translated(words)))
            return stop.is_set()

        asked = {"camera": chosen.name, "seconds": for_s, "file": str(file.absolute())}
        with on_site.noted(settings.state_dir, "record", asked, officer=officer, purpose=purpose) as left:
            done = record(chosen, SystemClock(), file, for_s, progress)
            left |= {"seconds": round(done.seconds, 1), "sha256": sha256_of(file)}
    typer.echo(
        translated(
            tr(
                "{file}: {seconds:.1f} s of camera {camera}, {how}",
                file=file,
                seconds=done.seconds,
                camera=chosen.name,
                how=done.how,
            )
        )
    )
    if done.why is not None:
        typer.echo(translated(tr("cut short: {why}", why=done.why)), err=True)
        raise typer.Exit(FAILED)


def sha256_of(file: Path) -> str:
    """Of its bytes, lower-case hex."""
    with file.open("rb") as video:
        return file_digest(video, "sha256").hexdigest()
