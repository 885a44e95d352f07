"""What of a look-up is asked for, each as a chip that can be taken away; and what can be chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Final

from agent.translatable import tr
from agent.wire.payloads import UNKNOWN_COLOUR
from agent.wire.words import COLOURS, LABELS
from station.lookup.places import BOX_ITSELF, BoxPlace
from station.lookup.spoken.understood import Understood
from station.lookup.wanted import EventSearch
from station.lookup.words import (
    act_words,
    colour_word,
    direction_word,
    label_word,
    severity_word,
    spot_words,
)
from station.review.states import STATE_WORDS
from station.web.search.address import AskedSearch

KINDS: Final = (
    "wrong_way", "line_crossed", "zone_entered", "stopped_vehicle", "loitering", "crowd", "object_left",
    "object", "motion", "camera_lost", "camera_blind",
)  # fmt: skip
"""Those that an officer looks for, the most pressing first; of the box itself the rest is found by words."""
RIDERS: Final = (("1", tr("1 person")), ("2", tr("2 people")), ("3+", tr("3 people or more")))

_COLOURS: Final = (*COLOURS, UNKNOWN_COLOUR)
LISTED_CAMERAS: Final = 64
"""Of one box: as many as a configuration may have."""
LISTED_PLACES: Final = 128
"""Zones of one box, and rules: so that none takes the room of the others."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One value that is asked for."""

    words: str
    address: str
    """Of the look-up without it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that may be asked for."""

    value: str
    words: str
    on: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A look-up that is near at hand: of a time that is often asked for, or of another reading."""

    words: str
    address: str


def chips_of(asked: AskedSearch, places: Mapping[int, BoxPlace]) -> list[Chip]:
    """Every value but the time, in the order of the form."""
    search, found = asked.search, list[Chip]()
    by_device = {place.device: place for place in places.values()}
    zone, rule = _called(_zone_titles(places.values())), _called(_rule_titles(places.values()))
    said: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("boxes", lambda value: _box_words(value, by_device)),
        ("cameras", lambda value: _camera_words(value, by_device)),
        ("kinds", act_words),
        ("labels", label_word),
        ("vehicle_colours", _vehicle_words),
        ("clothes_colours", _clothes_words),
        ("directions", lambda value: tr("direction: {direction}", direction=direction_word(value))),
        ("zones", lambda value: tr("zone: {zone}", zone=zone(value))),
        ("rules", lambda value: tr("rule: {rule}", rule=rule(value))),
        ("severities", severity_word),
        ("reviews", lambda value: STATE_WORDS.get(value, value)),
        ("words", lambda value: f"“{value}”"),
    )
    for name, say in said:
        found += [Chip(say(value), asked.without(name, value)) for value in getattr(search, name)]
    if search.riders is not None:
        words = tr("{number} people", number=search.riders)
        if search.riders_at_least:
            words = tr("{number} people or more", number=search.riders)
        found.append(Chip(words, asked.address(riders=None, riders_at_least=False)))
    if search.late_only:
        found.append(Chip(tr("came late"), asked.address(late_only=False)))
    return found


def _vehicle_words(colour: str) -> str:
    if colour == UNKNOWN_COLOUR:
        return tr("vehicle of no known colour")
    return tr("vehicle: {colour}", colour=colour_word(colour))


def _clothes_words(colour: str) -> str:
    if colour == UNKNOWN_COLOUR:
        return tr("clothes of no known colour")
    return tr("clothes: {colour}", colour=colour_word(colour))


def _box_words(device: str, by_device: Mapping[str, BoxPlace]) -> str:
    return by_device[device].title if device in by_device else device


def _camera_words(camera: str, by_device: Mapping[str, BoxPlace]) -> str:
    device, _, name = camera.rpartition("/")
    place = by_device.get(device)
    return spot_words(place, name) if place else camera


@dataclass(frozen=True, slots=True)
class Doubted:
    """What may be meant in several ways."""

    words: str
    readings: Sequence[Span]
    """What else it may be."""


def doubts_of(asked: AskedSearch, spoken: Understood | None) -> list[Doubted]:
    """Of the words of which the look-up was made, those that may mean something else, each with its look-up."""
    found = []
    for doubt in spoken.doubts if spoken else ():
        readings = [
            Span(each.words, replace(asked, search=_at_its_time(asked, spoken, each.search)).address(said=""))
            for each in doubt.readings
        ]
        found.append(Doubted(doubt.words, readings))
    return found


def _at_its_time(asked: AskedSearch, spoken: Understood | None, reading: EventSearch) -> EventSearch:
    """Of the time that is shown, unless the other reading says another one."""
    read = spoken.search if spoken else reading
    if (reading.since, reading.until) != (read.since, read.until):
        return reading
    return replace(reading, since=asked.search.since, until=asked.search.until)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers; what is asked for and is not known is offered, too."""

    kinds: Sequence[Choice]
    labels: Sequence[Choice]
    riders: Sequence[Choice]
    vehicle_colours: Sequence[Choice]
    clothes_colours: Sequence[Choice]
    directions: Sequence[Choice]
    severities: Sequence[Choice]
    reviews: Sequence[Choice]
    zones: Sequence[Choice]
    rules: Sequence[Choice]
    places: Sequence[tuple[Choice, Sequence[Choice], int]]
    """Each box with its cameras, and how many are left out."""
    more: int
    """So many zones and rules are left out."""


