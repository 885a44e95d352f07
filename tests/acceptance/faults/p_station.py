"""P60.4: a second copy of a station, under its name."""

from __future__ import annotations

import json
import signal
import time

from tests.acceptance.faults.p_hostile import RawBox
from tests.acceptance.faults.stage import Receiver, playing
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until

MORE = "ingest: {gap_after_s: 1}"


@promise(
    "P60.4", "a second station is started under the name of the first, with a store of its own",
    "each connects at most twice in 40 s; both tell who is there; the gap of the first names its cause",
    minutes=1,
)  # fmt: skip
def second_station(trial: Trial) -> str:
    """The first loses its connection to the second, and takes it back after half a minute."""
    (trial.folder / "copy").mkdir()
    with playing(trial.folder, station=MORE) as (_, server, first):
        box = RawBox(server.port, "box-01")
        box.until_station()
        box.event(1)
        until(lambda: 1 in box.receipted, 20)
        second = Receiver(trial.folder / "copy", server.port, MORE).start()
        try:
            began, seq = time.monotonic(), 1
            until(lambda: connects(second) > 0, 20, "the second station came")
            while time.monotonic() - began < 40:
                seq += 1
                box.event(seq)
                time.sleep(0.25)
            until(lambda: alarms(second), 20, "the second says that there is another")
            until(lambda: first.rows("select cause from gap"), 20, "the first tells a gap")
            causes = {cause for (cause,) in first.rows("select cause from gap")}
            times = connects(first), connects(second)
            raised = alarms(first), alarms(second)
        finally:
            second.end(signal.SIGKILL)
            box.close()
    said = f"connects in 40 s: {times[0]} and {times[1]}; alarms {raised[0]} and {raised[1]}; causes {causes}"
    if max(times) > 2 or raised != (1, 1) or causes != {"second_station"}:
        raise Broken(said)
    return said


def connects(station: Receiver) -> int:
    """How often it has come to the broker."""
    return len(lines(station, "broker_connected"))


def alarms(station: Receiver) -> int:
    """How often it has told of another."""
    return sum(line.get("kind") == "second_station" for line in lines(station, "alarm_opened"))


def lines(station: Receiver, event: str) -> list[dict[str, object]]:
    """Of its log."""
    log = (station.folder / "station.log").read_text()
    return [line for line in map(json.loads, log.splitlines()) if line["event"] == event]
