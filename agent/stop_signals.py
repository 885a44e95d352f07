"""SIGTERM, SIGINT and SIGHUP end a program in order; who is about to start it anew asks whether one came."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Final

HEEDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""The last comes when the terminal is closed; who started it with nohup wants it to stay."""
READ_S: Final = 2.0
"""How long the last bytes of a closed socket may take to be read: they are there already."""


class StopSignals:
    """From now on each of HEEDED calls `stop`, however many of them come; for the main thread of a program.

    A thread does it: an Event is not made to be set by a handler, which runs between any two steps of the very
    thread that waits for it, and could wait for itself for ever.
    """

    def __init__(self, stop: Callable[[], object]) -> None:
        self._stop = stop
        self._came = False
        self._ear, mouth = socket.socketpair()
        mouth.setblocking(False)
        self._listener = threading.Thread(target=self._listen, name="signals", daemon=True)
        self._listener.start()
        # Detached: it lives until it is let go of, or as long as the process.
        signal.set_wakeup_fd(mouth.detach(), warn_on_full_buffer=False)
        outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._heeded = [number for number in HEEDED if not (outlives and number == signal.SIGHUP)]
        for number in self._heeded:
            signal.signal(number, lambda _number, _frame: None)  # the wake-up byte is what counts

    def _listen(self) -> None:
        while self._ear.recv(16):
            self._came = True
            self._stop()

    def ignore(self) -> None:
        """The program has ended: no signal may end it otherwise.

        The interpreter gives signals their deadly default back while it takes itself down, but not these.
        """
        for number in HEEDED:
            signal.signal(number, signal.SIG_IGN)

    def release(self) -> bool:
        """Give them their deadly default back; whether one has come since the beginning.

        None is lost between the answer and what is done about it: one that comes from now on ends the process.
        """
        for number in self._heeded:
            signal.signal(number, signal.SIG_DFL)
        os.close(signal.set_wakeup_fd(-1))  # nobody writes there any more, so the listener reads to the end
        self._listener.join(READ_S)
        return self._came
