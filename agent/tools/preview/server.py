"""Who may ask for the page, and how much at a time: HTTP by Python's own server, closed where that is open.

Invariants
1. Off loopback nothing is answered without the token: new each time, compared in constant time.
2. A name that leads here but is not ours is refused: a page elsewhere cannot have its own name point to this
   box and read what this one shows (DNS rebinding). An address cannot be made to point elsewhere. Without a
   token only localhost and addresses of loopback are ours: anybody may answer for a name on a network.
3. Only a page of ours changes anything, and only it is given pictures: what a browser asks for another site is
   refused.
4. No path reaches the file system: what there is to be had is a table.
5. Connections are few, also from one address; each request has a deadline as a whole; nothing large is read.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from agent.clock import Clock
from agent.errors import NgatuError
from agent.tools.preview.admission import Doors, is_ours, own_names, same
from agent.tools.preview.answer import PageAnswer, PageRequest, moved, plain
from agent.translatable import tr

REQUEST_S = 10.0
"""For a request from its first byte to its last, and for a connection without one; the same for an answer."""
MOST_BYTES = 64 * 1024
MOST_TOLD = 20
"""Of the addresses that were let in; the list goes into a line of the audit log."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

Site = Callable[[PageRequest], PageAnswer]


class PreviewServer(ThreadingHTTPServer):
    """Serves one site; `serve_forever` in a thread, `shutdown` from another."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(
        self,
        address: str,
        port: int,
        token: str,
        site: Site,
        clock: Clock,
        *,
        on_visit: Callable[[str], object] = lambda _address: None,
        on_fault: Callable[[Exception], object] = lambda _error: None,
    ) -> None:
        """An empty token asks for none. `on_visit` hears of each address that comes for the first time.

        Raises:
            NgatuError: nothing can listen there.
        """
        self.site, self.clock, self.token = site, clock, token
        self.names = own_names() if token else None
        self.base = f"/{token}/" if token else "/"
        self.doors = Doors()
        self._visitors: set[str] = set()
        self._on_visit, self.on_fault = on_visit, on_fault
        if ipaddress.ip_address(address).version == 6:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((address, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            what = tr(
                "{address}, port {port}: nothing can listen there: {reason}",
                address=address,
                port=port,
                reason=reason,
            )
            raise NgatuError(
                what, tr("name another port with --port, and an address of this machine")
            ) from None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @property
    def visitors(self) -> list[str]:
        """The addresses that were let in, at most MOST_TOLD of them; "…" for those beyond."""
        known = sorted(self._visitors)
        return known[:MOST_TOLD] + ["…"] * (len(known) > MOST_TOLD)

    def visited(self, address: str) -> None:
        """Somebody of this address was let in."""
        if address not in self._visitors and len(self._visitors) < 1000:
            self._visitors.add(address)
            self._on_visit(address)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, if there is room."""
        if not self.doors.enter(client_address[0]):
            self._turn_away(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be had
            self.doors.leave(client_address[0])
            self._turn_away(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """All requests of one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.doors.leave(client_address[0])

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Who goes away in the middle is nobody's business; faults of the site are told where they happen."""

    def _turn_away(self, request: Any) -> None:
        with contextlib.suppress(OSError):
            request.settimeout(0.5)
            request.sendall(FULL)
        self.shutdown_request(request)


class _Patience(io.RawIOBase):
    """Reads a socket until a moment: what comes byte by byte is not waited for longer than the rest."""

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        self._sock, self._clock = sock, clock
        self._until_s = 0.0

    def renew(self) -> None:
        """Give the next request its time."""
        self._until_s = self._clock.now().mono_s + REQUEST_S

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self._until_s - self._clock.now().mono_s
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        return self._sock.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PreviewServer

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._patience = _Patience(self.connection, self.server.clock)
        self.rfile = io.BufferedReader(self._patience)

    def handle_one_request(self) -> None:
        self._patience.renew()
        super().handle_one_request()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        refused = self._refused()
        if refused is not None:
            self.close_connection = True
            self._send(refused)
            return
        self.server.visited(self.client_address[0])
        try:
            self._send(self.server.site(self._request()))
        except (TimeoutError, ConnectionError):
            raise
        except Exception as error:
            self.server.on_fault(error)
            self.close_connection = True
            self._send(plain(HTTPStatus.INTERNAL_SERVER_ERROR))

    def _refused(self) -> PageAnswer | None:
        """Why this is not answered; the reason is for people who look with their browser's tools."""
        try:
            path = urlsplit(self.path).path
        except ValueError:
            return plain(HTTPStatus.BAD_REQUEST)
        base = self.server.base
        if not same(path[: len(base)], base):  # invariant 1
            # Typed without its end, everything that the page asks for would be looked for elsewhere.
            return moved(base) if same(f"{path}/", base) else plain(HTTPStatus.NOT_FOUND)
        if not is_ours(self.headers.get("Host"), self.server.names):  # invariant 2
            return plain(HTTPStatus.FORBIDDEN, "this machine has another name; use its address")
        if not self._is_from_our_page():  # invariant 3
            return plain(HTTPStatus.FORBIDDEN, "asked for by another site")
        return None if self.command == "GET" else self._unreadable()

    def _unreadable(self) -> PageAnswer | None:
        """Why the body is not read."""
        if self.headers.get_content_type() != "application/json":
            return plain(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not (length.isascii() and length.isdigit()):
            return plain(HTTPStatus.LENGTH_REQUIRED)
        large = len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES
        return plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE) if large else None

    def _is_from_our_page(self) -> bool:
        site = self.headers.get("Sec-Fetch-Site")
        typed = self.command == "GET" and self.headers.get("Sec-Fetch-Mode") == "navigate"
        if site not in (None, "same-origin", "none") and not typed:
            return False
        origin = self.headers.get("Origin")
        if origin is None:
            return self.command == "GET"
        return origin == f"http://{self.headers.get('Host')}"

    def _request(self) -> PageRequest:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0) if self.command == "POST" else 0
        body = self.rfile.read(length) if length else b""
        query = dict(parse_qsl(url.query, max_num_fields=8))
        return PageRequest(self.command, url.path.removeprefix(self.server.base), query, body)

    def _send(self, answer: PageAnswer) -> None:
        self.connection.settimeout(REQUEST_S)
        self.send_response_only(answer.status)
        fields = {
            "Content-Type": answer.kind,
            "Content-Length": str(len(answer.body)),
            **HEADERS,
            **answer.more,
        }
        if self.close_connection:
            fields["Connection"] = "close"
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses: without its page, which shows what was asked."""
        self.close_connection = True
        if self.request_version == "HTTP/0.9":  # no headers are understood
            return
        with contextlib.suppress(OSError):
            self._send(plain(HTTPStatus(code)))

    def log_message(self, *_words: object) -> None:
        """No lines: they would hold the token."""
