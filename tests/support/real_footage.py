"""Footage that plays: H.264 in fragments of two seconds, put into a box's ring as if it was recorded."""

from __future__ import annotations

import io
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from agent.core.types import Instant
from agent.evidence.encryption import Recipients
from agent.evidence.fragment import Fragment
from agent.evidence.ring import Ring
from agent.evidence.settings import EvidenceSettings

FPS = 10
WIDTH_PX, HEIGHT_PX = 320, 240
FRAGMENT_S = 2


@dataclass(frozen=True)
class Recorded:
    """What was put into the ring."""

    from_s: float
    to_s: float
    bytes: int


def encoded(seconds: int, kbps: int, seed: int = 0) -> tuple[bytes, list[bytes]]:
    """The head and the fragments of a clip of about so many kbit/s, which no encoder makes smaller."""
    target = io.BytesIO()
    movflags = "empty_moov+default_base_moof+frag_keyframe"
    with av.open(target, "w", format="mp4", options={"movflags": movflags}) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.bit_rate = kbps * 1000
        rate = {"x264-params": f"keyint={FPS * FRAGMENT_S}:min-keyint={FPS * FRAGMENT_S}:scenecut=0"}
        stream.options = {"preset": "ultrafast", "maxrate": f"{kbps}k", "bufsize": f"{kbps}k", **rate}
        chance = np.random.default_rng(seed)
        for _ in range(seconds * FPS):
            noise = chance.integers(0, 256, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
            for packet in stream.encode(VideoFrame.from_ndarray(noise, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    boxes = list(_boxes(target.getvalue()))
    head = b"".join(data for kind, data in boxes if kind in ("ftyp", "moov"))
    fragments: list[bytes] = []
    for kind, data in boxes:
        if kind == "moof":
            fragments.append(data)
        elif kind == "mdat":
            fragments[-1] += data
    return head, fragments


def record_into(folder: Path, recipient: str, seconds: int, kbps: int, camera: str = "road") -> Recorded:
    """Put a clip into a box's ring, as if it had been recorded until a moment ago; the box is not at work."""
    head, fragments = encoded(seconds, kbps)
    now = Instant(time.monotonic(), time.time())
    moving = _Clock(now.mono_s - seconds - 2, now.wall_s - seconds - 2)
    begins_s = moving.wall_s
    folder.mkdir(parents=True, exist_ok=True)
    ring = Ring(
        folder,
        EvidenceSettings(recipient=recipient),
        Recipients(recipient),
        moving,
    )
    run = f"run-{random.getrandbits(32):x}"
    ring.append(_fragment(camera, run, "init", moving.now(), 0.0, head))
    for data in fragments:
        ring.append(_fragment(camera, run, "media", moving.now(), float(FRAGMENT_S), data))
        moving.mono_s += FRAGMENT_S
        moving.wall_s += FRAGMENT_S
    ring.close()
    return Recorded(begins_s, moving.wall_s, len(head) + sum(map(len, fragments)))


def frames_in(path: Path) -> int:
    """How many pictures of a file can be decoded."""
    with av.open(path) as container:
        return sum(1 for _ in container.decode(video=0))


@dataclass
class _Clock:
    mono_s: float
    wall_s: float

    def now(self) -> Instant:
        return Instant(self.mono_s, self.wall_s)


def _fragment(camera: str, run: str, kind: str, at: Instant, duration_s: float, data: bytes) -> Fragment:
    return Fragment(
        camera,
        run,
        kind,
        at,
        duration_s,
        True,
        "h264",
        WIDTH_PX,
        HEIGHT_PX,
        data,
        recorded="as it came",
        mask_sha256=None,
        clock="ntp",
    )  # type: ignore[arg-type]


def _boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8].decode("ascii"), data[at : at + size]
        at += size
