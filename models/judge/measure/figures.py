"""AP50, recall, precision and F1 of one label, for many resamples of the same scenes at once.

AP50 is the area under the precision-recall curve, every point counted and precision made monotonous first
(Pascal VOC 2010 and later): on few objects about a point above COCO's figure of 101 points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
_CELLS = 4_000_000
"""Of a table of resamples and hits that is worked on at a time: 32 MB."""
_BLOCK = 512
"""Hits of a table of scenes and hits that is made at a time."""


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What a detector made of one label: each box, and how many objects there are.

    Attributes:
        scores: (N,) of the boxes that count.
        hits: (N,) whether each found an object.
        scenes: (N,) the scene of each box.
        objects: (S,) labelled objects that count, by scene.
    """

    scores: Floats
    hits: NDArray[np.bool_]
    scenes: NDArray[np.intp]
    objects: Floats

    def average_precision(self, weights: Floats | None = None) -> Floats:
        """AP50 (R,), 0..1, of each resample; nan where it holds no object.

        `weights` (R, S) say how often each scene stands in each resample; without it, once each (R = 1).
        """
        weights = self._weights(weights)
        scenes, columns, hit_scenes = self._curve()
        area = np.zeros(len(weights))
        step = max(1, _CELLS // max(1, len(hit_scenes)))
        for start in range(0, len(weights), step):
            rows = slice(start, start + step)
            right = weights[rows][:, hit_scenes]
            said = _said(weights[rows], scenes, columns, len(hit_scenes))
            precision = np.cumsum(right, axis=1) / np.where(said > 0, said, 1.0)
            best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            area[rows] = (best * right).sum(axis=1)
        return _ratio(area, weights @ self.objects)

    def recall(self, score: float, weights: Floats | None = None) -> Floats:
        """Share of the objects (R,) that are found by boxes of this score or more."""
        weights = self._weights(weights)
        return _ratio(weights @ self._by_scene(self.hits & (self.scores >= score)), weights @ self.objects)

    def precision(self, score: float, weights: Floats | None = None) -> Floats:
        """Share of the boxes (R,) of this score or more that are right; nan where there is none."""
        weights = self._weights(weights)
        sure = self.scores >= score
        return _ratio(weights @ self._by_scene(self.hits & sure), weights @ self._by_scene(sure))

    def f1(self, score: float, weights: Floats | None = None) -> Floats:
        """Harmonic mean (R,) of precision and recall: twice what is right, by all that is said or there."""
        weights = self._weights(weights)
        sure = self.scores >= score
        right, said = self._by_scene(self.hits & sure), self._by_scene(sure)
        return _ratio(2 * (weights @ right), weights @ said + weights @ self.objects)

    def _curve(self) -> tuple[Rows, Rows, Rows]:
        """Of each box, likeliest first, its scene and the number of the next hit; and the hits' scenes.

        Precision rises at hits only, so the curve needs no more points; and what comes after the last hit
        moves nothing.
        """
        order = np.argsort(-self.scores, kind="stable")
        hits, scenes = self.hits[order], self.scenes[order]
        columns = np.asarray(np.cumsum(hits) - hits, np.intp)
        hit_scenes = scenes[hits]
        before = columns < len(hit_scenes)
        return scenes[before], columns[before], hit_scenes

    def _weights(self, weights: Floats | None) -> Floats:
        return np.ones((1, len(self.objects))) if weights is None else weights

    def _by_scene(self, boxes: NDArray[np.bool_]) -> Floats:
        return np.bincount(self.scenes[boxes], minlength=len(self.objects)).astype(np.float64)


def joined_outcome(parts: Sequence[LabelOutcome]) -> LabelOutcome:
    """Several as one, for the same scenes in the same order."""
    return LabelOutcome(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.hits for part in parts]),
        np.concatenate([part.scenes for part in parts]),
        np.sum([part.objects for part in parts], axis=0),
    )


def plain_outcome(scores: Sequence[float], hits: Sequence[bool], objects: int) -> LabelOutcome:
    """All in one scene, for who wants figures without intervals."""
    return LabelOutcome(
        np.asarray(scores, np.float64),
        np.asarray(hits, np.bool_),
        np.zeros(len(scores), np.intp),
        np.array([float(objects)]),
    )


def _said(weights: Floats, scenes: Rows, columns: Rows, hits: int) -> Floats:
    """How many boxes (R, hits) each resample has up to each hit; `columns` never fall."""
    said = np.empty((len(weights), hits))
    for start in range(0, hits, _BLOCK):
        wide = min(_BLOCK, hits - start)
        rows = slice(*np.searchsorted(columns, [start, start + wide]).tolist())
        places = scenes[rows] * wide + columns[rows] - start
        by_scene = np.bincount(places, minlength=weights.shape[1] * wide).reshape(-1, wide)
        said[:, start : start + wide] = weights @ by_scene.astype(np.float64)
    return np.asarray(np.cumsum(said, axis=1))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan))
