"""One request of which pieces are to come: what of it is here, what is still needed, and what is none of it.

Invariants
1. A box can make nothing larger of one request than it may bring: before its manifest is whole, AHEAD_BYTES at
   most; afterwards just the files that it lists, each piece with just the length that it must have.
2. Of the manifest only names and lengths are believed here (listing.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from agent.errors import NgatuError
from agent.evidence.package.manifest import MAX_MANIFEST_BYTES
from agent.translatable import tr
from agent.wire import pieces
from agent.wire.signature import public_key
from station.footage.arrival.listing import (
    MANIFEST,
    MAX_SIGNATURE_BYTES,
    SIGNATURE,
    is_whole,
    listed_files,
    too_much,
)
from station.footage.arrival.spool import Spool
from station.footage.folder import PackageFolder

AHEAD_BYTES: Final = 4 << 20
"""Of footage that has come before its manifest is whole; what is beyond comes again later."""
LATER: Final = "later"
"""The piece is none for now, and comes again."""
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

    def unfit(self, file: str, number: int, size: int) -> str | None:
        """Why a piece of so many bytes is none of this request's, LATER among it; None: it is one."""
        if not 0 < size <= pieces.PIECE_BYTES:
            return f"a piece of {size} bytes"
        if self.listed is not None:
            whole = self.listed.get(file)
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
        return None if self.spool.bytes + size <= MAX_MANIFEST_BYTES + AHEAD_BYTES else LATER

    def read_manifest(self, most_bytes: int) -> str | None:
        """Read which files there are, once the manifest is whole; why the request ends with it, or None.

        Raises:
            OSError: what is there cannot be read.
        """
        counts = len(self.spool.sizes(MANIFEST)), len(self.spool.sizes(SIGNATURE))
        if not all(counts) or counts == self.tried:
            return None
        self.tried = counts
        data, signature = (b"".join(self.spool.read(name)) for name in (MANIFEST, SIGNATURE))
        try:
            key = public_key(self.folder.key) if self.folder.key.exists() else None
        except NgatuError as error:
            return error.what
        if not is_whole(self.folder, data, signature, key):
            return None  # more of it is to come
        found = listed_files(self.folder, data)
        if found is None:
            return tr("the manifest of the package cannot be read")
        why = too_much(found, most_bytes)
        if why is None:
            self.listed = {MANIFEST: len(data), SIGNATURE: len(signature), **found}
            self.spool.keep_only(self.listed)  # invariant 1 holds of what came before, too
        return why
