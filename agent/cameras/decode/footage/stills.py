"""Single pictures out of a main stream: its newest packets wait in memory, and are decoded when somebody asks.

Until then nothing is. Then, in a thread of its own, at low priority where the machine lets it, what builds up
to the wanted moment is decoded, and that part of each picture around it goes out in memory without a name.

Asked, as JSON, one message per packet of a socket of its own:

    {"still": n, "from_s": …, "to_s": …, "until_s": …, "box": [left, top, right, bottom], "most_px": …}

Answered, always and once:

    {"still": n, "size": [w, h], "part": [l, t, r, b], "layout": {…}, "at_s": [mono_s, …]} + descriptor
    {"still": n}                                                    there is none

Invariants
1. What waits takes at most `KEEP_BYTES`, and what is given at most `GIVE_BYTES`.
2. One is made at a time; who asks meanwhile waits until it is done. None takes longer than `until_s`.
3. What masks hide is black before anything of a picture is made smaller, cut out or given.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Final

import av
import av.error
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from agent.cameras.decode.decoded import GIVE_BYTES, MAX_PIXELS, MOST_STILLS, Layout, Polygon
from agent.cameras.decode.footage.timestamps import tick_of
from agent.cameras.decode.subsampling import YUV420, CannotConvert, Stencil, Subsampling

KEEP_S: Final = 8.0
KEEP_BYTES: Final = 6 << 20
"""Eight seconds of 6 Mbit/s. Where key pictures are rarer than this holds, there are no stills."""
MAX_ASKED_BYTES: Final = 1024
NICE: Final = 10
"""Decoding for a picture comes after decoding what is watched."""
REORDERED: Final = 4
"""Where pictures are shown in another order than they come in, so many more packets are looked at."""
SMOOTH_S: Final = 0.5
"""A camera's stamps are followed while they are no further from when its packets came."""


@dataclass(frozen=True, slots=True)
class RecentPacket:
    """A packet as it came."""

    data: bytes = field(repr=False)
    key: bool
    pts: int | None
    came_s: float


@dataclass(frozen=True, slots=True)
class StillRequest:
    """What is asked for: pictures between two moments, of which this part, and by when."""

    number: int
    from_s: float
    to_s: float
    until_s: float
    box: tuple[float, float, float, float]
    most_px: int
    """Longer side of the part as it is needed; more is not given where halving does."""

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> StillRequest:
        """As the parent says it."""
        left, top, right, bottom = plain["box"]
        moments = float(plain["from_s"]), float(plain["to_s"]), float(plain["until_s"])
        return cls(int(plain["still"]), *moments, (left, top, right, bottom), int(plain["most_px"]))


