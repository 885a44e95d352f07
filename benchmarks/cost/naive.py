"""What everybody writes first: the detector on every whole frame, then ByteTrack.

`python -m benchmarks.cost.naive CONFIG CLIP SECONDS` watches the clip at its own pace, as many frames a second
as the box looks at, and prints JSON: the tracker's name, CPU seconds per frame, and the tracks of each frame.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from agent.cameras.decode.decoded import Rate
from agent.config.schema import load
from agent.core.ids import Ids
from agent.core.tracking import tracker
from agent.core.types import WHOLE, Box, Detection, Instant, Sighting
from agent.detectors import load_detector

Shown = list[tuple[str, str, float, float, float, float]]
"""Id, label, and the box in fractions of the frame: left, top, right, bottom."""
Follow = Callable[[Sequence[Detection], float], Shown]


def main(config: Path, clip: Path, seconds: float) -> dict[str, object]:
    """Watch the clip's first seconds."""
    cv2.setNumThreads(1)
    chosen = load(config)
    detector = load_detector(chosen.detector)
    rate = Rate(chosen.cameras[0].max_fps)
    spent: dict[int, float] = {}
    tracks: dict[int, Shown] = {}
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        name, follow = follower(min(chosen.cameras[0].max_fps, float(stream.average_rate or 25)))
        began = time.monotonic()
        before = time.process_time()
        for index, picture in enumerate(container.decode(stream)):
            at_s = float(picture.time or 0)
            if at_s > seconds:
                break
            time.sleep(max(0.0, began + at_s - time.monotonic()))
            if rate.due(at_s):
                image = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
                tracks[index] = follow(detector.detect([image])[0], at_s)
            now = time.process_time()
            spent[index], before = now - before, now
    return {"tracker": name, "spent": spent, "tracks": tracks}


def follower(fps: float) -> tuple[str, Follow]:
    """ByteTrack where its package is installed, else our own tracker."""
    try:
        import supervision  # noqa: PLC0415
        import trackers  # noqa: PLC0415
    except ImportError:
        return "ngatu's tracker", _own()
    peer = trackers.ByteTrackTracker(frame_rate=fps)
    names: list[str] = []

    def follow(found: Sequence[Detection], _at_s: float) -> Shown:
        boxes = [[d.box.left, d.box.top, d.box.right, d.box.bottom] for d in found]
        kinds = [_number(names, d.label) for d in found]
        # In thousandths of the frame, because it takes boxes for pixels.
        seen = supervision.Detections(
            xyxy=1000 * np.array(boxes, np.float32).reshape(-1, 4),
            confidence=np.array([d.score for d in found], np.float32),
            class_id=np.array(kinds, int),
        )
        tracked = peer.update(seen)
        ids = [] if tracked.tracker_id is None else tracked.tracker_id.tolist()
        kinds = tracked.class_id.tolist() if len(ids) else []
        rows = zip(ids, kinds, (tracked.xyxy / 1000).tolist(), strict=True)
        return [(str(ident), names[kind], *box) for ident, kind, box in rows if ident >= 0]

    return "ByteTrack", follow


def _own() -> Follow:
    state: tracker.TrackerState | None = None
    ids = Ids(b"the naive loop")

    def follow(found: Sequence[Detection], at_s: float) -> Shown:
        nonlocal state, ids
        sighting = Sighting(Instant(at_s, at_s), (WHOLE,), tuple(found), (WHOLE,))
        state, ids, tracks = tracker.update(state, sighting, ids, tracker.TrackSettings())
        return [(t.id, t.label, *_sides(t.box)) for t in tracks if t.confirmed and not t.ended]

    return follow


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def _number(names: list[str], label: str) -> int:
    if label not in names:
        names.append(label)
    return names.index(label)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))))
