"""Can the agent tell that a camera is blind: each fault over each clip at a known moment, and no false alarm.

A clip is looped for `BEFORE_S` seconds; then the fault begins, in `STRENGTHS`, every second one compressed
after it, and must be told within `WITHIN_S`. Then it is taken away, and must end. Harmless sights run for
`HARMLESS_S` each and must tell nothing. The tables are per kind of overlay, over all clips.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core import integrity
from agent.core.integrity import Fault, IntegritySettings, IntegrityState
from agent.core.types import Frame, Instant
from benchmarks import sights
from benchmarks.sights import Overlay

Plane = NDArray[np.uint8]

RATE = 2.0
"""Frames a second: one per look."""
BEFORE_S, WITHIN_S, AFTER_S, HARMLESS_S = 20.0, 10.0, 12.0, 120.0
STRENGTHS = (0.0, 0.5, 1.0)
SETTINGS = IntegritySettings(look_every_s=1 / RATE)


@dataclass(frozen=True, slots=True)
class Clip:
    """Every picture of a clip that is looked at."""

    name: str
    luma: tuple[Plane, ...]
    u: tuple[Plane, ...]
    v: tuple[Plane, ...]
    full_range: bool


@dataclass
class Case:
    """What became of one fault."""

    fault: str
    overlay: str
    clip: str
    strength: float
    delay_s: float | None = None
    told: str | None = None
    back_s: float | None = None


@dataclass
class Quiet:
    """What became of a harmless sight."""

    sight: str
    hours: float = 0.0
    alarms: list[str] = field(default_factory=list)


def main(paths: list[Path]) -> list[dict[str, object]]:
    """Rows per fault, then per harmless sight, over all clips."""
    cv2.setNumThreads(1)
    cases: list[Case] = []
    quiet = {name: Quiet(name) for name in sights.HARMLESS}
    for path in paths:
        clip = read(path)
        begun = starts(clip)
        cases += faulted(clip, begun)
        for name, overlay in sights.HARMLESS.items():
            harmless(begun, overlay, quiet[name])
    return [*_fault_rows(cases), *_quiet_rows(quiet), _cost(read(paths[0]))]


def read(path: Path) -> Clip:
    """The clip's pictures at `RATE` a second."""
    luma, u, v = [], [], []
    full = False
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        step = max(1, round(float(stream.average_rate or 25) / RATE))
        for index, picture in enumerate(container.decode(stream)):
            if index % step:
                continue
            height, width = picture.height // 2 * 2, picture.width // 2 * 2
            full = picture.color_range == 2
            planes = picture.to_ndarray(format="yuvj420p" if full else "yuv420p")
            flat = np.asarray(planes, np.uint8).reshape(-1)
            area = height * width
            luma.append(flat[:area].reshape(height, width).copy())
            u.append(flat[area : area * 5 // 4].reshape(height // 2, width // 2).copy())
            v.append(flat[area * 5 // 4 :].reshape(height // 2, width // 2).copy())
    return Clip(path.name, tuple(luma), tuple(u), tuple(v), full)


class Feed:
    """A clip that loops for ever from a place of its own, with time that goes on."""

    def __init__(self, clip: Clip, chance: np.random.Generator, index: int = 0) -> None:
        self.clip, self.chance, self.index = clip, chance, index
        self.first = sum(clip.name.encode()) % len(clip.luma)

    @property
    def now_s(self) -> float:
        """Seconds since the first frame."""
        return self.index / RATE

    def frame(self, shown: sights.Shown | None, at_s: float, quality: int | None, grey: bool = False) -> Frame:
        """The next frame, through the overlay and through JPEG where `quality` says so."""
        place = (self.first + self.index) % len(self.clip.luma)
        luma, u, v = self.clip.luma[place], self.clip.u[place], self.clip.v[place]
        if shown is not None:
            luma = np.clip(np.rint(shown(luma.astype(np.float32), at_s)), 0, 255).astype(np.uint8)
        if grey:
            u = v = np.full_like(u, 128)
        if quality is not None:
            _, data = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, quality])
            luma = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
        at = Instant(1000 + self.now_s, 1_770_000_000 + self.now_s)
        self.index += 1
        return Frame(self.index, at, luma, u, v, self.clip.full_range)


@dataclass(frozen=True, slots=True)
class Start:
    """A camera watched for `BEFORE_S`: every case on this clip begins here, for state is a value."""

    clip: Clip
    state: IntegrityState | None
    index: int
    quality: int | None

    def feed(self, chance: np.random.Generator) -> Feed:
        """The clip from here on, with chance of its own."""
        return Feed(self.clip, chance, self.index)


def starts(clip: Clip) -> list[Start]:
    """One as decoded and one through JPEG."""
    found = []
    for quality in (None, 60):
        feed = Feed(clip, np.random.default_rng(sum(clip.name.encode())))
        state: IntegrityState | None = None
        while feed.now_s < BEFORE_S:
            state, _ = integrity.update(state, feed.frame(None, 0, quality), SETTINGS)
        found.append(Start(clip, state, feed.index, quality))
    return found


def faulted(clip: Clip, begun: list[Start]) -> Iterator[Case]:
    """Every fault over one clip."""
    for fault, overlays in sights.FAULTS.items():
        for overlay in overlays:
            for number, strength in enumerate(STRENGTHS):
                chance = np.random.default_rng([number, *overlay.__name__.encode(), *clip.name.encode()])
                case = Case(fault, overlay.__name__, clip.name, strength)
                _run_fault(case, begun[number % 2], overlay, chance)
                yield case


def _run_fault(case: Case, start: Start, overlay: Overlay, chance: np.random.Generator) -> None:
    feed, state = start.feed(chance), start.state
    shown = overlay(feed.clip.luma[0].shape, case.strength, chance)
    grey = case.overlay in {"cap", "bag"}
    began_s = feed.now_s
    while (late_s := feed.now_s - began_s) <= WITHIN_S + 2:
        state, view = integrity.update(state, feed.frame(shown, late_s, start.quality, grey), SETTINGS)
        if view.fault and case.delay_s is None:
            case.delay_s = late_s
        case.told = view.fault or case.told
    began_s = feed.now_s
    while case.delay_s is not None and (late_s := feed.now_s - began_s) <= AFTER_S:
        state, view = integrity.update(state, feed.frame(None, 0, start.quality), SETTINGS)
        if view.fault is None:
            case.back_s = late_s
            break


def harmless(begun: list[Start], overlay: Overlay, quiet: Quiet) -> None:
    """One harmless sight over one clip."""
    for number, strength in enumerate(STRENGTHS):
        start = begun[number % 2]
        chance = np.random.default_rng([number, *overlay.__name__.encode(), *start.clip.name.encode()])
        feed, state = start.feed(chance), start.state
        shown = overlay(start.clip.luma[0].shape, strength, chance)
        before: Fault | None = None
        while (late_s := feed.now_s - BEFORE_S) < HARMLESS_S:
            grey = overlay is sights.infrared and strength != 1 and late_s % 120 < 60
            state, view = integrity.update(state, feed.frame(shown, late_s, start.quality, grey), SETTINGS)
            if view.fault and not before:
                quiet.alarms.append(f"{start.clip.name} {strength} {late_s:.0f}s {view.fault}")
            before = view.fault
        quiet.hours += HARMLESS_S / 3600


def _fault_rows(cases: list[Case]) -> Iterator[dict[str, object]]:
    for fault in sights.FAULTS:
        for name in [*dict.fromkeys(each.overlay for each in cases if each.fault == fault), "all"]:
            chosen = [each for each in cases if each.fault == fault and name in (each.overlay, "all")]
            delays = [each.delay_s for each in chosen if each.delay_s is not None]
            found = [each for each in delays if each <= WITHIN_S]
            ended = [each for each in chosen if each.delay_s is not None and each.back_s is not None]
            yield {
                "what": f"{fault}: {name}",
                "cases": len(chosen),
                "found in 10 s": len(found),
                "%": round(100 * len(found) / max(1, len(chosen)), 1),
                "named so %": round(100 * sum(each.told == fault for each in chosen) / max(1, len(chosen))),
                "median s": median(delays) if delays else None,
                "worst s": max(delays) if delays else None,
                "ended in 12 s %": round(100 * len(ended) / max(1, len(delays))),
            }


def _quiet_rows(quiet: dict[str, Quiet]) -> Iterator[dict[str, object]]:
    for each in quiet.values():
        yield {
            "what": f"harmless: {each.sight}",
            "hours": round(each.hours, 2),
            "false alarms": len(each.alarms),
            "per hour": round(len(each.alarms) / max(each.hours, 1e-9), 2),
            "which": "; ".join(each.alarms[:4]),
        }


def _cost(clip: Clip) -> dict[str, object]:
    feed = Feed(clip, np.random.default_rng(1))
    frames = [feed.frame(None, 0, None) for _ in range(200)]
    state: IntegrityState | None = None
    took = []
    for frame in frames:
        began = time.process_time()
        state, _ = integrity.update(state, frame, SETTINGS)
        took.append(time.process_time() - began)
    height, width = clip.luma[0].shape
    return {"what": f"cost per look, {width}x{height}", "median ms": round(1000 * median(took), 3)}


if __name__ == "__main__":
    for row in main([Path(each) for each in sys.argv[1:]]):
        sys.stdout.write("  ".join(f"{key}={value}" for key, value in row.items()) + "\n")
