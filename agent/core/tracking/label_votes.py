"""Label voting: what a track is, by its detections, for detectors flicker between car and truck."""

from __future__ import annotations

from collections.abc import Sequence

Votes = tuple[tuple[str, float], ...]
"""Weight by label, in the order of first sight."""

Groups = Sequence[Sequence[str]]

MOST_LABELS = 6
"""No track remembers more labels: the weakest is forgotten, so that memory is bounded."""


def group(label: str, groups: Groups) -> str:
    """The name of the label's group: the first of its members; a label in none is its own group."""
    for members in groups:
        if label in members:
            return members[0]
    return label


def vote(votes: Votes, label: str, weight: float, keep: float) -> Votes:
    """The votes after one more; older ones count `keep` (0..1) times as much as before."""
    weights = {name: old * keep for name, old in votes}
    weights[label] = weights.get(label, 0.0) + weight
    if len(weights) > MOST_LABELS:
        del weights[min((name for name in weights if name != label), key=weights.__getitem__)]
    return tuple(weights.items())


def winner(votes: Votes, current: str, lead: float) -> str:
    """The label with most weight; the current one stays until another leads by the factor `lead` (>= 1)."""
    best, weight = max(votes, key=lambda each: each[1])
    return best if weight > lead * dict(votes).get(current, 0.0) else current
