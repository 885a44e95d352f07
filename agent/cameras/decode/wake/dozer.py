"""Decodes the packets of one stream: all of them, or key pictures only while nothing happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from agent.cameras.decode.wake.backlog import Backlog
from agent.cameras.decode.wake.quantiser import QuantiserReader
from agent.cameras.decode.wake.sizes import PacketSize
from agent.cameras.decode.wake.sleeper import PacketStep, Sleeper

TELLS_S: Final = 1.0


class Dozer:
    """What is decoded of one stream; the packets come in their order, none twice."""

    def __init__(
        self, interval_s: float, live: bool, timed: bool, quantisers: QuantiserReader | None = None
    ) -> None:
        """`interval_s`: from picture to picture; `timed`: what decoding costs is measured, and heeded.

        A replay must not depend on how quick the machine is, and is not timed. Without `quantisers` sizes are
        compared whatever a picture's quantiser is.
        """
        self._quantisers = quantisers
        self.backlog = Backlog()
        self.sleeper = Sleeper(interval_s)
        self.doze: Callable[[], object] = lambda: None
        """Called once a second while pictures are left."""
        self.left = 0
        """Packets that were not decoded, so far."""
        self.woken_s: list[float] = []
        """How long decoding what was left took, each time."""
        self._live, self._timed = live, timed
        self._told_s = float("-inf")
        self._tick_s: float | None = None

    @property
    def asleep(self) -> bool:
        """Whether the next packet may be left."""
        return self.sleeper.asleep

    def step(self, packet: Packet[VideoStream], now_s: float, calm_gap_s: float | None) -> PacketStep:
        """What becomes of a packet. `now_s` counts for a live stream; a file has times of its own."""
        if not packet.size:  # the end: a decoder gives what it holds back
            return PacketStep.RISE if self.asleep else PacketStep.DECODE
        at_s = now_s if self._live else self.due_s(packet)
        if at_s is None:
            calm_gap_s, at_s = None, now_s
        shown_s = at_s if packet.pts is None else packet.pts * self._second(packet)
        quantiser = self._quantisers.read(memoryview(packet)) if self._quantisers else None
        size = PacketSize(packet.size, packet.is_keyframe, shown_s, at_s, quantiser)
        step = self.sleeper.packet(size, calm_gap_s)
        if step in (PacketStep.LEAVE, PacketStep.KEY) and not 0 <= at_s - self._told_s < TELLS_S:
            self._told_s = at_s
            self.doze()
        return step

    def frames(
        self, step: PacketStep, packet: Packet[VideoStream], decoder: VideoCodecContext, wanted: bool
    ) -> Sequence[VideoFrame]:
        """The pictures that this packet gives; `wanted`: somebody would look at the picture of a key packet.

        Raises:
            av.error.FFmpegError: it cannot be decoded.
        """
        match step:
            case PacketStep.LEAVE:
                self.backlog.leave(packet)
                self.left += 1
                return ()
            case PacketStep.KEY:
                return self.backlog.key(packet, decoder, wanted)
            case PacketStep.RISE:
                began_s = time.monotonic()
                self.left -= len(self.backlog)
                frames = [*self.backlog.decoded(decoder), *packet.decode()]
                self.woken_s.append(time.monotonic() - began_s)
                del self.woken_s[:-1000]
                return frames
            case PacketStep.DECODE:
                began_s = time.thread_time()  # a busy machine says nothing of the stream
                given = packet.decode()
                if self._timed:
                    self.sleeper.cost(time.thread_time() - began_s)
                return given

    def cut(self) -> None:
        """What comes next does not follow what came."""
        self.backlog.clear()
        self.sleeper.cut()

    def due_s(self, packet: Packet[VideoStream]) -> float | None:
        """When a packet of a file is to be decoded, in the file's time; None: it does not say."""
        shown, due = packet.pts, packet.dts
        if due is None or (shown is not None and shown < due):
            due = shown
        return None if due is None else due * self._second(packet)

    def _second(self, packet: Packet[VideoStream]) -> float:
        """Seconds of a tick, asked for once: fractions cost more than all the rest that a packet costs here."""
        if self._tick_s is None:
            self._tick_s = float(packet.time_base or 0)
        return self._tick_s
