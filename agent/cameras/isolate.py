"""A camera decoded in a child process, which is killed when its pictures stop.

A hung driver, a hostile stream or a leak in a decoder dies with the child. Frames come through shared memory
(ring.py); the newest wins, except that no picture of a file at pace `fast` is missed. The child is bound to the
thread that first asks for a frame: it dies when that thread ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from agent.cameras import planes
from agent.cameras.decode.decoded import CameraFacts, Layout, Record
from agent.cameras.decode.ring import ReaderRing
from agent.cameras.decode.worker import MAX_MESSAGE_BYTES
from agent.cameras.footage import CLOCKS_AGREE_S
from agent.cameras.settings import CameraSettings, FileSource
from agent.cameras.sources import source
from agent.child_process import REAP_S, kill, received, spawn
from agent.clock import Clock
from agent.core.types import Frame, Instant, Plane
from agent.errors import CameraError, CameraLost, CameraRefused
from agent.printable import printable
from agent.translatable import filtered, restored, tr
from agent.wire.payloads import LARGEST

START_S = 20.0  # a child's imports on a slow card under load; measured 0.2 s here
NONSENSE = (TypeError, ValueError, LookupError, OverflowError, RecursionError, OSError)
"""What comes of believing a child that a hostile stream has taken over."""

LOOK_S = 0.5  # how often a waiting reader looks at the clock; a quiet camera's pictures come sooner
LATEST_S = 2.0**33
"""The year 2242: whatever a clock is set to, and however quickly a file is played, it is not later."""
LONGEST_WORDS = 1000
"""Characters of what a child says for people; the wire takes a few thousand."""
DECODER = "agent.cameras.decode.worker"


class IsolatedCamera:
    """One camera in its own process. `frames` may be iterated once; `close` may come from another thread.

    A frame's arrays are valid until the next frame is asked for: its memory is then given back and overwritten.
    """

    def __init__(
        self,
        settings: CameraSettings,
        clock: Clock,
        record: Record | None = None,
        on_footage: Callable[[int], object] = os.close,
    ) -> None:
        """`record`: what it shows is recorded, too; `on_footage` is then given the reading end of a pipe.

        It is called once, in the thread that asks for the first frame, and the pipe is its own from then on.
        """
        self.settings = settings
        self._record, self._on_footage = record, on_footage
        self.facts: CameraFacts | None = None
        """What the camera turned out to be; None until the first frame."""
        self.frames_in = 0
        """Pictures decoded, whether or not they were looked at."""
        self.frames_dropped = 0
        """Pictures that were due but came while the caller was busy."""
        self.frames_damaged = 0
        """Packets that came damaged."""
        self.last_frame_at: Instant | None = None
        self.rest_s = 0.0
        """Least time to the next frame; pictures before that are decoded, but neither copied nor dropped."""
        self.calm_gap_s: float | None = None
        """Nothing happens: a picture every so many seconds would do. None: it would not."""
        self.dozed_at: Instant | None = None
        """When the child last said that packets come of which none needs decoding."""
        self.turn: Callable[[], object] = lambda: None
        """Called twice a second while a frame is waited for."""
        self._clock, self._born_s = clock, clock.now().mono_s
        self._lock = threading.Lock()
        self._closed = False
        self._child: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None
        self._ring: ReaderRing | None = None
        self._views: dict[int, tuple[Plane, Plane, Plane]] = {}
        """The planes of the ring's slots, each made once."""
        self._deadline_s = 0.0

    @property
    def pid(self) -> int | None:
        """The child's process id; None before the first frame and after the end."""
        child = self._child
        return child.pid if child is not None and child.returncode is None else None

    def frames(self) -> Iterator[Frame]:
        """The newest frame each time; see the class for how long it is valid.

        Raises:
            CameraLost: nothing answers, the pictures stopped for `stall_s`, or the decoder died.
            CameraRefused: the camera answers but will not serve us.
        """
        try:
            sock = self._start()
            while sock is not None and (frame := self.receive(sock)) is not None:
                yield frame
        except CameraError:
            if not self._closed:  # whoever closes does not want to hear what that broke
                raise
        finally:
            self.close()
            if self._sock is not None:
                self._sock.close()
            self._ring = None
            self._views = {}

    def close(self) -> None:
        """Kill the child and reap it, within two seconds; a waiting `frames` then ends."""
        with self._lock:
            self._closed = True
            if self._child is not None and self._child.returncode is None:
                kill(self._child)

    def distrust(self) -> None:
        """Kill the child, whose footage is nonsense: whoever iterates hears that it died."""
        with self._lock:
            if self._child is not None and self._child.returncode is None:
                self._child.kill()

    def hurry(self) -> None:
        """While a frame is waited for: a picture of now is wanted after all. To be called from `turn`."""
        self.calm_gap_s = None
        if self._sock is not None:
            with contextlib.suppress(ConnectionError):
                self._sock.send(b"next")

    def _start(self) -> socket.socket | None:
        job = json.dumps(asdict(source(self.settings, self._clock.now(), self._record))).encode()
        try:
            with self._lock:
                if self._closed:
                    return None
                ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                self._sock = ours
                with theirs:
                    self._child = spawn_decoder(theirs.fileno())
            self._send(ours, job)
        except OSError as error:
            raise self._lost(
                tr("no process for its decoder: {reason}", reason=error.strerror), tr("is memory short?")
            ) from error
        ours.settimeout(LOOK_S)
        self._deadline_s = self._clock.now().mono_s + START_S
        return ours

    def _send(self, sock: socket.socket, job: bytes) -> None:
        """The child is told what to open, and given the pipe for what is recorded.

        Raises:
            OSError: there is no room for the message, or no descriptor for the pipe.
        """
        if self._record is None:
            with contextlib.suppress(ConnectionError):  # dead already: the first look at the socket tells
                sock.send(job)
            return
        reading, writing = os.pipe2(os.O_CLOEXEC)
        try:
            with contextlib.suppress(ConnectionError):
                socket.send_fds(sock, [job], [writing])
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._on_footage(reading)

    def receive(self, sock: socket.socket) -> Frame | None:
        """Ask for a frame, which gives the last one's memory back, and wait for it; None at the end."""
        last, words = self.last_frame_at, "next"
        if last is not None and self.rest_s > 0:
            words += f" {last.mono_s + self.rest_s:.6f}"
            if self.calm_gap_s is not None:
                words += f" {self.calm_gap_s:g}"
        with contextlib.suppress(ConnectionError):
            sock.send(words.encode())
        if self.last_frame_at is not None:
            patience_s = min(self.settings.stall_s, 1.0)  # a caller that was busy has not seen the newest yet
            self._deadline_s = max(self._deadline_s, self._clock.now().mono_s + patience_s) + self.rest_s
        while True:
            data, fds = self._receive(sock)
            try:
                message = json.loads(data)
                frame = self._understood(message, fds)
                ended = "end" in message
            except NONSENSE:
                raise self._lost(tr("its decoder speaks nonsense"), tr("it is started again")) from None
            finally:
                for fd in fds:
                    os.close(fd)
            if frame is not None or ended:
                return frame

    def _receive(self, sock: socket.socket) -> tuple[bytes, list[int]]:
        while True:
            try:
                data, fds, _, _ = received(socket.recv_fds, sock, MAX_MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
            except TimeoutError:
                if self._clock.now().mono_s < self._deadline_s:
                    self.turn()
                    continue
                raise self._too_late() from None
            except ConnectionError:
                data, fds = b"", []
            if data:
                return data, fds
            raise self._died()

    def _understood(self, message: dict[str, Any], fds: list[int]) -> Frame | None:
        match message:
            case {"frame": [slot, index, mono_s, wall_s, lap, *counts]}:
                at = self._stamped(Instant(float(mono_s), float(wall_s)))
                index, lap, *counts = (_counted(each) for each in (index, lap, *counts))
                return self._frame(int(slot), index, at, self._lapped(lap), counts)
            case {"calm": [came, damaged]}:
                self.frames_in, self.frames_damaged = _counted(came), _counted(damaged)
                self.dozed_at = self._clock.now()
                self._deadline_s = self.dozed_at.mono_s + self.settings.stall_s
                self.turn()
            case {"ring": layout}:
                self._ring = ReaderRing(fds[0], Layout.from_json(layout))
                self._views = {}
            case {"facts": facts}:
                self.facts = CameraFacts.from_json(facts)
            case {"ready": True}:
                # A little longer than the child's own deadline, whose words say more.
                self._deadline_s = self._clock.now().mono_s + self.settings.open_timeout_s + 0.5
            case {"lost": [what, hint]}:
                raise CameraLost(heard(what), heard(hint))
            case {"refused": [what, hint]}:
                raise CameraRefused(heard(what), heard(hint))
            case {"end": True}:
                pass
            case _:
                raise ValueError("unknown words")
        return None

    def _stamped(self, at: Instant) -> Instant:
        """A live picture by our clock: the child does not know what time it is at least. A file has its own.

        Raises:
            ValueError: it is from before the camera was opened, from the future, or from no time at all.
        """
        now = self._clock.now()
        if isinstance(self.settings.source, FileSource):
            # It counts on from its opening, and our wall clock may have been set by decades since.
            if not (0 <= at.mono_s <= LATEST_S and 0 <= at.wall_s <= LATEST_S):
                raise ValueError("of no time")
            return at
        if not self._born_s - CLOCKS_AGREE_S <= at.mono_s <= now.mono_s + CLOCKS_AGREE_S:
            raise ValueError("of another time")
        return Instant(at.mono_s, now.wall_s - now.since(at))

    def _lapped(self, lap: int) -> int:
        """A clip that is looped says how often it began again; of a camera nothing does."""
        return lap if isinstance(self.settings.source, FileSource) else 0

    def _frame(self, slot: int, index: int, at: Instant, lap: int, counts: list[int]) -> Frame:
        last = self.last_frame_at
        if self._ring is None or not (last is None or at.mono_s > last.mono_s):
            raise ValueError("a frame without memory, or from the past")
        views = self._views.get(slot)
        if views is None:
            views = self._views[slot] = planes.views(self._ring.layout, self._ring.planes(slot))
        frame = Frame(index, at, *views, self._ring.layout.full_range, lap)
        self.frames_in, self.frames_dropped, self.frames_damaged = counts
        self.last_frame_at = at
        self._deadline_s = self._clock.now().mono_s + self.settings.stall_s
        return frame

    def _too_late(self) -> CameraLost:
        hint = tr("check its power and its network; the agent goes on asking")
        if self.last_frame_at is None:
            return self._lost(tr("no picture within {late_s:g} s", late_s=self.settings.open_timeout_s), hint)
        slow = tr(
            "check its power and its network; if it sends so rarely, raise stall_s; the agent goes on asking"
        )
        return self._lost(tr("no picture for {late_s:g} s", late_s=self.settings.stall_s), slow)

    def _died(self) -> CameraLost:
        code = None
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._child.wait(REAP_S)
        how = tr("exit code {code}", code=code) if code is None or code >= 0 else signal.Signals(-code).name
        again = tr("it is started again; if it goes on, report the stream")
        return self._lost(tr("its decoder died ({how})", how=how), again)

    def _lost(self, what: str, hint: str) -> CameraLost:
        return CameraLost(tr("{camera}: {what}", camera=self.settings.name, what=what), hint)


def spawn_decoder(fd: int, module: str = DECODER) -> subprocess.Popen[bytes]:
    """Start a child that reads a camera; libcamera's settings are for it, and what is preloaded for its sake.

    Raises:
        OSError: the machine has no room for another process.
    """
    return spawn(module, fd, lambda name: name == "LD_PRELOAD" or name.startswith("LIBCAMERA_"))


def heard(words: Any) -> str:
    """What a child says for people, in one short line whatever it says: it is shown, logged and sent on.

    Raises:
        ValueError: it is no message.
    """
    text = restored(words)
    return text if text == _one_line(text) else filtered(text, _one_line)


def _counted(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise ValueError("no such number")
    return value


def _one_line(text: str) -> str:
    return printable(text)[:LONGEST_WORDS]
