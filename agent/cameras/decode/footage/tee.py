"""What of one opening of a camera is recorded: packets as they come, masked pictures encoded, or nothing.

Invariants
1. Under a privacy mask no packet is taken: what they hide is in them. What is encoded comes out of the mask.
2. There is one track, of pictures: a camera's sound is never opened, so none can be recorded.
3. Recording ends no decoding: what fails here is told, and tried again in a while as a new run.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from agent.cameras.decode.decoded import EncodedPacket, Layout, Record
from agent.cameras.decode.encode import BASE, CannotEncode, MaskedEncoder
from agent.cameras.decode.footage.muxer import FragmentMuxer
from agent.cameras.decode.footage.parameter_sets import parameter_sets
from agent.cameras.decode.footage.pipe import FootagePipe

COPIED: Final = frozenset({"h264", "hevc", "mjpeg", "mpeg4", "av1", "vp9"})
"""Codecs whose packets MP4 takes and every player reads."""
FINISH_S: Final = 2.0
"""So long the last pieces wait to be read, when the pictures end."""
RETRY_S: Final = 10.0
COPY, ENCODE, NONE = "copy", "encode", "none"


def way(record: Record, masked: bool, codec: str) -> str:
    """How a camera of this codec is recorded: copy, encode or none."""
    if masked:
        return ENCODE if record.under_masks == "encode" else NONE
    if codec == "mjpeg":
        return COPY if record.mjpeg == "keep" else ENCODE
    return COPY if codec in COPIED else ENCODE


class Tee:
    """Takes packets or pictures of one opening, and gives fragments to the pipe."""

    def __init__(self, pipe: FootagePipe, record: Record, masked: bool, codec: str, live: bool) -> None:
        self.way = way(record, masked, codec)
        self._pipe, self._record, self._codec, self._live = pipe, record, codec, live
        self._run = 0
        self._muxer: FragmentMuxer | None = None
        self._encoder: MaskedEncoder | None = None
        self._sets: frozenset[bytes] = frozenset()
        """What the decoder of this run had to know first."""
        self._last_s = 0.0
        self._retry_s = float("-inf")
        self._lock = threading.Lock()
        """Board packets come in a thread of their own."""
        self._board = self._over = False
        self._first_s: float | None = None
        """Of the board's packets."""
        pipe.tell({"kind": "way", "way": self.way})

    @property
    def encodes(self) -> bool:
        """Whether it wants pictures."""
        return self.way == ENCODE and not self._board

    @property
    def copies(self) -> bool:
        """Whether it wants packets."""
        return self.way == COPY

    def packet(self, packet: Packet[VideoStream], came_s: float) -> None:
        """Take a packet as it came. What it says of its time is changed; a decoder has had it before."""
        assert self.way == COPY  # invariant 1
        if came_s < self._retry_s:
            return
        try:
            if packet.is_keyframe:
                self._heed_sets(packet)
            if self._muxer is None:
                if not packet.is_keyframe:
                    return
                self._begin_copy(packet.stream, packet)
            self._take(packet, came_s, self._live)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._fails(error, came_s)

    def picture(self, layout: Layout, slot: memoryview, mono_s: float) -> None:
        """Encode a picture that has left its mask; `slot` holds it in this layout."""
        if mono_s < self._retry_s:
            return
        try:
            if self._encoder is None or self._encoder.layout != layout:
                self.cut(mono_s)
                self._encoder = MaskedEncoder(layout, self._record.fps, self._record.encode_kbps)
            self._take_encoded(self._encoder, self._encoder.packets(slot, mono_s), mono_s)
        except (CannotEncode, av.error.FFmpegError, OSError, ValueError) as error:
            self._fails(error, mono_s)

    def from_board(self) -> None:
        """The camera's own encoder gives packets, out of the mask: no pictures are wanted."""
        self._board = True

    def without_board(self, why: str) -> None:
        """That encoder does not start: pictures are wanted in its packets' place, and why is told."""
        self._pipe.tell({"kind": "way", "way": self.way, "fallback": why[:200]})

    def board_packet(self, given: EncodedPacket, by: str) -> None:
        """Take a packet that the board has encoded, out of the mask; from another thread.

        `by` is hardware or software.
        """
        with self._lock:
            if self._over or given.mono_s < self._retry_s:
                return
            try:
                self._take_board(given, by)
            except (av.error.FFmpegError, OSError, ValueError) as error:
                self._fails(error, given.mono_s)

    def cut(self, now_s: float) -> None:
        """What comes next does not follow: a file begins again, or pictures have another size.

        What an encoder holds back is recorded first: hardware is some pictures behind.
        """
        end_s, encoder = max(now_s, self._last_s), self._encoder
        self._encoder = None
        try:
            if encoder is not None:
                self._take_encoded(encoder, encoder.flush(), end_s)
        finally:
            muxer, self._muxer = self._muxer, None
            self._sets = frozenset()
            if muxer is not None:
                muxer.close(end_s)

    def close(self, now_s: float) -> None:
        """Nothing more comes, or a file begins again."""
        with self._lock:
            self._over = self._board  # its thread may go on a little
            try:
                self.cut(now_s)
            except (CannotEncode, av.error.FFmpegError, OSError, ValueError) as error:
                self._fails(error, now_s)

    def finish(self) -> None:
        """Wait a little until what was recorded is read."""
        self._pipe.finish(FINISH_S)

    def _take(self, packet: Packet[VideoStream], came_s: float, live: bool) -> None:
        assert self._muxer is not None
        self._last_s = came_s
        self._muxer.mux(packet, came_s, live)

    def _heed_sets(self, packet: Packet[VideoStream]) -> None:
        """A new run where the camera was set to another size."""
        sets = frozenset(parameter_sets(bytes(packet), self._codec).split(b"\0\0\0\1")[1:])
        if sets and self._sets and sets != self._sets:
            self.cut(self._last_s)
        self._sets = sets or self._sets

    def _begin_copy(self, stream: VideoStream, packet: Packet[VideoStream]) -> None:
        context = stream.codec_context
        width_px, height_px, sets = context.width, context.height, b""
        if self._run > 0 and self._sets:
            sets = parameter_sets(bytes(packet), self._codec)
            width_px, height_px = _size(self._codec, sets, packet) or (width_px, height_px)

        def track(out: OutputContainer) -> VideoStream:
            track = out.add_stream_from_template(stream)
            if sets:
                track.codec_context.extradata = sets
                track.codec_context.width, track.codec_context.height = width_px, height_px
            return track

        self._begin(track, self._codec, width_px, height_px)

    def _take_board(self, given: EncodedPacket, by: str) -> None:
        if given.is_key:
            sets = frozenset(parameter_sets(given.data, "h264").split(b"\0\0\0\1")[1:])
            if sets and self._sets and sets != self._sets:
                self.cut(self._last_s)
            self._sets = sets or self._sets
        if self._muxer is None:
            if not given.is_key:
                return
            with av.open(io.BytesIO(given.data), format="h264") as first:  # so FFmpeg learns what it is
                stream = first.streams.video[0]
                context = stream.codec_context
                size = context.width, context.height
                self._begin(lambda out: out.add_stream_from_template(stream), "h264", *size, by)
            self._first_s = given.mono_s
        assert self._first_s is not None
        packet = cast("Packet[VideoStream]", Packet(given.data))
        packet.time_base = BASE
        packet.pts = packet.dts = round((given.mono_s - self._first_s) / BASE)
        packet.is_keyframe = given.is_key
        self._take(packet, given.mono_s, live=False)

    def _take_encoded(
        self, encoder: MaskedEncoder, packets: Iterable[Packet[VideoStream]], came_s: float
    ) -> None:
        for packet in packets:
            if self._muxer is None:
                self._begin(encoder.track, "h264", encoder.width_px, encoder.height_px, encoder.by)
            self._take(packet, came_s, live=False)

    def _begin(
        self,
        track: Callable[[OutputContainer], VideoStream],
        codec: str,
        width_px: int,
        height_px: int,
        encoder: str | None = None,
    ) -> None:
        self._run += 1
        size = {"width_px": width_px, "height_px": height_px}
        facts: dict[str, Any] = {"run": self._run, "codec": codec, "encoder": encoder, **size}
        self._muxer = FragmentMuxer(track, facts, self._pipe.tell, self._pipe.give)

    def _fails(self, error: Exception, now_s: float) -> None:
        """Invariant 3."""
        self._muxer = self._encoder = None
        self._sets = frozenset()
        self._retry_s = now_s + RETRY_S
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        self._pipe.tell({"kind": "way", "way": self.way, "why": why[:200]})


def _size(codec: str, sets: bytes, packet: Packet[VideoStream]) -> tuple[int, int] | None:
    """Width and height of a key picture, by decoding it in a decoder of its own."""
    try:
        decoder = av.CodecContext.create(codec, "r")
        decoder.extradata = sets
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_count = 1
        frames = [*decoder.decode(packet), *decoder.decode(None)]
    except (av.error.FFmpegError, ValueError):
        return None
    return (frames[0].width, frames[0].height) if frames else None
