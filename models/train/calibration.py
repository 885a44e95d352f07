"""How sure a trained network is, so that its scores mean what its base's mean.

A network that has learned for an hour is less sure than one that was trained for weeks, though it is right as
often. Settings such as `tracking.birth_score` must mean the same for both: so the card of the new one says
where it is as often right as its base is at `SURE`, on the same pictures. A label
of which the base finds hardly any says nothing: what nobody has labelled there (a far band, a row of parked
motorcycles) would count against the new one alone. Of the others labels that are missing are missing for both,
and fall out of the comparison. A camera that is held back resembles those that are learned
from more than the rest of the world does, and so makes the new one look too good: half of what is seen on it is
believed.

The chance of being right is a logistic function of the score's log-odds (Platt, 1999), fitted by Newton's
method.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.detectors.card import SURE

USUAL_SCORE = 0.1
"""The fit is over what a box in service is told."""
LEAST_FINDS = 50
"""Of fewer boxes no line can be drawn."""
COMPARABLE = 0.5
"""Right boxes of a label that the base must have, as a share of the trained one's."""
MOST_SHIFT = 1.5
"""In log-odds, either way: what lies further away says more about the pictures than about the network."""
BELIEVED = 0.5
"""Share of the shift: with all of it, one network's precision on photographs fell by ten points (persons)."""
_ROUNDS = 30

Finds = Sequence[tuple[float, bool]]
"""Boxes of one label: score 0..1, and whether it is right."""


def sure_from(base: Mapping[str, Finds], trained: Mapping[str, Finds], before: float = SURE) -> float:
    """The trained network's score, 0..1, that is to be told as `SURE`.

    It lies half way from `SURE` to where the network is as often right as its base is at `SURE`.

    Args:
        base: What the base found on the held-back pictures, by label; scores as its card has them told.
        trained: What the trained network found there, scores through the same card.
        before: `sure_from` of that card; returned as it is where nothing can be said.
    """
    shifts = {
        label: shift
        for label, found in base.items()
        if (shift := _shift(found, trained.get(label, ()))) is not None
    }
    if not shifts:
        return before
    weights = [len(base[label]) for label in shifts]
    shift = BELIEVED * float(np.average(list(shifts.values()), weights=weights))
    return float(1 / (1 + np.exp(shift - _logit(before))))


def _shift(base: Finds, trained: Finds) -> float | None:
    """What is to be added to the trained one's log-odds; None: nothing can be said."""
    old, new = _line(base), _line(trained)
    if old is None or new is None or _right(base) < COMPARABLE * _right(trained):
        return None
    as_often = (old[0] * _logit(SURE) + old[1] - new[1]) / new[0]
    return float(np.clip(_logit(SURE) - as_often, -MOST_SHIFT, MOST_SHIFT))


def _right(finds: Finds) -> int:
    return len([hit for score, hit in finds if hit and score >= USUAL_SCORE])


def _line(finds: Finds) -> tuple[float, float] | None:
    """Slope and start of the chance's log-odds over the score's; None: the surer, the less often right."""
    scores = np.array([score for score, _ in finds])
    hits = np.array([hit for _, hit in finds], float)
    usual = (scores >= USUAL_SCORE) & (scores < 1)
    odds, right = np.log(scores[usual] / (1 - scores[usual])), hits[usual]
    if len(right) < LEAST_FINDS or right.min() == right.max():
        return None
    known = np.stack([odds, np.ones_like(odds)], axis=1)
    # From where the mean is right already: far from it Newton's steps run away.
    line: NDArray[np.float64] = np.array([1.0, _logit(float(right.mean())) - float(odds.mean())])
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-known @ line))
        # A trace of a ridge: where right and wrong lie apart, the line has no end.
        bend = known.T @ (known * (chance * (1 - chance))[:, None]) + 1e-3 * np.eye(2)
        line = line + np.linalg.solve(bend, known.T @ (right - chance))
    slope, start = float(line[0]), float(line[1])
    return (slope, start) if np.isfinite(line).all() and slope > 0 else None


def _logit(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))
