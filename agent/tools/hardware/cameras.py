"""A camera as a board has it: do real pictures come, as many as asked for, and is it the one that one means.

Opened as the agent opens it, in a process of its own, with its own deadlines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.cameras import open_camera
from agent.cameras.isolate import IsolatedCamera
from agent.cameras.settings import CameraSettings
from agent.clock import Clock
from agent.core.types import Frame
from agent.errors import CameraError, CameraLost, CameraRefused
from agent.settings.quoting import redacted
from agent.tools.hardware.checklist import BoardFinding, Measured, State
from agent.translatable import joined, tr

SEEN_S: Final = 10.0
ENOUGH: Final = 0.8
"""Share of the wanted rate from which on it is the wanted rate."""
DARKER: Final = 0.6
"""A block of a covered lens's picture shows less than this share of its light before."""
COVERED: Final = 0.8
"""So many blocks are darker: what goes out of a night's picture with a car's lamps is fewer."""
BLOCKS: Final = 16
"""A picture's rows and columns of blocks."""
BLACK: Final = 16.0
"""Luma of black, where the range is limited (ITU-R BT.601)."""
LEAST_LIGHT: Final = 8.0
"""Luma above black of a block that can be seen to become darker."""
LIT: Final = 0.1
"""Share of such blocks without which nothing can be told."""
BEFORE_S: Final = 3.0
"""So long it is looked at before anybody does anything; its exposure settles in the first half."""
HELD_S: Final = 0.5
"""A hand stays at least so long; a picture that fails does not."""
AGAIN_S: Final = 0.5
FLAT: Final = 2.0
"""A picture whose luma varies less shows nothing."""


Ready = Callable[[], object]
Light = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Viewing:
    """What a while of a camera showed."""

    frames: int
    first_s: float
    """From opening it to the first picture."""
    fps: float
    contrast: float
    """Standard deviation of the luma, of the picture that varies most."""
    damaged: int
    codec: str
    size: str
    encoder: str | None


def look(camera: CameraSettings, clock: Clock, for_s: float = SEEN_S) -> Viewing:
    """Look through it for so long.

    Raises:
        CameraError: it gives nothing, or stops.
    """
    began = clock.now()
    with opened(camera, clock) as (seen, frames):
        first = next(frames)
        first_s, contrast = clock.now().since(began), _contrast(first)
        moments = [first.at.mono_s]
        for frame in frames:
            moments.append(frame.at.mono_s)
            contrast = max(contrast, _contrast(frame))
            if moments[-1] - moments[0] >= for_s:
                break
        facts, damaged = seen.facts, seen.frames_damaged
    spent_s = moments[-1] - moments[0]
    fps = (len(moments) - 1) / spent_s if spent_s > 0 else 0.0
    assert facts is not None, "a picture has come"
    size = f"{facts.width_px}×{facts.height_px}"
    return Viewing(len(moments), first_s, fps, contrast, damaged, facts.codec, size, facts.encoder)


def judged(camera: CameraSettings, clock: Clock, for_s: float = SEEN_S) -> BoardFinding:
    """Whether it gives what is asked of it."""
    item, title = f"frames {camera.name}", tr("Camera {name}", name=camera.name)
    try:
        seen = look(camera, clock, for_s)
    except CameraError as error:
        return BoardFinding(item, title, State.FAILED, redacted(error.what), error.hint)
    except StopIteration:
        return BoardFinding(item, title, State.FAILED, tr("no picture at all"), tr("try another file"))
    encoder = tr(", {encoder} encoder", encoder=seen.encoder) if seen.encoder else ""
    found = tr(
        "{size} {codec}, the first picture after {first_s:.1f} s, then {fps:.1f} a second{encoder}",
        size=seen.size,
        codec=seen.codec,
        first_s=seen.first_s,
        fps=seen.fps,
        encoder=encoder,
    )
    measured: Measured = {
        "frames": seen.frames,
        "first_s": round(seen.first_s, 2),
        "fps": round(seen.fps, 2),
        "contrast": round(seen.contrast, 1),
        "damaged": seen.damaged,
        "encoder": seen.encoder,
    }
    if seen.contrast < FLAT:
        hint = tr("take off the lens cap; give it light")
        return BoardFinding(
            item, title, State.WARNING, tr("{found}; it shows nothing", found=found), hint, measured
        )
    wanted = min(camera.max_fps, getattr(camera.source, "fps", camera.max_fps))
    if seen.fps < wanted * ENOUGH:
        hint = tr("{wanted:g} a second are wanted: its settings, the light, the load of the box", wanted=wanted)
        return BoardFinding(item, title, State.WARNING, found, hint, measured)
    return BoardFinding(item, title, State.OK, found, "", measured)


