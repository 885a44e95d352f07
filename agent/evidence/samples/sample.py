"""One frame for training as it lies on the disk: a line of JSON that says what it is, then the JPEG.

One file, so that picture and words come and go together; encrypted as a whole where footage is (encryption.py).
Its name says what the index says, so that a lost index is read from the names again.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from agent.core.sampling.settings import ALL_REASONS
from agent.errors import FootageError
from agent.settings.base import NAME_PATTERN
from agent.translatable import tr

SUFFIX: Final = ".sample"
SEALED: Final = ".sample.age"
MAX_BYTES: Final = 4_000_000
"""No file of ours is larger; what is comes from somebody else."""
_NAME: Final = re.compile(
    rf"(\d{{1,15}})\.({NAME_PATTERN})\.({'|'.join(ALL_REASONS)})\.([a-z0-9-]{{1,32}})\.(\d{{1,2}})\.(\d{{1,4}})"
    rf"\.([0-9a-f-]{{36}})\.sample(?:\.age)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One box that the detector proposes as a label."""

    label: str
    score: float
    """0..1."""
    left: float
    top: float
    right: float
    bottom: float
    """Fractions of the picture, 0..1."""
    by: str
    """detector: found in this frame; track: followed, and not looked for in this frame."""


@dataclass(frozen=True, slots=True)
class SampleNote:
    """What stands beside a picture."""

    id: str
    camera: str
    taken: str
    """RFC 3339, UTC."""
    clock: str
    """Who vouched for it: ntp, rtc, floor or unknown."""
    clock_error_ms: int | None
    reason: str
    place: str
    condition: str
    worth: float
    proposals: tuple[Proposal, ...]
    about: tuple[float, float, float, float] | None
    """Left, top, right, bottom of what it was kept for, in fractions; None: the whole view."""
    width_px: int
    height_px: int
    jpeg_sha256: str
    blur: str
    mask_sha256: str | None
    """Of the camera's privacy masks; None: it has none."""
    box: str
    """commune/device."""
    version: str
    config_sha256: str
    model: str | None
    model_sha256: str | None
    purpose: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class SampleName:
    """What the name of a sample's file says; the index says the same."""

    taken_ms: int
    """Wall time as it was believed, milliseconds since 1970; `SampleNote.taken` is what the clock showed."""
    camera: str
    reason: str
    place: str
    hour: int
    """Of the day, local time."""
    worth: float
    """0..1, in thousandths."""
    id: str

    def file(self, sealed: bool) -> str:
        """The file's name."""
        words = (
            self.taken_ms,
            self.camera,
            self.reason,
            self.place,
            self.hour,
            round(self.worth * 1000),
            self.id,
        )
        return ".".join(map(str, words)) + (SEALED if sealed else SUFFIX)


def name_of(file: str) -> SampleName | None:
    """What a file's name says; None: it is no sample's."""
    match = _NAME.fullmatch(file)
    if match is None:
        return None
    taken, camera, reason, place, hour, worth, sample_id = match.groups()
    return SampleName(int(taken), camera, reason, place, int(hour), int(worth) / 1000, sample_id)


def packed(note: SampleNote, jpeg: bytes) -> bytes:
    """The bytes of the file, not encrypted."""
    line = json.dumps(asdict(note), ensure_ascii=True, separators=(",", ":"))
    return line.encode("ascii") + b"\n" + jpeg


def unpacked(data: bytes) -> tuple[SampleNote, bytes]:
    """What `packed` was given.

    Raises:
        FootageError: it is no sample, or damaged.
    """
    line, _, jpeg = data.partition(b"\n")
    try:
        fields: dict[str, Any] = json.loads(line)
        proposals = tuple(Proposal(**each) for each in fields.pop("proposals"))
        about = fields.pop("about")
        note = SampleNote(proposals=proposals, about=None if about is None else tuple(about), **fields)
        width_px, height_px = int(note.width_px), int(note.height_px)
    except (ValueError, TypeError, LookupError, RecursionError, AttributeError) as error:
        raise FootageError(
            tr("this is no frame for training: {error}", error=str(error)[:80]), tr("it is left out")
        ) from None
    if not jpeg.startswith(b"\xff\xd8") or width_px < 1 or height_px < 1:
        raise FootageError(tr("the picture of a frame for training is damaged"), tr("it is left out"))
    return note, jpeg
