"""When somebody must wait after wrong passwords. Pure but for what it remembers in memory.

Who knows a login must not get in by trying, and must not keep an officer out by trying wrongly. So wrong
passwords are counted in four places, and each locks only what it counts:

1. A browser in which this account was logged in within the last ninety days shows it by a cookie of its own,
   and has a count of its own, in the database. Nobody else can lock it, and none of the other three touches
   it: the desk at which an officer works is never closed by what somebody does elsewhere.
2. Any other browser counts with its address, for each login: after FREE wrong ones in a row a minute, then
   twice as long for each further one, at most a quarter of an hour. So one address tries some hundred a day.
3. Over all addresses, an account counts in the database: after FREE_OF_ACCOUNT in a row it is locked in the
   same steps for browsers that it was never in. NIST asks for at most a hundred in a row.
4. An address has so many wrong ones for all logins together, given back slowly. It closes that address only,
   and not for browsers of 1: a station behind one address is not closed by one of its desks.

A login that nobody has is counted like any other: who asks does not learn that nobody has it. What is in
memory (2, 4, and 3 for such logins) is forgotten when the console starts anew, which no visitor can bring
about; it has room for so many, and the oldest go.

Source: OWASP, "Slow Down Online Guessing Attacks with Device Cookies"; NIST SP 800-63B, section 5.2.2.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeVar

FREE: Final = 5
FREE_OF_ACCOUNT: Final = 50
FIRST_MS: Final = 60_000
LONGEST_MS: Final = 900_000
ADDRESS_TRIES: Final = 30
ADDRESS_TRY_EVERY_MS: Final = 6_000
ROOM: Final = 4_096
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Tally:
    """Wrong passwords in a row at one place."""

    failed: int = 0
    locked_until_ms: int | None = None

    def locked(self, now_ms: int) -> int | None:
        """Until when somebody must wait; None: nobody must."""
        until_ms = self.locked_until_ms
        return until_ms if until_ms is not None and until_ms > now_ms else None

    @property
    def left(self) -> int:
        """So many more wrong ones at most, then somebody must wait; at least 1."""
        return max(1, FREE - self.failed)

    def after_wrong(self, now_ms: int, free: int = FREE) -> Tally:
        """With one more of them; `free` of them cost nothing, the last of these begins the first lock."""
        failed = self.failed + 1
        if failed < free:
            return Tally(failed, self.locked_until_ms)
        lasts_ms = min(LONGEST_MS, FIRST_MS << min(failed - free, 10))
        return Tally(failed, now_ms + lasts_ms)


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the 64 bits that one house has."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"


class Strangers:
    """What is remembered of browsers that no account was logged in with; for many threads."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._pairs: OrderedDict[tuple[str, str], Tally] = OrderedDict()
        self._nobody: OrderedDict[str, Tally] = OrderedDict()
        """Logins that nobody has."""
        self._full_again_ms: OrderedDict[str, int] = OrderedDict()
        """Address -> when all its tries will be given back."""

    def locked(self, login: str, address: str, now_ms: int) -> int | None:
        """Until when nobody there may try this login (2 and 4, and 3 where nobody has it)."""
        network = network_of(address)
        with self._lock:
            ends = (
                self._pairs.get((login, network), Tally()).locked(now_ms),
                self._nobody.get(login, Tally()).locked(now_ms),
                self._address_ms(network, now_ms),
            )
        return max((each for each in ends if each is not None), default=None)

    def wrong(self, login: str, address: str, now_ms: int, *, exists: bool) -> bool:
        """Count a wrong password; whether with it a lock began."""
        network = network_of(address)
        with self._lock:
            pair = self._pairs.get((login, network), Tally()).after_wrong(now_ms)
            self._put(self._pairs, (login, network), pair)
            if not exists:
                nobody = self._nobody.get(login, Tally()).after_wrong(now_ms, FREE_OF_ACCOUNT)
                self._put(self._nobody, login, nobody)
            full_ms = max(self._full_again_ms.get(network, 0), now_ms) + ADDRESS_TRY_EVERY_MS
            self._put(self._full_again_ms, network, full_ms)
            return pair.locked(now_ms) is not None or self._address_ms(network, now_ms) is not None

    def left(self, login: str, address: str) -> int:
        """After so many more wrong ones at most somebody there must wait, whether or not the login exists."""
        with self._lock:
            return self._pairs.get((login, network_of(address)), Tally()).left

    def right(self, login: str, address: str) -> None:
        """Forget what was wrong before; what the address did with other logins stays."""
        with self._lock:
            self._pairs.pop((login, network_of(address)), None)

    def _address_ms(self, network: str, now_ms: int) -> int | None:
        free_ms = self._full_again_ms.get(network, 0) - (ADDRESS_TRIES - 1) * ADDRESS_TRY_EVERY_MS
        return free_ms if free_ms > now_ms else None

    def _put(self, kept: OrderedDict[K, V], key: K, value: V) -> None:
        kept[key] = value
        kept.move_to_end(key)
        if len(kept) > self._room:
            kept.popitem(last=False)
