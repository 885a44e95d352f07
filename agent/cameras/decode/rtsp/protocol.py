"""RTSP as it goes over a connection (RFC 2326): units taken apart, heads read and written, logins proved. Pure.

A unit is a message, or an interleaved packet of pictures: `$`, a channel, two bytes of length, that many bytes.
"""

from __future__ import annotations

import re
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import md5, sha256
from itertools import pairwise
from urllib.parse import urlsplit

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 256 * 1024
DEFAULT_PORT = 554
_END = re.compile(rb"\r?\n\r?\n")
_START = re.compile(rb"\$|RTSP/1\.|[A-Z_]{3,20} \S+ RTSP/1\.")
_LINE = re.compile(r"(\S+)[ \t]+(\S+)[ \t]*(.*)")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_QUOTED = re.compile(r'"[^"]*"')
_SCHEME = re.compile(r"(?:^|,)\s*(?=[A-Za-z-]{1,40}[ \t]+[A-Za-z-]{1,40}\s*=)")
_FIELD = re.compile(r'(?<![A-Za-z-])([A-Za-z-]{1,40})\s*=\s*(?:"([^"]*)"|([^\s,"]+))')
_HASHES = {"MD5": md5, "MD5-SESS": md5, "SHA-256": sha256, "SHA-256-SESS": sha256}


class NotRtsp(Exception):
    """What came over the connection cannot be RTSP."""


class Units:
    """Takes what arrives and gives whole units; what belongs to none is dropped, as some cameras pad."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Every unit that is whole by now.

        Raises:
            NotRtsp: a head or a body is longer than any camera's.
        """
        self._waiting += data
        units = []
        while (size := self._size()) is not None:
            units.append(bytes(self._waiting[:size]))
            del self._waiting[:size]
        return units

    def _size(self) -> int | None:
        waiting = self._waiting
        if not waiting.startswith(b"$"):
            start = _START.search(waiting)
            del waiting[: start.start() if start else max(0, len(waiting) - MAX_HEAD_BYTES)]
            if start is None:
                return None
        if waiting.startswith(b"$"):
            size = 4 + int.from_bytes(waiting[2:4], "big")
            return size if len(waiting) >= max(size, 4) else None
        end = _END.search(waiting, 0, MAX_HEAD_BYTES)
        if end is None:
            if len(waiting) >= MAX_HEAD_BYTES:
                raise NotRtsp("a head without end")
            return None
        size = end.end() + RtspMessage.read(bytes(waiting[: end.end()])).body_bytes
        return size if len(waiting) >= size else None


