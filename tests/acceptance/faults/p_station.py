"""P60.4: a second station takes over, under the name of the first."""

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
    "P60.4", "a second station takes over on purpose, under the name of the first and with a store of its own",
    "the first yields, tells it, goes on by itself when the second has gone; its gap names the cause",
    minutes=1,
)  # fmt: skip
def second_station(trial: Trial) -> str:
    """Without `--take-over` the second waits (P63); with it the first loses its connection, and waits."""
    (trial.folder / "copy").mkdir()
    with playing(trial.folder, station=MORE) as (_, server, first):
        box = RawBox(server.port, "box-01")
        box.until_station()
        box.event(1)
        until(lambda: 1 in box.receipted, 20)
        second = Receiver(trial.folder / "copy", server.port, MORE).start("--take-over")
        try:
            until(lambda: connects(second) > 0, 20, "the second station came")
            began, seq = time.monotonic(), 1
            while time.monotonic() - began < 20:
                seq += 1
                box.event(seq)
                time.sleep(0.25)
            until(lambda: len(box.receipted) == seq, 20, "the second has the rest")
            times = connects(first), connects(second)
            second.end()
            until(lambda: connects(first) > 1, 60, "the first goes on")
            box.event(seq + 1)
            until(lambda: first.rows("select cause from gap"), 20, "the first tells a gap")
            causes = {cause for (cause,) in first.rows("select cause from gap")}
            raised = alarms(first)
        finally:
            second.end(signal.SIGKILL)
            box.close()
    said = f"connects beside each other: {times[0]} and {times[1]}; alarms {raised}; causes {causes}"
    if times != (1, 1) or raised != 1 or causes != {"second_station"}:
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
