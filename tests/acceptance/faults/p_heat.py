"""P26: a hot box works less, says so, and still tells."""

from __future__ import annotations

import time

from tests.acceptance.faults.stage import Receiver, Spy, playing, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.agent.host.test_machine import board
from tests.support.brokers import until

BRIEF = "throttle: {hot_after_s: 2, step_s: 4, recover_s: 4, busy_after_s: 600, min_fps: 0.2}"
"""The waits, shortened as the heat is."""


@promise(
    "P26", "a made-up sensor goes from 60 to 95 and back to 60 degrees, with a jitter of one degree",
    "the rate steps down and up, <= 4 changes; one overheated event with its end; events arrive",
    minutes=3,
)  # fmt: skip
def heat(trial: Trial) -> str:
    """The box reads a /sys of our own; everything else of it is real."""
    chance = trial.chance("P26")
    sys_folder = board(trial.folder / "sys", throttled="0", zones=(("cpu-thermal", "60000"),))
    sensor = sys_folder / "class/thermal/thermal_zone0/temp"
    rise_s = trial.size(40, 600, quick=12)
    fps: list[float] = []
    with playing(trial.folder, more=BRIEF) as (victim, server, station):
        spy = Spy(server.port)
        victim.start(100_000, rate=10, sys=sys_folder)
        try:
            for temperatures in ((60, 95), (95, 95), (95, 60), (60, 60)):
                ends_s = time.monotonic() + rise_s
                while (left_s := ends_s - time.monotonic()) > 0:
                    begin, end = temperatures
                    degrees = end + (begin - end) * left_s / rise_s + chance.uniform(-1, 1)
                    sensor.write_text(f"{degrees * 1000:.0f}\n")
                    time.sleep(0.2)
                    wanted = spy.state("victim-01/health").get("cameras", {}).get("road", {}).get("fps_wanted")
                    if wanted is not None and (not fps or wanted != fps[-1]):
                        fps.append(wanted)
            until(lambda: _ended(station), 60, "the event overheated has its end")
        finally:
            victim.end()
            spy.close()
        victim.start(1, sys=sys_folder)  # what its end left in the outbox goes out
        findings = settled(victim, station)
        events = [each for each in station.events() if each["kind"] == "overheated"]
    phases = [each["phase"] for each in events if each["phase"] != "update"]
    if phases != ["start", "end"] or not findings.clean or not 2 <= len(fps) - 1 <= 4:
        raise Broken(f"{phases}; {len(fps) - 1} changes of the rate: {fps}; {findings}")
    return f"{len(fps) - 1} changes of the rate: {fps}; one event; {findings}"


def _ended(station: Receiver) -> bool:
    return any(each["kind"] == "overheated" and each["phase"] == "end" for each in station.events())
