"""Kalman filter: where boxes are and how they move, as a belief with its uncertainty, for any time step.

Each of centre x, centre y, width and height is a position with a velocity: with the usual diagonal noises the
filter of eight states falls apart into four of two, so that N tracks are a handful of (N, 4) arrays and one
update needs no matrix inverse. Sides are believed as logarithms: their velocity is a growth per second in
their own size, the same near and far.

The four meet in one place, perspective. What drives towards the camera at an even speed does not grow evenly
in the picture: its size is one over its distance, so with a growth g per second it is 1 / (1 - g t) times as
large after t, and as it nears, its growth and its speed in the picture rise with it (the looming of D. N. Lee,
"A theory of visual control of braking based on information about time-to-collision", 1976). So sides, way and
speed are predicted with the growth of width and height taken together, as far as that is beyond its own doubt:
what swings its arms grows in width alone, and by turns.

Each track learns from its own detections how much they tremble: half the mean square of the change from one
surprise to the next. Whose surprises all lie on one side is not trembling, but believed too slowly.

The velocity follows an Ornstein-Uhlenbeck process: it forgets itself with a time constant, so that a track
that is not seen slows down instead of leaving the town, and the step may be cut into any pieces without
changing the result.
Sources: R. E. Kalman 1960; the integrated Ornstein-Uhlenbeck process as in R. A. Singer, "Estimating optimal
tracking filter performance for manned maneuvering targets", 1970; noise relative to the size of the box as in
N. Wojke, A. Bewley, D. Paulus, "Simple online and realtime tracking with a deep association metric", 2017.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp

import numpy as np
from numpy.typing import NDArray

from agent.core.geometry import Floats

ASPECT = 1.6
"""Width to height of a picture, between 4:3 and 16:9. It only turns fractions into nearly square units where
noise is taken from the size of a box; a tenth more or less noise does not show."""

MOST_GROWTH = 2.0
"""No side is believed to become more than so many times as long in one step."""

FASTEST_GROWTH = 2.0
"""Nor faster than so, per second in its own size: what grows so is beside the camera in half a second."""

LEARNING = 0.2
"""Weight of one detection in what a track knows of how its detections tremble."""

LEAST_JITTER = np.array([0.5, 0.5, 0.25, 0.25])
"""Least that a track learns, as a share of the variance that every detector is assumed to have; at most it is
that: of the few detections of a track some are alike by chance."""

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
    first_growth: float
    """Spread of the growth of width and height when nothing is known of it, in their own size per second."""
    growth: float
    """Spread of its changes over the memory."""
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

    Of a side everything but its mean is about its logarithm: 0.1 is a tenth of its length.
    The arrays are never written to after they were made.
    """

    mean: Floats
    velocity: Floats
    var: Floats
    """Variance of the mean."""
    cov: Floats
    """Covariance of mean and velocity."""
    var_velocity: Floats
    jitter: Floats
    """Variance of a detection in the units of `_scale`, as this track's own detections tell."""
    surprise: Floats
    """What its last detection was beyond what was believed, in the same units; NaN: it had none, or was cut."""

    def __len__(self) -> int:
        return len(self.mean)


NOTHING = Belief(*(np.zeros((0, 4)) for _ in range(7)))


def born(measured: Floats, noise: Noise, doubt: Floats | float = 1.0) -> Belief:
    """The belief after one detection each: `measured` is (N, 4), centre and size; `doubt` scales its noise."""
    scale = _scale(measured)
    first = np.array([noise.first_speed] * 2 + [noise.first_growth] * 2) * scale
    return Belief(
        mean=measured.copy(),
        velocity=np.zeros_like(measured),
        var=(_of_detector(noise) * scale * doubt) ** 2,
        cov=np.zeros_like(measured),
        var_velocity=first**2,
        jitter=np.broadcast_to(_of_detector(noise) ** 2, measured.shape).copy(),
        surprise=np.full_like(measured, np.nan),
    )


def put(belief: Belief, places: Mapping[int, Sequence[float]]) -> Belief:
    """The belief with some rows at rest in other places, (4,) as centre and size; as sure of them as before."""
    if not places:
        return belief
    rows = np.array(list(places), np.intp)
    mean, velocity = belief.mean.copy(), belief.velocity.copy()
    mean[rows], velocity[rows] = np.array(list(places.values())), 0.0
    return replace(belief, mean=mean, velocity=velocity)


