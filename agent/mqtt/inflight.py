"""What is on its way to the station: pure bookkeeping of one connection, in memory only.

A message is in the air until the broker's Puback, then awaited until the station's receipt. Both end sooner
or later in one of two ways: it is settled, or it falls due and is given to the outbox's order again.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from agent.core.types import Instant
from agent.mqtt.bandwidth import QUICK_S, SendWindow
from agent.wire.message import Priority, Stored

PLAIN: Final = (Priority.EVENT, Priority.COUNT, Priority.UPDATE)
BULK: Final = (Priority.ALERT_IMAGE, Priority.IMAGE, Priority.EVIDENCE)
"""Held back while the station is away, and few at a time: alerts overtake pictures."""
AWAITED_PLAIN: Final = 400
AWAITED_BULK: Final = 100
"""How many may be without a receipt; mosquitto drops silently beyond 1000 that a subscriber has not taken."""
PATIENT: Final = 3
AWAITED_STUBBORN: Final = 5000
"""What was sent more often than PATIENT without a receipt counts against this bound only."""
LONGEST_S: Final = 300.0
REFUSED_S: Final = 5.0
"""First wait after a refusal; doubles up to LONGEST_S."""
LARGE_BYTES: Final = 16 * 1024
STRIKES_LARGE: Final = 3
STRIKES_SMALL: Final = 10


@dataclass(slots=True)
class InFlight:
    """One message on its way."""

    seq: int
    bulk: bool
    size_bytes: int
    sha256: str
    sent_s: float
    tries: int
    mid: int | None
    """None: the broker has given its word."""
    unheard: bool = False
    """The broker had nobody to give it to."""
    due_s: float = math.inf
    """When it is to be sent again."""


@dataclass(slots=True)
class InFlightWindow:
    """Everything by monotonic time. Nothing in it must survive: the outbox has it all."""

    receipt_timeout_s: float
    image_window: int
    flights: dict[int, InFlight] = field(default_factory=dict)
    tries: dict[int, int] = field(default_factory=dict)
    """Of messages that fell due and wait in the outbox again; kept over connections."""
    rtt_s: float = 0.0
    """From sending to receipt, smoothed as in RFC 6298; 0: not known."""
    pipe: SendWindow = field(default_factory=SendWindow)
    _by_mid: dict[int, int] = field(default_factory=dict)
    _quick: bool = False
    """The last picture was acknowledged so soon that the link bears a second one beside it."""

    # ---------------------------------------------------------------------------------------------- questions

    @property
    def in_air(self) -> int:
        """Without the broker's word."""
        return len(self._by_mid)

    def room(self, free: int) -> tuple[int, int]:
        """How many plain and how many bulky messages may be sent now, if the connection takes `free`."""
        awaited_bulk = sum(flight.bulk for flight in self.flights.values())
        bulk_in_air = sum(self.flights[seq].bulk for seq in self._by_mid.values() if seq in self.flights)
        most = self.image_window if self._quick else 1
        if len(self.flights) < AWAITED_STUBBORN:  # what never gets a receipt must not hold up the rest
            awaited_plain = sum(not flight.bulk and flight.tries <= PATIENT for flight in self.flights.values())
        else:
            awaited_plain = AWAITED_PLAIN
        plain = min(free, AWAITED_PLAIN - awaited_plain)
        bulk = min(free, AWAITED_BULK - awaited_bulk, most - bulk_in_air) if self.pipe.calm else 0
        return max(0, plain), max(0, bulk)

    def next_due_s(self, now: Instant) -> float:
        """Seconds until the next message falls due; infinite if none does."""
        return max(0.0, min((flight.due_s for flight in self.flights.values()), default=math.inf) - now.mono_s)

    # ------------------------------------------------------------------------------------------------- events

    def sent(self, stored: Stored, mid: int, now: Instant) -> None:
        """A message was handed to the connection."""
        tries = self.tries.pop(stored.seq, 0) + 1
        bulk, size_bytes = stored.message.priority in BULK, len(stored.message.body)
        flight = InFlight(stored.seq, bulk, size_bytes, stored.sha256, now.mono_s, tries, mid)
        self.pipe.sent(mid, size_bytes, now.mono_s)
        self.flights[stored.seq] = flight
        self._by_mid[mid] = stored.seq

    def acknowledged(self, mid: int, now: Instant) -> InFlight | None:
        """The broker has taken it: the receipt's time begins to run. None: it was not one of ours."""
        flight = self._land(mid, now)
        if flight is not None:
            flight.due_s = now.mono_s + self._patience_s(flight.tries)
            if flight.bulk:
                self._quick = now.mono_s - flight.sent_s <= QUICK_S
        return flight

    def refused(self, mid: int, now: Instant, unheard: bool = False) -> InFlight | None:
        """The broker has not taken it, or had nobody for it: again, ever more slowly."""
        flight = self._land(mid, now)
        if flight is not None:
            flight.unheard = unheard
            flight.due_s = now.mono_s + min(LONGEST_S, REFUSED_S * 2 ** min(flight.tries - 1, 10))
        return flight

    def receipted(self, ranges: Sequence[tuple[int, int]], images: Iterable[str], now: Instant) -> list[int]:
        """The station has these. Gives the seqs of the pictures that it named by hash."""
        named, covered = set(images), _coverage(ranges)
        by_hash = [f.seq for f in self.flights.values() if f.bulk and f.sha256 in named] if named else []
        for seq in [*(seq for seq in self.flights if covered(seq)), *by_hash]:
            flight = self.settle(seq)
            if flight is not None and flight.tries == 1:
                took_s = now.mono_s - flight.sent_s
                self.rtt_s = took_s if self.rtt_s == 0 else self.rtt_s + (took_s - self.rtt_s) / 8
        for seq in [seq for seq in self.tries if covered(seq)]:
            del self.tries[seq]
        return by_hash

    def settle(self, seq: int) -> InFlight | None:
        """Nothing more is expected of it."""
        self.tries.pop(seq, None)
        return self.flights.pop(seq, None)

    def fall_due(self, now: Instant) -> int:
        """Messages whose time is up go back into the outbox's order; how many."""
        if len(self.tries) > AWAITED_STUBBORN:
            self.tries.clear()  # most of these were evicted; the others begin again at the shortest wait
        late = [flight for flight in self.flights.values() if flight.due_s <= now.mono_s]
        for flight in late:
            del self.flights[flight.seq]
            self.tries[flight.seq] = flight.tries
        return len(late)

    def station_came(self, now: Instant) -> None:
        """What nobody got goes now; what the broker kept for the station gets the time of one receipt first."""
        for flight in self.flights.values():
            if flight.unheard:
                flight.due_s = now.mono_s
            elif flight.mid is None:
                flight.due_s = min(flight.due_s, now.mono_s + self._patience_s(1))

    def broke(self) -> list[InFlight]:
        """The connection is gone, and with it all that was on its way; what was in the air."""
        in_air = [self.flights[seq] for seq in self._by_mid.values() if seq in self.flights]
        for flight in self.flights.values():
            if flight.mid is None and flight.due_s < math.inf:
                self.tries[flight.seq] = flight.tries
        self.flights.clear()
        self._by_mid.clear()
        self._quick = False
        self.pipe = SendWindow()
        return in_air

    # --------------------------------------------------------------------------------------------- the inside

    def _land(self, mid: int, now: Instant) -> InFlight | None:
        self.pipe.landed(mid, now.mono_s)
        seq = self._by_mid.pop(mid, None)
        flight = self.flights.get(seq) if seq is not None else None
        if flight is not None:
            flight.mid = None
        return flight

    def _patience_s(self, tries: int) -> float:
        base = max(self.receipt_timeout_s, 3 * self.rtt_s)
        doubled: float = base * 2 ** min(tries - 1, 10)
        return min(max(base, LONGEST_S), doubled)


