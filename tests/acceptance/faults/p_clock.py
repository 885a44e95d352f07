"""P21: the clock may jump as it likes."""

from __future__ import annotations

import platform
import time
from pathlib import Path
from typing import Any

from tests.acceptance.faults.stage import playing, settled
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise

LIBRARIES = ("/usr/lib/{}/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")
YEARS = 365 * 86_400
JUMPS = (1, -1, 60, -60, 3600, -3600, 86_400, -86_400, YEARS, -YEARS, 20 * YEARS, -20 * YEARS)


@promise(
    "P21", "the box's wall clock jumps by seconds to 20 years, to 1970 and beyond 2038",
    "0 lost, the order is kept, nothing expires, no negative duration, clock.state in every event",
)  # fmt: skip
def jumps(trial: Trial) -> str:
    """libfaketime under the whole process; the monotonic clock stays, as it does on a real box."""
    library = _library()
    count, chance = trial.size(200, 2000), trial.chance("P21")
    offset = trial.folder / "offset"
    offset.write_text("+0")
    with playing(trial.folder) as (victim, _, station):
        victim.environment = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        }  # fmt: skip
        victim.start(count * 20, rate=100)
        for _ in range(count):
            seconds = chance.choice((*JUMPS, -time.time(), 2**31 - time.time() + 5))
            _jump(offset, seconds)
            time.sleep(0.15)
        _jump(offset, 0)
        findings = settled(victim, station)
        events = station.events()
    without = sum(not event["clock"].get("state") for event in events)
    backwards = _backwards(events)
    if not findings.clean or without or backwards:
        raise Broken(f"{findings}; {without} without a clock state, {backwards} negative durations")
    return f"{count} jumps: {findings}"


def _jump(offset: Path, seconds: float) -> None:
    """In one step: the library reads the file at each call, and must never find half of it."""
    new = offset.with_suffix(".new")
    new.write_text(f"{seconds:+.0f}")
    new.replace(offset)


def _library() -> Path:
    for pattern in LIBRARIES:
        path = Path(pattern.format(f"{platform.machine()}-linux-gnu"))
        if path.exists():
            return path
    raise NotTried("libfaketime is not here: apt-get install faketime")


def _backwards(events: list[dict[str, Any]]) -> int:
    """How many ends come before their starts on the clock that never steps."""
    began: dict[str, int] = {}
    wrong = 0
    for event in sorted(events, key=lambda each: int(each["revision"])):
        at = event["clock"]["mono_ms"]
        wrong += at < began.setdefault(event["id"], at)
        if event.get("object") and event["object"].get("path"):
            wrong += any(step[0] < 0 for step in event["object"]["path"])
    return wrong
