"""What is on its way to the station: pure bookkeeping of one connection, in memory only.

A message is in the air until the broker's Puback, then awaited until the station's receipt. Both end sooner
or later in one of two ways: it is settled, or it falls due and is given to the outbox's order again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
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
    no_subscribers: bool = False
    """The broker had nobody to give it to."""
    due_s: float = math.inf
    """When it is to be sent again."""


@dataclass(slots=True)
class InFlightWindow:
    """Everything by monotonic time. Nothing in it must survive: the outbox has it all."""

    receipt_timeout_s: float
    image_window: int
    messages: dict[int, InFlight] = field(default_factory=dict)
    tries: dict[int, int] = field(default_factory=dict)
    """Of messages that fell due and wait in the outbox again; kept over connections."""
    rtt_s: float = 0.0
    """From sending to receipt, smoothed as in RFC 6298; 0: not known."""
    send_window: SendWindow = field(default_factory=SendWindow)
    _by_mid: dict[int, int] = field(default_factory=dict)
    _quick: bool = False
    """The last picture was acknowledged so soon that the link bears a second one beside it."""

    # ---------------------------------------------------------------------------------------------- questions

    @property
    def unacked(self) -> int:
        """Without the broker's word."""
        return len(self._by_mid)

    def room(self, free: int) -> tuple[int, int]:
        """How many plain and how many bulky messages may be sent now, if the connection takes `free`."""
        awaited_bulk = sum(entry.bulk for entry in self.messages.values())
        bulk_in_air = sum(self.messages[seq].bulk for seq in self._by_mid.values() if seq in self.messages)
        most = self.image_window if self._quick else 1
        if len(self.messages) < AWAITED_STUBBORN:  # what never gets a receipt must not hold up the rest
            awaited_plain = sum(not entry.bulk and entry.tries <= PATIENT for entry in self.messages.values())
        else:
            awaited_plain = AWAITED_PLAIN
        plain = min(free, AWAITED_PLAIN - awaited_plain)
        bulk = min(free, AWAITED_BULK - awaited_bulk, most - bulk_in_air) if self.send_window.calm else 0
        return max(0, plain), max(0, bulk)

    def next_due_s(self, now: Instant) -> float:
        """Seconds until the next message falls due; infinite if none does."""
        return max(0.0, min((entry.due_s for entry in self.messages.values()), default=math.inf) - now.mono_s)

    # ------------------------------------------------------------------------------------------------- events

    def sent(self, stored: Stored, mid: int, now: Instant) -> None:
        """A message was handed to the connection."""
        tries = self.tries.pop(stored.seq, 0) + 1
        bulk, size_bytes = stored.message.priority in BULK, len(stored.message.body)
        entry = InFlight(stored.seq, bulk, size_bytes, stored.sha256, now.mono_s, tries, mid)
        self.send_window.sent(mid, size_bytes, now.mono_s)
        self.messages[stored.seq] = entry
        self._by_mid[mid] = stored.seq

    def acknowledged(self, mid: int, now: Instant) -> InFlight | None:
        """The broker has taken it: the receipt's time begins to run. None: it was not one of ours."""
        entry = self._answered(mid, now)
        if entry is not None:
            entry.due_s = now.mono_s + self._patience_s(entry.tries)
            if entry.bulk:
                self._quick = now.mono_s - entry.sent_s <= QUICK_S
        return entry

    def refused(self, mid: int, now: Instant, no_subscribers: bool = False) -> InFlight | None:
        """The broker has not taken it, or had nobody for it: again, ever more slowly."""
        entry = self._answered(mid, now)
        if entry is not None:
            entry.no_subscribers = no_subscribers
            entry.due_s = now.mono_s + min(LONGEST_S, REFUSED_S * 2 ** min(entry.tries - 1, 10))
        return entry

    def receipted(
        self, proofs: Iterable[tuple[int, str]], images: Iterable[str], now: Instant
    ) -> list[tuple[int, str]]:
        """The station answers for these. Gives seq and sha256 of the pictures that it named by hash.

        A proof of another message ends no wait.
        """
        named = set(images)
        by_hash = (
            [(f.seq, f.sha256) for f in self.messages.values() if f.bulk and f.sha256 in named] if named else []
        )
        for seq, proof in [*proofs, *by_hash]:
            waits = self.messages.get(seq)
            if waits is not None and not waits.sha256.startswith(proof):
                continue
            entry = self.settle(seq)
            if entry is not None and entry.tries == 1:
                took_s = now.mono_s - entry.sent_s
                self.rtt_s = took_s if self.rtt_s == 0 else self.rtt_s + (took_s - self.rtt_s) / 8
        return by_hash

    def settle(self, seq: int) -> InFlight | None:
        """Nothing more is expected of it."""
        self.tries.pop(seq, None)
        return self.messages.pop(seq, None)

    def fall_due(self, now: Instant) -> int:
        """Messages whose time is up go back into the outbox's order; how many."""
        if len(self.tries) > AWAITED_STUBBORN:
            self.tries.clear()  # most of these were evicted; the others begin again at the shortest wait
        late = [entry for entry in self.messages.values() if entry.due_s <= now.mono_s]
        for entry in late:
            del self.messages[entry.seq]
            self.tries[entry.seq] = entry.tries
        return len(late)

    def station_came(self, now: Instant) -> None:
        """What nobody got goes now; what the broker kept for the station gets the time of one receipt first."""
        for entry in self.messages.values():
            if entry.no_subscribers:
                entry.due_s = now.mono_s
            elif entry.mid is None:
                entry.due_s = min(entry.due_s, now.mono_s + self._patience_s(1))

    def disconnected(self) -> list[InFlight]:
        """The connection is gone, and with it all that was on its way; what was in the air."""
        unacked = [self.messages[seq] for seq in self._by_mid.values() if seq in self.messages]
        for entry in self.messages.values():
            if entry.mid is None and entry.due_s < math.inf:
                self.tries[entry.seq] = entry.tries
        self.messages.clear()
        self._by_mid.clear()
        self._quick = False
        self.send_window = SendWindow()
        return unacked

    # --------------------------------------------------------------------------------------------- the inside

    def _answered(self, mid: int, now: Instant) -> InFlight | None:
        self.send_window.answered(mid, now.mono_s)
        seq = self._by_mid.pop(mid, None)
        entry = self.messages.get(seq) if seq is not None else None
        if entry is not None:
            entry.mid = None
        return entry

    def _patience_s(self, tries: int) -> float:
        base = max(self.receipt_timeout_s, 3 * self.rtt_s)
        doubled: float = base * 2 ** min(tries - 1, 10)
        return min(max(base, LONGEST_S), doubled)


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

    def hung_up(self, unacked: Sequence[InFlight], now: Instant) -> int | None:
        """Remember who was in the air; the seq of a culprit."""
        self.alone = None
        for entry in unacked:
            self.listed.setdefault(entry.seq, Suspect())
        if len(unacked) != 1:
            return None
        entry = unacked[0]
        suspect = self.listed[entry.seq]
        suspect.strikes += 1
        suspect.not_before_s = now.mono_s + min(LONGEST_S, REFUSED_S * 2 ** (suspect.strikes - 1))
        if suspect.strikes < (STRIKES_LARGE if entry.size_bytes >= LARGE_BYTES else STRIKES_SMALL):
            return None
        del self.listed[entry.seq]
        return entry.seq

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
