"""The words of a shift: states of cameras and boxes, of alerts and of messages, as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from agent.printable import printable
from agent.translatable import joined, tr
from agent.wire.words import DETAILS, DIRECTIONS, named
from station.boxes.state_words import REASONS, paused_by
from station.lookup.timeline.outages import ABSENT, BRIEF_MS, Outage
from station.lookup.words import act_words, label_word
from station.review.states import STATE_WORDS, by_whom, reason_words
from station.shift.alerts import ShiftAlert
from station.shift.shift import LineCount

OUTAGES: Final[Mapping[str, str]] = {
    "offline": tr("was not connected"),
    ABSENT: tr("was not there yet"),
    "stopped": tr("was switched off on purpose"),
    "stalled": tr("gave no new pictures"),
    "lost": tr("gave no pictures"),
    "blind": tr("could not see"),
    "paused": tr("was paused"),
    "starting": tr("was starting, gave no pictures yet"),
    "disabled": tr("was off"),
    "silent": tr("was connected, but silent"),
    "detector_failed": tr("recognised nothing, told motion only"),
    "overheated": tr("was too hot and looked at fewer pictures"),
}
SUMMED: Final = tr("Each together, what overlaps counted once; a camera with the outages of its box:")
MOST_LABELS: Final = 12
"""Of a line, and so many directions of each: more than a detector of road users tells apart. A box names what
it counted as it likes, and a page says it of every line."""
NO_BOX: Final = tr("The station had not heard of any box yet: nobody watched.")
NONE_AT_ALL: Final = tr("Every box and camera was there all the time.")
MISSING: Final[Mapping[str, str]] = {
    "open": tr("have not come yet"),
    "gone": tr("will not come: the box has them no more"),
    "filled": tr("came late"),
}


def what(alert: ShiftAlert) -> str:
    """What it tells: of whom, and what happened."""
    act = act_words(alert.kind, detail=alert.detail)
    return joined(", ", [label_word(alert.label), act]) if alert.label else act


def went_wrong(each: Outage) -> str:
    """What was wrong, with what made a camera blind and who paused it."""
    words = named(OUTAGES, each.state)
    if each.state == "paused" and (who := paused_by(each.reason)):
        return tr("was paused by {who}", who=who)
    why = DETAILS.get(each.reason) or REASONS.get(each.reason)
    return tr("{state}: {reason}", state=words, reason=why) if why else words


def brief_words(number: int) -> str:
    """How many outages have no row of their own."""
    return tr("{number} shorter than {seconds} s", number=number, seconds=BRIEF_MS // 1000)


def no_rows(brief: int, boxes: int) -> str:
    """Why there is no row of an outage: no box was known yet, there was none, or so many brief ones alone."""
    if not boxes:
        return NO_BOX
    seconds = BRIEF_MS // 1000
    return tr("No outage lasted {seconds} s or longer.", seconds=seconds) if brief else NONE_AT_ALL


def until_words(*, is_over: bool) -> str:
    """Of what had no end in the shift; `is_over`: the shift is."""
    return tr("went on at its end") if is_over else tr("goes on")


def became(alert: ShiftAlert) -> str:
    """What became of it, with the reason of a false one."""
    state = named(STATE_WORDS, alert.state)
    return (
        tr("{state}: {reason}", state=state, reason=reason_words(alert.reason, alert.right_label))
        if alert.reason
        else state
    )


def judged_by(alert: ShiftAlert, at: str) -> str:
    """Who judged it or works on it, and when; empty: nobody has."""
    if not alert.reviewer:
        return ""
    name = printable(alert.reviewer)
    return name if alert.reviewed_ms is None else by_whom(alert.state, name, at)


def numbers(line: LineCount) -> str:
    """Each label with its directions, the most frequent first: car 12 in, 9 out; motorcycle 40 in.

    Of more than MOST_LABELS stands how many there are.
    """
    labels: dict[str, list[tuple[str, int]]] = {}
    for (label, direction), number in line.numbers.items():
        if number:
            labels.setdefault(label, []).append((direction, number))
    most = sorted((-sum(number for _, number in found), label) for label, found in labels.items())
    parts = [_of_label(label, labels[label]) for _, label in most[:MOST_LABELS]]
    return joined("; ", _and_more(parts, len(most)))


def _of_label(label: str, found: list[tuple[str, int]]) -> str:
    each = [
        tr("{number:,} {direction}", number=number, direction=named(DIRECTIONS, direction))
        for direction, number in sorted(found)[:MOST_LABELS]
    ]
    words = joined(", ", _and_more(each, len(found)))
    return tr("{label} {numbers}", label=label_word(label), numbers=words)


def _and_more(parts: Sequence[str], number: int) -> Sequence[str]:
    return [*parts, more_words(number - MOST_LABELS)] if number > MOST_LABELS else parts


def more_words(number: int) -> str:
    """Of a list, what is not in it."""
    return tr("and {more:,} more", more=number)
