"""What may be answered: each takes a word and gives it back as it is kept, or says what is wrong with it."""

from __future__ import annotations

import re
import socket
import unicodedata
from ipaddress import ip_address
from urllib.parse import urlsplit

from agent.errors import NgatuError
from agent.settings.base import NAME_IN_WORDS, NAME_PATTERN
from fleet.address import require_address, require_network
from fleet.ca.request import fitting


def identifier(word: str) -> str:
    """A box's, a commune's or a host's: what may stand in a topic."""
    if re.fullmatch(NAME_PATTERN, word) and word != "station":
        return word
    hint = f"such as {as_identifier(word)}" if as_identifier(word) else "such as hai-ninh"
    raise NgatuError(f"{word!r} is not {NAME_IN_WORDS}", hint)


def as_identifier(word: str) -> str:
    """The nearest identifier to a name in Vietnamese or English; empty: there is none."""
    plain = unicodedata.normalize("NFD", word.replace("đ", "d").replace("Đ", "D"))
    near = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[\u0300-\u036f]", "", plain).lower()).strip("-")[:32]
    return near if re.fullmatch(NAME_PATTERN, near) and near != "station" else ""


def line(word: str) -> str:
    """Words on one line; Ansible would read braces as its own."""
    if not word or len(word) > 200 or not word.isprintable() or re.search(r"[{}]", word):
        raise NgatuError(f"{word[:40]!r}: 1 to 200 letters on one line, without braces", "such as Quảng Trị")
    return word


def certificate_name(word: str) -> str:
    """Of an authority: X.509 allows 64 characters."""
    if len(line(word)) > 64:
        raise NgatuError(f"{word[:40]!r}…: at most 64 letters", "such as Province of Quang Tri")
    return word


def address(word: str) -> str:
    """Of a host."""
    require_address(word)
    return word


def broker_name(word: str) -> str:
    """It stands in the broker's certificate, too."""
    require_address(word)
    fitting("broker", word)
    return word


def user(word: str) -> str:
    """A login on a Linux host."""
    if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", word):
        raise NgatuError(f"{word!r} is no name of a Linux user", "such as admin")
    return word


def addresses(word: str) -> str:
    """Several addresses with commas between; none is an answer too."""
    for each in split(word):
        require_address(each)
    return ", ".join(split(word))


def networks(word: str) -> str:
    """Several networks with commas between, at least one."""
    if not split(word):
        raise NgatuError("no network is named", "such as 10.20.1.0/24")
    return ", ".join(str(require_network(each)) for each in split(word))


def networks_with(word: str, own: str | None) -> str:
    """The same; this computer must be in one of them, or it locks itself out of every host."""
    written = networks(word)
    if own is not None and not any(ip_address(own) in require_network(each) for each in split(written)):
        raise NgatuError(
            f"{written}: this computer comes from {own}, and would be locked out of every host",
            f"add it: {written}, {own}",
        )
    return written


def rtsp_url(word: str) -> str:
    """A camera's stream; its login goes elsewhere, for a URL is written into logs."""
    try:
        parts = urlsplit(word)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("rtsp", "rtsps") or not parts.hostname or re.search(r"[{}\s]", word):
        raise NgatuError(f"{word!r} is no RTSP address", "such as rtsp://192.168.30.21:554/stream2")
    if parts.username is not None:
        raise NgatuError("the login must not stand in the address", "leave it out, it is asked for next")
    require_address(parts.hostname)
    return word


def one_of(word: str, words: tuple[str, ...]) -> str:
    """A choice."""
    if word not in words:
        raise NgatuError(f"{word!r} is none of the choices", f"one of {', '.join(words)}")
    return word


def split(word: str) -> list[str]:
    """What stands between commas."""
    return [each.strip() for each in word.split(",") if each.strip()]


def own_address(toward: str) -> str | None:
    """From which address this computer would speak to a host; None: there is no way, or it is a name.

    Nothing is sent: a datagram socket that is connected has only chosen its way.
    """
    try:
        kind = socket.AF_INET6 if ip_address(toward).version == 6 else socket.AF_INET
        with socket.socket(kind, socket.SOCK_DGRAM) as chosen:
            chosen.connect((toward, 22))
            return str(chosen.getsockname()[0])
    except (ValueError, OSError):
        return None


def around(address: str | None) -> str:
    """The network in which an address lies, as a guess; empty: nobody can tell."""
    try:
        number = ip_address(address or "")
    except ValueError:
        return ""
    return str(require_network(f"{number}/{24 if number.version == 4 else 64}", exact=False))
