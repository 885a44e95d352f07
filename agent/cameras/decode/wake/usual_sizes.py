"""What packets of one stream usually weigh, by kind of picture and by quantiser; pure.

The same still view takes 23 bytes at quantiser 26 and 3,000 at 20, where the noise of the sensor is worth bits.
So sizes are compared at one quantiser, in spreads of their own kind. A quantiser that was never seen is
compared with the next finer one that was, whose pictures weigh more: at six quantisers more half of it is left,
as the size of a quantiser's step doubles (H.264, 8.5.9).
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

KEPT: Final = 160
"""Values from which what is usual is known: some seconds of a camera."""
ENOUGH: Final = 6
"""Packets of a kind from which on its median counts."""
MOST_KINDS: Final = 128
"""Of picture and quantiser, that are kept: an encoder uses some ten quantisers for each of four kinds."""
LEAST_SHARE: Final = 0.05
"""Of a median: the least spread."""
LEAST_KEY_SHARE: Final = 0.001
"""Of a key picture's bytes: the least spread. A camera that sends nothing at all for a still view would wake at
every leaf."""
LEAST_BYTES: Final = 2.0
PASSER_SHARE: Final = 0.004
"""Of a key picture's bytes: what somebody small adds to each picture that is predicted while he passes. Chosen
on the square and the crossroads of the benchmark: people who come in there add some 0.3 %."""
DOUBLES: Final = 6
"""Steps of the quantiser in which the size of its step doubles."""

Kind = tuple[int, int]
"""Over how many pictures one is predicted, and which it is of those that come with it."""


class UsualSize(NamedTuple):
    """Of one kind and quantiser, in bytes."""

    middle: float
    spread: float
    """From the median to what five in six are below."""


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


class UsualSizes:
    """Learns the packets of one stream."""

    def __init__(self) -> None:
        self._sizes: dict[tuple[Kind, int | None], Recent] = {}
        self._usual: dict[Kind, dict[int | None, UsualSize]] = {}
        self._news: set[tuple[Kind, int | None]] = set()
        """Of which something came since what is usual was last found."""
        self._keys, self._key_quantisers = Recent(), Recent()
        self._key_bytes, self._key_quantiser = 0.0, 0.0

    def learn(self, kind: Kind, quantiser: int | None, size_bytes: float) -> None:
        """A predicted picture of a view in which nothing happens."""
        which = kind, quantiser
        if which not in self._sizes and len(self._sizes) >= MOST_KINDS:
            self._forget(min(self._sizes, key=lambda each: len(self._sizes[each])))
        self._sizes.setdefault(which, Recent()).add(size_bytes)
        self._news.add(which)

    def learn_key(self, quantiser: int | None, size_bytes: float) -> None:
        """A key picture, whatever happens."""
        self._keys.add(size_bytes)
        if quantiser is not None:
            self._key_quantisers.add(quantiser)

    def find(self) -> None:
        """Find what is usual by what was learned so far; before the first key picture nothing is."""
        if not self._keys:
            return
        (self._key_bytes,) = self._keys.quantiles(0.5)
        if self._key_quantisers:
            (self._key_quantiser,) = self._key_quantisers.quantiles(0.5)
        for which in self._news:
            recent, (kind, quantiser) = self._sizes[which], which
            if len(recent) >= ENOUGH:
                middle, above = recent.quantiles(0.5, 0.84)
                spread = max(above - middle, self._least(middle, quantiser))
                self._usual.setdefault(kind, {})[quantiser] = UsualSize(middle, spread)
        self._news.clear()

    def of(self, kind: Kind, quantiser: int | None) -> UsualSize | None:
        """What such a picture usually weighs; None: nobody can say."""
        known = self._usual.get(kind)
        if known is None:
            return None
        if (usual := known.get(quantiser)) is not None or quantiser is None:
            return usual
        finer = max((each for each in known if each is not None and each < quantiser), default=None)
        if finer is None:
            return None
        middle, spread = known[finer]
        share = _step_ratio(finer - quantiser)
        return UsualSize(middle * share, max(spread * share, LEAST_BYTES))

    def passer_bytes(self, quantiser: int | None) -> float:
        """What somebody small would add to a picture at this quantiser."""
        return PASSER_SHARE * self._key_bytes * self._beside_key(quantiser)

    def _least(self, middle: float, quantiser: int | None) -> float:
        key_bytes = self._key_bytes * self._beside_key(quantiser)
        return max(LEAST_SHARE * middle, LEAST_KEY_SHARE * key_bytes, LEAST_BYTES)

    def _beside_key(self, quantiser: int | None) -> float:
        """How much a picture weighs at this quantiser, beside at that of key pictures."""
        if quantiser is None or not self._key_quantisers:
            return 1.0
        return _step_ratio(self._key_quantiser - quantiser)

    def _forget(self, which: tuple[Kind, int | None]) -> None:
        del self._sizes[which]
        self._news.discard(which)
        kind, quantiser = which
        self._usual.get(kind, {}).pop(quantiser, None)


def _step_ratio(finer_by: float) -> float:
    return float(2.0 ** (finer_by / DOUBLES))
