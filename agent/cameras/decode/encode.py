"""Pictures of a camera whose packets may not be recorded, encoded again: H.264 of what its masks leave.

Under a privacy mask the packets hold what nobody may see; raw pictures have no packets that a file takes. What
is encoded is the slot of the ring that `PrivacyMask.copy` has filled: the encoder never sees the decoder's own
memory, so what is hidden cannot reach a recording by it.

Every picture that may be looked at is encoded, `max_fps` a second at most, also while nothing happens: a clip
must not begin with a jerk. A board that is too slow for that gets fewer pictures, never a delay (`BUSY`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream

from agent.cameras.decode.decoded import Layout

BASE: Final = Fraction(1, 90_000)
"""The unit of a packet's time, in seconds: that of network video."""
KEY_S: Final = 2.0
"""A picture that needs no other comes so often at least: a clip begins at one."""
MAX_PX: Final = 1920 * 1080
"""Larger pictures are made smaller first: hardware of small boards takes no more, and software is slow."""
ENCODERS: Final = ("h264_v4l2m2m", "libx264")
"""The board's hardware where it opens, else software, which is everywhere."""
HARDWARE: Final = frozenset({"h264_v4l2m2m"})
"""Those of `ENCODERS` that are the board's."""
BUSY: Final = 0.5
"""The most of the time that encoding may take; it runs in the thread that decodes."""
SOFTWARE: Final = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1", "crf": "24"}
"""On one thread 6 ms for 1080p, where `veryfast` takes 13 to 20 and saves a third of the bytes (measured)."""
PARAMETER_SETS: Final = frozenset({7, 8})
"""Kinds of H.264 units that a decoder needs first (ITU-T H.264, table 7-1)."""
FULL_RANGE: Final = ColorRange.JPEG.value
LIMITED_RANGE: Final = ColorRange.MPEG.value


class CannotEncode(Exception):
    """No encoder of this machine takes such pictures, or one failed; the text says which and why."""


