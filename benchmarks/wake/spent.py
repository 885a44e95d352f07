"""What whole boxes spend on a clip in the same seconds, asleep and awake, beside decoding alone."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from agent.errors import NgatuError
from benchmarks.cost.watch import END_S, broker, configured, module, output
from benchmarks.wake.scenes import Spans

At = list[tuple[float, float]]
"""Seconds of the clip, and CPU seconds until then."""


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds in the idle ones of the clip."""

    seconds: float
    decode: float
    off: float
    auto: float


def spent(clip: Path, seconds: float, spans: Spans) -> Spent:
    """Let both boxes and the decoder watch the clip's first seconds, all at once.

    Raises:
        NgatuError: one of them failed.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ngatu-wake-")))
        boxes = {}
        for wake in ("auto", "off"):
            own = folder / wake
            own.mkdir()
            port = stack.enter_context(broker())
            config = configured(own, port, clip, None, cameras=1, loop=False)
            plain = config.read_text(encoding="utf-8")
            config.write_text(plain.replace("    source:", f"    wake: {wake}\n    source:"), encoding="utf-8")
            with (own / "looks").open("wb") as looks:
                boxes[wake] = module("box", config, seconds + 2, own / "tracks", stdout=looks.fileno(), log=own)
            stack.callback(boxes[wake].kill)
        words = [sys.executable, "-m", "benchmarks.wake.decode", str(clip), str(seconds)]
        alone = subprocess.Popen(words, stdout=subprocess.PIPE)
        stack.callback(alone.kill)
        printed = output(alone, "decode", seconds + END_S, folder)["spent"]
        decode: At = [(at_s, cpu_s) for at_s, cpu_s in printed]
        for wake, box in boxes.items():
            if box.wait(2 * END_S):
                raise NgatuError(f"the box with wake: {wake} failed", "run benchmarks.cost.box by hand")
        looks_of = {wake: _looks((folder / wake / "looks").read_text()) for wake in boxes}
    return Spent(
        sum(last - first for first, last in spans),
        *(_within(each, spans) for each in (decode, looks_of["off"], looks_of["auto"])),
    )


def _looks(lines: str) -> At:
    """As the box writes them (cost/box.py); its first look is at the clip's begin."""
    every = [line.split() for line in lines.splitlines()]
    began_s = float(every[0][1])
    return [(float(each[1]) - began_s, float(each[2]) + float(each[3])) for each in every]


def _within(spending: Sequence[tuple[float, float]], spans: Spans) -> float:
    """CPU seconds in the spans, in proportion where a look is not at their very ends."""
    return sum(_until(spending, last) - _until(spending, first) for first, last in spans)


def _until(spending: Sequence[tuple[float, float]], at_s: float) -> float:
    """CPU seconds until that moment of the clip, between two looks in proportion to time."""
    for (before_s, before), (after_s, after) in pairwise(spending):
        if before_s <= at_s <= after_s:
            share = (at_s - before_s) / (after_s - before_s) if after_s > before_s else 1.0
            return before + share * (after - before)
    return spending[-1][1] if spending and at_s > spending[-1][0] else spending[0][1]
