"""Rules tried on recorded pictures: which events they would have told, each with a picture.

The frames go through the agent's own stages at the rate at which the agent looks. The hours of rules are not
regarded: whoever tries a rule for the night does so by day.
"""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import cv2
import numpy as np

from agent.clock import Clock
from agent.config.schema import CameraConfig
from agent.core import pipeline
from agent.core.ids import Ids
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.rules.settings import RuleSettings
from agent.core.types import Event, Frame, Image, Instant, Phase
from agent.detectors import Detector
from agent.errors import NgatuError
from agent.tools.overlay import Painter
from agent.tools.preview.footage import TrialFootage
from agent.tools.preview.live import fault, jpeg, seeing_with
from agent.tools.preview.scene import event_values

SEED = b"a trial's ids are seen by nobody"
MOST = 200
"""Events whose pictures are kept, about 10 MB; the rest is counted."""
WIDEST_PX = 800


class TrialCourse(Enum):
    """How far a trial is."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TriedEvent:
    """One event that would have been told."""

    after_s: float
    """Since the first frame."""
    values: dict[str, Any]
    picture: bytes
    """The whole view with everything drawn in, as JPEG."""


class Trial:
    """One run over one footage, in a thread of its own, which is given `run`."""

    def __init__(
        self,
        footage: TrialFootage,
        camera: CameraConfig,
        settings: PipelineSettings,
        detector: Detector,
        clock: Clock,
    ) -> None:
        self.footage = footage
        self._camera, self._detector, self._clock = camera, detector, clock
        self._settings = replace(seeing_with(detector, settings), rules=at_any_hour(settings.rules))
        self.course, self.seconds = TrialCourse.RUNNING, 0.0
        self.events: list[TriedEvent] = []
        self.more = 0
        """Events beyond MOST."""
        self.error: NgatuError | None = None
        self._stop = threading.Event()

    def stop(self) -> None:
        """Let `run` end soon."""
        self._stop.set()

    def run(self) -> None:
        """Look at every frame that the agent would look at."""
        try:
            self._look()
            self.course = TrialCourse.STOPPED if self._stop.is_set() else TrialCourse.DONE
        except NgatuError as error:
            self.error, self.course = error, TrialCourse.FAILED
        except Exception as error:  # whoever waits must hear of it
            self.error, self.course = fault(error), TrialCourse.FAILED

    def _look(self) -> None:
        state, painter = PipelineState(Ids(SEED)), Painter(self._settings.rules)
        first: Instant | None = None
        with closing(self.footage.open(self._camera, self._clock)) as source:
            for given in source.frames():
                if self._stop.is_set():
                    return
                first = first or given.at
                after_s = round(given.at.since(first), 6)
                # By a clock of its own: two trials of one footage tell the same.
                frame = replace(given, at=Instant(after_s, after_s))
                state, outcome = pipeline.update(
                    state, frame, self._detector.detect, self._detector.input_size, self._settings
                )
                self.seconds = after_s
                self._keep(frame, outcome, painter)

    def _keep(self, frame: Frame, outcome: Outcome, painter: Painter) -> None:
        starts = [each for each in outcome.reports if isinstance(each, Event) and each.phase is Phase.START]
        if not starts:
            return
        kept = starts[: max(0, MOST - len(self.events))]
        self.more += len(starts) - len(kept)
        if kept:
            shown = jpeg(shrunk(painter.draw(frame, outcome)))
            self.events += [TriedEvent(self.seconds, event_values(each), shown) for each in kept]


def at_any_hour(rules: RuleSettings) -> RuleSettings:
    """The same rules, without the hours in which they speak."""
    always = tuple(rule.model_copy(update={"schedule": ()}) for rule in rules.rules)
    return rules.model_copy(update={"rules": always})


def shrunk(image: Image) -> Image:
    """The picture, at most WIDEST_PX wide."""
    height_px, width_px = image.shape[:2]
    if width_px <= WIDEST_PX:
        return image
    size = (WIDEST_PX, max(2, round(height_px * WIDEST_PX / width_px)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
