"""The picture of the README: the agent at work over the simulated junction, drawn by its own overlay.

    python -m benchmarks.readme_picture docs/images/junction.jpg

It prints the last crossing before that moment as the station would get it; docs/guide/message.md shows it.
Pictures, road users and detections are simulated (benchmarks/scenes); everything else is the agent's own
pipeline and overlay. So the project shows a junction without anyone else's footage in it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2

from agent.core import pipeline
from agent.core.attention import scheduler
from agent.core.attention.scheduler import AttentionInput
from agent.core.ids import Ids
from agent.core.motion import detector as motion
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.rules.kinds.line import LineRule
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.kinds.zone import ZoneRule
from agent.core.rules.settings import RuleSettings
from agent.core.rules.zones import Zone
from agent.core.types import (
    Box,
    Crop,
    Detection,
    Event,
    EventKind,
    Frame,
    Image,
    Instant,
    Phase,
    Severity,
    Size,
)
from agent.publishing.compose import Sender, event_messages
from agent.tools.overlay import Painter
from agent.wire import codec
from agent.wire.message import Stored
from benchmarks.scenes import render
from benchmarks.scenes.chain import instant
from benchmarks.scenes.ground import CAMERA, MIDDLE, rectangle
from benchmarks.scenes.sensor import Detector, Faults, Sight, look
from benchmarks.scenes.traffic import STEP_S, Traffic

SEED = 3
WARM_S = 60.0
"""So long traffic comes in before the agent looks."""
BEST_S = 20.0
"""A moment with a crossing just told, and little on top of each other."""
FIELD = Size(416, 416)
"""Input of the default detector: attention plans its crops for it."""
CUT = 0.85
"""A road user is seen in a crop from this share of it on."""
FAULTS = Faults(miss=0.03, jitter=0.015, drift=0.01, false=0.0, flip=0.0, cover=0.6)
"""Of a good detector on a clear day."""
_STOP_LINE = CAMERA.polygon((-10.4, MIDDLE - 11), (10.4, MIDDLE - 11))
STREAM = "019c9300-0000-7000-8000-000000000000"
SENDER = Sender("hai-ninh", "hai-ninh-03", "north", boot_id="simulated", clock_state="ntp", clock_error_ms=12)
JUDGE = RuleSettings(
    zones=(
        Zone(id="junction", polygon=rectangle(-9.0, MIDDLE - 8, 9.0, MIDDLE + 8)),
        Zone(id="no-stopping", polygon=rectangle(7.4, 13.0, 10.6, 23.0)),
    ),
    rules=(
        LineRule(id="stop-line", start=_STOP_LINE[0], end=_STOP_LINE[1], severity=Severity.ALERT),
        ZoneRule(id="junction-entered", zone="junction"),
        StoppedVehicleRule(id="stopping", zone="no-stopping"),
    ),
)


def shown(seconds: float) -> Iterator[tuple[Image, Outcome]]:
    """The drawn picture at each tenth of a second, (720, 1280, 3), and what the agent told."""
    settings = PipelineSettings(rules=JUDGE)
    state, painter = PipelineState(Ids(b"picture")), Painter(JUDGE)
    detector = Detector(SEED, FAULTS)
    for index, (picture, sights, second) in enumerate(_scene(seconds)):
        frame = _frame(index, picture, second)
        # The pipeline asks for pictures of crops; to answer from the simulation, know where they lie.
        moved = motion.update(state.motion, frame, settings.motion)[1]
        glance = AttentionInput(frame.at, frame.size, FIELD, moved, state.tracks)
        crops = scheduler.update(state.attention, glance, settings.attention)[1]
        detect = partial(_found, crops, detector.detect(sights))
        state, outcome = pipeline.update(state, frame, detect, FIELD, settings)
        yield painter.draw(frame, outcome), outcome


def _scene(seconds: float) -> Iterator[tuple[Image, list[Sight], float]]:
    """Picture, road users and second of each step; the renderer simulates the same traffic once more."""
    traffic = Traffic(SEED)
    for _ in range(round(WARM_S / STEP_S)):
        traffic.step()
    for picture in render.frames(SEED, seconds, WARM_S):
        yield picture, look(traffic.step()), traffic.second


def _frame(index: int, picture: Image, second: float) -> Frame:
    height, width = picture.shape[:2]
    planes = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).reshape(-1)
    area = width * height
    luma, u, v = planes[:area], planes[area : area * 5 // 4], planes[area * 5 // 4 :]
    half = height // 2, width // 2
    return Frame(index, instant(second), luma.reshape(height, width), u.reshape(half), v.reshape(half))


def _found(
    crops: Sequence[Crop], detections: Sequence[Detection], _images: Sequence[Image]
) -> list[list[Detection]]:
    """What a detector would see in each crop, in fractions of the crop."""
    return [[_within(crop.box, each) for each in detections if _visible(crop.box, each.box)] for crop in crops]


def _visible(crop: Box, box: Box) -> bool:
    wide = min(crop.right, box.right) - max(crop.left, box.left)
    high = min(crop.bottom, box.bottom) - max(crop.top, box.top)
    return wide > 0 and high > 0 and wide * high >= CUT * box.area


def _within(crop: Box, detection: Detection) -> Detection:
    def across(x: float) -> float:
        return min(1.0, max(0.0, (x - crop.left) / crop.width))

    def down(y: float) -> float:
        return min(1.0, max(0.0, (y - crop.top) / crop.height))

    box = detection.box
    placed = Box(across(box.left), down(box.top), across(box.right), down(box.bottom))
    return Detection(detection.label, detection.score, placed)


def main(file: Path) -> None:
    """Write the picture, and print the crossing."""
    crossing = None
    for picture, outcome in shown(BEST_S):
        newest = picture
        for event in outcome.reports:
            if isinstance(event, Event) and event.kind is EventKind.LINE_CROSSED and event.phase is Phase.START:
                crossing = event
    cv2.imwrite(str(file), newest, [cv2.IMWRITE_JPEG_QUALITY, 75])
    assert crossing is not None
    message = event_messages(crossing, SENDER)[0]
    sent = Instant(crossing.at.mono_s + 0.05, crossing.at.wall_s + 0.05)
    print(json.dumps(json.loads(codec.finish(Stored(48213, message, "", crossing.at), STREAM, sent)), indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
