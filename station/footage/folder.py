"""The folder of one request for footage: who asked and why, how far it is, and the package once it is whole.

Frames for training that were ordered lie in folders of the same kind (samples/folder.py).

    <state_dir>/footage/<box>/<request id>/
        request.json    written before the order goes out, never changed: what is not asked for is not taken
        box.pub         the box's public key for packages, as it was known then
        order           the order as it went out, to be sent again word for word (ask.py)
        state.json      how far it is, replaced whole
        pieces          what has come of it (spool.py); gone once the package is whole
        package/        the package, to be handed over: manifest, signature, footage

Invariants
1. No name from a box makes a path that was not there: a box and a request are looked up, never made.
2. request.json is on disk before the order goes out.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.settings.base import Name
from agent.wire.payloads import Text, Time, Whole
from agent.wire.pieces import FILE_PATTERN

FOOTAGE: Final = "footage"
"""The folder of all requests in a station's state_dir."""
PACKAGE: Final = "package"
F = TypeVar("F", bound="PackageFolder")
R = TypeVar("R", bound="PackageRequest")
_ID: Final = re.compile(FILE_PATTERN)
_DEVICE: Final = re.compile(r"[a-z0-9-]{2,32}")


class FootageStage(StrEnum):
    """How far a request is, as the station knows it."""

    ASKED = "asked"
    """The order went out, or was about to; the box has not answered."""
    REQUESTED = "requested"
    """The box has noted it, and holds the range."""
    SENDING = "sending"
    ARRIVED = "arrived"
    """Every piece is here."""
    COMPLETE = "complete"
    """Put together, and verified as far as that is possible."""
    REFUSED = "refused"
    FAILED = "failed"
    RELEASED = "released"
    DELETED = "deleted"
    """It was here, and went by its age."""


CLOSED: Final = (
    FootageStage.ARRIVED,
    FootageStage.COMPLETE,
    FootageStage.REFUSED,
    FootageStage.FAILED,
    FootageStage.RELEASED,
    FootageStage.DELETED,
)
"""What comes of such a request is receipted and not kept."""


class PackageRequest(BaseModel):
    """Of which box something was asked, by whom and why."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, serialize_by_alias=True)

    id: str = Field(pattern=f"^{FILE_PATTERN}$")
    commune: Name
    device: Name
    purpose: Text
    officer: Text
    issuer: Text
    asked_at: Time


class FootageRequest(PackageRequest):
    """What was asked for, by whom and why."""

    camera: Name
    from_time: Time = Field(alias="from")
    to_time: Time = Field(alias="to")
    case_number: Text


class FootageState(BaseModel):
    """How far it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: FootageStage = FootageStage.ASKED
    detail: Text | None = None
    """Why, or what it waits for, in words."""
    size_bytes: Whole | None = None
    """Of the package, once its manifest is here or the box has told."""
    arrived_bytes: Whole = 0
    verdict: Text | None = None
    """The verifier's word."""
    changed_at: Time | None = None


