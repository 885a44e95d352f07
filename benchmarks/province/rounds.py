"""Rounds of one program: seen at some rates and tried at others, and then held against the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Final

from benchmarks.province.capacity import sustained
from benchmarks.province.check import Checked, Tried, compared
from benchmarks.province.costs import ServiceTimes
from benchmarks.province.real.calibration import CalibrationRun, Seen, calibrated
from benchmarks.province.real.turns import Planner, Start, TriedProgram, Turns
from benchmarks.table import Row

ROUNDS: Final = 3
"""Each with processes and stores of its own: one program is not quite like another."""
RUN_S: Final = 5.0
"""Of each run, seen or tried."""


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
    """Each pass of a round has a model of its own, and all have the same rates.

    All rates are shares of what the model says that it takes in, once the program had a first short look: at
    none of those at which it is tried is it seen.

    Raises:
        NgatuError: a message has no receipt.
    """
    at_most = program.most(costs)
    turns = Turns(program.name, program.start, program.plan_of, place, RUN_S * share, say)
    say(f"{program.name}, a first look")
    most = min(at_most, program.most(calibrated(costs, [turns.seen_alone(at_most)])))
    several, ended = list[Seen](), list[TriedProgram]()
    checked, again = list[Checked](), list[Checked]()
    for number in range(1, rounds + 1):
        say(f"{program.name}, round {number} of {rounds}")
        was_seen, was_tried = turns.seen_and_tried(most, number)
        several += was_seen
        ended.append(was_tried)
        for of_pass, tried in zip(was_seen, was_tried.passes, strict=True):
            found = calibrated(costs, [of_pass])
            checked.append(Checked(_at_rest(found, [was_tried]), tried))
            again.append(Checked(found, [_as_tried(run, most) for run in of_pass.runs]))
    return RoundsResult(
        costs=_at_rest(calibrated(costs, several), ended),
        rows=[*compared(program.name, checked), *compared(f"{program.name}, seen", again)],
        hop_s=fmean(each.hop_s for each in ended),
        held_bytes=max(each.held_bytes for each in ended),
    )


def _as_tried(run: CalibrationRun, most: float) -> Tried:
    return Tried(run.share * most, run.share, run.plan, run.outcome)


def _at_rest(costs: ServiceTimes, programs: Sequence[TriedProgram]) -> ServiceTimes:
    """With what these cost while nothing came."""
    share = fmean(each.idle_share for each in programs)
    return replace(costs, idle_share=share, idle_bytes_s=fmean(each.idle_bytes_s for each in programs))
