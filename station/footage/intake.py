"""Pieces of footage as they come from the boxes: taken only of what this station asked for, as it was listed.

Invariants
1. A piece is receipted when it is on disk (spool.py), or when nobody needs it any more.
2. A piece of a request that this station did not make is no footage: it is unreadable, and counts as that.
3. A box can make nothing larger than `max_bytes` of one request: before its manifest is whole, AHEAD_BYTES at
   most; afterwards just the files that it lists, each piece with just the length that it must have.
4. Of the manifest only names and lengths are believed here; what it is worth is the verifier's word (desk.py).
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.errors import NgatuError, WireError
from agent.evidence.fragment import MAX_FRAGMENT_BYTES
from agent.evidence.package.manifest import MAX_MANIFEST_BYTES
from agent.evidence.samples.package import read_sample_manifest
from agent.translatable import tr
from agent.wire import pieces
from agent.wire.channels import MessageKind
from agent.wire.payloads import AckPayload, EvidencePayload
from agent.wire.signature import public_key
from agent.wire.topics import read as read_topic
from station.footage.folder import CLOSED, FOOTAGE, FootageFolder, FootageStage, PackageFolder
from station.footage.samples.folder import SAMPLES, SampleFolder, SampleFolders
from station.footage.spool import Spool, SpooledPiece
from station.ingest.inbound import InboundMessage

log = structlog.get_logger("station.footage.intake")

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
MAX_SIGNATURE_BYTES: Final = 64
AHEAD_BYTES: Final = 4 << 20
"""Of footage that has come before its manifest is whole; what is beyond comes again later."""
MAX_FILES: Final = 20_000
MAX_PART_BYTES: Final = 2 * MAX_FRAGMENT_BYTES
"""A box keeps no fragment of half of it; each is decrypted and judged in memory."""
OPEN_AT_ONCE: Final = 32
MOST_PIECES: Final = 1_000_000
"""Of more requests than that no more pieces are known at one time: 15 GB of footage, some 200 MB of memory."""
_FILE: Final = re.compile(pieces.FILE_PATTERN)
Place = tuple[str | None, int | None]
"""Stream and number of a message."""


@dataclass(slots=True)
class Arriving:
    """One request of which pieces are still to come."""

    folder: PackageFolder
    spool: Spool
    listed: Mapping[str, int] | None = None
    """Its files and their bytes, the manifest's own included; None: the manifest is not whole yet."""
    tried: tuple[int, int] = (0, 0)
    """Pieces of manifest and signature when it was last tried to read it."""
    due: dict[tuple[str, int], Place] = field(default_factory=dict)
    """Pieces that were judged and are not on disk yet: file, number -> the message that brings it."""

    @property
    def arrived_bytes(self) -> int:
        """Of the listed files."""
        return self.spool.bytes if self.listed is None else self.spool.bytes_of(self.listed)

    def lacks(self, file: str, number: int, place: Place) -> bool:
        """Whether this message brings a piece that is needed; of several that bring one, the first does.

        Before the manifest is here nobody knows what is needed beside it, nor how much that may be.
        """
        known = self.listed is not None or file in (MANIFEST, SIGNATURE)
        if not known or None in place or self.spool.has(file, number):
            return False
        return self.due.setdefault((file, number), place) == place

    @property
    def whole(self) -> bool:
        """Every piece is here."""
        return self.listed is not None and self.arrived_bytes == sum(self.listed.values())


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
        why = self._unfit(known, file, number, len(message.raw))
        if why is _LATER:
            return None
        if why is not None:
            return replace(message, problem=why)
        return replace(message, asked=known.lacks(file, number, (message.stream, message.seq)))

    def keep(self, messages: Sequence[InboundMessage]) -> None:
        """Keep pieces on disk (invariant 1), then note what boxes say of requests: a word is about what came.

        Raises:
            OSError: the disk does not take them.
        """
        words: list[tuple[str, EvidencePayload | AckPayload]] = []
        touched: defaultdict[tuple[str, str], list[SpooledPiece]] = defaultdict(list)
        for message in messages:
            if message.problem is not None:
                continue
            if message.kind is MessageKind.CHUNK:
                names = _names(message)
                piece = SpooledPiece(names["file"], int(names["chunk"]), message.raw)
                touched[message.device, names["request_id"]].append(piece)
            elif isinstance(message.payload, EvidencePayload | AckPayload):
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

    def _unfit(self, known: Arriving, file: str, number: int, size: int) -> str | None:
        """Why a piece is none of this request's; None: it is one."""
        if not 0 < size <= pieces.PIECE_BYTES:
            return f"a piece of {size} bytes"
        if known.listed is not None:
            whole = known.listed.get(file)
            if whole is None or number >= pieces.count(whole):
                return f"the manifest lists no piece {number} of {file}"
            first, end = pieces.span(whole, number)
            return None if size == end - first else f"piece {number} of {file} has {size} bytes"
        if file == MANIFEST:
            fits = number < pieces.count(MAX_MANIFEST_BYTES)
            return None if fits else f"a manifest of more than {MAX_MANIFEST_BYTES} bytes"
        if file == SIGNATURE:
            fits = number == 0 and size <= MAX_SIGNATURE_BYTES
            return None if fits else f"a signature of more than {MAX_SIGNATURE_BYTES} bytes"
        return None if known.spool.bytes + size <= MAX_MANIFEST_BYTES + AHEAD_BYTES else _LATER

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
        """Read which files there are, once the manifest is whole (invariant 4); False: it ended the request."""
        counts = len(known.spool.sizes(MANIFEST)), len(known.spool.sizes(SIGNATURE))
        if not all(counts) or counts == known.tried:
            return True
        known.tried = counts
        data, signature = (b"".join(known.spool.read(name)) for name in (MANIFEST, SIGNATURE))
        try:
            key = public_key(known.folder.key) if known.folder.key.exists() else None
        except NgatuError as error:
            return self._fail(known, error.what)
        if not _is_whole(known.folder, data, signature, key):
            return True  # more of it is to come
        found = _listed_files(known.folder, data)
        why = (
            tr("the manifest of the package cannot be read")
            if found is None
            else _too_much(found, self.max_bytes)
        )
        if found is None or why is not None:
            return self._fail(known, why or "")
        known.listed = {MANIFEST: len(data), SIGNATURE: len(signature), **found}
        known.spool.keep_only(known.listed)  # invariant 3 holds of what came before, too
        return True

    def _fail(self, known: Arriving, why: str) -> Literal[False]:
        self._close(known.folder)
        known.folder.tell(stage=FootageStage.FAILED, detail=why)
        request = known.folder.request
        log.warning("footage_refused", box=request.device, request=request.id, why=why)
        known.spool.remove()
        return False

    def _note_word(self, device: str, payload: EvidencePayload | AckPayload) -> None:
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
        if isinstance(payload, EvidencePayload) and payload.size_bytes is not None and state.size_bytes is None:
            changed["size_bytes"] = payload.size_bytes
        if stage in CLOSED and isinstance(folder, SampleFolder) and self._keep_what_came(folder, payload):
            return
        folder.tell(**changed)
        if stage in CLOSED:
            self._close(folder)
            with suppress(FileNotFoundError):
                folder.pieces.unlink()

    def _keep_what_came(self, folder: SampleFolder, payload: EvidencePayload | AckPayload) -> bool:
        """Of frames each is worth something by itself, though no more come; False: none has come."""
        known = self._open(folder)
        if known is None or known.listed is None:
            return False
        detail = None if payload.state == "complete" else payload.detail
        folder.tell(stage=FootageStage.ARRIVED, detail=detail, arrived_bytes=known.arrived_bytes)
        self._close(folder)
        self.arrived(folder)
        return True


