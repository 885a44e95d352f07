"""Compares what a box took with what the station has. It trusts neither: both histories are written elsewhere.

    intended    written by the feeder before it asks the outbox to keep a message
    accepted    written after the outbox has said that it is kept, with its stream and seq
    committed   read from the station's own store when the faults are over

    lost        accepted, and the station has nothing under that number
    phantom     the station has a message that nobody intended
    doubled     the station has one message twice
    conflict    the station has under a number something else than what was accepted there
    reordered   of one camera, a later event has a lower number than an earlier one

After Jepsen's set checker (Kingsbury and Alvaro, "Elle", VLDB 2020, section 2, has the vocabulary).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

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
    late: int = 0
    """Of the lost: still waiting in the box."""

    @property
    def clean(self) -> bool:
        """Nothing is wrong."""
        return not (self.lost or self.phantom or self.doubled or self.conflicts or self.reordered)

    def __str__(self) -> str:
        return (
            f"{self.accepted} accepted, {self.committed} at the station: {len(self.lost) - self.late} lost, "
            f"{f'{self.late} late, ' if self.late else ''}"
            f"{len(self.phantom)} phantom, {len(self.doubled)} doubled, {len(self.conflicts)} conflicts, "
            f"{self.reordered} out of order"
        )


def judge(intended: Iterable[str], accepted: Iterable[Row], committed: Iterable[Row]) -> Findings:
    """Compare the three histories.

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
    return Findings(
        accepted=len(taken),
        committed=len(have) + len(unnumbered),
        lost=tuple(sorted(n for n, hashes in taken.items() if n not in have and not hashes & unnumbered)),
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
