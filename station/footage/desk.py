"""Puts packages together once all their pieces are here: files, decrypted, judged; in a thread of its own.

Invariants
1. A package has its name once every file of it is whole on disk; only then its pieces go.
2. What the verifier says is kept beside the package, whatever it says: footage that is not authentic stays.
3. A disk that takes nothing is asked again; nothing is given up.
4. What is not needed any more goes once the end is on disk; the next life does what a power cut left of that.
5. A package that meets a mistake of ours ends all the same: not judged, kept as it came, told with its cause.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.exc import SQLAlchemyError

from agent.errors import NgatuError
from agent.evidence.encryption import CannotDecrypt, decrypt
from agent.translatable import tr
from agent.wire.signature import public_key
from station.footage import identity as identities
from station.footage.arrival.listing import MANIFEST, SIGNATURE, listed
from station.footage.arrival.spool import Spool
from station.footage.custody import STATION, CustodyBook
from station.footage.folder import (
    FootageRequest,
    FootageStage,
    PackageFolder,
    RequestFolder,
    remove,
    sync_folder,
    write_whole,
)
from station.footage.samples.folder import SampleFolder
from station.footage.samples.settle import settle as settle_samples
from verifier.custody_log import Act, HeardLink
from verifier.findings import Judgement, PackageVerdict
from verifier.judge import judge

log = structlog.get_logger("station.footage.desk")

AGAIN_S: Final = 30.0
UNJUDGED: Final = "not judged"
"""The box had told no key when it was asked."""


class FootageDesk:
    """One thread; `put` is called from any."""

    def __init__(
        self,
        identity: Path,
        custody: CustodyBook | None = None,
        heard: Callable[[FootageRequest], Iterable[HeardLink]] = lambda _: (),
    ) -> None:
        """`identity` is the file of the station's age identity; it may not be there.

        `custody` signs what becomes of a package; `heard` knows the links of a chain that the station heard of.
        """
        self._identity, self._custody, self._heard = identity, custody, heard
        self._waiting: queue.Queue[PackageFolder | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="footage", daemon=True)

    def put(self, folder: PackageFolder) -> None:
        """All pieces of it are here."""
        self._waiting.put(folder)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End it; what is not done is done by the next life of the station."""
        self._waiting.put(None)
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        failing: set[Path] = set()
        while (folder := self._waiting.get()) is not None:
            try:
                self.settle(folder)
                failing.discard(folder.path)
            except OSError as error:  # invariant 3
                if folder.path not in failing:
                    hint = "look at the disk: full, read-only, or dying? it is tried again"
                    log.warning("footage_waits", folder=str(folder.path), why=str(error), hint=hint)
                failing.add(folder.path)
                again = threading.Timer(AGAIN_S, self.put, [folder])
                again.daemon = True
                again.start()
            except Exception:  # a package that meets a mistake of ours must not stop the others
                log.exception("footage_failed", folder=str(folder.path))
                _end_unjudged(folder)

    def settle(self, folder: PackageFolder) -> None:
        """Put one package together, decrypt and judge it; of one that was judged, tidy up.

        Frames for training are only put together: they stay encrypted (samples/settle.py).

        Raises:
            OSError: the disk does not take it; what is there is used the next time.
        """
        if isinstance(folder, RequestFolder):
            self._settle_footage(folder)
        elif isinstance(folder, SampleFolder):
            settle_samples(folder, self._custody)

    def _settle_footage(self, folder: RequestFolder) -> None:
        if folder.state().stage is FootageStage.COMPLETE and folder.pieces.exists():
            _tidy(folder)
            return
        if not folder.package.is_dir():
            _assemble(folder)  # invariant 1
        self._countersign(folder)
        had = {path.name for path in folder.package.glob("*.mp4")}
        why = self._decrypt(folder.package)
        if made := sorted({path.name for path in folder.package.glob("*.mp4")} - had):
            self._note(folder, "opened", "decrypted: " + ", ".join(made))
        judgement, why_not = _judged(folder, self._station_key())
        verdict = UNJUDGED if judgement is None else str(judgement.verdict)
        self._note(folder, "verified", verdict)
        details = [*filter(None, (why, why_not)), *(_words(judgement) if judgement is not None else ())]
        folder.tell(stage=FootageStage.COMPLETE, verdict=verdict, detail="; ".join(details)[:2000] or None)
        _tidy(folder)
        request = folder.request
        log.info("footage_complete", box=request.device, request=request.id, verdict=verdict, why=why)

    def _countersign(self, folder: RequestFolder) -> None:
        """The first line of its custody log: when it came, which links of its chain were heard of."""
        if self._custody is None or self._custody.begun(folder):
            return
        files = [path for path in folder.package.iterdir() if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        try:
            heard = tuple(self._heard(folder.request))
        except SQLAlchemyError as error:
            log.warning("footage_links_unknown", request=folder.request.id, why=str(error).splitlines()[0])
            heard = ()
        self._note(folder, "received", f"{len(files)} files, {size} bytes", heard)

    def _note(self, folder: RequestFolder, act: Act, detail: str, heard: tuple[HeardLink, ...] = ()) -> None:
        if self._custody is None:
            return
        try:
            self._custody.note(folder, act, STATION, detail, heard)
        except NgatuError as error:
            log.warning("custody_not_signed", request=folder.request.id, why=error.what, hint=error.hint)

    def _station_key(self) -> Ed25519PublicKey | None:
        try:
            return self._custody.public() if self._custody is not None else None
        except NgatuError:
            return None  # told when it was to sign

    def _decrypt(self, package: Path) -> str | None:
        """Make the files that can be played; why that could not be."""
        try:
            identity = identities.read(self._identity)
        except NgatuError as error:
            return error.what
        if identity is None:
            return tr("encrypted: this station has no key yet; `ngatu station footage-key` makes one")
        try:
            for name, parts in _runs((package / MANIFEST).read_bytes()).items():
                if not (package / name).exists():
                    _play(package, name, parts, identity)
        except CannotDecrypt as error:
            return error.what
        return None


def _assemble(folder: RequestFolder) -> None:
    spool = Spool(folder.pieces)
    files = listed(b"".join(spool.read(MANIFEST)))
    assert files is not None, "the intake has read it"
    spool.keep_only(files | {name: sum(spool.sizes(name).values()) for name in (MANIFEST, SIGNATURE)})
    new = folder.path / "package.new"
    remove(new)
    new.mkdir(mode=0o750)
    for name in (MANIFEST, SIGNATURE, *files):
        with (new / name).open("wb") as file:
            for piece in spool.read(name):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(new)
    new.rename(folder.package)
    sync_folder(folder.path)


def _tidy(folder: RequestFolder) -> None:
    """What plays need not lie there encrypted, too; the pieces go last: with them, this is still to be done."""
    state = folder.state()
    if state.verdict == PackageVerdict.AUTHENTIC and state.detail is None:  # with a detail it is not decrypted
        for cipher in folder.package.glob("footage-*.age"):
            cipher.unlink()
        sync_folder(folder.package)
    with suppress(FileNotFoundError):
        folder.pieces.unlink()


def _runs(manifest: bytes) -> Mapping[str, Sequence[str]]:
    """Each file that can be played, and the encrypted ones of which it is made, in their order."""
    runs: defaultdict[int, list[int]] = defaultdict(list)
    for part in json.loads(manifest)["parts"]:
        runs[part["run"]].append(part["number"])
    return {
        f"footage-{run}.mp4": [f"footage-{run}-{number:05d}.age" for number in sorted(numbers)]
        for run, numbers in runs.items()
    }


def _play(package: Path, name: str, parts: Sequence[str], identity: str) -> None:
    new = package.parent / f".{name}.new"
    with new.open("wb") as file:
        for part in parts:
            file.write(decrypt((package / part).read_bytes(), identity))
        file.flush()
        os.fsync(file.fileno())
    new.replace(package / name)
    sync_folder(package)


def _end_unjudged(folder: PackageFolder) -> None:
    """Whoever waits for it is told (invariant 5); where the disk does not take that, the next life does it."""
    stage = FootageStage.COMPLETE if folder.package.is_dir() else FootageStage.FAILED
    with suppress(OSError):
        folder.tell(stage=stage, verdict=UNJUDGED, detail=tr("not judged: {why}", why=_OURS))


def _judged(folder: RequestFolder, station: Ed25519PublicKey | None) -> tuple[Judgement | None, str | None]:
    """The verifier's word, kept beside the package (invariant 2); or why there is none."""
    if not folder.key.exists():
        return None, tr("not judged: the box had told no key for its packages when it was asked")
    try:
        judgement = judge(folder.package, public_key(folder.key), station, at_station=True)
    except NgatuError as error:
        return None, error.what
    except OSError:
        raise  # invariant 3
    except Exception:  # of what a stranger wrote (invariant 5)
        log.exception("footage_failed", folder=str(folder.path))
        return None, tr("not judged: {why}", why=_OURS)
    lines = [str(judgement.verdict), *_words(judgement), *judgement.notes]
    write_whole(folder.path / "verdict.txt", "".join(f"{line}\n" for line in lines).encode())
    return judgement, None


def _words(judgement: Judgement) -> list[str]:
    return [f"{finding.file}: {finding.text}" for finding in judgement.findings[:20]]


_OURS: Final = tr("a fault of ngatu, told in the station's log; the package is kept as it came")
