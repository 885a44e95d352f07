"""Which setting to look at when a rule's alarms are false for one reason, by its name in the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.translatable import tr
from station.review.states import FalseReason

RULE_WORDS: Final[Mapping[str, str]] = {
    "motion": tr("something moves"),
    "object": tr("a road user is in view"),
    "zone": tr("a zone is entered"),
    "line": tr("a line is crossed"),
    "loitering": tr("somebody stays on"),
    "stopped_vehicle": tr("a vehicle stands"),
    "wrong_way": tr("a vehicle goes the wrong way"),
    "crowd": tr("many people at once"),
    "left_object": tr("a thing is left behind"),
    "camera": tr("the camera itself"),
    "box": tr("the box itself"),
}
"""What a rule of this kind looks for."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What to change, and where."""

    reason: FalseReason
    words: str
    """A sentence or two."""
    settings: tuple[str, ...]
    """Paths in a box's configuration, as docs/reference/config.md has them; none: no setting helps."""


_RULE, _ZONE = "cameras[].rules[].", "cameras[].zones[].polygon"
_SCORES = "detector.min_score"
_TRACKED: Final = frozenset({"object", "zone", "line", "loitering", "stopped_vehicle", "wrong_way", "crowd"})
"""Kinds that look at road users, and so at what the detector takes for one."""
_WITH_ZONE: Final = frozenset({"zone", "loitering", "stopped_vehicle", "wrong_way", "crowd"})

