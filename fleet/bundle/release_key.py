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
        NgatuError: there is a key or a public half already, the folder does not take it, or the passphrase is
            too short. Nothing is left there then.
    """
    if len(passphrase) < MIN_PASSPHRASE_CHARS:
        raise NgatuError("the passphrase is too short", f"take {MIN_PASSPHRASE_CHARS} characters or more")
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    public = path.with_suffix(".pub")
    open_half = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made: list[Path] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for file, data, mode in ((public, open_half, 0o644), (path, secret, 0o600)):
            _write_new(file, data, mode, made)
    except OSError as error:
        for file in made:
            file.unlink(missing_ok=True)
        if isinstance(error, FileExistsError) and path.parent.is_dir():
            what = f"{path if path.exists() else public}: there is a key already"
            raise NgatuError(what, "the boxes know it: keep it, or name another file") from None
        what = f"{path}: {error.strerror or error}"
        raise NgatuError(what, "may this user write there, and is there room?") from None
    return public


def _write_new(file: Path, data: bytes, mode: int, made: list[Path]) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as written:
        made.append(file)
        written.write(data)
        written.flush()
        os.fsync(written.fileno())


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