_LATER: Final = "later"
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


def _is_whole(folder: PackageFolder, data: bytes, signature: bytes, key: Ed25519PublicKey | None) -> bool:
    """Whether these bytes are all of a manifest; without the box's key nobody knows but by its end."""
    if key is not None:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            pass  # perhaps whole all the same, and not signed by that key: the verifier says so
        else:
            return True
    return len(data) % pieces.PIECE_BYTES != 0 or _listed_files(folder, data) is not None


def _listed_files(folder: PackageFolder, data: bytes) -> dict[str, int] | None:
    """The files that the manifest of such a package lists, and their bytes; None: it is none."""
    if not isinstance(folder, SampleFolder):
        return listed(data)
    try:
        return {each.file: each.bytes for each in read_sample_manifest(data).frames}
    except WireError:
        return None


def listed(data: bytes) -> dict[str, int] | None:
    """The encrypted files that a manifest lists, and their bytes; None: it is none."""
    try:
        parts = json.loads(data)["parts"]
        found = {
            f"footage-{_whole(part['run'])}-{_whole(part['number']):05d}.age": _whole(part["cipher_bytes"])
            for part in parts
        }
    except (ValueError, RecursionError, TypeError, LookupError):
        return None
    fit = len(found) == len(parts) <= MAX_FILES and all(map(_FILE.fullmatch, found))
    return found if fit and all(found.values()) else None


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise TypeError
    return value


def _too_much(files: Mapping[str, int], most: int) -> str | None:
    for name, size in files.items():
        if size > MAX_PART_BYTES:
            return tr(
                "{name} of the package has {size} bytes, and no part has more than {most}",
                name=name,
                size=size,
                most=MAX_PART_BYTES,
            )
    size = sum(files.values())
    if size <= most:
        return None
    return tr(
        "the package has {size} bytes, and footage.max_bytes is {most}: ask for a shorter range",
        size=size,
        most=most,
    )


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
