"""Cadence: how soon a track is looked at again, by what could be learned of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray

from agent.core.attention.crops import grown
from agent.core.attention.settings import AttentionSettings
from agent.core.geometry import as_array, intersection
from agent.core.types import Box, Instant, Track

EARLY = 0.85
"""A frame that comes a little before its time is looked at: waiting for the next would halve the rate."""
JITTER_S = 0.025
"""So much before its time the next look may be, as long as the mean is kept: ten of 25 pictures a second are
0.08 and 0.12 s apart."""
_YOUNG_S = 0.6
"""A track that is not confirmed is no longer looked for eagerly when it was not seen for so long."""
_NEW_S, _ENTERS_S = 0.4, 2.0
"""So long a track is new: two sights do not tell how it moves. Cut by the frame's border, it takes longer: the
box of what comes into view grows more than it moves."""
_BORDER = 0.01
_AGAIN = 1.2
"""A track that was just missed is looked for sooner, but once: it was seen so many `follow_s` before."""
_STRAY = 1.0
"""A track is looked at again before it has moved so many times its own width or height."""
_CLOSE, _SHIFT = 0.1, 0.1
"""Boxes that touch when grown so much are near each other; they pass each other if one shifts beside the other
by such a share of its size between two looks."""


def next_s(due_s: float, at_s: float, gap_s: float) -> float:
    """From when on the next look may be, after one at `at_s` that was due at `due_s`; all are mono_s."""
    return due_s + gap_s if due_s + gap_s > at_s else at_s + gap_s


def wait_s(track: Track, looked_s: float, crowded: bool, at: Instant, settings: AttentionSettings) -> float:
    """From one look at this track to the next, a little less, for frames do not come when they are wanted."""
    if track.stationary:
        return settings.stationary_check_s
    age_s = at.since(track.started)
    young = not track.confirmed and at.since(track.last_seen) <= _YOUNG_S
    if young or age_s < _NEW_S:
        return settings.min_interval_s * EARLY
    missed = 0 < looked_s - track.last_seen.mono_s <= _AGAIN * settings.follow_s
    enters = age_s < _ENTERS_S and _cut(track.box)
    wait_s = settings.doubt_s if missed or crowded or enters else settings.follow_s
    return max(settings.min_interval_s, min(wait_s, _STRAY * _stay_s(track))) * EARLY


def in_doubt(living: Sequence[Track], follow_s: float) -> set[str]:
    """Tracks that will soon be so near to another one, and elsewhere beside it, that they could be confused."""
    moving = [track for track in living if not track.stationary]
    if len(moving) < 2:
        return set()
    boxes = as_array([grown(track.box, _CLOSE) for track in moving])
    near = (intersection(boxes, boxes) > 0) & _pass(moving, follow_s)
    np.fill_diagonal(near, False)
    return {moving[row].id for row in np.flatnonzero(near.any(axis=1)).tolist()}


def _pass(tracks: Sequence[Track], seconds: float) -> NDArray[np.bool_]:
    """Which pairs change places, or begin to, in so many seconds: (N, N). Who walk side by side do not."""
    sides = np.array([(track.box.width, track.box.height) for track in tracks])
    speeds = np.array([track.velocity for track in tracks])
    between = np.abs(speeds[:, None] - speeds[None, :]) * seconds
    out: NDArray[np.bool_] = (between >= _SHIFT * (sides[:, None] + sides[None, :]) / 2).any(axis=2)
    return out


def _stay_s(track: Track) -> float:
    """How long until the track has moved by its own size."""
    sides = zip((track.box.width, track.box.height), track.velocity, strict=True)
    return min((side / abs(speed) for side, speed in sides if speed), default=inf)


def _cut(box: Box) -> bool:
    return min(box.left, box.top, 1 - box.right, 1 - box.bottom) < _BORDER
