"""Footage out of a child process, of which nothing is believed: sizes, times and form are held against bounds.

A hostile stream may have taken over the child. What it gives goes to the ring in ciphertext; here it is made
sure that it is bounded, that its times are ours, and that a player finds boxes of MP4 in it.
"""

from __future__ import annotations

import json
import math
import os
import select
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from agent.cameras.decode.footage.pipe import HEAD, MAGIC
from agent.clock import Clock, ClockState, Trust
from agent.core.types import Instant
from agent.printable import printable

MAX_HEAD_BYTES: Final = 4096
MAX_DATA_BYTES: Final = 32 << 20
MAX_INIT_BYTES: Final = 64 << 10
"""Of what a player needs first; it is a kilobyte or two, and those of several runs are kept in memory."""
MAX_RATE_BYTES_S: Final = 16 << 20
"""128 Mbit/s, over `RATE_S`: no camera sends so much."""
RATE_S: Final = 10.0
MAX_DURATION_S: Final = 600.0
"""A camera may send a picture in five minutes."""
MAX_RUNS: Final = 10_000
MAX_PX: Final = 16_384
CLOCKS_AGREE_S: Final = 0.5
BEFORE_S: Final = 5.0
"""A child is started at most so long before its pipe is read, and a file's pictures count from there."""
CODECS: Final = frozenset({"h264", "hevc", "mjpeg", "mpeg4", "av1", "vp9"})
ENCODERS: Final = ("hardware", "software")
PIPE_BYTES: Final = 1 << 20
READ_BYTES: Final = 1 << 18


class Nonsense(Exception):
    """What the child gave is no footage; the child is not to be trusted."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the child records."""

    way: str
    """copy: packets as they came; encode; none: nothing comes."""
    why: str = ""
    fallback: str = ""
    """Why the camera's larger stream is not what is recorded; empty: it is, or there is none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of footage that passed."""

    run: int
    """Counts the runs of this child from 1."""
    kind: str
    """init or media."""
    start: Instant
    duration_s: float
    key: bool
    codec: str
    width_px: int
    height_px: int
    clock: ClockState
    """Who vouched for the clock when the start was taken from it."""
    dropped: int
    """Pieces that the child dropped before this one, since its start."""
    data: bytes = field(repr=False)
    encoder: str | None = None
    """hardware or software: who encoded it; None: it is as the camera sent it."""


def nobody() -> Trust:
    """Nobody vouches for the clock."""
    return Trust("unknown")


