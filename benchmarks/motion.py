"""Motion beside OpenCV's subtractors and a running average, and under nuisances that are no motion.

A CDnet folder (cdnet.py), or a folder of such, gives precision, recall and F1 of the masks at full size, the
share of still pixels that were taken for moving, and mean milliseconds of CPU per frame. All work on the same
shrunk luma plane, their masks are cleaned by the same function, and all box the parts of their mask; shadows
count as background. Of judged frames in which nothing moves stands the share that has a part large enough to be
a region. A folder in which nothing ever moves, such as one of trees, is judged once more with the road users of
each other folder laid over it (overlaid.py), for its own truth says nothing of recall.

A clip gives one row per nuisance, laid over the clip's still view (nuisances.py, seeds fixed): motion events
from the nuisance alone, by the motion rule's own terms. Then real road users of the other clips (passers.py)
pass before that view during the nuisance, and each that gives a motion event of its own counts as found. The
last rows sum up over all clips.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.core import debounce
from agent.core.debounce import NEVER
from agent.core.downscale import shrink
from agent.core.ids import Ids
from agent.core.motion import detector
from agent.core.motion.regions import clean, things
from agent.core.motion.settings import MotionSettings
from agent.core.rules import engine
from agent.core.rules.engine import RuleInput
from agent.core.rules.kinds.motion import MotionRule
from agent.core.rules.settings import RuleSettings
from agent.core.types import Box, Count, Event, Frame, Instant, Phase
from benchmarks import cdnet, nuisances
from benchmarks.cdnet import Judged
from benchmarks.clips import frame, still_view
from benchmarks.overlaid import overlaid
from benchmarks.passers import Parade, Passage, Passer, cut_out

Plane = NDArray[np.uint8]
Grey = NDArray[np.float32]
Method = Callable[[Frame], Plane]

SETTINGS = MotionSettings()
RULES = RuleSettings(rules=(MotionRule(id="motion"),))
ALONE_S = 600.0
SEEDS = (5,)
"""Each decides another order, other ways and another weather."""
EVERY = "every nuisance"
AT_MOST = 18
"""Road users before one view."""
SETTLED_S = 4.0
RATE = 8.0
"""Frames a second of the nuisances; few enough that ten minutes of each take a minute."""
LONG_S, GAP_S = 1.0, 0.6
"""From when the default motion rule speaks, and the rests that do not interrupt it."""


Row = dict[str, object]


def main(
    paths: list[Path], progress: Callable[[str], None] = lambda _text: None, alone_s: float = ALONE_S
) -> list[Row]:
    """Rows for each CDnet folder and each clip among the paths; a single clip lends road users to itself."""
    cv2.setNumThreads(1)
    rows: list[Row] = []
    sequences = [cdnet.read(each) for path in paths if path.is_dir() for each in cdnet.folders(path)]
    for sequence in sequences:
        progress(sequence.name)
        found = _masks(sequence.name, partial(cdnet.judged, sequence))
        rows += found
        if all(row["recall"] is None for row in found):
            for lender in (each for each in sequences if each is not sequence):
                progress(f"{lender.name} over {sequence.name}")
                over = partial(overlaid, sequence, lender)
                rows += _masks(f"{lender.name} over {sequence.name}", over)
    clips = [path for path in paths if not path.is_dir()]
    passers = {clip: cut_out(clip) for clip in clips}
    judged: list[Row] = []
    for clip in clips:
        others = [each for owner, found in passers.items() if owner != clip for each in found]
        view = still_view(clip)
        for name in nuisances.ALL:
            progress(f"{clip.name}, {name}")
            judged.append(_nuisance(clip, view, name, (others or passers[clip])[:AT_MOST], alone_s))
    return rows + judged + _summed(judged)


def boxed(raw: Plane) -> Plane:
    """A peer's mask, cleaned as ours is, after its parts were boxed, as every user must."""
    mask, _ = clean(raw)
    cv2.connectedComponentsWithStats(mask)
    return mask


