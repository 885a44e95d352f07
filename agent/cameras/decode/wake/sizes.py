"""Whether something began, by the sizes of the packets of a stream; pure.

An encoder spends few bytes on a picture that shows what the last one showed, and many where something moves.
How many is usual differs by the kind of picture: one that is predicted over four pictures takes more than one
over a single picture, and pictures that are shown before they come (B pictures) least. So each packet is
compared with the median of its kind lately, and what it has more is added up over a short and a longer while,
in which older excess fades. What such sums come to by chance is learned too: the limit is so many of their
spreads above their median.

A sum that leaks and a limit in spreads of its own are a one-sided CUSUM (Page, Continuous inspection schemes,
Biometrika 41, 1954) with forgetting; medians, for one passer must not change what is usual.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import exp
from statistics import fmean
from typing import Final, NamedTuple

KEPT: Final = 160
"""Packets of a kind, and sums, from which what is usual is known: some seconds of a camera."""
ENOUGH: Final = 6
"""Packets of a kind from which on its median counts; before, the mean of all does."""
KNOWN: Final = 24
"""Sums from which on their spread counts, about a second or two."""
FADES_S: Final = (0.15, 0.6)
"""The time constants of the two sums: what comes at once, and what comes slowly."""
SPREADS: Final = (3.5, 3.0)
"""From the median of each sum to its limit."""
LEAST_SHARE: Final = 0.006
"""Of a key picture's bytes: the least spread. A camera that sends nothing at all for a still view would wake at
every leaf."""
GRAINY: Final = 0.5
"""Where predicted pictures take such a share of a key picture, they are noise: a passer adds nothing."""
FRESH_S: Final = 1.0
"""What is usual is found anew so often: to sort them with each packet costs more than it saves."""
FARTHEST: Final = 8
"""Pictures over which one is predicted, at most: as many as encoders use."""


Kind = tuple[int, int]
"""Over how many pictures one is predicted, and which it is of those that come with it."""

Sums = tuple[float, float]
"""The quick one and the slow one."""


class PacketSize(NamedTuple):
    """What is known of a packet without decoding it."""

    size_bytes: int
    is_key: bool
    shown_s: float
    """When its picture is to be shown, by the stream's clock."""
    at_s: float
    """When it came, or should be decoded; never decreases."""