class FootageReader:
    """The reading end of a child's pipe; one thread reads."""

    def __init__(self, fd: int, clock: Clock, trusted: Callable[[], Trust] = nobody) -> None:
        """`fd` is ours from now on; `trusted` says who vouches for the clock."""
        self.fd, self._clock, self._trusted = fd, clock, trusted
        self.ended = False
        """The child has closed its end, or died."""
        self._buffer = bytearray()
        self._init: Piece | None = None
        born_s = clock.now().mono_s
        self._end_s = born_s - BEFORE_S
        """Of all that came: nothing is dated before the child began, nor back by small steps."""
        self._dropped = 0
        self._came: tuple[float, int] = (born_s, 0)
        """Since when, and how many bytes since then."""
        os.set_blocking(fd, False)
        with suppress(OSError, AttributeError):  # a larger pipe is fewer turns, and no need
            import fcntl  # noqa: PLC0415

            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def close(self) -> None:
        """Let go of the pipe: the child notices when it writes."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def read(self, timeout_s: float) -> Piece | Way | None:
        """The next piece; None if none came within `timeout_s`, or the child has ended.

        Raises:
            Nonsense: what came is no footage.
        """
        deadline_s = self._clock.now().mono_s + timeout_s
        while not self.ended:
            if (parts := self._whole()) is not None:
                return self._understood(*parts)
            left_s = deadline_s - self._clock.now().mono_s
            if left_s <= 0:
                return None
            self._fill(left_s)
        return None

    def _fill(self, timeout_s: float) -> None:
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        if not poll.poll(timeout_s * 1000):
            return
        try:
            data = os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.ended = not data
        self._buffer += data
        self._heed_rate(len(data))

    def _heed_rate(self, more: int) -> None:
        now_s = self._clock.now().mono_s
        since_s, came = self._came
        if now_s - since_s > RATE_S:
            since_s, came = now_s, 0
        self._came = since_s, came + more
        if came + more > MAX_RATE_BYTES_S * RATE_S:
            raise Nonsense("more footage than a camera sends")

    def _whole(self) -> tuple[bytes, bytes] | None:
        """Head and data of a piece that is there whole."""
        if len(self._buffer) < HEAD.size:
            return None
        magic, head_bytes, data_bytes = HEAD.unpack_from(self._buffer)
        if magic != MAGIC or head_bytes > MAX_HEAD_BYTES or data_bytes > MAX_DATA_BYTES:
            raise Nonsense("no piece of footage")
        begin = HEAD.size + head_bytes
        if len(self._buffer) < begin + data_bytes:
            return None
        head = bytes(self._buffer[HEAD.size : begin])
        data = bytes(self._buffer[begin : begin + data_bytes])
        del self._buffer[: begin + data_bytes]
        return head, data

    def _understood(self, words: bytes, data: bytes) -> Piece | Way:
        try:
            head = json.loads(words)
            match head["kind"]:
                case "way":
                    why, fallback = (printable(str(head.get(name, ""))[:200]) for name in ("why", "fallback"))
                    return Way(_one_of(head["way"], ("copy", "encode", "none")), why, fallback)
                case "init":
                    return self._begun(head, data)
                case "media":
                    return self._piece(head, data)
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
            raise Nonsense(f"no piece of footage: {type(error).__name__}") from None
        raise Nonsense("no piece of footage")

    def _begun(self, head: dict[str, Any], data: bytes) -> Piece:
        require_boxes(data, (b"ftyp", b"moov"))
        if len(data) > MAX_INIT_BYTES:
            raise ValueError("a beginning that is too large")
        run = _whole_number(head["run"], 1, MAX_RUNS)
        if self._init is not None and run <= self._init.run:
            raise ValueError("a run that was there before")
        self._init = Piece(
            run,
            "init",
            self._clock.now(),
            0.0,
            True,
            _one_of(head["codec"], CODECS),
            _whole_number(head["width_px"], 1, MAX_PX),
            _whole_number(head["height_px"], 1, MAX_PX),
            self._trusted().state,
            self._dropped,
            data,
            None if head.get("encoder") is None else _one_of(head["encoder"], ENCODERS),
        )
        return self._init

    def _piece(self, head: dict[str, Any], data: bytes) -> Piece:
        init = self._init
        if init is None or _whole_number(head["run"], 1, MAX_RUNS) != init.run:
            raise ValueError("of another run")
        require_boxes(data, (b"moof", b"mdat"))
        start_s, end_s = _number(head["start_s"]), _number(head["end_s"])
        vouched = self._trusted().state  # asked first: for a time that is taken later it holds, too
        now = self._clock.now()
        if not (
            self._end_s - CLOCKS_AGREE_S <= start_s <= end_s <= now.mono_s + CLOCKS_AGREE_S
            and end_s - start_s <= MAX_DURATION_S
        ):
            raise ValueError("of another time")
        self._end_s = max(self._end_s, end_s)
        dropped = _whole_number(head["dropped"], self._dropped, 1 << 53)
        self._dropped = dropped
        # The child does not know what time it is; the steady clock is one for all processes.
        start = Instant(start_s, now.wall_s - (now.mono_s - start_s))
        return Piece(
            init.run,
            "media",
            start,
            end_s - start_s,
            head["key"] is True,
            init.codec,
            init.width_px,
            init.height_px,
            vouched,
            dropped,
            data,
            init.encoder,
        )


def require_boxes(data: bytes, names: tuple[bytes, ...]) -> None:
    """Boxes of MP4 with these names, one or more times in this order, and nothing else.

    Raises:
        ValueError: they are not.
    """
    at, found = 0, []
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if size < 8 or at + size > len(data):
            raise ValueError("boxes that do not fit")
        found.append(name)
        at += size
        if len(found) > 64:
            raise ValueError("too many boxes")
    if (
        not found
        or len(found) % len(names)
        or any(name != names[number % len(names)] for number, name in enumerate(found))
    ):
        raise ValueError("other boxes")


def _one_of(value: object, known: Any) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError("an unknown word")
    return value


def _whole_number(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError("no such number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError("no such number")
    return float(value)
