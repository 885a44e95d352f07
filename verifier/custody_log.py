"""The custody log of a package: what became of it at the station, a signed line for each step.

A line is the signature in base64, a space, and the entry as canonical JSON (RFC 8785), whose bytes are what is
signed (Ed25519, the station's key). Each entry counts on and names the sha256 of the line before; the first one
countersigns what the box signed, by its hash, without touching it. What leaves the station has a last line
that says to whom, so that it is seen where the end was cut off; but the log of a later copy can be cut back to
that of an earlier one. The station keeps the whole.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.errors import WireError
from agent.evidence.package.dataclass_json import from_json, to_json
from agent.translatable import tr
from agent.wire.signature import canonical

FORMAT: Final = "ngatu custody log"
VERSION: Final = 1
FIRST: Final = "0" * 64
"""What the first line follows."""
_SIGNATURE_CHARS: Final = 88
_DATA: Final = _SIGNATURE_CHARS + 1

Act = Literal["received", "verified", "opened", "handed_over"]


@dataclass(frozen=True, slots=True)
class HeardLink:
    """The newest link of a camera's chain, as the box told it while it recorded."""

    number: int
    sha256: str
    at: datetime
    """When the station heard of it."""
    until: datetime | None = None
    """The end of its segment, as the box said then by a clock that NTP kept; None: it was not kept."""


@dataclass(frozen=True, slots=True)
class CustodyEntry:
    """One step of a package's way."""

    n: int
    """Counts from 1."""
    previous: str
    """The sha256 of the line before, without its end; of the first one FIRST."""
    at: datetime
    act: Act
    by: str
    """Who did it: an account of the station, or the station itself."""
    detail: str
    """To whom it was handed over and why; what was found."""
    station: str
    """The commune whose station it is."""
    manifest_sha256: str
    box_key_sha256: str
    """The key that the station knows as that of the box."""
    heard: tuple[HeardLink, ...] = ()
    format: str = FORMAT
    version: int = VERSION


def line(entry: CustodyEntry, key: Ed25519PrivateKey) -> bytes:
    """The signed line, without its end."""
    data = canonical(to_json(entry))
    return base64.b64encode(key.sign(data)) + b" " + data


def read_line(found: bytes, n: int, previous: str, key: Ed25519PublicKey) -> CustodyEntry:
    """The entry in line `n`, which follows a line with this sha256.

    Raises:
        WireError: the key has not signed it, or it does not follow.
    """
    signature, space, data = (
        found[:_SIGNATURE_CHARS],
        found[_SIGNATURE_CHARS:][:1],
        found[_SIGNATURE_CHARS + 1 :],
    )
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, data)
        whole = (base64.b64encode(raw), space) == (signature, b" ")  # one signature, one spelling
    except (InvalidSignature, ValueError):
        whole = False
    if not whole:
        raise WireError(tr("line {n} is not what the station signed", n=n))
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        raise WireError(tr("line {n} is not what the station signed", n=n)) from None
    entry = from_json(CustodyEntry, members)
    if (entry.format, entry.version) != (FORMAT, VERSION):
        raise WireError(tr("line {n} is of another version", n=n))
    if (entry.n, entry.previous) != (n, previous):
        raise WireError(tr("line {n} does not follow from the one before", n=n))
    return entry


def line_sha256(found: bytes) -> str:
    """What the next line names as the one before."""
    return sha256(found).hexdigest()
