"""P57: somebody removes the station's folder of pictures while it works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from station.store.pictures.shelf import PictureShelf
from tests.acceptance.faults.stage import Receiver, playing, settled
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until
from tests.support.kept_pictures import pictures_on

TOLD_S = 60.0
"""The promise is ten minutes: a whole look at the setting's longest."""
LOOK_S = 10


@promise(
    "P57", "the station's folder of pictures is removed while events with pictures come; later one picture is",
    "no message lost and no batch fails; what is missing is told within 60 s by an alarm, and by `check`",
)  # fmt: skip
def removed_pictures(trial: Trial) -> str:
    """The folder comes back in between, and then nothing is missing any more."""
    events = trial.size(1000, 5000, quick=300)
    with playing(trial.folder) as (victim, _, station):
        station.end()
        with station.config.open("a", encoding="utf-8") as config:
            config.write(f"pictures: {{look_s: {LOOK_S}}}\n")
        station.start()
        victim.start(events, rate=200, picture_every=3)
        until(lambda: _pictures(station) >= events // 10, 60)
        folder, aside = station.folder / "blobs", trial.folder / "aside"
        folder.rename(aside)
        began_s = time.monotonic()
        findings = settled(victim, station)
        gone = len(pictures_on(aside))  # the batch that was under way is among them
        if not findings.clean:
            raise Broken(str(findings))
        if b"commit_failed" in (station.folder / "station.log").read_bytes():
            raise Broken("a batch failed")
        all_s = _told(station, f"{gone} of ", began_s)
        status, said = _check(station)
        if (
            status != 1
            or f"{gone} of {_pictures(station)} pictures are gone: test-commune/victim-01" not in said
        ):
            raise Broken(f"check ended with {status}: {said[-300:]}")
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        _told(station, "", time.monotonic())
        if (status := _check(station)[0]) != 0:
            raise Broken(f"all is back, and check ends with {status}")
        ((last,),) = station.rows("select max(segment_offset) from blob where segment = 1")
        os.truncate(PictureShelf(folder).segment(1), last + 50)
        one_s = _told(station, "1 of ", time.monotonic())
    return (
        f"{gone} pictures gone, told after {all_s:.0f} s; "
        f"one gone, told after {one_s:.0f} s of a look of {LOOK_S} s; "
        f"{findings.committed} messages came meanwhile, {findings.missing} lost, no batch failed"
    )


def _pictures(station: Receiver) -> int:
    return int((station.rows("select count(*) from blob") or [(0,)])[0][0])


def _told(station: Receiver, wanted: str, began_s: float) -> float:
    """Wait until the alarm that stands says so, or until none stands; seconds since the beginning."""
    query = "select detail from alarm where kind = 'pictures_missing' and closed_ms is null"
    while not _is_told(alarms := station.rows(query), wanted):
        if time.monotonic() > began_s + TOLD_S:
            raise Broken(f"not told within {TOLD_S:.0f} s: {wanted or 'that all are back'}; told is {alarms}")
        time.sleep(0.2)
    return time.monotonic() - began_s


def _is_told(alarms: list[tuple[str]], wanted: str) -> bool:
    return any(detail.startswith(wanted) for (detail,) in alarms) if wanted else not alarms


def _check(station: Receiver) -> tuple[int, str]:
    words = [sys.executable, "-m", "agent", "station", "check", "-c", str(station.config)]
    wide = {**os.environ, "COLUMNS": "300"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=wide)
    return done.returncode, done.stdout + done.stderr
