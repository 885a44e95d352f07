"""Which packets of a stream need no decoding: those whose picture nobody will look at.

A codec of whole pictures (MJPEG, raw video) lets any picture be left out. In the others most pictures build on
earlier ones, so all must be decoded but those that none builds on (B pictures, mostly): FFmpeg leaves these out
on `skip_frame=NONREF`, and every other picture is the same to the last bit.

A decoder that puts pictures in order gives one only when others have come, and later still if it leaves some
out. A file's pictures have their moments from the file; a live one would be stamped too late, so a live stream
with pictures that are put in order is decoded whole.
"""

from __future__ import annotations

import heapq

from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream


class SkipDecode:
    """Decides for one stream, and counts its pictures, those that were spared too."""

    def __init__(self, live: bool) -> None:
        self.pictures = 0
        """That came so far: given, spared or spoiled."""
        self._live = live
        self._waiting: list[int] = []
        """The pts of packets of which no picture has come yet, as a heap."""
        self.spares = False
        """Whether the last packet was one that nobody wanted, and left out if it could be."""

    def cut(self) -> None:
        """The file begins anew, with a decoder that leaves nothing out."""
        self.pictures += len(self._waiting)
        self._waiting.clear()
        self.spares = False

    def spared(self, packet: Packet[VideoStream], decoder: VideoCodecContext, wanted: bool) -> bool:
        """Whether the packet need not be decoded; what no other picture needs, the decoder leaves out itself.

        `wanted`: somebody will look at its picture.
        """
        if not packet.size:
            return False  # the end: what the decoder still holds
        self.came(packet)
        spares = not wanted and not (self._live and decoder.has_b_frames)
        if spares != self.spares and not decoder.codec.intra_only:
            decoder.skip_frame = "NONREF" if spares else "DEFAULT"
        self.spares = spares
        return spares and bool(decoder.codec.intra_only)

    @property
    def came_so_far(self) -> int:
        """Pictures whose packets have come."""
        return self.pictures + len(self._waiting)

    def came(self, packet: Packet[VideoStream]) -> None:
        """Count a packet, whatever becomes of it."""
        if packet.pts is not None:
            heapq.heappush(self._waiting, packet.pts)

    def whole(self, decoder: VideoCodecContext) -> None:
        """From now on the decoder leaves nothing out."""
        if self.spares and not decoder.codec.intra_only:
            decoder.skip_frame = "DEFAULT"
        self.spares = False

    def number(self, pts: int | None) -> int:
        """Of the picture that the decoder gives now, from 0; what was due before it has been left out."""
        due = self.pictures
        while self._waiting and (pts is None or self._waiting[0] <= pts):
            heapq.heappop(self._waiting)
            due += 1
        self.pictures = max(due, self.pictures + 1)
        return self.pictures - 1
