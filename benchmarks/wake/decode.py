"""Decoding alone, at the clip's own pace: `python -m benchmarks.wake.decode CLIP SECONDS`.

Prints JSON, `spent`: (seconds of the clip, CPU seconds until then) of each picture.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import av


def main(clip: Path, seconds: float) -> list[tuple[float, float]]:
    """CPU seconds by the clip's time."""
    spent: list[tuple[float, float]] = []
    began = time.monotonic()
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # as the box does
        for picture in container.decode(stream):
            at_s = float(picture.time or 0)
            if at_s > seconds:
                break
            time.sleep(max(0.0, began + at_s - time.monotonic()))
            spent.append((at_s, time.process_time()))
    return spent


if __name__ == "__main__":
    print(json.dumps({"spent": main(Path(sys.argv[1]), float(sys.argv[2]))}))
