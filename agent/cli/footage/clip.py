"""`ngatu clip` on a box: footage cut out of the ring into a folder, without the network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.config import DEFAULT, ConfigFile
from agent.cli.exit import one_line_errors
from agent.cli.moments import FORMS, moment, zone
from agent.errors import UsageError
from agent.language import translated
from agent.printable import printable
from agent.translatable import tr

HERE = ("-o", "--output", "-h", "--help")
"""By these words the command is meant on this box; without them it asks one, and is the station's."""


def meant(words: Sequence[str]) -> list[str]:
    """The words of a command line, where `ngatu clip BOX CAMERA …` is `ngatu station clip BOX CAMERA …`."""
    here = any(word in HERE or word.startswith("--output=") for word in words)
    return list(words) if words[:1] != ["clip"] or here else ["station", *words]


@one_line_errors
def clip_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to make, such as on a USB stick.")],
    camera: Annotated[str, typer.Option(help="Which camera.")],
    since: Annotated[str, typer.Option("--from", help=f"From when on, in local time: {FORMS}.")],
    until: Annotated[str, typer.Option("--to", help="Until when, said in the same way.")],
    case_number: Annotated[str, typer.Option("--case", help="The number of the case.")],
    purpose: Annotated[str, typer.Option(help="What for, in words.")],
    officer: Annotated[str, typer.Option(help="Who asks.")],
    config: ConfigFile = DEFAULT,
) -> None:
    """Cut footage out of what this box keeps, into a folder; the agent may be at work.

    It is encrypted: only the station can play it, and `ngatu verify` says everywhere whether it is whole. Who
    asked, and why, stands in it, and in the box's audit log.

    At the station, `ngatu clip BOX CAMERA --from … --to …` asks a box for footage over the network:
    `ngatu station clip --help`.

    Exit code 0: the package is there, and what of the range is missing was told; 1: nothing of it is there, or
    it cannot be read or written; 2: a word of the command or the configuration is wrong.
    """
    from rich.console import Console  # noqa: PLC0415 – like the others: `ngatu run` needs none of it
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # noqa: PLC0415

    from agent.config.schema import load  # noqa: PLC0415
    from agent.tools.clip import Asked, cut  # noqa: PLC0415
    from agent.wire.payloads import rfc3339  # noqa: PLC0415
    from agent.wire.verbs import ClipArgs, Verb, understood  # noqa: PLC0415

    now = datetime.now(UTC)
    first, last = moment(since, now, "--from"), moment(until, now, "--to")
    words = {"case_number": case_number, "purpose": purpose, "officer": officer}
    given = {"camera": camera, "from": rfc3339(first), "to": rfc3339(last), **words}
    read = understood(Verb.CLIP, given)
    if not isinstance(read, ClipArgs):
        raise UsageError(str(read), tr("`ngatu clip --help` says what is asked for"))
    settings = load(config)
    asked = Asked(settings.camera(camera).name, first, last, read.case_number, read.purpose, read.officer)
    columns = TextColumn(translated(tr("written"))), BarColumn(), DownloadColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None)
        manifest = cut(
            settings, asked, output, lambda done, total: bars.update(task, completed=done, total=total)
        )
    said = tr(
        "{folder}: camera {camera}, from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S}, "
        "local time: {zone}",
        folder=output,
        camera=camera,
        first=first,
        last=last,
        zone=zone(first),
    )
    typer.echo(translated(said))
    for gap in manifest.gaps:
        lacking = tr(
            "nothing from {start:%H:%M:%S} to {end:%H:%M:%S}: {why}",
            start=gap.start.astimezone(),
            end=gap.end.astimezone(),
            why=printable(gap.why),
        )
        typer.echo(translated(lacking), err=True)
