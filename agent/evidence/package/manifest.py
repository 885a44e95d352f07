"""The manifest of a package of footage: signed by the box, read by whoever verifies it.

A package is a flat folder:

    manifest.json           what was asked, by whom, what is covered and what is not, each part by its hashes
    manifest.sig            64 bytes: Ed25519 (RFC 8032) by the box's key over the bytes of manifest.json
    footage-1-00000.age     encrypted: the parts of run 1, an age file each: its head, then the fragments
    footage-1.mp4           decrypted: the parts of run 1 one after the other, which is what players play
    custody.log             what became of it at the station, signed by the station (station/footage/custody.py)

It holds the encrypted files, or the decrypted ones, or both. The manifest lists each part by the hash of both,
so one signature holds for all; nobody signs anew when the station decrypts. It is canonical JSON (RFC 8785),
and its bytes are what is signed: `openssl pkeyutl -verify -rawin` verifies them without a line of ours.
Nothing is imported here but what a court's computer has: no numpy, no pydantic, no SQLite.

Invariants
1. Nothing that the box did not sign is parsed: the signature is verified over bytes.
2. What is wrong inside of a signed manifest is told by `consistency.py`; here is only read what stands there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.errors import WireError
from agent.evidence.links import Recorded, SegmentLink, joined_sha256, link_sha256
from agent.evidence.package.bounds import beyond
from agent.evidence.package.dataclass_json import from_json
from agent.printable import printable
from agent.translatable import tr
from agent.wire.signature import canonical

FORMAT: Final = "ngatu evidence package"
VERSION: Final = 1
MOST_DEEP: Final = 32
"""Objects and lists within each other; a manifest has six."""
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
CUSTODY: Final = "custody.log"
MAX_MANIFEST_BYTES: Final = 8 << 20
"""An hour, the most that is handed over, has some 2 MB in fragments of a second; a reader takes 28 times it."""
CORRECTED: Final = "corrected"
"""A clock that nobody vouched for, until somebody did later in the same boot: NTP or a battery clock."""
SIGNATURE_BYTES: Final = 64
SEAMLESS: Final = timedelta(seconds=1)
"""So much may lie between two fragments without being a gap: clocks and cameras are not exact."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, by whom and why."""

    id: str
    camera: str
    start: datetime
    end: datetime
    officer: str
    case_number: str
    purpose: str
    command_sha256: str | None = None
    """Of the command as it came; None: asked for at the box itself."""
    command_key_sha256: str | None = None
    """Of the key whose signature the command bore; None: it bore none."""
    audit_line: int | None = None
    """Of the box's audit log, in which the request stands."""


@dataclass(frozen=True, slots=True)
class SigningBox:
    """Which box made the package, and of what it consisted then: it may have recorded the footage otherwise."""

    commune: str
    device: str
    role: str
    version: str
    """Of ngatu."""
    versions: Mapping[str, str]
    """Of what it stands on."""
    config_sha256: str | None
    model: str | None
    model_sha256: str | None
    utc_offset_s: int = 0
    """Seconds that the place's time is ahead of UTC: a person is shown that."""


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """How wall time and the clock that never steps belong together in one boot."""

    boot: str
    state: str
    """ntp, rtc: somebody vouches for the time; CORRECTED; floor, unknown: nobody did."""
    mono_s: float
    wall: datetime
    """The wall time that belongs to it."""
    error_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What a manifest says beside the footage."""

    box: SigningBox
    clocks: tuple[ClockFacts, ...]
    """One for each boot that the footage is from, the best that is known."""
    made: datetime
    made_clock: str
    """What is known of the box's clock at that moment, as in ClockFacts."""


@dataclass(frozen=True, slots=True)
class PackageGap:
    """A range that was asked for and for which the box has no footage."""

    start: datetime
    end: datetime
    why: str
    """off, camera_lost, not_recorded, deleted, damaged, unknown, …"""


@dataclass(frozen=True, slots=True)
class Run:
    """Footage that one head belongs to: since the camera was opened, or its picture changed."""

    number: int
    """Counts from 1 in this package."""
    codec: str
    width_px: int
    height_px: int
    recorded: Recorded
    mask_sha256: str | None
    """Of the masks that the camera had when it was recorded; None: it had none."""


