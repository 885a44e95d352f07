"""What a station answers a request of the province with, as items of an envelope. Pure.

answer    JSON: how far the request came, and why no further
piece     a line of JSON that says of what it is, a line feed, and bytes of a file
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from agent.errors import WireError
from agent.wire.channels import PARAMETERS
from station.uplink.envelope import ItemKind, UpItem, compact, is_moment
from station.uplink.requests.order import RequestState

PIECE_BYTES: Final = 96 * 1024
"""Of a file at most; with its line it fits into any envelope."""
MAX_FILE_BYTES: Final = 4 * 2**30
MOST_FILES: Final = 4_096
MOST_ANSWERS: Final = 1_000_000
"""To one request; no station says nearly so much of one."""
_HEAD_BYTES: Final = 1024
_ID: Final = re.compile(PARAMETERS["command_id"].pattern)
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256: Final = re.compile("[0-9a-f]{64}")
_REASON: Final = re.compile("[a-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that a request brings."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RequestAnswer:
    """How far a request came."""

    id: str
    sha256: str
    """Of the request as it came (order.digest_of): who did not send that one does not believe this."""
    number: int
    """Counts the answers to a request; a lower one that comes later says nothing new."""
    state: RequestState
    reason: str | None
    """A word of RequestReason, or of a newer version; None: there is nothing to say."""
    at_ms: int
    """By the station's clock."""
    files: tuple[SentFile, ...] = ()
    """Of a request that is done: everything that it brings but events."""
    counts: dict[str, int] = field(default_factory=dict)
    """Of one for events: how many `went` up, and how many there `are`."""


@dataclass(frozen=True, slots=True)
class SentPiece:
    """A part of a file that goes up."""

    request_id: str
    file: SentFile
    number: int
    """From 0; each but the last has PIECE_BYTES."""
    data: bytes


def pieces_of(data: bytes) -> int:
    """How many pieces a file of these bytes has."""
    return pieces_in(len(data))


def pieces_in(size_bytes: int) -> int:
    """The same by its size; an empty file has one."""
    return max(1, -(-size_bytes // PIECE_BYTES))


def file_of(name: str, data: bytes) -> SentFile:
    """A file of these bytes."""
    return SentFile(name, len(data), sha256(data).hexdigest())


def answer_item(answer: RequestAnswer, device: str) -> UpItem:
    """As it goes up."""
    said = {
        "id": answer.id, "sha256": answer.sha256, "number": answer.number, "state": answer.state,
        "reason": answer.reason, "at_ms": answer.at_ms, "counts": answer.counts,
        "files": [[each.name, each.size_bytes, each.sha256] for each in answer.files],
    }  # fmt: skip
    return UpItem(ItemKind.ANSWER, device, compact(said))


def piece_items(request_id: str, file: SentFile, data: bytes, device: str) -> Iterator[UpItem]:
    """A whole file as it goes up."""
    for number in range(pieces_in(len(data))):
        part = data[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
        yield piece_item(SentPiece(request_id, file, number, part), device)


def piece_item(piece: SentPiece, device: str) -> UpItem:
    """One piece as it goes up."""
    head = [piece.request_id, piece.file.name, piece.file.size_bytes, piece.file.sha256, piece.number]
    return UpItem(ItemKind.PIECE, device, compact(head) + b"\n" + piece.data)


def read_answer(raw: bytes) -> RequestAnswer:
    """Raises WireError if it is none."""
    try:
        said = json.loads(raw)
        files = tuple(_file(*each) for each in said["files"])
        counts = {str(name): _whole(number) for name, number in said["counts"].items()}
        answer = RequestAnswer(
            _matched(_ID, said["id"]),
            _matched(_SHA256, said["sha256"]),
            _whole(said["number"]),
            RequestState(said["state"]),
            None if said["reason"] is None else _matched(_REASON, said["reason"]),
            said["at_ms"],
            files,
            counts,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WireError(f"no answer: {error!r}"[:300]) from None
    is_small = (
        answer.number <= MOST_ANSWERS and len(files) <= MOST_FILES and len(counts) <= len(("went", "are"))
    )
    if not (is_moment(answer.at_ms) and is_small):
        raise WireError("no answer: a number is beyond its limit")
    return answer


def read_piece(raw: bytes) -> SentPiece:
    """Raises WireError if it is none."""
    end = raw.find(b"\n", 0, _HEAD_BYTES)
    try:
        request_id, name, size_bytes, digest, number = json.loads(raw[: max(0, end)])
        file = _file(name, size_bytes, digest)
        piece = SentPiece(_matched(_ID, request_id), file, _whole(number), raw[end + 1 :])
    except (ValueError, TypeError, RecursionError) as error:
        raise WireError(f"no piece of a file: {error!r}"[:300]) from None
    last = pieces_in(file.size_bytes) - 1
    expected = PIECE_BYTES if piece.number < last else file.size_bytes - last * PIECE_BYTES
    if piece.number > last or len(piece.data) != expected:
        raise WireError("no piece of a file: number or size is not that of one")
    return piece


def _file(name: Any, size_bytes: Any, digest: Any) -> SentFile:
    file = SentFile(_matched(_FILE, name), _whole(size_bytes), _matched(_SHA256, digest))
    if file.size_bytes > MAX_FILE_BYTES:
        raise ValueError("a file beyond its limit")
    return file


def _matched(pattern: re.Pattern[str], value: Any) -> str:
    if not (isinstance(value, str) and pattern.fullmatch(value)):
        raise ValueError(f"no word: {str(value)[:40]}")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 2**53:
        raise ValueError(f"no whole number: {str(value)[:40]}")
    return value
