"""The box's key for packages of footage: Ed25519, made at the first start, never replaced."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from agent.errors import FootageError
from agent.evidence.segment import sync_folder
from agent.translatable import tr

FILE: Final = "evidence.key"
"""Below state_dir."""


def box_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file; one is made where there is none.

    A key that cannot be read is an error, and is not replaced: the station knows the box by it.

    Raises:
        FootageError: it cannot be read or written, or is no such key.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        return _make(path)
    except (OSError, ValueError, TypeError) as error:
        raise FootageError(
            tr("the key for packages of footage, {path}: {error}", path=path, error=error), _HINT
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise FootageError(tr("{path}: is no Ed25519 key", path=path), _HINT)
    return key


def public_text(key: Ed25519PublicKey) -> str:
    """The public half as the birth message has it: base64 of its 32 bytes."""
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def _make(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(handle)
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise FootageError(
            tr("the key for packages of footage, {path}: {error}", path=path, error=error.strerror or error),
            _HINT,
        ) from None
    return key


_HINT: Final = tr(
    "without it no footage is handed over; bring it back, or move it away: then a new one is made"
)