@dataclass(frozen=True, slots=True)
class Coding:
    """What a stream says of itself, kept apart from it: it may be closed while something is decoded."""

    decoder_name: str
    extradata: bytes | None
    width_px: int
    height_px: int
    pixel_format: str | None
    base: Fraction | None
    """Seconds of a tick of its stamps."""

    @classmethod
    def of(cls, stream: VideoStream) -> Coding:
        """As the stream was opened."""
        context = stream.codec_context
        size = context.width, context.height
        return cls(context.codec.name, context.extradata, *size, context.pix_fmt, tick_of(stream.time_base))

    def decoder(self) -> VideoCodecContext:
        """One that has seen no picture yet."""
        decoder = av.CodecContext.create(self.decoder_name, "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.options = {"max_pixels": str(MAX_PIXELS)}
        decoder.extradata, decoder.thread_count = self.extradata, 1
        decoder.width, decoder.height = self.width_px, self.height_px
        if self.pixel_format is not None:
            decoder.pix_fmt = self.pixel_format
        return decoder


class RecentPackets:
    """The newest packets, from key pictures on (invariant 1). One thread adds, another follows."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._groups: deque[list[RecentPacket]] = deque()
        self._bytes = 0

    def add(self, packet: RecentPacket) -> None:
        """Keep one more."""
        with self._changed:
            if packet.key:
                self._groups.append([])
            if not self._groups:
                return
            self._groups[-1].append(packet)
            self._bytes += len(packet.data)
            while len(self._groups) > 1 and (
                self._bytes > KEEP_BYTES or self._groups[1][0].came_s < packet.came_s - KEEP_S
            ):
                self._bytes -= sum(len(each.data) for each in self._groups.popleft())
            if self._bytes > KEEP_BYTES:
                self._forget()
            self._changed.notify_all()

    def clear(self) -> None:
        """What comes next does not follow."""
        with self._changed:
            self._forget()

    def lag_s(self, base: Fraction) -> float | None:
        """From a camera's stamps to the moments at which its packets came, where the least delayed did."""
        with self._changed:
            lags = [
                each.came_s - float(each.pts * base)
                for group in self._groups
                for each in group
                if each.pts is not None
            ]
        return min(lags, default=None)

    def following(self, from_s: float, to_s: float, until_s: float) -> Iterator[RecentPacket]:
        """From the key picture before `from_s` on, or the oldest before `to_s`; waits for what has not come."""
        with self._changed:
            starts = [group[0] for group in self._groups if group[0].came_s <= to_s]
            packet = next(
                (each for each in reversed(starts) if each.came_s <= from_s), next(iter(starts), None)
            )
        while packet is not None:
            yield packet
            packet = self._after(packet, until_s)

    def _after(self, packet: RecentPacket, until_s: float) -> RecentPacket | None:
        with self._changed:
            while True:
                packets = [each for group in self._groups for each in group]
                place = next((n for n, each in enumerate(packets) if each is packet), None)
                if place is None:
                    return None  # it was forgotten meanwhile
                if place + 1 < len(packets):
                    return packets[place + 1]
                if not self._changed.wait(until_s - time.monotonic()) and time.monotonic() >= until_s:
                    return None

    def _forget(self) -> None:
        self._groups.clear()
        self._bytes = 0
        self._changed.notify_all()


class StillMaker:
    """Makes stills of one main stream for whoever asks by this socket."""

    def __init__(self, sock: socket.socket, masks: Sequence[Polygon]) -> None:
        self._sock, self._masks = sock, masks
        self._packets = RecentPackets()
        self._coding: Coding | None = None
        self._subsampling = Subsampling(masks)
        self._stencil: Stencil | None = None
        self._scaler = VideoReformatter()
        threading.Thread(target=self._serve, name="stills", daemon=True).start()

    def begin(self, stream: VideoStream) -> None:
        """The stream was opened: what comes does not follow what came."""
        self._packets.clear()
        self._coding = Coding.of(stream)

    def keep(self, packet: Packet[VideoStream], came_s: float) -> None:
        """Take a packet as it came, before anybody changes what it says of its time."""
        self._packets.add(RecentPacket(bytes(packet), packet.is_keyframe, packet.pts, came_s))

    def _serve(self) -> None:
        with suppress(OSError):  # a unit may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        with self._sock, suppress(ConnectionError):
            while words := self._sock.recv(MAX_ASKED_BYTES):
                self._answer(StillRequest.from_json(json.loads(words)))

    def _answer(self, wish: StillRequest) -> None:
        try:
            size, part, layout, made = self._made(wish)
        except (av.error.FFmpegError, OSError, ValueError, MemoryError, CannotConvert):
            self._sock.send(json.dumps({"still": wish.number}).encode())
            return
        words = {
            "still": wish.number,
            "size": size,
            "part": part,
            "layout": asdict(layout),
            "at_s": [at_s for at_s, _ in made],
        }
        fd = _memory([data for _, data in made])
        try:
            socket.send_fds(self._sock, [json.dumps(words).encode()], [fd])
        finally:
            os.close(fd)

    def _made(
        self, wish: StillRequest
    ) -> tuple[tuple[int, int], tuple[float, ...], Layout, list[tuple[float, bytes]]]:
        """Size of the picture, the part that is given of it, and the part in each picture of the time."""
        found: list[tuple[float, bytes]] = []
        known: tuple[tuple[int, int], tuple[float, ...], Layout] | None = None
        for at_s, frame in self._decoded(wish):
            masked, full_range = self._masked(frame)
            small, cut, part = self._shrunk(masked, wish)
            left, top, right, bottom = cut
            wide, high = right - left, bottom - top
            layout = Layout(wide, high, (wide, wide // 2, wide // 2), full_range)
            these = (frame.width, frame.height), part, layout
            if (
                known is not None and these != known
            ):  # it was set to another size: what came before is of no use
                found.clear()
            known = these
            found.append((at_s, _part(small, cut)))
            if len(found) >= MOST_STILLS or (len(found) + 1) * layout.nbytes > GIVE_BYTES:
                break
        if known is None:
            raise ValueError("no picture of that time")
        return *known, found

    def _decoded(self, wish: StillRequest) -> Iterator[tuple[float, VideoFrame]]:
        """Pictures of that time with their moments; those before are decoded as far as they build on them."""
        if self._coding is None:
            return
        decoder, base = self._coding.decoder(), self._coding.base
        lag_s = self._packets.lag_s(base) if base is not None else None
        moments: dict[int | None, float] = {}
        beyond = 0
        for kept in self._packets.following(wish.from_s, wish.to_s, wish.until_s):
            at_s = _moment(kept, base, lag_s)
            moments[kept.pts] = at_s
            packet: Packet[Any] = Packet(kept.data)
            packet.pts = packet.dts = kept.pts
            if base is not None:
                packet.time_base = base
            decoder.skip_frame = "DEFAULT" if wish.from_s <= at_s <= wish.to_s else "NONREF"
            for frame in decoder.decode(packet):
                shown_s = moments.pop(frame.pts, at_s)
                if wish.from_s <= shown_s <= wish.to_s:
                    yield shown_s, frame
            beyond += at_s > wish.to_s
            if beyond > (REORDERED if decoder.has_b_frames else 0):
                break
            if time.monotonic() > wish.until_s:
                return
        for frame in decoder.decode(None):
            shown_s = moments.pop(frame.pts, float("inf"))
            if wish.from_s <= shown_s <= wish.to_s:
                yield shown_s, frame

    def _masked(self, frame: VideoFrame) -> tuple[VideoFrame, bool]:
        """The picture in 8-bit 4:2:0 without what the masks hide (invariant 3)."""
        frame, full_range = self._subsampling.yuv420(frame)
        if not self._masks:
            return frame, full_range
        if self._stencil is None or not self._stencil.fits(frame, full_range):
            self._stencil = Stencil(frame, YUV420, full_range, self._masks)
        return self._stencil.copy(frame), full_range

    def _shrunk(
        self, frame: VideoFrame, wish: StillRequest
    ) -> tuple[VideoFrame, tuple[int, int, int, int], tuple[float, ...]]:
        """The picture no larger than is needed, the wanted part of it in even pixels, and in fractions."""
        left, top, right, bottom = wish.box
        side_px = max((right - left) * frame.width, (bottom - top) * frame.height)
        fold = max(1, int(side_px // wish.most_px))
        if fold > 1:
            width_px, height_px = (max(2, side // fold & ~1) for side in (frame.width, frame.height))
            frame = self._scaler.reformat(
                frame, width_px, height_px, interpolation=Interpolation.AREA, threads=1
            )
        wide, high = max(2, frame.width & ~1), max(2, frame.height & ~1)
        x0 = min(max(0, int(left * wide) & ~1), wide - 2)
        y0 = min(max(0, int(top * high) & ~1), high - 2)
        x1 = min(wide, max(x0 + 2, -(-int(right * wide + 0.999) // 2) * 2))
        y1 = min(high, max(y0 + 2, -(-int(bottom * high + 0.999) // 2) * 2))
        part = x0 / frame.width, y0 / frame.height, x1 / frame.width, y1 / frame.height
        return frame, (x0, y0, x1, y1), part


def _moment(kept: RecentPacket, base: Fraction | None, lag_s: float | None) -> float:
    """When a packet would have come if the network had held back none."""
    if base is None or lag_s is None or kept.pts is None:
        return kept.came_s
    at_s = float(kept.pts * base) + lag_s
    return at_s if abs(at_s - kept.came_s) <= SMOOTH_S else kept.came_s


def _part(frame: VideoFrame, cut: tuple[int, int, int, int]) -> bytes:
    """The part of three planes, one after the other, without padding."""
    rows: list[memoryview] = []
    for plane, by in zip(frame.planes, (1, 2, 2), strict=True):
        left, top, right, bottom = (each // by for each in cut)
        memory, stride = memoryview(plane), plane.line_size
        rows += [memory[row * stride + left : row * stride + right] for row in range(top, bottom)]
    return b"".join(rows)


def _memory(parts: Sequence[bytes]) -> int:
    """A descriptor of memory that holds these, and cannot become smaller."""
    fd = os.memfd_create("ngatu-stills", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(os.dup(fd), "wb") as out:
        for each in parts:
            out.write(each)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    return fd
