"""`ngatu bundle`: make and check releases for boxes without internet."""

from __future__ import annotations

import platform
import re
import warnings
from getpass import GetPassWarning
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from agent.cli.exit import one_line_errors
from agent.errors import NgatuError, UsageError
from fleet.cli.folder import named_folder
from fleet.cli.stopped import saying_what_is_written

bundle_app = typer.Typer(
    help="Releases for boxes without internet: one signed file each.", no_args_is_help=True
)

SERVERS_WHEEL = re.compile(r"onnxruntime_gpu-.*-manylinux\w*_aarch64\.whl")
"""NVIDIA's own for a Jetson have the tag linux_aarch64."""
Passphrase = Annotated[
    Path | None, typer.Option(help="File whose first line is the passphrase; if absent, it is asked for.")
]
Source = Annotated[
    Path,
    typer.Option(help="A checkout, or a folder of `ngatu fleet init`.", parser=named_folder, metavar="<path>"),
]


def passphrase(file: Path | None, *, twice: bool = False) -> str:
    """From a file or from the terminal, never from the command line, where everybody sees it.

    Raises:
        NgatuError: the file cannot be read, or its first line is empty; or there is no terminal to ask at.
    """
    if file is None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)  # it would go on, and show what is typed
            try:
                return str(typer.prompt("Passphrase of the key", hide_input=True, confirmation_prompt=twice))
            except GetPassWarning:
                what = "there is no terminal to ask for the passphrase at"
                raise NgatuError(what, "give a file: --passphrase-file FILE") from None
    try:
        first = file.read_text(encoding="utf-8-sig").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise NgatuError(f"{file}: no passphrase can be read: {why}", "its first line must be it") from None
    if not first:
        raise NgatuError(f"{file}: no passphrase can be read: it begins empty", "its first line must be it")
    return first


@bundle_app.command("key")
@one_line_errors
def key_command(
    file: Annotated[Path, typer.Argument(help="Where the key goes; its public half goes beside it, as .pub.")],
    passphrase_file: Passphrase = None,
) -> None:
    """Make the key that signs releases. Only this computer has it; the boxes get the public half."""
    from fleet.bundle.release_key import make  # noqa: PLC0415

    public = make(file, passphrase(passphrase_file, twice=True))
    typer.echo(f"{file}: keep it, and a copy elsewhere, under lock\n{public}: for the boxes")


