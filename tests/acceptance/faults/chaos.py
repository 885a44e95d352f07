"""A TCP proxy that misbehaves on request: slow, late, silent, broken or lying.

One listener, any number of connections, all under the same orders. Orders may change at any moment and are
obeyed within 50 ms.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

PIECE = 1024
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Orders:
    """How the link behaves."""

    latency_s: float = 0.0
    """One way."""
    rate_bytes_s: float = 0.0
    """Each way; 0: as fast as it goes."""
    silent: bool = False
    """Connections are accepted and stay open, and nothing passes."""
    refused: bool = False
    """Whoever connects is reset at once."""
    corrupt: float = 0.0
    """Share of the pieces in which one bit is flipped."""


class Chaos:
    """Proxies a free port to another until `close`."""

    def __init__(self, port: int, *, seed: int = 0) -> None:
        self.orders = Orders()
        self.accepted = 0
        self._to = port
        self._chance = random.Random(seed)
        self._listener = socket.socket()
        # A small window: what waits must wait in the sender, where its order can still be changed.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(512)
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def behave(self, **orders: Any) -> None:
        """Change some orders; the others stay."""
        self.orders = replace(self.orders, **orders)

    def reset(self) -> None:
        """Break every connection with a TCP reset."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()

    def close(self) -> None:
        """Proxy no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.reset()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if self.orders.refused:
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                near.close()
                continue
            self._ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        late: deque[tuple[float, bytes]] = deque()
        with suppress(OSError):
            while True:
                if self.orders.silent:
                    time.sleep(LOOK_S)
                    continue
                next_s = late[0][0] - time.monotonic() if late else LOOK_S
                source.settimeout(min(LOOK_S, max(0.001, next_s)))
                with suppress(TimeoutError):
                    piece = source.recv(PIECE)
                    if not piece:
                        break
                    late.append((time.monotonic() + self.orders.latency_s, self._spoilt(piece)))
                    if self.orders.rate_bytes_s:
                        time.sleep(len(piece) / self.orders.rate_bytes_s)
                while late and late[0][0] <= time.monotonic():
                    sink.sendall(late.popleft()[1])
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _spoilt(self, piece: bytes) -> bytes:
        if self._chance.random() >= self.orders.corrupt:
            return piece
        place = self._chance.randrange(len(piece))
        return piece[:place] + bytes((piece[place] ^ 1 << self._chance.randrange(8),)) + piece[place + 1 :]


@contextmanager
def chaos(port: int, *, seed: int = 0) -> Iterator[Chaos]:
    """A proxy for the time of the block."""
    proxy = Chaos(port, seed=seed)
    try:
        yield proxy
    finally:
        proxy.close()
