"""Pictures without labels, on which the network must go on saying what its base says.

Without them a detector forgets what its new pictures do not show (Li and Hoiem, 2016, arXiv:1606.09282).
Some are never learned from: they tell how much is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from agent.core.types import Image
from agent.errors import ModelError
from agent.translatable import tr

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
CLIPS = frozenset({".mp4", ".mkv", ".avi", ".mov", ".ts", ".m4v", ".webm"})
OF_A_CLIP = 60
"""Frames at most, evenly over its length."""
HELD_BACK = 6
"""One in so many is not learned from: the end of each clip, and the last of each source's pictures by name."""
_LONGEST_PX = 1280
"""Larger frames are kept smaller: no view shows more."""
_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Pictures as files in memory: those to rehearse with, and those that tell what is forgotten."""

    learned: tuple[bytes, ...]
    held_back: tuple[bytes, ...]

    @property
    def all(self) -> tuple[bytes, ...]:
        """Both."""
        return self.learned + self.held_back


def read_rehearsal(sources: Sequence[Path]) -> Rehearsal:
    """Every picture of the folders, and some frames of each clip, encoded; in a fixed order.

    Raises:
        ModelError: there is no such file, or nothing in it can be seen.
    """
    learned: list[bytes] = []
    held_back: list[bytes] = []
    for source in sources:
        files = sorted(_files(source))
        clips = [path for path in files if path.suffix.lower() in CLIPS]
        series = [list(_frames(path)) for path in clips]
        series.append([_picture(path) for path in files if path not in clips])
        if not any(series):
            raise ModelError(
                tr("{path}: no picture and no clip in it", path=source),
                tr("--rehearse wants clips, or folders of pictures and clips."),
            )
        for one in series:
            first = len(one) - len(one) // HELD_BACK
            learned.extend(one[:first])
            held_back.extend(one[first:])
    return Rehearsal(tuple(learned), tuple(held_back))


def seen(data: bytes) -> Image:
    """The picture of such bytes, BGR."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _files(source: Path) -> Iterator[Path]:
    if source.is_dir():
        yield from (path for path in source.rglob("*") if path.suffix.lower() in PICTURES | CLIPS)
    elif source.is_file():
        yield source
    else:
        raise ModelError(tr("{path}: no such file or folder", path=source))


def _picture(path: Path) -> bytes:
    data = path.read_bytes()
    if not data or cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is None:
        raise ModelError(
            tr("{path}: no picture that can be read", path=path), tr("remove it, or make it anew.")
        )
    return data


def _frames(path: Path) -> Iterator[bytes]:
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            count = stream.frames or int(
                float((container.duration or 0) / 1e6) * float(stream.average_rate or 25)
            )
            every = max(1, count // OF_A_CLIP)
            for number, frame in enumerate(container.decode(stream)):
                if number % every == 0 and number // every < OF_A_CLIP:
                    yield _kept(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
    except (av.FFmpegError, IndexError) as error:
        raise ModelError(tr("{path}: no clip that can be read: {error}", path=path, error=error)) from error


def _kept(picture: Image) -> bytes:
    longest = max(picture.shape[:2])
    if longest > _LONGEST_PX:
        share = _LONGEST_PX / longest
        picture = np.asarray(
            cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
        )
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(data)