class Recent:
    """The latest values, and what is usual among them: that is found anew only when it is asked for."""

    def __init__(self) -> None:
        self.latest: deque[float] = deque(maxlen=KEPT)

    def add(self, value: float) -> None:
        """One more; the oldest goes."""
        self.latest.append(value)

    def quantiles(self, *shares: float) -> tuple[float, ...]:
        """For each share (0..1), what so many of the values are not above; there must be a value."""
        ordered = sorted(self.latest)
        return tuple(ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in shares)

    def __len__(self) -> int:
        return len(self.latest)


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual, as it was last found."""

    sizes: dict[Kind, float] = field(default_factory=dict)
    """The median of each kind of which enough is known."""
    any_size: float = 0.0
    """The mean of all that are no key pictures."""
    sums: tuple[tuple[float, float], ...] = ()
    """Of each sum, what is usual and its limit; empty: not known."""
    grainy: bool = False


class SizeJudge:
    """Judges the packets of one stream, in the order in which they come."""

    def __init__(self, interval_s: float) -> None:
        """`interval_s`: from picture to picture, as far as the stream tells."""
        self._interval_s = interval_s
        self._kinds: dict[Kind, Recent] = {}
        self._all = Recent()
        self._keys = Recent()
        self._sums: Sums = (0.0, 0.0)
        self._usual_sums = [Recent() for _ in FADES_S]
        self._usual = Usual()
        self._found_s = float("-inf")
        """When that was found."""
        self._last_s: float | None = None
        self._shown_s: float | None = None
        """The latest picture that was to be shown."""
        self._far, self._place = 1, 0
        self._doubted: list[tuple[Kind, float, Sums]] = []
        """Kind, size and sums of packets that were far from what is usual, until it is known why."""

    @property
    def knows(self) -> bool:
        """Whether what is usual is known, and says something: not in the noise of a night."""
        return bool(self._usual.sums) and not self._usual.grainy

    @property
    def grainy(self) -> bool:
        """Whether predicted pictures are as large as if nothing could be predicted."""
        return self._usual.grainy

    def came(self, packet: PacketSize, calm: bool) -> float:
        """How far the sums are above what is usual, in limits: from 1 on something began. 0: nobody can say.

        `calm`: nothing moves as far as anybody knows, so what comes is usual unless it is far from it.
        """
        passed_s = 0.0 if self._last_s is None else max(0.0, packet.at_s - self._last_s)
        self._last_s = packet.at_s
        kind = self._kind(packet)
        if packet.is_key:
            self._keys.add(packet.size_bytes)
            return 0.0
        if not 0 <= packet.at_s - self._found_s < FRESH_S:
            self._usual, self._found_s = self._found(), packet.at_s
        excess = packet.size_bytes - self._usual.sizes.get(kind, self._usual.any_size)
        quick, slow = self._sums  # not in a loop: this is done for every packet of every camera
        sums = (
            quick * exp(-passed_s / FADES_S[0]) + excess,
            slow * exp(-passed_s / FADES_S[1]) + excess,
        )
        self._sums = sums
        beyond = self._beyond(sums)
        if calm and beyond < 1.0:
            self._learn(kind, packet.size_bytes, sums)
        elif calm and len(self._doubted) < KEPT:
            self._doubted.append((kind, packet.size_bytes, sums))
        return beyond

    def cut(self) -> None:
        """What comes next does not follow what came; what is usual stays."""
        self._sums = (0.0, 0.0)
        self._last_s = self._shown_s = None

    def accept(self) -> None:
        """What seemed to be a beginning was none: it is usual, too."""
        for doubted in self._doubted:
            self._learn(*doubted)
        self.reject()

    def reject(self) -> None:
        """It was a beginning: nothing is learned of it."""
        self._doubted.clear()

    def _kind(self, packet: PacketSize) -> Kind:
        """Over how many pictures it is predicted, and which it is of those that come with it."""
        step_s = 0.0 if self._shown_s is None else packet.shown_s - self._shown_s
        if packet.is_key or self._shown_s is None or step_s > 0:
            self._far = min(FARTHEST, max(1, round(step_s / self._interval_s)))
            self._place, self._shown_s = 0, packet.shown_s
        else:
            self._place = min(FARTHEST, self._place + 1)
        return self._far, self._place

    def _learn(self, kind: Kind, size_bytes: float, sums: Sums) -> None:
        known = len(self._all) >= ENOUGH
        self._kinds.setdefault(kind, Recent()).add(size_bytes)
        self._all.add(size_bytes)
        if known:  # before, a sum says nothing
            for usual, each in zip(self._usual_sums, sums, strict=True):
                usual.add(each)

    def _found(self) -> Usual:
        """What is usual, by what was learned so far."""
        sizes = {kind: each.quantiles(0.5)[0] for kind, each in self._kinds.items() if len(each) >= ENOUGH}
        any_size = fmean(self._all.latest) if self._all else 0.0
        if not self._keys:
            return Usual(sizes, any_size)
        (key,) = self._keys.quantiles(0.5)
        grainy = any_size > GRAINY * key
        if len(self._usual_sums[0]) < KNOWN:
            return Usual(sizes, any_size, (), grainy)
        sums = []
        for each, spreads in zip(self._usual_sums, SPREADS, strict=True):
            middle, above = each.quantiles(0.5, 0.84)
            sums.append((middle, spreads * max(above - middle, LEAST_SHARE * key, 1.0)))
        return Usual(sizes, any_size, tuple(sums), grainy)

    def _beyond(self, sums: Sums) -> float:
        """The larger of the sums, in limits."""
        if not self._usual.sums:
            return 0.0
        (quick_usual, quick_limit), (slow_usual, slow_limit) = self._usual.sums
        return max(0.0, (sums[0] - quick_usual) / quick_limit, (sums[1] - slow_usual) / slow_limit)
