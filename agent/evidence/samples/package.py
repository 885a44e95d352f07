"""What an order for frames brings: their files as they lie on the disk, listed in a signed manifest.

    manifest.json              who ordered what and why, each frame by its name, its bytes and its hash
    manifest.sig               64 bytes: Ed25519 (RFC 8032) by the box's key for packages, over manifest.json
    frame-00001.sample[.age]   the frames in the order in which they are sent, oldest first

It is canonical JSON (RFC 8785). The names on the box are too long for a topic, so each frame has a number on
the way. Pure: box and station read it alike.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.errors import WireError
from agent.evidence.package.dataclass_json import from_json, to_json
from agent.evidence.samples.sample import MAX_BYTES, SEALED, SUFFIX, name_of
from agent.translatable import tr
from agent.wire.signature import canonical
from agent.wire.verbs import MOST_SAMPLES

FORMAT: Final = "ngatu frames for training"
VERSION: Final = 1
MAX_MANIFEST_BYTES: Final = 2 << 20
"""MOST_SAMPLES frames take less than half of it."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SampleOrder:
    """What was ordered, by whom and why."""

    id: str
    since: datetime | None
    """Only frames taken since then; None: all."""
    purpose: str
    officer: str
    issuer: str
    """Who sent the order."""
    command_sha256: str | None
    """Of the command as it came."""
    audit_line: int | None
    """Of the box's audit log, in which the order stands."""


@dataclass(frozen=True, slots=True)
class FrameEntry:
    """One frame."""

    file: str
    """Its name on the way."""
    name: str
    """And on the box."""
    bytes: int
    sha256: str
    """Of the file as it lies there, encrypted or not."""


@dataclass(frozen=True, slots=True)
class SampleManifest:
    """What the box signs."""

    commune: str
    device: str
    made_at: datetime
    order: SampleOrder
    frames: tuple[FrameEntry, ...]
    format: str = FORMAT
    version: int = VERSION


def file_of(number: int, name: str) -> str:
    """The name on the way of the frame with this number, which counts from 1."""
    return f"frame-{number:05d}{SEALED if name.endswith(SEALED) else SUFFIX}"


def manifest_bytes(manifest: SampleManifest) -> bytes:
    """What is signed, and sent."""
    return canonical(to_json(manifest))


def read_sample_manifest(data: bytes) -> SampleManifest:
    """What `manifest_bytes` was given; nobody says yet that the box has signed it.

    Raises:
        WireError: it is none, or lists what no box has.
    """
    try:
        manifest = from_json(SampleManifest, json.loads(data))
    except (ValueError, RecursionError) as error:
        raise WireError(tr("this is no list of frames: {error}", error=str(error)[:80])) from None
    if (manifest.format, manifest.version) != (FORMAT, VERSION):
        raise WireError(tr("this is no list of frames of version {version}", version=VERSION))
    if not 0 < len(manifest.frames) <= MOST_SAMPLES:
        raise WireError(
            tr("a list of {count} frames; at most {most}", count=len(manifest.frames), most=MOST_SAMPLES)
        )
    if len({each.name for each in manifest.frames}) != len(manifest.frames):
        raise WireError(tr("a frame is listed twice"))
    for number, each in enumerate(manifest.frames, 1):
        fits = 0 < each.bytes <= MAX_BYTES and _SHA256.fullmatch(each.sha256) is not None
        if name_of(each.name) is None or each.file != file_of(number, each.name) or not fits:
            raise WireError(tr("frame {number} of the list is none of a box", number=number))
    return manifest
