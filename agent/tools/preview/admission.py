"""Who is let in: by a token, by the name that he calls this machine, and as long as there is room."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import secrets
import socket
import threading
from collections import Counter
from urllib.parse import urlsplit

TOKEN_BYTES = 15
"""120 bits, 24 letters and digits."""
LOCALHOST = "localhost"
"""A browser asks no server of names for it (RFC 6761, 6.3)."""
CONNECTIONS, FROM_ONE = 32, 12
"""A browser holds six at most."""


def new_token() -> str:
    """Letters and digits that can be typed on a telephone: no capitals, no 0, 1, 8 and 9."""
    return base64.b32encode(secrets.token_bytes(TOKEN_BYTES)).decode().lower()


def is_loopback(address: str) -> bool:
    """Whether nobody off this machine reaches it. Raises ValueError: it is no address."""
    return ipaddress.ip_address(address).is_loopback


def is_ours(host: str | None, names: frozenset[str] | None) -> bool:
    """Whether a Host header names an address, or this machine by a name of its own; with or without a port.

    `names` of None: only what can lead nowhere but to the machine itself. Who answers for a bare name or for
    one in `.local` on this network is anybody's guess.
    """
    try:
        name = urlsplit(f"//{host or ''}").hostname or ""
    except ValueError:
        return False
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(name)
        return names is not None or address.is_loopback
    return name in (names if names is not None else {LOCALHOST})


def same(given: str, right: str) -> bool:
    """In a time that does not depend on where they differ."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), right.encode())


def own_names() -> frozenset[str]:
    """What this machine is called, by itself and by mDNS."""
    name = socket.gethostname().lower()
    return frozenset({LOCALHOST, name, f"{name.split('.')[0]}.local"})


class Doors:
    """Counts who is inside."""

    def __init__(self, most: int = CONNECTIONS, from_one: int = FROM_ONE) -> None:
        self._most, self._from_one = most, from_one
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()

    def enter(self, address: str) -> bool:
        """Whether there is room for one more of this address."""
        with self._lock:
            free = self._inside.total() < self._most and self._inside[address] < self._from_one
            self._inside[address] += free
            return free

    def leave(self, address: str) -> None:
        """One of this address has gone."""
        with self._lock:
            self._inside[address] -= 1
            self._inside += Counter()  # takes out those of whom nobody is left
