"""What a page needs to play a package: films, their time bar in cells, and events as marks on it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Engine

from agent.core.types import Severity
from agent.language import translated
from agent.translatable import joined
from station.handover.dossier import Dossier
from station.lookup.query import FoundEvent, found
from station.lookup.wanted import EventFilter
from station.lookup.words import act_words, label_word
from station.store.columns import ms
from verifier import timeline

CELLS: Final = 500
WIDE: Final = 1000
"""Of the bar, in its own unit."""
MOST_EVENTS: Final = 300
KINDS_OF_CELL: Final = {
    timeline.WHOLE: "whole",
    timeline.UNRECORDED: "unrecorded",
    timeline.ABSENT: "absent",
    timeline.WRONG: "wrong",
}


def player_of(
    dossier: Dossier, events: Iterable[FoundEvent], language: str, href: str
) -> dict[str, Any] | None:
    """The values of the player; None: there is no range that the box signed."""
    manifest = dossier.judgement.manifest
    if manifest is None:
        return None
    start, end = timeline.span(manifest)
    return {
        "start_ms": ms(start),
        "end_ms": ms(end),
        "cells": list(_cells(timeline.bar(manifest, dossier.judgement.findings, CELLS))),
        "films": [
            {
                "number": film.number,
                "name": film.name,
                "start_ms": ms(film.start),
                "end_ms": ms(film.end),
                "src": f"{href}/films/{film.number}",
            }
            for film in dossier.films
        ],
        "marks": [_mark(each, start, end, language) for each in events],
    }


def events_within(engine: Engine, dossier: Dossier) -> list[FoundEvent]:
    """Those of the package's camera that went on in its range; the first MOST_EVENTS.

    Raises:
        StoreError: the store cannot be read.
    """
    manifest, request = dossier.judgement.manifest, dossier.request
    start, end = (request.from_time, request.to_time) if manifest is None else timeline.span(manifest)
    wanted = EventFilter(start, end, boxes=(request.device,), cameras=(request.camera,))
    return list(islice(found(engine, wanted), MOST_EVENTS))


def _cells(bar: str) -> Iterable[dict[str, Any]]:
    at = 0.0
    for mark, group in groupby(bar):
        wide = len(list(group)) * WIDE / len(bar)
        yield {"x": round(at, 1), "width": round(wide, 1), "kind": KINDS_OF_CELL[mark]}
        at += wide


def _mark(event: FoundEvent, start: datetime, end: datetime, language: str) -> dict[str, Any]:
    shown = max(event.start, start)
    length = max(end - start, timedelta(seconds=1))
    act = act_words(event.kind, event.direction, event.detail)
    what = joined(", ", [label_word(event.label), act]) if event.label else act
    return {
        "at_ms": ms(shown),
        "x": round((shown - start) / length * WIDE, 1),
        "what": translated(what, language),
        "is_alert": event.severity == str(Severity.ALERT),
        "href": f"/events/{quote(event.box, safe='')}/{quote(event.event_id, safe='')}",
    }
