"""A person on a two-wheeler is one road user with a number of riders.

Persons are fused with their two-wheeler before tracking, so that one road user has one detection, one track and
one path; two tracks that are joined afterwards would have told two stories already. But one picture cannot
tell a rider from someone who walks past a parked motorbike, so the tracks of the frame before are asked:

    a person who was tracked on foot    stays one while he moves differently from the two-wheeler
    a two-wheeler that stood empty      takes a rider only when the two move together
    a two-wheeler that had riders       keeps them where one of the two is not detected for a while

In a queue machines and men cover each other. There a machine is its track's that ends on the same ground, and a
man rides where the heads are level with his, or his feet in the machine's lower half.

Something that is hardly a two-wheeler carries nobody: many walkers have such a shadow. And a detector often
sees one man or one machine twice, once whole and surely, once as a part and hardly: of 187 persons less than
half as sure as one around them 29 were somebody else, and of 16 two-wheelers none was (three and four detectors
on COCO's pictures and Ho Chi Minh City's junctions). Such doubles neither ride nor carry.

A fused detection has the two-wheeler's label and the box around both. Where only the two-wheeler or only its
rider is detected, the box is completed from the track, so that it does not jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import hypot, inf

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from agent.core.geometry import Floats, area, as_array, containment
from agent.core.types import Box, Detection, Track
from agent.settings.base import Settings

SAME = 0.3
"""Overlap from which a detection continues a track of the frame before."""
LESS_SURE = 0.5
"""What has less than so much of the score of something around it may be its double."""
LEVEL = 0.25
"""Heights of a rider by which the heads of those on one two-wheeler may differ."""
GONE_S = 2.0
"""A two-wheeler that was seen so long before a person in its place has gone."""
SITS, SEATED = (0.15, 1.1), (0.6, 1.0)
"""Heights of a two-wheeler from its top down to where its rider's box may end, and mostly ends: of those that
may, where one man and one machine fit only each other on roads full of motorbikes, half end at 0.79 to 0.97
and one of twenty below 0.52 (YOLOX-nano, 343 pairs), or at 0.84 to 1.00 and below 0.60 (PicoDet-S, 246)."""
PERSON_INSIDE, RIDE_INSIDE = 0.7, 0.5
"""Share of a double's box that lies in the other's: a machine's may be around its rider as well."""


class RiderSettings(Settings):
    """When a person rides a two-wheeler."""

    enabled: bool = Field(True, description="Fuse riders with their two-wheeler.")
    labels: tuple[str, ...] = Field(("motorcycle", "bicycle"), description="What can be ridden.")
    rider: str = Field("person", description="Who rides.")
    min_score: float = Field(0.2, ge=0, le=1, description="Persons below this score are no riders.")
    min_ride_score: float = Field(
        0.3,
        ge=0,
        le=1,
        description="A two-wheeler below this score carries nobody, unless it is tracked already.",
    )
    beside: float = Field(
        0.35, gt=0, le=1, description="How far the middles may be apart sideways, in widths of the wider one."
    )
    together: float = Field(
        0.6,
        gt=0,
        le=10,
        description="Difference of speed that still is riding, in the person's heights a second.",
    )
    most: int = Field(4, ge=1, le=4, description="Most riders of one two-wheeler.")


def fuse(
    detections: Sequence[Detection], tracks: Sequence[Track], settings: RiderSettings
) -> tuple[Detection, ...]:
    """The detections of one frame with riders and their two-wheelers as one.

    `tracks` are those of the frame before, as `tracker.update` returned them; without any, the picture alone
    decides.
    """
    if not settings.enabled:
        return tuple(detections)
    persons = [
        n
        for n, each in enumerate(detections)
        if each.label == settings.rider and each.score >= settings.min_score
    ]
    persons = _without_doubles(detections, persons, PERSON_INSIDE)
    rides = [n for n, each in enumerate(detections) if each.label in settings.labels]
    rides = _without_doubles(detections, rides, RIDE_INSIDE)
    wheeled = [each for each in tracks if each.label in settings.labels and not each.ended]
    on_foot = [each for each in tracks if each.label == settings.rider and not each.ended]
    on_foot = [each for each in on_foot if not _rides_already(each, wheeled, settings)]
    walkers = _owners(detections, persons, on_foot)
    ridden = _owners(detections, rides, wheeled)
    rides = [n for n in rides if n in ridden or detections[n].score >= settings.min_ride_score]
    free = [each for each in wheeled if each.riders and each not in ridden.values()]
    carriers = {p: _carrier(detections[p].box, free, settings) for p in persons}
    fits = [
        (off, p, r)
        for p in persons
        for r in rides
        if _may_ride(walkers.get(p), ridden.get(r), settings)
        and (off := _ill_seated(detections[p].box, detections[r].box, ridden.get(r), settings)) < inf
        and (off <= 1.0 or carriers[p] is None)
    ]
    crews = _crews(fits, rides, detections, settings.most)
    boarded = {person for crew in crews.values() for person in crew}
    fused = [_whole(detections[n], [detections[p] for p in crews[n]], ridden.get(n)) for n in rides]
    carried: dict[str, list[Detection]] = {}
    rest: list[Detection] = []
    for n, each in enumerate(detections):
        if n in boarded or n in crews:
            continue
        walks = n in walkers and walkers[n].confirmed
        track = None if walks else carriers.get(n)
        if track is None:
            rest.append(each)
        else:
            carried.setdefault(track.id, []).append(each)
    alone = [_riders_alone(carried[each.id], each, settings.most) for each in free if each.id in carried]
    return (*fused, *alone, *rest)


