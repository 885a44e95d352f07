"""Asks the networks of this machine for ONVIF cameras, and hears who answers (WS-Discovery, OASIS 2005).

Everybody may answer, with anything. A camera is where its answer came from, and nowhere else. No login is sent.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import time
import uuid
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import psutil

from agent.printable import printable
from agent.tools.discovery import soap

GROUP, PORT = "239.255.255.250", 3702
MAX_FOUND = 256
"""No switch on a pole has more; a liar would answer without end."""
ASKED = 2
"""How often each network is asked: datagrams get lost."""
DEVICE_PATH = "/onvif/device_service"
_PATH = re.compile(r"/[A-Za-z0-9/_.-]{1,200}")
"""Whoever reads it may paste it into a shell."""
_NAME, _HARDWARE = "onvif://www.onvif.org/name/", "onvif://www.onvif.org/hardware/"
_PROBE = (
    '<d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
    '<d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types></d:Probe>'
)
_HEADER = (
    '<a:Action xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
    "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>"
    '<a:MessageID xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">{number}</a:MessageID>'
    '<a:To xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
    "urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
)


@dataclass(frozen=True, slots=True, order=True)
class Answer:
    """A camera that says it is there."""

    host: str
    """Where the answer came from."""
    port: int
    path: str
    """Of its service, where it said so for its own address."""
    about: str
    """Its name and hardware in its own words, safe to be shown."""

    @property
    def place(self) -> str:
        """As `--at` takes it."""
        plain = (self.port, self.path) == (80, DEVICE_PATH)
        return self.host if plain else f"http://{self.host}:{self.port}{self.path}"


def discover(within_s: float, group: str = GROUP, port: int = PORT) -> list[Answer]:
    """Who answers within so many seconds, by address; nobody where there is no network."""
    number = f"uuid:{uuid.uuid4()}"
    probe = soap.envelope(_PROBE, _HEADER.format(number=number))
    socks = [sock for address in _own_addresses() if (sock := _socket(address)) is not None]
    found: dict[str, Answer] = {}
    try:
        for turn in range(ASKED):
            for sock in socks:
                with contextlib.suppress(OSError):  # a network that is down has no cameras
                    sock.sendto(probe, (group, port))
            deadline_s = time.monotonic() + within_s / ASKED
            _hear(socks, deadline_s, number, found)
            if turn == 0 and not socks:
                break
    finally:
        for sock in socks:
            sock.close()
    return sorted(found.values())


def _own_addresses() -> list[str]:
    """This machine's own, one for each network."""
    return [
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family == socket.AF_INET
    ]


def _socket(address: str) -> socket.socket | None:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        sock.bind((address, 0))
    except OSError:
        sock.close()
        return None
    sock.setblocking(False)
    return sock


def _hear(socks: list[socket.socket], deadline_s: float, number: str, found: dict[str, Answer]) -> None:
    while (left_s := deadline_s - time.monotonic()) > 0 and len(found) < MAX_FOUND:
        ready, _, _ = select.select(socks, [], [], left_s)
        for sock in ready:
            with contextlib.suppress(OSError):
                data, (host, _) = sock.recvfrom(65_536)
                answer = understood(data, host, number)
                if answer is not None:
                    found.setdefault(host, answer)


def understood(data: bytes, host: str, number: str) -> Answer | None:
    """The answer in a datagram from this host to the question of this number; None if it is none."""
    try:
        document = soap.read(data)
    except soap.NotXml:
        return None
    match = soap.first(document, "ProbeMatch")
    if match is None or soap.text_of(document, "Header", "RelatesTo") != number:
        return None
    port, path = 80, DEVICE_PATH
    for address in _words(match, "XAddrs"):
        with contextlib.suppress(ValueError):
            parts = urlsplit(address)
            if (parts.scheme, parts.hostname) == ("http", host):
                port = parts.port or 80
                path = parts.path if _PATH.fullmatch(parts.path) else DEVICE_PATH
                break
    scopes = [unquote(word, errors="replace") for word in _words(match, "Scopes")]
    words = [
        scope.removeprefix(prefix)
        for prefix in (_NAME, _HARDWARE)
        for scope in scopes
        if scope.startswith(prefix)
    ]
    return Answer(host, port, path, printable(" ".join(dict.fromkeys(words)))[:80])


def _words(match: soap.Element, name: str) -> list[str]:
    found = soap.first(match, name)
    return (found.text or "").split()[:50] if found is not None else []
