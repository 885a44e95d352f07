"""Public keys as files that somebody hands over: PEM, as openssl writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from agent.errors import UsageError
from agent.translatable import tr

MAX_BYTES: Final = 64 << 10


def read_key(path: Path) -> Ed25519PublicKey:
    """The Ed25519 key in a file.

    Raises:
        UsageError: there is no such file, or no such key in it.
    """
    try:
        if not path.is_file():  # a pipe may never give anything, a device never end
            raise UsageError(tr("{path}: is no file", path=path), _ASK)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
        key = load_pem_public_key(data)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UsageError(tr("{path}: cannot be read: {error}", path=path, error=why), _ASK) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(tr("{path}: is no public key", path=path), _ASK) from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(tr("{path}: is no Ed25519 key", path=path), _ASK)
    return key


_ASK: Final = tr("the station shows the key of each of its boxes: ngatu station keys")
