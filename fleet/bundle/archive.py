"""A release as one file: everything that a box without internet needs, with the hash of each file, signed.

A bundle is a plain tar archive. Its first member is `manifest.json`, the second `manifest.sig`, the Ed25519
signature of the first one's bytes; then come exactly the files that the manifest names. The same files make the
same bytes: members are sorted, and carry neither time nor owner.

Invariants
1. Nothing of a bundle is believed before the signature over its manifest has been checked.
2. The manifest names every file with its size and SHA-256; a file more, less or different is told by its name.
3. Two bundles of one version have one manifest, or they are two versions.

The boxes check the same with their own, smaller reader, which needs Python's library and openssl only
(`deploy/ansible/roles/ngatu_agent/files/ngatu_release/`).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.errors import NgatuError
from fleet.bundle.members import Damaged, Members
from fleet.whole_file import in_words, written_whole

FORMAT: Final = 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MAX_MANIFEST_BYTES: Final = 1 << 20
CHUNK_BYTES: Final = 1 << 20
VERSION: Final = re.compile(r"\d+(\.\d+){1,3}((a|b|rc)\d+)?(\.post\d+)?(\.dev\d+)?")
"""The versions that boxes can put in order: the public part of PEP 440, without epochs."""

_SHA256: Final = re.compile("[0-9a-f]{64}")


class BundleRefused(NgatuError):
    """A bundle is damaged, incomplete, changed, or not signed by the key that counts."""


@dataclass(frozen=True, slots=True)
class Content:
    """One file of a bundle."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle is, and what lies in it."""

    version: str
    floor: str
    """Boxes that have confirmed this release take none older than this."""
    arch: str
    """As `uname -m` says it: aarch64, x86_64."""
    python: str
    """Major and minor, such as 3.11."""
    system_site: bool
    """Whether the release may use the system's Python packages (picamera2 on a Raspberry Pi)."""
    files: Mapping[str, Content]

    def encoded(self) -> bytes:
        """The one form of it, which is signed."""
        document = {"format": FORMAT, **asdict(self)}
        return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def content(path: Path) -> Content:
    """Size and hash of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
            size += len(piece)
    return Content(size, digest.hexdigest())


def write(path: Path, files: Mapping[str, Path], manifest: Manifest, key: Ed25519PrivateKey) -> None:
    """The bundle at `path`, whole and on the disk or not at all. `files`: name -> where it lies.

    Raises:
        NgatuError: the folder does not take it, or a file is gone; an older bundle at `path` stands then.
    """
    encoded = manifest.encoded()
    hint = "may this user write there, and is there room? --out names another folder"
    with in_words(path, hint):
        path.parent.mkdir(parents=True, exist_ok=True)
    with (
        written_whole(path, hint=hint) as out,
        tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name, data in ((MANIFEST, encoded), (SIGNATURE, key.sign(encoded))):
            tar.addfile(_member(name, len(data)), io.BytesIO(data))
        for name in sorted(files):
            with _opened(files[name]) as file:
                tar.addfile(_member(name, manifest.files[name].bytes), file)


def _opened(path: Path) -> IO[bytes]:
    with in_words(path, "it was there when the bundle was begun: run the same again"):
        return path.open("rb")


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def verify(path: Path, key: Ed25519PublicKey) -> Manifest:
    """Read the whole bundle and check all of it.

    Raises:
        BundleRefused: with the name of the file that is wrong.
    """
    try:
        with path.open("rb") as file:
            members = Members(file)
            manifest = _signed(path, members, key)  # invariant 1
            left = dict(manifest.files)
            while (member := members.next()) is not None:
                name, size = member
                if (expected := left.pop(name, None)) is None:
                    raise _refused(path, name, "is not in the manifest, or comes twice")
                _check(path, members, name, size, expected)  # invariant 2
    except Damaged as error:
        raise BundleRefused(f"{path}: no whole bundle: {error}", AGAIN) from None
    except OSError as error:
        raise BundleRefused(f"{path}: {error.strerror or error}", "give the path of a bundle") from None
    for name in left:
        raise _refused(path, name, "is missing")
    return manifest


AGAIN: Final = "copy it again, or build it again: ngatu bundle build"


def _refused(path: Path, name: str, what: str) -> BundleRefused:
    return BundleRefused(f"{path}: {name}: {what}", AGAIN)


def _signed(path: Path, members: Members, key: Ed25519PublicKey) -> Manifest:
    encoded, signature = (_small(path, members, name) for name in (MANIFEST, SIGNATURE))
    try:
        key.verify(signature, encoded)
    except InvalidSignature:
        raise BundleRefused(
            f"{path}: {MANIFEST}: the signature is not of this key",
            "it was changed, or signed with another key: ask who gave it to you",
        ) from None
    return parse(path, encoded)


def _small(path: Path, members: Members, name: str) -> bytes:
    member = members.next()
    if member is None or member[0] != name or member[1] > MAX_MANIFEST_BYTES:
        raise _refused(path, name, "is not where it must be")
    return b"".join(members.pieces())


def _check(path: Path, members: Members, name: str, size: int, expected: Content) -> None:
    if size != expected.bytes:
        raise _refused(path, name, f"has {size} bytes, the manifest says {expected.bytes}")
    digest = hashlib.sha256()
    for piece in members.pieces():
        digest.update(piece)
    if digest.hexdigest() != expected.sha256:
        raise _refused(path, name, "is damaged or was changed: its SHA-256 is not the manifest's")


def parse(path: Path, encoded: bytes) -> Manifest:
    """The manifest of these bytes; they are signed, so only what we made ourselves can be wrong here.

    Raises:
        BundleRefused: this version of ngatu cannot read it.
    """
    try:
        document: dict[str, Any] = json.loads(encoded)
        written = document.pop("format")
        files = {name: Content(**each) for name, each in document.pop("files").items()}
        manifest = Manifest(files=files, **document)
        versions = all(VERSION.fullmatch(each) for each in (manifest.version, manifest.floor))
        plain = all(map(_plain, files.items()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _strange(path, str(error)) from None
    if written != FORMAT:
        raise _strange(path, f"format {written}")
    if not versions:
        raise _strange(path, f"{manifest.version!r} or {manifest.floor!r} is no version")
    if not plain:
        raise _strange(path, "a file's name leads out of it, or its size or hash cannot be")
    return manifest


def _plain(file: tuple[str, Content]) -> bool:
    name, of = file
    pure = PurePosixPath(name)
    inside = not pure.is_absolute() and ".." not in pure.parts and str(pure) == name and "\0" not in name
    return inside and type(of.bytes) is int and of.bytes >= 0 and bool(_SHA256.fullmatch(of.sha256))


def _strange(path: Path, what: str) -> BundleRefused:
    return BundleRefused(f"{path}: {MANIFEST}: cannot be read: {what}", "it needs a newer ngatu")
