"""What a program did, as it noted it (traced.py), by the clock that never steps and is the same to a sender."""

from __future__ import annotations

from dataclasses import dataclass, field

Name = str
"""Commune, device, stream and seq of a message, as one text: no collection of garbage looks at texts, where it
would look at tuples by the hundred thousand, in the program that is traced and in no other."""


def named(commune: str, device: str, stream: str, seq: int) -> Name:
    """Whose message it is, and which."""
    return f"{commune}/{device}/{stream}/{seq}"


@dataclass(frozen=True, slots=True)
class TracedBatch:
    """One batch."""

    began_s: float
    ended_s: float
    cpu_s: float
    names: tuple[Name | None, ...]
    """Of each message; None: it has no number."""
    wrote_before: int = 0
    """Bytes that the process had given the system to write since its start, when the batch began …"""
    wrote_after: int = 0
    """… and when it had ended."""


@dataclass(slots=True)
class Trace:
    """What a program did, in the order in which it did it."""

    batches: list[TracedBatch] = field(default_factory=list)
    heard_s: dict[Name, float] = field(default_factory=dict)
    """When each that was noted was read the first time."""
    quiet: list[tuple[float, float]] = field(default_factory=list)
    """When a wait began, and how long it lasted."""
    attend: list[tuple[float, float]] = field(default_factory=list)

    def between(self, from_s: float, to_s: float) -> Trace:
        """What began within a time; of the moments at which messages were read all."""
        return Trace(
            [each for each in self.batches if from_s <= each.began_s <= to_s],
            self.heard_s,
            [each for each in self.quiet if from_s <= each[0] <= to_s],
            [each for each in self.attend if from_s <= each[0] <= to_s],
        )
