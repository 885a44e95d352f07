"""The way from FFmpeg to a network camera, on which the login stays: it goes to the configured address alone.

FFmpeg follows a redirect to whatever host and port a camera names, and proves the login to whoever asks there.
So it is given an address on loopback and no login; the relay behind that address connects to the camera.

Invariants
1. The relay connects to the host and port of the configuration and to nothing else, whatever is said.
2. The login is added here, so FFmpeg cannot give it away, however it may be led to misread what it is sent.
3. A redirect to another place is not passed on: FFmpeg does not even go there.
4. Who does not know the relay's key is neither heard nor waited for, and the camera does not notice him.
"""

from __future__ import annotations

import contextlib
import secrets
import select
import socket
import threading
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from agent.cameras.decode.rtsp.loopback_door import LoopbackDoor
from agent.cameras.decode.rtsp.protocol import Login, NotRtsp, RtspMessage, Units, place

READ_BYTES = 256 * 1024
MAX_UNANSWERED = 16
MAX_REDIRECTS = 4  # within the camera; more would be a circle
MAX_PROOFS = 2  # of one request: a nonce may have become stale


@dataclass(slots=True)
class _Request:
    """One that the camera has not answered yet."""

    message: RtspMessage
    number: str
    """As FFmpeg counts."""
    proofs: int


class Relay:
    """Listens on loopback until it is closed; one connection of FFmpeg's at a time."""

    def __init__(self, url: str, login: Login | None, timeout_s: float) -> None:
        """Listen; the camera is connected to when FFmpeg comes.

        `url`: rtsp://HOST[:PORT]/…, without a login. `timeout_s`: the longest wait for the camera's side.
        """
        at = place(url)
        assert at is not None, "the configuration takes no other"
        self._at = at
        self._login, self._timeout_s = login, timeout_s
        self._key = secrets.token_urlsafe(16)  # others on this machine do not come in
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._own = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._netloc = urlsplit(url).netloc
        self.redirected: str | None = None
        """Where the camera has sent us, if that was another place."""
        self.failed: OSError | None = None
        """Why the camera could not be connected to; TimeoutError while that is still tried."""
        self.url = self._loopback(url)
        """What FFmpeg is to open."""
        self._pair: _Pair | None = None
        self._redirects = 0
        threading.Thread(target=self._serve, name="rtsp relay", daemon=True).start()

    def close(self) -> None:
        """End the connections, and listen no longer; may be called twice."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._listener.close()
        if self._pair is not None:
            self._pair.shut()

    def _serve(self) -> None:
        door = LoopbackDoor(self._listener, self._is_ffmpeg)
        while (came := door.admit()) is not None:
            with came[0] as ffmpeg:
                self._serve_one(ffmpeg, came[1])
        door.close()

    def _is_ffmpeg(self, first: bytes) -> bool:
        """Whether the first that somebody says is a request that knows the key (invariant 4)."""
        try:
            _, uri, protocol = RtspMessage.read(first).first
            return protocol.startswith("RTSP/") and self.knows(uri)
        except NotRtsp:
            return False

    def _serve_one(self, ffmpeg: socket.socket, said: bytes) -> None:
        ffmpeg.settimeout(self._timeout_s)
        self.failed = (
            TimeoutError()
        )  # as long as nobody has answered, neither the camera nor who knows its address
        try:
            camera = socket.create_connection(self._at, self._timeout_s)
        except OSError as error:
            self.failed = error
            return
        self.failed = None
        with camera:
            for each in (ffmpeg, camera):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._pair = _Pair(self, ffmpeg, camera)
            with contextlib.suppress(OSError, NotRtsp):
                self._pair.run(said)

    def _loopback(self, url: str) -> str:
        parts = urlsplit(url)
        return parts._replace(netloc=self._own, path=f"/{self._key}{parts.path}").geturl()

    def outward(self, uri: str) -> str:
        """An address of FFmpeg's as the camera knows it."""
        parts = _parts(uri)
        if parts.netloc != self._own:
            return uri
        return parts._replace(netloc=self._netloc, path=parts.path.removeprefix(f"/{self._key}")).geturl()

    def knows(self, uri: str) -> bool:
        """Whether the address is one that only FFmpeg was told."""
        return _parts(uri).path.startswith(f"/{self._key}")

    def redirect(self, location: str) -> str | None:
        """The address on loopback in place of a redirect's; None if it leads to another place (invariant 3)."""
        self._redirects += 1
        if place(location) == self._at and self._redirects <= MAX_REDIRECTS:
            return self._loopback(urlsplit(location)._replace(netloc=self._netloc).geturl())
        self.redirected = location
        return None

    def proved(self, message: RtspMessage) -> RtspMessage:
        """The request with the login, if the camera has asked for it (invariant 2)."""
        method, uri, _ = message.first
        message.put("Authorization", self._login.proof(method, uri) if self._login else None)
        return message

    def challenged(self, offers: list[str]) -> bool:
        """Whether there is a login, and a way to prove it."""
        return self._login is not None and self._login.challenge(offers)


