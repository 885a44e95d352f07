"""A program that takes webhooks: a real HTTP server on loopback, which answers as it is told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class TakenCall:
    """One call that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def says(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class HookReceiver:
    """Takes calls until the block ends; may be away meanwhile."""

    port: int = 0
    status: Callable[[TakenCall], int] = lambda _call: 204
    drip_s: float = 0.0
    """A header each so many seconds, without end."""
    calls: list[TakenCall] = field(default_factory=list)
    """All that came, whatever was answered."""
    taken: list[TakenCall] = field(default_factory=list)
    """Those that were answered with 2xx."""
    connections: int = 0
    open: list[socket.socket] = field(default_factory=list)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> HookReceiver:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                receiver.connections += 1
                receiver.open.append(self.request)
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                call = TakenCall(self.path, headers, body)
                receiver.calls.append(call)
                if receiver.drip_s:
                    self._drip()
                    return
                status = receiver.status(call)
                if 200 <= status < 300:
                    receiver.taken.append(call)
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def _drip(self) -> None:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                try:
                    for number in range(1000):
                        self.wfile.write(f"x-{number}: y\r\n".encode())
                        time.sleep(receiver.drip_s)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?x=1"

    @property
    def ids(self) -> list[str]:
        """Of what was taken, in order."""
        return [call.id for call in self.taken]
