"""From the words of an officer to a look-up, with what was not understood. Pure: names are given."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from agent.translatable import tr
from agent.wire.payloads import UNKNOWN_COLOUR
from station.lookup.places import BoxPlace
from station.lookup.spoken import vocabulary
from station.lookup.spoken.moments import NUMBERS, number_of, taken_time
from station.lookup.spoken.text import SpokenText, bare, phrase
from station.lookup.wanted import EventSearch

USUAL: Final = timedelta(days=7)
"""How far back is looked where no time is said."""
_N = rf"(?:\d{{1,2}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
_R = rf"(?:{vocabulary.RIDERS})"
_AT_LEAST = re.compile(
    rf"(?<!\w)(?:(?:tu|it nhat|at least|tren|hon|more than|over)\s+(?P<n>{_N})\s*{_R}(?:\s+tro len)?"
    rf"|(?P<n2>{_N})\s*(?:\+|tro len|or more)\s*{_R}"
    rf"|(?P<n3>{_N})\s*{_R}\s*(?:tro len|or more)|>=?\s*(?P<n4>{_N})\s*{_R})(?!\w)"
)
_MORE_THAN = ("tren", "hon", "more", "over", ">")
_EXACTLY = re.compile(
    rf"(?<!\w)(?:(?:cho|deo|kep|carrying)\s+)?(?P<n>{_N})\s*{_R}(?!\w)|(?<!\w)(?:cho|deo|kep|carrying)\s+(?P<n2>{_N})(?!\w)"
)
_PEOPLE = ("nguoi", "people")
_QUOTED = re.compile(r"[\"“]([^\"“”\0]{1,100})[\"”]")
_BARE_IN = re.compile(r"(?<!\w)vao(?!\w)(?!\s+(?:luc|ngay|hom|thu|sang|trua|chieu|toi|dem|khoang|\d))")
_BARE_OUT = re.compile(r"(?<!\w)(?:ra|out)(?!\w)")


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What the commune has, by the names in which it may be asked for."""

    places: tuple[BoxPlace, ...] = ()
    directions: tuple[str, ...] = ()
    """Those of events that are there, beside in and out."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood, and what was not."""

    search: EventSearch
    unknown: tuple[str, ...] = ()
    """Words that nobody understood, as they were written."""
    notes: tuple[str, ...] = field(default=())
    """What is to be said about them, in words that can be translated."""
    time_is_said: bool = True


def understood(text: str, now: datetime, known: KnownNames | None = None) -> Understood:
    """What somebody looks for; `now` is in the local zone. What is not said counts as any."""
    left, names = SpokenText(text[:500]), known or KnownNames()
    words = tuple(left.as_said(each, 1) for each in left.take_all(_QUOTED))
    notes: list[str] = []
    search = EventSearch(now - USUAL, now, words=words)
    search = _with_places(search, left, names)
    search = _with_riders(search, left)
    search = _with_directions(search, left, names, notes)
    search = _with_words(search, left)
    said = taken_time(left, now, USUAL)
    search = replace(search, since=said.since, until=said.until)
    search = _with_labels(search, left)
    search = _with_colours(search, left)
    return Understood(search, tuple(left.rest(vocabulary.SILENT)), tuple(notes), said.is_said)


def _with_places(search: EventSearch, left: SpokenText, known: KnownNames) -> EventSearch:
    """Names of boxes, cameras, zones and rules, the longest first."""
    named: dict[str, list[tuple[str, str]]] = {}
    for box in known.places:
        _name(named, box.called or box.title, "boxes", box.device)
        _name(named, box.device, "boxes", box.device)
        for camera in box.cameras:
            _name(named, camera.title, "cameras", f"{box.device}/{camera.name}")
            _name(named, f"{box.device}/{camera.name}", "cameras", f"{box.device}/{camera.name}")
            for zone in camera.zones:
                _name(named, zone, "zones", zone)
            for rule in camera.rules:
                _name(named, rule.id, "rules", rule.id)
    found: dict[str, dict[str, None]] = {"boxes": {}, "cameras": {}, "zones": {}, "rules": {}}
    for name in sorted(named, key=len, reverse=True):
        if left.take(_phrase(name)) is not None:
            for what, value in named[name]:
                found[what][value] = None
    return replace(
        search,
        boxes=tuple(found["boxes"]),
        cameras=tuple(found["cameras"]),
        zones=tuple(found["zones"]),
        rules=tuple(found["rules"]),
    )


def _name(named: dict[str, list[tuple[str, str]]], name: str, what: str, value: str) -> None:
    low = re.sub(r"[\s_-]+", " ", bare(name)).strip()
    if len(low) > 2 and low not in vocabulary.SILENT and not low.isdigit():
        named.setdefault(low, []).append((what, value))


@functools.lru_cache(maxsize=8192)
def _phrase(name: str) -> re.Pattern[str]:
    return phrase(name)


