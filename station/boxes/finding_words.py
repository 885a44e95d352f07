"""What is wrong with a box in words: what it is, what it means, what to do. Pure.

For officers: no word of the wire, no command, and what to do is something that somebody at a desk can do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agent.translatable import tr
from station.boxes.findings import BoxFinding, BoxVerdict
from station.words import how_long

Values = Mapping[str, Any]

VERDICTS: Final[Mapping[str, str]] = {
    BoxVerdict.WELL: tr("well"),
    BoxVerdict.LOOK: tr("needs a look"),
    BoxVerdict.BROKEN: tr("needs help now"),
}


@dataclass(frozen=True, slots=True)
class FindingWords:
    """One finding as people read it."""

    verdict: BoxVerdict
    what: str
    why: str
    """What it means."""
    todo: str


def words_of(finding: BoxFinding) -> FindingWords:
    """The words of a finding."""
    what = _WHAT[finding.key](finding.values)
    why, todo = _REST[finding.key]
    return FindingWords(finding.verdict, what, why, todo)


def _said(text: str) -> Callable[[Values], str]:
    return lambda _values: text


_CALL: Final = tr("Call the technician.")
_WAIT: Final = tr("Nothing now; tell the technician if it stays so for a day.")
_POWER: Final = tr("Tell the technician: the supply or its cable is too weak.")

_WHAT: Final[Mapping[str, Callable[[Values], str]]] = {
    "station_away": _said(tr("Its station is not heard")),
    "never_heard": _said(tr("Nobody knows how this box is")),
    "offline": _said(tr("The box is not connected")),
    "stopped": _said(tr("The box was switched off on purpose")),
    "health_missing": _said(tr("The box has just begun")),
    "health_late": lambda of: tr(
        "The box is connected, but silent for {span}", span=how_long(60 * of["minutes"])
    ),
    "no_camera": _said(tr("The box has no camera")),
    "camera_lost": lambda of: tr("Camera {camera} gives no picture", camera=of["camera"]),
    "camera_stalled": lambda of: tr("The picture of camera {camera} stands still", camera=of["camera"]),
    "camera_blind": lambda of: tr("Camera {camera} cannot see", camera=of["camera"]),
    "camera_disabled": lambda of: tr("Camera {camera} is off", camera=of["camera"]),
    "camera_starting": lambda of: tr("Camera {camera} is starting", camera=of["camera"]),
    "camera_unknown": lambda of: tr("Camera {camera} has said nothing yet", camera=of["camera"]),
    "camera_paused": lambda of: tr("Camera {camera} is paused by order", camera=of["camera"]),
    "degraded_storage_full": _said(tr("The disk of the box takes nothing more")),
    "degraded_storage_ram_only": _said(tr("The disk of the box fails")),
    "degraded_under_voltage": _said(tr("The box has too little power")),
    "degraded_config_refused": _said(tr("The new settings of the box are wrong")),
    "degraded_detector_failed": lambda of: tr("Camera {camera}: nothing is recognised", camera=of["of"]),
    "degraded_recording_stopped": lambda of: tr("Camera {camera} is not recorded any more", camera=of["of"]),
    "degraded_outbox_key_missing": _said(tr("Waiting pictures lie on the box without encryption")),
    "degraded_overheated": _said(tr("The box is too hot")),
    "degraded_clock_untrusted": _said(tr("The clock of the box may be wrong")),
    "degraded_clock_jumped": _said(tr("The clock of the box went far forward")),
    "degraded_busy": _said(tr("The box has too much to do")),
    "degraded_unconfirmed": _said(tr("What the box sends has not been confirmed for a long time")),
    "degraded_paused": lambda of: tr("Paused by order: {of}", of=of["of"]),
    "degraded_shadow_failed": lambda of: tr("The new model {model} does not work on this box", model=of["of"]),
    "degraded_other": lambda of: tr("The box says: {word} {of}", word=of["word"], of=of["of"]),
    "under_voltage_once": _said(tr("The power of the box was too low for a while")),
    "warm": lambda of: tr("The box is warm: {celsius} °C", celsius=of["celsius"]),
    "waiting": lambda of: tr(
        "{pending} messages wait in the box, the oldest for {span}",
        pending=of["pending"],
        span=how_long(3600 * of["hours"]),
    ),
    "dropped": lambda of: tr("The box had no room for {number} messages", number=of["number"]),
    "quarantined": lambda of: tr("The box has set {number} messages aside", number=of["number"]),
    "certificate_over": lambda of: tr("The certificate of the box ended {days} days ago", days=of["days"]),
    "certificate_ends": lambda of: tr("The certificate of the box ends in {days} days", days=of["days"]),
    "alarm_quota": _said(tr("The box sends more than the station takes in a day")),
    "alarm_second_holder": _said(tr("Two boxes say that they are this one")),
    "alarm_outbox_went_back": _said(tr("What waits in the box was put back to an older state")),
    "alarm_retained_flood": _said(tr("Old messages of the box were left on the way")),
    "alarm_box_key_changed": _said(tr("The box signs footage with another key than before")),
    "alarm_clock_apart": _said(tr("The clock of the box is wrong by more than a day")),
    "alarm_same_title": _said(tr("Another box is called like this one")),
    "alarm_other": lambda of: tr("Alarm of the station: {kind}", kind=of["kind"]),
    "gap_open": lambda of: tr("{number} messages of the box have not come yet", number=of["number"]),
    "gap_gone": lambda of: tr("{number} messages of the box are lost", number=of["number"]),
}

_REST: Final[Mapping[str, tuple[str, str]]] = {
    "station_away": (
        tr("It is shown as it was when its station was heard last; nobody here knows how it is now."),
        tr("Ask the duty room of its commune; if the line is gone, call the technician."),
    ),
    "never_heard": (
        tr("It was never heard at this station, or has said only a part."),
        tr("Ask the technician whether it is installed and switched on."),
    ),
    "offline": (
        tr(
            "No power, no network, or it hangs. What it sees meanwhile, if it has power, it keeps, "
            "and sends when it is back."
        ),
        tr(
            "Are other boxes nearby not connected, too? Then it is power or network. "
            "If only this one is, call the technician."
        ),
    ),
    "stopped": (
        tr("It watches nothing until it is switched on again."),
        tr("If nobody is working on it, call the technician."),
    ),
    "health_missing": (tr("It says how it is within a minute."), tr("Wait a minute.")),
    "health_late": (
        tr(
            "It has said nothing of itself for more than 5 minutes. Its connection stands, "
            "but its program may hang."
        ),
        tr("A supervisor can restart it here. If that does not help, call the technician."),
    ),
    "no_camera": (tr("Nothing is watched."), _CALL),
    "camera_lost": (
        tr("What happens there is not seen: its power, its cable, or the camera itself."),
        tr("The box tries again by itself. If it lasts longer than some minutes, call the technician."),
    ),
    "camera_stalled": (
        tr("What happens there is not seen, although the camera is connected."),
        tr("The box tries again by itself. If it lasts longer than some minutes, call the technician."),
    ),
    "camera_blind": (
        tr(
            "It is covered, turned away, too dark, too bright or dirty; somebody may have done that on purpose."
        ),
        tr("Take a look through it here, then have a patrol look at it on the spot."),
    ),
    "camera_disabled": (
        tr("What happens there is not seen."),
        tr("If it lasts longer than a minute, call the technician."),
    ),
    "camera_starting": (
        tr("What happens there is not seen yet."),
        tr("If it lasts longer than a minute, call the technician."),
    ),
    "camera_unknown": (
        tr("Whether it sees is not known."),
        tr("If it lasts longer than a minute, call the technician."),
    ),
    "camera_paused": (
        tr("Nothing is watched there until the pause ends by itself."),
        tr("If it is not wanted any more, let the camera go on below."),
    ),
    "degraded_storage_full": (tr("Pictures are dropped so that events are kept."), _CALL),
    "degraded_storage_ram_only": (tr("What has not been sent is lost when the power goes."), _CALL),
    "degraded_under_voltage": (tr("It may stop at any moment, and its disk may be damaged."), _POWER),
    "degraded_config_refused": (
        tr("It goes on with the last good ones."),
        tr("Tell the technician who changed them last."),
    ),
    "degraded_detector_failed": (
        tr("Only motion is told there, no people and no vehicles."),
        tr("A supervisor can restart the box here. If that does not help, call the technician."),
    ),
    "degraded_recording_stopped": (tr("There will be no footage of now."), _CALL),
    "degraded_outbox_key_missing": (
        tr("Who takes the card could see them."),
        tr("Tell the administrator."),
    ),
    "degraded_overheated": (
        tr("It looks at fewer pictures so that it cools down; something fast may be missed."),
        tr("Is it in the sun, or its fan dirty? Tell the technician if it comes each day."),
    ),
    "degraded_clock_untrusted": (
        tr("Its events may bear a wrong time; the station puts them right once the clock is."),
        tr("Do not trust times of this box until this is gone. If it lasts for an hour, call the technician."),
    ),
    "degraded_clock_jumped": (
        tr("If the box was off that long, all is well. If not, footage is deleted too early from tomorrow on."),
        tr("Was it not off? Ask for the footage that you need, which holds it, and call the technician today."),
    ),
    "degraded_busy": (tr("It looks at fewer pictures; something fast may be missed."), _WAIT),
    "degraded_unconfirmed": (
        tr("Its events come late: a slow network, or the station was away. Nothing is lost by that."),
        _WAIT,
    ),
    "degraded_paused": (
        tr("A rule is not watched until the pause ends by itself."),
        tr("If it is not wanted any more, let the camera go on below."),
    ),
    "degraded_shadow_failed": (
        tr("It only looked on; the model of before tells the events."),
        tr("Tell the administrator."),
    ),
    "degraded_other": (
        tr("A newer box says it; this station has no words for it."),
        tr("Tell the technician."),
    ),
    "under_voltage_once": (tr("It can come again, and may then stop the box."), _POWER),
    "warm": (
        tr("It is near the heat at which it looks at fewer pictures."),
        tr("Is it in the sun, or its fan dirty? Tell the technician if it comes each day."),
    ),
    "waiting": (tr("Its network is slow or was cut. Events come late, and nothing is lost by that."), _WAIT),
    "dropped": (
        tr("It was not connected for too long, or told too much; the oldest and least went first."),
        tr("Keep that in mind when you look for something there."),
    ),
    "quarantined": (tr("They could not be sent as they are."), tr("Tell the technician.")),
    "certificate_over": (
        tr("It cannot connect again once its connection breaks."),
        tr("Tell the administrator now."),
    ),
    "certificate_ends": (tr("After that it cannot connect any more."), tr("Tell the administrator.")),
    "alarm_quota": (
        tr("The rest waits in the box and comes later, also what is important."),
        tr("Tell the administrator: a rule may tell far too much."),
    ),
    "alarm_second_holder": (
        tr("Somebody has copied its card, or two cards were mixed up. What it tells may be of another place."),
        tr("Do not trust this box. Tell the administrator now."),
    ),
    "alarm_outbox_went_back": (
        tr("Its card was copied back, or its disk is damaged; messages may come twice or not at all."),
        tr("Tell the administrator."),
    ),
    "alarm_retained_flood": (
        tr("Old news may come again as new after a restart."),
        tr("Tell the administrator."),
    ),
    "alarm_same_title": (
        tr("One of the two may be stolen and pretend to hang where the other does. Both are shown with ids."),
        tr("Send nobody on its word alone: look at its picture. Tell the administrator now."),
    ),
    "alarm_box_key_changed": (
        tr("It has a new card, or is another box. Its footage is not proven until the new key is accepted."),
        tr("Ask whether somebody has changed its card, and tell the administrator."),
    ),
    "alarm_clock_apart": (
        tr("It says that its clock is right, but this station has another time, and most boxes do not object."),
        tr("Do not trust times of this box, and call the technician."),
    ),
    "alarm_other": (tr("A newer part of the station says it."), tr("Tell the administrator.")),
    "gap_open": (
        tr("They are on their way, or wait in the box."),
        tr("Nothing, if the box was not connected. If it stays so for a day, tell the technician."),
    ),
    "gap_gone": (
        tr("The box has them no more, so something of the last days is missing here."),
        tr("Keep that in mind when you look for something there."),
    ),
}