def predict(belief: Belief, dt_s: float, noise: Noise) -> Belief:
    """The belief `dt_s` (>= 0) seconds later, when nothing was seen; perspective as the module says."""
    if dt_s <= 0.0 or not len(belief):
        return belief
    spread = _changes(belief, noise)
    memory = np.array([noise.speed_memory_s] * 2 + [noise.growth_memory_s] * 2)
    keep = np.array([exp(-dt_s / noise.speed_memory_s)] * 2 + [exp(-dt_s / noise.growth_memory_s)] * 2)
    run = memory * (1.0 - keep)
    drift = 2.0 * memory * dt_s - 3.0 * memory**2 + 4.0 * memory**2 * keep - memory**2 * keep**2
    learned, forgotten = memory * (1.0 - keep) ** 2, 1.0 - keep**2
    nearer = 1.0 / np.maximum(1.0 - _growth(belief) * run, 1.0 / MOST_GROWTH)
    run, keep = run * nearer, keep * nearer**2
    mean, velocity = belief.mean + run * belief.velocity, keep * belief.velocity
    mean[:, 2:] = np.maximum(belief.mean[:, 2:] * nearer[:, 2:], SMALLEST)
    velocity[:, 2:] = np.minimum(velocity[:, 2:] / nearer[:, 2:], FASTEST_GROWTH)
    return Belief(
        mean=mean,
        velocity=velocity,
        var=belief.var + 2 * run * belief.cov + run**2 * belief.var_velocity + spread * np.maximum(drift, 0.0),
        cov=keep * (belief.cov + run * belief.var_velocity) + spread * learned,
        var_velocity=keep**2 * belief.var_velocity + spread * forgotten,
        jitter=belief.jitter,
        surprise=belief.surprise,
    )


def _growth(belief: Belief) -> Floats:
    """Growth per second of each whole box, its doubt taken off: (N, 1)."""
    weight = 1.0 / np.maximum(belief.var_velocity[:, 2:], 1e-12)
    total = np.add.reduce(weight, axis=1, keepdims=True)
    mean = np.add.reduce(weight * belief.velocity[:, 2:], axis=1, keepdims=True) / total
    out: Floats = np.sign(mean) * np.maximum(np.abs(mean) - 1.0 / np.sqrt(total), 0.0)
    return out


def update(
    belief: Belief,
    rows: NDArray[np.intp],
    measured: Floats,
    doubt: Floats,
    noise: Noise,
    *,
    detections: bool = True,
) -> Belief:
    """The belief after sights of some rows: `measured` is (K, 4), `doubt` (K or 1, 4) scales its noise.

    A doubt of 1 is an ordinary detection; an infinite one leaves its coordinate untouched, but that a detected
    side is believed to be at least as long as it is seen. Only of `detections` a track learns how they tremble.
    """
    if not len(rows):
        return belief
    fresh = Belief(*(part.copy() for part in _parts(belief)))
    scale = _scale(measured)
    surprise = measured - belief.mean[rows]
    surprise[:, 2:] = np.log(measured[:, 2:] / belief.mean[rows, 2:])
    if detections:
        _learn(fresh, rows, np.where(np.isfinite(doubt), surprise / scale, np.nan), noise)
    spread = fresh.jitter[rows] * (scale * doubt) ** 2
    total = belief.var[rows] + spread
    gain = belief.var[rows] / total
    gain_velocity = belief.cov[rows] / total
    fresh.mean[rows, :2] += (gain * surprise)[:, :2]
    fresh.mean[rows, 2:] = np.maximum(belief.mean[rows, 2:] * np.exp((gain * surprise)[:, 2:]), SMALLEST)
    if detections:
        fresh.mean[rows, 2:] = np.maximum(fresh.mean[rows, 2:], np.where(np.isinf(doubt), measured, 0.0)[:, 2:])
    fresh.velocity[rows] += gain_velocity * surprise
    fresh.var[rows] *= 1.0 - gain
    fresh.cov[rows] *= 1.0 - gain
    fresh.var_velocity[rows] -= gain_velocity * belief.cov[rows]
    return fresh


def _learn(fresh: Belief, rows: NDArray[np.intp], surprise: Floats, noise: Noise) -> None:
    """How the detections of these rows tremble, with one more; written into what is being made."""
    assumed = _of_detector(noise) ** 2
    change = (surprise - fresh.surprise[rows]) ** 2 / 2
    old = fresh.jitter[rows]
    new = old + LEARNING * (np.where(np.isnan(change), old, change) - old)
    fresh.jitter[rows] = np.clip(new, LEAST_JITTER * assumed, assumed)
    fresh.surprise[rows] = surprise


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
    """The unit of noise for each coordinate: the root of the area for the centre; a side's is a logarithm."""
    side, one = np.sqrt(boxes[:, 2] * boxes[:, 3]), np.ones(len(boxes))
    return np.stack([side / ASPECT**0.5, side * ASPECT**0.5, one, one], axis=1)


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


def _parts(belief: Belief) -> tuple[Floats, ...]:
    moments = belief.mean, belief.velocity, belief.var, belief.cov, belief.var_velocity
    return *moments, belief.jitter, belief.surprise
