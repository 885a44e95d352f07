"""The model held against the real thing: it says each figure of a plan first, and then the plan is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from benchmarks.province.costs import ServiceTimes
from benchmarks.province.day import arrivals
from benchmarks.province.engine import Timeline
from benchmarks.province.intake_loop import IntakeLoop, sustained
from benchmarks.province.real.runs import Outcome, RunningProgram
from benchmarks.province.traffic import Sending
from benchmarks.table import Row

SHARES: Final = (1 / 3, 2 / 3, 0.9, 1.2)
"""Of what the model says can be taken."""
Planner = Callable[[Sequence[float], int], list[Sending]]


def predicted(plan: Sequence[Sending], costs: ServiceTimes, hop_s: float, seed: int = 1) -> Outcome:
    """How a plan goes in the model."""
    timeline = Timeline()
    loop = IntakeLoop(timeline, costs, seed)
    for each in plan:
        arrived = each.arrived(each.due_s + hop_s)
        timeline.at(arrived.at_s, partial(loop.arrive, arrived))
    ends_s = plan[-1].due_s + hop_s
    timeline.run(ends_s)
    while loop.kept < len(plan):
        ends_s += 0.01
        timeline.run(ends_s)
    lasted_s = ends_s + hop_s
    took_s = tuple(sorted(each + hop_s for each in loop.took_s))
    cpu_s = loop.cpu_s + costs.idle_share * lasted_s
    return Outcome(cpu_s, lasted_s, loop.written_bytes + costs.idle_bytes_s * lasted_s, took_s, hop_s)


def compared(
    name: str,
    program: RunningProgram,
    costs: ServiceTimes,
    plan_of: Planner,
    *,
    messages: float,
    items: int,
    seconds: float,
    say: Callable[[str], None],
) -> Iterator[Row]:
    """Rows of each rate and figure; `messages` and `items` are those of one arrival and one message."""
    costs = replace(costs, idle_share=program.idle_share, idle_bytes_s=program.idle_bytes_s)
    at_most = sustained(costs, items) / messages
    for number, share in enumerate(SHARES):
        rate = share * at_most
        say(f"{name}, {rate:.0f} a second")
        plans = _plans(plan_of, rate, seconds, 10_000 * (number + 1))
        before, found = program.take(plans, lambda plan, hop_s: predicted(plan, costs, hop_s))
        for figure, of in FIGURES.items():
            model, real = of(before), of(found)
            if not real:  # a worker writes nothing itself
                continue
            yield {
                "what": name, "arrivals a second": round(rate, 1), "of the most": f"{share:.0%}",
                "figure": figure,
                "model": _short(model), "real": _short(real),
                "deviation, %": round(100 * (model / real - 1), 1), "trials": found.trials,
            }  # fmt: skip


FIGURES: Final[dict[str, Callable[[Outcome], float]]] = {
    "processor, %": lambda each: 100 * each.cpu_s / each.lasted_s,
    "receipt p50, ms": lambda each: 1000 * each.percentile(0.5),
    "receipt p95, ms": lambda each: 1000 * each.percentile(0.95),
    "written, MB": lambda each: each.written_bytes / 1e6,
    "all receipted after, s": lambda each: each.lasted_s,
}
"""What is compared."""


def _plans(plan_of: Planner, rate: float, seconds: float, seed: int) -> Iterator[list[Sending]]:
    while True:
        yield plan_of(list(arrivals(rate, seconds, seed)), seed)
        seed += 1


def _short(value: float) -> float:
    return float(f"{value:.3g}")
