"""Cuts a range out of the ring: which fragments, from key picture to key picture, and their signed manifest.

The footage itself is not copied: the files of a package name where it lies, and it is read as it is sent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.errors import FootageError
from agent.evidence import ring
from agent.evidence.clips.files import PackageFile
from agent.evidence.clips.requests import ClipRequest
from agent.evidence.fragment import StoredFragment
from agent.evidence.links import SegmentLink
from agent.evidence.listing.index import Index
from agent.evidence.package.compose import PackagePiece, arrange, compose
from agent.evidence.package.manifest import MANIFEST, SIGNATURE, Facts, PackageManifest, Request
from agent.evidence.segment import segment_name, sync_folder
from agent.translatable import tr

FactsOf = Callable[[Sequence[StoredFragment]], Facts]
"""What a manifest says beside the footage of a camera."""
MOST_LATER: Final = 10_000
"""Links between the footage and the next one that the station was told of: hours, where it was away."""
NEAR: Final = 1_000
"""So many links after the footage are shown at least: one that was told may never have arrived."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A range that was cut."""

    manifest: PackageManifest
    files: tuple[PackageFile, ...]
    """In the order in which they are sent: what lists the others comes first."""


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts out of one ring, also beside the agent that writes there."""

    opened: Callable[[], Index]
    """Gives the index; that of a ring is another one after it was damaged."""
    facts: FactsOf
    key: Ed25519PrivateKey
    """The box's, for packages."""
    command_key_sha256: str | None = None
    """Of the key that commands are signed with; None: they are not."""

    @property
    def index(self) -> Index:
        """What lies in the ring.

        Raises:
            FootageError: it cannot be opened.
        """
        return self.opened()

    def kept(self, camera: str) -> tuple[float, float] | None:
        """From when to when there is footage of a camera, gaps included: corrected wall time; None: no footage.

        Raises:
            FootageError: the index cannot be read.
        """
        oldest, (newest, _) = self.index.oldest(camera), self.index.head(camera)
        if oldest is None:
            return None
        try:
            return oldest.from_s, self.index.segment(camera, newest).to_s
        except FootageError:  # the newest was deleted by hand
            return oldest.from_s, oldest.to_s

    def cut(self, request: ClipRequest, turn: Callable[[], object] = lambda: None) -> Clip | None:
        """Cut a range; None: nothing of it is there. `turn` is called with each fragment.

        Raises:
            FootageError: a fragment or the index cannot be read.
        """
        fragments = self.index.between(request.camera, request.from_s, request.to_s)
        if not fragments:
            return None
        inits = self.index.inits(fragments)
        whole = [each for each in fragments if each.init_sha256 in inits]
        if not whole:
            raise FootageError(
                tr("{camera}: the head of its footage is damaged: nobody can play it", camera=request.camera),
                tr("ask for another range"),
            )
        pieces = arrange(whole, inits)
        gaps = self.index.gaps(request.camera, request.from_s, request.to_s)
        links = self._links(request.camera, whole)
        first, last = (links[0].number, links[-1].number) if links else (0, 0)
        try:
            signed = compose(
                self._request(request),
                self._read(pieces, turn),
                gaps,
                links,
                self.facts(whole),
                self.key,
                later=self.index.bodies(request.camera, last, self._shown_to(request.camera, last)),
                between=self.index.bodies(request.camera, first, last),
                head=self.index.head(request.camera),
            )
        except ValueError as error:
            raise FootageError(
                tr("{camera}: the footage cannot be cut: {error}", camera=request.camera, error=error),
                tr("ask for it again"),
            ) from error
        listed: tuple[PackageFile, ...] = (PackageFile(MANIFEST, len(signed.data), signed.data),)
        listed += (PackageFile(SIGNATURE, len(signed.signature), signed.signature),)
        listed += tuple(PackageFile(piece.file, piece.stored.bytes, None, piece.stored) for piece in pieces)
        return Clip(signed.manifest, listed)

    def read(self, file: PackageFile) -> bytes:
        """The bytes of a file of a package.

        Raises:
            FootageError: what lay in the ring is gone, or damaged.
        """
        if file.body is not None:
            return file.body
        assert file.stored is not None
        return ring.read_stored(self.index.folder, file.stored)

    def _read(
        self, pieces: Sequence[PackagePiece[StoredFragment]], turn: Callable[[], object]
    ) -> Iterator[tuple[PackagePiece[StoredFragment], bytes]]:
        for piece in pieces:
            turn()
            yield piece, ring.read_stored(self.index.folder, piece.stored)

    def _links(self, camera: str, fragments: Sequence[StoredFragment]) -> list[SegmentLink]:
        """Those of the fragments' segments, and of one before and one after each."""
        used = {each.segment for each in fragments}
        folder = self.index.folder / camera
        near = sorted({number + beside for number in used for beside in (-1, 0, 1)})
        there = (number for number in near if (folder / segment_name(number)).exists())
        return [link for number in there if (link := self.index.link(camera, number)) is not None]

    def _shown_to(self, camera: str, last: int) -> int:
        """Up to which link the chain is shown: beyond the next one that the station was told of.

        Which that is nobody knows any more where the index was made anew; then as far as may be.
        """
        heard = self.index.told_after(camera, last)
        return last + (MOST_LATER if heard is None else min(MOST_LATER, max(NEAR, heard[0] - last)))

    def _request(self, asked: ClipRequest) -> Request:
        return Request(
            id=asked.id,
            camera=asked.camera,
            start=_moment(asked.from_s),
            end=_moment(asked.to_s),
            officer=asked.officer,
            case_number=asked.case_number,
            purpose=asked.purpose,
            command_sha256=asked.command_sha256,
            command_key_sha256=None if asked.command_sha256 is None else self.command_key_sha256,
            audit_line=asked.audit_line,
        )


def write(cutter: Cutter, clip: Clip, folder: Path, progress: Callable[[int, int], object]) -> None:
    """Write a package into a folder that is there; `progress` is told the bytes written, and all bytes.

    It is on disk when this returns: whoever is told so pulls the stick out.

    Raises:
        OSError: it cannot be written.
        FootageError: a fragment cannot be read.
    """
    total, done = sum(file.size_bytes for file in clip.files), 0
    for file in clip.files:
        with (folder / file.name).open("wb") as out:
            out.write(cutter.read(file))
            out.flush()
            os.fsync(out.fileno())
        done += file.size_bytes
        progress(done, total)
    sync_folder(folder)
    sync_folder(folder.parent)


def _moment(wall_s: float) -> datetime:
    wall_ms = round(wall_s * 1000)
    return datetime.fromtimestamp(wall_ms // 1000, UTC).replace(microsecond=wall_ms % 1000 * 1000)
