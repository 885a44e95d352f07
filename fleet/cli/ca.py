"""`ngatu ca`: the authority that signs the certificates of boxes, stations, brokers and screens."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from agent.cli.exit import one_line_errors
from agent.errors import NgatuError, UsageError
from fleet.cli.bundle import passphrase as asked_passphrase
from fleet.cli.folder import named_folder

ca_app = typer.Typer(
    help="Certificates: an authority of one's own, in a folder of the administrator's computer.",
    no_args_is_help=True,
)

Passphrase = Annotated[
    Path | None,
    typer.Option(
        help="File whose first line is the passphrase; - : stdin's first line; if absent, it is asked for."
    ),
]
Folder = Annotated[Path, typer.Option(help="The authority's folder.", parser=named_folder, metavar="<path>")]
HERE = Path("ca")


@ca_app.command("init")
@one_line_errors
def init_command(
    folder: Folder = HERE,
    name: Annotated[str, typer.Option(help="What the authority is called in its certificates.")] = "ngatu",
    passphrase_file: Passphrase = None,
) -> None:
    """Make an authority. Its key never leaves the folder, and is encrypted with the passphrase."""
    from fleet.ca.authority import make  # noqa: PLC0415 (cryptography: `ngatu --help` needs none of it)

    made = make(folder, name, passphrase(passphrase_file, twice=True), _now())
    typer.echo(
        f"{folder}: {name}, until {made.certificate.not_valid_after_utc:%Y-%m-%d}\n"
        "  hint: copy the folder, and keep the passphrase elsewhere: without either, every box must be visited"
    )


@ca_app.command("sign")
@one_line_errors
def sign_command(
    name: Annotated[
        str, typer.Argument(help="A box's id, station.COMMUNE, a broker's host name, or screen.HOST.")
    ],
    request: Annotated[Path, typer.Option(help="The request (CSR), made where the key is; - : stdin.")],
    kind: Annotated[str, typer.Option(help="box, station, operator, broker or screen.")] = "box",
    host: Annotated[
        list[str] | None,
        typer.Option(help="Another name or address of a broker; one of a screen; an operator's client id."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="How long it is good.")] = 90,
    again: Annotated[bool, typer.Option("--again", help="Although a key of this name was lost.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where it goes; if absent, to stdout.")] = None,
    folder: Folder = HERE,
    passphrase_file: Passphrase = None,
) -> None:
    """Sign a request. Renewing is signing again: an older certificate stays good until its end."""
    from fleet.ca.authority import unlock  # noqa: PLC0415
    from fleet.ca.index import KINDS  # noqa: PLC0415
    from fleet.whole_file import write_whole  # noqa: PLC0415

    if kind not in KINDS:
        raise UsageError(f"--kind {kind}: there is no such kind", f"one of {', '.join(KINDS)}")
    if out is not None and (out.is_dir() or not os.access(out.absolute().parent, os.W_OK)):
        hint = (
            "name a file in a folder in which you may write"  # before it is signed: none exists that nobody has
        )
        raise NgatuError(f"--out {out}: no certificate can be written there", hint)
    if out is not None:
        _leave_others(out, name)
    secret = passphrase(passphrase_file)  # before the request: of stdin it is the first line
    asked = _read(request)
    authority = unlock(folder, secret)
    signed = authority.sign(asked, kind, name, _now(), hosts=host or (), days=days, again=again)
    if out is None:
        typer.echo(signed.decode(), nl=False)
    else:
        write_whole(out, signed)


@ca_app.command("revoke")
@one_line_errors
def revoke_command(
    name: Annotated[str, typer.Argument(help="As in its certificates.")],
    reason: Annotated[
        str, typer.Option(help="keyCompromise (stolen), superseded, cessationOfOperation, unspecified.")
    ] = "keyCompromise",
    keep: Annotated[
        str | None, typer.Option(help="Serial number of one to leave alone: that in use after a rotation.")
    ] = None,
    folder: Folder = HERE,
    passphrase_file: Passphrase = None,
) -> None:
    """Revoke a name's certificates and write the list. The broker must then be given it: revoke.yml."""
    from fleet.ca.authority import unlock  # noqa: PLC0415
    from fleet.ca.index import REASONS  # noqa: PLC0415

    if reason not in REASONS:
        raise UsageError(f"--reason {reason}: there is no such reason", f"one of {', '.join(REASONS)}")
    try:
        kept = None if keep is None else int(keep, 16)
    except ValueError:
        raise UsageError(f"--keep {keep}: this is no serial number", "see ngatu ca list") from None
    authority = unlock(folder, passphrase(passphrase_file))
    revoked = authority.revoke(name, reason, _now(), keep=kept)
    path = authority.write_crl(_now())
    typer.echo(f"{name}: {len(revoked)} revoked; the list is {path}")


