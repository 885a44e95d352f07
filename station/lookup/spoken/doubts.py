"""What else somebody may have meant: said beside what was understood, with the look-up of each. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent.translatable import joined, tr
from station.lookup.places import BoxPlace
from station.lookup.spoken.names import SpokenNames, SpokenPlace, Spot, names_of, together
from station.lookup.wanted import EventSearch
from station.lookup.words import colour_word, spot_words

MOST_SHOWN: Final = 12
"""Of places that one part of a name may mean; the others are looked for, too."""


@dataclass(frozen=True, slots=True)
class OtherReading:
    """Something else that may be meant."""

    words: str
    """In words that can be translated."""
    search: EventSearch


@dataclass(frozen=True, slots=True)
class SpokenDoubt:
    """What may be meant in several ways, and how it was read."""

    words: str
    """In words that can be translated."""
    readings: tuple[OtherReading, ...]


@dataclass(frozen=True, slots=True)
class MaybeColour:
    """A word that is a colour only if it lacks its accents."""

    said: str
    colours: tuple[str, ...]


def crowded_notes(found: SpokenNames) -> list[str]:
    """Of names, and of parts of names, that say too little to narrow anything down."""
    return [
        tr(
            "“{said}” stands in the names of {number} places, and was left out: say more of the name.",
            said=words,
            number=number,
        )
        for words, number in found.crowded
    ]


def doubts_of(
    search: EventSearch,
    found: SpokenNames,
    colours: Iterable[MaybeColour],
    places: Sequence[BoxPlace],
    read_as_name: Callable[[str], EventSearch],
) -> tuple[SpokenDoubt, ...]:
    """Of all that was read, what may be something else; `read_as_name` reads it anew, a word as a name."""
    doubts = [*_of_places(search, found.places, {box.device: box for box in places})]
    doubts += _of_names(search, found.shadowed, places, read_as_name)
    doubts += [_of_colour(search, each) for each in colours]
    return tuple(doubts)


def with_spots(search: EventSearch, spots: Iterable[Spot]) -> EventSearch:
    """The same at these places."""
    every = tuple(spots)
    boxes = tuple(device for device, camera in every if not camera)
    return replace(
        search, boxes=boxes, cameras=tuple(f"{device}/{camera}" for device, camera in every if camera)
    )


def _of_places(
    search: EventSearch, places: Sequence[SpokenPlace], boxes: Mapping[str, BoxPlace]
) -> Iterator[SpokenDoubt]:
    every = together(places)
    for at, place in enumerate(places):
        spots = [spot for spot in place.spots if spot in every]
        if not place.is_part or len(spots) < 2:
            continue
        readings = []
        for spot in spots[:MOST_SHOWN]:
            alone = replace(place, spots=(spot,))
            narrowed = together([*places[:at], alone, *places[at + 1 :]])
            readings.append(OtherReading(_spot_words(spot, boxes), with_spots(search, narrowed)))
        said = tr(
            "“{said}” stands in the names of {number} places, and all of them are looked for. One alone:",
            said=place.said,
            number=len(spots),
        )
        yield SpokenDoubt(said, tuple(readings))


def _spot_words(spot: Spot, boxes: Mapping[str, BoxPlace]) -> str:
    device, camera = spot
    box = boxes[device]
    return spot_words(box, camera) if camera else box.title


def _of_names(
    search: EventSearch,
    names: Mapping[str, str],
    places: Sequence[BoxPlace],
    read_as_name: Callable[[str], EventSearch],
) -> Iterator[SpokenDoubt]:
    for name, written in names.items():
        other = read_as_name(name)
        if other == search:
            continue
        words = joined(", ", [_named_words(what, value) for what, value in names_of(name, places)])
        said = tr("“{said}” was read as a word, and something is called so, too:", said=written)
        yield SpokenDoubt(said, (OtherReading(words, other),))


def _named_words(what: str, value: str) -> str:
    if what == "zone":
        return tr("zone: {zone}", zone=value)
    return tr("rule: {rule}", rule=value) if what == "rule" else tr("the place {name}", name=value)


def _of_colour(search: EventSearch, maybe: MaybeColour) -> SpokenDoubt:
    kept = tuple(each for each in search.vehicle_colours if each not in maybe.colours)
    colour = joined(", ", [colour_word(each) for each in maybe.colours])
    said = tr("“{said}” was read as a colour: {colour}. If it is another word:", said=maybe.said, colour=colour)
    return SpokenDoubt(said, (OtherReading(tr("without this colour"), replace(search, vehicle_colours=kept)),))
