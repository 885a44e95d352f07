"""Places, zones and rules by the names that people gave them, whole or in part. Pure.

Invariants
1. What is a word of the vocabulary as a whole is that word, whatever somebody has called a zone; the name is
   offered beside it.
2. Of a part of a name at least one word is no ordinary one, and what was written with accents has those.
3. Where a part of a name fits several places all of them are looked for, and it is said.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from station.lookup.places import BoxPlace
from station.lookup.spoken.ordinary import is_ordinary
from station.lookup.spoken.text import SpokenText, SpokenWord, bare, phrase, same_word
from station.lookup.spoken.vocabulary import SILENT
from station.lookup.wanted import MOST_VALUES

Spot = tuple[str, str]
"""A box's device and one of its cameras, or "" for the whole box."""
MOST_SPOTS: Final = 24
"""Of more than these a part of a name says too little."""
MOST_WORDS: Final = 40
"""In so many words parts of names are looked for,"""
MOST_PARTS: Final = 8
"""and so many are taken: nobody asks for more at once, and a province has thousands of names."""
_CACHED: Final = 65_536
"""Names of a province."""
_WORD: Final = re.compile(r"[^\W_]+")
_JUNCTIONS: Final = {"3": "ba", "4": "tu", "5": "nam", "6": "sau", "7": "bay"}
"""Ngã 4 is ngã tư."""
_GENERIC: Final = frozenset(
    ("nga", "duong", "pho", "khu", "xa", "phuong", "thon", "ap", "huyen", "tinh", "camera", "cam")
)
"""Alone they say no place."""


@dataclass(frozen=True, slots=True)
class SpokenPlace:
    """What was said of places, and which it may be; more than one: all of them."""

    said: str
    spots: tuple[Spot, ...]
    is_part: bool = False
    """Of their names."""


@dataclass(slots=True)
class SpokenNames:
    """What was found in a text, while it is read."""

    places: list[SpokenPlace] = field(default_factory=list)
    zones: dict[str, None] = field(default_factory=dict)
    rules: dict[str, None] = field(default_factory=dict)
    crowded: list[tuple[str, int]] = field(default_factory=list)
    """Names or parts of names of too many places, and how many these are."""
    shadowed: dict[str, str] = field(default_factory=dict)
    """Names that are words of the vocabulary, without accents, and how they were written."""
    starts: set[int] = field(default_factory=set)
    """Where in the text a place begins."""


@dataclass(frozen=True, slots=True)
class _Named:
    what: str
    value: str
    spot: Spot = ("", "")


@dataclass(frozen=True, slots=True)
class _Title:
    words: tuple[str, ...]
    """In small letters, with accents."""
    bare: tuple[str, ...]
    """The same without."""
    spot: Spot


def take_whole(
    text: SpokenText, places: Iterable[BoxPlace], is_word: Callable[[str], bool], as_names: frozenset[str]
) -> SpokenNames:
    """Takes names out of the text, the longest first; not those that are words, but for `as_names`."""
    found = SpokenNames()
    named = _named(places, {bare(each.said) for each in text.words()})
    for name in sorted(named, key=len, reverse=True):
        taken = text.find(_phrase(name))
        if taken is None:
            continue
        if name not in as_names and is_word(name):
            found.shadowed[name] = text.as_said(taken)
            continue
        text.cover(*taken.span())
        found.starts.add(taken.start())
        spots = dict.fromkeys(each.spot for each in named[name] if each.spot[0])
        if spots:
            found.places.append(SpokenPlace(text.as_said(taken), tuple(spots)))
        for what, taken_ids in (("zone", found.zones), ("rule", found.rules)):
            ids = dict.fromkeys(each.value for each in named[name] if each.what == what)
            if len(taken_ids | ids) <= MOST_VALUES:
                taken_ids.update(ids)
            else:
                found.crowded.append((text.as_said(taken), len(ids)))
    return found


def _named(places: Iterable[BoxPlace], among: AbstractSet[str]) -> dict[str, list[_Named]]:
    """Those all of whose words are among these, by their names without accents."""
    named: dict[str, list[_Named]] = {}

    def add(name: str, what: str, value: str = "", spot: Spot = ("", "")) -> None:
        low, words = _low(name)
        if words <= among and low:
            named.setdefault(low, []).append(_Named(what, value, spot))

    for box in places:
        add(box.called or box.title, "box", spot=(box.device, ""))
        add(box.device, "box", spot=(box.device, ""))
        for camera in box.cameras:
            for name in (camera.title, f"{box.device}/{camera.name}"):
                add(name, "camera", spot=(box.device, camera.name))
            for zone, title in zip_longest(camera.zones, camera.zone_titles, fillvalue=""):
                add(zone, "zone", zone)
                add(title, "zone", zone)
            for rule in camera.rules:
                add(rule.id, "rule", rule.id)
                add(rule.title, "rule", rule.id)
    return named


@functools.lru_cache(maxsize=_CACHED)
def _low(name: str) -> tuple[str, frozenset[str]]:
    """A name without accents, and its words; empty: it says nothing."""
    low = re.sub(r"[\s_-]+", " ", bare(name)).strip()
    if len(low) < 2 or low in SILENT or low.isdigit():
        return "", frozenset()
    return low, frozenset(_WORD.findall(low))


@functools.lru_cache(maxsize=_CACHED)
def _phrase(name: str) -> re.Pattern[str]:
    return phrase(name)


def names_of(low: str, places: Iterable[BoxPlace]) -> list[tuple[str, str]]:
    """What has this name, without accents: (zone or rule, its id); of boxes and cameras ("place", its name)."""
    found = _named(places, _low(low)[1]).get(low, [])
    return list(dict.fromkeys((each.what, each.value) if each.value else ("place", low) for each in found))


