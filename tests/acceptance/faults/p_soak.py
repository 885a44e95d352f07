"""P41: everything at once, for as long as there is patience; and what delivery costs while nothing is wrong."""

from __future__ import annotations

import signal
import time
from collections import Counter
from random import Random

import psutil

from tests.acceptance.faults.chaos import Chaos, chaos
from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import Receiver, Victim, playing, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.faults.yardstick import rows_per_s
from tests.support.brokers import Mosquitto

RATE = 60
"""Events a second: in ten minutes as many as a busy box has in eight hours."""
GROWN_MB, GROWN_FDS, GROWN_THREADS = 20.0, 8, 4
PUT_SHARE, DRAIN_SHARE = 40, 100
"""Parts of the yardstick's rate, which writes rows and does nothing else (yardstick.py)."""


@promise(
    "P41", "eight hours of events in ten minutes while boxes, brokers, stations and links fail at random",
    "0 lost, 0 phantom, 0 doubled; memory, descriptors and threads of the box flat",
    minutes=13,
)  # fmt: skip
def soak(trial: Trial) -> str:
    """The box is killed rarely, so that its lives are long enough to leak."""
    seconds, chance = trial.size(600, 86_400, quick=25), trial.chance("P41")
    faults: Counter[str] = Counter()
    with playing(trial.folder) as (_, server, station), chaos(server.port, seed=trial.seed) as link:
        victim = Victim(trial.folder / "box", link.port)
        watch = _Watch(victim)
        victim.start(100_000_000, rate=RATE)
        try:
            ends_s = time.monotonic() + seconds
            while time.monotonic() < ends_s:
                time.sleep(chance.uniform(0.5, 4.0))
                fault = chance.choices(list(FAULTS), [weight for weight, _ in FAULTS.values()])[0]
                FAULTS[fault][1](victim, server, station, link, chance)
                faults[fault] += 1
                watch.look()
            link.behave(latency_s=0.0, rate_bytes_s=0.0, silent=False, refused=False)
            victim.end()
            victim.start(20)
            findings = settled(victim, station)
        finally:
            victim.kill()
    summary = f"{seconds} s, {sum(faults.values())} faults {dict(faults)}: {findings}; {watch}"
    if not findings.clean or station.conflicts() or watch.grown:
        raise Broken(summary)
    return summary


def _kill_box(victim: Victim, _server: Mosquitto, _station: Receiver, _link: Chaos, _chance: Random) -> None:
    victim.kill()
    victim.start(100_000_000, rate=RATE)


def _kill_broker(_victim: Victim, server: Mosquitto, _station: Receiver, _link: Chaos, chance: Random) -> None:
    server.kill()
    time.sleep(chance.uniform(0.0, 2.0))
    server.start()


def _kill_station(_victim: Victim, _server: Mosquitto, station: Receiver, _link: Chaos, chance: Random) -> None:
    station.end(signal.SIGKILL)
    time.sleep(chance.uniform(0.0, 2.0))
    station.start()


def _silence(_victim: Victim, _server: Mosquitto, _station: Receiver, link: Chaos, chance: Random) -> None:
    link.behave(silent=True)
    time.sleep(chance.uniform(0.5, 4.0))
    link.behave(silent=False)


def _slow(_victim: Victim, _server: Mosquitto, _station: Receiver, link: Chaos, chance: Random) -> None:
    link.behave(rate_bytes_s=chance.uniform(4_000, 40_000), latency_s=chance.uniform(0, 0.5))
    time.sleep(chance.uniform(1.0, 5.0))
    link.behave(rate_bytes_s=0.0, latency_s=0.0)


def _reset(_victim: Victim, _server: Mosquitto, _station: Receiver, link: Chaos, _chance: Random) -> None:
    link.reset()


FAULTS = {
    "box killed": (1, _kill_box),
    "broker killed": (3, _kill_broker),
    "station killed": (3, _kill_station),
    "link silent": (3, _silence),
    "link slow": (3, _slow),
    "link reset": (5, _reset),
}


class _Watch:
    """How much a life of the box has grown since it was warm."""

    def __init__(self, victim: Victim) -> None:
        self._victim = victim
        self._life = 0
        self._warm_s = 0.0
        self._first: tuple[float, int, int] | None = None
        self.worst = (0.0, 0, 0)

    def look(self) -> None:
        """Measure; the first half minute of a life is warming up."""
        now = time.monotonic()
        if self._victim.lives != self._life:
            self._life, self._warm_s, self._first = self._victim.lives, now + 30, None
        if now < self._warm_s or not self._victim.alive:
            return
        box = psutil.Process(self._victim.pid)
        seen = (box.memory_info().rss / 1e6, box.num_fds(), box.num_threads())
        if self._first is None:
            self._first = seen
        grown = tuple(b - a for a, b in zip(self._first, seen, strict=True))
        self.worst = (
            max(self.worst[0], grown[0]),
            int(max(self.worst[1], grown[1])),
            int(max(self.worst[2], grown[2])),
        )

    @property
    def grown(self) -> bool:
        """More than a life may."""
        return self.worst[0] > GROWN_MB or self.worst[1] > GROWN_FDS or self.worst[2] > GROWN_THREADS

    def __str__(self) -> str:
        return f"grown by at most {self.worst[0]:.1f} MB, {self.worst[1]} descriptors, {self.worst[2]} threads"


@promise(
    "R1", "a full outbox drains to a station that receipts; put() in batches",
    f"put at 1/{PUT_SHARE}, drained at 1/{DRAIN_SHARE} of what plain SQLite makes durable beside it, or faster",
)  # fmt: skip
def rates(trial: Trial) -> str:
    """On loopback, with synchronous=FULL on both sides. Rates are the machine's: each beside a yardstick."""
    events = trial.size(10_000, 100_000)
    with playing(trial.folder) as (victim, _, station):
        station.end()
        victim.start(events, picture_every=0)
        until_none_is_missing(lambda: max(0, 100 - len(victim.accepted)), "the first to be accepted")
        began, there = time.monotonic(), len(victim.accepted)
        victim.until_fed()
        put = (len(victim.accepted) - there) / (time.monotonic() - began)
        plain = [rows_per_s(trial.folder)]
        station.start()
        until_none_is_missing(lambda: max(0, 50 - station.count()), "the drain to begin")
        began, there = time.monotonic(), station.count()
        until_none_is_missing(lambda: max(0, int(0.98 * events) - station.count()), "all to arrive")
        drained = (station.count() - there) / (time.monotonic() - began)
        findings = settled(victim, station)
        plain.append(rows_per_s(trial.folder))
    rates = f"put {put:.0f}/s, drained {drained:.0f}/s, plain SQLite {min(plain):.0f}/s"
    figures = f"{events} events: {rates}; {findings}"
    if not findings.clean or put * PUT_SHARE < min(plain) or drained * DRAIN_SHARE < min(plain):
        raise Broken(figures)
    return figures
