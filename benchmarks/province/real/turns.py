"""Two processes of one program live at once: one is seen, the other tried, and plans are sent to them in turns.

One is traced, and what is seen of it feeds the model; the other is as ever, and how it does is what the model
has to foretell. How fast a machine is changes from minute to minute, and what a batch costs grows with what is
stored: short runs in turns give both nearly the same machine, and stores that grow alike. A pass over all rates
takes a minute or two, and what is tried in it is held against what was seen in it alone. More than can be taken
in comes once, at the end, so that what it leaves behind delays nothing that is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count, zip_longest
from pathlib import Path
from typing import Final

from benchmarks.province import check
from benchmarks.province.check import Tried
from benchmarks.province.day import arrivals
from benchmarks.province.real import calibration
from benchmarks.province.real.calibration import CalibrationRun, Seen, seen, seen_at
from benchmarks.province.real.runs import RunningProgram
from benchmarks.province.traffic import Sending

PASSES: Final = 4
"""Over all rates: up, down, up again and so on. Each is held against a model of its own."""
SEED_STEP: Final = 100
"""From one plan to the next: those of a trial that is made again have the numbers in between."""
Start = Callable[[Path, Path | None], AbstractContextManager[RunningProgram]]
"""A program with a broker of its own, in this new folder; traced into the file, if one is given."""
Planner = Callable[[Sequence[float], int], list[Sending]]


@dataclass(frozen=True, slots=True)
class Turns:
    """One program, and what runs it is given."""

    name: str
    start: Start
    plan_of: Planner
    place: Path
    seconds: float
    say: Callable[[str], None]
    seeds: Iterator[int] = field(default_factory=lambda: count(SEED_STEP, SEED_STEP))

    def seen_alone(self, at_most: float) -> Seen:
        """What is seen of it at its shares of `at_most` arrivals a second, once each, with no other beside it.

        Raises:
            NgatuError: a message has no receipt.
        """
        folder, trace = self._places("alone")
        with self.start(folder, trace) as traced:
            runs = [self._see(traced, share, at_most) for share in calibration.SHARES]
        return seen(trace, traced, [runs])[0]

    def seen_and_tried(self, most: float, number: int) -> tuple[list[Seen], TriedProgram]:
        """Seen at its shares of `most` arrivals a second, and tried at others of them, in turns; by passes.

        Raises:
            NgatuError: a message has no receipt.
        """
        (seen_folder, trace), (tried_folder, _) = (
            self._places(f"{number}-{each}") for each in ("seen", "tried")
        )
        runs: list[list[CalibrationRun]] = [[] for _ in range(PASSES)]
        tried: list[list[Tried]] = [[] for _ in range(PASSES)]
        with self.start(seen_folder, trace) as traced, self.start(tried_folder, None) as plain:
            for turn in range(PASSES):
                rates = list(zip_longest(calibration.SHARES, check.SHARES))
                for to_see, to_try in reversed(rates) if turn % 2 else rates:
                    if to_see is not None:
                        runs[turn].append(self._see(traced, to_see, most))
                    if to_try is not None:
                        tried[turn].append(self._try(plain, to_try, most))
            tried[-1].append(self._try(plain, check.TOO_MUCH, most))
            ended = TriedProgram(tried, plain.idle_share, plain.idle_bytes_s, plain.hop_s, plain.held_bytes)
        return seen(trace, traced, runs), ended

    def _see(self, program: RunningProgram, share: float, at_most: float) -> CalibrationRun:
        self.say(f"{self.name}, seen at {share * at_most:.0f} a second")
        return seen_at(program, share, self._plans(share * at_most))

    def _try(self, program: RunningProgram, share: float, most: float) -> Tried:
        self.say(f"{self.name}, tried at {share * most:.0f} a second")
        return Tried(share * most, share, *program.take(self._plans(share * most)))

    def _plans(self, rate: float) -> Iterator[list[Sending]]:
        """Plans of one rate, each another."""
        first = next(self.seeds)
        for seed in count(first):
            yield self.plan_of(list(arrivals(rate, self.seconds, seed)), seed)

    def _places(self, name: str) -> tuple[Path, Path]:
        return self.place / f"{self.name}-{name}", self.place / f"{self.name}-{name}.trace"


@dataclass(frozen=True, slots=True)
class TriedProgram:
    """How one did at each rate, and while nothing came."""

    passes: Sequence[Sequence[Tried]]
    idle_share: float
    idle_bytes_s: float
    hop_s: float
    held_bytes: int
    """The most memory that it had."""