_Said = tuple[str, tuple[str, ...]]
_OF_KIND: Final[Mapping[tuple[str, FalseReason], _Said]] = {
    ("motion", FalseReason.SHADOW_OR_LIGHT): (
        tr(
            "Raise min_s of the rule: a light that sweeps by is over soon. Give it a zone without the lit wall."
        ),
        (_RULE + "min_s", _RULE + "zone"),
    ),
    ("motion", FalseReason.RAIN_OR_INSECTS): (
        tr("Raise min_area and min_s of the rule: drops and insects are small, or gone at once."),
        (_RULE + "min_area", _RULE + "min_s"),
    ),
    ("motion", FalseReason.ANIMAL): (
        tr("Raise min_area of the rule until an animal is too small for it."),
        (_RULE + "min_area",),
    ),
    ("motion", FalseReason.FOLIAGE): (
        tr("Draw the branches into ignore of the camera's motion: what moves there does not count."),
        ("cameras[].motion.ignore",),
    ),
    ("motion", FalseReason.NORMAL_TRAFFIC): (
        tr("Give the rule a zone off the road, or a schedule of the hours in which nobody should be there."),
        (_RULE + "zone", _RULE + "schedule"),
    ),
    ("stopped_vehicle", FalseReason.PARKED_VEHICLE): (
        tr("Draw the rule's zone off the parking places. Raise remember_s if the same vehicle is told again."),
        (_ZONE, _RULE + "remember_s"),
    ),
    ("stopped_vehicle", FalseReason.NORMAL_TRAFFIC): (
        tr(
            "Raise min_s of the rule above the longest red light, or end its zone before the stop line's queue."
        ),
        (_RULE + "min_s", _ZONE),
    ),
    ("loitering", FalseReason.NORMAL_TRAFFIC): (
        tr("Raise min_stay_s of the rule above the usual wait there, or leave the bus stop out of its zone."),
        (_RULE + "min_stay_s", _ZONE),
    ),
    ("crowd", FalseReason.NORMAL_TRAFFIC): (
        tr("Raise min_count of the rule, or min_s, or give it a schedule without school and market hours."),
        (_RULE + "min_count", _RULE + "min_s", _RULE + "schedule"),
    ),
    ("wrong_way", FalseReason.NORMAL_TRAFFIC): (
        tr("Draw the rule's zone within one lane, look at direction_deg, and raise min_distance."),
        (_ZONE, _RULE + "direction_deg", _RULE + "min_distance"),
    ),
    ("wrong_way", FalseReason.PARKED_VEHICLE): (
        tr("Raise min_distance of the rule: a vehicle that parks goes back only a little."),
        (_RULE + "min_distance",),
    ),
    ("zone", FalseReason.NORMAL_TRAFFIC): (
        tr("Draw the rule's zone farther from the lane, or raise enter_after_s of the zone."),
        (_ZONE, "cameras[].zones[].enter_after_s"),
    ),
    ("line", FalseReason.NORMAL_TRAFFIC): (
        tr("Take the direction that is allowed out of tell of the rule; it is counted all the same."),
        (_RULE + "tell",),
    ),
    ("object", FalseReason.NORMAL_TRAFFIC): (
        tr("Give the rule a zone or a schedule, or make it info: it tells of every road user."),
        (_RULE + "zone", _RULE + "schedule", _RULE + "severity"),
    ),
    ("left_object", FalseReason.SHADOW_OR_LIGHT): (
        tr("Raise min_s of the rule, or give it a zone without the place where shadows stand."),
        (_RULE + "min_s", _RULE + "zone"),
    ),
    ("left_object", FalseReason.PARKED_VEHICLE): (
        tr("Lower max_area of the rule below a vehicle's size, or give it a zone without parking places."),
        (_RULE + "max_area", _RULE + "zone"),
    ),
    ("left_object", FalseReason.NORMAL_TRAFFIC): (
        tr("Raise min_s of the rule, and near if its owner stands farther off."),
        (_RULE + "min_s", _RULE + "near"),
    ),
    ("left_object", FalseReason.ANIMAL): (
        tr("Raise min_s of the rule: an animal that rests goes on sooner than a thing."),
        (_RULE + "min_s",),
    ),
    ("left_object", FalseReason.FOLIAGE): (
        tr("Raise min_area of the rule: leaves on the road are small. Give it a zone without the tree."),
        (_RULE + "min_area", _RULE + "zone"),
    ),
    ("camera", FalseReason.SHADOW_OR_LIGHT): (
        tr("Raise after_s of the camera's tamper settings: headlights that dazzle pass by."),
        ("cameras[].tamper.after_s",),
    ),
    ("camera", FalseReason.RAIN_OR_INSECTS): (
        tr("Clean the glass. Lower sharpness of the camera's tamper settings if fog is usual there."),
        ("cameras[].tamper.sharpness",),
    ),
    ("camera", FalseReason.NORMAL_TRAFFIC): (
        tr("Raise lost_share of the camera's tamper settings above what the largest vehicle hides."),
        ("cameras[].tamper.lost_share",),
    ),
}
_SEEN: Final[Mapping[FalseReason, _Said]] = {
    FalseReason.SHADOW_OR_LIGHT: (
        tr("Raise the detector's min_score for the label that was seen there: a shadow has a low score."),
        (_SCORES,),
    ),
    FalseReason.RAIN_OR_INSECTS: (
        tr("Clean the glass and move lamps away from it; then raise the detector's min_score for that label."),
        (_SCORES,),
    ),
    FalseReason.ANIMAL: (
        tr("Raise the detector's min_score for the label that animals are taken for."),
        (_SCORES,),
    ),
    FalseReason.FOLIAGE: (
        tr("Draw the rule's zone without the branches, or raise the detector's min_score for that label."),
        (_ZONE, _SCORES),
    ),
    FalseReason.WRONG_LABEL: (
        tr("Take the label out of labels of the rule, or raise the detector's min_score for it."),
        (_RULE + "labels", _SCORES),
    ),
    FalseReason.PARKED_VEHICLE: (
        tr("Draw the rule's zone off the parking places."),
        (_ZONE,),
    ),
}
"""Of every kind that looks at road users."""
_FAULT: Final[_Said] = (
    tr("See to the camera first: glass, mount, cable. No setting makes up for a bad picture."),
    (),
)


def hint_for(rule_kind: str, reason: FalseReason) -> Hint | None:
    """What helps a rule of this kind against this reason; None: nothing that could be said in general."""
    said = _OF_KIND.get((rule_kind, reason))
    if said is None and rule_kind in _TRACKED:
        said = _SEEN.get(reason)
    if said is None and reason is FalseReason.CAMERA_FAULT:
        said = _FAULT
    if said is None:
        return None
    words, settings = said
    if rule_kind not in _WITH_ZONE:  # a line is no zone, and an object's zone is a choice
        settings = tuple(path for path in settings if path != _ZONE)
    return Hint(reason, words, settings)
