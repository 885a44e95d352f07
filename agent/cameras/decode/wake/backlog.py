"""Packets that were left, until nothing builds on them any more or they are decoded after all.

They are copied: whoever records changes what a packet says of its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import av
import av.error
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from agent.cameras.decode.footage.timestamps import tick_of

RECENT_S: Final = 0.15
"""Of what was left only the pictures of the last moment are given: older ones are no picture of now."""


@dataclass(frozen=True, slots=True)
class LeftPacket:
    """A packet that may never be decoded."""

    data: bytes = field(repr=False)
    pts: int | None
    dts: int | None
    time_base: Fraction | None

    @classmethod
    def of(cls, packet: Packet[VideoStream]) -> LeftPacket:
        """A copy."""
        return cls(bytes(packet), packet.pts, packet.dts, tick_of(packet.time_base))

    def packet(self) -> Packet[Any]:
        """As it came."""
        packet: Packet[Any] = Packet(self.data)
        packet.pts, packet.dts = self.pts, self.dts
        if self.time_base is not None:
            packet.time_base = self.time_base
        return packet


class Backlog:
    """What of one stream is left, in the order in which it came."""

    def __init__(self) -> None:
        self._spoiled = 0
        self._left: list[LeftPacket] = []
        self._from_key = False
        """Whether it begins with a key picture, and not where decoding stopped."""
        self._given: int | None = None
        """The pts of the latest picture that was given of it."""

    def __len__(self) -> int:
        return len(self._left)

    def leave(self, packet: Packet[VideoStream]) -> None:
        """One more."""
        self._left.append(LeftPacket.of(packet))

    def key(self, packet: Packet[VideoStream], decoder: VideoCodecContext, wanted: bool) -> list[VideoFrame]:
        """A key picture: what was left is forgotten. It is given at once, if anybody wants it.

        Raises:
            av.error.FFmpegError: it cannot be decoded.
        """
        was_flushed = self._from_key and self._given is not None
        self._left, self._from_key, self._given = [LeftPacket.of(packet)], True, None
        if not wanted:
            return []
        if not was_flushed:
            decoder.flush_buffers()  # what it holds back is of the past
        # Asked for what it holds back, too: a decoder that puts pictures in order would wait for the next.
        given = [*decoder.decode(self._left[0].packet()), *decoder.decode(None)]
        for frame in given:
            if packet.time_base:
                frame.time_base = packet.time_base  # what a decoder held back does not know it
        decoder.flush_buffers()
        self._given = packet.pts if given else None
        return given

    def decoded(self, decoder: VideoCodecContext) -> Iterator[VideoFrame]:
        """Decode all that was left; gives the pictures of the last moment that were not given before."""
        left, self._left = self._left, []
        if not left:
            return
        first, last = left[0], left[-1]
        if self._from_key:
            decoder.flush_buffers()
        for each in left:
            # Pictures that are shown before the key picture build on ones from before it.
            if self._from_key and each is not first and _before(each.pts, first.pts):
                continue
            try:
                frames = decoder.decode(each.packet())
            except (av.error.InvalidDataError, av.error.PatchWelcomeError):
                self._spoiled += 1
                continue
            yield from (frame for frame in frames if self._is_news(frame, last))
        self._from_key = False

    def spoiled(self) -> int:
        """Packets that could not be decoded since this was last asked."""
        spoiled, self._spoiled = self._spoiled, 0
        return spoiled

    def clear(self) -> None:
        """What comes next does not follow."""
        self._left, self._from_key, self._given = [], False, None

    def _is_news(self, frame: VideoFrame, last: LeftPacket) -> bool:
        if frame.pts is None or last.pts is None or last.time_base is None:
            return False
        given = self._given is not None and frame.pts <= self._given
        return not given and float((last.pts - frame.pts) * last.time_base) <= RECENT_S


def _before(pts: int | None, other: int | None) -> bool:
    return pts is not None and other is not None and pts < other