@dataclass(frozen=True, slots=True)
class PackagePart:
    """A head (`init`) or a fragment, as it lies in the ring."""

    run: int
    number: int
    """0 is the head; counts without gaps."""
    start: datetime
    end: datetime
    """By wall time, as well as it is known when the package is made; of the head: of all its run."""
    bytes: int
    sha256: str
    """Of the plain part."""
    cipher_bytes: int
    cipher_sha256: str
    """Of the part as it lies encrypted."""
    segment: int
    """The link of the chain in which it stands."""
    record: int
    """Its place among the parts of that link; of a head -1."""

    @property
    def cipher_file(self) -> str:
        """Its own file, encrypted."""
        return f"footage-{self.run}-{self.number:05d}.age"

    @property
    def plain_file(self) -> str:
        """The file of its whole run, decrypted."""
        return f"footage-{self.run}.mp4"


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The hash of one link: of the newest when the package was made, or when the station heard of it."""

    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LinkBody:
    """The hash of the body of one link, of whose segment nothing is left."""

    number: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The links of the segments that the footage is from, and how they lead to one that the station heard of.

    Of the links further on only the hashes of their bodies are there: enough to compute theirs.
    """

    links: tuple[SegmentLink, ...]
    """Of every segment that a part is from, and of one before and one after where there are such."""
    later: tuple[str, ...] = ()
    """Bodies of the links that follow the last of `links`; oldest first."""
    between: tuple[LinkBody, ...] = ()
    """Bodies of the links that are not among `links` and lie between two of them; oldest first."""

    def stretches(self) -> tuple[dict[int, str], ...]:
        """The hashes of the links that can be computed, by number: in each stretch one follows from the other.

        A stretch ends before a link of which nothing is known, or that follows another one than the one before.
        A number that was never given is no hole: the link after it follows the one before it all the same.
        """
        if not self.links:
            return ()
        known = {link.number: link for link in self.links}
        bodies = {each.number: each.sha256 for each in self.between}
        bodies |= dict(enumerate(self.later, self.links[-1].number + 1))
        found: list[dict[int, str]] = []
        at, before = 0, ""
        for number in sorted(known.keys() | bodies):
            link = known.get(number)
            if link is None and (not found or number != at + 1):
                continue
            if link is not None and (not found or link.previous != before):
                found.append({})
            before = joined_sha256(before, bodies[number]) if link is None else link_sha256(link)
            at, found[-1][number] = number, before
        return tuple(found)

    def hashes(self) -> dict[int, str]:
        """The hash of every link that can be computed, by its number."""
        return {number: digest for stretch in self.stretches() for number, digest in stretch.items()}


@dataclass(frozen=True, slots=True)
class PackageManifest:
    """Everything that the box says of a package, and signs."""

    format: str
    version: int
    key_sha256: str
    """Of the box's public key: `fingerprint`."""
    request: Request
    facts: Facts
    covered: tuple[tuple[datetime, datetime], ...]
    gaps: tuple[PackageGap, ...]
    runs: tuple[Run, ...]
    parts: tuple[PackagePart, ...]
    """In the order in which they were recorded: of each run its head, then its fragments."""
    chain: Chain | None
    """None: there is no footage."""
    head: ChainHead | None
    """The newest link of the camera when the package was made."""


def opened(data: bytes, signature: bytes, key: Ed25519PublicKey) -> PackageManifest:
    """The manifest in bytes that the key has signed.

    Raises:
        InvalidSignature: the key has not signed these bytes; nothing of them was read.
        WireError: it is of another version, or has something that no manifest has.
    """
    key.verify(signature, data)  # invariant 1
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        raise WireError(tr("it is no JSON")) from None
    if not isinstance(members, dict) or members.get("format") != FORMAT:
        raise WireError(tr("it is no manifest of a package of footage"))
    if members.get("version") != VERSION:
        raise WireError(
            tr(
                "it is of version {version}, and this program reads version {known}",
                version=printable(str(members.get("version"))[:20]),
                known=VERSION,
            ),
            tr("take a newer one"),
        )
    if not _is_canonical(members, data):
        raise WireError(tr("it is not written in the one form that is signed (RFC 8785)"))
    manifest = from_json(PackageManifest, members)
    if (place := beyond(manifest)) is not None:
        raise WireError(tr("{place}: is none that a box gives", place=place))
    if manifest.key_sha256 != fingerprint(key):
        raise WireError(tr("it names another key as its signer than the one that signed it"))
    return manifest


def _is_canonical(members: object, data: bytes) -> bool:
    """Whether every reader reads the same: of a name that is there twice one takes the first, one the last."""
    if _is_deep(members):
        return False
    try:
        return canonical(members) == data
    except (WireError, ValueError):
        return False


def _is_deep(value: object) -> bool:
    """Whether it goes on below MOST_DEEP: how deep a reader can follow differs from machine to machine."""
    level = [value]
    for _ in range(MOST_DEEP):
        lists = (
            each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)
        )
        level = [each for one in lists for each in one]
    return bool(level)


def fingerprint(key: Ed25519PublicKey) -> str:
    """The sha256 of a public key, hex: as `openssl pkey -pubin -outform der | sha256sum` gives it."""
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def claimed_key(data: bytes) -> str | None:
    """Which key an unverified manifest says that it is signed by: for a hint, and for nothing else."""
    found = re.search(rb'"key_sha256":"([0-9a-f]{64})"', data)
    return found[1].decode() if found else None


def coverage(parts: Iterable[PackagePart]) -> tuple[tuple[datetime, datetime], ...]:
    """The ranges of which there is footage; what is no longer than SEAMLESS between two fragments is none."""
    ranges: list[tuple[datetime, datetime]] = []
    for part in sorted((each for each in parts if each.number), key=lambda each: each.start):
        if ranges and part.start - ranges[-1][1] <= SEAMLESS:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], part.end))
        else:
            ranges.append((part.start, part.end))
    return tuple(ranges)


def uncovered(
    request: Request, covered: Iterable[tuple[datetime, datetime]]
) -> tuple[tuple[datetime, datetime], ...]:
    """The ranges that were asked for and of which there is no footage."""
    holes, at = [], request.start
    for start, end in covered:
        if start - at > SEAMLESS:
            holes.append((at, min(start, request.end)))
        at = max(at, end)
    if request.end - at > SEAMLESS:
        holes.append((at, request.end))
    return tuple((start, end) for start, end in holes if start < end)
