"""One camera looked at while it is set up: its newest picture, and what the agent's own stages see in it.

The picture is made only while somebody looks. A camera that is lost is told in words and asked again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import cv2

from agent.cameras import open_camera
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.settings import CameraSettings, FileSource
from agent.clock import Clock
from agent.config.schema import CameraConfig, Config
from agent.core import image as picture
from agent.core import pipeline
from agent.core.ids import Ids
from agent.core.pipeline import PipelineSettings, PipelineState
from agent.core.rules.settings import RuleSettings
from agent.core.types import WHOLE, Frame, Image, Size
from agent.detectors import Detector
from agent.errors import CameraLost, CameraRefused, NgatuError
from agent.outbox.file import OutboxFile
from agent.settings.quoting import redacted
from agent.tools.preview.scene import SceneWriter
from agent.translatable import joined, tr

WIDEST_PX = 1280
QUALITY = 80
LOST_S, REFUSED_S = 2.0, 30.0
"""Waits before a camera is asked again: it may lock out who tries a wrong password again and again."""
LOOKED_S = 5.0
"""So long after somebody asked, pictures are made for him."""


@dataclass(frozen=True, slots=True)
class View:
    """What there is to be seen now."""

    number: int = 0
    """Counts pictures and troubles from 1."""
    seen: dict[str, Any] | None = None
    """What `SceneWriter` writes."""
    jpeg: bytes | None = None
    trouble: NgatuError | None = None
    """Why there is no picture."""


class Live:
    """Watches one camera in a thread of its own, which is given `run`."""

    def __init__(
        self,
        camera: CameraConfig,
        settings: PipelineSettings,
        detector: Detector,
        clock: Clock,
        advised: Callable[[NgatuError], NgatuError] = lambda error: error,
    ) -> None:
        """`advised` may add to an error what whoever looks can do."""
        self._camera, self._detector, self._clock = endless(camera), detector, clock
        self._settings = seeing_with(detector, settings)
        self._advised = advised
        self._stopped = False
        self._changed = threading.Condition()
        self._view = View()
        self._asked_s = float("-inf")
        self._rules: RuleSettings | None = None
        """What is to be judged by from the next frame on."""
        self._source: IsolatedCamera | None = None

    def judge_by(self, rules: RuleSettings) -> None:
        """Let these rules and zones count from now on."""
        with self._changed:
            self._rules = rules

    def watch(self, camera: CameraConfig) -> bool:
        """Show this one from now on: other masks, or another source; False: it is as before.

        When this returns, nothing is given any more that was seen without its masks.
        """
        camera = endless(camera)
        with self._changed:
            before = self._camera
            if all(getattr(camera, name) == getattr(before, name) for name in CameraSettings.model_fields):
                return False
            self._camera, source = camera, self._source
            self._view = View(self._view.number + 1)
            self._changed.notify_all()
        if source is not None:
            source.close()
        return True

    def newest(self, after: int, wait_s: float) -> View | None:
        """What came after the view of this number; None if nothing does within the time."""

        def is_new() -> bool:
            view = self._view
            return view.number > after and (view.jpeg is not None or view.trouble is not None)

        with self._changed:
            self._asked_s = self._clock.now().mono_s
            return self._view if self._changed.wait_for(is_new, wait_s) else None

    def stop(self) -> None:
        """Let `run` end."""
        with self._changed:
            self._stopped, source = True, self._source
            self._changed.notify_all()
        if source is not None:
            source.close()

    def run(self) -> None:
        """Watch until `stop`."""
        while not self._stopped:
            camera = self._camera
            try:
                self._watch(camera)
                error: NgatuError = CameraLost(tr("{camera}: no picture at all", camera=camera.name), "")
            except NgatuError as caught:
                error = caught
            except Exception as caught:  # whoever looks must hear of it, and not of a traceback
                error = fault(caught)
            if self._wanted(camera):
                self._show(camera, trouble=self._advised(error))
                self._rest(camera, REFUSED_S if isinstance(error, CameraRefused) else LOST_S)

    def _rest(self, camera: CameraConfig, rest_s: float) -> None:
        """Until it is asked again, or another is to be shown."""
        with self._changed:
            self._changed.wait_for(lambda: not self._wanted(camera), rest_s)

    def _wanted(self, camera: CameraConfig) -> bool:
        """Whether this is still what is to be shown."""
        return not self._stopped and camera is self._camera

    def _watch(self, camera: CameraConfig) -> None:
        source = open_camera(camera, self._clock)
        with self._changed:
            self._source = source
        writer, state = SceneWriter(), PipelineState(Ids(os.urandom(32)))
        with closing(source):
            if not self._wanted(camera):  # whoever changed it found nothing to close
                return
            for frame in source.frames():
                if not self._wanted(camera):
                    return
                state = self._obeying(state)
                state, outcome = pipeline.update(
                    state, frame, self._detector.detect, self._detector.input_size, self._settings
                )
                self._show(camera, frame, writer.write(frame, outcome))

    def _obeying(self, state: PipelineState) -> PipelineState:
        with self._changed:
            rules, self._rules = self._rules, None
        if rules is None:
            return state
        self._settings = replace(self._settings, rules=rules)
        return replace(state, rules=None)  # what a rule remembers may be of another kind of rule

    def _show(
        self,
        camera: CameraConfig,
        frame: Frame | None = None,
        seen: dict[str, Any] | None = None,
        trouble: NgatuError | None = None,
    ) -> None:
        looked = self._clock.now().mono_s - self._asked_s < LOOKED_S
        made = jpeg(picture_of(frame)) if frame is not None and looked else None
        with self._changed:
            if self._wanted(camera):
                self._view = View(self._view.number + 1, seen, made, trouble)
                self._changed.notify_all()


def endless(camera: CameraConfig) -> CameraConfig:
    """The camera; a file begins again at its end, and takes its time."""
    if not isinstance(camera.source, FileSource):
        return camera
    source = camera.source.model_copy(update={"loop": True, "pace": "real"})
    return camera.model_copy(update={"source": source})


def seeing_with(detector: Detector, settings: PipelineSettings) -> PipelineSettings:
    """The settings, for motion alone where there is no network to ask."""
    if detector.labels:
        return settings
    return replace(settings, attention=settings.attention.model_copy(update={"enabled": False}))


def picture_of(frame: Frame, widest_px: int = WIDEST_PX) -> Image:
    """The frame in colour, at most so wide."""
    size = frame.size
    if size.width_px <= widest_px:
        return picture.bgr(frame)
    height_px = max(2, round(size.height_px * widest_px / size.width_px))
    return picture.bgr(frame, WHOLE, Size(widest_px, height_px))


def jpeg(image: Image) -> bytes:
    """The picture as a browser shows it, without metadata."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done, "an image of ours can always be encoded"
    return data.tobytes()


def fault(error: Exception) -> NgatuError:
    """What nobody foresaw, in one line."""
    text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return NgatuError(redacted(text), tr("this is a fault of ngatu: report it with this line"))


def with_advice(error: NgatuError, config: Config, camera: CameraConfig) -> NgatuError:
    """The error, and what to do where the agent itself may have the camera."""
    runs = OutboxFile.is_locked(config.outbox_path)
    if camera.source.kind in ("usb", "csi"):
        who = (
            tr("the agent is running on this box, and has this camera")
            if runs
            else tr("one program at a time has such a camera: if the agent is running on this box, it is that")
        )
    elif runs and camera.source.kind == "rtsp":
        who = tr("the agent is running on this box, and some cameras serve few at a time")
    else:
        return error
    advice = tr(
        "{who}; stop it while you look, with `sudo systemctl stop ngatu`, and start it afterwards",
        who=who,
    )
    return type(error)(error.what, joined("; ", filter(None, (error.hint, advice))))
