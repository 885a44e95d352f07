"""The station's age identity: made once, kept by the station; its public half goes into the boxes' files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from agent.errors import FootageError
from agent.evidence.encryption import new_identity, public_key
from agent.translatable import tr
from station.config import StationConfig
from station.footage.folder import give_as, sync_folder

FILE: Final = "footage.key"


def path_of(config: StationConfig) -> Path:
    """Where the identity lies."""
    return config.footage.key or config.state_dir / FILE


def read(path: Path) -> str | None:
    """The identity; None: there is none yet.

    Raises:
        FootageError: it cannot be read, is none, or others may read it.
    """
    try:
        with path.open(encoding="ascii") as file:
            mode = os.fstat(file.fileno()).st_mode
            lines = file.read(4096).split()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FootageError(tr("{path}: {error}", path=path, error=error), _READABLE) from None
    identity = next((line for line in lines if line.startswith("AGE-SECRET-KEY-")), "")
    if mode & 0o077:
        raise FootageError(
            tr("{path}: others may read it, and with it all footage", path=path),
            tr("chmod 600 {path}", path=path),
        )
    public_key(identity)
    return identity


def make(path: Path) -> tuple[str, bool]:
    """The recipient for the boxes' configurations, and whether its identity was made just now.

    An identity that is there is never replaced: without it footage that it was recorded for cannot be read.

    Raises:
        FootageError: it cannot be read or written.
    """
    known = read(path)
    if known is not None:
        return public_key(known), False
    identity, recipient = new_identity()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(
                f"# footage of this station is read with this; its recipient is {recipient}\n{identity}\n"
            )
            file.flush()
            os.fsync(handle)
        give_as(path, path.parent)
        sync_folder(path.parent)
    except OSError as error:
        raise FootageError(
            tr("{path}: {reason}", path=path, reason=error.strerror or error), _READABLE
        ) from None
    return recipient, True


_READABLE: Final = tr("be the station's user: sudo -u ngatu-station")
