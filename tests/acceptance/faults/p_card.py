"""P42, P48: a card that was put back, a card that was copied, and receipts that somebody forged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import paho.mqtt.client as paho

from tests.acceptance.faults.progress import until_none_is_missing
from tests.acceptance.faults.stage import (
    Receiver,
    Victim,
    events_lost,
    outbox_says,
    playing,
    read_beside,
    waiting_in,
)
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import Mosquitto, until

ROOM = "ngatu/v1/test-commune"
WAITS = "select count(*) from message"
QUARANTINED = "select count(*) from quarantine"
TOLD_S = 60.0
"""Within which both sides have to know."""


@promise(
    "P42",
    "the box's card is put back to an older state: with fewer new events than were lost of it, and with more",
    "0 events lost, told on both sides within 60 s, the store is proven",
    minutes=1,
)
def put_back(trial: Trial) -> str:
    """What came after the copy was made is at the station under the numbers that the old card gives again."""
    waited_s: list[float] = []
    for name, more, offline in (("fewer", trial.size(600, 1500), 300), ("more", 150, trial.size(600, 900))):
        folder = trial.folder / name
        folder.mkdir()
        with playing(folder) as (victim, server, station):
            _all_receipted(victim, station, 60)
            shutil.copytree(victim.state, folder / "card")
            _all_receipted(victim, station, more)
            shutil.rmtree(victim.state)
            shutil.copytree(folder / "card", victim.state)
            server.kill()
            victim.start(offline)
            victim.until_fed()
            server.start()
            waited_s.append(_known_after_s(station, "outbox_went_back", "outbox_forked"))
            _judge(station, victim)
    return f"0 lost, told after {max(waited_s):.1f} s, nothing accused"


@promise(
    "P42.1",
    "two boxes run at one time on the same card",
    "0 events of either lost, told on both sides within 60 s, the store is proven",
    minutes=1,
)
def doubled(trial: Trial) -> str:
    """They take the connection from each other; each begins a stream that the other has not."""
    each, rate = trial.size(200, 800), 10.0
    with playing(trial.folder) as (victim, server, station):
        _all_receipted(victim, station, 60)
        double = Victim(trial.folder / "double", server.port, fed=1_000_000)
        shutil.copytree(victim.state, double.state)
        try:
            victim.start(each, rate=rate)
            until(lambda: outbox_says(victim, "select next_seq from life") > 80, 30, "the first is at work")
            double.start(each, rate=rate)
            waited_s = _known_after_s(station, "second_holder", "identity_taken")
            _judge(station, victim, double)
        finally:
            double.kill()
    return f"0 of {2 * each} lost, told after {waited_s:.1f} s, nothing accused"


@promise(
    "P48", "forged receipts, one of which the broker has kept, for what was never sent", "nothing is forgotten"
)
def forged(trial: Trial) -> str:
    """Whoever may write a receipt knows numbers, but not what the messages say."""
    events = trial.size(1000, 10_000)
    everything = {"committed": [[0, 2**53 - 1]], "proofs": [[seq, "0" * 16] for seq in range(1, 501)]}
    with playing(trial.folder) as (victim, server, station):
        station.end()
        server.kill()
        victim.start(events)
        victim.until_fed()
        waits = len(waiting_in(victim.state / "outbox.db"))
        stream = _stream(victim)
        server.start()
        receipt = {"station": "duty", "stream": stream, "time": "2026-01-01T00:00:00.000Z"}
        _leave_retained(server, json.dumps(receipt | {"committed": [[0, 2**53 - 1]]}))
        until(lambda: "receipt_retained" in _log(victim), 60, "the box has met the retained receipt")
        _publish(server, json.dumps(receipt | everything))
        until(lambda: "outbox_forked" in _log(victim), 60, "the box has met the other one")
        until(lambda: _events_waiting(victim) >= events, 60, "all of them are in the new stream")
        kept, again = _events_waiting(victim), _stream(victim)
        _publish(server, json.dumps(receipt | everything | {"stream": again}))
        until(lambda: outbox_says(victim, QUARANTINED) > 0, 60, "what was contradicted again is set aside")
        victim.end()
        victim.start(0)  # it goes out again after a start, and each hour
        station.start()
        lost = events_lost(victim, station)
    if lost or kept < events:
        raise Broken(f"of {waits} waiting messages {kept} of events were left, {lost} events lost")
    return f"{events} events wait on, 0 lost; what the broker kept is refused"


def _all_receipted(victim: Victim, station: Receiver, events: int) -> None:
    """A life whose events are all at the station, and gone from the box."""
    victim.start(events)
    victim.until_fed()
    until_none_is_missing(partial(outbox_says, victim, WAITS), "all of it is receipted")
    victim.end()


def _known_after_s(station: Receiver, alarm: str, event: str) -> float:
    """Seconds until the station has the alarm, and the event by which the box tells it."""
    began_s = time.monotonic()

    def knows() -> bool:
        standing = station.rows("select kind from alarm where closed_ms is null")
        heard = station.rows(f"select 1 from event where kind = '{event}'")
        return (alarm,) in standing and bool(heard)

    until(knows, TOLD_S, f"alarm {alarm} and event {event}")
    return time.monotonic() - began_s


def _judge(station: Receiver, *victims: Victim) -> None:
    lost = {victim.folder.name: events_lost(victim, station) for victim in victims}
    for victim in victims:
        until_none_is_missing(partial(outbox_says, victim, WAITS), "the outbox is empty")
        victim.end()
    verify = [sys.executable, "-m", "agent", "station", "verify", "-c", str(station.config)]
    accused = subprocess.run(verify, check=False, capture_output=True, text=True, timeout=120)
    if any(lost.values()) or accused.returncode != 0:
        raise Broken(f"lost {lost}; verify: {accused.stdout[-400:]}{accused.stderr[-400:]}")


def _stream(victim: Victim) -> str:
    return str(read_beside(victim.state / "outbox.db", "select stream from life")[0][0][0])


def _events_waiting(victim: Victim) -> int:
    """While the box begins a new file there may be none."""
    query = "select count(*) from message where event_id is not null and topic like '%/event'"
    return sum(count for (count,) in read_beside(victim.state / "outbox.db", query)[0])


def _log(victim: Victim) -> str:
    return Path(victim.folder / "victim.log").read_text(errors="replace")


def _publish(server: Mosquitto, payload: str, *, retain: bool = False) -> None:
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", server.port)
    client.loop_start()
    client.publish(f"{ROOM}/victim-01/receipt", payload, qos=1, retain=retain).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


def _leave_retained(server: Mosquitto, payload: str) -> None:
    _publish(server, payload, retain=True)
