"""Takes frames for training away from a box on a stick, beside the agent that goes on collecting.

What lies on the box in the clear becomes a data set at once. What is encrypted to the station's key is copied
as it is, for the box cannot read it: `opened` makes the data set of it where that key is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.commands import on_site
from agent.config.schema import Config
from agent.errors import FootageError, NgatuError, UsageError
from agent.evidence.encryption import decrypt, public_key
from agent.evidence.samples.sample import MAX_BYTES, SEALED, SampleName, name_of, unpacked
from agent.evidence.samples.store import FOLDER
from agent.tools.sample_dataset import SampleDataset
from agent.translatable import tr

SEALED_FOLDER: Final = "sealed"


@dataclass(frozen=True, slots=True)
class LyingSample:
    """A frame that lies in a folder."""

    name: SampleName
    path: Path

    @property
    def sealed(self) -> bool:
        """Whether it is encrypted."""
        return self.path.name.endswith(SEALED)


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    frames: int
    sealed: bool
    """Encrypted as on the box: no data set yet."""
    left_out: tuple[str, ...]
    """Names of files that could not be read, and why."""


def lying(folder: Path, since_s: float = 0.0) -> list[LyingSample]:
    """The frames in a folder that were taken since then, oldest first; none where it is not there.

    Raises:
        NgatuError: it may not be looked into.
    """
    try:
        with os.scandir(folder) as entries:
            named = [(name_of(each.name), folder / each.name) for each in entries if each.is_file()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NgatuError(
            tr("{folder}: {reason}", folder=folder, reason=error.strerror or error),
            tr("do it as the agent's user or with sudo"),
        ) from None
    found = [LyingSample(name, path) for name, path in named if name is not None]
    return sorted(
        (each for each in found if each.name.taken_ms >= since_s * 1000),
        key=lambda each: (each.name.taken_ms, each.name.id),
    )


def export(config: Config, folder: Path, since_s: float, officer: str | None) -> Exported:
    """Make the folder with the frames that were taken since then; noted in the audit log before and after.

    Raises:
        UsageError: there is something already, or no folder for it.
        NgatuError: there are none, or they cannot be noted, read or written.
    """
    found = lying(config.state_dir / FOLDER, since_s)
    if not found:
        raise NgatuError(
            tr("there are no frames for training"),
            tr("samples.enabled is false, or nothing was worth it yet: `ngatu samples list`"),
        )
    asked: dict[str, Any] = {"frames": len(found), "folder": str(folder.absolute())}
    purpose = config.samples.purpose or None
    with (
        _made(folder),
        on_site.noted(config.state_dir, "samples", asked, officer=officer, purpose=purpose) as left,
    ):
        sealed = any(each.sealed for each in found)
        done = _copied(found, folder) if sealed else _written(found, folder, None)
        left |= {"frames": done.frames, "left_out": len(done.left_out), "sealed": done.sealed}
    return done


def opened(sealed: Path, folder: Path, identity: str | None) -> Exported:
    """Make the folder with the data set of what an export of a box left encrypted, or a station had sent.

    Raises:
        UsageError: there is something already, or no folder for it, or nothing to open, or no key for it.
        CannotDecrypt: this is no identity.
        NgatuError: it cannot be written, or none can be decrypted with this identity.
    """
    if identity is not None:
        public_key(identity)
    found = lying(sealed / SEALED_FOLDER) or lying(sealed)
    if not found:
        raise UsageError(
            tr("{folder}: there are no frames to open in it", folder=sealed),
            tr("name the folder that `ngatu samples export` made, or `ngatu station samples`"),
        )
    if identity is None and any(each.sealed for each in found):
        raise UsageError(
            tr("{folder}: the frames in it are encrypted", folder=sealed),
            tr("--key: name the file of the station's key for footage"),
        )
    with _made(folder):
        done = _written(found, folder, identity)
        if not done.frames:
            raise NgatuError(
                tr("none of {count} frames could be opened: {why}", count=len(found), why=done.left_out[0]),
                tr("take the key of the station for which the box recorded"),
            )
    return done


def _written(found: list[LyingSample], folder: Path, identity: str | None) -> Exported:
    dataset, left_out = SampleDataset(folder), []
    for each in found:
        try:
            data = _read(each.path)
            if data is None:
                continue
            if each.sealed:
                data = decrypt(data, identity or "")
            dataset.add(*unpacked(data))
        except FootageError as error:
            left_out.append(f"{each.path.name}: {error.what}")
    dataset.finish()
    return Exported(dataset.pictures, False, tuple(left_out))


def _copied(found: list[LyingSample], folder: Path) -> Exported:
    (folder / SEALED_FOLDER).mkdir()
    frames, left_out = 0, []
    for each in found:
        try:
            data = _read(each.path)
        except FootageError as error:
            left_out.append(f"{each.path.name}: {error.what}")
            continue
        if data is not None:
            (folder / SEALED_FOLDER / each.path.name).write_bytes(data)
            frames += 1
    os.sync()  # a stick is pulled out as soon as the command ends
    return Exported(frames, True, tuple(left_out))


def _read(path: Path) -> bytes | None:
    """None: it has gone meanwhile, for the agent is at work.

    Raises:
        FootageError: it is larger than any of ours.
        OSError: it cannot be read.
    """
    with suppress(FileNotFoundError), path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise FootageError(tr("it is larger than any frame for training"), tr("it is left out"))
        return data
    return None


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """A new folder, which is gone again if it could not be filled."""
    if folder.exists():
        raise UsageError(
            tr("{folder}: is there already", folder=folder), tr("name a folder that is to be made")
        )
    if not folder.parent.is_dir():
        raise UsageError(tr("there is no folder {folder}", folder=folder.parent), tr("is the stick mounted?"))
    try:
        folder.mkdir(mode=0o700)
        try:
            yield
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # half a data set is none
            raise
    except OSError as error:
        raise NgatuError(
            tr("{folder}: {reason}", folder=error.filename or folder, reason=error.strerror or error),
            tr("look at the rights, and at the room that is left there"),
        ) from None
