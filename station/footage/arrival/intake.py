"""Pieces of footage as they come from the boxes: taken only of what this station asked for, as it was listed.

Invariants
1. A piece is receipted when it is on disk (spool.py), or when nobody needs it any more.
2. A piece of a request that this station did not make is no footage: it is unreadable, and counts as that.
3. A box can make nothing larger than `max_bytes` of one request (arriving.py), and of its manifest only names
   and lengths are believed here: what it is worth is the verifier's word (desk.py).
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import structlog

from agent.translatable import tr
from agent.wire import pieces
from agent.wire.channels import MessageKind
from agent.wire.payloads import AckBody, EvidenceBody
from agent.wire.topics import read as read_topic
from station.footage.arrival.arriving import LATER, Arriving
from station.footage.arrival.listing import MANIFEST, SIGNATURE
from station.footage.arrival.spool import Spool, SpooledPiece
from station.footage.folder import CLOSED, FOOTAGE, FootageFolder, FootageStage, PackageFolder
from station.footage.samples.folder import SAMPLES, SampleFolder, SampleFolders
from station.ingest.inbound import InboundMessage

log = structlog.get_logger("station.footage.arrival.intake")

OPEN_AT_ONCE: Final = 32
MOST_PIECES: Final = 1_000_000
"""Of more requests than that no more pieces are known at one time: 15 GB of footage, some 200 MB of memory."""


@dataclass(slots=True)
class FootageIntake:
    """Takes in pieces, in the thread that commits; `arrived` is called with each request that is whole."""

    state_dir: Path
    max_bytes: int
    arrived: Callable[[PackageFolder], None] = lambda _: None
    folders: FootageFolder = field(init=False)
    samples: SampleFolders = field(init=False)
    _arriving: OrderedDict[tuple[str, str], Arriving] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.folders = FootageFolder(self.state_dir / FOOTAGE)
        self.samples = SampleFolders(self.state_dir / SAMPLES)

    def resume(self) -> None:
        """Go on with what an earlier life of the station left.

        Raises:
            OSError: what is there cannot be read.
        """
        for folder in (*self.folders.every(), *self.samples.every()):
            stage = folder.state().stage
            if stage not in CLOSED and folder.package.is_dir():  # its state was not on disk when the power went
                stage = folder.tell(stage=FootageStage.ARRIVED).stage
            half_tidied = stage is FootageStage.COMPLETE and folder.pieces.exists()
            if stage is FootageStage.ARRIVED or half_tidied:
                self.arrived(folder)
            elif stage not in CLOSED:
                known = self._open(folder)
                if known is not None and known.spool.bytes:
                    self._progress(known)

    def judged(self, message: InboundMessage) -> InboundMessage | None:
        """The message, with its problem if it is no piece of what was asked for; None: not now, it comes again.

        Raises:
            OSError: what is there cannot be read.
        """
        if message.kind is not MessageKind.CHUNK or message.problem is not None:
            return message
        names = _names(message)
        folder = self._find(message.device, names["request_id"])
        if folder is None:
            return replace(message, problem=f"nobody here asked for footage {names['request_id']}")
        known = self._open(folder)
        if known is None:
            return message
        file, number = names["file"], int(names["chunk"])
        why = known.unfit(file, number, len(message.raw))
        if why is LATER:
            return None
        if why is not None:
            return replace(message, problem=why)
        return replace(message, asked=known.lacks(file, number, (message.stream, message.seq)))

    def keep(self, messages: Sequence[InboundMessage]) -> None:
        """Keep pieces on disk (invariant 1), then note what boxes say of requests: a word is about what came.

        Raises:
            OSError: the disk does not take them.
        """
        words: list[tuple[str, EvidenceBody | AckBody]] = []
        touched: defaultdict[tuple[str, str], list[SpooledPiece]] = defaultdict(list)
        for message in messages:
            if message.problem is not None:
                continue
            if message.kind is MessageKind.CHUNK:
                names = _names(message)
                piece = SpooledPiece(names["file"], int(names["chunk"]), message.raw)
                touched[message.device, names["request_id"]].append(piece)
            elif isinstance(message.payload, EvidenceBody | AckBody):
                words.append((message.device, message.payload))
        for (device, request_id), fresh in touched.items():
            folder = self._find(device, request_id)
            known = None if folder is None else self._open(folder)
            if known is not None:
                known.spool.add(fresh)
                for piece in fresh:
                    known.due.pop((piece.file, piece.number), None)
                self._progress(known)
        for device, payload in words:
            self._note_word(device, payload)

    def holds(self, device: str, suffix: str, digest: str) -> bool:
        """Whether a piece that was receipted is here as it came, or need not be.

        Packages are no part of the store: after a restore there are none, and one that was handed over may go.
        """
        kind, names = read_topic("box", suffix)
        if kind is not MessageKind.CHUNK:
            return False
        folder = self._find(device, names["request_id"])
        return folder is None or _holds(folder, names["file"], int(names["chunk"]), digest)

    # ----------------------------------------------------------------------------------------------- the inside

    def _find(self, device: str, request_id: str) -> PackageFolder | None:
        """A request of this station, for footage or for frames."""
        return self.folders.find(device, request_id) or self.samples.find(device, request_id)

    def _open(self, folder: PackageFolder) -> Arriving | None:
        """What has come of a request; None: nothing more is kept of it.

        Those that are open are known, for all that is there of one is read to know it. What was forgotten for
        want of memory is read again.
        """
        key = (folder.request.device, folder.request.id)
        known = self._arriving.get(key)
        if known is not None:
            self._arriving.move_to_end(key)
            return known
        if folder.state().stage in CLOSED:
            return None
        known = self._arriving[key] = Arriving(folder, Spool(folder.pieces))
        self._read_manifest(known)
        while len(self._arriving) > OPEN_AT_ONCE and self._known_pieces() > MOST_PIECES:
            self._arriving.popitem(last=False)
        return self._arriving.get(key)

    def _known_pieces(self) -> int:
        return sum(each.spool.count for each in self._arriving.values())

    def _close(self, folder: PackageFolder) -> None:
        """Nothing more is kept of it."""
        self._arriving.pop((folder.request.device, folder.request.id), None)

    def _progress(self, known: Arriving) -> None:
        if known.listed is None and not self._read_manifest(known):
            return
        size = None if known.listed is None else sum(known.listed.values())
        if known.whole:
            known.folder.tell(
                stage=FootageStage.ARRIVED, detail=None, size_bytes=size, arrived_bytes=known.arrived_bytes
            )
            self._close(known.folder)
            self.arrived(known.folder)
            return
        changed: dict[str, Any] = {} if size is None else {"size_bytes": size}
        known.folder.tell(stage=FootageStage.SENDING, arrived_bytes=known.arrived_bytes, **changed)

    def _read_manifest(self, known: Arriving) -> bool:
        """Whether the request goes on with what its manifest says, as far as that is here."""
        why = known.read_manifest(self.max_bytes)
        return why is None or self._fail(known, why)

    def _fail(self, known: Arriving, why: str) -> Literal[False]:
        self._close(known.folder)
        known.folder.tell(stage=FootageStage.FAILED, detail=why)
        request = known.folder.request
        log.warning("footage_refused", box=request.device, request=request.id, why=why)
        known.spool.remove()
        return False

    def _note_word(self, device: str, payload: EvidenceBody | AckBody) -> None:
        """What the box says of a request; what is on disk here says more, and is not undone by it."""
        folder = self._find(device, payload.id)
        if folder is None:
            return
        stage, state = _STAGES.get(payload.state), folder.state()
        if stage is None or state.stage in CLOSED:
            return
        if stage is FootageStage.REQUESTED and state.stage is FootageStage.SENDING:
            return  # an old word that came late
        changed: dict[str, Any] = {"stage": stage, "detail": payload.detail}
        if payload.state == "complete":  # and yet not all of it is here
            changed["detail"] = tr("the box has sent all of it, and not all of it is here: ask for it again")
        if isinstance(payload, EvidenceBody) and payload.size_bytes is not None and state.size_bytes is None:
            changed["size_bytes"] = payload.size_bytes
        if stage in CLOSED and isinstance(folder, SampleFolder) and self._keep_what_came(folder, payload):
            return
        folder.tell(**changed)
        if stage in CLOSED:
            self._close(folder)
            with suppress(FileNotFoundError):
                folder.pieces.unlink()

    def _keep_what_came(self, folder: SampleFolder, payload: EvidenceBody | AckBody) -> bool:
        """Of frames each is worth something by itself, though no more come; False: none has come."""
        known = self._open(folder)
        if known is None or known.listed is None:
            return False
        detail = None if payload.state == "complete" else payload.detail
        folder.tell(stage=FootageStage.ARRIVED, detail=detail, arrived_bytes=known.arrived_bytes)
        self._close(folder)
        self.arrived(folder)
        return True


_STAGES: Final[Mapping[str, FootageStage]] = {
    "done": FootageStage.REQUESTED,  # of the order: the request is noted
    "requested": FootageStage.REQUESTED,
    "cutting": FootageStage.REQUESTED,
    "sending": FootageStage.SENDING,
    "refused": FootageStage.REFUSED,
    "failed": FootageStage.FAILED,
    "complete": FootageStage.FAILED,
    "released": FootageStage.RELEASED,
}
"""By the box's word. What it calls complete while pieces are missing here never becomes whole."""


def _names(message: InboundMessage) -> dict[str, str]:
    return read_topic("box", message.suffix)[1]


def _holds(folder: PackageFolder, file: str, number: int, digest: str) -> bool:
    """Of a package that is whole manifest and signature are read; its footage is the verifier's to judge."""
    if folder.state().stage is FootageStage.DELETED:
        return False  # whether a record says so is for whoever asks to look up
    if folder.state().stage is not FootageStage.COMPLETE:
        return True
    try:
        if file not in (MANIFEST, SIGNATURE):
            return any(folder.package.iterdir())
        data = (folder.package / file).read_bytes()
        first, end = pieces.span(len(data), number)
    except (OSError, ValueError):
        return False
    return sha256(data[first:end]).hexdigest() == digest