@dataclass(slots=True)
class RtspMessage:
    """A request or a response: the first line in three words, its fields in order, its body."""

    first: tuple[str, str, str]
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def read(cls, unit: bytes) -> RtspMessage:
        """The message in a unit, without what another reader might take otherwise: that is not passed on.

        Raises:
            NotRtsp: it is none.
        """
        end = _END.search(unit)
        if end is None:
            raise NotRtsp("a head without end")
        lines = [
            re.sub(r"[^\t\x20-\x7e\xa0-\xff]", "", line)
            for line in unit[: end.start()].decode("latin-1").split("\n")
        ]
        first = _LINE.fullmatch(lines[0])
        if first is None:
            raise NotRtsp("a first line that is none")
        pairs = [
            (name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])
        ]
        fields = [(name, value) for name, value in pairs if _NAME.fullmatch(name)]
        return cls((first[1], first[2], first[3]), fields, unit[end.end() :])

    def written(self) -> bytes:
        """The unit of this message."""
        self.put("Content-Length", str(len(self.body)) if self.body else None)
        lines = [" ".join(self.first), *(f"{name}: {value}" for name, value in self.fields)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body

    def get(self, name: str) -> str:
        """The first field of this name; empty if there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Every field of this name."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def put(self, name: str, value: str | None) -> None:
        """Set a field where the first of this name stands, or at the end; None takes all of them out."""
        names = [each.lower() for each, _ in self.fields]
        at = names.index(name.lower()) if name.lower() in names else len(names)
        self.fields = [pair for pair in self.fields if pair[0].lower() != name.lower()]
        if value is not None:
            self.fields.insert(at, (name, value))

    @property
    def status(self) -> int:
        """Of a response; 0 for a request.

        Raises:
            NotRtsp: a response without one.
        """
        protocol, code, _ = self.first
        if not protocol.startswith("RTSP/"):
            return 0
        if not re.fullmatch("[1-9][0-9]{2}", code):
            raise NotRtsp("a response without a status")
        return int(code)

    @property
    def body_bytes(self) -> int:
        """As it says.

        Raises:
            NotRtsp: more than a camera has to say, or no number.
        """
        length = self.get("Content-Length") or "0"
        if not re.fullmatch("[0-9]{1,7}", length) or int(length) > MAX_BODY_BYTES:
            raise NotRtsp("a body without end")
        return int(length)


def place(url: str) -> tuple[str, int] | None:
    """Host and port of an rtsp address, in lower case; None if it is no such address."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() != "rtsp" or not parts.hostname:
        return None
    return parts.hostname.lower(), DEFAULT_PORT if port is None else port


class Login:
    """Proves a user name and a password to one server: Digest where it is offered, else Basic."""

    def __init__(self, username: str, password: str) -> None:
        # A head is read as Latin-1, which changes no byte; so the login's bytes are kept in the same way.
        self._username, self._password = (each.encode().decode("latin-1") for each in (username, password))
        self._basic = False
        self._digest: dict[str, str] = {}
        self._count = 0

    def challenge(self, offers: list[str]) -> bool:
        """Take the server's WWW-Authenticate fields; False if there is no way to prove the login by them."""
        self._basic, self._digest, self._count = False, {}, 0
        for offer in (each for line in offers for each in _challenges(line)):
            scheme, _, rest = offer.partition(" ")
            pairs = {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(rest)}
            known = pairs.get("algorithm", "MD5").upper() in _HASHES and "nonce" in pairs
            if scheme.lower() == "digest" and known and not self._digest:
                self._digest = pairs
            self._basic |= scheme.lower() == "basic"
        return bool(self._basic or self._digest)

    def proof(self, method: str, uri: str) -> str | None:
        """The Authorization field of a request; None as long as nobody has asked for it."""
        if self._digest:
            return self._digested(method, uri)
        if self._basic:
            return "Basic " + b64encode(f"{self._username}:{self._password}".encode("latin-1")).decode()
        return None

    def _digested(self, method: str, uri: str) -> str:
        """RFC 7616, and RFC 2069 where the server offers no quality of protection."""
        said = self._digest
        algorithm = said.get("algorithm", "MD5").upper()
        cnonce, self._count = secrets.token_hex(8), self._count + 1

        def hashed(*parts: str) -> str:
            return _HASHES[algorithm](":".join(parts).encode("latin-1"), usedforsecurity=False).hexdigest()

        who = hashed(self._username, said.get("realm", ""), self._password)
        if algorithm.endswith("-SESS"):
            who = hashed(who, said["nonce"], cnonce)
        what = hashed(method, uri)
        fields = {
            "username": self._username,
            "realm": said.get("realm", ""),
            "nonce": said["nonce"],
            "uri": uri,
        }
        bare = ""
        if "auth" in re.split(r"[\s,]+", said.get("qop", "")):
            count = f"{self._count:08x}"
            fields |= {"cnonce": cnonce, "response": hashed(who, said["nonce"], count, cnonce, "auth", what)}
            bare = f", qop=auth, nc={count}"
        else:
            fields["response"] = hashed(who, said["nonce"], what)
        fields |= {"opaque": said["opaque"]} if "opaque" in said else {}
        bare += f", algorithm={said['algorithm']}" if "algorithm" in said else ""
        return "Digest " + ", ".join(f'{name}="{_safe(value)}"' for name, value in fields.items()) + bare


def _challenges(line: str) -> list[str]:
    """Each challenge of a WWW-Authenticate field, which may hold several: Digest must be found behind Basic."""
    bare = _QUOTED.sub(lambda quoted: "_" * len(quoted[0]), line)
    starts = [0, *(found.end() for found in _SCHEME.finditer(bare)), len(line)]
    return [line[a:b].strip(" \t,") for a, b in pairwise(starts)]


def _safe(value: str) -> str:
    return re.sub(r'[\r\n"\\]', "", value)
