"""Can the agent tell that a camera is blind: each fault over each clip at a known moment, and no false alarm.

A clip is looped for `BEFORE_S` seconds; then the fault begins (blinding.py), every second one compressed after
it, and must be told within `WITHIN_S`. Then it is taken away, and must end. Harmless sights (harmless.py) run
for `HARMLESS_S` or more and must tell nothing. Everything about an overlay is drawn by the seed; the strengths
are spread, so that each seed has weak and strong ones. The judgement was tuned on `TUNED`, never on `FRESH`.

In the agent a quiet view is judged less often (pipeline.py): the faults are told so as well, at its own pace.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core import pipeline
from agent.core.attention.settings import AttentionSettings
from agent.core.ids import Ids
from agent.core.pipeline import PipelineSettings, PipelineState
from agent.core.tamper import monitor
from agent.core.tamper.classify import TamperKind
from agent.core.tamper.evidence import Visibility
from agent.core.tamper.settings import TamperSettings
from agent.core.types import Frame, Instant, Size
from benchmarks.blinding import FAULTS
from benchmarks.harmless import HARMLESS
from benchmarks.sights import AWAY_EVERY_S, Chance, Overlay, Sight

Plane = NDArray[np.uint8]

RATE, AGENT_RATE = 2.0, 4.0
"""Frames a second: one per look; and about as many as leave the decoder while nothing moves."""
BEFORE_S, WITHIN_S, AFTER_S, HARMLESS_S = 20.0, 10.0, 12.0, 100.0
TUNED, FRESH = 11, 4711
FAULT_CASES, HARMLESS_CASES = 3, 2
"""Of each overlay over each clip."""
SETTINGS = TamperSettings(look_every_s=1 / RATE)
AGENT = PipelineSettings(attention=AttentionSettings(enabled=False))

Judge = Callable[[Any, Frame], tuple[Any, Visibility]]
"""State, which is None at first, and a frame in; state and the judgement out."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Every picture of a clip that is looked at."""

    name: str
    luma: tuple[Plane, ...]
    u: tuple[Plane, ...]
    v: tuple[Plane, ...]
    full_range: bool
    rate: float
    """Pictures a second."""


@dataclass
class Case:
    """What became of one fault."""

    fault: str
    overlay: str
    clip: str
    strength: float
    seed: int = 0
    delay_s: float | None = None
    named: str | None = None
    back_s: float | None = None


@dataclass
class Quiet:
    """What became of a harmless sight."""

    sight: str
    hours: float = 0.0
    alarms: list[str] = field(default_factory=list)


def main(paths: list[Path], seeds: Sequence[int] = (TUNED, FRESH)) -> list[dict[str, object]]:
    """Rows per fault, then per harmless sight, over all clips; for each seed."""
    cv2.setNumThreads(1)
    rows: list[dict[str, object]] = []
    clips = [read(path) for path in paths]
    for seed in seeds:
        cases: list[Case] = []
        quiet = {each.__name__: Quiet(each.__name__) for each in HARMLESS}
        for clip in clips:
            begun = starts(clip, seed)
            cases += faulted(clip, begun, seed)
            for overlay in HARMLESS:
                harmless(begun, overlay, quiet[overlay.__name__], seed)
        rows += [{"seed": seed, **row} for row in (*_fault_rows(cases), *_quiet_rows(quiet))]
    rows += _in_the_agent(paths, seeds[0])
    return [*rows, _cost(clips[0])]


def alone(state: Any, frame: Frame) -> tuple[Any, Visibility]:
    """The stage by itself."""
    return monitor.update(state, frame, SETTINGS)


def in_the_agent(state: Any, frame: Frame) -> tuple[Any, Visibility]:
    """The stage as the pipeline asks it, without a detector."""
    before = state or PipelineState(Ids(b"whoever watches cameras"))
    after, outcome = pipeline.update(before, frame, lambda images: [()] * len(images), Size(416, 416), AGENT)
    return after, outcome.view


