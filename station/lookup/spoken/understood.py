"""From the words of an officer to a look-up, with what was not understood. Pure: names are given."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from agent.translatable import tr
from agent.wire.payloads import UNKNOWN_COLOUR
from station.lookup.places import BoxPlace
from station.lookup.spoken import vocabulary
from station.lookup.spoken.doubts import MaybeColour, SpokenDoubt, crowded_notes, doubts_of, with_spots
from station.lookup.spoken.moments import NUMBERS, number_of, taken_time
from station.lookup.spoken.names import SpokenNames, spots_of, take_parts, take_whole
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
_CARRIES = "cho|deo|kep|carrying"
_MORE_THAN = ("tren", "hon", "more", "over", ">")
_EXACTLY = re.compile(
    rf"(?<!\w)(?:(?P<c>{_CARRIES})\s+)?(?P<n>{_N})\s*(?:{vocabulary.RIDERS})(?!\w)"
    rf"|(?<!\w)(?P<c2>{_CARRIES})\s+(?P<n2>{_N})(?!\w|[/:.-]\d|\s*(?:gio|h|g|phut|p|thang)(?!\w))"
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
    doubts: tuple[SpokenDoubt, ...] = ()
    """What else may be meant."""


def understood(
    text: str, now: datetime, known: KnownNames | None = None, as_names: frozenset[str] = frozenset()
) -> Understood:
    """What somebody looks for; `now` is in the local zone. What is not said counts as any.

    `as_names` are words, without accents, that are names here, although the vocabulary has them.
    """
    names = known or KnownNames()
    search, left, found, read = _read(text, now, names, as_names)

    def as_name(low: str) -> EventSearch:
        return _read(text, now, names, as_names | {low})[0]

    doubts = doubts_of(search, found, read.colours, names.places, as_name)
    notes = (*read.notes, *crowded_notes(found))
    return Understood(search, tuple(left.rest(vocabulary.SILENT)), notes, read.time_is_said, doubts)


def _read(
    text: str, now: datetime, names: KnownNames, as_names: frozenset[str]
) -> tuple[EventSearch, SpokenText, SpokenNames, _ReadWords]:
    left = SpokenText(text[:500])
    is_word = functools.cache(lambda low: _is_word(low, now, names))
    words = tuple(left.as_said(each, 1) for each in left.take_all(_QUOTED))
    found = take_whole(left, names.places, is_word, as_names)
    take_parts(left, names.places, is_word, found, 2)
    read = _with_vocabulary(EventSearch(now - USUAL, now, words=words), left, now, names, found.starts)
    take_parts(left, names.places, is_word, found, 1)
    search = replace(read.search, zones=tuple(found.zones), rules=tuple(found.rules))
    return with_spots(search, spots_of(found)), left, found, read


@dataclass(slots=True)
class _ReadWords:
    """What the vocabulary makes of a text."""

    search: EventSearch
    time_is_said: bool = False
    notes: list[str] = field(default_factory=list)
    colours: list[MaybeColour] = field(default_factory=list)


def _with_vocabulary(
    search: EventSearch, left: SpokenText, now: datetime, known: KnownNames, places: AbstractSet[int]
) -> _ReadWords:
    """`places` are where in the text names of places begin."""
    read = _ReadWords(search)
    read.search = _with_riders(read.search, left)
    read.search = _with_directions(read.search, left, known, read.notes)
    read.search = _with_words(read.search, left)
    said = taken_time(left, now, USUAL)
    read.search, read.time_is_said = replace(read.search, since=said.since, until=said.until), said.is_said
    read.search = _with_labels(read.search, left)
    read.search = _with_colours(read.search, left, places, read.colours)
    return read


def _is_word(low: str, now: datetime, known: KnownNames) -> bool:
    """Whether the vocabulary understands all of it, and it says something."""
    left, nothing = SpokenText(low), EventSearch(now, now)
    read = _with_vocabulary(nothing, left, now, known, frozenset())
    is_said = read.time_is_said or replace(read.search, since=now, until=now) != nothing
    return is_said and not left.rest(frozenset())


@functools.lru_cache(maxsize=8192)
def _phrase(name: str) -> re.Pattern[str]:
    return phrase(name)


def _with_riders(search: EventSearch, left: SpokenText) -> EventSearch:
    found = left.take(_AT_LEAST)
    if found is not None:
        number = number_of(found["n"] or found["n2"] or found["n3"] or found["n4"])
        number += found[0].startswith(_MORE_THAN) and not found[0].startswith(">=")
        return replace(search, riders=number, riders_at_least=True)
    found = left.find(_EXACTLY, lambda it: not (it["c2"] and left.as_said(it, "c2").lower() == "chợ"))
    if found is None:
        return search
    is_market = bool(found["c"]) and left.as_said(found, "c").lower() == "chợ"
    left.cover(found.start("n") if is_market else found.start(), found.end())
    return replace(search, riders=number_of(found["n"] or found["n2"]))


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


def _with_colours(
    search: EventSearch, left: SpokenText, places: AbstractSet[int], maybe: list[MaybeColour]
) -> EventSearch:
    """What somebody wears is said as such; a colour alone is the vehicle's, or of who goes on foot."""
    is_unknown = left.take(vocabulary.NO_COLOUR) is not None
    clothes = [_first(each) for each in left.take_all(vocabulary.CLOTHES)]
    others = [_first(each) for each in left.take_all(vocabulary.COLOURS)]

    def counts(it: re.Match[str]) -> bool:
        return _is_written(left, it) or _is_behind_vehicle(left, it, places)

    while (found := left.take_if(vocabulary.MAYBE_COLOURS, counts)) is not None:
        others.append(found[0])
        if not _is_written(left, found):
            maybe.append(MaybeColour(left.as_said(found), vocabulary.colours_of(found[0])))
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


def _is_behind_vehicle(left: SpokenText, found: re.Match[str], places: AbstractSet[int]) -> bool:
    """Without accents "xe may den" is black, and before a place it is on its way there."""
    said = left.as_said(found).lower()
    goes_to = any(found.end() < at <= found.end() + 2 for at in places)
    return said == bare(said) and not goes_to and _vehicles().search(left.before(found)) is not None


@functools.cache
def _vehicles() -> re.Pattern[str]:
    ways = [
        way for label, said in _vocabulary("labels").items() if label != "person" for way in _ways(said.pattern)
    ]
    return re.compile(rf"(?<!\w)(?:{'|'.join(ways)}|xe)\s+$")
