"""`ngatu box-key`: the public half of the key by which this box signs packages of footage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.config import DEFAULT, ConfigFile
from agent.cli.exit import one_line_errors
from agent.errors import NgatuError
from agent.language import translated
from agent.translatable import tr


@one_line_errors
def box_key_command(
    config: ConfigFile = DEFAULT,
    save: Annotated[
        Path | None, typer.Option(help="File for it, PEM: what `ngatu verify --key` reads.")
    ] = None,
) -> None:
    """Print the public key by which this box signs footage, and its fingerprint; changes nothing.

    Compare the fingerprint with what `ngatu station keys` shows. The private half never leaves the box.

    Exit code 0: done; 1: there is no key yet, or it cannot be read; 2: the configuration is wrong.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    from agent.config.schema import load  # noqa: PLC0415
    from agent.evidence.box_key import FILE, box_key  # noqa: PLC0415
    from agent.evidence.package.manifest import fingerprint  # noqa: PLC0415

    path = load(config).state_dir / FILE
    if not path.exists():  # it is the agent's to make: made by somebody else, the agent could not read it
        raise NgatuError(
            tr("{path}: there is no key yet", path=path),
            tr("the agent makes it at its first start, if it records"),
        )
    key = box_key(path).public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if save is None:
        typer.echo(pem.decode(), nl=False)
    else:
        try:
            save.write_bytes(pem)
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise NgatuError(tr("{folder}: {reason}", folder=save, reason=why)) from None
    typer.echo(translated(tr("fingerprint {sha256}", sha256=fingerprint(key))), err=save is None)
