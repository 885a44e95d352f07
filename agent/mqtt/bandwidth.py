"""How many bytes may be on the way to the broker at one time, so that an alert never queues behind much.

What was handed to the connection has an order that nobody can change any more, so a queue must not form there.
The link tells how fast it is: each Puback gives a sample of the rate at which bytes were acknowledged since its
message was sent. On a link that is slow to answer no more is under way than it carries in TARGET_S; on a quick
one the bound grows by what is acknowledged, as in TCP's slow start, and soon bounds nothing.

Source of the rate sample: Cardwell et al., "BBR: Congestion-Based Congestion Control", ACM Queue 14(5), 2016.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

TARGET_S: Final = 2.0
"""Of the link's time may be under way beyond its delay: so long an alert waits, and for a picture's rest."""
QUICK_S: Final = 1.0
"""An answer within this time beyond the link's delay shows that no queue has formed: more may go."""
FIRST_BYTES: Final = 8 * 1024
"""Before the link has shown how fast it is: two seconds of 32 kbit/s."""
LEAST_BYTES: Final = 4 * 1024
MOST_BYTES: Final = 32 << 20
OVERHEAD_BYTES: Final = 300
"""Topic, properties and headers beside a body."""
SHARE: Final = 4
"""A picture goes only while less than this part of what may be under way is: it is the largest there is."""


@dataclass(slots=True)
class SendWindow:
    """Of one connection."""

    bound_bytes: float = FIRST_BYTES
    """So many may be under way."""
    _unacked_bytes: int = 0
    _answered_bytes: int = 0
    """Bytes that were answered on this connection."""
    _delay_s: float = math.inf
    """The quickest answer."""
    _sent: dict[int, tuple[int, float, int]] = field(default_factory=dict)
    """Packet -> its bytes, when it went, and what had landed then."""

    @property
    def room_bytes(self) -> float:
        """May still be sent; a last message may be larger than that."""
        return self.bound_bytes - self._unacked_bytes

    @property
    def calm(self) -> bool:
        """So little is under way that a picture may join it."""
        return self._unacked_bytes * SHARE < self.bound_bytes

    def sent(self, mid: int, body_bytes: int, now_s: float) -> None:
        """A message went, as the packet with this id."""
        whole = body_bytes + OVERHEAD_BYTES
        self._unacked_bytes += whole
        self._sent[mid] = (whole, now_s, self._answered_bytes)

    def answered(self, mid: int, now_s: float) -> None:
        """The broker has answered a packet; one that is not known changes nothing."""
        if mid not in self._sent:
            return
        whole, sent_s, mark = self._sent.pop(mid)
        took_s = now_s - sent_s
        self._unacked_bytes -= whole
        self._answered_bytes += whole
        self._delay_s = min(self._delay_s, took_s)
        grown = self.bound_bytes + whole
        if took_s - self._delay_s > QUICK_S:
            rate = (self._answered_bytes - mark) / took_s
            grown = min(grown, max(LEAST_BYTES, rate * (TARGET_S + self._delay_s)))
        self.bound_bytes = min(MOST_BYTES, grown)
