"""Static false positives: places where something looks like a road user and is none, such as a signpost.

Who takes part in traffic comes: his track moves, or something of his size has just moved where he is first
seen. What was there all along is a thing of the place, whatever the detector calls it. It may be told once, for
nobody can know better at first; its place is then remembered, and what is born there again without coming is
marked as a *static false positive*, which starts no event. The track lives on like any other: attention looks
at it, the overlay shows it, and as soon as it moves it is a road user who is told with all that he did.

A place is learned from a confirmed track that was born where nothing moved and never moved itself:

- when it has stood for `learn_s`, or
- when it ends where it was born, and nothing of its size moves there, which is how a flicker ends. What was
  born while motion was learning the scene proves less, and must stand.

It is forgotten when what stood there walks away after all, when nothing was seen there for `forget_s`, or when
more than `max_places` are known. The label does not matter: what flickers changes its label as well.

Rain, headlights and passers-by do not wake a false positive: only a moving region of about its own size does,
and only what is born within seconds of it. Who came and is lost where he stands may be found there again: for
a minute, what is born where a road user was lost came with him.

Source: none that we know of. Frigate leaves the trouble to masks drawn by hand around each such thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from pydantic import Field

from agent.core import debounce
from agent.core.debounce import NEVER, Debounce
from agent.core.geometry import Floats, as_array, containment, iou
from agent.core.types import Box, Instant, Motion, Track
from agent.settings.base import Settings

SAME_PLACE = 0.5
"""Overlap (IoU) from which two boxes are one place."""
GONE = 0.4
"""A track whose box overlaps its first one less has moved."""
GONE_S = 0.5
"""For so long: a single box that is too large or too small is the detector's mistake."""
FITS = 0.3
"""A region that overlaps a box so much (IoU) may be what is in the box, and not what passes it."""
STIRRED = 0.2
"""A place where this share moves is not a quiet one."""
FIRST_S = 1.0
"""What moves in the first second of a track belongs to its birth: motion may be seen later than the object."""
RETURN_S = 60.0
"""What is born so soon where a road user was lost is that road user."""
MOST_LOST = 32
MOST_TRACKS = 8
REFRESH_S = 10.0
"""A place that is seen all the time is noted so often."""


class StaticFalsePositiveSettings(Settings):
    """How things that only look like road users are remembered."""

    learn_s: float = Field(
        60.0,
        ge=5,
        le=86_400,
        description="What stands so long and never came is a thing of the place, in seconds.",
    )
    arrival_s: float = Field(
        5.0,
        ge=0,
        le=600,
        description="Who is first seen so soon after motion of his size has come, in seconds.",
    )
    forget_s: float = Field(
        259_200.0,
        ge=60,
        description="A place is forgotten when nothing was seen there for so long, in seconds.",
    )
    max_places: int = Field(64, ge=0, le=1024, description="Most places of one camera; 0: none are remembered.")


@dataclass(frozen=True, slots=True)
class SuspectPlace:
    """Where something stands that is no road user."""

    box: Box
    tracks: int
    """How many tracks spoke for it, less those that walked away."""
    seen: Instant
    stirred: Instant | None = None
    """When something of its size last moved there."""


@dataclass(frozen=True, slots=True)
class Birth:
    """How a living track began."""

    box: Box
    at: Instant
    quiet: bool
    """Nothing is known to have moved where it was born."""
    settling: bool
    """The scene was being learned, so that anything may have moved."""
    came: bool
    """Something of its size moved there just before, or in its first second."""
    known: bool
    """It was born in a remembered place, or its own was learned since."""
    stirred: Instant | None = None
    """When something of its size last moved where it was born."""
    away: Debounce = NEVER
    """Out of its place."""
    last: Box | None = None
    """Where it was last seen, once it has moved."""
    noted: Instant | None = None
    """When its place was last noted as seen."""

    @property
    def moved(self) -> bool:
        """It is a road user, whatever its place is."""
        return self.away.on


Sign = tuple[bool, bool]
"""Is a track's box off its first one; does something of its size move there?"""
NO_SIGN: Sign = (False, False)


@dataclass(frozen=True, slots=True)
class Lost:
    """Where a road user that had come was seen last."""

    box: Box
    at: Instant


@dataclass(frozen=True, slots=True)
class StaticFalsePositiveState:
    """What the stage remembers. Never changed, only replaced."""

    births: Mapping[str, Birth] = field(default_factory=dict)
    """By id of a living track."""
    places: tuple[SuspectPlace, ...] = ()
    lost: tuple[Lost, ...] = ()


def update(
    state: StaticFalsePositiveState | None,
    tracks: Sequence[Track],
    motion: Motion,
    at: Instant,
    settings: StaticFalsePositiveSettings,
) -> tuple[StaticFalsePositiveState, tuple[Track, ...]]:
    """Fold in one frame; returns the same tracks, those that are nobody with `static_false_positive` set."""
    state = state or StaticFalsePositiveState()
    if settings.max_places == 0 or not (tracks or state.births or state.places):
        return state, tuple(tracks)
    regions = as_array(motion.everywhere)
    places = _stirred(state.places, regions, at)
    lost = [each for each in state.lost if at.since(each.at) <= RETURN_S]
    births: dict[str, Birth] = {}
    marked: list[Track] = []
    signs = _signs(state.births, tracks, regions)
    for track in tracks:
        birth = state.births.get(track.id)
        if birth is None:
            returns = bool(lost) and _place(lost, track.box) is not None
            birth = _born(track, places, motion, returns, at, settings)
        else:
            birth = _goes_on(birth, track, signs.get(track.id, NO_SIGN), at)
        birth, places = _learned(birth, track, places, at, settings)
        if not track.ended:
            births[track.id] = birth
        elif birth.last is not None:
            lost.append(Lost(birth.last, at))
        nobody = birth.known and not (birth.moved or birth.came)
        marked.append(replace(track, static_false_positive=True) if nobody else track)
    places = tuple(each for each in places if each.tracks > 0 and at.since(each.seen) < settings.forget_s)
    if len(places) > settings.max_places:
        places = tuple(sorted(places, key=lambda each: each.seen)[-settings.max_places :])
    return StaticFalsePositiveState(births, places, tuple(lost[-MOST_LOST:])), tuple(marked)


