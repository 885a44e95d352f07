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

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from math import exp
from typing import Final

KEPT: Final = 160
"""Packets of a kind, and sums, from which what is usual is known: some seconds of a camera."""
ENOUGH: Final = 6
"""Packets of a kind from which on its median counts; before, the mean of all does."""
KNOWN: Final = 24
"""Sums from which on their spread counts, about a second or two."""
FADES_S: Final = (0.15, 0.6)
"""The time constants of the two sums: what comes at once, and what comes slowly."""
SPREADS: Final = (3.0, 2.5)
"""From the median of each sum to its limit."""
LEAST_SHARE: Final = 0.006
"""Of a key picture's bytes: the least spread. A camera that sends nothing at all for a still view would wake at
every leaf."""
GRAINY: Final = 0.5
"""Where predicted pictures take such a share of a key picture, they are noise: a passer adds nothing."""
FARTHEST: Final = 8
"""Pictures over which one is predicted, at most: as many as encoders use."""


@dataclass(frozen=True, slots=True)
class PacketSize:
    """What is known of a packet without decoding it."""

    size_bytes: int
    is_key: bool
    shown_s: float
    """When its picture is to be shown, by the stream's clock."""
    at_s: float
    """When it came, or should be decoded; never decreases."""


@dataclass
class Recent:
    """The latest values, in their order and sorted."""

    latest: deque[float] = field(default_factory=deque)
    ordered: list[float] = field(default_factory=list)
    total: float = 0.0

    def add(self, value: float) -> None:
        """One more; the oldest goes."""
        self.latest.append(value)
        insort(self.ordered, value)
        self.total += value
        if len(self.latest) > KEPT:
            oldest = self.latest.popleft()
            del self.ordered[bisect_left(self.ordered, oldest)]
            self.total -= oldest

    def quantile(self, share: float) -> float:
        """What a share of the values (0..1) is not above; there must be one."""
        return self.ordered[min(len(self.ordered) - 1, int(share * len(self.ordered)))]

    def __len__(self) -> int:
        return len(self.latest)


class SizeJudge:
    """Judges the packets of one stream, in the order in which they come."""

    def __init__(self, interval_s: float) -> None:
        """`interval_s`: from picture to picture, as far as the stream tells."""
        self._interval_s = interval_s
        self._kinds: dict[tuple[int, int], Recent] = {}
        self._all = Recent()
        self._keys = Recent()
        self._sums = [0.0 for _ in FADES_S]
        self._usual = [Recent() for _ in FADES_S]
        self._last_s: float | None = None
        self._shown_s: float | None = None
        """The latest picture that was to be shown."""
        self._far, self._place = 1, 0
        self._doubted: list[tuple[tuple[int, int], float, list[float]]] = []
        """Kind, size and sums of packets that were far from what is usual, until it is known why."""

    @property
    def knows(self) -> bool:
        """Whether what is usual is known, and says something: not in the noise of a night."""
        return len(self._usual[0]) >= KNOWN and len(self._keys) > 0 and not self.grainy

    @property
    def grainy(self) -> bool:
        """Whether predicted pictures are as large as if nothing could be predicted."""
        if not self._all or not self._keys:
            return False
        return self._all.total / len(self._all) > GRAINY * self._keys.quantile(0.5)

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
        excess = packet.size_bytes - self._expected(kind)
        self._sums = [
            before * exp(-passed_s / fade_s) + excess
            for before, fade_s in zip(self._sums, FADES_S, strict=True)
        ]
        beyond = self._beyond()
        if calm and beyond < 1.0:
            self._learn(kind, packet.size_bytes, self._sums)
        elif calm and len(self._doubted) < KEPT:
            self._doubted.append((kind, packet.size_bytes, self._sums))
        return beyond

    def cut(self) -> None:
        """What comes next does not follow what came; what is usual stays."""
        self._sums = [0.0 for _ in FADES_S]
        self._last_s = self._shown_s = None

    def accept(self) -> None:
        """What seemed to be a beginning was none: it is usual, too."""
        for doubted in self._doubted:
            self._learn(*doubted)
        self.reject()

    def reject(self) -> None:
        """It was a beginning: nothing is learned of it."""
        self._doubted.clear()

    def _kind(self, packet: PacketSize) -> tuple[int, int]:
        """Over how many pictures it is predicted, and which it is of those that come with it."""
        step_s = 0.0 if self._shown_s is None else packet.shown_s - self._shown_s
        if packet.is_key or self._shown_s is None or step_s > 0:
            self._far = min(FARTHEST, max(1, round(step_s / self._interval_s)))
            self._place, self._shown_s = 0, packet.shown_s
        else:
            self._place = min(FARTHEST, self._place + 1)
        return self._far, self._place

    def _expected(self, kind: tuple[int, int]) -> float:
        recent = self._kinds.get(kind)
        if recent is not None and len(recent) >= ENOUGH:
            return recent.quantile(0.5)
        return self._all.total / len(self._all) if self._all else 0.0

    def _learn(self, kind: tuple[int, int], size_bytes: float, sums: list[float]) -> None:
        known = len(self._all) >= ENOUGH
        self._kinds.setdefault(kind, Recent()).add(size_bytes)
        self._all.add(size_bytes)
        if known:  # before, a sum says nothing
            for usual, each in zip(self._usual, sums, strict=True):
                usual.add(each)

    def _beyond(self) -> float:
        if len(self._usual[0]) < KNOWN or not self._keys:
            return 0.0
        least = LEAST_SHARE * self._keys.quantile(0.5)
        most = 0.0
        for usual, spreads, now in zip(self._usual, SPREADS, self._sums, strict=True):
            middle = usual.quantile(0.5)
            spread = max(usual.quantile(0.84) - middle, least)
            most = max(most, (now - middle) / (spreads * spread))
        return most
