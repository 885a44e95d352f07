"""A whole look-up as CSV for a spreadsheet and as JSON for programs, written while it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final

from agent.language import translated
from agent.printable import printable_json, spreadsheet_cell
from agent.translatable import tr
from station.lookup.cards import EventCard
from station.lookup.timeline.outages import Outage
from station.lookup.words import (
    clock_word,
    colour_word,
    direction_word,
    end_reason_word,
    kind_word,
    label_word,
    severity_word,
)
from station.review.states import REASON_WORDS, RIGHT_LABELS, STATE_WORDS
from station.shift.words import went_wrong
from station.web.render import Templates

_BOM: Final = "\ufeff"
"""By it a spreadsheet knows that the letters are Vietnamese."""
NOT_SAID: Final = tr("Who did not watch when is not said of so long a time: choose a shorter one.")
HEADINGS: Final = (
    tr("day"), tr("began"), tr("ended"), tr("box"), tr("camera"), tr("what"), tr("who"), tr("riders"),
    tr("colour of the vehicle"), tr("colour of the clothes"), tr("direction"), tr("severity"), tr("rule"),
    tr("zone"), tr("ended by"), tr("came"), tr("late"),
    tr("clock"), tr("review"), tr("reason"), tr("what it is"), tr("reviewed by"), tr("id"),
)  # fmt: skip


def csv_lines(
    cards: Iterable[EventCard], templates: Templates, language: str, unwatched: Sequence[Outage] | None
) -> Iterator[str]:
    """RFC 4180, every text in quotes, none of them a formula; headings and words in this language.

    First, without an id, when who is asked for did not watch (None: too long a time): a table of events alone
    would say of a time in which a camera was away that nothing happened.
    """
    line = io.StringIO()
    writer = csv.writer(line, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([translated(each, language) for each in HEADINGS])
    yield _BOM + line.getvalue()
    for row in chain(_unwatched_rows(unwatched, templates), (_row(card, templates) for card in cards)):
        line.seek(0)
        line.truncate()
        writer.writerow([_cell(value, language) for value in row])
        yield line.getvalue()


def _cell(value: object, language: str) -> object:
    if isinstance(value, int):
        return value
    return spreadsheet_cell(translated(value or "", language))


def _unwatched_rows(unwatched: Sequence[Outage] | None, templates: Templates) -> Iterator[list[object]]:
    if unwatched is None:
        yield _away("", "", "", "", "", NOT_SAID)
        return
    for each in sorted(unwatched, key=lambda each: each.start_ms):
        day = templates.day(each.start_ms)
        ended = ""
        if each.end_ms is not None:
            ended_on = templates.day(each.end_ms)
            ended = f"{'' if ended_on == day else ended_on + ' '}{templates.clock(each.end_ms)}"
        words = tr("not all was seen: {words}", words=went_wrong(each))
        yield _away(day, templates.clock(each.start_ms), ended, each.box, each.camera, words)


def _away(*cells: object) -> list[object]:
    return [*cells, *[""] * (len(HEADINGS) - len(cells))]


def _row(card: EventCard, templates: Templates) -> list[object]:
    return [
        templates.day(card.began_ms),
        templates.clock(card.began_ms),
        "" if card.ended_ms is None else templates.clock(card.ended_ms),
        card.box_title,
        card.camera_title,
        kind_word(card.kind),
        label_word(card.label) if card.label else "",
        card.riders or "",
        colour_word(card.vehicle_colour or ""),
        colour_word(card.clothes_colour or ""),
        direction_word(card.direction or ""),
        severity_word(card.severity),
        card.rule,
        ", ".join(card.zones),
        end_reason_word(card.end_reason or ""),
        f"{templates.day(card.received_ms)} {templates.clock(card.received_ms)}",
        tr("yes") if card.is_old_news else "",
        clock_word(card.clock),
        STATE_WORDS.get(card.review, card.review),
        REASON_WORDS.get(card.review_reason or "", card.review_reason or ""),
        RIGHT_LABELS.get(card.review_right_label or "", card.review_right_label or ""),
        card.reviewed_by or "",
        card.event_id,
    ]


def json_lines(
    cards: Iterable[EventCard], templates: Templates, unwatched: Sequence[Mapping[str, Any]] | None
) -> Iterator[str]:
    """One object, with the words of the wire: when nobody watched (null: too long a time), then the events.

    An array of events alone would say of a time in which a camera was away that nothing happened.
    """
    yield '{"unwatched": ' + printable_json(json.dumps(unwatched, ensure_ascii=False)) + ', "events": ['
    between = ""
    for card in cards:
        yield between + "\n" + printable_json(json.dumps(_record(card, templates), ensure_ascii=False))
        between = ","
    yield "]}\n" if not between else "\n]}\n"


def _record(card: EventCard, templates: Templates) -> dict[str, Any]:
    def local(at_ms: int | None) -> str | None:
        return None if at_ms is None else templates.local(at_ms).isoformat(timespec="milliseconds")

    return {
        "id": card.event_id, "box": card.box, "box_title": card.box_title, "camera": card.camera,
        "camera_title": card.camera_title, "kind": card.kind, "phase": card.phase, "severity": card.severity,
        "start": local(card.began_ms), "end": local(card.ended_ms), "received": local(card.received_ms),
        "label": card.label, "riders": card.riders,
        "vehicle_colour": card.vehicle_colour, "clothes_colour": card.clothes_colour,
        "direction": card.direction, "zones": list(card.zones),
        "rule": card.rule, "rule_kind": card.rule_kind, "end_reason": card.end_reason, "detail": card.detail,
        "score": None if card.score_permille is None else card.score_permille / 1000, "track_id": card.track_id,
        "late": card.late, "replayed": card.replayed, "clock": card.clock, "review": card.review,
        "review_reason": card.review_reason, "review_right_label": card.review_right_label,
        "reviewed_by": card.reviewed_by,
        "picture": card.thumbnail, "scene": card.scene,
    }  # fmt: skip
