"""Real footage in pieces: fragments of MP4 that a player plays, and a player that says what it saw."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import av
import av.logging
import numpy as np
from av.video.frame import VideoFrame

SIDE_PX = 64
FPS = 2


@dataclass(frozen=True, slots=True)
class Film:
    """One run of a camera: what every player needs first, then pieces of the same length."""

    init: bytes
    pieces: tuple[bytes, ...]
    piece_s: float
    pictures: int
    """In each piece."""


@cache
def film(pieces: int = 60, piece_s: float = 4.0, seed: int = 0) -> Film:
    """So many pieces, each from a key picture on; every picture is numbered by its brightness."""
    each = round(piece_s * FPS)
    out, chance = io.BytesIO(), np.random.default_rng(seed)
    flags = "frag_keyframe+empty_moov+default_base_moof"
    with av.open(out, "w", format="mp4", options={"movflags": flags}) as container:
        options = {"crf": "18", "x264-params": "scenecut=0:bframes=0"}
        track = container.add_stream("libx264", rate=FPS, options=options)
        track.width = track.height = SIDE_PX
        track.pix_fmt = "yuv420p"
        track.codec_context.gop_size, track.codec_context.thread_count = each, 1
        for number in range(pieces * each):
            picture = np.full((SIDE_PX * 3 // 2, SIDE_PX), 128, np.uint8)
            picture[:SIDE_PX] = 40 + number % 150 + chance.integers(0, 20, (SIDE_PX, SIDE_PX))
            frame = VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts = number
            container.mux(track.encode(frame))
        container.mux(track.encode())
    boxes = _boxes(out.getvalue())
    first = next(place for place, (kind, _) in enumerate(boxes) if kind == b"moof")
    init = b"".join(data for _, data in boxes[:first])
    media = [data for kind, data in boxes[first:] if kind in (b"moof", b"mdat")]
    parts = tuple(media[place] + media[place + 1] for place in range(0, len(media), 2))
    assert len(parts) == pieces, f"{len(parts)} of {pieces}"
    return Film(init, parts, piece_s, each)


def played(init: bytes, pieces: Sequence[bytes]) -> list[VideoFrame]:
    """Every picture that a player shows.

    Raises:
        av.error.FFmpegError: it cannot be played.
    """
    av.logging.set_level(None)
    with av.open(io.BytesIO(init + b"".join(pieces)), format="mp4") as container:
        container.streams.video[0].thread_type = "NONE"  # threads take longer to begin than these few pictures
        return list(container.decode(video=0))


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """Kind and bytes of each box at the top of a file (ISO/IEC 14496-12)."""
    boxes, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        boxes.append((data[at + 4 : at + 8], data[at : at + size]))
        at += size
    return boxes
