"""Kalman filter: where boxes are and how they move, as a belief with its uncertainty, for any time step.

Each of centre x, centre y, width and height is a position with a velocity, and the four are independent: with
the usual diagonal noises the filter of eight states falls apart into four of two, so that N tracks are a
handful of (N, 4) arrays and one update needs no matrix inverse.

The velocity follows an Ornstein-Uhlenbeck process: it forgets itself with a time constant, so that a track
that is not seen slows down instead of leaving the town, and the step may be cut into any pieces without
changing the result.
Sources: R. E. Kalman 1960; the integrated Ornstein-Uhlenbeck process as in R. A. Singer, "Estimating optimal
tracking filter performance for manned maneuvering targets", 1970; noise relative to the size of the box as in
N. Wojke, A. Bewley, D. Paulus, "Simple online and realtime tracking with a deep association metric", 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
from numpy.typing import NDArray

from agent.core.geometry import Floats

ASPECT = 1.6
"""Width to height of a picture, between 4:3 and 16:9. It only turns fractions into nearly square units where
noise is taken from the size of a box; a tenth more or less noise does not show."""

SMALLEST = 1e-4
"""No side of a believed box is smaller than this fraction of the frame."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What is assumed about road users and detectors; speeds in box sizes (root of the area) per second."""

    first_speed: float
    """Spread of the speed of the centre when nothing is known of it: vehicles may be fast."""
    speed: float
    """Spread of its changes over the memory, for one that stands."""
    agility: float
    """What is added to that, in shares of its own speed: who is fast changes fast."""
    speed_memory_s: float
    """How long a velocity lasts."""
    growth: float
    """Spread of the growth of width and height, in their own size per second."""
    growth_agility: float
    """Added to that for each box size per second of its own speed: who drives towards the camera grows."""
    growth_memory_s: float
    measured: float
    """Spread of a detected centre, in box sizes."""
    measured_size: float
    """Spread of a detected width or height, in its own size."""


@dataclass(frozen=True, slots=True)
class Belief:
    """N boxes as believed: arrays are (N, 4) for centre x, centre y, width, height, in fractions and seconds.

    The arrays are never written to after they were made.
    """

    mean: Floats
    velocity: Floats
    var: Floats
    """Variance of the mean."""
    cov: Floats
    """Covariance of mean and velocity."""
    var_velocity: Floats

    def __len__(self) -> int:
        return len(self.mean)


NOTHING = Belief(*(np.zeros((0, 4)) for _ in range(5)))


def born(measured: Floats, noise: Noise) -> Belief:
    """The belief after one detection each: `measured` is (N, 4), centre and size."""
    scale = _scale(measured)
    first = np.array([noise.first_speed, noise.first_speed, noise.growth, noise.growth]) * scale
    return Belief(
        mean=measured.copy(),
        velocity=np.zeros_like(measured),
        var=(_of_detector(noise) * scale) ** 2,
        cov=np.zeros_like(measured),
        var_velocity=first**2,
    )


def predict(belief: Belief, dt_s: float, noise: Noise) -> Belief:
    """The belief `dt_s` (>= 0) seconds later, when nothing was seen."""
    if dt_s <= 0.0 or not len(belief):
        return belief
    spread = _changes(belief, noise)
    memory = np.array([noise.speed_memory_s] * 2 + [noise.growth_memory_s] * 2)
    keep = np.array([exp(-dt_s / noise.speed_memory_s)] * 2 + [exp(-dt_s / noise.growth_memory_s)] * 2)
    run = memory * (1.0 - keep)
    drift = 2.0 * memory * dt_s - 3.0 * memory**2 + 4.0 * memory**2 * keep - memory**2 * keep**2
    mean = belief.mean + run * belief.velocity
    mean[:, 2:] = np.maximum(mean[:, 2:], SMALLEST)
    return Belief(
        mean=mean,
        velocity=keep * belief.velocity,
        var=belief.var + 2 * run * belief.cov + run**2 * belief.var_velocity + spread * np.maximum(drift, 0.0),
        cov=keep * (belief.cov + run * belief.var_velocity) + spread * memory * (1.0 - keep) ** 2,
        var_velocity=keep**2 * belief.var_velocity + spread * (1.0 - keep**2),
    )


def update(belief: Belief, rows: NDArray[np.intp], measured: Floats, doubt: Floats, noise: Noise) -> Belief:
    """The belief after detections of some rows: `measured` is (K, 4), `doubt` (K or 1, 4) scales its noise.

    A doubt of 1 is an ordinary detection; an infinite one leaves its coordinate untouched.
    """
    if not len(rows):
        return belief
    spread = (_of_detector(noise) * _scale(measured) * doubt) ** 2
    total = belief.var[rows] + spread
    gain = belief.var[rows] / total
    gain_velocity = belief.cov[rows] / total
    surprise = measured - belief.mean[rows]
    fresh = Belief(*(part.copy() for part in _parts(belief)))
    fresh.mean[rows] += gain * surprise
    fresh.mean[rows, 2:] = np.maximum(fresh.mean[rows, 2:], SMALLEST)
    fresh.velocity[rows] += gain_velocity * surprise
    fresh.var[rows] *= 1.0 - gain
    fresh.cov[rows] *= 1.0 - gain
    fresh.var_velocity[rows] -= gain_velocity * belief.cov[rows]
    return fresh


def take(belief: Belief, rows: NDArray[np.intp]) -> Belief:
    """Some rows, in the given order."""
    return Belief(*(part[rows] for part in _parts(belief)))


def join(first: Belief, second: Belief) -> Belief:
    """The rows of the first, then those of the second."""
    return Belief(*(np.concatenate(pair) for pair in zip(_parts(first), _parts(second), strict=True)))


def centred(boxes: Floats) -> Floats:
    """(N, 4) left, top, right, bottom as centre x, centre y, width, height."""
    low, high = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(low + high) / 2, np.maximum(high - low, SMALLEST)], axis=1)


def cornered(centred_boxes: Floats) -> Floats:
    """(N, 4) centre x, centre y, width, height as left, top, right, bottom."""
    half = centred_boxes[:, 2:] / 2
    return np.concatenate([centred_boxes[:, :2] - half, centred_boxes[:, :2] + half], axis=1)


def _scale(boxes: Floats) -> Floats:
    """The unit of noise for each coordinate: the root of the area for the centre, its own size for a side."""
    side = np.sqrt(boxes[:, 2] * boxes[:, 3])
    return np.stack([side / ASPECT**0.5, side * ASPECT**0.5, boxes[:, 2], boxes[:, 3]], axis=1)


def _changes(belief: Belief, noise: Noise) -> Floats:
    """Variance that each velocity would have at rest: (N, 4)."""
    scale = _scale(belief.mean)
    speed = np.hypot(*(belief.velocity[:, :2] / scale[:, :2]).T)
    centre = np.hypot(noise.speed, noise.agility * speed)
    growth = np.hypot(noise.growth, noise.growth_agility * speed)
    out: Floats = (np.stack([centre, centre, growth, growth], axis=1) * scale) ** 2
    return out


def _of_detector(noise: Noise) -> Floats:
    return np.array([noise.measured, noise.measured, noise.measured_size, noise.measured_size])


def _parts(belief: Belief) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    return belief.mean, belief.velocity, belief.var, belief.cov, belief.var_velocity
