"""Events in the words of an officer. Those of the wire are in agent.wire.words; here is how they are put.

Each gives a marked message: `translated(…, into=language)` says it. What nobody has named is said as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

from agent.printable import printable
from agent.translatable import filtered, joined, tr
from agent.wire.payloads import UNKNOWN_COLOUR
from agent.wire.words import COLOURS, DETAILS, DIRECTIONS, END_REASONS, KINDS, LABELS, PHASES, SEVERITIES, named
from station.lookup.cards import EventCard
from station.lookup.places import BOX_ITSELF, BoxPlace
from station.lookup.timeline.blanks import BlankKind, BlankTime
from station.store.columns import moment
from station.store.titles import is_of_province

ACTS: Final[Mapping[str, str]] = {
    "motion": tr("something moves"),
    "object": tr("is seen"),
    "zone_entered": tr("enters the zone"),
    "line_crossed": tr("crosses the line"),
    "loitering": tr("lingers"),
    "stopped_vehicle": tr("stands still"),
    "wrong_way": tr("goes the wrong way"),
    "crowd": tr("people gather"),
    "object_left": tr("something is left behind"),
    "camera_lost": tr("the camera gives no picture"),
    "camera_blind": tr("the camera cannot see"),
    "recording_stopped": tr("nothing is recorded"),
    "agent_restarted": tr("the box began anew"),
    "model_tried": tr("a model was tried"),
}
"""What an event tells, as a sentence goes on; of the others their kind."""
RULE_KINDS: Final[Mapping[str, str]] = {
    "motion": tr("motion in the picture"),
    "object": tr("road users seen"),
    "zone": tr("entering a zone"),
    "line": tr("crossing a line"),
    "loitering": tr("lingering"),
    "stopped_vehicle": tr("stopped vehicles"),
    "wrong_way": tr("the wrong way"),
    "crowd": tr("crowds"),
    "left_object": tr("objects left behind"),
}
"""What a rule is about."""
CLOCKS: Final[Mapping[str, str]] = {
    "ntp": tr("exact, by the network"),
    "rtc": tr("by the box's own clock"),
    "floor": tr("not exact: it was this time or later"),
    "unknown": tr("not exact: nobody vouches for the box's clock"),
    "corrected": tr("put right by the station"),
}
"""How far the times of an event can be trusted."""
CAMERA_STATES: Final[Mapping[str, str]] = {
    "streaming": tr("sees"),
    "stalled": tr("gave no new pictures"),
    "lost": tr("gave no pictures"),
    "blind": tr("could not see"),
    "disabled": tr("was off"),
    "paused": tr("was paused"),
    "starting": tr("was starting, gave no pictures yet"),
}
BLANKS: Final[Mapping[BlankKind, str]] = {
    BlankKind.STOPPED: tr("The box was switched off on purpose: nobody watched"),
    BlankKind.OFFLINE: tr("The box was not connected: what it saw may come later"),
    BlankKind.SILENT: tr("The box was connected, but silent: whether it watched is not known"),
    BlankKind.BEFORE: tr("The box was not there yet"),
}
"""Why a time without events says nothing, of those whose words are always the same."""
SEEN_LESS: Final[Mapping[str, str]] = {
    "detector_failed": tr("The box recognised nothing, told motion only"),
    "overheated": tr("The box was too hot and looked at fewer pictures"),
}
"""Why a box saw less."""


def kind_word(kind: str) -> str:
    """What an event reports, as a heading."""
    return _spaced(named(KINDS, kind))


def act_words(kind: str, direction: str | None = None, detail: str | None = None) -> str:
    """What happened, as a sentence goes on: "crosses the line, in"."""
    act = ACTS.get(kind) or kind_word(kind)
    more = [direction_word(direction)] if direction else []
    if kind == "camera_blind" and detail:
        more.append(detail_word(detail))
    return joined(", ", [act, *more]) if more else act


def label_word(label: str) -> str:
    """Who or what."""
    return _spaced(named(LABELS, label))


def colour_word(colour: str) -> str:
    """Of a vehicle, or of what somebody wears; `unknown` is asked for, and told of none."""
    return tr("not known") if colour == UNKNOWN_COLOUR else named(COLOURS, colour)


def direction_word(direction: str) -> str:
    """As the rule names it; in and out have words."""
    return named(DIRECTIONS, direction)


def severity_word(severity: str) -> str:
    """How much it presses."""
    return named(SEVERITIES, severity)


def phase_word(phase: str) -> str:
    """Where in its life an event is."""
    return named(PHASES, phase)


def end_reason_word(reason: str) -> str:
    """Why it ended."""
    return _spaced(named(END_REASONS, reason))


def detail_word(detail: str) -> str:
    """The word more that an event may have."""
    return named(DETAILS, detail)


def clock_word(clock: str) -> str:
    """How far its times can be trusted."""
    return CLOCKS.get(clock, clock)


def rule_kind_word(kind: str) -> str:
    """What a rule is about."""
    return RULE_KINDS.get(kind) or _spaced(kind)


def camera_state_word(state: str) -> str:
    """How a camera stood."""
    return CAMERA_STATES.get(state, state)


def blank_words(blank: BlankTime) -> str:
    """Why a time without events says nothing."""
    if blank.kind is BlankKind.CAMERA:
        return tr("The camera {state}", state=camera_state_word(blank.detail))
    if blank.kind is BlankKind.GAP:
        return tr("Messages of this time are missing: {number}", number=blank.detail)
    if blank.kind is BlankKind.LESS:
        return SEEN_LESS.get(blank.detail, blank.detail)
    return BLANKS[blank.kind]


def who_words(card: EventCard) -> str:
    """Who or what, with the number of riders where there is more than one; empty: nobody."""
    if not card.label:
        return ""
    who = label_word(card.label)
    return tr("{who}, {number} people", who=who, number=card.riders) if card.riders > 1 else who


def what_words(card: EventCard) -> str:
    """Who or what, and what happened: "Motorcycle, 2 people, goes the wrong way"."""
    parts = [who_words(card), act_words(card.kind, card.direction, card.detail)]
    return filtered(joined(", ", [part for part in parts if part]), _begun)


def camera_words(device: str, box_title: str, camera: str, camera_title: str) -> str:
    """Where, for people: the camera's name with its box's, unless one has the other in it.

    At the province the box comes first (station/store/titles.py).
    """
    if camera == BOX_ITSELF:
        return tr("{box}, the box itself", box=box_title)
    if is_of_province(device):
        return joined(", ", [box_title, camera_title])
    if box_title.casefold() in camera_title.casefold():
        return camera_title
    return joined(", ", [camera_title, box_title])


def spot_words(place: BoxPlace, camera: str) -> str:
    """The same of a camera by its name."""
    return camera_words(place.device, place.title, camera, place.camera_title(camera))


def place_words(card: EventCard) -> str:
    """Where an event was, for people."""
    return camera_words(card.box, card.box_title, card.camera, card.camera_title)


def sentence(card: EventCard, zone: tzinfo, *, day: bool = False) -> str:
    """As an officer says it: "Motorcycle, 2 people, goes the wrong way, Market junction, 14:03:22"."""
    at = moment(card.began_ms, zone)
    when = f"{at:%H:%M:%S} {at:%d/%m/%Y}" if day else f"{at:%H:%M:%S}"
    return joined(", ", [what_words(card), place_words(card), when])


def _spaced(word: str) -> str:
    """A word of the wire that is said as it came, without what only programs need."""
    return filtered(word, _without_marks)


def _without_marks(text: str) -> str:
    return printable(text).replace("_", " ")


def _begun(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]
