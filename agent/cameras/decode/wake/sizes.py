"""Whether something began, by the sizes of the packets of a stream; pure.

An encoder spends few bytes on a picture that shows what the last one showed, and many where something moves.
How many is usual differs by the kind of picture: one that is predicted over four pictures takes more than one
over a single picture, and pictures that are shown before they come (B pictures) least; and by its quantiser
(usual_sizes.py). So what each packet has more than its kind is counted in spreads of that kind, and added up
over a short and a longer while, in which older excess fades. What such sums come to by chance is learned too:
the limit is so many of their spreads above their median.

A sum that leaks and a limit in spreads of its own are a one-sided CUSUM (Page, Continuous inspection schemes,
Biometrika 41, 1954) with forgetting; medians, for one passer must not change what is usual.

Whether that could be heard at all is known beforehand: somebody small is added, in thought, to the packets that
come, and how far he would have raised the sums is kept beside the limits (`hearing`). Where noise takes most of
what is sent, as at night or where a bit rate is kept, he would not have been heard, and nobody may sleep.
"""

from __future__ import annotations

from math import exp
from typing import Final, NamedTuple

from agent.cameras.decode.wake.usual_sizes import KEPT, Kind, Recent, UsualSizes

KNOWN: Final = 24
"""Sums from which on their spread counts, about a second or two."""
FADES_S: Final = (0.15, 0.6)
"""The time constants of the two sums: what comes at once, and what comes slowly."""
SPREADS: Final = (3.5, 3.0)
"""From the median of each sum to its limit."""
LEAST_SPREAD: Final = 1.0
"""Of a sum, in spreads of single packets."""
BOUNDS: Final = (-6.0, 12.0)
"""Of what one packet adds to the sums, in spreads: one that is damaged is no passer."""
HEARD_S: Final = 0.4
"""Whoever passes is to be heard so soon."""
HEARD_SHARE: Final = 0.9
"""Of the moments: in so many he is."""
_GROWN: Final = tuple(1.0 - exp(-HEARD_S / fade_s) for fade_s in FADES_S)
"""To what share of its final value a sum has grown by then."""
FRESH_S: Final = 1.0
"""What is usual is found anew so often: to sort them with each packet costs more than it saves."""
FARTHEST: Final = 8
"""Pictures over which one is predicted, at most: as many as encoders use."""

Sums = tuple[float, float]
"""The quick one and the slow one, in spreads of single packets."""


class PacketSize(NamedTuple):
    """What is known of a packet without decoding it."""

    size_bytes: int
    is_key: bool
    shown_s: float
    """When its picture is to be shown, by the stream's clock."""
    at_s: float
    """When it came, or should be decoded; never decreases."""
    quantiser: int | None = None
    """0..51, lower is finer; None: not known."""


class FarPacket(NamedTuple):
    """A packet that was far from what is usual, until it is known why."""

    kind: Kind
    quantiser: int | None
    size_bytes: float
    sums: Sums


