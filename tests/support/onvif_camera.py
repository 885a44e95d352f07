"""An ONVIF camera for tests: answers to WS-Discovery over real UDP, and to SOAP over real HTTP.

It shares no code with what it tries, proves logins by itself, and writes down who came with what.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha1
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GROUP, PORT = "239.255.255.250", 3702
SOAP = "http://www.w3.org/2003/05/soap-envelope"
SCOPES = "onvif://www.onvif.org/type/video_encoder onvif://www.onvif.org/name/Example onvif://www.onvif.org/hardware/IPC%204"
FRESH_S = 5.0
"""How old a digest may be, by the camera's own clock."""


@dataclass
class Profile:
    """A stream that it offers."""

    token: str
    url: str
    width: int
    height: int
    codec: str = "H264"


@dataclass
class OnvifCamera:
    """Listens from the start; `with` closes it."""

    profiles: list[Profile]
    login: tuple[str, str] | None = None
    http_digest: bool = False
    """It asks for the login by HTTP instead of in the message."""
    newer: bool = True
    """It has the second media service, which knows H.265."""
    ahead: timedelta = timedelta()
    """Of its clock."""
    address: str = "127.0.0.1"
    port: int = 0
    claimed_host: str = ""
    """What it says that its address is."""
    raw: Callable[[str], bytes | None] = lambda _asked: None
    """What it answers instead, HTTP and all, to this call."""
    calls: list[str] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                message = self.rfile.read(int(self.headers["Content-Length"])).decode()
                camera.heads.append(str(self.headers) + message)
                camera.answer(self, message)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((self.address, self.port), Handler)
        self.port = self._server.server_address[1]
        self.host = self.claimed_host or self.address
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> OnvifCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def at(self) -> str:
        """Its address as a person would say it."""
        return f"{self.address}:{self.port}"

    @property
    def logins(self) -> int:
        """How often somebody tried to prove a login."""
        return sum("UsernameToken" in head or "Authorization" in head for head in self.heads)

    def answer(self, request: Any, message: str) -> None:
        """One call."""
        body = message.partition("Body>")[2]
        asked = re.search(r"<(?:\w+:)?(\w+)", body)
        call = asked[1] if asked else ""
        self.calls.append(call)
        with contextlib.suppress(OSError):
            if (raw := self.raw(call)) is not None:
                request.wfile.write(raw)
                return
            status, fields, text = self._judged(request, message, call)
            request.send_response(status)
            for name, value in fields.items():
                request.send_header(name, value)
            data = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{text}</s:Body></s:Envelope>'.encode()
            request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            request.wfile.write(data)

    def _judged(self, request: Any, message: str, call: str) -> tuple[int, dict[str, str], str]:
        if call == "GetSystemDateAndTime" or self.login is None:
            return 200, {}, self.said(call, message)
        if self.http_digest:
            if not self._proved_by_http(request.headers.get("Authorization", "")):
                return 401, {"WWW-Authenticate": 'Digest realm="cam", nonce="n1", qop="auth"'}, ""
        elif not self._proved(message):
            code = "<s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode>"
            return (
                400,
                {},
                f"<s:Fault><s:Code>{code}</s:Code><s:Reason><s:Text>no</s:Text></s:Reason></s:Fault>",
            )
        return 200, {}, self.said(call, message)

    def _proved(self, message: str) -> bool:
        assert self.login
        said = dict(re.findall(r"<(Username|Password|Nonce|Created)(?: [^>]*)?>([^<]*)<", message))
        if set(said) != {"Username", "Password", "Nonce", "Created"}:
            return False
        created = datetime.strptime(said["Created"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        proof = sha1(b64decode(said["Nonce"]) + said["Created"].encode() + self.login[1].encode()).digest()
        fresh = abs((self._now() - created).total_seconds()) < FRESH_S
        return fresh and (said["Username"], said["Password"]) == (self.login[0], b64encode(proof).decode())

    def _proved_by_http(self, authorization: str) -> bool:
        assert self.login
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', authorization))
        if not said:
            return False
        who = md5(f"{self.login[0]}:cam:{self.login[1]}".encode()).hexdigest()
        what = md5(f"POST:{said['uri']}".encode()).hexdigest()
        proof = md5(f"{who}:n1:{said['nc']}:{said['cnonce']}:auth:{what}".encode()).hexdigest()
        return said["response"] == proof

    def _now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def said(self, call: str, message: str) -> str:
        """What stands in the body of an answer."""
        here = f"http://{self.host}:{self.port}/onvif"
        match call:
            case "GetSystemDateAndTime":
                now = self._now()
                return (
                    f"<R><UTCDateTime><Time><Hour>{now.hour}</Hour><Minute>{now.minute}</Minute>"
                    f"<Second>{now.second}</Second></Time><Date><Year>{now.year}</Year><Month>{now.month}</Month>"
                    f"<Day>{now.day}</Day></Date></UTCDateTime></R>"
                )
            case "GetDeviceInformation":
                return "<R><Manufacturer>Example</Manufacturer><Model>IPC 4</Model></R>"
            case "GetServices" if self.newer:
                spaces = {"media": "ver10/media", "media2": "ver20/media"}
                return "".join(
                    f"<Service><Namespace>http://www.onvif.org/{space}/wsdl</Namespace>"
                    f"<XAddr>{here}/{name}</XAddr></Service>"
                    for name, space in spaces.items()
                )
            case "GetServices":
                return "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>"
            case "GetCapabilities":
                return f"<R><Media><XAddr>{here}/media</XAddr></Media></R>"
            case "GetProfiles":
                return "".join(self._profile(each, "ver20" in message) for each in self.profiles)
            case _:
                token = re.search(r"ProfileToken>([^<]*)<", message)
                url = next(each.url for each in self.profiles if token and escape(each.token) == token[1])
                return f"<R><Uri>{url}</Uri></R>"

    def _profile(self, each: Profile, newer: bool) -> str:
        if each.codec == "H265" and not newer:
            return ""
        name = "VideoEncoder" if newer else "VideoEncoderConfiguration"
        return (
            f'<Profiles token="{escape(each.token)}"><{name}><Encoding>{each.codec}</Encoding><Resolution>'
            f"<Width>{each.width}</Width><Height>{each.height}</Height></Resolution></{name}></Profiles>"
        )


@dataclass
class Announcer:
    """Hears probes at one address, and answers them; `with` closes it."""

    answers: Callable[[str], list[bytes]]
    """What is answered to the probe of this number."""
    address: str = "127.0.0.1"
    probes: int = 0

    def __enter__(self) -> Announcer:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._sock.bind((GROUP, PORT))
        group = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(self.address))
        self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        self._from = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._from.bind((self.address, 0))
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self._from.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, asker = self._sock.recvfrom(65_536)
                if not data:
                    return
                number = re.search(r"MessageID[^>]*>([^<]*)<", data.decode(errors="replace"))
                self.probes += 1
                for answer in self.answers(number[1] if number else ""):
                    self._from.sendto(answer, asker)


def probe_match(number: str, address: str, scopes: str = SCOPES) -> bytes:
    """The answer of a camera whose service is at this address."""
    base = "http://schemas.xmlsoap.org/ws"
    spaces = f'xmlns:a="{base}/2004/08/addressing" xmlns:d="{base}/2005/04/discovery"'
    return (
        f'<s:Envelope xmlns:s="{SOAP}" {spaces}>'
        f"<s:Header><a:RelatesTo>{number}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>"
        f"<d:Scopes>{scopes}</d:Scopes><d:XAddrs>{address}</d:XAddrs>"
        "</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()