def take_parts(
    text: SpokenText, places: Sequence[BoxPlace], is_word: Callable[[str], bool], found: SpokenNames, least: int
) -> None:
    """Takes parts of the names of places out of the text, the longest first, of `least` words or more."""
    low = set(_as_spoken(bare(each.said) for each in text.words()[:MOST_WORDS]))
    titles = [title for title in _titles(places) if not low.isdisjoint(title.bare)]
    passed = set[tuple[int, int]]()
    for _ in range(MOST_PARTS):
        run = _longest(text.words()[:MOST_WORDS], titles, least, is_word, passed)
        if run is None:
            return
        words, spots = run
        text.cover(words[0].start, words[-1].end)
        said = text.between(words[0].start, words[-1].end)
        if len(spots) > MOST_SPOTS:
            found.crowded.append((said, len(spots)))
            continue
        found.starts.add(words[0].start)
        found.places.append(SpokenPlace(said, spots, is_part=True))


def _titles(places: Iterable[BoxPlace]) -> Iterable[_Title]:
    for box in places:
        yield _Title(*_title(box.called or box.title), (box.device, ""))
        yield from (_Title(*_title(each.title), (box.device, each.name)) for each in box.cameras)


@functools.lru_cache(maxsize=_CACHED)
def _title(title: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    words = tuple(_as_spoken(_WORD.findall(title.lower())))
    return words, tuple(map(bare, words))


def _as_spoken(words: Iterable[str]) -> list[str]:
    """With the number of a junction's roads as a word."""
    found: list[str] = []
    for word in words:
        is_junction = bool(found) and bare(found[-1]) == "nga"
        found.append(_JUNCTIONS.get(word, word) if is_junction else word)
    return found


def _longest(
    words: Sequence[SpokenWord],
    titles: Iterable[_Title],
    least: int,
    is_word: Callable[[str], bool],
    passed: set[tuple[int, int]],
) -> tuple[Sequence[SpokenWord], tuple[Spot, ...]] | None:
    """The longest run of words that stands in titles, and whose these are; `passed` are those that say none."""
    runs: dict[tuple[int, int], list[_Title]] = {}
    said = _as_spoken(each.said.lower() for each in words)
    where: dict[str, list[int]] = {}
    for at, word in enumerate(said):
        where.setdefault(bare(word), []).append(at)
    for title in titles:
        for begun, low in enumerate(title.bare):
            for at in where.get(low, ()):
                length = _shared(words, said, at, title.words, begun)
                begins = at == 0 or begun == 0 or not _goes_on(words, said, at, title.words, begun)
                if length >= least and begins:
                    runs.setdefault((at, at + length), []).append(title)
    for at, end in sorted(runs, key=lambda it: (it[0] - it[1], it)):
        run, of = words[at:end], runs[at, end]
        whole = [title for title in of if len(title.words) == end - at]
        if not whole:
            run = _trimmed(run, least, is_word)
        if (run[0].start, run[-1].end) in passed or not _says_a_place(run, is_word):
            passed.add((run[0].start, run[-1].end))
            continue
        return run, _spots(whole or of)
    return None


def _shared(words: Sequence[SpokenWord], said: Sequence[str], at: int, title: Sequence[str], begun: int) -> int:
    """How many words are the same from there on."""
    length = 0
    while at + length < len(words) and begun + length < len(title):
        if (length and not words[at + length].follows) or not same_word(
            said[at + length], title[begun + length]
        ):
            break
        length += 1
    return length


def _goes_on(
    words: Sequence[SpokenWord], said: Sequence[str], at: int, title: Sequence[str], begun: int
) -> bool:
    """Whether the word before is shared, too: then this is the end of a longer run."""
    return words[at].follows and same_word(said[at - 1], title[begun - 1])


def _trimmed(run: Sequence[SpokenWord], least: int, is_word: Callable[[str], bool]) -> Sequence[SpokenWord]:
    """Without words of the vocabulary at its ends: of "bus Hải Ninh" the bus is a bus."""
    least = max(2, least)
    while len(run) > least and is_word(bare(run[0].said)):
        run = run[1:]
    while len(run) > least and is_word(bare(run[-1].said)):
        run = run[:-1]
    return run


def _says_a_place(run: Sequence[SpokenWord], is_word: Callable[[str], bool]) -> bool:
    if all(is_ordinary(each.said) for each in run):
        return False
    if len(run) == 1 and (bare(run[0].said) in _GENERIC or len(run[0].said) < 2):
        return False
    return not is_word(" ".join(bare(each.said) for each in run))


def _spots(titles: Iterable[_Title]) -> tuple[Spot, ...]:
    """Without the cameras of boxes that are among them."""
    every = dict.fromkeys(title.spot for title in titles)
    return tuple(spot for spot in every if not spot[1] or (spot[0], "") not in every)


def together(places: Iterable[SpokenPlace]) -> tuple[Spot, ...]:
    """Those that all of them speak of: a box and a direction name a camera; what shares none is added."""
    found: dict[Spot, None] = {}
    for place in places:
        spots = dict.fromkeys(place.spots)
        found = (_within(found, spots) | _within(spots, found)) or (found | spots)
    return tuple(found)


def spots_of(found: SpokenNames) -> tuple[Spot, ...]:
    """Those that all of them speak of; where that is more than a look-up holds, none, and it is said."""
    spots = together(found.places)
    if len(spots) <= MOST_VALUES:
        return spots
    found.crowded += [(each.said, len(each.spots)) for each in found.places]
    found.places.clear()
    return ()


def _within(some: Iterable[Spot], others: dict[Spot, None]) -> dict[Spot, None]:
    return dict.fromkeys(spot for spot in some if spot in others or (spot[0], "") in others)
