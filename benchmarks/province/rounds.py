"""Rounds of one program: seen at some rates, tried at others, in turns, and then held against the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Final

from benchmarks.province.capacity import sustained
from benchmarks.province.check import Checked, Planner, Tried, compared, tried
from benchmarks.province.costs import ServiceTimes
from benchmarks.province.real.calibration import SHARES, Seen, calibrated, seen
from benchmarks.province.real.runs import RunningProgram
from benchmarks.table import Row

ROUNDS: Final = 3
"""An odd number has a round in its middle."""
RUN_S: Final = 15.0
"""Of each run, seen or tried: what a batch costs grows with what is stored, so both stores grow alike."""
ROUND_SEED: Final = 10_000_000
Start = Callable[[Path, Path | None], AbstractContextManager[RunningProgram]]
"""A program with a broker of its own, in this new folder; traced into the file, if one is given."""


@dataclass(frozen=True, slots=True)
class CheckedProgram:
    """A program that rounds are made with."""

    name: str
    start: Start
    plan_of: Planner
    items: int = 1
    """In a message."""
    messages: float = 1.0
    """That come of one arrival."""

    def most(self, costs: ServiceTimes) -> float:
        """Arrivals a second that it takes in, as the model says."""
        return sustained(costs, self.items) / self.messages


@dataclass(frozen=True, slots=True)
class RoundsResult:
    """What the rounds gave."""

    costs: ServiceTimes
    rows: list[Row]
    hop_s: float
    held_bytes: int
    """The most memory that it had."""


def in_rounds(
    program: CheckedProgram,
    costs: ServiceTimes,
    place: Path,
    say: Callable[[str], None],
    share: float = 1.0,
    rounds: int = ROUNDS,
) -> RoundsResult:
    """The rates are shares of what the model says: those at which it is seen before that, those tried after.

    Each round has a model of its own: how fast the machine is changes from minute to minute.

    Raises:
        NgatuError: a message has no receipt.
    """
    at_most, seconds = program.most(costs), RUN_S * share
    rates = [each * at_most for each in SHARES]
    several, ended, held_bytes = list[Seen](), list[RunningProgram](), 0
    checked, again = list[Checked](), list[Checked]()
    for number in range(rounds):
        name, seed = f"{program.name}-{number + 1}", number * ROUND_SEED
        say(f"{program.name}, round {number + 1} of {rounds}")
        start = partial(program.start, place / f"{name}-seen")
        file = place / f"{name}.trace"
        several.append(seen(start, file, program.plan_of, rates, seconds, seed, say))
        found = calibrated(costs, several[-1:])
        most = min(at_most, program.most(found))
        with program.start(place / f"{name}-run", None) as running:
            outcomes = tried(program.name, running, program.plan_of, most, seconds, seed, say)
            held_bytes = max(held_bytes, running.held_bytes)
        ended.append(running)
        checked.append(Checked(_at_rest(found, ended[-1:]), outcomes))
        fed = zip(rates, SHARES, several[-1].runs, strict=True)
        again.append(Checked(found, [Tried(*rate, list(run.plan), run.outcome) for *rate, run in fed]))
    costs = _at_rest(calibrated(costs, several), ended)
    rows = [*compared(program.name, checked), *compared(f"{program.name}, seen", again)]
    return RoundsResult(costs, rows, fmean(each.hop_s for each in ended), held_bytes)


def _at_rest(costs: ServiceTimes, programs: Sequence[RunningProgram]) -> ServiceTimes:
    """With what these cost while nothing came."""
    share = fmean(each.idle_share for each in programs)
    return replace(costs, idle_share=share, idle_bytes_s=fmean(each.idle_bytes_s for each in programs))
