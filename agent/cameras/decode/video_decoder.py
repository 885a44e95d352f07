"""Who decodes a camera's packets: FFmpeg in software, or the board's own decoder behind V4L2.

A board's decoder can be absent, be taken by another program, refuse a stream, fail after an hour, or take
packets and give nothing. Whatever it does, software goes on at the next key picture, and why is kept.

Invariants
1. Where software is wished, nothing of a board is touched, and a packet costs what it always did.
2. A board that has failed is not asked again while this process lives: a camera is not lost to it twice.
"""

from __future__ import annotations

from typing import Final

import av
import av.error
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

SOFTWARE, AUTO, BOARD = "software", "auto", "v4l2m2m"
"""What can be wished for."""
AUTO_CODECS: Final = frozenset({"h264"})
"""What `auto` gives to a board; `v4l2m2m` gives it whatever FFmpeg has such a decoder for."""
AUTO_PX: Final = 1920 * 1080
"""The largest picture that `auto` gives to a board: a Raspberry Pi 4 takes no larger H.264."""
SILENT_PACKETS: Final = 30
"""So many packets in a row without a picture, and the board is given up: one to three seconds."""


class VideoDecoder:
    """Decodes the packets of one opening of a stream."""

    def __init__(self, video: VideoStream, wish: str) -> None:
        """Open what is wished: `software`, `auto` or `v4l2m2m`. It never fails: software is always there."""
        self._software = video.codec_context
        self._board: VideoCodecContext | None = None
        self._silent = 0
        self._awaits_key = False
        self.fallback: str | None = None
        """Why software decodes where a board was wished for."""
        if wish == SOFTWARE:
            return
        try:
            self._board = open_board(board_codec(video, wish), video)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.fallback = _why(error)

    @property
    def context(self) -> VideoCodecContext:
        """The decoder that is at work."""
        return self._board or self._software

    @property
    def by_board(self) -> bool:
        """Whether the board decodes. It leaves no picture out, whatever is said to its context."""
        return self._board is not None

    def decode(self, packet: Packet[VideoStream]) -> list[VideoFrame]:
        """The pictures that this packet completes; an empty packet asks for those that were held back.

        Raises:
            av.error.FFmpegError, OSError: the packet is damaged, or software fails.
        """
        if self._board is not None:
            return self._by_board(self._board, packet)
        if self._awaits_key and packet.size:
            if not packet.is_keyframe:
                return []  # software has not seen what it builds on
            self._awaits_key = False
        return packet.decode()

    def _by_board(self, board: VideoCodecContext, packet: Packet[VideoStream]) -> list[VideoFrame]:
        try:
            frames = board.decode(packet if packet.size else None)
        except av.error.InvalidDataError as error:
            self._silent += 1
            if self._silent < SILENT_PACKETS:
                raise  # a damaged packet, as software would have found it
            return self._gave_up(_why(error), packet)
        except (av.error.FFmpegError, OSError) as error:
            return self._gave_up(_why(error), packet)
        self._silent = 0 if frames else self._silent + 1
        if self._silent >= SILENT_PACKETS:
            return self._gave_up(f"no picture of {SILENT_PACKETS} packets", packet)
        return frames

    def _gave_up(self, why: str, packet: Packet[VideoStream]) -> list[VideoFrame]:
        """From here on software decodes (invariant 2), from the next key picture on."""
        assert self._board is not None
        self.fallback = f"{self._board.codec.name}: {why}"
        self._board, self._awaits_key = None, True
        return self.decode(packet)


def board_codec(video: VideoStream, wish: str) -> str:
    """FFmpeg's name of the board's decoder for this stream.

    Raises:
        ValueError: it is no stream for a board; the text says why.
    """
    context = video.codec_context
    codec = context.codec.canonical_name
    if wish == AUTO and codec not in AUTO_CODECS:
        raise ValueError(f"auto leaves {codec} to software")
    if wish == AUTO and context.width * context.height > AUTO_PX:
        raise ValueError(f"auto leaves {context.width}×{context.height} to software")
    if wish == AUTO and context.has_b_frames:
        raise ValueError("auto leaves pictures that are put in order to software")
    name = f"{codec}_v4l2m2m"
    if name not in av.codecs_available:
        raise ValueError(f"FFmpeg has no {name}")
    return name


def open_board(name: str, video: VideoStream) -> VideoCodecContext:
    """The board's decoder of this name, ready for the stream's packets.

    Raises:
        av.error.FFmpegError, OSError: the board has none, or none for such pictures.
    """
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, VideoCodecContext), "board_codec names decoders of video"
    template = video.codec_context
    context.width, context.height = template.width, template.height
    context.extradata = template.extradata
    try:
        context.open()
    except (av.error.FFmpegError, OSError) as error:
        raise OSError(f"{name} does not open: {_why(error)}") from error
    return context


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
