"""P90: a box and its station at different nodes of a broker that is a cluster."""

from __future__ import annotations

import math
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.faults.p_station import connects
from tests.acceptance.faults.rabbit_cluster import RabbitCluster, rabbit_cluster
from tests.acceptance.faults.stage import Receiver, Victim, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

MARK_S = 10.0
RATE = 4
LOOK_S = 0.2
MEANWHILE_S = 3.0
"""So long a box works before something happens to it."""
QUIET_S = 40.0
"""A picture that has waited for so long is waited for no longer."""


@promise(
    "P90", "a box and its station are at different nodes of RabbitMQ; each is killed and comes to another, "
    "then the nodes themselves are killed",
    "no picture waits longer than 10 s, 0 lost",
    minutes=6,
)  # fmt: skip
def box_and_station_apart(trial: Trial) -> str:
    """What a station says of itself is kept at its node only: a box elsewhere has to hear it all the same."""
    with rabbit_cluster(trial.folder) as cluster, _at_work(trial.folder, cluster) as (victim, station):
        waits = _moved(cluster, victim, station, trial.size(40, 400))
        for at, whose in ((0, "box"), (2, "station")):
            events = trial.size(60, 400)
            waits[f"the {whose}'s node killed"] = _longest_wait(
                victim, station, events, meanwhile=cluster.nodes[at].kill
            )
            cluster.nodes[at].start()
            cluster.until_up(cluster.nodes[at])
            cluster.until_spare(cluster.nodes[2])
        findings = settled(victim, station)
    said = "a picture waited at most: " + ", ".join(f"{name} {wait:.1f} s" for name, wait in waits.items())
    if not findings.clean or max(waits.values()) > MARK_S:
        raise Broken(f"{said}; {findings}")
    return f"{said}; {findings}"


@promise(
    "P90.1", "planted fault: a station that knows of no other node of its broker says once that it is there",
    "a box at another node keeps its pictures, and the trial sees it",
    minutes=3,
)  # fmt: skip
def said_once(trial: Trial) -> str:
    """A suite that cannot turn red proves nothing."""
    with rabbit_cluster(trial.folder) as cluster, _at_work(trial.folder, cluster) as (victim, station):
        waits = _moved(cluster, victim, station, trial.size(20, 40), knows=False)
    longest_s = waits["the box where the station was"]
    if longest_s <= MARK_S:
        raise Broken(f"a picture waited for {longest_s:.1f} s: the trial is blind")
    return f"a picture waited for {longest_s:.0f} s, and no longer was looked"


def _moved(
    cluster: RabbitCluster, victim: Victim, station: Receiver, events: int, *, knows: bool = True
) -> dict[str, float]:
    """Where they are, and the longest wait of a picture there; `knows`: the station, of the other nodes."""
    waits: dict[str, float] = {}
    _to(victim.config, cluster, 1)
    for life, (at, where) in enumerate(((0, "apart"), (2, "the station elsewhere")), 1):
        station.end(signal.SIGKILL)  # its last word, that it is away, stays at the node where it was
        _to(station.config, cluster, at, knows=knows)
        station.start()
        until(lambda life=life: connects(station) == life, 60, "the station is there")
        waits[where] = _longest_wait(victim, station, events)
    victim.kill()
    _to(victim.config, cluster, 0)  # where it finds that word
    waits["the box where the station was"] = _longest_wait(victim, station, events)
    return waits


@contextmanager
def _at_work(folder: Path, cluster: RabbitCluster) -> Iterator[tuple[Victim, Receiver]]:
    """A box and a station, none of them started yet; they end with the block."""
    port = cluster.nodes[0].port
    victim, station = Victim(folder, port, waits="receipt_timeout_s: 30"), Receiver(folder, port)
    try:
        yield victim, station
    finally:
        victim.kill()
        station.end(signal.SIGKILL)


def _to(config: Path, cluster: RabbitCluster, first: int, *, knows: bool = True) -> None:
    """Have it try this node first, or know of no other, from its next life on."""
    known = r"host: 127\.0\.0\.1, port: \d+(, hosts: \[[^\]]*\])?"
    nodes = cluster.addresses(first) if knows else f"host: 127.0.0.1, port: {cluster.nodes[first].port}"
    config.write_text(re.sub(known, nodes, config.read_text()))


def _longest_wait(
    victim: Victim, station: Receiver, events: int, meanwhile: Callable[[], None] = lambda: None
) -> float:
    """Feed so many events with a picture each; the longest time from accepting a picture to its commit."""
    victim.end()
    first = len(victim.accepted)
    victim.start(events, rate=RATE, picture_every=1)
    came_s: dict[str, float] = {}
    longest_s, due_s = 0.0, time.monotonic() + MEANWHILE_S
    while not victim.fed.is_set() or came_s:
        if time.monotonic() >= due_s:
            due_s = math.inf
            meanwhile()
        now_s = time.monotonic()
        for row in victim.accepted[first:]:
            first += 1
            if "/" not in row.name:
                came_s[row.name] = now_s
        for row in station.committed() if came_s else ():
            longest_s = max(longest_s, now_s - came_s.pop(row.name, now_s))
        longest_s = max(longest_s, *(now_s - since_s for since_s in came_s.values()), 0.0)
        if longest_s > QUIET_S:
            break
        time.sleep(LOOK_S)
    return longest_s