def ngatu() -> Method:
    state: detector.MotionState | None = None

    def mask(each: Frame) -> Plane:
        nonlocal state
        state, _ = detector.update(state, each, SETTINGS)
        return state.mask

    return mask


def subtractor(peer: cv2.BackgroundSubtractor) -> Method:
    """One of OpenCV's at its own defaults; 127 in its masks is shadow."""

    def mask(each: Frame) -> Plane:
        found = peer.apply(shrink(each.luma, SETTINGS.height_px))
        return boxed(np.asarray(cv2.inRange(found, 255, 255), np.uint8))

    return mask


def running_average() -> Method:
    """The difference from a running average as Frigate takes it: threshold 30, alpha 0.01, a light blur."""
    average: NDArray[np.float32] | None = None

    def mask(each: Frame) -> Plane:
        nonlocal average
        plane = cv2.GaussianBlur(shrink(each.luma, SETTINGS.height_px), (3, 3), 1)
        if average is None:
            average = plane.astype(np.float32)
        found = cv2.inRange(cv2.absdiff(plane, cv2.convertScaleAbs(average)), 31, 255)
        cv2.accumulateWeighted(plane, average, 0.01)
        return boxed(np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.uint8))

    return mask


METHODS: dict[str, Callable[[], Method]] = {
    "ngatu": ngatu,
    "MOG2": lambda: subtractor(cv2.createBackgroundSubtractorMOG2()),
    "MOG2, shadows off": lambda: subtractor(cv2.createBackgroundSubtractorMOG2(detectShadows=False)),
    "KNN": lambda: subtractor(cv2.createBackgroundSubtractorKNN()),
    "KNN, shadows off": lambda: subtractor(cv2.createBackgroundSubtractorKNN(detectShadows=False)),
    "running average": running_average,
}


def _masks(scene: str, judged: Callable[[], Iterator[Judged]]) -> list[Row]:
    rows: list[Row] = []
    for name, make in METHODS.items():
        seconds = []
        right = false = missed = still = empty = stirred = 0
        method = make()
        for each, truth in judged():
            began = time.thread_time()
            mask = method(each)
            seconds.append(time.thread_time() - began)
            if truth is not None:
                moving, counts = truth
                found = cv2.resize(mask, moving.shape[::-1], interpolation=cv2.INTER_LINEAR) > 127
                right += int(np.count_nonzero(found & moving & counts))
                false += int(np.count_nonzero(found & ~moving & counts))
                missed += int(np.count_nonzero(~found & moving & counts))
                still += int(np.count_nonzero(~moving & counts))
                if not (moving & counts).any():
                    empty += 1
                    stirred += bool(things(mask, clean(mask)[1], SETTINGS.min_area, SETTINGS.max_regions))
        precision, recall = _share(right, right + false), _share(right, right + missed)
        rows.append(
            {
                "scene": scene,
                "method": name,
                "precision": precision,
                "recall": recall,
                "F1": _share(2 * right, 2 * right + false + missed) if right + missed else None,
                "false %": _share(100 * false, still),
                "empty frames stirred %": _share(100 * stirred, empty),
                "ms/frame": round(float(np.mean(seconds)) * 1e3, 3),
            }
        )
    return rows


def _share(part: int, whole: int) -> float | None:
    """None where there is no whole: a truth in which nothing moves says nothing of recall and F1."""
    return round(part / whole, 3) if whole else None