def _without_doubles(detections: Sequence[Detection], indices: list[int], inside: float) -> list[int]:
    """Of these detections those that are no part, hardly seen, of a surer one among them."""
    boxes = as_array([detections[n].box for n in indices])
    scores = np.array([detections[n].score for n in indices])
    part = (containment(boxes, boxes) >= inside) & (scores[:, None] < LESS_SURE * scores[None, :])
    doubles = {indices[row] for row in np.nonzero(part)[0].tolist()}
    return [n for n in indices if n not in doubles]


def sits(person: Box, ride: Box, beside: float) -> bool:
    """May this person ride this two-wheeler, by the look of one picture?

    The middles are close sideways, the person reaches higher than the two-wheeler, and ends within it: feet
    lower than its top half's middle and not below its wheels; and the sizes are of one world.
    """
    if ride.height <= 0 or person.height <= 0 or _aside(person, ride, beside) > 1.0:
        return False
    sunk = (person.bottom - ride.top) / ride.height
    return (
        person.top < ride.top + 0.25 * ride.height
        and SITS[0] <= sunk <= SITS[1]
        and (0.5 <= person.height / ride.height <= 3.0)
    )


def _ill_seated(person: Box, ride: Box, track: Track | None, settings: RiderSettings) -> float:
    """How far a person is from where a rider of this two-wheeler sits: 0 or more, infinite where nobody sits.

    Sideways, and in height: by the heads where it is tracked with riders, for these are level on one machine,
    else by the feet, which mostly are in its lower half. In a queue away from the camera all middles lie in one
    line, and only the height tells whose machine it is. More than 1 it is only by the heads.
    """
    if not sits(person, ride, settings.beside):
        return inf
    aside = _aside(person, ride, settings.beside)
    if track is not None and track.riders:
        return max(aside, _uneven(person, track.box))
    sunk = (person.bottom - ride.top) / ride.height
    high, low = (SEATED[0] - sunk) / (SEATED[0] - SITS[0]), (sunk - SEATED[1]) / (SITS[1] - SEATED[1])
    return max(aside, high, low)


def _aside(person: Box, ride: Box, beside: float) -> float:
    """How far the middles are apart sideways: 1 at most for who rides."""
    return abs(person.center[0] - ride.center[0]) / (beside * max(person.width, ride.width, 1e-6))


def _uneven(person: Box, other: Box) -> float:
    """How far a person's head is from level with the other's: 1 at most for two who ride together."""
    return abs(person.top - other.top) / (LEVEL * max(person.height, 1e-6))


def _beside(person: Box, other: Box) -> bool:
    """Are their heads level, or their feet?"""
    return min(abs(person.top - other.top), abs(person.bottom - other.bottom)) <= LEVEL * person.height


def _rides_already(walker: Track, wheeled: list[Track], settings: RiderSettings) -> bool:
    """Is this track of a person nobody but the rider of a two-wheeler that is tracked, too?

    A rider whose machine was not detected at first has a track of his own. It would go on from one rider of a
    queue to the next, wherever a machine is overlooked, and take them from their own two-wheelers. Who stands
    where a two-wheeler was not seen any more rides none.
    """
    return any(
        each.confirmed
        and each.riders > 0
        and walker.last_seen.since(each.last_seen) <= GONE_S
        and _seated(walker.box, each, settings) <= 1.0
        and _together(walker, each, settings)
        for each in wheeled
    )


def _crews(
    fits: list[tuple[float, int, int]], rides: list[int], detections: Sequence[Detection], most: int
) -> dict[int, list[int]]:
    """By two-wheeler, the persons that ride it: of all that fit, the best seated first and each once.

    Whose head and feet are both lower or higher than those of who is aboard rides on his own, before or behind
    them; a child's feet are level with the driver's.
    """
    crews: dict[int, list[int]] = {n: [] for n in rides}
    boarded: set[int] = set()
    for _, person, ride in sorted(fits):
        box = detections[person].box
        level = all(_beside(box, detections[each].box) for each in crews[ride])
        if person not in boarded and level and len(crews[ride]) < most:
            crews[ride].append(person)
            boarded.add(person)
    return crews


