"""P45, P60.2: one box floods the station, with what it may say and with what nobody can read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.acceptance.faults.p_hostile import RawBox
from tests.acceptance.faults.progress import least_left
from tests.acceptance.faults.stage import Receiver, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

BROKER = ("max_queued_messages 10000", "max_queued_bytes 134217728", "max_inflight_messages 500")

"""As the role of the fleet sets them."""
RATE = {"event": 5000, "bulky": 1000, "unreadable": 500, "stream": 3000}
"""Messages a second at most: what has been measured of such a flood, and half as much again."""
MOST = 400
QUOTA = "quota: {{messages_per_day: {messages}, bytes_per_day: {size}, unreadable_bytes_per_day: 1048576}}"
MIB = 2**20


@promise(
    "P45",
    "one box sends ten times its quota of a day at once: small events, events that fill pages badly and are "
    "kept twice in part, and 200 kB that nobody can read",
    "another box's receipts come within 5 s (p95); the store grows by no more than the quota",
    minutes=1,
)  # fmt: skip
def flood(trial: Trial) -> str:
    """The quota is made small, so that ten times as much is sent in seconds; as fast as the broker takes it."""
    messages, unreadable = trial.size(5000, 20_000, quick=1000), trial.size(3000, 26_000, quick=150)
    size = 2048 * messages
    said = []
    for what, count in (("event", 10 * messages), ("bulky", messages), ("unreadable", unreadable)):
        folder = trial.folder / what
        folder.mkdir()
        more = QUOTA.format(messages=messages, size=size)
        with playing(folder, *BROKER, station=more) as (_, server, station):
            other = RawBox(server.port, "other-01")
            other.until_station()
            with flooding(server.port, what, count) as flooder:
                began = time.monotonic()
                waits, asked = _answered(other, flooder)
                took_s = time.monotonic() - began
            until(lambda: station.rows("select 1 from alarm where kind = 'quota'"), 20, "the alarm is raised")
            station.end()  # what is not merged into the file yet comes into it
            # The other box goes on for as long as the flood takes, and uses of its own quota meanwhile.
            others = station.rows("select size_bytes from daily_usage join box on box.id = box_id "
                                  "where device = 'other-01'")[0][0]  # fmt: skip
            grown = _bytes(station) - others
            kept = station.rows("select count(*) from message join stream on stream.id = stream_id "
                                "where stream.name = 's-flood-01'")[0][0]  # fmt: skip
            other.close()
        waits += [99.0] * (asked - len(waits))
        p95 = waits[int(asked * 0.95)]
        said.append(
            f"{count} of {what} in {took_s:.0f} s: receipts of the other box: "
            f"{sum(wait < 99 for wait in waits)} of {asked}, p50 {waits[asked // 2]:.2f} s, p95 {p95:.2f} s, "
            f"store +{grown / MIB:.1f} of {size / MIB:.1f} MiB, {kept} kept"
        )
        if p95 > 5 or grown > size:
            raise Broken("; ".join(said))
    return "; ".join(said)


@promise(
    "P60.2", "one box begins a new life of its outbox with every event, beside the events of another box",
    "the other box's receipts come within 5 s (p95); no more streams are kept than the quota has",
    minutes=0.3,
)  # fmt: skip
def streams_without_end(trial: Trial) -> str:
    """As fast as RATE says; a box begins a stream when its outbox is made, and that is once in years."""
    count = trial.size(13_000, 50_000, quick=1000)
    with playing(trial.folder, *BROKER) as (_, server, station):
        other = RawBox(server.port, "other-01")
        other.until_station()
        with flooding(server.port, "stream", count) as flooder:
            waits, asked = _answered(other, flooder)
        until(lambda: station.rows("select 1 from alarm where kind = 'quota'"), 20, "the alarm is raised")
        kept = station.rows("select count(*) from stream where name like 's-flood-%'")[0][0]
        other.close()
    waits += [99.0] * (asked - len(waits))
    p95 = waits[int(asked * 0.95)]
    said = f"{count} streams, {kept} kept; {asked} receipts of the other box: p50 {waits[asked // 2]:.2f} s, "
    if p95 > 5 or kept > 100:
        raise Broken(f"{said}p95 {p95:.2f} s")
    return f"{said}p95 {p95:.2f} s"


@contextmanager
def flooding(port: int, what: str, count: int) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that publishes so many, as fast as the broker takes them."""
    words = [sys.executable, "-m", "tests.acceptance.faults.p_quota", str(port), what, str(count)]
    process = subprocess.Popen(words, env=os.environ)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _answered(other: RawBox, flooder: subprocess.Popen[bytes]) -> tuple[list[float], int]:
    """Seconds to each receipt of an event that is sent ten times a second meanwhile; how many were."""
    sent: dict[int, float] = {}
    while flooder.poll() is None and len(sent) < MOST:
        sent[len(sent) + 1] = time.monotonic()
        other.event(len(sent))
        time.sleep(0.1)
    least_left(lambda: len(sent) - len(other.receipted), quiet_s=10)
    waits = [other.receipted[seq] - at for seq, at in sent.items() if seq in other.receipted]
    return sorted(waits), len(sent)


def _bytes(station: Receiver) -> int:
    """Database and pictures."""
    return sum(
        path.stat().st_size for path in station.folder.rglob("*") if path.is_file() and path.suffix != ".log"
    )


def _flood(port: int, what: str, count: int) -> None:
    """One connection that never waits for a receipt."""
    box = RawBox(port, "flood-01")
    box.until_station()
    body, began = os.urandom(200_000), time.monotonic()
    if what == "event":
        body = json.dumps(box.an_event(1) | {"seq": 1_000_001, "id": "flood-1000001"}).encode()
    if what == "bulky":
        words = {"detail": "x" * 4000, "direction": "w" * 4000, "rule": {"id": "r" * 4000, "kind": "k" * 4000}}
        body = json.dumps(box.an_event(1) | {"seq": 1_000_001, "id": "flood-1000001"} | words).encode()
    if what == "stream":
        body = json.dumps(box.an_event(1) | {"stream": "s-flood-1000001", "id": "flood-1000001"}).encode()
    for seq in range(1_000_002, 1_000_002 + count):
        until(lambda: box.said - box.taken < 1000, 60)
        time.sleep(max(0.0, began + box.said / RATE[what] - time.monotonic()))
        own = body.replace(b"1000001", str(seq).encode()) if what != "unreadable" else seq.to_bytes(4) + body
        box.raw("camera/north/event", own)
    until(lambda: box.said == box.taken, 60)
    box.close()


if __name__ == "__main__":
    _flood(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
