"""Asks the child that copies a main stream for single pictures; of what it answers nothing is believed.

One request is on its way at a time. Nobody waits here: an answer is looked for when there is a turn for it.
"""

from __future__ import annotations

import fcntl
import json
import math
import mmap
import os
import socket
import threading
from contextlib import suppress
from dataclasses import astuple, dataclass
from typing import Any, Final

from agent.cameras import planes
from agent.cameras.decode.decoded import GIVE_BYTES, MAX_PIXELS, MOST_STILLS, Layout
from agent.cameras.decode.worker import MAX_MESSAGE_BYTES
from agent.cameras.isolate import NONSENSE
from agent.core.types import Box, Frame, Instant, Size

NEAR: Final = 0.1
"""The part that is given is the one that was asked for, but for whole pixels: as a fraction of the picture."""


@dataclass(frozen=True, slots=True)
class Still:
    """A part of a main stream's pictures around a moment, by the clock of all processes."""

    size: Size
    """Of the whole pictures."""
    part: Box
    """Which part of them is given."""
    frames: tuple[Frame, ...]
    """The part alone, in each picture; `at` is when it came."""


@dataclass(frozen=True, slots=True)
class StillAnswer:
    """What became of a request."""

    number: int
    still: Still | None
    """None: there is no such picture."""


class Stills:
    """The way to whoever makes stills of one camera's main stream; there may be nobody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._number = 0
        self._asked: tuple[int, Box] | None = None
        self._unanswered: int | None = None
        """A request to somebody who has gone since."""

    def offer(self, sock: socket.socket) -> None:
        """Ask here from now on; from any thread. The socket is ours."""
        sock.setblocking(False)
        with self._lock:
            self._drop()
            self._sock = sock

    def close(self) -> None:
        """There is nobody to be asked; from any thread."""
        with self._lock:
            self._drop()

    def ask(self, between: tuple[float, float], until_s: float, box: Box, most_px: int) -> int | None:
        """Ask for `box` in the pictures that came between two moments; None: not now, or there is nobody.

        The answer comes before `until_s` if it comes; the longer side of a picture need be no more than
        `most_px`. All moments are by the steady clock.
        """
        with self._lock:
            if self._sock is None or self._asked is not None or self._unanswered is not None:
                return None
            self._number += 1
            wish = {
                "still": self._number,
                "from_s": between[0],
                "to_s": between[1],
                "until_s": until_s,
                "box": [box.left, box.top, box.right, box.bottom],
                "most_px": most_px,
            }
            try:
                self._sock.send(json.dumps(wish).encode())
            except OSError:
                self._drop()
                return None
            self._asked = self._number, box
            return self._number

    def answer(self) -> StillAnswer | None:
        """What became of the request; None: not known yet, or nothing was asked."""
        with self._lock:
            if self._unanswered is not None:
                number, self._unanswered = self._unanswered, None
                return StillAnswer(number, None)
            if self._asked is None or self._sock is None:
                return None
            number, box = self._asked
            fds: list[int] = []
            try:
                data, fds, _, _ = socket.recv_fds(self._sock, MAX_MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
                self._asked = None
                if not data:
                    raise ValueError("it has gone")
                return StillAnswer(number, _understood(json.loads(data), number, box, fds))
            except BlockingIOError:
                return None
            except NONSENSE:
                self._asked = None
                self._drop()
                return StillAnswer(number, None)
            finally:
                for fd in fds:
                    with suppress(OSError):
                        os.close(fd)

    def _drop(self) -> None:
        sock, self._sock = self._sock, None
        if self._asked is not None:
            (self._unanswered, _), self._asked = self._asked, None
        if sock is not None:
            sock.close()


def _understood(message: dict[str, Any], number: int, box: Box, fds: list[int]) -> Still | None:
    if message["still"] != number:
        raise ValueError("of another request")
    if "at_s" not in message:
        return None
    width_px, height_px = message["size"]
    if not (_is_whole(width_px) and _is_whole(height_px) and 0 < width_px * height_px <= MAX_PIXELS):
        raise ValueError("no size")
    part = Box(*(_fraction(each) for each in message["part"]))
    edges = zip(astuple(part), astuple(box), strict=True)
    if part.width <= 0 or part.height <= 0 or any(abs(one - other) > NEAR for one, other in edges):
        raise ValueError("another part")
    layout = Layout.from_json(message["layout"])
    if layout.width_px % 2 or layout.height_px % 2:
        raise ValueError("no part of a picture")
    moments = [float(each) for each in message["at_s"]]
    if not 0 < len(moments) <= MOST_STILLS or not all(map(math.isfinite, moments)):
        raise ValueError("no moments")
    memory = _mapped(fds[0], layout.nbytes * len(moments))
    frames = tuple(
        planes.frame(place, Instant(at_s, 0.0), layout, _planes(memory, layout, place * layout.nbytes))
        for place, at_s in enumerate(moments)
    )
    return Still(Size(width_px, height_px), part, frames)


def _mapped(fd: int, wanted: int) -> memoryview:
    """The memory, read-only; a broken child cannot shrink it under us."""
    sealed = fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK
    if not sealed or wanted > GIVE_BYTES or os.fstat(fd).st_size < wanted:
        raise ValueError("the memory is smaller than its pictures, or may become so")
    return memoryview(mmap.mmap(fd, wanted, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ))


def _planes(memory: memoryview, layout: Layout, start: int) -> tuple[memoryview, memoryview, memoryview]:
    y, u, v = (
        memory[start + offset : start + offset + size]
        for offset, size in zip(layout.offsets, layout.sizes, strict=True)
    )
    return y, u, v


def _fraction(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("no fraction")
    return float(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