def _nuisance(clip: Path, view: Grey, name: str, passers: list[Passer], alone_s: float) -> Row:
    alone = list(watched(view, name, alone_s))
    passages = seen = found = 0
    for seed in SEEDS:
        parade = Parade(passers, view, seed)
        shows: dict[int, list[bool]] = {}
        own: set[int] = set()
        for look in watched(view, name, parade.long_s, parade, seed):
            if (who := look.passage) is not None:
                shows.setdefault(who.number, []).append(shown(look.regions, who))
                if shown(look.begun, who):
                    own.add(who.number)
        passages += len(shows)
        seen += sum(_lasts(hits) for hits in shows.values())
        found += len(own)
    return {
        "scene": clip.name,
        "nuisance": name,
        "minutes": round(alone_s / 60, 1),
        "frames with regions %": round(100 * sum(bool(look.regions) for look in alone) / max(1, len(alone)), 2),
        "events": sum(len(look.begun) for look in alone),
        "passages": passages,
        "seen": seen,
        "found": found,
    }


def _summed(judged: list[Row]) -> list[Row]:
    """Over all clips: each nuisance, and all of them together."""
    rows: list[Row] = []
    for name in (*nuisances.ALL, EVERY) if judged else ():
        of_it = [
            row for row in judged if row["nuisance"] == name or (name == EVERY and row["nuisance"] != "still")
        ]
        shares = _column(of_it, "frames with regions %")
        row: Row = {
            "scene": "all clips",
            "nuisance": name,
            "minutes": round(sum(_column(of_it, "minutes")), 1),
            "frames with regions %": round(sum(shares) / len(shares), 2),
        }
        counts = ("events", "passages", "seen", "found")
        rows.append(row | {column: int(sum(_column(of_it, column))) for column in counts})
    return rows


def _column(rows: list[Row], name: str) -> list[float]:
    return [float(str(row[name])) for row in rows]


@dataclass(frozen=True, slots=True)
class Look:
    """What one settled frame gave."""

    regions: tuple[Box, ...]
    begun: tuple[Box, ...]
    """The regions of the motion events that began with it: what their first pictures show."""
    passage: Passage | None
    """Who passes."""


def shown(regions: Iterable[Box], passage: Passage) -> bool:
    """A region holds its middle, and is its region rather than that of half the view."""
    (x, y), largest = passage.box.center, min(0.2, 0.05 + 4 * passage.box.area)
    return any(_holds(region, x, y) and region.area <= largest for region in regions)


def _holds(region: Box, x: float, y: float) -> bool:
    return region.left <= x <= region.right and region.top <= y <= region.bottom


def watched(
    view: Grey, name: str, long_s: float, parade: Parade | None = None, seed: int = 5
) -> Iterator[Look]:
    """Per settled frame what motion and the default motion rule tell, and who passes."""
    chance = np.random.default_rng(seed)
    state: detector.MotionState | None = None
    rules, ids = None, Ids(b"nuisances")
    for index in range(int(long_s * RATE)):
        at_s = index / RATE
        now, passage = parade.at(view, at_s) if parade else (view, None)
        if passage is not None:
            x, y = nuisances.moved(name, at_s)
            passage = replace(passage, box=passage.box.moved(x / view.shape[1], y / view.shape[0]))
        picture = nuisances.taken(nuisances.ALL[name](now, at_s, chance), chance)
        this = frame(index, RATE, picture)
        state, moved = detector.update(state, this, SETTINGS)
        given = RuleInput(this.at, this.size, moved, ())
        rules, ids, messages = engine.update(rules, given, ids, RULES)
        if at_s >= SETTLED_S:
            yield Look(moved.regions, tuple(_begun(messages)), passage)


def _begun(messages: Iterable[Event | Count]) -> Iterator[Box]:
    for each in messages:
        if isinstance(each, Event) and each.phase is Phase.START and each.region is not None:
            yield each.region


def _lasts(speaks: list[bool]) -> bool:
    """Whether regions show something for as long as the motion rule asks for, wherever they are."""
    known = NEVER
    for index, holds in enumerate(speaks):
        at = Instant(index / RATE, index / RATE)
        known = debounce.update(known, at, holds, rise_s=LONG_S, fall_s=GAP_S, gap_s=GAP_S)
        if known.on:
            return True
    return False
