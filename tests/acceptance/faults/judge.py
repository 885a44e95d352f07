"""Compares what a box took with what the station has. It trusts neither: both histories are written elsewhere.

    intended    written by the feeder before it asks the outbox to keep a message
    accepted    written after the outbox has said that it is kept, with its stream and seq
    waiting     read from the box's own outbox: kept, and the station's receipt has not come
    committed   read from the station's own store

    lost        accepted, and neither at the station nor waiting in the box: it will never come
    late        accepted, not at the station, and still waiting in the box
    phantom     the station has a message that nobody intended
    doubled     the station has one message twice
    conflict    the station has under a number something else than what was accepted there
    reordered   of one camera, a later event has a lower number than an earlier one

A message takes one way: it is intended, put into the outbox, accepted, committed at the station, and leaves the
outbox by the receipt. Parts are at work while the judge reads, so no two readings are of one moment, and their
order decides what they can get wrong. `judged` reads along the way that the messages take:

1. accepted: this is what is due. What is accepted from here on is nobody's debt.
2. waiting. What is due and has left the outbox was receipted, so the station has committed it by now …
3. committed: … and this reading finds it. What comes in meanwhile is in both, and counts as committed. The
   other way round, store first and outbox second, what is receipted between the two is in neither: "lost".
4. accepted and intended once more. What the store has was intended before, and mostly accepted too; read any
   earlier, these two would lack it, and it would be a phantom or a conflict.

After Jepsen's set checker (Kingsbury and Alvaro, "Elle", VLDB 2020, section 2, has the vocabulary).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

Number = tuple[str, int]
"""Stream and seq."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message at one of the three places."""

    number: Number | None
    """None while it is only intended, and of a picture that came over MQTT 3.1.1, which carries no number."""
    name: str
    """What tells it from all others: event id and revision, or a picture's hash."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong, by name; all empty is right."""

    accepted: int
    committed: int
    lost: tuple[Number, ...]
    phantom: tuple[str, ...]
    doubled: tuple[str, ...]
    conflicts: tuple[Number, ...]
    reordered: int
    late: tuple[Number, ...] = ()

    @property
    def missing(self) -> int:
        """How many are not at the station, for whatever reason."""
        return len(self.lost) + len(self.late)

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not (self.missing or self.phantom or self.doubled or self.conflicts or self.reordered)

    def __str__(self) -> str:
        return (
            f"{self.accepted} accepted, {self.committed} at the station: {len(self.lost)} lost, "
            f"{f'{len(self.late)} late, ' if self.late else ''}"
            f"{len(self.phantom)} phantom, {len(self.doubled)} doubled, {len(self.conflicts)} conflicts, "
            f"{self.reordered} out of order"
        )


class Histories(Protocol):
    """The places that a message passes; each call reads one of them anew."""

    def intended(self) -> Iterable[str]:
        """Names."""

    def accepted(self) -> Iterable[Row]:
        """In their order."""

    def waiting(self) -> Set[Number]:
        """What the box's outbox holds at one moment."""

    def committed(self) -> Iterable[Row]:
        """What the station's store holds at one moment."""


def judged(histories: Histories) -> Findings:
    """Read the histories in the only order that cannot lie while messages are on their way (above)."""
    due = {row.number for row in histories.accepted() if row.number}
    waiting = histories.waiting()
    committed = histories.committed()
    accepted = histories.accepted()
    return judge(histories.intended(), accepted, committed, due, waiting)


def judge(
    intended: Iterable[str],
    accepted: Iterable[Row],
    committed: Iterable[Row],
    due: Set[Number] | None = None,
    waiting: Set[Number] = frozenset(),
) -> Findings:
    """Compare the histories. `due` are the numbers that must be somewhere; without it all that were accepted.

    A number may have been accepted more than once, when an update was replaced by a newer one of its event
    before it was sent: then any of these names is right under that number. Messages of two events under one
    number are a number used twice.
    """
    wanted = set(intended)
    taken: dict[Number, set[str]] = {}
    order: dict[str, int] = {}
    for place, row in enumerate(accepted):
        assert row.number is not None
        taken.setdefault(row.number, set()).add(row.name)
        order.setdefault(row.name, place)
    have: dict[Number, str] = {}
    names: Counter[str] = Counter()
    conflicts: list[Number] = []
    unnumbered: set[str] = set()
    for row in committed:
        names[row.name] += 1
        if row.number is None:
            unnumbered.add(row.name)
            continue
        if row.number in have:
            conflicts.append(row.number)
        have[row.number] = row.name
    conflicts += [number for number, names_there in taken.items() if len(set(map(_event, names_there))) > 1]
    conflicts += [number for number, name in have.items() if number in taken and name not in taken[number]]
    here = have.keys() | {number for number, named in taken.items() if named & unnumbered}
    missing = (taken.keys() if due is None else due) - here
    return Findings(
        accepted=len(taken),
        committed=len(have) + len(unnumbered),
        lost=tuple(sorted(missing - waiting)),
        late=tuple(sorted(missing & waiting)),
        phantom=tuple(sorted(name for name in names if name not in wanted)),
        doubled=tuple(sorted(name for name, times in names.items() if times > 1)),
        conflicts=tuple(sorted(set(conflicts))),
        reordered=_inversions(have, order),
    )


def _event(name: str) -> str:
    """Of a message of an event; a picture is one by itself."""
    return name.split("/", maxsplit=1)[0]


def _inversions(have: dict[Number, str], order: dict[str, int]) -> int:
    """How often, along the numbers of a stream, an earlier accepted name follows a later one."""
    wrong = 0
    for stream in {stream for stream, _ in have}:
        along = [order[have[n]] for n in sorted(n for n in have if n[0] == stream) if have[n] in order]
        wrong += sum(later < earlier for earlier, later in pairwise(along))
    return wrong
