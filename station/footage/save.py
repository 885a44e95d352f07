"""Writes a package as one file to hand over: whole and signed for, or not at all."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from errno import EISDIR
from pathlib import Path

from agent.errors import NgatuError
from agent.evidence.package.manifest import CUSTODY
from agent.translatable import tr
from station.footage.custody import CustodyBook
from station.footage.folder import PACKAGE, FootageStage, RequestFolder


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What lies beside the package in the file that is handed over."""

    top: str
    """The folder in which all of it lies; the package is its folder `package`."""
    files: Mapping[str, bytes]
    """By their names in that folder."""
    detail: str
    """What the custody log says of it."""


def save(
    folder: RequestFolder,
    file: Path,
    custody: CustodyBook,
    by: str,
    to: str | None,
    beside: Enclosed | None = None,
) -> None:
    """Write the package as one file to hand over; that it is, by whom and `to` whom, is signed in it.

    The station's own log says so before the file has its name, and does not where it could not be written.

    Raises:
        NgatuError: it is not here yet, or cannot be written or signed.
    """
    if folder.state().stage is not FootageStage.COMPLETE:
        raise NgatuError(
            tr("{id}: the package is not here yet", id=folder.request.id),
            tr("`ngatu clip --list` says how far it is"),
        )
    if file.is_dir():
        raise NgatuError(tr("{file}: {reason}", file=file, reason=os.strerror(EISDIR)))
    new = file.with_name(f".{file.name}.new")
    detail = f"to {to}, as {file.name}" if to else f"as {file.name}"
    if beside is not None:
        detail += f": {beside.detail}"
    try:
        with custody.adding(folder, "handed_over", by, detail) as log:
            _write_archive(folder, new, log, beside)
        new.replace(file)
    except BaseException as error:  # also where whoever waits gives up: nothing half stays on the stick
        with suppress(OSError):
            new.unlink()
        if isinstance(error, OSError):
            raise NgatuError(tr("{file}: {reason}", file=file, reason=error.strerror or error)) from error
        raise


def _write_archive(folder: RequestFolder, path: Path, log: bytes, beside: Enclosed | None) -> None:
    """The package as it stands, with this custody log; it is on disk when it returns."""
    names = {each.name for each in folder.package.iterdir()} | {CUSTODY}
    folder_name = folder.request.id if beside is None else beside.top
    top = folder_name if beside is None else f"{folder_name}/{PACKAGE}"
    with path.open("wb") as file:
        # Stored: footage does not get smaller. A machine whose clock stands in 1970 hands over, too.
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
            for name, data in beside.files.items() if beside else ():
                archive.writestr(f"{folder_name}/{name}", data)
            for name in sorted(names):
                within = f"{top}/{name}"
                if name == CUSTODY:
                    archive.writestr(within, log)
                else:
                    archive.write(folder.package / name, within)
        file.flush()
        os.fsync(file.fileno())
