"""The real program at rates that nothing is held against: what its single batches, waits and ways take there.

A batch that is driven by hand (intake.py) has the machine to itself. In the real program the broker, the sender
and the disk's own threads want it as well: that is seen here, and never at a rate at which the model is judged.
"""

from __future__ import annotations

import pickle
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np

from benchmarks.province.check import predicted
from benchmarks.province.costs import ServiceTimes, parts, set_straight
from benchmarks.province.phases import BatchSample, Phases, SeenBatches, Ways
from benchmarks.province.real.runs import Outcome, RunningProgram
from benchmarks.province.real.trace import Name, Trace, TracedBatch, named
from benchmarks.province.traffic import Sending

SHARES: Final = (0.2, 0.5, 0.8, 1.0)
"""Of what the model says can be taken. check.py judges at others, each of which lies between two of these: what
a batch costs changes with the load, and nothing that is seen says how it goes on above the highest."""


@dataclass(frozen=True, slots=True)
class CalibrationRun:
    """One plan, as the real program took it in."""

    share: float
    """Of what the model says can be taken."""
    plan: Sequence[Sending]
    began_s: float
    ended_s: float
    ways: dict[Name, tuple[float, float]]
    """When each message was sent, and when its receipt came."""
    outcome: Outcome

    @property
    def rate(self) -> float:
        """Messages a second, while the plan lasts."""
        return len(self.plan) / self.plan[-1].due_s


@dataclass(frozen=True, slots=True)
class Seen:
    """What one traced program showed in a pass, at each of the rates."""

    trace: Trace
    runs: Sequence[CalibrationRun]
    idle_share: float
    idle_bytes_s: float


def seen_at(program: RunningProgram, share: float, plans: Iterator[list[Sending]]) -> CalibrationRun:
    """One plan, of these that are of one rate, in a program that is traced.

    Raises:
        NgatuError: a message has no receipt.
    """
    plan, outcome = program.take(plans)
    stream = dict(plan[0].user)["stream"]
    ways = {_name(place, stream, seq): (sent_s, back_s) for place, seq, sent_s, back_s in program.ways}
    return CalibrationRun(share, plan, program.began_s, time.monotonic(), ways, outcome)


def seen(file: Path, program: RunningProgram, passes: Sequence[Sequence[CalibrationRun]]) -> list[Seen]:
    """Of what a program that has ended left in the file what belongs to each pass, with the pass's runs."""
    trace: Trace = pickle.loads(file.read_bytes())
    return [
        Seen(trace.between(runs[0].began_s, runs[-1].ended_s), runs, program.idle_share, program.idle_bytes_s)
        for runs in passes
    ]


def calibrated(costs: ServiceTimes, several: Sequence[Seen]) -> ServiceTimes:
    """The costs, their means as high as those of the runs, and single phases to draw from."""
    costs = replace(
        costs,
        idle_share=fmean(each.idle_share for each in several),
        idle_bytes_s=fmean(each.idle_bytes_s for each in several),
    )
    runs = [run for each in several for run in each.runs]
    items = {name_of(each): each.items for run in runs for each in run.plan}
    by_rate = [
        [(run, each.trace) for each in several for run in each.runs if run.share == share]
        for share in sorted({each.share for each in runs})
    ]
    batches = [_batches(of_rate, items) for of_rate in by_rate]
    samples = [sample for of_rate in batches for sample in of_rate.samples]
    sizes = [(each.messages, each.items) for each in samples]
    written = sum(each.outcome.written_bytes - costs.idle_bytes_s * each.outcome.lasted_s for each in runs)
    costs = replace(
        costs,
        deliver_s=set_straight(costs.deliver_s, [(each.messages, each.items, each.cpu_s) for each in samples]),
        blocked_s=set_straight(
            costs.blocked_s,
            [(each.messages, each.items, max(0.0, each.lasted_s - each.cpu_s)) for each in samples],
        ),
    )
    if kept := sum(costs.written.of(*each) for each in sizes):
        costs = replace(costs, written=costs.written.times(max(0.0, written) / kept))
    ways = [_ways(of_rate, costs) for of_rate in by_rate]
    phases = Phases(
        batches=tuple(sorted(batches, key=lambda each: each.rate)),
        quiet_s=tuple(lasted_s for each in several for _, lasted_s in each.trace.quiet) or (0.002,),
        attend_s=tuple(lasted_s for each in several for _, lasted_s in each.trace.attend) or (0.0,),
        ways=tuple(sorted(ways, key=lambda each: each.rate)),
        beside_s=0.0,
    )
    costs = replace(costs, phases=phases)
    foretold = [predicted(run.plan, costs, 0.0) for run in runs]
    made = np.array([(each.batches, len(run.plan)) for run, each in zip(runs, foretold, strict=True)])
    more_s = np.array([run.outcome.cpu_s - each.cpu_s for run, each in zip(runs, foretold, strict=True)])
    beside_batch_s, beside_s = parts(made, more_s)
    return replace(costs, phases=replace(phases, beside_s=beside_s, beside_batch_s=beside_batch_s))


