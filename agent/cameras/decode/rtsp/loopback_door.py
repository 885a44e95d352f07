"""Lets one visitor of a listener on loopback in: who says the right thing first.

Every program on the machine may connect there. Who says nothing, or something else, holds up nobody.
"""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Callable

from agent.cameras.decode.rtsp.protocol import NotRtsp, Units

MOST_VISITORS = 16
"""Who wait at the door at one time; for one more the oldest must go."""
READ_BYTES = 64 * 1024


class LoopbackDoor:
    """Who has come and was not let in yet."""

    def __init__(self, listener: socket.socket, is_expected: Callable[[bytes], bool]) -> None:
        """`is_expected` judges the first RTSP unit that a visitor says."""
        self._listener, self._is_expected = listener, is_expected
        self._visitors: dict[socket.socket, tuple[Units, bytes]] = {}
        """Each with what he has said so far."""

    def admit(self) -> tuple[socket.socket, bytes] | None:
        """The next one who is expected, with all that he has said so far; None when the listener was closed."""
        while True:
            try:
                ready, _, _ = select.select([*self._visitors, self._listener], [], [])
                for sock in ready:
                    if sock is self._listener:
                        self._receive(self._listener.accept()[0])
                    elif (said := self._heard(sock)) is not None:
                        return sock, said
            except (OSError, ValueError):  # ValueError: of a socket that was closed meanwhile
                return None

    def close(self) -> None:
        """Send away who waits."""
        for sock in self._visitors:
            sock.close()
        self._visitors.clear()

    def _receive(self, sock: socket.socket) -> None:
        if len(self._visitors) >= MOST_VISITORS:
            self._send_away(next(iter(self._visitors)))
        self._visitors[sock] = Units(), b""

    def _heard(self, sock: socket.socket) -> bytes | None:
        """All that this visitor has said, once he is the one who is expected; who is not is sent away."""
        if sock not in self._visitors:
            return None
        units, before = self._visitors[sock]
        try:
            more = sock.recv(READ_BYTES)
            whole = units.feed(more) if more else []
        except (OSError, NotRtsp):
            more, whole = b"", []
        if more and not whole:
            self._visitors[sock] = units, before + more
        elif whole and self._is_expected(whole[0]):
            del self._visitors[sock]
            return before + more
        else:
            self._send_away(sock)
        return None

    def _send_away(self, sock: socket.socket) -> None:
        del self._visitors[sock]
        with contextlib.suppress(OSError):
            sock.close()
