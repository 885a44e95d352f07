"""A network camera for tests, in a thread: speaks RTSP, asks for a login, sends on, or serves H.264 over TCP.

It shares no code with what it tries, and writes down who came and what was asked.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import md5

from tests.support.large_pictures import h264

NONCE = "dcd98b7102dd2f0e"
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n"
)


@dataclass
class Request:
    """As it came."""

    method: str
    uri: str
    head: str

    @property
    def authorization(self) -> str:
        """That field, or nothing."""
        found = re.search(r"^Authorization: (.*?)\r?$", self.head, re.MULTILINE)
        return found[1] if found else ""


@dataclass
class RtspCamera:
    """Listens from the start; `with` closes it."""

    login: tuple[str, str] | None = None
    offers: tuple[str, ...] = (f'Digest realm="cam", nonce="{NONCE}"',)
    sends_on: Callable[[Request], str | None] = lambda _request: None
    """The Location to which a request is redirected."""
    raw: Callable[[Request], bytes | None] = lambda _request: None
    """What is answered instead, to the byte."""
    stream: bytes = field(default_factory=lambda: h264(64, 64))
    """May be changed while it plays."""
    fps: float = 25.0
    clock: Callable[[int], int] | None = None
    """The time stamp of each picture, from the first one's number 0 on, in ticks of 1/90,000 s."""
    unit: Callable[[bytes], bytes] = lambda unit: unit
    """What is sent instead of each unit of the stream."""
    reply: Callable[[bytes], bytes] = lambda reply: reply
    """What is sent instead of each answer."""
    address: str = "127.0.0.1"
    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server((self.address, self.port))
        self.port = self._listener.getsockname()[1]
        host = "127.0.0.1" if self.address == "0.0.0.0" else self.address
        self.url = f"rtsp://{host}:{self.port}/live"
        self.closed = False
        """Whoever is connected or connects is hung up on, in order."""
        self.shows = threading.Event()
        """While it is not set everything is answered, but no picture comes."""
        self.shows.set()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> RtspCamera:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def proofs(self) -> list[str]:
        """Every login that came."""
        return [request.authorization for request in self.requests if request.authorization]

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        data = b""
        with sock, contextlib.suppress(OSError):
            while not self.closed and (chunk := sock.recv(65536)):
                data += chunk
                while b"\r\n\r\n" in data:
                    head, _, data = data.partition(b"\r\n\r\n")
                    with contextlib.suppress(ValueError):  # one that speaks to a liar may say anything
                        self._answer(sock, head.decode())

    def _answer(self, sock: socket.socket, head: str) -> None:
        method, uri, _ = head.split("\r\n", maxsplit=1)[0].split(" ")
        request = Request(method, uri, head)
        self.requests.append(request)
        number = re.search(r"^CSeq: (\d+)", head, re.MULTILINE)
        lines, body = [f"CSeq: {number[1]}" if number else ""], b""
        status = "200 OK"
        if (answer := self.raw(request)) is not None:
            sock.sendall(answer)
            return
        location = self.sends_on(request)
        if method != "OPTIONS" and self.login and not self._proved(request):
            status = "401 Unauthorized"
            lines += [f"WWW-Authenticate: {offer}" for offer in self.offers]
        elif location is not None:
            status = "302 Found"
            lines.append(f"Location: {location}")
        elif method == "DESCRIBE":
            body = SDP.encode()
            lines += [f"Content-Base: {uri}/", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            lines += ["Session: 1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]
        elif method == "PLAY":
            lines += ["Session: 1"]
        sock.sendall(self.reply("\r\n".join([f"RTSP/1.0 {status}", *lines, "", ""]).encode() + body))
        if method == "PLAY" and status.startswith("200"):
            threading.Thread(target=self._play, args=(sock,), daemon=True).start()

    def _proved(self, request: Request) -> bool:
        assert self.login
        name, password = self.login
        scheme, _, rest = request.authorization.partition(" ")
        if scheme == "Basic":
            return b64decode(rest).decode() == f"{name}:{password}"
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', rest))
        who = md5(f"{name}:cam:{password}".encode()).hexdigest()
        what = md5(f"{request.method}:{request.uri}".encode()).hexdigest()
        proof = md5(f"{who}:{NONCE}:{what}".encode()).hexdigest()
        return said.get("response") == proof and said.get("uri") == request.uri

    def _play(self, sock: socket.socket) -> None:
        """The stream again and again, a unit a packet."""
        clock = self.clock or (lambda number: number * int(90_000 / self.fps))
        count = pictures = 0
        with contextlib.suppress(OSError):
            while not self.closed:
                for unit in re.split(rb"\x00\x00\x00?\x01", self.stream)[1:]:
                    count += 1
                    picture = unit[0] & 31 in (1, 5)
                    head = bytes([0x80, 96 | 128 * picture]) + (count & 0xFFFF).to_bytes(2, "big")
                    stamp = (clock(pictures) & 0xFFFFFFFF).to_bytes(4, "big")
                    self.shows.wait()
                    if self.closed:
                        sock.shutdown(socket.SHUT_RDWR)
                        return
                    packet = head + stamp + b"cam0" + self.unit(unit)
                    sock.sendall(b"$\0" + len(packet).to_bytes(2, "big") + packet)
                    if picture:
                        pictures += 1
                        time.sleep(1 / self.fps)
