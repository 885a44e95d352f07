"""A custody log as a station writes it, for a package that was never at one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.evidence.package.compose import SignedManifest
from agent.evidence.package.manifest import PackageManifest
from station.footage.folder import FootageRequest
from tests.support.footage import NOON_S
from verifier.custody_log import FIRST, CustodyEntry, HeardLink, line, line_sha256

ACTS = (
    ("received", "station", "whole: 27 files"),
    ("verified", "station", "authentic"),
    ("handed_over", "Trần Thị B", "to the investigator of case 12/2026"),
)


def custody_of(
    made: SignedManifest,
    key: Ed25519PrivateKey,
    heard_of: PackageManifest | None = None,
    hears: bool = True,
    later: tuple[int, str] | None = None,
) -> bytes:
    """Three steps; the station has heard of the newest link in `heard_of`, or in its own manifest.

    Half an hour after that it has heard of the link `later`.
    """
    manifest = heard_of or made.manifest
    assert manifest.head is not None
    at = datetime.fromtimestamp(NOON_S, UTC) + timedelta(minutes=4)
    until = datetime.fromtimestamp(NOON_S, UTC) + timedelta(seconds=130)
    heard = (HeardLink(manifest.head.number, manifest.head.sha256, at, until),)
    if later is not None:
        heard += (HeardLink(*later, at + timedelta(minutes=30), until),)
    found, previous = b"", FIRST
    for n, (act, by, detail) in enumerate(ACTS, 1):
        entry = CustodyEntry(
            n=n,
            previous=previous,
            at=at + timedelta(hours=n),
            act=act,  # type: ignore[arg-type]
            by=by,
            detail=detail,
            station="thanh-xuan",
            manifest_sha256=sha256(made.data).hexdigest(),
            box_key_sha256=made.manifest.key_sha256,
            heard=heard if n == 1 and hears else (),
        )
        written = line(entry, key)
        found, previous = found + written + b"\n", line_sha256(written)
    return found


def footage_request(request_id: str) -> FootageRequest:
    """What a station asked for: a minute of one camera."""
    at = datetime.fromtimestamp(NOON_S, UTC)
    return FootageRequest(
        id=request_id, commune="thanh-xuan", device="pole-7", camera="north", from_time=at,
        to_time=at + timedelta(minutes=1), case_number="12/2026", purpose="collision", officer="Lê Văn A",
        issuer="duty", asked_at=at + timedelta(hours=1),
    )  # fmt: skip
