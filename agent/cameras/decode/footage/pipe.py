"""The way of footage out of a decoding child: pieces through a pipe, and none of them is ever waited for.

    piece       "ngF1", length of head (u16), length of data (u32), head (JSON), data; big endian
    head        {"kind":"way","way":"copy"|"encode"|"none","why":…,"fallback":…}    before everything else
                {"kind":"init","run":n,"codec":…,"width_px":…,"height_px":…,"encoder":…}
                {"kind":"media","run":n,"start_s":…,"end_s":…,"key":…,"dropped":…}

Whoever reads is slow at times: a card that syncs, a box that is busy. Then pieces wait here, up to
`MAX_WAITING_BYTES`; beyond it they are dropped and counted, to the next with a key picture. Decoding goes on.
"""

from __future__ import annotations

import json
import os
import struct
import threading
from collections import deque
from contextlib import suppress
from typing import Any, Final

MAGIC: Final = b"ngF1"
HEAD: Final = struct.Struct(">4sHI")
MAX_WAITING_BYTES: Final = 16 << 20
"""Half a minute of 4 Mbit/s."""


class FootagePipe:
    """The writing end; a thread of its own writes."""

    def __init__(self, fd: int, max_waiting_bytes: int = MAX_WAITING_BYTES) -> None:
        """`fd` is the pipe's; it is ours from now on."""
        self.dropped = 0
        """Pieces that were not taken since the beginning."""
        self._fd, self._most = fd, max_waiting_bytes
        self._changed = threading.Condition()
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._bytes = 0
        self._broken = self._gone = self._ended = False
        threading.Thread(target=self._write, name="footage", daemon=True).start()

    def tell(self, head: dict[str, Any], data: bytes = b"") -> None:
        """Give what must not be missing: it is small."""
        with self._changed:
            self._give(head, data)

    def give(self, head: dict[str, Any], data: bytes) -> None:
        """Give a piece of media, or drop it if too much waits."""
        with self._changed:
            if self._gone:
                return
            if self._bytes + len(data) > self._most or (self._broken and not head["key"]):
                self.dropped += 1
                self._broken = True
                return
            self._broken = False
            self._give({**head, "dropped": self.dropped}, data)

    def finish(self, patience_s: float) -> None:
        """Nothing more comes; wait a little until what waits is read."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._gone, patience_s)

    def _give(self, head: dict[str, Any], data: bytes) -> None:
        if self._gone:
            return
        words = json.dumps(head, separators=(",", ":")).encode()
        self._waiting.append((HEAD.pack(MAGIC, len(words), len(data)) + words, data))
        self._bytes += len(data)
        self._changed.notify_all()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                piece = self._waiting.popleft()
            try:
                for part in piece:
                    view = memoryview(part)
                    while view:
                        view = view[os.write(self._fd, view) :]
            except OSError:  # nobody reads any more
                break
            with self._changed:
                self._bytes -= len(piece[1])
        with self._changed:
            self._gone = True
            self._waiting.clear()
            self._changed.notify_all()
        with suppress(OSError):
            os.close(self._fd)
