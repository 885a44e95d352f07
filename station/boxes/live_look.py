"""The pictures of one look as they come: in memory only, each until the screen has shown it.

Invariants
1. No picture is written anywhere. At most one is held: a newer one takes its place, and it goes once it was
   taken, or the look has ended and nobody has taken it for LINGER_S.
2. What is not what the box sent, or no whole JPEG, is not shown; nor is one that is too old to be now.
3. Who has not asked for HEARS_S looks no more: the look ends, and the box stops sending.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from agent.printable import printable
from agent.wire import codec
from agent.wire.payloads import AckBody
from agent.wire.verbs import LOOK_OLDEST_S
from station.ingest import jpeg
from station.look.folder import MOST_BYTES
from station.look.timeliness import Timeliness

HEARS_S: Final = 10.0
LINGER_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class LookedPicture:
    """The newest picture."""

    number: int
    data: bytes
    taken: str
    """When the camera saw it, by the box's clock, RFC 3339; '' where nobody told."""


@dataclass(frozen=True, slots=True)
class LookState:
    """How far a look is."""

    came: int
    """Pictures that were shown, or could have been."""
    late: int
    """Too old when they came."""
    damaged: int
    waits: bool
    """None has come for so long that the last one is not now any more."""
    newest: int | None
    """The number of the picture that may be taken."""
    complete: bool | None
    """All that the box sent came as it was sent; None: it has not told."""


class LiveLook:
    """One look; the order's thread adds, the screens' threads take."""

    def __init__(self, gap_s: float, most: int, now: Callable[[], float]) -> None:
        """`gap_s` is between two pictures, `most` how many there may be; `now` is the wall clock here."""
        self._gap_s, self._most, self._now = gap_s, most, now
        self._lock = threading.Lock()
        self._newest: LookedPicture | None = None
        self._digests: dict[int, str] = {}
        self._timeliness = Timeliness()
        self._late = self._damaged = 0
        self._came_s = self._asked_s = now()
        self._complete: bool | None = None
        self._left = False

    def add(self, data: bytes, user: Mapping[str, str]) -> None:
        """A picture that came, with its MQTT user properties."""
        digest, number = sha256(data).hexdigest(), user.get("number", "")
        asked = number.isascii() and number.isdigit() and len(number) <= 6 and 1 <= int(number) <= self._most
        whole = asked and len(data) <= MOST_BYTES and digest == user.get("sha256", digest)
        is_good = whole and jpeg.fault(data) is None
        with self._lock:
            if not is_good:
                self._damaged += 1
                return
            if int(number) in self._digests:  # the broker gives one again after a broken connection
                return
            self._digests[int(number)] = digest
            taken, came_s = printable(user.get("time", ""))[:40], self._now()
            if self._timeliness.is_late(taken, came_s):
                self._late += 1
                return
            self._came_s = came_s
            self._newest = LookedPicture(int(number), data, taken)

    def take(self, number: int) -> LookedPicture | None:
        """The picture of that number, once (invariant 1); None: a newer one took its place, or it was taken."""
        with self._lock:
            self._asked_s = self._now()
            found = self._newest
            if found is None or found.number != number:
                return None
            self._newest = None
            return found

    def ask(self) -> LookState:
        """How far it is; whoever asks is still looking."""
        with self._lock:
            now_s = self._asked_s = self._now()
            waits = now_s - self._came_s > self._gap_s + LOOK_OLDEST_S
            newest = self._newest
            return LookState(
                came=len(self._digests) - self._late,
                late=self._late,
                damaged=self._damaged,
                waits=waits,
                newest=newest.number if newest is not None else None,
                complete=self._complete,
            )

    @property
    def is_deserted(self) -> bool:
        """Invariant 3."""
        with self._lock:
            return self._left or self._now() - self._asked_s > HEARS_S

    def leave(self) -> None:
        """Its giver says that he looks no more."""
        with self._lock:
            self._left, self._newest = True, None

    def end(self, answer: AckBody | None) -> None:
        """It is over; `answer` is the box's last word on it."""
        said = answer.result.get("pictures_sha256") if answer is not None else None
        with self._lock:
            of_all = codec.pictures_sha256(self._digests[number] for number in sorted(self._digests))
            self._complete = None if said is None else said == of_all
        after = threading.Timer(LINGER_S, self._drop)
        after.daemon = True
        after.start()

    def _drop(self) -> None:
        with self._lock:
            self._newest = None
