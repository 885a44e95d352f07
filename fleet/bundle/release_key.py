"""The key that signs releases: Ed25519, on the controller only, never on disk without a passphrase."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from agent.errors import NgatuError

MIN_PASSPHRASE_CHARS = 8


def make(path: Path, passphrase: str) -> Path:
    """A new key at `path`, readable by its owner only; its public half beside it, as `.pub`, is returned.

    Raises:
        NgatuError: there is a key already, or the passphrase is too short.
    """
    if len(passphrase) < MIN_PASSPHRASE_CHARS:
        raise NgatuError("the passphrase is too short", f"take {MIN_PASSPHRASE_CHARS} characters or more")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NgatuError(
            f"{path}: there is a key already", "the boxes know it: keep it, or name another file"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    public = path.with_suffix(".pub")
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return public


def read_private(path: Path, passphrase: str) -> Ed25519PrivateKey:
    """The key that signs.

    Raises:
        NgatuError: the file, the passphrase or the kind of key is wrong.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase.encode())
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror}", "make a key with: ngatu bundle key FILE") from None
    except TypeError:
        raise NgatuError(
            f"{path}: this key has no passphrase", "make one with: ngatu bundle key FILE"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise NgatuError(f"{path}: the passphrase is wrong, or this is no key", "try again") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise NgatuError(f"{path}: this is no Ed25519 key", "make one with: ngatu bundle key FILE")
    return key


def read_public(path: Path) -> Ed25519PublicKey:
    """The half that boxes have.

    Raises:
        NgatuError: there is no such file, or it is no Ed25519 key.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise NgatuError(f"{path}: {error.strerror}", "give the .pub file of the key that signs") from None
    except (ValueError, UnsupportedAlgorithm):
        raise NgatuError(f"{path}: this is no public key", "give the .pub file of the key that signs") from None
    if not isinstance(key, Ed25519PublicKey):
        raise NgatuError(f"{path}: this is no Ed25519 key", "give the .pub file of the key that signs")
    return key
