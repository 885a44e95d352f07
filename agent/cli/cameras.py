"""`ngatu cameras`: which cameras there are, a picture of each, and what to write into the configuration."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.exit import FAILED, one_line_errors
from agent.errors import CameraError, NgatuError, UsageError
from agent.language import translated
from agent.translatable import tr

if TYPE_CHECKING:  # these bring the cameras and numpy, which `ngatu --help` needs none of
    from rich.console import Console

    from agent.cameras import CameraFacts
    from agent.tools.discovery.candidates import CameraLogin, Candidate

COLUMNS = 96
"""No picture in a terminal is wider: more cells say little more of a scene, and scroll it away."""
RECORDING = tr("to record, set record.mode to events and evidence.recipient to the station's key")
ASKING = tr("looking for cameras on the network, at the USB ports and on the ribbon cables")


@one_line_errors
def cameras_command(
    at: Annotated[
        list[str] | None,
        typer.Option(help="Ask this network camera, by its address; repeatable. Nothing else is looked for."),
    ] = None,
    username: Annotated[
        str | None, typer.Option(help="User of the cameras of --at. The password is asked for.")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(readable=False, help="A file with that password in its first line.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What the camera is to be called; several are NAME-1, NAME-2 …")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for a picture of each camera: NAME.png.")] = None,
    for_s: Annotated[float, typer.Option("--for", min=1, max=60, help="Seconds to wait for answers.")] = 4.0,
) -> None:
    """Find cameras, show a picture of each, and print the part `cameras` of a configuration, to be pasted.

    Network cameras are found by ONVIF, and name their streams when they are asked with a login, which goes to
    the addresses of --at alone. Nothing is written but the pictures of --out. What is to be pasted is on
    standard output, everything else on standard error.

    Exit code 0: a camera was found; 1: none, or one that gave no answer or no picture; 2: the words are wrong;
    70: a fault of ngatu.
    """
    from rich.console import Console  # noqa: PLC0415

    from agent.settings.dump import dumped  # noqa: PLC0415

    _judge(at, username, password_file, name, out)
    screen = Console(stderr=True, highlight=False, markup=False)
    failed: list[NgatuError] = []
    if at:
        found, waiting = _asked(at, name, _login(username, password_file), failed), 0
    else:
        found, waiting = _everything(name, for_s, screen)
    for each in found:
        try:
            _show(each, screen, out)
        except CameraError as error:  # one that is in use must not hide the others
            failed.append(error)
    if found:
        typer.echo(dumped({"cameras": [each.entry for each in found]}), nl=False)
        _say(screen, tr("paste what is above into the configuration, then: ngatu check"))
        if any(each.recorded for each in found):
            _say(screen, RECORDING)
        for each in found:
            if each.password_file:
                _say(screen, tr("and put the password into {file}", file=each.password_file))
    for trouble in failed:
        typer.echo(translated(trouble), err=True)
    if not found and not waiting and not failed:
        raise NgatuError(
            tr("no camera found"),
            tr("is ONVIF switched on in the camera, and is it in this network? else: --at ADDRESS"),
        )
    if failed:
        raise typer.Exit(FAILED)


def _judge(
    at: list[str] | None, username: str | None, password_file: Path | None, name: str | None, out: Path | None
) -> None:
    """Whether the words go together.

    Raises:
        UsageError: they do not.
    """
    if username is not None and not at:
        raise UsageError(
            tr("--username without --at: a login is sent to nobody who was not named"),
            tr("name the camera: ngatu cameras --at ADDRESS --username {name}", name=username),
        )
    if password_file is not None and username is None:
        raise UsageError(tr("--password-file without --username"), tr("say whose password it is"))
    if name is not None and not re.fullmatch(r"[a-z0-9-]{2,28}", name):
        raise UsageError(
            tr("--name: not a name for a camera: {name}", name=name), tr("2 to 28 of a-z, 0-9 and '-'")
        )
    if out is not None and not out.is_dir():
        raise UsageError(tr("{out}: no such folder", out=out), tr("make it first, or leave --out away"))


def _login(username: str | None, file: Path | None) -> CameraLogin | None:
    from agent.settings.access import unreadable  # noqa: PLC0415
    from agent.settings.base import SecretMissing  # noqa: PLC0415
    from agent.tools.discovery.candidates import CameraLogin  # noqa: PLC0415

    if username is None:
        return None
    if file is None and not sys.stdin.isatty():
        raise UsageError(
            tr("no terminal to ask for the password of {name}", name=username),
            tr("name a file with it: --password-file FILE"),
        )
    if file is None:
        asked = translated(tr("password of {name}", name=username))
        return CameraLogin(username, None, typer.prompt(asked, hide_input=True, err=True))
    try:
        return CameraLogin.read(username, file)
    except OSError as error:
        why, hint = unreadable(file, error)
        raise UsageError(tr("--password-file: {file}: {why}", file=file, why=why), hint) from None
    except SecretMissing as error:
        hint = tr("write the password into its first line")
        raise UsageError(tr("--password-file: {why}", why=error), hint) from None


def _asked(
    at: list[str], name: str | None, login: CameraLogin | None, failed: list[NgatuError]
) -> list[Candidate]:
    """The cameras that a person named, each asked for its streams."""
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.tools.discovery.candidates import names, network  # noqa: PLC0415
    from agent.tools.discovery.onvif import CameraAddress  # noqa: PLC0415

    found = []
    places = [CameraAddress.read(each) for each in at]
    for place, called in zip(places, names(name, len(places)), strict=True):
        try:
            found.append(network(called, place, login, SystemClock()))
        except CameraError as error:
            failed.append(error)
    return found


def _everything(name: str | None, for_s: float, screen: Console) -> tuple[list[Candidate], int]:
    """The cameras of this machine, and how many of the network were told of: these wait to be asked."""
    from agent.tools.discovery.candidates import local, names  # noqa: PLC0415
    from agent.tools.discovery.local_devices import csi_cameras, usb_cameras  # noqa: PLC0415
    from agent.tools.discovery.ws_discovery import discover  # noqa: PLC0415

    with screen.status(translated(ASKING)):
        answers = discover(for_s)
        here = [*usb_cameras(), *csi_cameras()]
    for answer in answers:
        _say(screen, tr("network camera {host} {about}", host=answer.host, about=answer.about))
        _say(screen, tr("  ask it: ngatu cameras --at {place} --username NAME", place=answer.place))
    return [local(called, each) for called, each in zip(names(name, len(here)), here, strict=True)], len(
        answers
    )


def _show(camera: Candidate, screen: Console, out: Path | None) -> None:
    """Say what the camera is, and show a picture of it.

    Raises:
        CameraError: it gives none.
        NgatuError: the picture cannot be written.
    """
    from agent.clock import SystemClock  # noqa: PLC0415
    from agent.tools.discovery.look import look, save  # noqa: PLC0415
    from agent.tools.discovery.terminal_picture import half_blocks  # noqa: PLC0415

    _say(screen, tr("{name}: {about}", name=camera.name, about=camera.about))
    with screen.status(translated(tr("opening camera {camera}", camera=camera.name))):
        seen = look(camera.name, camera.opened, SystemClock())
        best = look(camera.name, camera.recorded_opened, SystemClock()) if camera.recorded_opened else None
    _say(screen, tr("  to see with: {stream}", stream=_stream(seen.facts)))
    if best is not None:
        _say(screen, tr("  to record: {stream}", stream=_stream(best.facts)))
    if screen.is_terminal:
        screen.print(half_blocks(seen.image, min(COLUMNS, screen.width)))
    if out is not None:
        path = out / f"{camera.name}.png"
        save(seen.image, path)
        _say(screen, tr("  picture: {path}", path=path))


def _stream(facts: CameraFacts) -> str:
    """What a stream turned out to be."""
    return f"{facts.width_px}×{facts.height_px} {facts.codec}"


def _say(screen: Console, words: str) -> None:
    screen.print(translated(words), soft_wrap=True)