class SizeJudge:
    """Judges the packets of one stream, in the order in which they come."""

    def __init__(self, interval_s: float) -> None:
        """`interval_s`: from picture to picture, as far as the stream tells."""
        self._interval_s = interval_s
        self._sizes = UsualSizes()
        self._sums: Sums = (0.0, 0.0)
        self._usual_sums = [Recent() for _ in FADES_S]
        self._limits: tuple[tuple[float, float], ...] = ()
        """Of each sum, what is usual and how far above it something began; empty: not known."""
        self._passer: Sums = (0.0, 0.0)
        """What somebody small would make of the sums."""
        self._heard = Recent()
        self.hearing = 0.0
        """How far above what is usual somebody small would raise the sums within HEARD_S, in limits, in nine of
        ten moments of late. 0: nobody can say."""
        self._found_s = float("-inf")
        """When what is usual was last found."""
        self._last_s: float | None = None
        self._shown_s: float | None = None
        """The latest picture that was to be shown."""
        self._far, self._place = 1, 0
        self._doubts: list[FarPacket] = []

    def came(self, packet: PacketSize, calm: bool) -> float:
        """How far the sums are above what is usual, in limits: from 1 on something began. 0: nobody can say.

        `calm`: nothing moves as far as anybody knows, so what comes is usual unless it is far from it.
        """
        passed_s = 0.0 if self._last_s is None else max(0.0, packet.at_s - self._last_s)
        self._last_s = packet.at_s
        kind = self._kind(packet)
        if packet.is_key:
            self._sizes.learn_key(packet.quantiser, packet.size_bytes)
            return 0.0
        if not 0 <= packet.at_s - self._found_s < FRESH_S:
            self._find()
            self._found_s = packet.at_s
        sums = self._sum_up(packet, kind, passed_s)
        beyond = self._beyond(sums)
        if calm and self._limits:
            self._heard.add(self._audible())
        if calm and beyond < 1.0:
            self._learn(kind, packet.quantiser, packet.size_bytes, sums)
        elif calm and len(self._doubts) < KEPT:
            self._doubts.append(FarPacket(kind, packet.quantiser, packet.size_bytes, sums))
        return beyond

    def cut(self) -> None:
        """What comes next does not follow what came; what is usual stays."""
        self._sums = self._passer = (0.0, 0.0)
        self._last_s = self._shown_s = None

    def accept(self) -> None:
        """What seemed to be a beginning was none: it is usual, too."""
        for doubt in self._doubts:
            self._learn(*doubt)
        self.reject()

    def reject(self) -> None:
        """It was a beginning: nothing is learned of it."""
        self._doubts.clear()

    def _kind(self, packet: PacketSize) -> Kind:
        """Over how many pictures it is predicted, and which it is of those that come with it."""
        step_s = 0.0 if self._shown_s is None else packet.shown_s - self._shown_s
        if packet.is_key or self._shown_s is None or step_s > 0:
            self._far = min(FARTHEST, max(1, round(step_s / self._interval_s)))
            self._place, self._shown_s = 0, packet.shown_s
        else:
            self._place = min(FARTHEST, self._place + 1)
        return self._far, self._place

    def _sum_up(self, packet: PacketSize, kind: Kind, passed_s: float) -> Sums:
        """What this packet makes of the sums.

        A kind that is not known yet says nothing, and hides whoever passes.
        """
        excess = passer = 0.0
        usual = self._sizes.of(kind, packet.quantiser)
        if usual is not None:
            lowest, highest = BOUNDS
            excess = max(lowest, min(highest, (packet.size_bytes - usual.middle) / usual.spread))
            passer = min(highest, self._sizes.passer_bytes(packet.quantiser) / usual.spread)
        # Not in a loop: this is done for every packet of every camera.
        quick_left, slow_left = exp(-passed_s / FADES_S[0]), exp(-passed_s / FADES_S[1])
        self._sums = self._sums[0] * quick_left + excess, self._sums[1] * slow_left + excess
        self._passer = self._passer[0] * quick_left + passer, self._passer[1] * slow_left + passer
        return self._sums

    def _learn(self, kind: Kind, quantiser: int | None, size_bytes: float, sums: Sums) -> None:
        self._sizes.learn(kind, quantiser, size_bytes)
        if self._sizes.of(kind, quantiser) is not None:  # before, a sum says nothing
            for usual, each in zip(self._usual_sums, sums, strict=True):
                usual.add(each)

    def _find(self) -> None:
        """What is usual, by what was learned so far."""
        self._sizes.find()
        if len(self._usual_sums[0]) >= KNOWN:
            self._limits = tuple(
                (middle, spreads * max(above - middle, LEAST_SPREAD))
                for (middle, above), spreads in zip(
                    (each.quantiles(0.5, 0.84) for each in self._usual_sums), SPREADS, strict=True
                )
            )
        if len(self._heard) >= KNOWN:
            (self.hearing,) = self._heard.quantiles(1.0 - HEARD_SHARE)

    def _beyond(self, sums: Sums) -> float:
        """The larger of the sums, in limits."""
        if not self._limits:
            return 0.0
        (quick_usual, quick_limit), (slow_usual, slow_limit) = self._limits
        return max(0.0, (sums[0] - quick_usual) / quick_limit, (sums[1] - slow_usual) / slow_limit)

    def _audible(self) -> float:
        """How far somebody small who came HEARD_S ago would have raised the larger of the sums, in limits."""
        (_, quick_limit), (_, slow_limit) = self._limits
        return max(_GROWN[0] * self._passer[0] / quick_limit, _GROWN[1] * self._passer[1] / slow_limit)
