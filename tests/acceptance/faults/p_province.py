"""P91: a whole province, whose broker's nodes, workers and database are killed one after the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from tests.acceptance.faults.progress import least_left
from tests.acceptance.faults.province_stage import Judged, ProvinceStage, a_province
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.faults.uplink_crowd import FILL

AWAY_S: Final = 60.0
CONTACT_S: Final = 5.0
NODES, WORKERS = 3, 4
DOWN_S: Final = {"node": 20.0, "worker": 2.0, "primary": 5.0}
"""So long each is dead: until the machine starts again, until systemd acts, until the standby is promoted."""
STARTS_S: Final = 20.0
"""Uplinks that begin in a second."""
WAITS_S: Final = 330.0
"""What is not urgent waits for five minutes for more of its kind."""

Fault = tuple[str, int]


@promise(
    "P91", "stations of a province (332 before a release) tell alerts and counts by three nodes of RabbitMQ, "
    "by four workers to PostgreSQL with a standby in step; nodes, workers and the primary are killed",
    "0 lost, 0 twice; nobody is away and no alert waits longer than 60 s; first contact within 5 s",
    minutes=8,
)  # fmt: skip
def a_province_in_trouble(trial: Trial) -> str:
    """At the usual size one of each kind is killed; before a release each node, each worker and the primary."""
    if trial.size_of == "long":
        return in_trouble(
            trial, ProvinceSize(332, 50.0, 234.0, 600.0, tuple(range(NODES)), tuple(range(WORKERS)))
        )
    chance = trial.chance("P91")
    one = (chance.randrange(NODES),), (chance.randrange(WORKERS),)
    if trial.size_of == "quick":
        return in_trouble(trial, ProvinceSize(8, 2.0, 6.0, 45.0, *one))
    return in_trouble(trial, ProvinceSize(24, 4.0, 17.0, 90.0, *one))


@dataclass(frozen=True, slots=True)
class ProvinceSize:
    """How many stations, what they have to tell, and what dies."""

    stations: int
    alerts_s: float
    counts_s: float
    load_s: float
    nodes: tuple[int, ...]
    workers: tuple[int, ...]


def in_trouble(trial: Trial, size: ProvinceSize) -> str:
    """What was measured; raises Broken."""
    faults: list[Fault] = [("primary", 0), *(("node", at) for at in size.nodes)]
    faults += [("worker", at) for at in size.workers]
    trial.chance("faults").shuffle(faults)
    rates = {"starts_s": STARTS_S, "events_s": size.alerts_s, "counts_s": size.counts_s}
    with a_province(trial.folder, size.stations, WORKERS, trial.seed, **rates) as stage:
        contacts_s = stage.crowd.asked()["contacts_s"]
        stage.crowd.asked("load")
        lasted_s = _in_trouble(stage, faults, size.load_s)
        # Where each has hundreds of counts to tell nobody has to make them up at the end.
        fed = stage.crowd.asked("enough" if trial.size_of == "long" else f"enough {FILL}")
        accepted = int(fed["events"] + fed["counts"])
        least_left(lambda: stage.lacking(accepted), WAITS_S)
        figures, judged = stage.crowd.asked("figures"), stage.judged()
        memory = _memory(stage)
    said = (
        f"{size.stations} stations, {lasted_s:.0f} s, {fed['events'] // 2} alerts and {fed['counts']} counts, "
        f"killed in turn: {', '.join(f'{kind} {at + 1}' for kind, at in faults)}: {judged.findings}; "
        f"away at most {figures['away_s'][-1]:.1f} s; first contact {_spread(contacts_s)}; "
        f"alerts waited {_spread(judged.waits_s)}; {memory}"
    )
    if not _is_kept(judged, figures["away_s"], contacts_s):
        raise Broken(f"{said}; {judged.odd} conflicts and unreadable")
    return said


@promise(
    "P91.1", "planted fault: the primary does not wait for its standby, which lags when the primary is killed",
    "something is lost and the judge sees it",
    minutes=4,
)  # fmt: skip
def nobody_waits_for_the_standby(trial: Trial) -> str:
    """A suite that cannot turn red proves nothing."""
    number = trial.size(8, 40, quick=4)
    with a_province(
        trial.folder, number, 1, trial.seed, starts_s=STARTS_S, events_s=float(number), counts_s=1.0
    ) as stage:
        stage.crowd.asked()
        stage.pair.wait_no_more()
        stage.crowd.asked("load")
        time.sleep(10.0)
        stage.pair.fail_over()
        fed = stage.crowd.asked(f"enough {FILL}")
        least_left(lambda: stage.lacking(int(fed["events"] + fed["counts"])), 20.0)
        findings = stage.judged().findings
    if not findings.lost:
        raise Broken(f"nothing was lost: the judge is blind; {findings}")
    return str(findings)


def _in_trouble(stage: ProvinceStage, faults: Sequence[Fault], load_s: float) -> float:
    """Kill them, evenly over the time, or as soon as the one before is back; how many seconds that was."""
    began_s = time.monotonic()
    for turn, (kind, at) in enumerate(faults, 1):
        _sleep_until(began_s + turn * load_s / (len(faults) + 1), stage)
        if kind == "primary":
            stage.pair.primary.kill()
            _sleep_until(time.monotonic() + DOWN_S[kind], stage)
            stage.pair.fail_over()
        elif kind == "worker":
            stage.workers[at].kill()
            time.sleep(DOWN_S[kind])
            stage.workers[at].start()
        else:
            node = stage.cluster.nodes[at]
            stage.cluster.until_spare(node)
            node.kill()
            _sleep_until(time.monotonic() + DOWN_S[kind], stage)
            node.start()
            stage.cluster.until_up(node)
    _sleep_until(began_s + load_s, stage)
    return time.monotonic() - began_s


def _sleep_until(ends_s: float, stage: ProvinceStage) -> None:
    """Meanwhile a worker that has ended by itself is begun anew, as its service does."""
    while time.monotonic() < ends_s:
        for worker in stage.workers:
            worker.mind()
        time.sleep(0.5)


def _is_kept(judged: Judged, away_s: Sequence[float], contacts_s: Sequence[float]) -> bool:
    longest_s = max(away_s[-1], judged.waits_s[-1])
    return judged.findings.clean and not judged.odd and longest_s <= AWAY_S and contacts_s[-1] <= CONTACT_S


def _spread(seconds: Sequence[float]) -> str:
    """Half of them, 95 of 100, and all."""
    places = (len(seconds) // 2, len(seconds) * 95 // 100, -1)
    return "p50 {:.1f}, p95 {:.1f}, at most {:.1f} s".format(*(seconds[at] for at in places))


def _memory(stage: ProvinceStage) -> str:
    """What the parts hold."""
    parts = {
        "a node": [each.process for each in stage.cluster.nodes],
        "a worker": [each.process for each in stage.workers],
        "all stations": [stage.crowd.process],
    }
    held = {
        name: max(psutil.Process(each.pid).memory_info().rss for each in processes if each is not None) / 1e6
        for name, processes in parts.items()
    }
    return "memory " + ", ".join(f"{name} {mb:.0f} MB" for name, mb in held.items())