def _may_ride(walker: Track | None, ridden: Track | None, settings: RiderSettings) -> bool:
    """Do the tracks allow what the picture suggests?"""
    empty = ridden is not None and ridden.confirmed and ridden.stationary and not ridden.riders
    if walker is None or not walker.confirmed:
        return not empty
    if ridden is None:
        return True
    # Two that both stand still move together too: whoever stands beside a parked motorbike has not mounted it.
    moves = hypot(*ridden.velocity) > settings.together * walker.box.height or not empty
    return moves and _together(walker, ridden, settings)


def _together(walker: Track, ridden: Track, settings: RiderSettings) -> bool:
    """Do the two move alike?"""
    apart = hypot(walker.velocity[0] - ridden.velocity[0], walker.velocity[1] - ridden.velocity[1])
    return apart <= settings.together * max(walker.box.height, 1e-6)


def _whole(ride: Detection, crew: list[Detection], track: Track | None) -> Detection:
    """The two-wheeler with its riders, surer than either of them: machine and man bear each other out.

    Who sits on a machine is a second sight of the same road user, so the chance that both are wrong is the
    product of the two: of 99 pairs whose surer half had 0.3 to 0.6, 86 were right (three detectors).
    Alone, but tracked with riders, it keeps the height of its track.
    """
    box = ride.box
    for each in crew:
        box = Box(
            min(box.left, each.box.left),
            min(box.top, each.box.top),
            max(box.right, each.box.right),
            max(box.bottom, each.box.bottom),
        )
    if not crew and track is not None and track.riders:
        box = replace(box, top=max(0.0, min(box.top, box.bottom - track.box.height)))
    score = 1.0 - (1.0 - ride.score) * (1.0 - max(each.score for each in crew)) if crew else ride.score
    return replace(ride, score=score, box=box, riders=len(crew), label_score=ride.score)


def _carrier(person: Box, free: list[Track], settings: RiderSettings) -> Track | None:
    """The two-wheeler's track that this person rides although its machine was not detected: the best seated."""
    seats = ((_seated(person, each, settings), n) for n, each in enumerate(free))
    off, best = min(seats, default=(inf, 0))
    return free[best] if off <= 1.0 else None


def _seated(person: Box, track: Track, settings: RiderSettings) -> float:
    """How far a person is from the seat of a two-wheeler that is tracked with its riders; 1: as far as may be.

    The track's box is around both: the person ends in its lower part.
    """
    fits = 0.4 <= person.height / max(track.box.height, 1e-6) <= 1.15
    return max(_aside(person, track.box, settings.beside), _uneven(person, track.box)) if fits else inf


def _riders_alone(crew: list[Detection], track: Track, most: int) -> Detection:
    """Riders whose two-wheeler was not detected, as a sight of the whole: its size is the track's."""
    crew = crew[:most]
    top = min(each.box.top for each in crew)
    left, right = min(each.box.left for each in crew), max(each.box.right for each in crew)
    middle, width = (left + right) / 2, max(right - left, track.box.width)
    bottom = max(*(each.box.bottom for each in crew), min(1.0, top + track.box.height))
    box = Box(max(0.0, middle - width / 2), top, min(1.0, middle + width / 2), bottom)
    return Detection(track.label, max(each.score for each in crew), box, riders=len(crew))


def _owners(detections: Sequence[Detection], indices: list[int], tracks: list[Track]) -> dict[int, Track]:
    """By detection, the track that it most likely continues: one each, the largest overlap first."""
    found, tracked = as_array([detections[n].box for n in indices]), as_array([t.box for t in tracks])
    overlap = _overlap_below(found, tracked, np.array([t.riders > 0 for t in tracks], np.bool_))
    owners: dict[int, Track] = {}
    pairs = sorted((-overlap[i, j], i, j) for i, j in zip(*np.nonzero(overlap > SAME), strict=True))
    taken: set[int] = set()
    for _, i, j in pairs:
        if indices[i] not in owners and j not in taken:
            owners[indices[i]] = tracks[j]
            taken.add(j)
    return owners


def _overlap_below(found: Floats, tracked: Floats, ridden: NDArray[np.bool_]) -> Floats:
    """Overlap (IoU) of every pair: (N, M); of a track with riders counts what is as high as the found box.

    A machine alone covers the lower part of its own track, and as much of the next one's in a queue: whose it
    is can be told where it stands, on the ground.
    """
    left, top, right, bottom = (tracked[None, :, n] for n in range(4))
    high = (found[:, 3] - found[:, 1])[:, None]
    top = np.where(ridden[None, :], np.maximum(top, bottom - high), top)
    wide = np.minimum(found[:, None, 2], right) - np.maximum(found[:, None, 0], left)
    tall = np.minimum(found[:, None, 3], bottom) - np.maximum(found[:, None, 1], top)
    common = np.maximum(wide, 0.0) * np.maximum(tall, 0.0)
    union = area(found)[:, None] + (right - left) * (bottom - top) - common
    out: Floats = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return out
