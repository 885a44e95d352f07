"""The model held against the real thing, pass by pass: a machine's pace changes from minute to minute.

One real program is seen (real/calibration.py) and another tried, in turns (real/turns.py). In each pass over
all rates the model is fed with what was seen in that pass, and with nothing of how a tried plan went. Of all
passes the median counts. What was seen is held against the model, too: there the same seconds have fed it, so
what it is off is its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import fsum
from random import Random
from statistics import median
from typing import Final

from benchmarks.province.costs import ServiceTimes
from benchmarks.province.engine import Timeline
from benchmarks.province.intake_loop import Arrived, IntakeLoop
from benchmarks.province.phases import in_order
from benchmarks.province.real.runs import Outcome
from benchmarks.province.traffic import Sending
from benchmarks.table import Row

SHARES: Final = (1 / 3, 2 / 3, 0.9)
"""Of what the model says can be taken; what the model is fed with was seen at others (real/calibration.py)."""
TOO_MUCH: Final = 1.2
"""More than can be taken in. Nobody holds the model to it."""
DRAWS: Final = 5
"""Of each plan: by its seed alone, a busy station's p95 was told 14, 30 or 45 % too late."""


def predicted(plan: Sequence[Sending], costs: ServiceTimes, hop_s: float, seed: int = 1) -> Outcome:
    """How a plan goes in the model; `hop_s` is the way through the broker where no single ways were seen."""
    timeline = Timeline()
    loop = IntakeLoop(timeline, costs, seed, rate=_rate(plan))
    arrived = _arrived(plan, costs, hop_s, seed)
    for each in arrived:
        timeline.at(each.at_s, partial(loop.arrive, each))
    ends_s = arrived[-1].at_s
    timeline.run(ends_s)
    while loop.kept < len(plan):
        ends_s += 0.01
        timeline.run(ends_s)
    lasted_s = ends_s + arrived[-1].back_s
    cpu_s = loop.cpu_s + costs.idle_share * lasted_s
    if costs.phases is not None:
        cpu_s += costs.phases.beside_s * len(plan) + costs.phases.beside_batch_s * loop.batches
    written_bytes = loop.written_bytes + costs.idle_bytes_s * lasted_s
    return Outcome(cpu_s, lasted_s, written_bytes, tuple(sorted(loop.took_s)), hop_s, batches=loop.batches)


def _arrived(plan: Sequence[Sending], costs: ServiceTimes, hop_s: float, seed: int) -> list[Arrived]:
    """Each message with its way there and back."""
    ways = [(hop_s, hop_s)] * len(plan)
    if costs.phases is not None:
        ways = list(costs.phases.ways_of(_rate(plan), len(plan), Random(seed)))
    moments_s = in_order([each.due_s for each in plan], [there_s for there_s, _ in ways])
    return [
        replace(each.arrived(at_s), back_s=back_s)
        for each, at_s, (_, back_s) in zip(plan, moments_s, ways, strict=True)
    ]


def _rate(plan: Sequence[Sending]) -> float:
    """Messages a second."""
    return len(plan) / plan[-1].due_s if plan[-1].due_s else 0.0


@dataclass(frozen=True, slots=True)
class Tried:
    """How a plan of one rate went in the real program."""

    rate: float
    share: float
    """Of what can be taken in."""
    plan: Sequence[Sending]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Checked:
    """One pass: what was seen in it, and how it went at each rate."""

    costs: ServiceTimes
    tried: Sequence[Tried]


def compared(name: str, passes: Sequence[Checked]) -> Iterator[Row]:
    """Rows of each rate and figure: medians of the passes, of the model, the real run and how far it is off.

    Of the runs of one rate in a pass each figure is of all together.
    """
    for share in sorted({each.share for of in passes for each in of.tried}):
        having = [
            (of.costs, runs) for of in passes if (runs := [each for each in of.tried if each.share == share])
        ]
        runs_of = [runs for _, runs in having]
        foretold = [_foretold(costs, runs) for costs, runs in having]
        happened = [together([each.outcome for each in runs]) for runs in runs_of]
        for figure, of_outcome in FIGURES.items():
            if figure == WRITTEN and passes[0].costs.store_s is not None:  # a worker writes nothing itself
                continue
            models, real = ([of_outcome(each) for each in outcomes] for outcomes in (foretold, happened))
            off = [100 * (model / found - 1) for model, found in zip(models, real, strict=True)]
            beside = zip(real, off, strict=True)
            yield {
                "what": name, "arrivals a second": round(runs_of[0][0].rate, 1),
                "of the most": f"{share:.0%}", "figure": figure,
                "model": _short(median(models)), "real": _short(median(real)),
                "deviation, %": round(median(off), 1),
                "each pass": " ".join(f"{_short(found):g} ({by:+.0f})" for found, by in beside),
                "trials": sum(each.outcome.trials for runs in runs_of for each in runs),
            }  # fmt: skip


def _foretold(costs: ServiceTimes, runs: Sequence[Tried]) -> Outcome:
    """How these go in the model: the mean of some draws, for what is by chance in one is nobody's finding."""
    draws = [predicted(each.plan, costs, each.outcome.hop_s, seed) for each in runs for seed in range(DRAWS)]
    of_all = together(draws)
    return replace(
        of_all,
        cpu_s=of_all.cpu_s / DRAWS,
        lasted_s=of_all.lasted_s / DRAWS,
        written_bytes=of_all.written_bytes / DRAWS,
    )


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """What some runs, one after the other, were in all."""
    return Outcome(
        cpu_s=fsum(each.cpu_s for each in outcomes),
        lasted_s=fsum(each.lasted_s for each in outcomes),
        written_bytes=fsum(each.written_bytes for each in outcomes),
        took_s=tuple(sorted(took_s for each in outcomes for took_s in each.took_s)),
        hop_s=max(each.hop_s for each in outcomes),
        late_s=max(each.late_s for each in outcomes),
        trials=sum(each.trials for each in outcomes),
    )


WRITTEN: Final = "written, MB"
FIGURES: Final[dict[str, Callable[[Outcome], float]]] = {
    "processor, %": lambda each: 100 * each.cpu_s / each.lasted_s,
    "receipt p50, ms": lambda each: 1000 * each.percentile(0.5),
    "receipt p95, ms": lambda each: 1000 * each.percentile(0.95),
    WRITTEN: lambda each: each.written_bytes / 1e6,
    "all receipted after, s": lambda each: each.lasted_s,
}
"""What is compared."""


def _short(value: float) -> float:
    return float(f"{value:.3g}")
