"""Requests for footage and packages for the tests of the station."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.wire import pieces
from station.footage.folder import FOOTAGE, FootageFolder, FootageRequest, RequestFolder
from station.ingest.inbound import InboundMessage, read
from tests.station.ingest.test_receipts import BASE, BOX

KEY = Ed25519PrivateKey.from_private_bytes(b"\x07" * 32)
ASKED = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def public_pem(key: Ed25519PrivateKey = KEY) -> bytes:
    """As a box's `box.pub` holds it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def asked(state_dir: Path, request_id: str = "q-1", *, key: bytes | None = None) -> RequestFolder:
    """A request of this station."""
    request = FootageRequest(
        id=request_id,
        commune=BOX[0],
        device=BOX[1],
        camera="north",
        from_time=ASKED - timedelta(minutes=5),
        to_time=ASKED - timedelta(minutes=4),
        case_number="12/2026",
        purpose="collision",
        officer="Lê Văn A",
        issuer="duty-room",
        asked_at=ASKED,
    )
    return FootageFolder(state_dir / FOOTAGE).new(request, key)


def package(*sizes: int, key: Ed25519PrivateKey = KEY, pad: int = 0) -> dict[str, bytes]:
    """The files of a package whose encrypted parts have these sizes, in the order in which a box sends them."""
    parts = [{"run": 1, "number": number, "cipher_bytes": size} for number, size in enumerate(sizes)]
    manifest = json.dumps({"parts": parts, "pad": "x" * pad}, separators=(",", ":")).encode()
    bodies = {f"footage-1-{number:05d}.age": bytes([number % 256]) * size for number, size in enumerate(sizes)}
    return {"manifest.json": manifest, "manifest.sig": key.sign(manifest), **bodies}


def sent(
    files: Mapping[str, bytes], request_id: str = "q-1", *, first_seq: int = 1, base: str = BASE
) -> Iterator[InboundMessage]:
    """The pieces of a package as they come from a box."""
    seq = first_seq
    for name, data in files.items():
        for number, body in enumerate(pieces.cut(data)):
            yield piece(name, number, body, seq, request_id, base)
            seq += 1


def piece(
    name: str, number: int, body: bytes, seq: int = 1, request_id: str = "q-1", base: str = BASE
) -> InboundMessage:
    """One piece as it comes from a box."""
    properties = {"stream": "s-1", "seq": str(seq)}
    return read(f"{base}evidence/{request_id}/{name}/{number}", body, properties)