@bundle_app.command("build")
@one_line_errors
def build_command(
    key: Annotated[Path, typer.Option(help="The key that signs.")],
    board: Annotated[
        str | None, typer.Option(help="A board whose lock is in the source, such as pi-bookworm: by that lock.")
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help="The boards': aarch64 or x86_64; if absent, aarch64.")
    ] = None,
    python: Annotated[
        str | None, typer.Option(help="The boards' Python: 3.11 on Debian 12, 3.13 on 13; if absent, 3.11.")
    ] = None,
    glibc: Annotated[
        str | None, typer.Option(help="The boards' C library, such as 2.36; the oldest; if absent, 2.35.")
    ] = None,
    model: Annotated[list[Path] | None, typer.Option(help="An .onnx file; repeatable.")] = None,
    extra: Annotated[list[str] | None, typer.Option(help="Of ngatu: station; repeatable.")] = None,
    instead: Annotated[
        list[str] | None, typer.Option(help="PACKAGE=FILE.whl, to take in its place; repeatable.")
    ] = None,
    also: Annotated[
        list[Path] | None, typer.Option(help="A wheel that goes along, such as a plug-in; repeatable.")
    ] = None,
    wheel: Annotated[
        Path | None, typer.Option(help="ngatu's own; if absent, built, or as installed here.")
    ] = None,
    lock: Annotated[
        Path | None, typer.Option(help="The .lock of an earlier bundle: the same wheels again, to the byte.")
    ] = None,
    floor: Annotated[
        str | None, typer.Option(help="Boxes with this release take nothing older; if absent, than itself.")
    ] = None,
    system_site: Annotated[
        bool, typer.Option("--system-site", help="Let it use the system's packages (picamera2).")
    ] = False,
    source: Source = Path(),
    out: Annotated[
        Path, typer.Option(help="Folder to write to.", parser=named_folder, metavar="<path>")
    ] = Path("build/bundles"),
    passphrase_file: Passphrase = None,
) -> None:
    """Gather wheels, models, the unit and the installer for one kind of board, and sign them."""
    from fleet.bundle.boards import board_of, known, lock_of  # noqa: PLC0415
    from fleet.bundle.build import Recipe, build  # noqa: PLC0415
    from fleet.bundle.licences import FILE as LICENCES  # noqa: PLC0415
    from fleet.bundle.release_key import read_private  # noqa: PLC0415

    extras = tuple(extra or ())
    if board is None:
        kind = board_of(arch, python, glibc)
    elif any(each is not None for each in (arch, python, glibc, lock)):
        raise UsageError("--board says arch, python, glibc and lock", "leave these away, or --board")
    else:
        kind, lock = known(board).board, lock_of(board, source)
        extras = extras or known(board).extras
    recipe = Recipe(
        source=source,
        board=kind,
        models=model or (),
        extras=extras,
        wheel=wheel,
        instead=dict(_pair(each) for each in instead or ()),
        floor=floor,
        system_site=system_site,
        lock=lock,
        also=also or (),
    )
    with saying_what_is_written("the bundle", out):
        signing = read_private(key, passphrase(passphrase_file))
        path, manifest = build(recipe, signing, out)
    size = sum(each.bytes for each in manifest.files.values())
    Console().print(
        f"{path}: ngatu {manifest.version} for {kind.arch}, Python {kind.python}: "
        f"{len(manifest.files)} files, {size / 1e6:.1f} MB",
        soft_wrap=True,
    )
    typer.echo(
        f"  hint: before it is passed on to somebody else, read what that asks: tar xOf {path} {LICENCES}"
    )
    for given in recipe.instead.values():
        if SERVERS_WHEEL.fullmatch(given.name):
            typer.echo(f"  hint: {given.name} is PyPI's, for servers, and holds nothing for an Orin's GPU")
    if kind.arch != platform.machine():
        typer.echo("  hint: it was not tried here, this computer is another kind: let one box try it first")


@bundle_app.command("lock")
@one_line_errors
def lock_command(
    board: Annotated[list[str] | None, typer.Argument(help="Boards; if absent, all that are known.")] = None,
    wheel: Annotated[
        Path | None, typer.Option(help="ngatu's own; if absent, built, or as installed here.")
    ] = None,
    source: Source = Path(),
) -> None:
    """Write anew which wheels a board gets, with their hashes, of what the registry has now."""
    from fleet.bundle.boards import BOARDS, LOCKS, known, make_lock  # noqa: PLC0415

    names = board or list(BOARDS)
    for name in names:
        known(name)
    for name in names:
        with saying_what_is_written(f"the lock of {name}", source / LOCKS):
            path = make_lock(name, source, wheel)
        typer.echo(path)


def _pair(words: str) -> tuple[str, Path]:
    name, equals, path = words.partition("=")
    if not (name and equals and path):
        raise UsageError(f"--instead {words}: this is not PACKAGE=FILE.whl", "such as onnxruntime=FILE.whl")
    return name, Path(path)


@bundle_app.command("verify")
@one_line_errors
def verify_command(
    file: Annotated[Path, typer.Argument(help="The bundle.")],
    key: Annotated[Path, typer.Option(help="The public half of the key that signs.")],
) -> None:
    """Check the signature and every file of a bundle; names the file that is wrong."""
    from fleet.bundle.archive import verify  # noqa: PLC0415
    from fleet.bundle.release_key import read_public  # noqa: PLC0415

    manifest = verify(file, read_public(key))
    Console().print(
        f"{file}: whole and signed: ngatu {manifest.version} for {manifest.arch}, Python {manifest.python}, "
        f"{len(manifest.files)} files; floor {manifest.floor}",
        soft_wrap=True,
    )
