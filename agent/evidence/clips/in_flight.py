"""One package on its way: which of its pieces the station has, which wait in the outbox, which were set aside.

The pieces are counted through over all files of the package.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from agent.core.types import Instant
from agent.evidence.clips.files import Package, PackageFile
from agent.evidence.clips.requests import ClipRequest
from agent.evidence.fragment import StoredFragment
from agent.wire import codec, pieces
from agent.wire.channels import MessageKind
from agent.wire.message import Message
from agent.wire.ranges import Ranges
from agent.wire.topics import suffix


@dataclass(slots=True)
class PackageInFlight:
    """A package on its way to the station, as this life of the agent knows it."""

    request: ClipRequest
    package: Package
    sent: Ranges
    starts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """File -> the number of its first piece, and how many it has."""
    put: set[int] = field(default_factory=set)
    """Pieces that this life has put, and of which nothing was heard yet."""
    apart: Counter[int] = field(default_factory=Counter)
    """How often a piece was set aside."""
    changed: bool = False
    """More was receipted than is noted."""
    told_bytes: int = 0
    told_s: float = float("-inf")
    open_file: tuple[str, bytes] | None = None
    """The file that was read last."""

    def __post_init__(self) -> None:
        at = 0
        for file in self.package.files:
            count = pieces.count(file.size_bytes)
            self.starts[file.name] = (at, count)
            at += count

    def number(self, topic: str) -> int | None:
        """Of the piece with this topic; None: it is of another package."""
        _, request_id, name, piece = topic.split("/")
        first, count = self.starts.get(name, (0, 0))
        known = request_id == self.request.id and piece.isdecimal() and int(piece) < count
        return first + int(piece) if known else None

    def missing(self) -> Iterator[tuple[int, PackageFile, int]]:
        """The pieces without a receipt, in their order: number, file, and number within the file."""
        for file in self.package.files:
            first, count = self.starts[file.name]
            if len(self.sent.within(first, first + count - 1)) == 1 and self._whole(first, count):
                continue
            for piece in range(count):
                if first + piece not in self.sent:
                    yield first + piece, file, piece

    def _whole(self, first: int, count: int) -> bool:
        return self.sent.within(first, first + count - 1) == [(first, first + count - 1)]

    def pictures(self) -> list[StoredFragment]:
        """The pictures that are in it."""
        stored = [each.stored for each in self.package.files]
        return [each for each in stored if each is not None and each.kind == "media"]

    def message(
        self, file: PackageFile, piece: int, at: Instant, read: Callable[[PackageFile], bytes]
    ) -> Message:
        """One piece for the outbox; `read` gives the bytes of a whole file.

        Raises:
            FootageError: they cannot be read.
        """
        if self.open_file is None or self.open_file[0] != file.name:
            self.open_file = (file.name, read(file))
        first, end = pieces.span(file.size_bytes, piece)
        body, request_id = self.open_file[1][first:end], self.request.id
        return codec.message(
            MessageKind.CHUNK,
            body,
            at,
            about=request_id,
            request_id=request_id,
            file=file.name,
            chunk=str(piece),
        )


def suffix_of(request_id: str) -> str:
    """What the topics of all pieces of a request begin with, below the device."""
    return suffix(MessageKind.EVIDENCE, request_id=request_id) + "/"