@dataclass(frozen=True, slots=True)
class PackageFolder:
    """The folder of one request, for footage or for frames."""

    path: Path
    request: PackageRequest

    @property
    def pieces(self) -> Path:
        """What has come of it."""
        return self.path / "pieces"

    @property
    def package(self) -> Path:
        """The package, once it is whole."""
        return self.path / PACKAGE

    @property
    def key(self) -> Path:
        """The box's public key for packages, PEM; absent where the box had told none."""
        return self.path / "box.pub"

    def state(self) -> FootageState:
        """How far it is."""
        try:
            return FootageState.model_validate_json((self.path / "state.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return FootageState()

    def tell(self, **changed: Any) -> FootageState:
        """Note what has changed; of a request that is closed it is on disk when this returns.

        Raises:
            OSError: it cannot be written.
        """
        before = self.state()
        state = replace_fields(before, **changed)
        if state != before:
            state = replace_fields(state, changed_at=datetime.now(UTC))
            data = state.model_dump_json(indent=1).encode()
            write_whole(self.path / "state.json", data, sync=state.stage in CLOSED)
        return state


@dataclass(frozen=True, slots=True)
class RequestFolder(PackageFolder):
    """One request for footage."""

    request: FootageRequest

    @property
    def order(self) -> Path:
        """The order as it went out, or was about to."""
        return self.path / "order"


@dataclass(slots=True)
class PackageFolders(ABC, Generic[F]):
    """All requests of a station of one kind."""

    root: Path
    _known: dict[tuple[str, str], F] = field(default_factory=dict)

    @abstractmethod
    def opened(self, path: Path) -> F | None:
        """The request whose folder this is; None: it is none."""

    def find(self, device: str, request_id: str) -> F | None:
        """The folder of a request of this station; None: nobody asked (invariant 1)."""
        known = self._known.get((device, request_id))
        if known is not None:
            return known
        if not _DEVICE.fullmatch(device) or not _ID.fullmatch(request_id):
            return None
        found = self.opened(self.root / device / request_id)
        if found is None or (found.request.device, found.request.id) != (device, request_id):
            return None
        if len(self._known) > 1000:
            self._known.clear()
        self._known[device, request_id] = found
        return found

    def new(self, request: PackageRequest, key_pem: bytes | None) -> F:
        """Make the folder of a request (invariant 2).

        Raises:
            OSError: it cannot be made, or is there already.
        """
        owner = _owner(self.root.parent)
        for folder in (self.root, self.root / request.device):
            if not folder.is_dir():
                folder.mkdir(mode=0o750)
                _give(folder, owner)
        folder = self.root / request.device / request.id
        folder.mkdir(mode=0o750)
        _give(folder, owner)
        if key_pem is not None:
            write_whole(folder / "box.pub", key_pem, owner=owner)
        write_whole(folder / "request.json", request.model_dump_json(indent=1).encode(), owner=owner)
        for each in (folder, folder.parent, self.root):
            sync_folder(each)
        made = self.opened(folder)
        assert made is not None, "it was written just now"
        return made

    def every(self) -> Iterator[F]:
        """All requests, oldest first."""
        found = []
        with suppress(FileNotFoundError):
            for device in sorted(entry.name for entry in os.scandir(self.root) if entry.is_dir()):
                for entry in os.scandir(self.root / device):
                    each = self.find(device, entry.name)
                    if each is not None:
                        found.append(each)
        return iter(sorted(found, key=lambda each: (each.request.asked_at, each.request.id)))


class FootageFolder(PackageFolders[RequestFolder]):
    """All requests for footage of a station."""

    def opened(self, path: Path) -> RequestFolder | None:
        """The request for footage whose folder this is; None: it is none."""
        request = read_request(path, FootageRequest)
        return None if request is None else RequestFolder(path, request)


def replace_fields(state: FootageState, **changed: Any) -> FootageState:
    """The state with some fields changed."""
    return FootageState.model_validate({**state.model_dump(), **changed})


def write_whole(
    path: Path,
    data: bytes,
    *,
    sync: bool = True,
    owner: tuple[int, int] | None = None,
    new: Path | None = None,
    like: Path | None = None,
) -> None:
    """Put a file in place whole, so that nobody ever sees half of it; `new` is where it lies until it is whole.

    It belongs to `owner`, or to whom `like` belongs, where an administrator writes it.

    Raises:
        OSError: it cannot be written.
    """
    new = new or path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    owner = owner or (None if like is None else _owner(like))
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640), "wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())
    _give(new, owner)
    new.replace(path)
    if sync:
        sync_folder(path.parent)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else who asks for it has the lock of this folder meanwhile, in whatever process.

    Raises:
        OSError: it cannot be locked.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def remove(folder: Path) -> None:
    """Remove a folder of ours and all that is in it, if it is there."""
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def read_request(folder: Path, kind: type[R]) -> R | None:
    """What stands in a folder's request.json; None: it cannot be read, or is of another kind."""
    try:
        return kind.model_validate_json((folder / "request.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _owner(state_dir: Path) -> tuple[int, int] | None:
    """Whose the station's folder is, where an administrator asks in his own name."""
    if os.geteuid() != 0:
        return None
    found = state_dir.stat()
    return found.st_uid, found.st_gid


def _give(path: Path, owner: tuple[int, int] | None) -> None:
    if owner is not None:
        os.chown(path, *owner)


def give_as(path: Path, other: Path) -> None:
    """Have a file belong to whom another belongs, where an administrator made it."""
    _give(path, _owner(other))


def sync_folder(folder: Path) -> None:
    """The names in a folder are on disk when it returns."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
