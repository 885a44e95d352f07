"""P38: what lies under a privacy mask is in nothing that is looked at, stored or sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.codec
import av.error
import av.logging
import numpy as np
from av.codec import Codec
from numpy.typing import NDArray

from agent.cameras import open_camera
from agent.cameras.decode.decoded import Polygon, Record
from agent.cameras.footage import FootageReader, Piece
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraRefused
from tests.acceptance.faults.real_time import give_up_real_time
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.coded_pattern import MASK, Searcher, cells_of, luma_of, painted, picture_of, shows, world
from tests.support.film import played
from tests.support.pixel_formats import formats

PICTURES = 3
"""Of each clip."""
AT_ONE_TIME = 3
BOXES = "nut", "matroska", "mov", "apng"
SIZES = (256, 128), (352, 288), (720, 576)
"""Some codecs know only some sizes."""
ODD = frozenset({"amv"})
"""FFmpeg gives its rows from the bottom up; such a camera is refused."""

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip of the pattern."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Shown:
    """What became of a clip: the brightness of each picture."""

    clip: Clip
    looked_at: tuple[Luma, ...]
    recorded: tuple[Luma, ...]


@promise(
    "P38",
    "a coded pattern under a mask, in every codec and every pixel format that can be made here",
    "found in none of more than 1,000 pictures that are handed over or recorded; in each with the mask off; "
    "no mask, packets copied in spite of it, and the mask of another size (planted) are seen",
    minutes=1.5,
    patient=True,
)  # fmt: skip
def decoded(trial: Trial) -> str:
    """Each clip goes through a camera's real process, is recorded by it, and what is recorded is decoded."""
    clips = _clips(trial)
    masked, bare = Searcher(), Searcher()
    for shown in _through(clips, (MASK,)):
        _search(masked, shown)
    if masked.leaks:
        raise Broken(f"the pattern is in {masked.leaks}")
    refused = len(clips) - len(masked.kinds) // 2
    if refused > len(clips) // 50:
        raise Broken(f"{refused} of {len(clips)} clips were refused")
    some = trial.chance().sample(clips, len(clips) // 4)
    for shown in _through(some, ()):
        _search(bare, shown)
    if len(bare.kinds) < 2 * 0.95 * len(some):
        raise Broken(
            f"with the mask off {2 * len(some) - len(bare.kinds)} of {len(some)} clips were not recorded"
        )
    blind = {kind: count for kind, count in bare.kinds.items() if bare.found[kind] < count}
    if blind:
        raise Broken(f"with the mask off it is not found in {blind}")
    return (
        f"{masked.looked} pictures of {len(clips)} codecs and pixel formats: found in none, {refused} refused; "
        f"with the mask off in {sum(bare.found.values())} of {bare.looked}; {_planted(trial, clips)}"
    )


def _search(searcher: Searcher, shown: Shown) -> None:
    for what, pictures in (("looked at", shown.looked_at), ("recorded", shown.recorded)):
        for luma in pictures:
            searcher.whole(f"{what}: {shown.clip.name}", luma)


def _through(clips: Sequence[Clip], masks: tuple[Polygon, ...]) -> Iterator[Shown]:
    with ThreadPoolExecutor(AT_ONE_TIME) as pool:
        yield from pool.map(lambda clip: shown_of(clip, masks), clips)


def shown_of(clip: Clip, masks: tuple[Polygon, ...]) -> Shown:
    """Let a camera's process decode and record the clip."""
    source = {"kind": "file", "path": str(clip.path), "pace": "real"}
    settings = CameraSettings.model_validate(
        {"name": "north", "source": source, "max_fps": 120, "privacy_masks": masks, "open_timeout_s": 120}
    )
    clock, readers = SystemClock(), list[FootageReader]()
    # The reader is there with the child, as in the agent: what is dated before that is not believed.
    record = Record(fps=120, encode_kbps=20_000)
    camera = open_camera(settings, clock, record, lambda pipe: readers.append(FootageReader(pipe, clock)))
    try:
        looked_at = tuple(np.array(frame.luma) for frame in camera.frames())
    except CameraRefused:
        looked_at = ()
    (reader,) = readers
    try:
        return Shown(clip, looked_at, tuple(_recorded(reader)))
    finally:
        reader.close()


def _recorded(reader: FootageReader) -> Iterator[Luma]:
    runs: list[list[bytes]] = []
    while (piece := reader.read(10.0)) is not None:
        if isinstance(piece, Piece):
            if piece.kind == "init":
                runs.append([])
            runs[-1].append(piece.data)
    for init, *pieces in runs:
        yield from (luma_of(frame) for frame in played(init, pieces))


# --------------------------------------------------------------------------------------------- planted

PLANTED = {
    "no mask": "import agent.cameras.decode.privacy_mask as m\n"
    "m.PrivacyMask.copy = lambda self, planes, slot: slot.__setitem__(slice(None), b''.join(planes))\n",
    "packets copied": "import agent.cameras.decode.footage.tee as m\nm.way = lambda *_: 'copy'\n",
    "the mask of another size": "import agent.cameras.decode.privacy_mask as m\n"
    "sizes, inner = [], m.PrivacyMask\n"
    "def kept(layout, masks):\n"
    "    sizes.append((layout.width_px, layout.height_px))\n"
    "    across, down = sizes[0][0] / layout.width_px, sizes[0][1] / layout.height_px\n"
    "    return inner(layout, [[(x * across, y * down) for x, y in mask] for mask in masks])\n"
    "m.PrivacyMask = kept\n",
}
"""Mistakes that a camera's process makes because Python reads them when it starts."""


def _planted(trial: Trial, clips: Sequence[Clip]) -> str:
    seen = []
    some = [clip for clip in clips if clip.name in ("libx264 yuv420p", "a size that changes")]
    for name, text in PLANTED.items():
        searcher = Searcher()
        with _every_child(trial.folder / name, text):
            for shown in _through(some, (MASK,)):
                _search(searcher, shown)
        if not searcher.leaks:
            raise Broken(f"{name}: not seen, the trial is blind")
        seen.append(f"{name}: found in {sum(searcher.found.values())} of {searcher.looked}")
    return "planted: " + ", ".join(seen)


@contextmanager
def _every_child(folder: Path, text: str) -> Iterator[None]:
    """Every process of a camera runs this first."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


# --------------------------------------------------------------------------------------------- the clips


def _clips(trial: Trial) -> list[Clip]:
    """One of each codec and pixel format that FFmpeg can make and then show again."""
    av.logging.set_level(None)
    give_up_real_time()
    clips = [each for name, pixels in _ways(trial) if (each := _made(trial.folder, name, pixels)) is not None]
    changing = trial.folder / "changing.h264"
    changing.write_bytes(
        b"".join(_h264(width, height) for width, height in ((256, 128), (512, 256), (384, 320)))
    )
    return [*clips, Clip("a size that changes", changing)]


def _ways(trial: Trial) -> Iterator[tuple[str, str]]:
    """Encoder and pixel format; at the quick size one format of each."""
    seen: set[str] = set()
    for name in sorted(av.codec.codecs_available):
        try:
            codec = Codec(name, "w")
        except av.codec.codec.UnknownCodecError:
            continue
        if codec.type != "video" or codec.name in seen | ODD:
            continue
        seen.add(codec.name)
        known = [each.name for each in codec.video_formats or ()]
        known = list(formats()) if codec.name == "rawvideo" else known
        most = trial.size(len(known), len(known), quick=1)
        yield from ((codec.name, pixels) for pixels in known[:most])


def _made(folder: Path, codec: str, pixels: str) -> Clip | None:
    path = folder / f"{codec}-{pixels}"
    for box in BOXES:
        for size in SIZES:
            try:
                _write(path, box, codec, pixels, size)
                with av.open(str(path)) as container:
                    there = [shows(cells_of(luma_of(frame))) for frame in container.decode(video=0)]
            except (av.error.FFmpegError, OSError, ValueError, IndexError):
                continue
            # Some formats have no name in the file and come out as another one.
            return Clip(f"{codec} {pixels}", path) if there == [True] * PICTURES else None
    return None


def _write(path: Path, box: str, codec: str, pixels: str, size: tuple[int, int]) -> None:
    with av.open(str(path), "w", format=box) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.thread_count = 1
        for number in range(PICTURES):
            frame = picture_of(painted(world(*size, number)), pixels)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _h264(width: int, height: int) -> bytes:
    """A stream with start codes: one can follow another, as when a camera is set to another size."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.options = Fraction(1, 25), {"tune": "zerolatency"}
    frames = [picture_of(painted(world(width, height, number)), "yuv420p") for number in range(PICTURES)]
    return b"".join(bytes(packet) for frame in [*frames, None] for packet in context.encode(frame))