def choices_of(asked: AskedSearch, places: Mapping[int, BoxPlace], directions: Iterable[str]) -> Choices:
    """By what the boxes told last."""
    search = asked.search
    by_box = [_zones_and_rules(place) for place in places.values()]
    zones, rules = (sorted({name for each in by_box for name in each[at][:LISTED_PLACES]}) for at in (0, 1))
    said = "" if search.riders is None else f"{search.riders}{'+' if search.riders_at_least else ''}"
    riders = [Choice(value, words, value == said) for value, words in RIDERS]
    if said and not any(each.on for each in riders):
        riders.append(Choice(said, said, on=True))
    return Choices(
        kinds=_listed(KINDS, search.kinds, act_words),
        labels=_listed(LABELS, search.labels, label_word),
        riders=riders,
        vehicle_colours=_listed(_COLOURS, search.vehicle_colours, colour_word),
        clothes_colours=_listed(_COLOURS, search.clothes_colours, colour_word),
        directions=_listed(dict.fromkeys(("in", "out", *directions)), search.directions, direction_word),
        severities=_listed(("alert", "info"), search.severities, severity_word),
        reviews=_listed(STATE_WORDS, search.reviews, lambda value: STATE_WORDS.get(value, value)),
        zones=_listed(zones, search.zones, _called(_zone_titles(places.values()))),
        rules=_listed(rules, search.rules, _called(_rule_titles(places.values()))),
        places=[_place(place, asked) for place in places.values()],
        more=sum(max(0, len(names) - LISTED_PLACES) for each in by_box for names in each),
    )


def _zones_and_rules(place: BoxPlace) -> tuple[list[str], list[str]]:
    zones = sorted({zone for camera in place.cameras for zone in camera.zones})
    return zones, sorted({rule.id for camera in place.cameras for rule in camera.rules})


def _zone_titles(places: Iterable[BoxPlace]) -> Iterator[tuple[str, str]]:
    for camera in (camera for place in places for camera in place.cameras):
        yield from zip_longest(camera.zones, camera.zone_titles, fillvalue="")


def _rule_titles(places: Iterable[BoxPlace]) -> Iterator[tuple[str, str]]:
    return ((rule.id, rule.title) for place in places for camera in place.cameras for rule in camera.rules)


def _called(titles: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """What is asked for by id, in words: what all call it who have it, else its id."""
    by_id: dict[str, set[str]] = {}
    for name, title in titles:
        by_id.setdefault(name, set()).add(title or name)
    return lambda name: next(iter(by_id[name])) if len(by_id.get(name, ())) == 1 else name


def _listed(known: Iterable[str], asked: Sequence[str], words: Callable[[str], str]) -> list[Choice]:
    every = dict.fromkeys([*map(str, known), *asked])
    return [Choice(value, words(value), value in asked) for value in every]


def _place(place: BoxPlace, asked: AskedSearch) -> tuple[Choice, list[Choice], int]:
    box = Choice(place.device, place.title, place.device in asked.search.boxes)
    every = [
        Choice(f"{place.device}/{each.name}", each.title, f"{place.device}/{each.name}" in asked.search.cameras)
        for each in place.cameras
        if each.name != BOX_ITSELF
    ]
    shown = [*every[:LISTED_CAMERAS], *(each for each in every[LISTED_CAMERAS:] if each.on)]
    return box, shown, len(every) - len(shown)


def spans_of(asked: AskedSearch, now: datetime) -> list[Span]:
    """Times that are often asked for."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    soon = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    spans = (
        (tr("last hour"), soon - timedelta(hours=1), soon),
        (tr("today"), today, today + timedelta(days=1)),
        (tr("yesterday"), today - timedelta(days=1), today),
        (tr("7 days"), today - timedelta(days=6), today + timedelta(days=1)),
        (tr("30 days"), today - timedelta(days=29), today + timedelta(days=1)),
    )
    return [Span(words, asked.address(since=since, until=until)) for words, since, until in spans]