def lost_and_back(
    camera: CameraSettings, clock: Clock, within_s: float, ready: Ready
) -> tuple[float | None, float | None]:
    """Seconds until its pictures stopped, and then until they came again; None: not in time.

    `ready` is called once when its pictures come, and may stop.

    Raises:
        CameraError: no picture came at first, or it was refused later: nobody has unplugged anything.
    """
    lost_s = 0.0
    with opened(camera, clock) as (_, frames):
        next(frames)
        ready()
        began = clock.now()
        try:
            for _ in frames:
                if clock.now().since(began) > within_s:
                    return None, None
        except CameraLost:
            lost_s = clock.now().since(began)
    began = clock.now()
    while clock.now().since(began) < within_s:
        try:
            with opened(camera, clock) as (_, frames):
                next(frames)
                return lost_s, clock.now().since(began)
        except (CameraError, StopIteration):
            time.sleep(AGAIN_S)
    return lost_s, None


def covered_and_free(camera: CameraSettings, clock: Clock, within_s: float, ready: Ready) -> tuple[bool, bool]:
    """Whether its picture became dark, and then light again, in time.

    `ready` is called once when what it shows is known well enough to be compared with. Lamps that pass are no
    hand: what was known is not raised by them, and what they leave dark is never nearly all of the picture.

    Raises:
        CameraError: its pictures stopped, or show too little to be compared with.
    """
    dark, dark_since_s = False, None
    with opened(camera, clock) as (_, frames):
        usual = _usual(frames)
        lit = usual > LEAST_LIGHT
        if np.mean(lit) < LIT:
            what = tr("{camera}: too dark to see a hand before its lens", camera=camera.name)
            raise CameraRefused(what, tr("give it light, or do it by day"))
        began = clock.now()
        ready()
        for frame in frames:
            light = _light(frame)[lit] / usual[lit]
            if not dark:
                covered = float(np.mean(light < DARKER)) >= COVERED
                dark_since_s = (dark_since_s or frame.at.mono_s) if covered else None
                dark = dark_since_s is not None and frame.at.mono_s - dark_since_s >= HELD_S
            elif np.median(light) > (1 + DARKER) / 2:
                return True, True
            if clock.now().since(began) > within_s:
                break
    return dark, False


def _usual(frames: Iterator[Frame]) -> Light:
    """What each block mostly shows; the lower quartile, so that a lamp that passes does not count."""
    seen: list[tuple[float, Light]] = []
    for frame in frames:
        seen.append((frame.at.mono_s, _light(frame)))
        if seen[-1][0] - seen[0][0] >= BEFORE_S:
            break
    if not seen:
        return np.zeros((BLOCKS, BLOCKS))
    settled_s = (seen[0][0] + seen[-1][0]) / 2
    return np.quantile([light for at_s, light in seen if at_s >= settled_s], 0.25, axis=0)


def _light(frame: Frame) -> Light:
    """Mean luma above black of each block, (BLOCKS, BLOCKS)."""
    rows, columns = (np.linspace(0, size, BLOCKS, endpoint=False).astype(int) for size in frame.luma.shape)
    sums = np.add.reduceat(np.add.reduceat(frame.luma, rows, axis=0, dtype=np.uint32), columns, axis=1)
    height_px, width_px = frame.luma.shape
    sizes = np.outer(np.diff([*rows, height_px]), np.diff([*columns, width_px]))
    black = 0.0 if frame.full_range else BLACK
    light: Light = np.maximum(0.0, sums / np.maximum(1, sizes) - black)
    return light


def present(root: Path = Path("/")) -> BoardFinding:
    """Which cameras are plugged into the board itself."""
    title = tr("Cameras at the board")
    usb = sorted(path.name for path in (root / "dev/v4l/by-id").glob("*-video-index0"))
    ribbon = [name for name in map(_sensor, sorted((root / "sys/class/video4linux").glob("*/name"))) if name]
    parts = [tr("USB: {names}", names=", ".join(usb))] if usb else []
    parts += [tr("ribbon: {names}", names=", ".join(sorted(set(ribbon))))] if ribbon else []
    measured: Measured = {"usb": ", ".join(usb), "ribbon": ", ".join(sorted(set(ribbon)))}
    if not parts:
        return BoardFinding(
            "cameras", title, State.ABSENT, tr("none; network cameras are tried below"), "", measured
        )
    return BoardFinding("cameras", title, State.OK, joined("; ", parts), "", measured)


def _sensor(path: Path) -> str:
    """The receiver of a ribbon cable: unicam up to a Pi 4, rp1-cfe on a Pi 5 (their drivers' names)."""
    name = path.read_text(encoding="utf-8", errors="replace").strip()
    return name if name.startswith(("unicam", "rp1-cfe")) else ""


@contextmanager
def opened(camera: CameraSettings, clock: Clock) -> Iterator[tuple[IsolatedCamera, Iterator[Frame]]]:
    """The camera and its frames, closed at the end."""
    seen = open_camera(camera, clock)
    try:
        yield seen, seen.frames()
    finally:
        seen.close()


def _contrast(frame: Frame) -> float:
    return float(np.std(frame.luma[::4, ::4]))
