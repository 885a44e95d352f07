"""Hands frames for training over to the station that ordered them, behind everything else.

ask  in the commands' thread: which frames is fixed and noted; they are held
run  a thread of its own, which gives way: their list is made and signed, they are sent (footage/sending.py)

Invariants
1. Which frames an order takes is on disk before it is answered, and never changes: what comes later is of the
   next order.
2. One order at a time: no frame is on its way twice.
3. A frame goes as it lies on the disk, encrypted or not; the box makes no copy.
4. An order breaks no age: a frame that goes by it before it was sent is left out, counted and told.
5. That the station has them stands in the audit log before the order ends.
6. Footage goes first: while some is on its way, no frame is put beside it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.clock import FlooredClock
from agent.core.types import Instant
from agent.errors import FootageError, NgatuError
from agent.evidence.clips.files import PackageFile
from agent.evidence.clips.in_flight import PackageInFlight
from agent.evidence.clips.requests import ClipRequest, ClipRequests, ClipState, NotedClip
from agent.evidence.package.manifest import MANIFEST, SIGNATURE
from agent.evidence.samples.package import FrameEntry, SampleManifest, SampleOrder, file_of, manifest_bytes
from agent.evidence.samples.store import SampleStore, StoredSample
from agent.host.supervise import Beat, OutageLog, Stop
from agent.outbox.outbox import Outbox
from agent.translatable import tr
from agent.wire.codec import moment
from agent.workers.footage.sending import PackageSender, driven
from agent.workers.samples.collector import NICEST

log = structlog.get_logger(__name__)

MOST_WAITING: Final = 32
"""Pieces in the outbox at one time, half a megabyte: so much a clip that is ordered meanwhile waits for."""
BUSY_S: Final = 0.5
QUIET_S: Final = 10.0


class SampleHandover:
    """Everything between the order for frames and the receipt of the last piece of them."""

    def __init__(
        self,
        requests: ClipRequests,
        store: SampleStore | str,
        box: tuple[str, str],
        key: Ed25519PrivateKey,
        outbox: Outbox,
        clock: FlooredClock,
        note: Callable[[ClipRequest, int, int], bool],
        footage_sends: Callable[[], bool] = lambda: False,
    ) -> None:
        """`store` may be why no frame leaves by order; `box` is commune and device.

        `note` writes into the audit log that the station has so many frames, and so many are left out; it says
        whether it could. `footage_sends` says whether footage is on its way.
        """
        self._requests, self._store, self._box, self._key = requests, store, box, key
        self._clock, self._note = clock, note
        self._sender = PackageSender(
            requests, self, outbox, clock, MOST_WAITING, may_put=lambda: not footage_sends()
        )
        self._wake = threading.Event()
        self._outage = OutageLog("frames ordered")
        self._held_for: frozenset[str] = frozenset()
        self._hold()  # before anything else can make room

    # --------------------------------------------------------------------------------------------- the commands

    def ask(self, request: ClipRequest, most: int) -> dict[str, Any]:
        """Fix, note and hold the frames of an order; how many, for the answer. The same id changes nothing.

        Raises:
            NgatuError: there are none, another order is on its way, or it cannot be noted.
        """
        store = self._there()
        known = self._requests.find(request.id)
        if known is not None:
            return {"frames": len(_frames(self._requests.package(request.id).files))}
        if others := self._requests.open():
            raise NgatuError(
                f"order {others[0].request.id} for frames is on its way: wait until it is there, or release it"
            )
        found = store.samples(request.from_s)
        files = _listed(_best(found, most), store)
        if not files:
            raise NgatuError("there are no frames for training" + _since(request))
        self._requests.note(request, files)
        self._hold()
        self._wake.set()
        return {
            "frames": len(files),
            "of": len(found),
            "size_bytes": _total(files),
            "encrypted": store.sealed,
        }

    def knows(self, request_id: str) -> bool:
        """Whether this was an order for frames.

        Raises:
            FootageError: what was ordered cannot be read.
        """
        return self._requests.find(request_id) is not None

    def release(self, request_id: str, issuer: str) -> dict[str, Any]:
        """End an order: what was not sent stays here, as if nobody had ordered it.

        Raises:
            NgatuError: there is no such order, or it cannot be noted.
        """
        with self._sender.lock:
            before = self._requests.release(request_id, f"by {issuer}")
            self._sender.forget(request_id)
        if before is None:
            raise NgatuError(f"there is no request {request_id!r}")
        self._sender.withdraw(request_id)
        self._wake.set()
        return {"was": str(before.state)}

    # ------------------------------------------------------------------------------------------------- the loop

    def run(self, stop: Stop, beat: Beat) -> None:
        """List and send until `stop` is set. What an earlier life left goes on."""
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICEST)
        driven(stop, beat, self._wake, self.turn, self._outage)

    def turn(self, beat: Beat) -> float:
        """List what was ordered, send what fits, tell what has changed; seconds until it is worth while again.

        Raises:
            FootageError, OutboxError: a disk does not take it; what is done is noted.
        """
        for noted in self._requests.open():
            beat()
            if isinstance(self._store, str):
                self._sender.end(noted.request, ClipState.FAILED, self._store)
            elif noted.state is ClipState.REQUESTED:
                self._pack(noted.request, self._store, beat)
            else:
                self._sender.begin(noted)
        self._sender.turn(beat)
        self._hold()
        return BUSY_S if self._sender.any else QUIET_S

    def _pack(self, request: ClipRequest, store: SampleStore, beat: Beat) -> None:
        """Make the list of the frames that are still there, sign it, and send from now on."""
        entries: list[FrameEntry] = []
        for file in self._requests.package(request.id).files:
            beat()
            if file.frame is None:
                continue
            try:
                data = _bytes_of(store, file)
            except FootageError:
                continue  # it went meanwhile (invariant 4)
            name = file_of(len(entries) + 1, file.frame)
            entries.append(FrameEntry(name, file.frame, len(data), sha256(data).hexdigest()))
        if not entries:
            self._sender.end(request, ClipState.FAILED, "the frames went by their age before they were sent")
            return
        data = manifest_bytes(self._manifest(request, entries))
        signature = self._key.sign(data)
        files = [PackageFile(MANIFEST, len(data), data), PackageFile(SIGNATURE, len(signature), signature)]
        files += [PackageFile(each.file, each.bytes, None, frame=each.name) for each in entries]
        if self._requests.cut(request.id, files):  # else it was released meanwhile
            self._wake.set()
            log.info("samples_listed", request=request.id, frames=len(entries))

    def _manifest(self, request: ClipRequest, entries: Sequence[FrameEntry]) -> SampleManifest:
        commune, device = self._box
        order = SampleOrder(
            id=request.id,
            since=datetime.fromtimestamp(int(request.from_s), UTC) if request.from_s else None,
            purpose=request.purpose,
            officer=request.officer,
            issuer=request.issuer,
            command_sha256=request.command_sha256,
            audit_line=request.audit_line,
        )
        return SampleManifest(commune, device, moment(self._clock.now()), order, tuple(entries))

    def _hold(self) -> None:
        """Exactly what is still to be sent makes no room for other frames."""
        ids = frozenset(noted.request.id for noted in self._requests.open())
        if isinstance(self._store, str) or ids == self._held_for:
            return
        files = [file for request_id in ids for file in self._requests.package(request_id).files]
        self._store.hold([file.frame for file in files if file.frame is not None])
        self._held_for = ids

    def _there(self) -> SampleStore:
        if isinstance(self._store, str):
            raise NgatuError(self._store)
        return self._store

    # ------------------------------------------------------------------------------ what is asked while sending

    def read(self, file: PackageFile) -> bytes:
        """The bytes of a file of an order.

        Raises:
            FootageError: the frame is gone.
        """
        if file.body is not None:
            return file.body
        return _bytes_of(self._there(), file)

    def arrived(self, sending: PackageInFlight) -> None:
        """The station has what there was of it (invariant 5).

        Raises:
            FootageError: the audit log cannot be written now.
        """
        files = _frames(self._requests.package(sending.request.id).files)
        gone = [file for file in files if file.gone]
        if not self._note(sending.request, len(files) - len(gone), len(gone)):
            raise FootageError(
                tr("the audit log cannot be written"), tr("look at the disk: full, or read-only?")
            )

    def goes_without(self, sending: PackageInFlight, file: PackageFile) -> bool:
        """Yes: each frame is worth something by itself (invariant 4)."""
        self._requests.lose(sending.request.id, file.name)
        log.warning(
            "sample_gone", request=sending.request.id, frame=file.frame, hint="by its age; it is left out"
        )
        return True

    def waits_for(self, _noted: NotedClip) -> str:
        """For what an order waits that is not listed yet."""
        return "the list of its frames is being made"

    def ended(self, request: ClipRequest, why: str | None) -> None:
        """It is sent, or will not be for this reason."""
        if why is None:
            log.info("samples_sent", request=request.id)
        else:
            log.warning("samples_not_sent", request=request.id, why=why)


def _best(found: Sequence[StoredSample], most: int) -> list[StoredSample]:
    """Those that teach most, of equals the newest; given oldest first, for these go first by their age."""
    best = sorted(found, key=lambda each: (-each.name.worth, -each.name.taken_ms))[:most]
    return sorted(best, key=lambda each: (each.name.taken_ms, each.name.id))


def _listed(samples: Sequence[StoredSample], store: SampleStore) -> list[PackageFile]:
    files: list[PackageFile] = []
    for each in samples:
        with suppress(OSError):  # it has gone meanwhile
            size = store.path(each.file).stat().st_size
            files.append(PackageFile(file_of(len(files) + 1, each.file), size, None, frame=each.file))
    return files


def _bytes_of(store: SampleStore, file: PackageFile) -> bytes:
    if file.frame is None:  # a life before this one found it gone, and ended before that was noted as sent
        raise FootageError(tr("{file}: it is not there any more", file=file.name))
    try:
        data = store.path(file.frame).read_bytes()
    except OSError as error:
        raise FootageError(tr("{file}: {reason}", file=file.frame, reason=error.strerror or error)) from None
    if len(data) != file.size_bytes:
        raise FootageError(tr("{file}: it is not what it was", file=file.frame))
    return data


def _frames(files: Sequence[PackageFile]) -> list[PackageFile]:
    return [file for file in files if file.name not in (MANIFEST, SIGNATURE)]


def _total(files: Sequence[PackageFile]) -> int:
    return sum(file.size_bytes for file in files)


def _since(request: ClipRequest) -> str:
    if not request.from_s:
        return ""
    return f" taken since {moment(Instant(0.0, request.from_s)).isoformat(timespec='seconds')}"
