"""What a review says of the road user in the picture, for a detector to learn from. Pure.

An officer judges an alert, not a picture: one road user of it, and of a false alarm also whether there was one
at all. That ordinary traffic set off a rule says that the rule is wrong, and nothing against the detector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.translatable import tr
from station.review.states import NO_ROAD_USER, FalseReason, ReviewState

NOTHING_THERE: Final = frozenset(
    {
        FalseReason.SHADOW_OR_LIGHT,
        FalseReason.RAIN_OR_INSECTS,
        FalseReason.ANIMAL,
        FalseReason.FOLIAGE,
    }
)
"""Reasons that say that there was no road user; a parked vehicle and ordinary traffic are road users."""


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """What is at the place of an event."""

    label: str
    """What stands there; or, if it is ruled out, what does not."""
    is_there: bool


WHY_NOT: Final[Mapping[str, str]] = {
    "nothing_said": tr("what was made of it says nothing about its label"),
    "no_road_user": tr("it is about no road user"),
    "no_picture": tr("the event is deleted, or the station has no whole view of it"),
    "elsewhere": tr("its picture does not show the road user where the event says"),
}
"""Why a reviewed event is not in a data set."""


def verdict_of(
    state: ReviewState, reason: FalseReason | None, right_label: str | None, seen_as: str
) -> LabelVerdict | None:
    """What a review of an event says whose road user was taken for `seen_as`; None: nothing."""
    match state, reason:
        case ReviewState.CONFIRMED, _:
            return LabelVerdict(seen_as, is_there=True)
        case ReviewState.FALSE, FalseReason.WRONG_LABEL if right_label == NO_ROAD_USER:
            return LabelVerdict(seen_as, is_there=False)
        case ReviewState.FALSE, FalseReason.WRONG_LABEL if right_label is not None:
            return LabelVerdict(right_label, is_there=True)
        case ReviewState.FALSE, _ if reason in NOTHING_THERE:
            return LabelVerdict(seen_as, is_there=False)
    return None
