"""The process that decodes one camera: `python -P -m agent.cameras.decode.worker FD PARENT`.

It holds no secret but its camera's, which comes through the socket, and dies with its parent. It imports
neither numpy nor pydantic (decoded.py). What it says, as JSON, one message per packet:

    {"ready": true}                                imports are done, the camera is being opened
    {"facts": {…}}                                 the camera is open; again: another decoder has taken over
    {"ring": {layout}} + descriptor                frames come in this memory from now on
    {"frame": [slot, index, mono_s, wall_s, lap, seen, dropped, damaged]}
    {"calm": [came, damaged]}                      once a second, while packets come and none tells anything new
    {"end": true} | {"lost": [what, hint]} | {"refused": [what, hint]}

What it is told: first the source, with a pipe for footage if the camera is recorded (footage/pipe.py). Then
b"next" whenever the parent wants a frame, which also gives back the slot that the parent held;
b"next 81.25" if pictures before that mono_s need not be handed over; b"next 81.25 2" if besides nothing
happens, and a picture every two seconds would do.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import sys
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from agent.cameras.decode.decoded import Layout, Now, Picture, Pictures, Source
from agent.cameras.decode.privacy_mask import PrivacyMask
from agent.cameras.decode.ring import SLOTS, WriterRing
from agent.errors import CameraLost, CameraRefused
from agent.translatable import plain, tr

if TYPE_CHECKING:
    from agent.cameras.decode.footage.tee import Tee

MAX_MESSAGE_BYTES = 64 * 1024
MAX_DATA_BYTES = 512 << 20
"""Whatever wants more is under attack or leaks. Under masks 4K H.265 of ten bits needs 387 MB, 8K MJPEG 328.

Of private memory: the ring's is shared, and bounded by the size of a picture (`MAX_PIXELS`).
"""
PR_SET_PDEATHSIG = 1  # linux/prctl.h
PR_SET_NO_NEW_PRIVS = 38


_Offer = tuple[int, int, float, float, int, int]
"""Slot, index, mono_s, wall_s, lap, and how many packets were damaged so far."""


class FrameExchange:
    """Hands frames to the parent. The decoder never waits for it, except where no frame may be missed."""

    def __init__(self, sock: socket.socket, waits: bool) -> None:
        self._sock = sock
        self._waits = waits
        self._changed = threading.Condition()
        self._asked = False
        self._held: int | None = None
        self._offered: _Offer | None = None
        self._dropped = 0
        self._not_before_s = float("-inf")
        self._calm_gap_s: float | None = None
        threading.Thread(target=self._listen, name="frame exchange", daemon=True).start()

    def tell(self, message: dict[str, Any], fd: int | None = None) -> None:
        """Send a message, with a descriptor if there is one."""
        fds = [] if fd is None else [fd]
        socket.send_fds(self._sock, [json.dumps(message).encode()], fds)

    def change_ring(self, ring: WriterRing) -> None:
        """From now on frames lie in this ring; nothing of the old one is handed over any more."""
        with self._changed:
            self._settle()
            self._held = self._offered = None
            self.tell({"ring": asdict(ring.layout)}, ring.fd)

    def wants(self, mono_s: float) -> bool:
        """Whether a picture of this moment need be copied at all."""
        return self._waits or mono_s >= self._not_before_s

    def calm(self) -> float | None:
        """How rare pictures may be, as the parent says; None: it wants all it can get."""
        return self._calm_gap_s

    def doze(self, came: int, damaged: int) -> None:
        """Pictures are not decoded, but their packets come."""
        self.tell({"calm": [came, damaged]})

    def free_slot(self) -> int:
        """A slot that the parent neither holds nor was offered (ring, invariant 1)."""
        with self._changed:
            taken = self._held, self._offered[0] if self._offered else None
            return next(slot for slot in range(SLOTS) if slot not in taken)

    def offer(self, slot: int, picture: Picture, damaged: int) -> None:
        """This is the newest frame now; one that was not fetched yet is dropped."""
        with self._changed:
            self._settle()
            if self._offered is not None:
                self._dropped += 1
            # Not the picture itself: its planes would keep the decoder's memory from being used again.
            self._offered = slot, picture.index, picture.mono_s, picture.wall_s, picture.lap, damaged
            self._hand_over()

    def finish(self, last_words: dict[str, Any]) -> None:
        """Say why there are no more frames; a file's last frame is fetched first."""
        with self._changed:
            self._waits |= "end" in last_words
            self._settle()
            self.tell(last_words)

    def _settle(self) -> None:
        while self._waits and self._offered is not None:
            self._changed.wait()

    def _listen(self) -> None:
        while words := self._sock.recv(64):
            with self._changed:
                self._not_before_s, self._calm_gap_s = _asked(words)
                self._asked = True
                if self._offered is not None and not self.wants(self._offered[2]):
                    self._offered = None  # it came before the moment asked for: not wanted, so not dropped
                self._hand_over()
        os._exit(0)  # the parent has gone, and no frame is worth finishing

    def _hand_over(self) -> None:
        if not self._asked or self._offered is None:
            return
        slot, index, mono_s, wall_s, lap, damaged = self._offered
        self._asked, self._held, self._offered = False, slot, None
        words = f"{slot},{index},{mono_s!r},{wall_s!r},{lap},{index + 1},{self._dropped},{damaged}"
        self._sock.send(b'{"frame":[%b]}' % words.encode())  # a third of what json and send_fds cost
        self._changed.notify_all()


