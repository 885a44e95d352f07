"""Puts the frames of an order together once their pieces are here, also where some never come.

Invariants
1. A frame is kept if all of it came and it is what the box signed; each by itself, for each is worth something.
2. The frames have their folder once every one of them is whole on disk; only then the pieces go.
3. The station's own log, signed, says who ordered them and why, before it is told that they are here.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog
from cryptography.exceptions import InvalidSignature

from agent.errors import NgatuError, WireError
from agent.evidence.package.manifest import MANIFEST, SIGNATURE
from agent.evidence.samples.package import SampleManifest, read_sample_manifest
from agent.translatable import joined, tr
from agent.wire.signature import public_key
from station.footage.arrival.spool import Spool
from station.footage.custody import STATION, CustodyBook
from station.footage.folder import FootageStage, remove, sync_folder
from station.footage.samples.folder import SampleFolder
from verifier.findings import PackageVerdict

log = structlog.get_logger("station.footage.samples")

UNJUDGED: Final = "not judged"
"""The box had told no key."""


def settle(folder: SampleFolder, custody: CustodyBook | None) -> None:
    """Put one order together and note it; of one that is, remove what is left over.

    Raises:
        OSError: the disk does not take it; what is there is used the next time.
    """
    if folder.state().stage is not FootageStage.COMPLETE:
        try:
            _complete(folder, custody)
        except WireError as error:
            folder.tell(stage=FootageStage.FAILED, detail=error.what)
    with suppress(FileNotFoundError):
        folder.pieces.unlink()


def _complete(folder: SampleFolder, custody: CustodyBook | None) -> None:
    if not folder.package.is_dir() and not _assemble(folder):
        said = folder.state().detail
        folder.tell(
            stage=FootageStage.FAILED, detail=joined("; ", filter(None, (said, tr("no frame of it came"))))
        )
        return
    data = (folder.package / MANIFEST).read_bytes()
    manifest = read_sample_manifest(data)
    here = [each for each in manifest.frames if (folder.package / each.name).is_file()]
    verdict, why = _verdict(folder, data, manifest, len(here) == len(manifest.frames))
    request, size = folder.request, sum(each.bytes for each in here)
    if custody is not None:
        try:
            if not custody.begun(folder):
                said = (
                    f"{len(here)} of {len(manifest.frames)} frames, {size} bytes; ordered by {request.officer}"
                )
                custody.note(folder, "received", STATION, f"{said} ({request.issuer}) for: {request.purpose}")
            custody.note(folder, "verified", STATION, verdict)
        except NgatuError as error:
            log.warning("custody_not_signed", request=request.id, why=error.what, hint=error.hint)
    details = [folder.state().detail, why, _count(len(here), len(manifest.frames))]
    folder.tell(
        stage=FootageStage.COMPLETE,
        verdict=verdict,
        detail=joined("; ", filter(None, details)) or None,
    )
    log.info("samples_complete", box=request.device, request=request.id, frames=len(here), verdict=verdict)


def _assemble(folder: SampleFolder) -> bool:
    """Invariants 1 and 2; False: there is no frame.

    Raises:
        WireError: what the box lists is no list of frames.
    """
    spool = Spool(folder.pieces)
    signed = {name: b"".join(spool.read(name)) for name in (MANIFEST, SIGNATURE)}
    manifest = read_sample_manifest(signed[MANIFEST])
    sizes = {each.file: each.bytes for each in manifest.frames}
    spool.keep_only(sizes | {name: len(data) for name, data in signed.items()})
    new, frames = folder.path / "package.new", 0
    remove(new)
    new.mkdir(mode=0o750)
    for each in manifest.frames:
        data = b"".join(spool.read(each.file))
        if len(data) == each.bytes and sha256(data).hexdigest() == each.sha256:
            _write(new / each.name, data)
            frames += 1
    if not frames:
        remove(new)
        return False
    for name, data in signed.items():
        _write(new / name, data)
    sync_folder(new)
    new.rename(folder.package)
    sync_folder(folder.path)
    return True


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _verdict(
    folder: SampleFolder, data: bytes, manifest: SampleManifest, whole: bool
) -> tuple[str, str | None]:
    """In the verifier's words; and why nobody can tell."""
    if not folder.key.exists():
        return UNJUDGED, tr("the box had told no key for its packages when it was asked")
    try:
        public_key(folder.key).verify((folder.package / SIGNATURE).read_bytes(), data)
    except InvalidSignature:
        return str(PackageVerdict.NOT_AUTHENTIC), tr("the list of the frames is not signed by the box")
    except NgatuError as error:
        return UNJUDGED, error.what
    request = folder.request
    if (manifest.order.id, manifest.commune, manifest.device) != (request.id, request.commune, request.device):
        return str(PackageVerdict.NOT_AUTHENTIC), tr("the list of the frames is of another order")
    return str(PackageVerdict.AUTHENTIC if whole else PackageVerdict.MISSING), None


def _count(here: int, listed: int) -> str | None:
    """How many did not come; None: all did."""
    if here == listed:
        return None
    return tr("{here} of {listed} frames are here", here=here, listed=listed)
