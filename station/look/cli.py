"""`ngatu look`: its options, its progress, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from agent.cli.exit import ExitCode, one_line_errors
from agent.language import translated
from agent.translatable import tr
from agent.wire.payloads import AckBody
from agent.wire.verbs import LOOK_PER_S, LOOK_S, Verb
from station.backup.cli import DEFAULT, StationFile

BEGIN_S = 15.0
"""So long a box may take to begin; it is told not to begin later."""
LAST_WORD_S = 30.0
"""And to tell at the end what it has sent."""


@one_line_errors
def look_command(
    box: Annotated[str, typer.Argument(help="The box: the id in its topics.")],
    camera: Annotated[str, typer.Argument(help="Which of its cameras.")],
    *,
    officer: Annotated[str, typer.Option(help="Who looks; stands in the audit log of the box.")],
    purpose: Annotated[str, typer.Option(help="What for; stands there, too.")],
    seconds: Annotated[int, typer.Option(min=1, max=LOOK_S, help="How long.")] = 20,
    per_second: Annotated[
        float, typer.Option("--per-second", min=0.1, max=LOOK_PER_S, help="Pictures a second, at most.")
    ] = LOOK_PER_S,
    save: Annotated[
        Path | None, typer.Option(help="A new folder for the pictures; without it, one is made here.")
    ] = None,
    config: StationFile = DEFAULT,
    key: Annotated[Path | None, typer.Option(help="The station's private key for commands; signs it.")] = None,
) -> None:
    """See what a camera of a box sees now: small pictures, as they come, in a page of their own.

    Events go before them, so a slow link brings fewer. Nobody keeps them but the new folder. Each look stands
    in the audit log of the box, with who looked and what for. Ctrl-C ends it.

    Exit code 0: all pictures that the box sent are here; 1: the box refused, gave none, or some did not arrive;
    2: an option or the file is wrong; 3: no answer from the box.
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from agent.wire.signature import private_key  # noqa: PLC0415
    from station import command, command_words  # noqa: PLC0415
    from station.config import load  # noqa: PLC0415
    from station.look.folder import LookFacts, LookFolder, pictures_of  # noqa: PLC0415

    words = [f"camera={camera}", f"seconds={seconds}", f"per_second={per_second:g}"]
    order = command_words.order(Verb.LOOK, [*words, f"officer={officer}", f"purpose={purpose}"])
    settings = load(config)
    topics = command_words.topics(settings.commune, box, settings.broker.root)
    signs = private_key(key) if key else None
    path = save or Path(f"look-{box}-{camera}-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
    facts = LookFacts(settings.commune, box, camera, officer, purpose)
    folder = LookFolder(path, facts, gap_s=1 / per_second, most=pictures_of(seconds, per_second))
    page = folder.page.absolute().as_uri()
    typer.echo(translated(tr("open {page}: it shows the newest picture", page=page)), err=True)
    own = settings.subscriber(receipts=False).model_copy(update={"client_id": f"ngatu-look-{uuid4().hex[:12]}"})
    screen = Console(stderr=True, highlight=False)
    with screen.status(Text(translated(tr("waiting for box {box}", box=box)))) as status:

        def picture(data: bytes, user: Mapping[str, str]) -> None:
            folder.add(data, user)
            newest = folder.newest.shown if folder.newest else ""
            seen = tr("{count} pictures; the newest of {time}", count=len(folder.pictures), time=newest)
            status.update(Text(translated(seen)))  # what a box says is no markup

        with folder.only_if_used():
            answered = command.send(
                own,
                topics,
                order.verb,
                order.args,
                issuer=officer,
                life_s=BEGIN_S,
                wait_s=BEGIN_S + seconds + LAST_WORD_S,
                key=signs,
                onlooker=command.Onlooker(picture, lambda _answers: folder.turn()),
            )
    last = answered.answers[-1] if answered.answers else None
    complete = folder.end(last)
    if folder.pictures:
        typer.echo(translated(tr("{count} pictures: {page}", count=len(folder.pictures), page=page)))
    _tell(complete, last)


def _tell(complete: bool, last: AckBody | None) -> None:
    """What became of it.

    Raises:
        typer.Exit: there is no answer, or not all that was sent is here.
    """
    if last is None:
        hint = tr(
            "no answer from the box: is it online? `ngatu station stats` shows it; it begins no look later"
        )
        typer.echo(translated(hint), err=True)
        raise typer.Exit(ExitCode.NOT_YET)
    if last.detail:
        typer.echo(translated(tr("the box says: {detail}", detail=last.detail)), err=True)
    elif not complete:
        typer.echo(translated(tr("the box sent others, or more: look.json in the folder lists both")), err=True)
    if last.state != "done" or not complete:
        raise typer.Exit(ExitCode.FAILED)