def _asked(words: bytes) -> tuple[float, float | None]:
    """What the parent asks for: no picture before that mono_s, and every how many seconds one would do."""
    _, *rest = words.split()
    return float(rest[0]) if rest else float("-inf"), float(rest[1]) if len(rest) > 1 else None


def decode(source: Source, exchange: FrameExchange, now: Now, footage: int | None = None) -> None:
    """Hand every picture of the source to the exchange, without what its masks hide.

    `footage` is the pipe for what is recorded.
    """
    pictures = opened(source, now)
    pictures.wanted = exchange.wants
    pictures.calm, pictures.doze = exchange.calm, exchange.doze
    exchange.tell({"facts": asdict(pictures.facts)})
    tee = None if footage is None or source.record is None else tapped(pictures, source, footage)
    try:
        hand_over(pictures, source, exchange, tee)
    finally:
        if tee is not None:
            tee.close(now()[0])
            tee.finish()


def hand_over(pictures: Pictures, source: Source, exchange: FrameExchange, tee: Tee | None) -> None:
    """Every picture, without what is masked, to whoever looks and to whoever records."""
    ring: WriterRing | None = None
    mask: PrivacyMask | None = None
    layout: Layout | None = None
    facts = pictures.facts
    for picture in pictures:
        if pictures.facts is not facts:
            facts = pictures.facts
            exchange.tell({"facts": asdict(facts)})
        if ring is None or mask is None or picture.layout != layout:
            layout = picture.layout
            mask = PrivacyMask(layout, source.masks)  # a new size is a new mask
            ring = WriterRing(layout)
            for memory in ring.slots:
                mask.blacken(memory)
            exchange.change_ring(ring)
            ring.close()
        slot = exchange.free_slot()
        mask.copy(picture.planes, ring.slots[slot])
        if exchange.wants(picture.mono_s):
            exchange.offer(slot, picture, pictures.damaged)
        if tee is not None and tee.encodes:  # while the picture is looked at: nobody writes into its slot
            tee.picture(layout, ring.slots[slot], picture.mono_s)


