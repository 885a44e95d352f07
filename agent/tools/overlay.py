"""What the agent sees, drawn on the picture: zones, lines, motion, crops, tracks and the latest events.

For people who look instead of read: `ngatu replay --overlay` and the demo. The grid of `ngatu preview
--picture` is written with the same letters.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path

import av
import cv2
import numpy as np

from agent.core import image as picture
from agent.core.pipeline import Outcome
from agent.core.rules.settings import RuleSettings
from agent.core.types import Box, Event, Frame, Image, Phase, Reason, Severity, Size, Track

FONT = cv2.FONT_HERSHEY_SIMPLEX
LETTER = 0.42
GREY, WHITE, AMBER, RED, BLUE = (150, 150, 150), (255, 255, 255), (0, 190, 255), (60, 60, 235), (230, 160, 60)
FINE = Fraction(1, 90_000)
"""The unit of time of a video whose pictures do not come evenly, in seconds."""
FLASH_S = 2.0
"""How long an event stays written on the picture."""
CROP_COLOURS = {Reason.MOTION: AMBER, Reason.TRACK: BLUE, Reason.FULL_SCAN: GREY}


@dataclass
class Painter:
    """Draws one camera's frames; remembers the paths and the events it has shown."""

    rules: RuleSettings
    numbers: dict[str, int] = field(default_factory=dict)
    """Track id -> a short number for people; of the tracks that live."""
    numbered: int = 0
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=6))
    paths: dict[str, deque[tuple[float, float]]] = field(default_factory=dict)
    crossings: dict[str, int] = field(default_factory=dict)
    """Line rule -> crossings told."""

    def draw(self, frame: Frame, outcome: Outcome) -> Image:
        """The frame in colour with everything known about it."""
        image = picture.bgr(frame)
        size = frame.size
        self._places(image, size)
        for region in outcome.motion.regions:
            _rectangle(image, region, size, AMBER, 1)
        for crop in outcome.crops:
            _rectangle(image, crop.box, size, CROP_COLOURS[crop.reason], 1)
        for track in outcome.tracks:
            if not (track.ended or track.is_guess(frame.at)):
                self._track(image, track, size)
        self._events(image, frame, outcome)
        living = {track.id for track in outcome.tracks if not track.ended}
        self.paths = {name: path for name, path in self.paths.items() if name in living}
        self.numbers = {name: number for name, number in self.numbers.items() if name in living}
        return image

    def _places(self, image: Image, size: Size) -> None:
        for zone in self.rules.zones:
            corners = [point_of(corner, size) for corner in zone.polygon]
            cv2.polylines(image, [np.array(corners, np.int32)], True, BLUE, 1, cv2.LINE_AA)
            write_text(image, zone.id, corners[0], BLUE)
        for rule in self.rules.rules:
            if rule.ends:
                start, end = (point_of(end, size) for end in rule.ends)
                cv2.line(image, start, end, WHITE, 2, cv2.LINE_AA)
                write_text(image, f"{rule.id}: {self.crossings.get(rule.id, 0)}", start, WHITE)

    def _track(self, image: Image, track: Track, size: Size) -> None:
        if track.id not in self.numbers:
            self.numbered += 1
            self.numbers[track.id] = self.numbered
        number = self.numbers[track.id]
        colour = colour_of(track.id) if track.confirmed and not track.static_false_positive else GREY
        path = self.paths.setdefault(track.id, deque(maxlen=60))
        path.append(track.box.foot)
        if track.confirmed and len(path) > 1:
            points = np.array([point_of(each, size) for each in path], np.int32)
            cv2.polylines(image, [points], False, colour, 1, cv2.LINE_AA)
        _rectangle(image, track.box, size, colour, 2 if track.seen else 1)
        if track.confirmed:
            riders = f"+{track.riders}" if track.riders else ""
            rest = " false positive" if track.static_false_positive else " standing" if track.stationary else ""
            left, top = point_of((track.box.left, track.box.top), size)
            write_text(
                image, f"{number} {track.label}{riders} {track.score:.2f}{rest}", (left, top - 4), colour
            )

    def _events(self, image: Image, frame: Frame, outcome: Outcome) -> None:
        for event in outcome.reports:
            if isinstance(event, Event) and event.phase is Phase.START:
                self.events.append(event)
                self.crossings[event.rule_id] = self.crossings.get(event.rule_id, 0) + 1
        recent = [event for event in self.events if frame.at.since(event.at) < FLASH_S]
        for line, event in enumerate(recent):
            what = event.object.label if event.object else ""
            text = " ".join(filter(None, (event.kind.value, what, event.direction, f"({event.rule_id})")))
            colour = RED if event.severity is Severity.ALERT else WHITE
            write_text(image, text, (8, 20 + 18 * line), colour)


