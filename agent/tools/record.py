"""A piece of a camera's video in a file, for whoever tries rules on it before trusting them (`ngatu replay`).

Where the camera sends packets they are copied as they are. Under privacy masks, and where it sends none, its
pictures are recorded as the agent sees them: decoded, the masked places black, and encoded again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import av.error

from agent.cameras import open_camera
from agent.cameras.recording import CannotCopy, Recorded, copy_packets
from agent.clock import Clock
from agent.config.schema import CameraConfig
from agent.core import image as picture
from agent.errors import CameraError, NgatuError
from agent.tools.overlay import VideoFile, video

KINDS: Final[dict[str, Literal["mp4", "matroska"]]] = {".mp4": "mp4", ".mkv": "matroska"}
MAX_FPS = 30.0
"""Of a video that is encoded again; a box that cannot keep up leaves pictures out."""

OnProgress = Callable[[float], object]
"""Called with the seconds that are there; True ends the recording."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What was recorded."""

    seconds: float
    how: str
    """As the camera sent it, or encoded again."""
    why: CameraError | None
    """What cut it short."""


def record(
    camera: CameraConfig, clock: Clock, path: Path, for_s: float, on_progress: OnProgress = lambda _s: None
) -> Recording:
    """Record so many seconds of the camera into a new file, which is there when it is whole.

    Raises:
        CameraError: the camera gave nothing.
        NgatuError: the file is there already, has no kind of a video, or cannot be written.
    """
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        raise NgatuError(f"{path}: not a name for a video", f"end it with {' or '.join(KINDS)}")
    if path.exists():
        raise NgatuError(f"{path} is there already", "name another file; a recording never replaces one")
    with _appearing(path) as unfinished:
        try:
            with unfinished.open("r+b") as file:
                copied = copy_packets(camera, clock, file, kind, for_s, on_progress)
            return Recording(copied.seconds, "as the camera sent it", copied.why)
        except CannotCopy:
            encoded = _encoded(camera, clock, unfinished, kind, for_s, on_progress)
            why = "its masks hide a part" if camera.privacy_masks else "it sends pictures without compression"
            return Recording(encoded.seconds, f"encoded again, for {why}", encoded.why)


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """A file beside it to write to, which takes its name at the end, and is gone after an error."""
    try:
        number, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".part", dir=path.parent)
        os.close(number)
        unfinished = Path(name)
        try:
            yield unfinished
            os.link(unfinished, path)  # unlike a rename it never replaces what came there meanwhile
        finally:
            unfinished.unlink()
    except CameraError:
        raise
    except OSError as error:
        raise NgatuError(
            f"{path}: cannot be written: {error.strerror or error}",
            "name a file in a folder that is there, that you may write to, and that has room",
        ) from error


def _encoded(
    camera: CameraConfig, clock: Clock, path: Path, kind: str, for_s: float, on_progress: OnProgress
) -> Recorded:
    settings, done = camera.model_copy(update={"max_fps": MAX_FPS}), Recorded()
    film: VideoFile | None = None
    first_s = 0.0
    with ExitStack() as files:
        source = files.enter_context(closing(open_camera(settings, clock)))
        try:
            for frame in source.frames():
                if film is None:
                    first_s = frame.at.mono_s
                    film = files.enter_context(video(path, frame.size, MAX_FPS, kind, timed=True))
                done.seconds = frame.at.mono_s - first_s
                film.write(picture.bgr(frame), done.seconds)
                if done.seconds >= for_s or on_progress(done.seconds):
                    break
        except CameraError as error:
            if film is None:
                raise
            done.why = error
        except av.error.FFmpegError as error:
            raise OSError(None, error.strerror) from error
    if film is None:
        raise CameraError(f"{camera.name}: no picture at all", "try another source")
    return done