def _in_the_agent(paths: list[Path], seed: int) -> Iterator[dict[str, object]]:
    cases: list[Case] = []
    for path in paths:
        clip = read(path, AGENT_RATE)
        cases += faulted(clip, starts(clip, seed, in_the_agent), seed)
    for row in _fault_rows(cases):
        if row["what"] == "every fault" or str(row["what"]).endswith(": all"):
            yield {"seed": seed, **row, "what": f"in the agent, {row['what']}"}


def read(path: Path, rate: float = RATE) -> Clip:
    """The clip's pictures at so many a second."""
    luma, u, v = [], [], []
    full = False
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        step = max(1, round(float(stream.average_rate or 25) / rate))
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
    return Clip(path.name, tuple(luma), tuple(u), tuple(v), full, rate)


class Feed:
    """A clip that loops for ever from a place of its own, with time that goes on."""

    def __init__(self, clip: Clip, index: int = 0) -> None:
        self.clip, self.index = clip, index
        self.first = sum(clip.name.encode()) % len(clip.luma)
        self.away_s = 0.0

    @property
    def now_s(self) -> float:
        """Seconds of pictures since the first frame."""
        return self.index / self.clip.rate

    def frame(self, sight: Sight | None, at_s: float, quality: int | None) -> Frame:
        """The next frame, through the overlay and through JPEG where `quality` says so."""
        place = (self.first + self.index) % len(self.clip.luma)
        luma, u, v = self.clip.luma[place], self.clip.u[place], self.clip.v[place]
        if sight is not None:
            luma = self._shown(sight, luma, at_s)
            if sight.grey(at_s):
                u = v = np.full_like(u, 128)
        if quality is not None:
            _, data = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, quality])
            luma = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
        now_s = self.now_s + self.away_s
        at = Instant(1000 + now_s, 1_770_000_000 + now_s)
        self.index += 1
        return Frame(self.index, at, luma, u, v, self.clip.full_range)

    def _shown(self, sight: Sight, luma: Plane, at_s: float) -> Plane:
        """Overlays are made for video's black of 16 and white of 235."""
        wide = self.clip.full_range
        picture = luma * np.float32(219 / 255) + np.float32(16) if wide else luma.astype(np.float32)
        shown = np.clip(sight.shown(picture, at_s), 16, 235)
        return np.rint((shown - 16) * (255 / 219) if wide else shown).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Start:
    """A camera watched for `BEFORE_S`: every case on this clip begins here, for state is a value."""

    clip: Clip
    state: Any
    index: int
    quality: int | None
    judge: Judge


def starts(clip: Clip, seed: int, judge: Judge = alone) -> list[Start]:
    """One as decoded and one through JPEG."""
    found = []
    for quality in (None, int(_chance(seed, clip, "starts").integers(40, 80))):
        feed = Feed(clip)
        state: Any = None
        while feed.now_s < BEFORE_S:
            state, _ = judge(state, feed.frame(None, 0, quality))
        found.append(Start(clip, state, feed.index, quality, judge))
    return found


def _chance(seed: int, clip: Clip, name: str, number: int = 0) -> Chance:
    return np.random.default_rng([seed, number, *name.encode(), *clip.name.encode()])


def faulted(clip: Clip, begun: list[Start], seed: int) -> Iterator[Case]:
    """Every fault over one clip."""
    for fault, overlays in FAULTS.items():
        for overlay in overlays:
            for number in range(FAULT_CASES):
                chance = _chance(seed, clip, overlay.__name__, number)
                strength = (number + chance.random()) / FAULT_CASES
                case = Case(fault, overlay.__name__, clip.name, round(strength, 2), seed)
                run_fault(case, begun[number % 2], overlay(clip.luma[0].shape, strength, chance))
                yield case