def colour_of(name: str) -> tuple[int, int, int]:
    """A bright colour that is always the same for one id (BGR)."""
    hue = blake2b(name.encode(), digest_size=1).digest()[0] * 180 // 256
    bgr = cv2.cvtColor(np.array([[[hue, 200, 255]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0]
    return int(bgr[0]), int(bgr[1]), int(bgr[2])


@contextmanager
def video(
    path: Path, size: Size, fps: float, kind: str | None = None, *, timed: bool = False
) -> Iterator[VideoFile]:
    """A video file to draw into: H.264, or MPEG-4 where this build of FFmpeg has no encoder for it.

    `kind` is FFmpeg's name of the file's format, where the path does not end with it; a `timed` one is told the
    moment of each picture, for they do not come evenly.

    Raises:
        OSError: it cannot be written.
    """
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size.width_px // 2 * 2, size.height_px // 2 * 2
        stream.pix_fmt = "yuv420p"
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "23"}
        if timed:
            stream.codec_context.time_base = FINE
        container.start_encoding()  # a file that cannot be made is told before there is work to lose
        file = VideoFile(container, stream)
        yield file
        file.put(stream.encode())


class VideoFile:
    """An open video; `write` adds one picture."""

    def __init__(self, container: av.container.OutputContainer, stream: av.VideoStream) -> None:
        self._container, self._stream = container, stream

    def write(self, image: Image, at_s: float | None = None) -> None:
        """Add a BGR picture, at least as large as the video; what is beyond an even size is cut.

        `at_s` is its moment in a timed video, later than that of the picture before.
        """
        even = np.ascontiguousarray(image[: self._stream.height, : self._stream.width])
        frame = av.VideoFrame.from_ndarray(even, format="bgr24")
        if at_s is not None:
            frame.pts, frame.time_base = round(at_s / FINE), FINE
        self.put(self._stream.encode(frame))

    def put(self, packets: Iterable[av.Packet[av.VideoStream]]) -> None:
        """Write encoded packets."""
        for packet in packets:
            self._container.mux(packet)


def point_of(corner: tuple[float, float], size: Size) -> tuple[int, int]:
    """A corner in fractions of the frame, as the pixel that lies there."""
    return round(corner[0] * size.width_px), round(corner[1] * size.height_px)


def _rectangle(image: Image, box: Box, size: Size, colour: tuple[int, int, int], width_px: int) -> None:
    corners = point_of((box.left, box.top), size), point_of((box.right, box.bottom), size)
    cv2.rectangle(image, *corners, colour, width_px, cv2.LINE_AA)


def text_size(text: str, scale: float = 1.0) -> tuple[int, int]:
    """Width and height of the written text, in pixels."""
    (width, height), _ = cv2.getTextSize(text, FONT, LETTER * scale, max(1, round(scale)))
    return width, height


def write_text(
    image: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int], scale: float = 1.0
) -> None:
    """The text on a dark ground: readable everywhere, and inside the picture; `scale` is of its letters."""
    size, bold = LETTER * scale, max(1, round(scale))
    (width, height), below = cv2.getTextSize(text, FONT, size, bold)
    left = max(0, min(at[0], image.shape[1] - width - 2))
    base = max(height + 2, min(at[1], image.shape[0] - below))
    cv2.rectangle(image, (left, base - height - 2), (left + width + 2, base + below), (30, 30, 30), cv2.FILLED)
    cv2.putText(image, text, (left + 1, base), FONT, size, colour, bold, cv2.LINE_AA)
