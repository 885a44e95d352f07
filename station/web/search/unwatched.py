"""When boxes and cameras that are asked for did not watch: in words on the page, and in the JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agent.language import translated
from agent.translatable import tr
from station.lookup.places import BoxPlace
from station.lookup.timeline.outages import Outage
from station.lookup.words import spot_words
from station.shift.words import until_words, went_wrong
from station.web.render import Templates, span_of

SHOWN: Final = 6
"""The longest ones; of the others it is said how many they are."""


@dataclass(frozen=True, slots=True)
class UnwatchedView:
    """What a page says of them."""

    rows: Sequence[Mapping[str, str]]
    """where, words, when, lasted; by when they began."""
    more: int
    """So many are not said."""
    number: int
    """Boxes and cameras of which all of them are."""


def unwatched_view(
    found: Sequence[Outage],
    within_ms: tuple[int, int],
    places: Mapping[int, BoxPlace],
    templates: Templates,
    language: str,
) -> UnwatchedView:
    """Of outages that touch a time; what was so again and again is said once."""
    alike = dict[tuple[tuple[int, str], str], list[Outage]]()
    for each in sorted(found, key=lambda each: each.start_ms):
        alike.setdefault((each.whose, went_wrong(each)), []).append(each)
    lasted_ms = {key: sum(each.within_ms(*within_ms) for each in these) for key, these in alike.items()}
    longest = sorted(alike, key=lambda key: -lasted_ms[key])[:SHOWN]
    rows = [
        {
            "where": translated(_where(alike[key][0], places), language),
            "words": translated(key[1], language),
            "when": translated(_when(alike[key], templates, language), language),
            "lasted": span_of(language, lasted_ms[key] / 1000),
        }
        for key in sorted(longest, key=lambda key: alike[key][0].start_ms)
    ]
    return UnwatchedView(rows, len(alike) - len(rows), len({each.whose for each in found}))


def _when(these: Sequence[Outage], templates: Templates, language: str) -> str:
    """From when until when, of several how often, too."""
    ended_ms = None if these[-1].end_ms is None else max(each.end_ms or 0 for each in these)
    since = templates.moment(language, these[0].start_ms)
    until = until_words(is_over=False) if ended_ms is None else templates.moment(language, ended_ms)
    if len(these) == 1:
        return tr("{since} – {until}", since=since, until=until)
    return tr("{number} times, {since} – {until}", number=len(these), since=since, until=until)


def _where(outage: Outage, places: Mapping[int, BoxPlace]) -> str:
    box_id, camera = outage.whose
    if not camera or box_id not in places:
        return outage.box
    return spot_words(places[box_id], camera)


def unwatched_records(
    found: Sequence[Outage], places: Mapping[int, BoxPlace], templates: Templates
) -> list[dict[str, Any]]:
    """The same for programs, in the wire's words: `camera` null for a whole box, `end` null while it lasts."""

    def local(at_ms: int | None) -> str | None:
        return None if at_ms is None else templates.local(at_ms).isoformat(timespec="milliseconds")

    return [
        {
            "box": places[each.whose[0]].device,
            "box_title": each.box,
            "camera": each.whose[1] or None,
            "camera_title": each.camera or None,
            "state": each.state,
            "reason": each.reason or None,
            "start": local(each.start_ms),
            "end": local(each.end_ms),
        }
        for each in found
        if each.whose[0] in places
    ]
