"""What a package of footage or of frames lists: the names and lengths of its files, by its manifest. Pure.

Of a manifest only these are believed before the verifier has judged it (desk.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.errors import WireError
from agent.evidence.fragment import MAX_FRAGMENT_BYTES
from agent.evidence.samples.package import read_sample_manifest
from agent.translatable import tr
from agent.wire import pieces
from station.footage.folder import PackageFolder
from station.footage.samples.folder import SampleFolder

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
MAX_SIGNATURE_BYTES: Final = 64
MAX_FILES: Final = 20_000
MAX_PART_BYTES: Final = 2 * MAX_FRAGMENT_BYTES
"""A box keeps no fragment of half of it; each is decrypted and judged in memory."""
_FILE: Final = re.compile(pieces.FILE_PATTERN)


def is_whole(folder: PackageFolder, data: bytes, signature: bytes, key: Ed25519PublicKey | None) -> bool:
    """Whether these bytes are all of a manifest; without the box's key nobody knows but by its end."""
    if key is not None:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            pass  # perhaps whole all the same, and not signed by that key: the verifier says so
        else:
            return True
    return len(data) % pieces.PIECE_BYTES != 0 or listed_files(folder, data) is not None


def listed_files(folder: PackageFolder, data: bytes) -> dict[str, int] | None:
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


def too_much(files: Mapping[str, int], most: int) -> str | None:
    """Why these files are more than one request may bring, at most `most` bytes; None: they are not."""
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


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise TypeError
    return value
