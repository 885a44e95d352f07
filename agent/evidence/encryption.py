"""Footage encrypted so that only the station can read it: one age file for each piece (age-encryption.org/v1).

The box has the station's public key only. A second recipient is this boot's: its identity lies in memory, so
that a technician can look back while the box has power; whoever carries the box away has carried away nothing.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

import pyrage
from pyrage import x25519

from agent.errors import FootageError
from agent.translatable import tr

FILE: Final = "footage.key"
"""This boot's identity, in the runtime folder."""
SERVICE: Final = Path("/run/ngatu")
"""The runtime folder of the agent as a service."""
IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


class CannotDecrypt(FootageError):
    """Encrypted for somebody else, or damaged."""


class Recipients:
    """Who can read what is encrypted here: the station, and this boot of the box if it has an identity."""

    def __init__(self, station: str, boot: str | None = None) -> None:
        """`station` and `boot` are age public keys (`age1…`).

        Raises:
            FootageError: one of them is no age public key.
        """
        try:
            self._keys = [x25519.Recipient.from_str(key) for key in (station, boot) if key is not None]
        except pyrage.RecipientError as error:
            raise FootageError(
                tr("the recipient of the footage is no age public key"),
                tr("evidence.recipient: write the key that the station shows, it begins with age1"),
            ) from error

    def encrypt(self, plain: bytes) -> bytes:
        """One age file, about 400 bytes longer. Never gives back what it was given.

        Raises:
            FootageError: it could not be encrypted.
        """
        try:
            return bytes(pyrage.encrypt(plain, self._keys))
        except pyrage.EncryptError as error:
            raise FootageError(
                tr("footage could not be encrypted: {error}", error=error), tr("it is not written")
            ) from error


def decrypt(cipher: bytes, identity: str) -> bytes:
    """What is in an age file, with an age identity (`AGE-SECRET-KEY-…`).

    Raises:
        CannotDecrypt: it is for somebody else, it is damaged, or this is no identity.
    """
    try:
        return bytes(pyrage.decrypt(cipher, [x25519.Identity.from_str(identity)]))
    except (pyrage.DecryptError, pyrage.IdentityError) as error:
        raise CannotDecrypt(
            tr("footage could not be decrypted: {error}", error=error),
            tr("take the key of the station for which the box recorded"),
        ) from error


def new_identity() -> tuple[str, str]:
    """A new key pair: the identity, which is secret, and its public key."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def public_key(identity: str) -> str:
    """The public key of an identity.

    Raises:
        CannotDecrypt: it is none.
    """
    try:
        return str(x25519.Identity.from_str(identity).to_public())
    except pyrage.IdentityError as error:
        raise CannotDecrypt(tr("this is no age identity"), tr("it begins with AGE-SECRET-KEY-1")) from error


def recipient(key: str) -> bool:
    """Whether it is an age public key."""
    try:
        x25519.Recipient.from_str(key)
    except pyrage.RecipientError:
        return False
    return True


def boot_identity(folder: Path | None = None, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """This boot's identity: in a file of the runtime folder if that lies in memory, else known to us alone.

    `folder` is $RUNTIME_DIRECTORY if not given. A later start of the agent in the same boot finds it there.
    """
    place = folder or _runtime_folder()
    if place is None or not in_memory(place, mounts):
        return new_identity()[0]
    with suppress(OSError, CannotDecrypt):
        return known_boot_identity(place)
    identity = new_identity()[0]
    with suppress(OSError):  # then a preview cannot look back, and nothing else is lost
        _write(place / FILE, identity)
    return identity


def known_boot_identity(folder: Path) -> str:
    """The identity that an agent of this boot left in its runtime folder.

    Raises:
        OSError: there is none, or it may not be read.
        CannotDecrypt: what lies there is none.
    """
    handle = os.open(folder / FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(FILE)
        identity = file.read(256).decode("ascii", "replace").strip()
    public_key(identity)
    return identity


def in_memory(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether a folder lies in memory, so that what is in it is gone with the power."""
    best, kind = "", ""
    try:
        place = str(folder.resolve(strict=True))
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            left, _, right = line.partition(" - ")
            mounted, fields = left.split()[4].encode().decode("unicode_escape"), right.split()
            below = place == mounted or place.startswith(mounted.rstrip("/") + "/")
            if below and len(mounted) >= len(best):  # the later of two at one place hides the earlier
                best, kind = mounted, fields[0]
    except (OSError, ValueError, IndexError):
        return False
    return kind in IN_MEMORY


def service_folder() -> Path:
    """Where the agent leaves its identity, for a program beside it: $RUNTIME_DIRECTORY, or SERVICE."""
    return _runtime_folder() or SERVICE


def _runtime_folder() -> Path | None:
    named = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(named) if named else None


def _write(path: Path, identity: str) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(identity + "\n")
