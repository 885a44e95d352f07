"""Composes the package of a clip: which pieces are in it, in which order, and the manifest that the box signs.

What a package holds and what its manifest says is `manifest.py`. Pure: whoever calls it reads and writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Generic, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.links import Recorded, SegmentLink
from agent.evidence.package.dataclass_json import to_json
from agent.evidence.package.gaps import UNKNOWN, GapReasons
from agent.evidence.package.manifest import (
    FORMAT,
    MAX_MANIFEST_BYTES,
    SEAMLESS,
    VERSION,
    Chain,
    ChainHead,
    Facts,
    LinkBody,
    PackageGap,
    PackageManifest,
    PackagePart,
    Request,
    Run,
    coverage,
    fingerprint,
    uncovered,
)
from agent.wire.signature import canonical

AGE: Final = b"age-encryption.org/v1\n"
MAX_AGE_HEADER_BYTES: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """What is written into the two files."""

    manifest: PackageManifest
    data: bytes
    """manifest.json"""
    signature: bytes
    """manifest.sig"""


class StoredPiece(Protocol):
    """What of a stored fragment a manifest tells; `agent.evidence.fragment.StoredFragment` is one."""

    @property
    def run(self) -> str:
        """Names the opening of the camera."""
        ...

    @property
    def segment(self) -> int:
        """The number of its link in the chain."""
        ...

    @property
    def wall_s(self) -> float:
        """Wall time of its start, corrected."""
        ...

    @property
    def duration_s(self) -> float:
        """Until its end; 0 of a head."""
        ...

    @property
    def codec(self) -> str:
        """As FFmpeg calls it."""
        ...

    @property
    def width_px(self) -> int:
        """Of its pictures."""
        ...

    @property
    def height_px(self) -> int:
        """Of its pictures."""
        ...

    @property
    def sha256(self) -> str:
        """Of the plain piece; hex."""
        ...

    @property
    def cipher_sha256(self) -> str:
        """Of the ciphertext; hex."""
        ...

    @property
    def init_sha256(self) -> str:
        """Of the plain head that it needs; hex."""
        ...

    @property
    def recorded(self) -> Recorded:
        """How it came to be."""
        ...

    @property
    def mask_sha256(self) -> str | None:
        """Of the masks that the camera had then; None: it had none."""
        ...


class Unrecorded(Protocol):
    """Why nothing is recorded in a range of wall time; `agent.evidence.listing.listed.Gap` is one."""

    @property
    def from_s(self) -> float:
        """Its start."""
        ...

    @property
    def to_s(self) -> float:
        """Its end."""
        ...

    @property
    def why(self) -> str:
        """In words; empty: nobody knows, or it was deleted."""
        ...


S = TypeVar("S", bound=StoredPiece)


@dataclass(frozen=True, slots=True)
class PackagePiece(Generic[S]):
    """A stored fragment with its place in a package."""

    run: int
    number: int
    stored: S

    @property
    def file(self) -> str:
        """Its file in the package, encrypted."""
        return f"footage-{self.run}-{self.number:05d}.age"


def arrange(media: Iterable[S], inits: Mapping[str, S]) -> tuple[PackagePiece[S], ...]:
    """The fragments, oldest first, with the heads they need (by `sha256`), in the order of a package.

    A new run begins where the head changes, and where nothing was recorded for a while: so each decrypted file
    plays through.

    Raises:
        KeyError: the head of a fragment is not there.
    """
    pieces: list[PackagePiece[S]] = []
    last: S | None = None
    run = number = 0
    for each in media:
        fresh = last is None or (each.run, each.init_sha256) != (last.run, last.init_sha256)
        if fresh or last is None or each.wall_s - (last.wall_s + last.duration_s) > SEAMLESS.total_seconds():
            run, number = run + 1, 0
            pieces.append(PackagePiece(run, 0, inits[each.init_sha256]))
        number += 1
        pieces.append(PackagePiece(run, number, each))
        last = each
    return tuple(pieces)


def compose(
    request: Request,
    fragments: Iterable[tuple[PackagePiece[S], bytes]],
    gaps: Iterable[Unrecorded],
    links: Sequence[SegmentLink],
    facts: Facts,
    key: Ed25519PrivateKey,
    *,
    later: Iterable[tuple[int, str]] = (),
    between: Iterable[tuple[int, str]] = (),
    head: tuple[int, str] | None = None,
) -> SignedManifest:
    """Compose and sign the manifest of a package.

    `fragments` are what `arrange` gave, each with its ciphertext; they are read one by one. `gaps` tell why
    there is no footage: each hole has the reason of the gap that overlaps it most, if the chain says it, too.
    `links` are those of the segments of the fragments, and best of one before and one after, oldest first.
    `later` are numbers and body hashes of the links after them, up to one that the station was told of
    (`Index.bodies`); `between` are those of the links between them that are not there. `head` is the camera's
    newest link (`Index.head`).

    Raises:
        ValueError: a fragment stands in none of the links: its segment is not finished yet, say.
    """
    places = {(link.number, part.sha256): at for link in links for at, part in enumerate(link.parts)}
    parts: list[PackagePart] = []
    runs: list[Run] = []
    for piece, cipher in fragments:
        stored = piece.stored
        if piece.number == 1:  # not by its head, which another run may have as well
            how = stored.recorded, stored.mask_sha256
            runs.append(Run(piece.run, stored.codec, stored.width_px, stored.height_px, *how))
        record = -1 if piece.number == 0 else places.get((stored.segment, stored.sha256))
        if record is None:
            raise ValueError(f"segment {stored.segment} has no link with {piece.file}")
        parts.append(_part(piece, cipher, record))
    parts = _heads_timed(parts)
    covered = coverage(parts)
    manifest = PackageManifest(
        format=FORMAT,
        version=VERSION,
        key_sha256=fingerprint(key.public_key()),
        request=request,
        facts=facts,
        covered=covered,
        gaps=_reasoned(uncovered(request, covered), tuple(gaps), GapReasons(parts, links)),
        runs=tuple(runs),
        parts=tuple(parts),
        chain=_chain(links, later, between) if parts else None,
        head=ChainHead(*head) if head and head[0] else None,
    )
    data = canonical(to_json(manifest))
    if len(data) > MAX_MANIFEST_BYTES:
        raise ValueError(f"the manifest has {len(data)} bytes, at most {MAX_MANIFEST_BYTES} are read")
    return SignedManifest(manifest, data, key.sign(data))


def plain_bytes(cipher: bytes) -> int:
    """How long the content of an age file is (age-encryption.org/v1: 16 bytes more for each 64 KiB).

    Raises:
        ValueError: it is none.
    """
    end = cipher.find(b"\n--- ", 0, MAX_AGE_HEADER_BYTES)
    end = cipher.find(b"\n", end + 5) if end >= 0 else -1
    body = len(cipher) - end - 1 - 16  # after the header a nonce of 16 bytes
    if end < 0 or body < 16 or not cipher.startswith(AGE):
        raise ValueError("it is no age file")
    return body - 16 * -(-body // (65536 + 16))


def _part(piece: PackagePiece[Any], cipher: bytes, record: int) -> PackagePart:
    stored = piece.stored
    start = _moment(stored.wall_s)
    return PackagePart(
        run=piece.run,
        number=piece.number,
        start=start,
        end=_moment(stored.wall_s + stored.duration_s),
        bytes=plain_bytes(cipher),
        sha256=stored.sha256,
        cipher_bytes=len(cipher),
        cipher_sha256=stored.cipher_sha256,
        segment=stored.segment,
        record=record,
    )


def _heads_timed(parts: Sequence[PackagePart]) -> list[PackagePart]:
    """The same, each head with the range of its run: whoever alters it alters all of that."""
    spans = {part.run: (part.start, part.end) for part in reversed(parts) if part.number}
    ends = {part.run: part.end for part in parts if part.number}
    return [
        part if part.number else replace(part, start=spans[part.run][0], end=ends[part.run]) for part in parts
    ]


def _reasoned(
    holes: Iterable[tuple[datetime, datetime]], gaps: Sequence[Unrecorded], signed: GapReasons
) -> tuple[PackageGap, ...]:
    """Each with the reason that is known of most of it, if the chain says the same."""

    def overlap_s(gap: Unrecorded, start: datetime, end: datetime) -> float:
        return min(gap.to_s, end.timestamp()) - max(gap.from_s, start.timestamp())

    found = []
    for start, end in holes:
        best = max(gaps, key=lambda gap: overlap_s(gap, start, end), default=None)
        known = best is not None and overlap_s(best, start, end) > 0
        why = best.why if best and known else ""
        found.append(PackageGap(start, end, why if why and why == signed.of(start, end) else UNKNOWN))
    return tuple(found)


def _chain(
    links: Sequence[SegmentLink], later: Iterable[tuple[int, str]], between: Iterable[tuple[int, str]]
) -> Chain:
    there = {link.number for link in links}
    first, last = min(there), max(there)
    gone = tuple(LinkBody(*each) for each in between if first < each[0] < last and each[0] not in there)
    return Chain(tuple(links), _counted_on(last, later), gone)


def _counted_on(number: int, bodies: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    """The bodies that follow on this number one by one."""
    found: list[str] = []
    for each, body in bodies:
        if each == number + len(found) + 1:
            found.append(body)
    return tuple(found)


def _moment(wall_s: float) -> datetime:
    wall_ms = round(wall_s * 1000)
    return datetime.fromtimestamp(wall_ms // 1000, UTC).replace(microsecond=wall_ms % 1000 * 1000)