def _parts(uri: str) -> SplitResult:
    try:
        return urlsplit(uri)
    except ValueError:  # a camera says under which address its tracks are
        raise NotRtsp("an address that is none") from None


class _Pair:
    """FFmpeg's connection and the camera's, for as long as both last."""

    def __init__(self, relay: Relay, ffmpeg: socket.socket, camera: socket.socket) -> None:
        self._relay, self._ffmpeg, self._camera = relay, ffmpeg, camera
        self._number = 0
        self._asked: OrderedDict[str, _Request] = OrderedDict()

    def run(self, said: bytes) -> None:
        """Pass on what FFmpeg has said already, and all that follows until either side hangs up."""
        units = {self._ffmpeg: Units(), self._camera: Units()}
        turn = {self._ffmpeg: self._outward, self._camera: self._inward}
        self._camera.sendall(b"".join(map(self._outward, units[self._ffmpeg].feed(said))))
        while True:
            ready, _, _ = select.select(list(units), [], [])
            for sock in ready:
                data = sock.recv(READ_BYTES)
                if not data:
                    return
                passing = b"".join(map(turn[sock], units[sock].feed(data)))
                if passing:
                    (self._camera if sock is self._ffmpeg else self._ffmpeg).sendall(passing)

    def shut(self) -> None:
        """Wake whoever waits; from another thread."""
        for sock in (self._ffmpeg, self._camera):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _outward(self, unit: bytes) -> bytes:
        """What FFmpeg says, as the camera is to hear it."""
        if unit.startswith(b"$"):
            return unit
        message = RtspMessage.read(unit)
        method, uri, version = message.first
        if message.status:
            return message.written()  # FFmpeg answers a question of the camera's
        message.first = method, self._relay.outward(uri), version
        return self._asking(_Request(message, message.get("CSeq"), 0))

    def _asking(self, request: _Request) -> bytes:
        self._number += 1
        self._asked[str(self._number)] = request
        while len(self._asked) > MAX_UNANSWERED:
            self._asked.popitem(last=False)
        message = self._relay.proved(request.message)
        request.proofs += message.get("Authorization") != ""
        message.put("CSeq", str(self._number))
        return message.written()

    def _inward(self, unit: bytes) -> bytes:
        """What the camera says, as FFmpeg is to hear it."""
        if unit.startswith(b"$"):
            return unit
        message = RtspMessage.read(unit)
        if not message.status:
            return message.written()
        if message.status < 200 or not self._asked:
            return b""  # the answer itself is still to come, or belongs to nothing
        number = message.get("CSeq")
        request = self._asked.pop(number if number in self._asked else next(iter(self._asked)))
        if message.status == 401 and self._proved_anew(request, message):
            return b""
        self._adapt(message, request)
        return message.written()

    def _proved_anew(self, request: _Request, answer: RtspMessage) -> bool:
        """Ask again with the login; a wrong one is not tried twice, for cameras lock out who does that."""
        offers = answer.all("WWW-Authenticate")
        stale = any("stale=true" in offer.lower().replace('"', "") for offer in offers)
        if request.proofs >= (MAX_PROOFS if stale else 1) or not self._relay.challenged(offers):
            return False
        self._camera.sendall(self._asking(request))
        return True

    def _adapt(self, message: RtspMessage, request: _Request) -> None:
        message.put("CSeq", request.number)
        message.put("WWW-Authenticate", None)  # FFmpeg has nothing to prove, and would only ask once more
        if 300 <= message.status < 400:
            location = self._relay.redirect(message.get("Location"))
            if location is None:
                raise NotRtsp("a redirect to another place")
            message.put("Location", location)
        transport = message.get("Transport")
        if transport and "interleaved" not in transport.lower():
            # Pictures over UDP come from the camera and go to it, not to this relay, nor to whom it names.
            parts = [part for part in transport.split(";") if not part.lower().strip().startswith("source=")]
            message.put("Transport", ";".join([*parts, f"source={self._camera.getpeername()[0]}"]))
