"""A hand-over as one ZIP file: the package as it was signed, films that play, the report, and how to verify it.

    NAME/HUONG-DAN.txt, NAME/INSTRUCTIONS.txt    how to verify it
    NAME/report.pdf                              to be printed and signed; its sha256 stands in the custody log
    NAME/keys/BOX.pub, NAME/keys/station.pub     public keys; the report has their fingerprints on paper
    NAME/ngatu-verify.pyz                        the verifier, one file
    NAME/package/                                manifest, signature, films, custody log

Invariants
1. It is there whole or not at all, and the custody log says that it was handed over only where it is.
2. Nothing is handed over that was not judged, or is not worth any more what it was when it came.
3. Films go from disk to disk in blocks, however large; names in it are plain ASCII.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from agent.errors import NgatuError
from agent.printable import printable
from agent.translatable import tr
from station.footage.custody import CustodyBook, pem
from station.footage.folder import RequestFolder
from station.footage.save import Enclosed, save
from station.footage.words import VERDICTS
from station.handover.dossier import Dossier, PlaceNames, dossier_of, file_sha256, films
from station.handover.guide import NAMES, REPORT, STATION_KEY, VERIFIER, guide
from station.handover.report import HandOver, report

_PLAIN: Final = re.compile(r"[^a-z0-9]+")
LONGEST_NAME: Final = 80
_MAKES_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What was made."""

    file: Path
    bytes: int
    sha256: str
    dossier: Dossier


def archive_name(folder: RequestFolder, at: datetime) -> str:
    """What the file is called, without its ending: case, box, camera, when the footage begins (`at`, local)."""
    request = folder.request
    words = ("ngatu", request.case_number, request.device, request.camera, f"{at:%Y%m%d-%H%M}")
    return "-".join(filter(None, map(_ascii, words)))[:LONGEST_NAME].strip("-")


def hand_over(
    folder: RequestFolder, into: Path, custody: CustodyBook, names: PlaceNames, what: HandOver
) -> HandedOver:
    """Make the ZIP file in the folder `into`; what is there under its name is replaced.

    Raises:
        NotJudged: the package is not here, or nobody knows what it is worth.
        NgatuError: it is not what it was, cannot be played, or cannot be written or signed.
    """
    dossier = dossier_of(folder, custody, names)
    _refuse_changed(folder, dossier)
    top = archive_name(folder, folder.request.from_time.astimezone(what.at.tzinfo))
    paper = report(dossier, what)
    key_file = f"keys/{dossier.request.device}.pub"
    fingerprints = dossier.box_key_sha256, dossier.station_key_sha256
    files = {name: guide(key_file, *fingerprints, language) for language, name in NAMES.items()}
    files |= {
        REPORT: paper,
        key_file: folder.key.read_bytes(),
        STATION_KEY: pem(custody.public()),
        VERIFIER: _verifier(),
    }
    file = into / f"{top}.zip"
    said = f"{dossier.judgement.verdict}; report {sha256(paper).hexdigest()}"
    save(folder, file, custody, what.by, printable(what.to or ""), Enclosed(top, files, said))
    return HandedOver(file, file.stat().st_size, file_sha256(file), dossier)


def _refuse_changed(folder: RequestFolder, dossier: Dossier) -> None:
    """Invariant 2.

    Raises:
        NgatuError: the package is worth less, or more, than when it came; or only the station's key plays it.
    """
    before, now = folder.state().verdict or "", str(dossier.judgement.verdict)
    if before != now:
        raise NgatuError(
            tr(
                "the package is not what it was: {before} when it came, {now} now",
                before=VERDICTS.get(before, before),
                now=VERDICTS.get(now, now),
            ),
            tr("look at the disk and at who has been at this machine, and ask the box for the footage again"),
        )
    manifest = dossier.judgement.manifest
    if manifest is not None and any(films(manifest)) and not dossier.films:
        raise NgatuError(
            tr("the footage is still encrypted, and nobody could play it"),
            tr("`ngatu station footage-key` says which key this station has; {detail}", detail=_why(folder)),
        )


def _why(folder: RequestFolder) -> str:
    return folder.state().detail or ""


@cache
def _verifier() -> bytes:
    """The one file of `make verifier`; in a process of its own, for it holds what is loaded there."""
    with tempfile.TemporaryDirectory(prefix="ngatu-") as folder:
        path = Path(folder) / VERIFIER
        # It finds what we find, and nothing that lies in the current folder.
        command = [sys.executable, "-P", "-m", "verifier.single_file", str(path)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=_MAKES_S, env=env)  # noqa: S603
            return path.read_bytes()
        except (OSError, subprocess.SubprocessError) as error:
            raise NgatuError(tr("the verifier's file could not be made: {error}", error=error)) from error


def _ascii(text: str) -> str:
    """Letters without their marks, lower case, everything else a hyphen."""
    apart = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    return _PLAIN.sub("-", "".join(each for each in apart if not unicodedata.combining(each))).strip("-")
