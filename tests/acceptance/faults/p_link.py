"""P4, P10, P11, P12: bad links and long outages."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import nullcontext
from statistics import median

import psutil

from agent.mqtt.settings import BrokerSettings
from tests.acceptance.faults.chaos import chaos
from tests.acceptance.faults.judge import Row
from tests.acceptance.faults.netns import dropped, in_a_network_of_its_own
from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import Spy, Victim, playing, settled
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise, within
from tests.acceptance.faults.yardstick import rows_per_s
from tests.support.brokers import MOSQUITTO, Mosquitto, until

KEEPALIVE_S = BrokerSettings().keepalive_s
DRAIN_SHARE = 200
"""Parts of the yardstick's rate: messages with pictures, large ones too, through box, broker and station."""
PATIENT = "backoff_min_s: 0.2, backoff_max_s: 1"
"""Receipts are waited for as long as on a pole: on a slow link they come late."""


@promise(
    "P4", "the broker is away while the box takes a flood of events and pictures, then comes back",
    "0 lost, in order, memory grows by at most 20 MB, the backlog drains at "
    f"1/{DRAIN_SHARE} of what plain SQLite makes durable beside it, or faster",
    minutes=0.6,
)  # fmt: skip
def outage(trial: Trial) -> str:
    """Three days of a busy box's events in minutes: what counts is how many there are."""
    events = trial.size(20_000, 100_000, quick=1000)
    with playing(trial.folder) as (victim, server, station):
        victim.start(20)
        victim.until_fed()
        server.kill()
        victim.end()
        victim.start(events, warm=True)  # what a camera and a detector take on their start is no growth
        box = psutil.Process(victim.pid)
        until_none_is_missing(lambda: max(0, events // 10 - len(victim.accepted)), "the first tenth to be kept")
        before = box.memory_info().rss
        victim.until_fed()
        grown_mb = (box.memory_info().rss - before) / 1e6
        server.start()
        until_none_is_missing(lambda: max(0, 100 - station.count()), "the backlog to begin to drain")
        began, there = time.monotonic(), station.count()
        most = int(0.95 * len(victim.accepted))
        until_none_is_missing(lambda: max(0, most - station.count()), "the backlog to drain")
        rate = (station.count() - there) / (time.monotonic() - began)
        findings = settled(victim, station)
        plain = rows_per_s(trial.folder)
        grown_mb = max(grown_mb, (box.memory_info().rss - before) / 1e6)
    figures = (
        f"{findings}; memory grew by {grown_mb:.1f} MB; drained at {rate:.0f} messages/s, plain SQLite "
        f"{plain:.0f}/s"
    )
    if not findings.clean or grown_mb > 20 or rate * DRAIN_SHARE < plain:
        raise Broken(figures)
    return figures


@promise(
    "P10", "a link of 32 kbit/s with megabytes of pictures waiting, alerts come now and then",
    "p95 from an alert to the station <= 10 s",
    minutes=2,
)  # fmt: skip
def overtaking(trial: Trial) -> str:
    """The pictures wait first; then alerts without pictures are put, one every two seconds."""
    alerts = trial.size(40, 120)
    with playing(trial.folder) as (_, server, _station), chaos(server.port) as link:
        victim, spy = Victim(trial.folder / "box", link.port, waits=PATIENT), Spy(server.port)
        try:
            link.behave(silent=True)
            victim.start(350, picture_every=1, picture_bytes=14_000)
            victim.until_fed()
            victim.end(within_s=30)
            link.reset()
            link.behave(silent=False, rate_bytes_s=4000)
            victim.start(alerts, rate=0.5, picture_every=0)
            mark = len(victim.accepted)
            victim.until_fed()
            until_none_is_missing(lambda: len(_ids(victim.accepted[mark:]) - spy.events.keys()), "every alert")
        finally:
            victim.kill()
            spy.close()
    waits = sorted(spy.events[event][1] - spy.events[event][0] for event in _ids(victim.accepted[mark:]))
    p95 = waits[int(0.95 * len(waits))]
    summary = f"{len(waits)} alerts beside 350 pictures: p50 {median(waits):.1f} s, p95 {p95:.1f} s"
    if p95 > 10:
        raise Broken(summary)
    return summary


def _ids(rows: list[Row]) -> set[str]:
    return {row.name.split("/")[0] for row in rows}


@promise(
    "P11",
    "the link is cut with data waiting; it goes silent with data waiting, and while idle",
    "noticed within 20 s, idle within 2 keepalives",
)
def dead_link(trial: Trial) -> str:
    """Cut: the kernel drops every packet. Silent: bytes are taken, and no answer comes."""
    return in_a_network_of_its_own(lambda: _dead_links(trial))


def _dead_links(trial: Trial) -> str:
    cases: list[str] = []
    with playing(trial.folder) as (_, server, _station), chaos(server.port) as link:
        victim, spy = Victim(trial.folder / "box", link.port, waits=PATIENT), Spy(server.port)
        try:
            for case in ("cut", "silent", "idle"):
                victim.start(1 if case == "idle" else 100_000, rate=20)
                until(lambda: spy.state("victim-01/status").get("state") == "online", 30, "the box is online")
                time.sleep(2)
                before = _losses(victim)
                with dropped(link.port) if case == "cut" else nullcontext():
                    link.behave(silent=case != "cut")
                    began = time.monotonic()
                    bound = 2 * KEEPALIVE_S + 1 if case == "idle" else 20
                    until(lambda before=before: _losses(victim) > before, bound + 10, f"{case}: it is noticed")
                    took = time.monotonic() - began
                cases.append(f"{case} {took:.1f} s")
                if took > bound:
                    raise Broken(f"{cases[-1]}, {bound} s are allowed")
                link.behave(silent=False)
                victim.kill()
                link.reset()
        finally:
            victim.kill()
            spy.close()
    return "noticed: " + ", ".join(cases)


def _losses(victim: Victim) -> int:
    return (victim.folder / "victim.log").read_text(errors="replace").count('"broker_lost"')


@promise(
    "P12",
    "200 boxes lose their broker at once, and it comes back",
    "<= 40 connects in any second, all back <= 120 s",
)
def storm(trial: Trial) -> str:
    """Counted by the broker's own log."""
    boxes = trial.size(200, 400, quick=50)
    if MOSQUITTO is None:
        raise NotTried("mosquitto is not here: apt-get install mosquitto")
    broker = Mosquitto(trial.folder, "log_type all", "log_timestamp true").start()
    words = [
        sys.executable,
        "-m",
        "tests.acceptance.faults.crowd",
        str(boxes),
        str(broker.port),
        str(trial.folder / "boxes"),
    ]
    crowd = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    connected = [0]

    def read() -> None:
        assert crowd.stdout is not None
        connected.extend(int(line) for line in crowd.stdout)

    threading.Thread(target=read, daemon=True).start()
    try:
        until(lambda: connected[-1] == boxes, 150, f"all {boxes} are connected at first")
        broker.kill()
        until(lambda: connected[-1] == 0, 30, "all have noticed")
        mark = len(broker.log.read_text())
        time.sleep(5)
        broker.start()
        with within(120, "the return of all") as so_far:
            until(lambda: connected[-1] == boxes, 150, f"all {boxes} are back")
            took = so_far()
    finally:
        crowd.kill()
        crowd.wait(10)
        broker.kill()
    lines = broker.log.read_text()[mark:].splitlines()
    peak = max(Counter(line.split(":")[0] for line in lines if "New connection from" in line).values())
    if peak > 40:
        raise Broken(f"{peak} connects in one second")
    return f"{boxes} boxes: at most {peak} connects in a second, all back after {took:.0f} s"
