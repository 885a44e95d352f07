"""One picture of a camera with a grid, for whoever writes zones, lines and masks (`ngatu preview --picture`).

Corners stand in the configuration as fractions of the frame; the grid lets them be read off the picture. It
comes through the same decoder as the agent's frames, so what a privacy mask hides is black in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from agent.cameras import open_camera
from agent.cameras.settings import FileSource
from agent.clock import Clock
from agent.config.schema import CameraConfig
from agent.core import image as picture
from agent.core.geometry import Point
from agent.core.rules.registry import Rule
from agent.core.types import Frame, Image, Size
from agent.errors import CameraRefused, NgatuError
from agent.tools.overlay import AMBER, BLUE, WHITE, point_of, text_size, write_text
from agent.translatable import tr

SETTLE_S = 1.0
"""A live camera's first picture is often too dark: its exposure is still finding its way."""
STEPS = 10
"""The grid has a line every 0.1 of the frame."""
READABLE_PX = 960
"""At this width the letters have their plain size; they grow with the picture."""
GRID = 0.55
"""How much of the grid's lines covers the picture."""
ARROW_PX = 28
GREEN, BLACK = (120, 220, 120), (0, 0, 0)
Colour = tuple[int, int, int]
QUALITY = 90
KINDS = (".jpg", ".jpeg", ".png")


def preview(camera: CameraConfig, clock: Clock) -> tuple[Image, Size]:
    """A picture of the camera with grid, zones, lines and masks drawn in, (H, W, 3) BGR; the camera's own size.

    Raises:
        CameraError: the camera gives no picture.
    """
    with closing(open_camera(camera, clock)) as source:
        frames = source.frames()
        frame = _taken(frames, camera)
        if not isinstance(camera.source, FileSource):
            source.rest_s = SETTLE_S
            frame = next(frames, frame)
        return drawn(frame, camera), frame.size


def _taken(frames: Iterator[Frame], camera: CameraConfig) -> Frame:
    frame = next(frames, None)
    if frame is None:
        raise CameraRefused(tr("{camera}: no picture at all", camera=camera.name), tr("try another file"))
    return frame


def drawn(frame: Frame, camera: CameraConfig) -> Image:
    """The frame in colour, its grid, and what the configuration says about places in it.

    A small frame is enlarged: fractions stay what they are, and the letters become readable.
    """
    image = picture.bgr(frame)
    if frame.size.width_px < READABLE_PX:
        height_px = round(frame.size.height_px * READABLE_PX / frame.size.width_px)
        image = np.asarray(
            cv2.resize(image, (READABLE_PX, height_px), interpolation=cv2.INTER_LINEAR), np.uint8
        )
    sheet = _Sheet(image)
    sheet.grid()
    for number, mask in enumerate(camera.privacy_masks):
        sheet.polygon(mask, f"privacy_masks[{number}]", GREEN)
    for zone in camera.zones:
        sheet.polygon(zone.polygon, zone.id, BLUE)
    for rule in camera.rules:
        if rule.ends:
            sheet.line(rule)
    return sheet.image


def save(image: Image, path: Path) -> None:
    """Write the picture; its kind is that of the name.

    Raises:
        NgatuError: the name has no kind of a picture, or the file cannot be written.
    """
    if path.suffix.lower() not in KINDS:
        raise NgatuError(
            tr("{path}: not a name for a picture", path=path), tr("end it with {kinds}", kinds=", ".join(KINDS))
        )
    done, data = cv2.imencode(path.suffix.lower(), image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    assert done, "an image of ours can always be encoded"
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise NgatuError(
            tr("{path}: cannot be written: {reason}", path=path, reason=error.strerror or type(error).__name__),
            tr("name a file in a folder that is there and that you may write to"),
        ) from error


class _Sheet:
    """The picture that is drawn on; letters and lines grow with it."""

    def __init__(self, image: Image) -> None:
        self.image = image
        self._size = Size(image.shape[1], image.shape[0])
        self._scale = image.shape[1] / READABLE_PX
        self._thick = max(2, round(2 * self._scale))

    def grid(self) -> None:
        """A line every tenth, half transparent, and its fraction at both ends."""
        lines, width, height = self.image.copy(), self._size.width_px, self._size.height_px
        ticks = [(f"{step / STEPS:.1f}", *self._at((step / STEPS, step / STEPS))) for step in range(1, STEPS)]
        for _, x, y in ticks:
            for start, end in (((x, 0), (x, height)), ((0, y), (width, y))):
                cv2.line(lines, start, end, BLACK, 3)  # dark beside bright shows on any ground
                cv2.line(lines, start, end, WHITE, 1)
        self.image = np.asarray(cv2.addWeighted(lines, GRID, self.image, 1 - GRID, 0), np.uint8)
        for text, x, y in ticks:
            for at in ((x, 0), (x, height), (0, y), (width, y)):
                self._write(text, at, WHITE)

    def polygon(self, corners: Sequence[Point], name: str, colour: Colour) -> None:
        """A place, its name in the middle."""
        points = [self._at(corner) for corner in corners]
        cv2.polylines(self.image, [np.array(points, np.int32)], True, colour, self._thick, cv2.LINE_AA)
        middle = sum(x for x, _ in points) // len(points), sum(y for _, y in points) // len(points)
        self._write(name, middle, colour)

    def line(self, rule: Rule) -> None:
        """From `start` to `end`; an arrow across it shows which way is `in`."""
        start, end = (np.array(self._at(corner)) for corner in rule.ends)
        cv2.line(self.image, start.tolist(), end.tolist(), AMBER, self._thick, cv2.LINE_AA)
        along = (end - start) / max(1.0, float(np.hypot(*(end - start))))
        middle = (start + end) / 2
        # To the right of someone who walks from start to end; y points down.
        right = np.array([-along[1], along[0]]) * ARROW_PX * self._scale
        ways = (-right, right, 1.6 * right, 3 * along * ARROW_PX * self._scale)
        tail, tip, beyond, beside = (np.round(middle + way).astype(int).tolist() for way in ways)
        cv2.arrowedLine(self.image, tail, tip, AMBER, self._thick, cv2.LINE_AA, tipLength=0.3)
        self._write("in", beyond, AMBER)
        self._write(rule.id, beside, AMBER)
        self._write("start", start.tolist(), AMBER)
        self._write("end", end.tolist(), AMBER)

    def _at(self, corner: Point) -> tuple[int, int]:
        return point_of(corner, self._size)

    def _write(self, text: str, at: Sequence[int], colour: Colour) -> None:
        """The text with its middle there, as far as it then is inside the picture."""
        wide, high = text_size(text, self._scale)
        write_text(self.image, text, (at[0] - wide // 2, at[1] + high // 2), colour, self._scale)
