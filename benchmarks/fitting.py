"""Does the tracker's tuning fit its sequences? `python -m benchmarks fitting DIR…` over MOTChallenge folders.

Leave one out: settings are drawn around the defaults, those with the best mean HOTA on all other sequences are
chosen, and the sequence that was left out judges them, beside the defaults. Where the gain on the others is
not there on the one left out, it was fitting. The best of all draws on the sequence itself is what somebody
who tunes on it would report.

Source: cross-validation by leaving one out (Stone, 1974). The draws are the same in every run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from agent.core.tracking.tracker import TrackSettings
from benchmarks.mot import Sequence, folders, read, score
from benchmarks.tracking import best_detections, ngatu, run

EVERY = (1, 3)
DRAWS = 48
"""Settings beside the defaults."""
SPREAD = 0.25
"""Of a value's logarithm: two of three draws lie within a quarter of the default."""
SEED = 20261129

Scores = Mapping[str, list[float]]
"""HOTA of each sequence, by its name: the defaults, then every draw."""


def main(
    paths: list[Path], draws: int = DRAWS, progress: Callable[[str], None] = lambda text: None
) -> list[dict[str, object]]:
    """One row per step and sequence.

    Raises:
        NgatuError: a folder is not as MOTChallenge has it.
    """
    chosen = best_detections([read(folder) for folder in folders(paths)])
    tried = [TrackSettings(), *drawn(draws)]
    rows = []
    for every in EVERY:
        scores: dict[str, list[float]] = {sequence.name: [] for sequence, _ in chosen}
        for number, settings in enumerate(tried):
            for sequence, detector in chosen:
                progress(f"settings {number} of {draws}, every {every}, {sequence.name}")
                scores[sequence.name].append(_hota(sequence, detector, every, settings))
        rows += [{"every": every} | row for row in left_out(scores)]
    return rows


def drawn(count: int) -> list[TrackSettings]:
    """Settings around the defaults: every share, length and time of them, each within what is allowed."""
    chance = np.random.default_rng(SEED)
    found = []
    for _ in range(count):
        values = {
            name: _within(info, float(info.default) * float(np.exp(chance.normal(0.0, SPREAD))))
            for name, info in TrackSettings.model_fields.items()
            if isinstance(info.default, float)
        }
        found.append(TrackSettings(**values))
    return found


def left_out(scores: Scores) -> list[dict[str, object]]:
    """A row for each sequence; the first of its scores is the defaults'. At least two sequences."""
    rows = []
    for name, own in scores.items():
        others = np.array([given for other, given in scores.items() if other != name]).mean(0)
        tuned = int(others.argmax())
        rows.append(
            {
                "left_out": name,
                "others_default": round(float(others[0]), 4),
                "others_tuned": round(float(others[tuned]), 4),
                "default": round(own[0], 4),
                "tuned_on_others": round(own[tuned], 4),
                "tuned_on_itself": round(max(own), 4),
                "draws_below_default": sum(one < own[0] for one in own[1:]),
                "draws": len(own) - 1,
            }
        )
    return rows


def _hota(sequence: Sequence, detector: str, every: int, settings: TrackSettings) -> float:
    output, _ = run(ngatu(sequence, every, settings), sequence, detector, every)
    return score(sequence, output, list(range(sequence.frames)))["HOTA"]


def _within(info: FieldInfo, value: float) -> float:
    """The nearest value that the field allows; one that must lie above a bound keeps a hundredth from it."""
    for limit in info.metadata:
        if isinstance(limit, Ge):
            value = max(value, float(str(limit.ge)))
        elif isinstance(limit, Gt):
            value = max(value, float(str(limit.gt)) + 0.01)
        elif isinstance(limit, Le):
            value = min(value, float(str(limit.le)))
    return value