def _with_riders(search: EventSearch, left: SpokenText) -> EventSearch:
    found = left.take(_AT_LEAST)
    if found is not None:
        number = number_of(found["n"] or found["n2"] or found["n3"] or found["n4"])
        number += found[0].startswith(_MORE_THAN) and not found[0].startswith(">=")
        return replace(search, riders=number, riders_at_least=True)
    found = left.take(_EXACTLY)
    return search if found is None else replace(search, riders=number_of(found["n"] or found["n2"]))


def _with_directions(search: EventSearch, left: SpokenText, known: KnownNames, notes: list[str]) -> EventSearch:
    found = [each for each, said in _vocabulary("directions").items() if left.take(said) is not None]
    for name in known.directions:
        if len(name) > 2 and left.take(_phrase(re.sub(r"[\s_-]+", " ", bare(name)))) is not None:
            found.append(name)
    for points, ways in vocabulary.COMPASS.items():
        if left.take(phrase(*ways)) is None:
            continue
        fitting = [name for name in known.directions if set(re.split(r"[\W_]+", bare(name))) & {*points, *ways}]
        found += fitting
        if not fitting:
            there = ", ".join(known.directions) or tr("in, out")
            notes.append(tr("directions are called as the rules call them: {names}", names=there))
    return replace(search, directions=tuple(dict.fromkeys(found)))


def _with_words(search: EventSearch, left: SpokenText) -> EventSearch:
    reviews = tuple(each for each, ways in vocabulary.REVIEWS.items() if left.take(phrase(*ways)) is not None)
    kinds = tuple(value for value, _ in _longest_first("kinds", left))
    severities = tuple(each for each, said in _vocabulary("severities").items() if left.take(said) is not None)
    is_late, is_oldest = left.take(vocabulary.LATE) is not None, left.take(vocabulary.OLDEST) is not None
    return replace(
        search,
        reviews=reviews,
        kinds=kinds,
        severities=severities,
        late_only=is_late,
        newest_first=not is_oldest,
    )


def _with_labels(search: EventSearch, left: SpokenText) -> EventSearch:
    """After the time, for a part of a day may be one of the words; what names two of them means the longer."""
    directions = list(search.directions)
    for value, pattern in (("in", _BARE_IN), ("out", _BARE_OUT)):
        if left.take(pattern) is not None and value not in directions:
            directions.append(value)
    # "2 people on a motorcycle" is about the vehicle: where there is one, people are its riders.
    found = [label for label, way in _longest_first("labels", left) if way not in _PEOPLE or not search.riders]
    vehicles = [label for label in found if label != "person"]
    return replace(search, labels=tuple(vehicles or found), directions=tuple(directions))


def _longest_first(name: str, left: SpokenText) -> list[tuple[str, str]]:
    """Values of a vocabulary that are said, with how: of ways that contain another the longer is meant."""
    ways = [(way, value) for value, said in _vocabulary(name).items() for way in _ways(said.pattern)]
    found: dict[str, str] = {}
    for way, value in sorted(ways, key=lambda it: (-len(it[0]), it)):
        if left.take(_phrase(way)) is not None:
            found.setdefault(value, way)
    return list(found.items())


def _ways(pattern: str) -> list[str]:
    inner = pattern.removeprefix(r"(?<!\w)(?:").removesuffix(r")(?!\w)")
    return [way.replace(r"[\s_-]+", " ") for way in inner.split("|")]


@functools.cache
def _vocabulary(name: str) -> Mapping[str, re.Pattern[str]]:
    found: Mapping[str, re.Pattern[str]] = getattr(vocabulary, name)()
    return found


def _with_colours(search: EventSearch, left: SpokenText) -> EventSearch:
    """What somebody wears is said as such; a colour alone is the vehicle's, or of who goes on foot."""
    is_unknown = left.take(vocabulary.NO_COLOUR) is not None
    clothes = [_first(each) for each in left.take_all(vocabulary.CLOTHES)]
    others = [_first(each) for each in left.take_all(vocabulary.COLOURS)]
    while (found := left.take_if(vocabulary.MAYBE_COLOURS, lambda it: _is_written(left, it))) is not None:
        others.append(found[0])
    if search.labels == ("person",):
        clothes, others = clothes + others, []
    worn, driven = (
        [word for said in each for word in vocabulary.colours_of(said)] for each in (clothes, others)
    )
    if is_unknown:
        (worn if search.labels == ("person",) else driven).append(UNKNOWN_COLOUR)
    return replace(
        search,
        vehicle_colours=tuple(dict.fromkeys(driven)),
        clothes_colours=tuple(dict.fromkeys(worn)),
    )


def _first(found: re.Match[str]) -> str:
    return next(each for each in found.groups() if each is not None)


def _is_written(left: SpokenText, found: re.Match[str]) -> bool:
    return left.as_said(found).lower() in vocabulary.WRITTEN_COLOURS