def _stirred(places: tuple[SuspectPlace, ...], regions: Floats, at: Instant) -> tuple[SuspectPlace, ...]:
    if not places or not len(regions):
        return places
    closest: Floats = iou(as_array([each.box for each in places]), regions).max(axis=1)
    return tuple(replace(each, stirred=at) if closest[n] >= FITS else each for n, each in enumerate(places))


def _born(
    track: Track,
    places: tuple[SuspectPlace, ...],
    motion: Motion,
    returns: bool,
    at: Instant,
    settings: StaticFalsePositiveSettings,
) -> Birth:
    regions = as_array(motion.everywhere)
    quiet = not (containment(as_array([track.box]), regions) >= STIRRED).any()
    place = _place(places, track.box)
    fits = _fits(track.box, regions)
    stirred = places[place].stirred if place is not None else None
    came = fits or returns or (stirred is not None and at.since(stirred) <= settings.arrival_s)
    return Birth(
        box=track.box,
        at=at,
        quiet=quiet,
        settling=motion.settling,
        came=came,
        known=place is not None,
        stirred=at if fits else None,
    )


def _signs(births: Mapping[str, Birth], tracks: Sequence[Track], regions: Floats) -> dict[str, Sign]:
    """What this frame says about each track that has not moved; all at once, for most frames hold many."""
    still = [track for track in tracks if (birth := births.get(track.id)) is not None and not birth.moved]
    if not still:
        return {}
    first = as_array([births[track.id].box for track in still])
    gone = np.diagonal(iou(first, as_array([track.box for track in still]))) < GONE
    stirs = iou(first, regions).max(axis=1, initial=0.0) >= FITS
    return {track.id: (bool(gone[n]), bool(stirs[n])) for n, track in enumerate(still)}


def _goes_on(birth: Birth, track: Track, sign: Sign, at: Instant) -> Birth:
    if birth.moved:
        return replace(birth, last=track.box) if track.seen else birth
    gone, stirs = sign
    if stirs:
        birth = replace(birth, stirred=at, came=birth.came or at.since(birth.at) <= FIRST_S)
    if not track.seen or (not gone and birth.away is NEVER):  # a box that is only predicted proves nothing
        return birth
    return replace(birth, away=debounce.update(birth.away, at, gone, rise_s=GONE_S, fall_s=0.0))


def _learned(
    birth: Birth,
    track: Track,
    places: tuple[SuspectPlace, ...],
    at: Instant,
    settings: StaticFalsePositiveSettings,
) -> tuple[Birth, tuple[SuspectPlace, ...]]:
    """What this track teaches about the place where it was born."""
    if birth.moved:
        return (replace(birth, known=False), _spoken(places, birth, -1, at)) if birth.known else (birth, places)
    if not track.confirmed or not birth.quiet or birth.came:
        return birth, places
    if birth.known:
        return _noted(birth, track, places, at)
    left = birth.stirred is not None and at.since(birth.stirred) <= settings.arrival_s
    flicker = track.ended and not left and not birth.settling
    if not flicker and at.since(birth.at) < settings.learn_s:
        return birth, places
    return replace(birth, known=True), _spoken(places, birth, 1, at)


def _noted(
    birth: Birth, track: Track, places: tuple[SuspectPlace, ...], at: Instant
) -> tuple[Birth, tuple[SuspectPlace, ...]]:
    """Its place is known: that something is still there, now and then, and at its end one track more."""
    if track.ended:
        return birth, _spoken(places, birth, 1, at)
    if not track.seen or (birth.noted is not None and at.since(birth.noted) < REFRESH_S):
        return birth, places
    return replace(birth, noted=at), _spoken(places, birth, 0, at)


def _spoken(
    places: tuple[SuspectPlace, ...], birth: Birth, tracks: int, at: Instant
) -> tuple[SuspectPlace, ...]:
    """The places with one more that speaks for this one, or against it."""
    n = _place(places, birth.box)
    if n is None:
        return (*places, SuspectPlace(birth.box, tracks, at)) if tracks > 0 else places
    place = replace(places[n], tracks=min(MOST_TRACKS, places[n].tracks + tracks), seen=at)
    return (*places[:n], place, *places[n + 1 :])


def _place(places: Sequence[SuspectPlace | Lost], box: Box) -> int | None:
    """The remembered place that this box is in."""
    if not places:
        return None
    overlap: Floats = iou(as_array([each.box for each in places]), as_array([box]))[:, 0]
    best = int(np.argmax(overlap))
    return best if overlap[best] >= SAME_PLACE else None


def _fits(box: Box, regions: Floats) -> bool:
    return bool(len(regions)) and bool((iou(as_array([box]), regions) >= FITS).any())
