"""The whole agent on one clip, noting what each frame cost: it is what `ngatu run` runs.

`python -m benchmarks.cost.box CONFIG SECONDS TRACKS`: standard output gets a line as soon as a frame has been
through, with the size of each picture that the detector was given for it at the end:

    index mono_s parent_cpu_s child_cpu_s regions 416x320 …

The file TRACKS gets, after the end, the confirmed tracks of each frame.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import psutil

from agent import log
from agent.clock import SystemClock
from agent.config.schema import load
from agent.core.pipeline import Outcome
from agent.core.types import Detection, Frame, Image, Size, Track
from agent.detectors import Detector
from agent.runtime import app
from benchmarks.cost import cpu


@dataclass
class Noted:
    """A detector that writes down the sizes of what it is given."""

    inner: Detector
    sizes: list[Size]

    def __post_init__(self) -> None:
        self.name, self.sha256 = self.inner.name, self.inner.sha256
        self.input_size, self.labels = self.inner.input_size, self.inner.labels

    def detect(self, images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        """As the inner detector."""
        self.sizes += [Size(each.shape[1], each.shape[0]) for each in images]
        return self.inner.detect(images)

    def close(self) -> None:
        """As the inner detector."""
        self.inner.close()


@dataclass
class Book:
    """Writes down each frame. What that costs is not the agent's, and is left out."""

    out: TextIO
    sizes: list[Size] = field(default_factory=list)
    """What the detector was given since the last frame."""
    child: int = 0
    child_s: float = 0.0
    own_s: float = 0.0
    tracks: list[tuple[int, tuple[Track, ...]]] = field(default_factory=list)

    def note(self, frame: Frame, outcome: Outcome) -> None:
        """Write the line of a frame that has just been through."""
        parent_s, began_s = time.process_time(), time.thread_time()
        self.child = self.child or psutil.Process().children()[0].pid
        with suppress(OSError):  # at the end the child is killed while its last frame is still looked at
            self.child_s = cpu.seconds(self.child)
        spent = f"{parent_s - self.own_s:.6f} {self.child_s:.6f}"
        pictures = " ".join(f"{size.width_px}x{size.height_px}" for size in self.sizes)
        regions = len(outcome.motion.regions)
        self.out.write(f"{frame.index} {frame.at.mono_s:.6f} {spent} {regions} {pictures}\n")
        self.out.flush()
        self.sizes.clear()
        self.tracks.append((frame.index, outcome.tracks))
        self.own_s += time.thread_time() - began_s


def main(config: Path, seconds: float, tracks: Path) -> None:
    """Watch the only camera of the configuration until its file or the time is over."""
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    sys.stdout = sys.stderr  # where the agent's log goes
    log.configure("info", "json")
    book = Book(out)
    agent = app.Agent(load(config), SystemClock(), onlooker=lambda _camera: book.note)
    agent.detector.inner = Noted(agent.detector.inner, book.sizes)
    agent.run(seconds)
    out.close()
    shown = {
        index: [(t.id, t.label, t.box.left, t.box.top, t.box.right, t.box.bottom) for t in each if t.confirmed]
        for index, each in book.tracks
    }
    tracks.write_text(json.dumps(shown), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]))