def _batches(of_rate: Sequence[tuple[CalibrationRun, Trace]], items: dict[Name, int]) -> SeenBatches:
    """Those of one rate, of all runs."""
    found = [sample for run, trace in of_rate for sample in _samples(trace.batches, run, items)]
    return SeenBatches(
        fmean(run.rate for run, _ in of_rate), tuple(sorted(found, key=lambda each: each.messages))
    )


def _ways(of_rate: Sequence[tuple[CalibrationRun, Trace]], costs: ServiceTimes) -> Ways:
    """Those of one rate, of all runs."""
    found = [_ways_of(run, trace, costs) for run, trace in of_rate]
    return Ways(
        fmean(each.rate for each in found),
        tuple(way for each in found for way in each.in_s),
        tuple(way for each in found for way in each.out_s),
    )


def _within(batches: Sequence[TracedBatch], run: CalibrationRun) -> Iterator[TracedBatch]:
    return (each for each in batches if run.began_s <= each.began_s <= run.ended_s and each.names)


def _samples(
    batches: Sequence[TracedBatch], run: CalibrationRun, items: dict[Name, int]
) -> Iterator[BatchSample]:
    """Each with what was written since the one before, by whatever thread: it is the same log that all fill."""
    wrote: int | None = None
    for batch in _within(batches, run):
        held = sum(1 if name is None else items.get(name, 1) for name in batch.names)
        written = batch.wrote_after - (batch.wrote_before if wrote is None else wrote)
        yield BatchSample(len(batch.names), held, batch.cpu_s, batch.ended_s - batch.began_s, written)
        wrote = batch.wrote_after


def _ways_of(run: CalibrationRun, trace: Trace, costs: ServiceTimes) -> Ways:
    """There: of messages that came while no batch was kept, for only they were read as they came.

    Of those it takes whose reading was noted.
    """
    batches = list(_within(trace.batches, run))
    began_s, ended_s = [each.began_s for each in batches], [each.ended_s for each in batches]
    there, back = [], []
    for name, (sent_s, _) in sorted(run.ways.items(), key=lambda each: each[1]):
        heard_s = trace.heard_s.get(name)
        if heard_s is not None and bisect_right(began_s, heard_s) == bisect_right(ended_s, sent_s):
            there.append(max(0.0, heard_s - sent_s - costs.wake_s - costs.read_s))
    for batch in batches:
        back += [run.ways[name][1] - batch.ended_s for name in batch.names if name in run.ways]
    return Ways(run.rate, tuple(there) or (run.outcome.hop_s,), tuple(back))


def _name(place: str, stream: str, seq: int) -> Name:
    commune, device = place.split("/")[2:4]
    return named(commune, device, stream, seq)


def name_of(each: Sending) -> Name:
    """Whose it is, and which."""
    return _name(each.topic, dict(each.user)["stream"], each.seq)
