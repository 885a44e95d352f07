"""P63, P64, P65: who looks on, writes a subscriber or starts a second station takes nothing from the first."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import paho.mqtt.client as paho

from tests.acceptance.faults.p_hostile import ROOM, RawBox
from tests.acceptance.faults.p_station import alarms, connects, lines
from tests.acceptance.faults.stage import Receiver, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

GUIDE = Path(__file__).resolve().parents[3] / "docs/guide/subscriber.md"
NGATU = (sys.executable, "-m", "agent")


class Overheard:
    """What stations say: their statuses, in their order, and in whose name receipts are given."""

    def __init__(self, port: int) -> None:
        self.statuses: list[tuple[str, str]] = []
        """State and name of the station."""
        self.givers: set[str] = set()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, "overheard", protocol=paho.MQTTv5)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(f"{ROOM}/+/receipt", 1), (f"{ROOM}/station/status", 1)])
        self._client.loop_start()

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        said = json.loads(message.payload)
        if message.topic.endswith("receipt"):
            self.givers.add(said["station"])
        else:
            self.statuses.append((said["state"], said["station"]))


def looked(port: int, *words: str) -> subprocess.CompletedProcess[str]:
    """`ngatu watch` for some seconds; it may end at once."""
    command = [*NGATU, "watch", "--port", str(port), "--commune", "test-commune", "--for", "3", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def second_station(folder: Path, port: int) -> Receiver:
    """Another station of the commune, by another name and with a store of its own."""
    (folder / "second").mkdir()
    second = Receiver(folder / "second", port)
    second.config.write_text(second.config.read_text().replace("name: test-commune", "name: desk-two"))
    return second


@promise(
    "P63", "beside a station somebody looks with `ngatu watch`, with --store too, and starts a second station",
    "only the first gives receipts and says a status; the second tells it, and goes on once the first has gone",
)  # fmt: skip
def who_is_not_the_station(trial: Trial) -> str:
    """Nobody but the station gives a receipt or speaks for it; to replace it on purpose is to stop it."""
    with playing(trial.folder) as (_, server, first):
        box, overheard = RawBox(server.port, "box-01"), Overheard(server.port)
        second = second_station(trial.folder, server.port)
        try:
            box.until_station()
            box.event(1)
            looked(server.port, "--store", str(trial.folder / "mine.db"))
            box.event(2)
            looked(server.port, "--save", str(trial.folder / "pictures"))
            second.start()
            until(lambda: alarms(second) or connects(second), 20, "the second station came")
            box.event(3)
            until(lambda: {1, 2, 3} <= box.receipted.keys(), 20, "the first has all")
            time.sleep(2)  # what else would be said now
            heard, givers = list(overheard.statuses), set(overheard.givers)
            raised = alarms(second)
            began = time.monotonic()
            first.end()
            box.event(4)
            until(lambda: ("online", "desk-two") in overheard.statuses, 60, "the second goes on")
            gone_on_s = time.monotonic() - began
            box.event(5)
            until(lambda: 5 in box.receipted, 20, "the second gives receipts")
        finally:
            second.end(signal.SIGKILL)
            overheard.close()
            box.close()
    said = f"statuses {heard}, receipts by {sorted(givers)}, alarms of the second {raised}"
    if heard != [("online", "test-commune")] or givers != {"test-commune"} or raised != 1:
        raise Broken(said)
    return f"{said}; it went on {gone_on_s:.1f} s after the first was stopped"


@promise(
    "P64", "`ngatu watch --store` on the database of the station at work",
    "it is refused in words, with exit code 2; no table is made, no row written, `verify` finds nothing",
)  # fmt: skip
def the_station_s_own_database(trial: Trial) -> str:
    """What only looks writes nothing."""
    with playing(trial.folder) as (_, server, station):
        box = RawBox(server.port, "box-01")
        try:
            box.until_station()
            box.event(1)
            until(lambda: 1 in box.receipted, 20)
            before = tables(station)
            ended = looked(server.port, "--store", str(station.folder / "station.db"))
            box.event(2)
            until(lambda: 2 in box.receipted, 20)
            after = tables(station)
        finally:
            box.close()
        verify = [*NGATU, "station", "verify", "-c", str(station.config)]
        found = subprocess.run(verify, capture_output=True, text=True, timeout=60, check=False)
    made, traced = sorted(after - before), "Traceback" in ended.stdout + ended.stderr
    said = f"exit code {ended.returncode}, tables made {made}, traceback {traced}, verify {found.returncode}"
    if ended.returncode != 2 or made or traced or found.returncode != 0:
        raise Broken(said)
    return said


def tables(station: Receiver) -> set[str]:
    """Of its database, with their statements."""
    with closing(sqlite3.connect(f"file:{station.folder / 'station.db'}?mode=ro", uri=True)) as database:
        return {row[0] for row in database.execute("select sql from sqlite_master where type = 'table'")}


@promise(
    "P65", "the guide's subscriber is started beside the station as the guide says, then with the station's id",
    "the station keeps its connection, and both have every event; when its id is used, its log names the cause",
)  # fmt: skip
def the_guide_s_subscriber(trial: Trial) -> str:
    """Client ids do not meet by themselves."""
    guide = GUIDE.read_text(encoding="utf-8").replace("hai-ninh", "test-commune")
    (program,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (settings,) = re.findall(r"'({.*?})'", guide)
    inbox = trial.folder / "inbox"
    inbox.mkdir()
    with playing(trial.folder) as (_, server, station):
        box = RawBox(server.port, "box-01")
        given = json.loads(settings) | {"port": server.port}
        log = (trial.folder / "subscriber.log").open("w")
        started = [subprocess.Popen([sys.executable, "-c", program, json.dumps(given), str(inbox)], stdout=log)]
        try:
            box.until_station()
            seq = 0
            began = time.monotonic()
            while time.monotonic() - began < 8 or seq < 20:
                seq += 1
                box.event(seq)
                time.sleep(0.2)
            until(lambda: len(box.receipted) == seq, 30, "every event is receipted")
            got, lost = len(list(inbox.glob("*.json"))), len(lines(station, "broker_lost"))
            said = f"{seq} events: {station.count()} at the station, {got} at the subscriber; lost {lost} times"
            if lost or station.count() != seq or got < seq - 15:
                raise Broken(said)
            given |= {"client_id": "ngatu-station.test-commune.test-commune"}
            started.append(subprocess.Popen([sys.executable, "-c", program, json.dumps(given), str(inbox)]))
            until(lambda: lines(station, "connection_taken"), 20, "the log names the cause")
            (cause,) = lines(station, "connection_taken")
        finally:
            for process in started:
                process.kill()
                process.wait(10)
            log.close()
            box.close()
    return f"{said}; then: {cause['why']}"
