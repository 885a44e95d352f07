"""Which packets of a stream are decoded while nothing happens: key pictures, until something begins; pure.

    awake ── the caller is content with key pictures, and sizes say something ──▶ asleep
      ▲                                                                            │
      ├── sizes (sizes.py), the caller's word on a key picture, or too much waits ─┘
      └── each time too much: rests, for a while every packet is decoded

What is left waits, from the last key picture on or from where decoding stopped, so that it can be decoded after
all. How much may wait is known beforehand: what this machine decodes in `UP_S`, `MOST_S` of stream and
`MOST_BYTES`. A camera whose key pictures are farther apart is never asleep.

It judges itself. What woke it and was nothing makes it slower to wake, what it slept through makes it quicker,
and where neither helps it rests.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

from agent.cameras.decode.wake.sizes import PacketSize, SizeJudge

UP_S: Final = 0.25
"""Decoding what waits takes so long at most: with reading and a look, a caller is up to date after 0.3 s."""
MOST_S: Final = 9.0
"""From picture to picture at most, also where key pictures are farther apart."""
MOST_BYTES: Final = 4 << 20
CALM_S: Final = 1.5
"""The caller must be content for so long before the first packet is left."""
DOUBT_S: Final = 1.0
"""After waking the caller looks for so long: ten looks, enough for motion to be told."""
ANSWER_S: Final = 1.5
"""What the caller finds so soon after sizes spoke, they have spoken of."""
LASTS_S: Final = 0.4
"""What the caller finds for less is a second look at a leaf, and nothing that sizes should have told."""
GROUPS: Final = 3
"""Groups of pictures whose longest is taken for the next one."""
WARY, BOLD = 1.25, 0.8
"""What a wake for nothing, and what a beginning that was slept through, make of the caution."""
MOST_WARY, LEAST_WARY = 4.0, 0.5
"""Bounds of the caution: beyond them sizes do not tell what happens there."""
FORGETS: Final = 0.8
"""Of the beginnings that sizes told or did not: what each new one leaves of the older ones."""
DEAF: Final = 2.5
"""So many beginnings of late, that sizes did not tell, make it rest if they are most."""
REST_S: Final = 300.0
HARD_OF_HEARING: Final = 0.8
"""Of what must be heard to fall asleep: below that it wakes."""
EASES_S: Final = 300.0
"""In so long caution forgets half of what it learned."""


class PacketStep(Enum):
    """What is to be done with a packet."""

    DECODE = "decode"
    """As ever."""
    LEAVE = "leave"
    """It waits."""
    KEY = "key"
    """Decode it alone, and forget what waits: nothing after it builds on that."""
    RISE = "rise"
    """Decode all that waits, and then it."""


class Sleeper:
    """Decides for one stream, packet by packet."""

    def __init__(self, interval_s: float) -> None:
        """`interval_s`: from picture to picture, as far as the stream tells."""
        self.judge = SizeJudge(interval_s)
        self.asleep = False
        self.caution = 1.0
        """Times the limits of sizes.py."""
        self._told_calm_s: float | None = None
        """Since when the caller is content."""
        self._stirred_s: float | None = None
        """When the caller began to find something; None: it does not, or that was counted."""
        self._awake_until_s = float("-inf")
        self._rest_until_s = float("-inf")
        self._spoke_s = float("-inf")
        """When sizes last spoke."""
        self._doubt = False
        """Whether it is awake for what sizes said, and the caller has found nothing yet."""
        self._heard = self._missed = 0.0
        self._waiting, self._waiting_bytes, self._last_picture_s = 0, 0, 0.0
        self._key_s: float | None = None
        self._count = 0
        self._groups: deque[tuple[int, float]] = deque(maxlen=GROUPS)
        """Packets and seconds of the latest groups of pictures."""
        self._packet_cost_s = 0.0
        self._eased_s: float | None = None

    def packet(self, packet: PacketSize, calm_gap_s: float | None) -> PacketStep:
        """What to do with the next packet.

        `calm_gap_s`: the caller is content with a picture every so many seconds; None: it wants all it can get.
        """
        at_s, calm = packet.at_s, calm_gap_s is not None
        beyond = self.judge.came(packet, calm) / self.caution
        self._group(packet)
        self._ease(at_s)
        self._hear(at_s, calm, beyond)
        if not self.asleep:
            if packet.is_key or beyond >= 1.0 or calm_gap_s is None or not self._may_sleep(at_s, calm_gap_s):
                return PacketStep.DECODE
            self._fall_asleep(at_s)
        elif calm_gap_s is None or beyond >= 1.0 or self._deaf() or self._too_much(packet, calm_gap_s):
            return self._rise(at_s, calm, beyond >= 1.0)
        if packet.is_key:
            self._waiting, self._waiting_bytes, self._last_picture_s = 1, packet.size_bytes, at_s
            return PacketStep.KEY
        self._waiting += 1
        self._waiting_bytes += packet.size_bytes
        return PacketStep.LEAVE

    def cost(self, seconds: float) -> None:
        """Decoding one packet took so long."""
        self._packet_cost_s += 0.05 * (seconds - self._packet_cost_s)

    def cut(self) -> None:
        """What comes next does not follow what came."""
        self.judge.cut()
        self.asleep = False
        self._waiting = self._waiting_bytes = 0
        self._told_calm_s = self._stirred_s = self._key_s = None
        self._groups.clear()

    def _group(self, packet: PacketSize) -> None:
        self._count += 1
        if packet.is_key:
            if self._key_s is not None:
                self._groups.append((self._count, packet.at_s - self._key_s))
            self._key_s, self._count = packet.at_s, 0

    def _may_sleep(self, at_s: float, calm_gap_s: float) -> bool:
        """Whether the next packet may be left: also the rest of this group, and a whole one."""
        if self._told_calm_s is None or at_s - self._told_calm_s < CALM_S:
            return False
        if at_s < self._awake_until_s or at_s < self._rest_until_s:
            return False
        if self.judge.hearing < self.caution:
            return False
        # Before two key pictures have come, nobody knows: then what may wait is bounded packet by packet.
        packets = max((count for count, _ in self._groups), default=0)
        long_s = max((seconds for _, seconds in self._groups), default=0.0)
        return long_s <= min(MOST_S, calm_gap_s) and packets * self._packet_cost_s <= UP_S

    def _deaf(self) -> bool:
        """Whether somebody small would no longer be heard, since it fell asleep."""
        return self.judge.hearing < HARD_OF_HEARING * self.caution

    def _too_much(self, packet: PacketSize, calm_gap_s: float) -> bool:
        """Whether no more may wait, though no key picture came: its groups are longer than they were."""
        if packet.is_key:
            return False
        return (
            self._waiting_bytes + packet.size_bytes > MOST_BYTES
            or (self._waiting + 1) * self._packet_cost_s > UP_S
            or packet.at_s - self._last_picture_s > min(MOST_S, calm_gap_s)
        )

    def _fall_asleep(self, at_s: float) -> None:
        self.asleep, self._doubt = True, False
        self._waiting, self._waiting_bytes, self._last_picture_s = 0, 0, at_s

    def _rise(self, at_s: float, calm: bool, spoke: bool) -> PacketStep:
        self.asleep, self._doubt = False, spoke and calm
        self._waiting = self._waiting_bytes = 0
        self._awake_until_s = at_s + DOUBT_S
        return PacketStep.RISE

    def _hear(self, at_s: float, calm: bool, beyond: float) -> None:
        """Learn from what sizes say and what the caller found."""
        if beyond >= 1.0:
            self._spoke_s = at_s
        if calm:
            self._stirred_s = None
            if self._told_calm_s is None:
                self._told_calm_s = at_s
            if self._doubt and at_s >= self._awake_until_s:
                self._doubt = False  # it was nothing
                self.judge.accept()
                self._warn(WARY, at_s)
            return
        if self._told_calm_s is not None:
            self._stirred_s = at_s
        self._told_calm_s = None
        if self._stirred_s is not None and at_s - self._stirred_s >= LASTS_S:
            self._began(self._stirred_s, at_s)
            self._stirred_s, self._doubt = None, False

    def _began(self, began_s: float, at_s: float) -> None:
        """The caller has found something: did sizes tell?"""
        self.judge.reject()
        heard = began_s - self._spoke_s <= ANSWER_S
        self._heard = FORGETS * self._heard + heard
        self._missed = FORGETS * self._missed + (not heard)
        if not heard:
            self._warn(BOLD, at_s)
        if self._missed >= DEAF and self._missed > self._heard:
            self._rest(at_s)

    def _warn(self, times: float, at_s: float) -> None:
        self.caution *= times
        if not LEAST_WARY <= self.caution <= MOST_WARY:
            self._rest(at_s)

    def _rest(self, at_s: float) -> None:
        self._rest_until_s = at_s + REST_S
        self.caution, self._heard, self._missed = 1.0, 0.0, 0.0

    def _ease(self, at_s: float) -> None:
        if self._eased_s is None or at_s < self._eased_s:
            self._eased_s = at_s
        elif at_s - self._eased_s >= 1.0:
            self.caution **= 0.5 ** ((at_s - self._eased_s) / EASES_S)
            self._eased_s = at_s
