"""The station's own signature on packages: what became of each, a signed line for each step, in custody.log.

Invariants
1. What the box signed is never touched: the log stands beside it, and names it by its hash.
2. A line is whole and on disk before what it tells is told to anybody; what failed has no line.
3. The key is made once, and never leaves the station; without it nothing is handed over.
4. One line at a time: the service and whoever hands over wait for each other (a lock of the request's folder).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from agent.errors import NgatuError, WireError
from agent.evidence.package.manifest import CUSTODY, MANIFEST, fingerprint
from agent.translatable import tr
from agent.wire.signature import private_key, public_key
from station.footage.folder import PackageFolder, give_as, locked, sync_folder, write_whole
from verifier.custody_log import FIRST, Act, CustodyEntry, HeardLink, line, line_sha256, read_line

FILE: Final = "custody.key"
"""In the station's state_dir."""
STATION: Final = "station"
"""By whom what the service does by itself is done."""


class CustodyBook:
    """Writes the custody logs of one station; may be used from any thread and process."""

    def __init__(self, state_dir: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path, self._now = state_dir / FILE, now

    def public(self) -> Ed25519PublicKey:
        """The key that the lines are verified with; it is made if there is none.

        Raises:
            NgatuError: it cannot be read or written.
        """
        return self._key().public_key()

    def note(
        self, folder: PackageFolder, act: Act, by: str, detail: str, heard: Iterable[HeardLink] = ()
    ) -> CustodyEntry:
        """Add a line about a package that is whole.

        Raises:
            OSError: the disk does not take it.
            NgatuError: the station's key cannot be read or written, or is not the one of the log.
        """
        with self._adding(folder, act, by, detail, heard) as (entry, _):
            return entry

    @contextmanager
    def adding(self, folder: PackageFolder, act: Act, by: str, detail: str) -> Iterator[bytes]:
        """The log with one more line, which is there once the block ends, and is not if the block fails.

        Nobody else adds to it meanwhile.

        Raises:
            OSError, NgatuError: as in `note`.
        """
        with self._adding(folder, act, by, detail) as (_, whole):
            yield whole

    def begun(self, folder: PackageFolder) -> bool:
        """Whether something was noted of it."""
        return (folder.package / CUSTODY).exists()

    @contextmanager
    def _adding(
        self, folder: PackageFolder, act: Act, by: str, detail: str, heard: Iterable[HeardLink] = ()
    ) -> Iterator[tuple[CustodyEntry, bytes]]:
        key, path = self._key(), folder.package / CUSTODY
        with locked(folder.path):  # invariant 4
            written = b""
            with suppress(FileNotFoundError):
                written = path.read_bytes()
            lines = written.splitlines()
            _refuse_another(lines, key, path)
            entry = self._entry(folder, lines, (act, by, detail), heard)
            whole = written + line(entry, key) + b"\n"
            yield entry, whole
            # Its new file lies beside the package: what a power cut leaves in there is foreign to the verifier.
            write_whole(path, whole, new=folder.path / f".{CUSTODY}.new", like=folder.package)

    def _entry(
        self,
        folder: PackageFolder,
        lines: Sequence[bytes],
        step: tuple[Act, str, str],
        heard: Iterable[HeardLink],
    ) -> CustodyEntry:
        act, by, detail = step
        return CustodyEntry(
            n=len(lines) + 1,
            previous=line_sha256(lines[-1]) if lines else FIRST,
            at=self._now(),
            act=act,
            by=by,
            detail=detail,
            station=folder.request.commune,
            manifest_sha256=sha256((folder.package / MANIFEST).read_bytes()).hexdigest(),
            box_key_sha256=fingerprint(public_key(folder.key)) if folder.key.exists() else "",
            heard=tuple(heard),
        )

    def _key(self) -> Ed25519PrivateKey:
        if not self._path.exists():
            _make(self._path)
        return private_key(self._path)


def pem(key: Ed25519PublicKey) -> bytes:
    """A public key as a file that is handed over."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _refuse_another(lines: Sequence[bytes], key: Ed25519PrivateKey, path: Path) -> None:
    """A log of two keys holds by neither.

    Raises:
        NgatuError: the last line is not of this key.
    """
    if not lines:
        return
    try:
        read_line(lines[-1], len(lines), line_sha256(lines[-2]) if lines[1:] else FIRST, key.public_key())
    except WireError:
        raise NgatuError(
            tr("{path}: it was signed with another key than this station's", path=path),
            tr(
                "put back custody.key as it was; if it is lost, hand over the folder {folder} itself: its log "
                "verifies with the old station.pub, but no line says to whom it went",
                folder=path.parent,
            ),
        ) from None


def _make(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    new = path.with_name(f".{path.name}.new")
    try:
        new.unlink(missing_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(handle)
        give_as(new, path.parent)
        with suppress(FileExistsError):
            os.link(new, path)  # whoever was first made it
        new.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise NgatuError(
            tr(
                "the station's key for custody logs, {path}: {reason}",
                path=path,
                reason=error.strerror or error,
            ),
            tr("be the station's user: sudo -u ngatu-station"),
        ) from None