def tapped(pictures: Pictures, source: Source, footage: int) -> Tee:
    """A tee for what is recorded of these pictures: it is given their packets, or wants every picture."""
    from agent.cameras.decode.footage.pipe import FootagePipe  # noqa: PLC0415 – only who records needs it
    from agent.cameras.decode.footage.tee import Tee  # noqa: PLC0415
    from agent.cameras.decode.stream import Stream  # noqa: PLC0415

    assert source.record is not None
    pipe = FootagePipe(footage)
    tee = Tee(pipe, source.record, bool(source.masks), pictures.facts.codec, source.pace == "live")
    if isinstance(pictures, Stream) and tee.copies:
        pictures.tee = tee
    elif tee.encodes and not encoded_by_the_board(pictures, source, tee):
        wanted = pictures.wanted
        pictures.wanted = lambda mono_s: tee.encodes or wanted(mono_s)
        calm = pictures.calm
        pictures.calm = lambda: None if tee.encodes else calm()
    return tee


def encoded_by_the_board(pictures: Pictures, source: Source, tee: Tee) -> bool:
    """Record a ribbon camera's main stream; False: it has none whose encoder starts."""
    if "main_width_px" not in source.options:
        return False
    from agent.cameras.decode.csi.camera import PiCamera  # noqa: PLC0415

    assert isinstance(pictures, PiCamera)
    by = pictures.facts.encoder or "software"
    try:
        pictures.encode(lambda packet: tee.board_packet(packet, by))
    except CameraRefused as error:
        tee.without_board(error.what)
        return False
    tee.from_board()
    return True


def opened(source: Source, now: Now) -> Pictures:
    """The decoder for this kind of source; only its libraries are loaded."""
    if source.kind == "csi":
        from agent.cameras.decode.csi.camera import PiCamera  # noqa: PLC0415 – picamera2 is on a Pi only

        return PiCamera(source, now)
    from agent.cameras.decode.stream import Stream  # noqa: PLC0415 – 20 MB that a Pi camera does not need

    return Stream(source, now)


def main() -> None:
    """Decode what the parent names, until it goes or the pictures end."""
    confine()
    sock = socket.socket(fileno=int(sys.argv[1]))
    data, fds, _, _ = socket.recv_fds(sock, MAX_MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
    source = Source.from_json(json.loads(data))
    exchange = FrameExchange(sock, waits=source.pace == "fast")
    with contextlib.suppress(ConnectionError):  # the parent has gone: nobody is left to be told
        exchange.tell({"ready": True})
        try:
            # CLOCK_MONOTONIC is one clock for all processes, so these stamps fit the parent's.
            decode(source, exchange, lambda: (time.monotonic(), time.time()), fds[0] if fds else None)
            words: dict[str, Any] = {"end": True}
        except Exception as error:
            words = last_words(source, error)
        exchange.finish(words)
    os._exit(0)  # closing a hung driver may hang; the kernel closes it


AGAIN = tr("it is started again")


def last_words(source: Source, error: Exception, hint: str = AGAIN) -> dict[str, Any]:
    """What the parent is told about the error that ended the pictures; `hint` is for one of ours."""
    if isinstance(error, CameraRefused):
        return {"refused": [plain(error.what), plain(error.hint)]}
    if isinstance(error, CameraLost):
        return {"lost": [plain(error.what), plain(error.hint)]}
    if isinstance(error, MemoryError):
        what = tr(
            "{camera}: {shown} wants more memory than one camera may have",
            camera=source.name,
            shown=source.shown,
        )
        return {"refused": [plain(what), plain(tr("choose a smaller picture in the camera's settings"))]}
    what = tr("{camera}: the decoder failed: {kind}", camera=source.name, kind=type(error).__name__)
    return {"lost": [plain(what), plain(hint)]}


def confine() -> None:
    """Die with the parent, gain no rights, leave no core dump, and take no more than one camera may have."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(sys.argv[2]):
        os._exit(0)  # the parent died before the line above
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes us
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold pictures and the password
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_DATA_BYTES, MAX_DATA_BYTES))


if __name__ == "__main__":
    main()
