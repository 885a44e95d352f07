"""A network cable that a test can cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Cable:
    """TCP connections that can be cut: both ends lose them without a goodbye in MQTT."""

    def __init__(self, host: str, port: int, near_port: int = 0) -> None:
        """From `near_port` of this machine, such as that of a cable that was cut; 0: any."""
        self._to = (host, port)
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", near_port))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def cut(self) -> None:
        """Cut what is connected, and connect nothing more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone would not wake the thread that accepts
        self._listener.close()
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # closing alone would not wake the thread that reads
        for thread in self._threads:
            thread.join(5)
        for end in self._ends:
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._to)
                self._ends += [near, far]
                self._start(self._copy, near, far)
                self._start(self._copy, far, near)

    def _start(self, job: object, *ends: socket.socket) -> None:
        thread = threading.Thread(target=job, args=ends, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    @staticmethod
    def _copy(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