class MaskedEncoder:
    """Encodes the pictures of one layout; a new size is a new encoder."""

    def __init__(self, layout: Layout, fps: float, kbps: int, encoders: Sequence[str] = ENCODERS) -> None:
        """Open the first encoder that opens; `fps` is how many pictures a second come at most.

        Raises:
            CannotEncode: none does.
        """
        self.layout, self._fps, self._kbps = layout, fps, kbps
        self.width_px, self.height_px = encoded_size(layout.width_px, layout.height_px)
        self._copy = VideoFrame(layout.width_px & ~1 or 2, layout.height_px & ~1 or 2, "yuv420p")
        self._copy.color_range = FULL_RANGE if layout.full_range else LIMITED_RANGE
        self._scaler = VideoReformatter()
        self._stream = self._opened(encoders)
        self._context = self._stream.codec_context
        self.name = self._context.codec.name
        """FFmpeg's name of the encoder."""
        self.by = "hardware" if self.name in HARDWARE else "software"
        self._parameter_sets: bytes | None = None
        """Of the first picture: hardware tells them there only."""
        self._first_s: float | None = None
        self._last_pts = -1
        self._key_due_s = self._due_s = float("-inf")

    def packets(self, slot: memoryview, mono_s: float) -> list[Packet[VideoStream]]:
        """Encode a slot of the layout, whose masks are black; packets have their time from the first picture.

        A hardware encoder may give a picture's packet only with a later picture.

        Raises:
            CannotEncode: the encoder failed.
        """
        if mono_s < self._due_s:
            return []
        began_s = time.monotonic()
        if self._first_s is None:
            self._first_s = mono_s
        self._last_pts = max(self._last_pts + 1, round((mono_s - self._first_s) / BASE))
        frame = self._filled(slot)
        frame.pts, frame.time_base = self._last_pts, BASE
        # Half a picture early, or the next one would be due at the third second.
        key = mono_s >= self._key_due_s - 0.5 / self._fps
        frame.pict_type = PictureType.I if key else PictureType.NONE
        if key:
            self._key_due_s = mono_s + KEY_S
        packets = self._encoded(frame)
        self._due_s = mono_s + (time.monotonic() - began_s) / BUSY - 0.5 / self._fps
        return packets

    def track(self, out: OutputContainer) -> VideoStream:
        """A track of a file for these packets; to be asked for once there are any."""
        track = out.add_stream_from_template(self._stream)
        track.codec_context.extradata = self._parameter_sets
        return track

    def flush(self) -> list[Packet[VideoStream]]:
        """What the encoder still holds; it takes no more pictures."""
        return self._encoded(None)

    def _encoded(self, frame: VideoFrame | None) -> list[Packet[VideoStream]]:
        try:
            packets = self._context.encode(frame)
        except (av.error.FFmpegError, OSError) as error:
            raise CannotEncode(f"{self.name}: {error.strerror or type(error).__name__}") from error
        if packets and self._parameter_sets is None:
            self._parameter_sets = parameter_sets(bytes(packets[0]))
        return packets

    def _filled(self, slot: memoryview) -> VideoFrame:
        """The picture in memory that an encoder takes; the same memory each time."""
        own, layout = self._copy, self.layout
        for plane, at, stride in zip(own.planes, layout.offsets, layout.strides, strict=True):
            memory, wide = memoryview(plane), plane.line_size
            if wide == stride:
                whole = plane.height * stride
                memory[:whole] = slot[at : at + whole]
                continue
            for row in range(plane.height):
                memory[row * wide : row * wide + plane.width] = slot[at + row * stride :][: plane.width]
        if (own.width, own.height) == (self.width_px, self.height_px):
            return own
        return self._scaler.reformat(own, self.width_px, self.height_px, threads=1)

    def _opened(self, encoders: Sequence[str]) -> VideoStream:
        """A stream of a file that nobody writes: by it other files learn what is in the packets."""
        why: list[str] = []
        for name in encoders:
            try:
                nowhere = av.open("null", "w", format="null")
                stream = nowhere.add_stream(name)
                assert isinstance(stream, VideoStream), "all of ENCODERS are of video"
                self._configure(stream, name)
                nowhere.start_encoding()
            except (av.error.FFmpegError, OSError, ValueError) as error:
                why.append(f"{name}: {getattr(error, 'strerror', None) or error}")
            else:
                return stream
        raise CannotEncode("; ".join(why))

    def _configure(self, stream: VideoStream, name: str) -> None:
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = self.width_px, self.height_px, "yuv420p"
        context.time_base, context.framerate = BASE, Fraction(self._fps).limit_denominator(1000)
        context.color_range = FULL_RANGE if self.layout.full_range else LIMITED_RANGE
        context.gop_size = max(1, round(2 * KEY_S * self._fps))  # where the asked-for key picture is not made
        context.max_b_frames = 0
        context.thread_count = 1  # each costs memory, and decoding has but one
        if name == "libx264":
            context.options = SOFTWARE | {"maxrate": f"{self._kbps}k", "bufsize": f"{2 * self._kbps}k"}
        else:
            context.bit_rate = self._kbps * 1000


def encoded_size(width_px: int, height_px: int) -> tuple[int, int]:
    """Of a picture of this size as it is encoded: even, and no more than `MAX_PX`."""
    shrink = min(1.0, (MAX_PX / (width_px * height_px)) ** 0.5)
    return max(2, int(width_px * shrink) & ~1), max(2, int(height_px * shrink) & ~1)


def parameter_sets(stream: bytes) -> bytes | None:
    """What stands before the first picture of a stream of H.264, with its start codes; None if nothing does."""
    units = [unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:]]
    first = [unit for unit in units if unit and unit[0] & 31 in PARAMETER_SETS]
    return b"".join(b"\0\0\0\1" + unit for unit in first) or None