@ca_app.command("crl")
@one_line_errors
def crl_command(
    days: Annotated[int, typer.Option(min=8, max=825, help="How long it is good.")] = 180,
    check: Annotated[
        Path | None, typer.Option(help="Judge this list instead: may it be installed? Asks for no passphrase.")
    ] = None,
    folder: Folder = HERE,
    passphrase_file: Passphrase = None,
) -> None:
    """Write the list of the revoked anew. A broker whose list has ended lets nobody in."""
    from fleet.ca.authority import look, unlock  # noqa: PLC0415
    from fleet.ca.crl import read, require_remaining  # noqa: PLC0415

    if check is not None:
        left = require_remaining(read(check), look(folder).certificate, _now())
        typer.echo(f"{check}: good for {left.days} days")
        return
    path = unlock(folder, passphrase(passphrase_file)).write_crl(_now(), days)
    typer.echo(f"{path}: good for {days} days")


@ca_app.command("list")
@one_line_errors
def list_command(
    folder: Folder = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """Who has a certificate, until when, and who had one."""
    from fleet.ca.authority import look  # noqa: PLC0415

    now = _now()
    issued = look(folder).index.issued()
    if as_json:
        typer.echo(json.dumps([{
            "name": each.name, "kind": each.kind, "serial": f"{each.serial:x}",
            "begins": each.begins.isoformat(), "ends": each.ends.isoformat(), "good": each.good(now),
            "revoked": each.revoked.isoformat() if each.revoked else None, "reason": each.reason,
        } for each in issued], indent=1))  # fmt: skip
        return
    serial = Column("serial", overflow="fold")  # whole, however narrow the terminal: --keep asks for it
    table = Table("name", "kind", "ends", "state", serial)
    for each in issued:
        state = f"revoked {each.revoked:%Y-%m-%d}, {each.reason}" if each.revoked else "good"
        state = "over" if state == "good" and not each.good(now) else state
        table.add_row(each.name, each.kind, f"{each.ends:%Y-%m-%d}", state, f"{each.serial:x}")
    Console().print(table)


def passphrase(file: Path | None, *, twice: bool = False) -> str:
    """From a file, the first line of stdin or the terminal; never from the command line."""
    if str(file) == "-":
        return sys.stdin.buffer.readline().decode(errors="replace").rstrip("\r\n")
    return asked_passphrase(file, twice=twice)


def _now() -> datetime:
    return datetime.now(UTC)


def _read(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror}", "give the file of the request") from None


def _leave_others(out: Path, name: str) -> None:
    """Refuse a file that is no certificate: of the key beside a request there may be no other copy."""
    from fleet.whole_file import ROOM, in_words  # noqa: PLC0415

    with in_words(out, ROOM):
        other = out.is_file() and b"BEGIN CERTIFICATE-----" not in out.read_bytes()
    if other:
        what = f"--out {out}: there is another file, and no certificate"
        raise NgatuError(what, f"it is left as it is: name a new one, such as {name}.crt")
