"""What things cost, as they were measured in this run: the numbers that the model is fed with. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from benchmarks.province.phases import Phases


class Cost(Protocol):
    """Seconds or bytes of a batch."""

    def of(self, messages: int, items: int) -> float:
        """Of so many messages, which hold so many things."""
        ...

    def times(self, factor: float) -> Cost:
        """So many times as much."""
        ...

    def plus(self, more: float) -> Cost:
        """So much more, whatever is in it."""
        ...


@dataclass(frozen=True, slots=True)
class Curve:
    """A cost by the number of messages, measured at some numbers; straight between them and beyond the last.

    Raises:
        ValueError: fewer than two sizes, or not from small to large.
    """

    sizes: tuple[int, ...]
    costs: tuple[float, ...]

    def __post_init__(self) -> None:
        if (
            len(self.sizes) < 2
            or len(self.sizes) != len(self.costs)
            or sorted(set(self.sizes)) != [*self.sizes]
        ):
            raise ValueError(f"a cost for each of two sizes and more, the smallest first: {self.sizes}")

    def of(self, messages: int, items: int = 0) -> float:
        """The cost; what the messages hold does not count."""
        at = min(max(bisect_right(self.sizes, messages), 1), len(self.sizes) - 1)
        (left, right), (low, high) = self.sizes[at - 1 : at + 1], self.costs[at - 1 : at + 1]
        return low + (high - low) * (messages - left) / (right - left)

    def times(self, factor: float) -> Curve:
        """So many times as much."""
        return Curve(self.sizes, tuple(factor * each for each in self.costs))

    def plus(self, more: float) -> Curve:
        """So much more, whatever is in it."""
        return Curve(self.sizes, tuple(each + more for each in self.costs))


@dataclass(frozen=True, slots=True)
class Plane:
    """A cost with a part for each batch, each message and each thing in it."""

    batch: float
    message: float
    item: float

    @classmethod
    def through(cls, measured: Sequence[tuple[int, int, float]]) -> Plane:
        """The least squares of (messages, items, cost), with no part below zero.

        Errors count as shares of what was measured: else the largest batches alone would decide.
        """
        columns = np.array([[1.0, messages, items] for messages, items, _ in measured])
        costs = np.array([cost for _, _, cost in measured])
        weights = 1 / np.maximum(costs, 1e-9)
        return cls(*parts(columns * weights[:, None], costs * weights))

    def of(self, messages: int, items: int) -> float:
        """The cost."""
        return self.batch + self.message * messages + self.item * items

    def times(self, factor: float) -> Plane:
        """So many times as much."""
        return Plane(factor * self.batch, factor * self.message, factor * self.item)

    def plus(self, more: float) -> Plane:
        """So much more, whatever is in it."""
        return replace(self, batch=self.batch + more)


def parts(columns: np.ndarray, costs: np.ndarray) -> list[float]:
    """How much of each column is in the costs, by least squares and with none below nothing."""
    chosen, found = list(range(columns.shape[1])), [0.0] * columns.shape[1]
    while chosen:
        solved = np.linalg.lstsq(columns[:, chosen], costs, rcond=None)[0].tolist()
        if min(solved) >= 0:
            for name, part in zip(chosen, solved, strict=True):
                found[name] = part
            break
        chosen.pop(solved.index(min(solved)))
    return found


def set_straight(cost: Cost, seen: Sequence[tuple[int, int, float]]) -> Cost:
    """The cost as what was seen of (messages, items, cost) has it: so many times as much, and some more.

    By least squares, so in the mean it is right over what was seen. Where either would be below nothing, as if
    all that was seen is of one size, it is only so many times as much.

    Raises:
        ValueError: nothing was seen, or nothing of what was seen costs anything by the cost that is given.
    """
    expected = np.array([cost.of(messages, items) for messages, items, _ in seen])
    found = np.array([each for _, _, each in seen])
    if not expected.sum() > 0:
        raise ValueError("a cost is set straight by what was seen of it")
    columns = np.column_stack([np.ones(len(seen)), expected])
    (more, factor), _, rank, _ = np.linalg.lstsq(columns, found, rcond=None)
    if rank < 2 or more < 0 or factor < 0:
        return cost.times(float(found.sum() / expected.sum()))
    return cost.times(float(factor)).plus(float(more))


@dataclass(frozen=True, slots=True)
class ServiceTimes:
    """What taking messages in costs a station, or a worker of the province."""

    look_s: float
    """Processor of one look at the connection when nothing has come."""
    wake_s: float
    """Of one that brings something, beside what it brings."""
    read_s: float
    """Processor of reading one message more in the same look."""
    deliver_s: Cost
    """Processor of handing over a batch: read, compared, committed, receipted."""
    blocked_s: Cost
    """How long a batch waits for the disk or for the database beside that, in the mean."""
    blocked_ratios: tuple[float, ...]
    """What each batch waited, beside the mean of its size."""
    written: Cost
    """Bytes that a batch has the system write."""
    idle_share: float = 0.0
    """Of one processor, while nothing comes."""
    idle_bytes_s: float = 0.0
    store_s: Cost | None = None
    """Processor of the database's own processes for a batch."""
    phases: Phases | None = None
    """Single batches, waits and ways of the real program; without them each is as the mean says."""


@dataclass(frozen=True, slots=True)
class CommuneCosts:
    """What one event is and costs in a commune."""

    station: ServiceTimes
    broker_s: float
    """Processor of mosquitto for each message, in and out."""
    hop_s: float
    """From whoever publishes through the broker to whoever listens, with nothing in the way."""
    event_bytes: float
    """On the link, of all messages of an event with its picture."""
    picture_bytes: float
    """Of these, the picture's."""
    messages: float
    """Of an event."""
    kept_bytes: float
    """On the station's disk for each event, as long as it is kept."""
    quota_bytes: float
    """What the station counts for an event's messages against the quota of its box."""
    quota_picture_bytes: float
    """Of these, its picture."""
    box_bytes: float
    """What one event has the box write on its card."""


@dataclass(frozen=True, slots=True)
class UplinkCosts:
    """What one look of the uplink costs the station, by the number of new alerts; and what goes up."""

    turn_s: Curve
    envelope_bytes: Curve
    """On the link, topic and properties included, of one with so many items."""


@dataclass(frozen=True, slots=True)
class SealCosts:
    """What a seal of a box is to the province, by the number of hashes in it, which nothing packs."""

    link_bytes: Curve
    kept_bytes: Curve
    log_bytes: Curve
    items: Curve
    """To the processor it is as much as so many messages of events."""


@dataclass(frozen=True, slots=True)
class ProvinceCosts:
    """What an envelope costs the province."""

    worker: ServiceTimes
    broker_s: float
    """Processor of a node of the broker for each envelope with its receipt."""
    broker: str
    """Which broker that was."""
    hop_s: float
    kept_bytes: Plane
    """On PostgreSQL's disk."""
    log_bytes: Plane
    """Of PostgreSQL's log of changes, which goes to the standby as well."""
    seal: SealCosts
