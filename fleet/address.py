"""What may stand as the address of a host, and as a network: told at once, not by SSH after twenty seconds."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from agent.errors import NgatuError

_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE
)
_SUCH_AS = "such as 10.20.1.13, fd00::13 or hai-ninh-03.example"


def require_address(word: str) -> None:
    """NgatuError unless a host can have this address, IPv4 or IPv6, or this name.

    A name whose last part is a number is none (RFC 1123, 2.1): 10.20.1 is an address with a part missing, which
    a resolver would take for 10.20.0.1.
    """
    try:
        address = ip_address(word)
    except ValueError:
        _require_name(word)
        return
    if address.is_unspecified or address.is_multicast:
        raise NgatuError(f"{word} is the address of no single host", _SUCH_AS)
    if "%" in word:
        raise NgatuError(f"{word}: an address with an interface holds on one computer only", _SUCH_AS)


def require_network(word: str, *, exact: bool = True) -> IPv4Network | IPv6Network:
    """The network that is written so; a single address is a network of one.

    With `exact` off, an address with a length is the network in which it lies.

    Raises:
        NgatuError: it is none.
    """
    try:
        meant = ip_network(word, strict=False)
    except ValueError:
        raise NgatuError(f"{word!r} is no network", "such as 10.20.1.0/24 or fd00:1::/64") from None
    if exact and str(meant.network_address) != str(ip_address(word.partition("/")[0])):
        raise NgatuError(f"{word} is an address within a network", f"the network is written {meant}")
    return meant


def _require_name(word: str) -> None:
    last = word.rpartition(".")[2]
    if re.fullmatch(r"[0-9.]+", word):
        raise NgatuError(
            f"{word!r} is no address: an IPv4 address is four numbers from 0 to 255 with dots between", _SUCH_AS
        )
    if not _NAME.fullmatch(word):
        raise NgatuError(
            f"{word!r} is neither an address nor a host name",
            f"no port, user or network with it, and no signs but letters, digits, '-' and '.'; {_SUCH_AS}",
        )
    if last.isdigit():
        raise NgatuError(f"{word!r} is no host name: its last part is a number", _SUCH_AS)
