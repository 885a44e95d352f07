"""How old footage is, whatever a wrong clock says: what a box has lived through bounds what it believes. Pure.

A clock that somebody vouches for may be wrong all the same: a time server that is broken or not ours, a battery
clock with another year. One step forward would make all footage too old at once, and it would be gone.

Invariants
1. In its own boot footage is as old as the steady clock says: no step makes it older, or younger.
2. Footage of before is as old as the boots since then lasted, at least.
3. What the box was off between two boots is believed at once up to a day. More, and a step forward within a
   boot, only after the clock has stood for a day at work; until then time goes on as if the step had not been.
4. A step back is believed at once: footage is kept the longer for it.
5. Of two times that footage may be of, it has the later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

OUTAGE_MS: Final = 86_400_000
"""So long a box may have been off without a doubt: a power cut, a night without sun."""
STANDS_MS: Final = 86_400_000
"""So long a clock that went forward stands until it is believed: each shift of a duty room has read of it."""
AGREES_MS: Final = 60_000
"""What a clock may move while it stands."""
STEP_MS: Final = 1_000
"""A clock that is disciplined moves less between two looks."""
LOOK_MS: Final = 600_000
"""At most so much counts as stood between two looks: meanwhile nobody vouched for it."""
TOLD_MS: Final = 3_600_000
"""Smaller steps wait as well, and nobody need hear of it."""


@dataclass(frozen=True, slots=True)
class BootClock:
    """What is believed of one boot's time; milliseconds."""

    boot: str
    offset_ms: int
    """Wall minus steady clock as it is believed: the moment at which the boot began."""
    shown_ms: int
    """Wall minus steady clock as it was last shown."""
    last_ms: int
    """Steady clock of the last look."""
    stood_ms: int = 0
    """So long what is shown has stood, while it is not what is believed."""

    @property
    def ahead_ms(self) -> int:
        """How far what is shown is ahead of what is believed; 0: it is believed."""
        return max(0, self.shown_ms - self.offset_ms)

    @property
    def doubted(self) -> bool:
        """Whether it is so far ahead that somebody should know."""
        return self.ahead_ms > TOLD_MS

    def believed_ms(self, mono_ms: int) -> int:
        """The wall time that is believed at a moment of the steady clock of this boot."""
        return self.offset_ms + mono_ms


def look(
    before: BootClock | None, boot: str, mono_ms: int, wall_ms: int, *, back_waits: bool = False
) -> BootClock:
    """Fold in one look at a clock that somebody vouches for. `before` is the last one, of any boot.

    With `back_waits` a step back waits as one forward does, against invariant 4: for what bears one time only.
    """
    shown_ms = wall_ms - mono_ms
    if before is None:
        return BootClock(boot, shown_ms, shown_ms, mono_ms)
    if before.boot == boot:
        offset_ms, passed_ms = before.offset_ms, mono_ms - before.last_ms
        stands = abs(shown_ms - before.shown_ms) <= AGREES_MS
    else:
        ended_ms, passed_ms = before.believed_ms(before.last_ms), 0
        off_ms = shown_ms - ended_ms
        waits = off_ms > OUTAGE_MS or (back_waits and off_ms < -STEP_MS)
        offset_ms = ended_ms if waits else shown_ms
        stands = -AGREES_MS <= shown_ms - (before.shown_ms + before.last_ms) <= OUTAGE_MS
    ahead_ms = shown_ms - offset_ms
    if (abs(ahead_ms) if back_waits else ahead_ms) <= STEP_MS:
        return BootClock(boot, shown_ms, shown_ms, mono_ms)
    stood_ms = before.stood_ms + min(max(0, passed_ms), LOOK_MS) if stands else 0
    if stood_ms >= STANDS_MS:
        return BootClock(boot, shown_ms, shown_ms, mono_ms)
    return BootClock(boot, offset_ms, shown_ms, mono_ms, stood_ms)


def fold(boots: Iterable[tuple[str, Iterable[tuple[int, int]]]]) -> list[BootClock]:
    """What would be believed of each boot after these looks: its name, and moments of both clocks in order."""
    found: dict[str, BootClock] = {}
    last: BootClock | None = None
    for boot, moments in boots:
        for mono_ms, wall_ms in moments:
            last = found[boot] = look(last, boot, mono_ms, wall_ms)
    return list(found.values())


def lasted(clock: BootClock, ends_ms: Sequence[int]) -> BootClock:
    """The same, of a boot that lasted longer than was looked at its clock, and boots after it without a look.

    `ends_ms` is how long each lasted at least, by its footage; its own first.
    """
    own_ms, *later_ms = ends_ms
    return replace(clock, last_ms=max(clock.last_ms, own_ms) + sum(later_ms))


def offsets(boots: Sequence[tuple[str, int]], shown: Mapping[str, int], now: BootClock) -> dict[str, int]:
    """Wall minus steady clock of each boot, for the age of its footage; milliseconds.

    `boots` are all with footage, oldest first: name, and how long it lasted at least. `shown` is what the clock
    of each showed at its end, where somebody vouched for it. No boot ended after the next one began (invariant
    2): what was recorded under a clock far ahead, or when nobody knew the time, is no younger than that.
    """
    found, began_ms = {now.boot: now.offset_ms}, now.offset_ms
    for boot, lasted_ms in reversed(boots):
        if boot != now.boot:
            latest_ms = began_ms - lasted_ms
            began_ms = found[boot] = min(shown.get(boot, latest_ms), latest_ms)
    return found
