"""An agent's side of many cameras, one after the other, in a process of its own that may die of them.

`python -m tests.acceptance.faults.media_supervisor < JOB`, with the sources of cameras as JSON; prints what
became of them. With a plant it makes a mistake on purpose.
"""

from __future__ import annotations

import json
import resource
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from agent.cameras import isolate, open_camera
from agent.cameras.settings import CameraSettings
from agent.clock import SystemClock
from agent.errors import CameraError, CameraRefused

PLANTED = "tests.acceptance.faults.planted_decoder"


def watched(source: dict[str, Any], most: int, open_timeout_s: float) -> Counter[str]:
    """What came of one opening of a camera: pictures, each looked at to the last pixel, and how it ended."""
    waits = {"max_fps": 120, "stall_s": max(1.0, open_timeout_s / 10), "open_timeout_s": open_timeout_s}
    camera = open_camera(
        CameraSettings.model_validate({"name": "north", "source": source, **waits}), SystemClock()
    )
    found: Counter[str] = Counter(openings=1)
    try:
        for frame in camera.frames():
            found["pictures"] += 1
            found["light"] += int(frame.luma.sum() + frame.u.sum() + frame.v.sum()) & 1
            if found["pictures"] >= most:
                break
    except CameraError as error:
        found["refused" if isinstance(error, CameraRefused) else "lost"] += 1
        found["decoder died"] += "died" in error.what
    except BaseException as error:  # what the trial looks for
        found[f"crash {type(error).__name__}"] += 1
    finally:
        camera.close()
    return found


def main() -> None:
    """Watch every camera of the job."""
    job = json.load(sys.stdin)
    if plant := job["plant"]:
        spawn = isolate.spawn_decoder
        isolate.spawn_decoder = lambda fd, _module="": spawn(fd, f"{PLANTED}_{plant}")
        if plant == "nonsense":
            isolate.NONSENSE = ()
    found: Counter[str] = Counter()
    with ThreadPoolExecutor(job["at_one_time"]) as pool:
        for each in pool.map(
            partial(watched, most=job["most"], open_timeout_s=job["open_timeout_s"]), job["sources"]
        ):
            found += each
    child_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps({"found": found, "child_mb": round(child_mb)}))


if __name__ == "__main__":
    main()
