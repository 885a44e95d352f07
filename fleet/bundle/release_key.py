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
from fleet.whole_file import in_words, require_takes

MIN_PASSPHRASE_CHARS = 8


def make(path: Path, passphrase: str) -> Path:
    """A new key at `path`, readable by its owner only; its public half beside it, as `.pub`, is returned.

    Raises:
        NgatuError: there is a key or a public half already, the folder does not take it, or the passphrase is
            too short. Nothing is left there then.
    """
    if len(passphrase) < MIN_PASSPHRASE_CHARS:
        raise NgatuError("the passphrase is too short", f"take {MIN_PASSPHRASE_CHARS} characters or more")
    public = path.with_suffix(".pub")
    _require_new(path, public)
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    open_half = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made: list[Path] = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for file, data, mode in ((public, open_half, 0o644), (path, secret, 0o600)):
            _write_new(file, data, mode, made)
    except OSError as error:
        for file in made:
            file.unlink(missing_ok=True)
        what = f"{path}: {error.strerror or error}"
        raise NgatuError(what, "may this user write there, and is there room?") from None
    return public


def _require_new(path: Path, public: Path) -> None:
    if path == public:
        raise NgatuError(
            f"{path}: so its public half is called", f"name the key {path.with_suffix('.key').name}"
        )
    require_takes(path.parent, "may this user write there? name a file in another folder")
    for file in (path, public):
        if file.is_dir():
            raise NgatuError(f"{file}: this is a folder", f"name a file in it, such as {file / 'release.key'}")
        if os.path.lexists(file):
            with in_words(file, "name a file in another folder"):
                is_key = file.is_file() and b" KEY-----" in file.read_bytes()
            if is_key:
                what = f"{file}: there is a key already"
                raise NgatuError(what, "the boxes know it: keep it, or name another file")
            raise NgatuError(f"{file}: there is another file already", "it is left as it is: name a new one")


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
        data = path.read_bytes()
        if b"PUBLIC KEY-----" in data:
            other = path.with_suffix(".key")
            raise NgatuError(f"{path}: this is the half for the boxes", f"give the other one, such as {other}")
        key = load_pem_private_key(data, passphrase.encode())
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