def _coverage(ranges: Sequence[tuple[int, int]]) -> Callable[[int], bool]:
    """Whether a seq lies in one of the ranges, which may be many, long, unsorted and overlapping."""
    firsts: list[int] = []
    lasts: list[int] = []
    for first, last in sorted(ranges):
        if lasts and first <= lasts[-1] + 1:
            lasts[-1] = max(lasts[-1], last)
        else:
            firsts.append(first)
            lasts.append(last)

    def covered(seq: int) -> bool:
        place = bisect_right(firsts, seq) - 1
        return place >= 0 and seq <= lasts[place]

    return covered


@dataclass(slots=True)
class Suspect:
    """One that was in the air when the other side hung up."""

    strikes: int = 0
    """Times it was alone then."""
    not_before_s: float = 0.0


@dataclass(slots=True)
class Suspects:
    """Who may be why the other side hangs up (paho issue 760: one oversize packet silenced a box for good).

    Each is sent alone, so that a hang-up tells. Who has a strike waits behind all others, ever longer, and is
    the culprit in the end: soon if it is large, for that is what brokers hang up on, and late if it is small,
    for then a bad line is the likelier cause.
    """

    listed: dict[int, Suspect] = field(default_factory=dict)
    alone: int | None = None
    """Sent alone now."""

    def hung_up(self, in_air: Sequence[InFlight], now: Instant) -> int | None:
        """Remember who was in the air; the seq of a culprit."""
        self.alone = None
        for flight in in_air:
            self.listed.setdefault(flight.seq, Suspect())
        if len(in_air) != 1:
            return None
        flight = in_air[0]
        suspect = self.listed[flight.seq]
        suspect.strikes += 1
        suspect.not_before_s = now.mono_s + min(LONGEST_S, REFUSED_S * 2 ** (suspect.strikes - 1))
        if suspect.strikes < (STRIKES_LARGE if flight.size_bytes >= LARGE_BYTES else STRIKES_SMALL):
            return None
        del self.listed[flight.seq]
        return flight.seq

    def cleared(self, seq: int) -> None:
        """The broker has given its word on it, or it is gone."""
        self.listed.pop(seq, None)
        if self.alone == seq:
            self.alone = None

    def next(self, idle: bool, now: Instant) -> int | None:
        """Whom to try alone now: at once who has no strike; the others when there is nothing else to do."""
        innocent = [seq for seq, suspect in self.listed.items() if suspect.strikes == 0]
        if innocent:
            return min(innocent)
        ripe = [seq for seq, suspect in self.listed.items() if suspect.not_before_s <= now.mono_s]
        return min(ripe, default=None) if idle else None