def run_fault(case: Case, start: Start, sight: Sight) -> None:
    """Lay the fault over the clip, take it away again, and note in the case what was told when."""
    feed, state = Feed(start.clip, start.index), start.state
    began_s = feed.now_s
    while (late_s := feed.now_s - began_s) <= WITHIN_S + 2:
        state, view = start.judge(state, feed.frame(sight, late_s, start.quality))
        if view.fault and case.delay_s is None:
            case.delay_s = late_s
        case.named = view.fault or case.named
    began_s = feed.now_s
    while case.delay_s is not None and (late_s := feed.now_s - began_s) <= AFTER_S:
        state, view = start.judge(state, feed.frame(None, 0, start.quality))
        if view.fault is None:
            case.back_s = late_s
            break


def harmless(begun: list[Start], overlay: Overlay, quiet: Quiet, seed: int) -> None:
    """One harmless sight over one clip."""
    for number in range(HARMLESS_CASES):
        start = begun[number % 2]
        chance = _chance(seed, start.clip, overlay.__name__, number)
        strength = (number + chance.random()) / HARMLESS_CASES
        sight = overlay(start.clip.luma[0].shape, strength, chance)
        feed, state = Feed(start.clip, start.index), start.state
        before: TamperKind | None = None
        while (late_s := feed.now_s - BEFORE_S) < HARMLESS_S * sight.lasts:
            if late_s and late_s % AWAY_EVERY_S == 0:
                feed.away_s += sight.away_s
            state, view = start.judge(state, feed.frame(sight, late_s, start.quality))
            if view.fault and not before:
                quiet.alarms.append(f"{start.clip.name} {strength:.2f} {late_s:.0f}s {view.fault}")
            before = view.fault
        quiet.hours += HARMLESS_S * sight.lasts / 3600


def _fault_rows(cases: list[Case]) -> Iterator[dict[str, object]]:
    for fault in FAULTS:
        for name in [*dict.fromkeys(each.overlay for each in cases if each.fault == fault), "all"]:
            chosen = [each for each in cases if each.fault == fault and name in (each.overlay, "all")]
            yield _row(f"{fault}: {name}", chosen)
    yield _row("every fault", cases)


def _row(what: str, chosen: list[Case]) -> dict[str, object]:
    delays = [each.delay_s for each in chosen if each.delay_s is not None]
    found = [each for each in delays if each <= WITHIN_S]
    ended = [each for each in chosen if each.delay_s is not None and each.back_s is not None]
    words = Counter(str(each.named) for each in chosen if each.named != each.fault)
    return {
        "what": what,
        "cases": len(chosen),
        "found in 10 s": len(found),
        "%": round(100 * len(found) / max(1, len(chosen)), 1),
        "named so %": round(100 * sum(each.named == each.fault for each in chosen) / max(1, len(chosen))),
        "median s": median(delays) if delays else None,
        "worst s": max(delays) if delays else None,
        "ended in 12 s %": round(100 * len(ended) / max(1, len(delays))),
        "else": ", ".join(f"{word} {count}" for word, count in words.most_common(3)),
    }


def _quiet_rows(quiet: dict[str, Quiet]) -> Iterator[dict[str, object]]:
    for each in quiet.values():
        yield {
            "what": f"harmless: {each.sight}",
            "hours": round(each.hours, 2),
            "false alarms": len(each.alarms),
            "else": "; ".join(each.alarms[:4]),
        }
    hours, alarms = sum(each.hours for each in quiet.values()), sum(len(each.alarms) for each in quiet.values())
    yield {"what": "everything harmless", "hours": round(hours, 2), "false alarms": alarms}


def _cost(clip: Clip) -> dict[str, object]:
    feed = Feed(clip)
    frames = [feed.frame(None, 0, None) for _ in range(200)]
    state: Any = None
    took = []
    for frame in frames:
        began = time.process_time()
        state, _ = alone(state, frame)
        took.append(time.process_time() - began)
    height, width = clip.luma[0].shape
    return {"what": f"cost per look, {width}x{height}", "median ms": round(1000 * median(took), 3)}


if __name__ == "__main__":
    for row in main([Path(each) for each in sys.argv[1:]]):
        sys.stdout.write("  ".join(f"{key}={value}" for key, value in row.items()) + "\n")
