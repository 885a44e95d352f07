"""The last minutes of the ring, for a trial: decrypted by this boot's key, a short piece after the other.

What is decrypted lies in memory and nowhere else: a card that is carried away holds nothing of it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from agent.cameras import Camera, open_camera
from agent.cameras.settings import CameraSettings, FileSource
from agent.clock import Clock
from agent.config.schema import CameraConfig, Config
from agent.core.types import Frame, Instant
from agent.errors import CameraRefused
from agent.evidence.encryption import CannotDecrypt, decrypt, in_memory, known_boot_identity, service_folder
from agent.evidence.fragment import StoredFragment
from agent.evidence.listing.index import Index
from agent.evidence.listing.listed import GAP_S
from agent.evidence.ring import read_stored
from agent.tools.preview.footage import TrialFootage
from agent.translatable import tr

LOOK_BACK_S: Final = 600.0
PIECE_S: Final = 20.0
"""So much is decrypted at a time: 5 MB at 2 Mbit/s."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108 – files there are made by tempfile, for their owner alone


def of_this_boot(config: Config, camera: CameraConfig) -> TrialFootage | None:
    """The last ten minutes of a camera that an agent of this boot records; None if there is none.

    Raises:
        PermissionError: this user may not have the key to them.
    """
    if camera.record.mode == "off":
        return None
    try:
        identity = known_boot_identity(service_folder())
    except PermissionError:
        raise
    except (OSError, CannotDecrypt):
        return None
    return last_minutes(config.evidence_path, identity, camera.name)


def last_minutes(folder: Path, identity: str, camera: str) -> TrialFootage:
    """What the ring in this folder has of the camera, up to ten minutes before the trial begins.

    `identity` is this boot's (`encryption.known_boot_identity`).
    """

    def opened(settings: CameraSettings, clock: Clock) -> Camera:
        return RingCamera(_RingPlace(folder, identity, camera), settings, clock)

    return TrialFootage(tr("the last ten minutes of this camera"), opened)


@dataclass(frozen=True, slots=True)
class _RingPlace:
    folder: Path
    identity: str
    camera: str


class RingCamera:
    """Gives the frames of a stretch of the ring once, as a camera does; over a gap time jumps."""

    def __init__(self, place: _RingPlace, settings: CameraSettings, clock: Clock) -> None:
        self._place, self._settings, self._clock = place, settings, clock
        self._open: Camera | None = None
        self._closed = False

    def frames(self) -> Iterator[Frame]:
        """Every due frame of what can be decrypted.

        Raises:
            CameraRefused: nothing is there, nothing of it is this boot's, or there is no room in memory.
            FootageError: the ring cannot be read.
        """
        if not in_memory(MEMORY):
            what = tr("{folder} does not lie in memory", folder=MEMORY)
            raise CameraRefused(what, tr("footage is decrypted in memory only; mount a tmpfs there"))
        now_s = self._clock.now().wall_s
        last: Instant | None = None
        with closing(Index(self._place.folder, readonly=True)) as index:
            stored = index.between(self._place.camera, now_s - LOOK_BACK_S, now_s)
            inits = index.inits(stored)
            for piece in pieces(stored):
                for frame in self._piece(piece, inits):
                    if last is None or frame.at.mono_s > last.mono_s:
                        last = frame.at
                        yield frame
        if last is None and not self._closed:
            raise CameraRefused(
                tr("{camera}: nothing of the last ten minutes can be seen", camera=self._place.camera),
                tr(
                    "is it recorded? Footage from before the box was last switched on "
                    "can be read by the station only"
                ),
            )

    def close(self) -> None:
        """Let go of it; may be called twice."""
        self._closed = True
        if self._open is not None:
            self._open.close()

    def _piece(self, piece: Sequence[StoredFragment], inits: dict[str, StoredFragment]) -> Iterator[Frame]:
        """The frames of one piece, by the wall's corrected time; none if it cannot be decrypted."""
        init = inits.get(piece[0].init_sha256)
        if init is None or self._closed:
            return
        with tempfile.NamedTemporaryFile(dir=MEMORY, prefix=f"ngatu-{os.getpid()}-", suffix=".mp4") as file:
            try:
                for each in (init, *piece):
                    file.write(decrypt(read_stored(self._place.folder, each), self._place.identity))
            except CannotDecrypt:  # of an earlier boot
                return
            file.flush()
            source = FileSource(path=Path(file.name), pace="fast")
            self._open = open_camera(self._settings.model_copy(update={"source": source}), self._clock)
            with closing(self._open) as camera, suppress(CameraRefused):
                first: Instant | None = None
                for frame in camera.frames():
                    first = first or frame.at
                    at_s = piece[0].wall_s + frame.at.since(first)
                    yield replace(frame, at=Instant(at_s, at_s))


def pieces(stored: Sequence[StoredFragment]) -> Iterator[list[StoredFragment]]:
    """Runs of fragments that make one short video each: of one init, without a gap, from a key picture on."""
    piece: list[StoredFragment] = []
    for each in stored:
        if piece:
            last = piece[-1]
            apart = each.init_sha256 != last.init_sha256 or each.wall_s - last.end_s > GAP_S
            if apart or (each.key and each.wall_s - piece[0].wall_s >= PIECE_S):
                yield piece
                piece = []
        if piece or each.key:
            piece.append(each)
    if piece:
        yield piece
