"""agent.core.track"""

from __future__ import annotations

from agent.core import track
from agent.core.ids import Ids
from agent.core.track import TrackSettings, TrackState
from agent.core.types import WHOLE, Box, Detection, Instant, Sighting, Track

SETTINGS = TrackSettings()
Told = list[tuple[Track, ...]]


def moment(second: float) -> Instant:
    return Instant(second, 1_770_000_000.0 + second)


def box(x: float, y: float, width: float = 0.06, height: float = 0.16) -> Box:
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def person(x: float, y: float = 0.5, score: float = 0.9) -> Detection:
    return Detection("person", score, box(x, y))


def look(second: float, *found: Detection, moving: tuple[Box, ...] = (WHOLE,)) -> Sighting:
    return Sighting(moment(second), (WHOLE,), found, moving)


def rest(second: float, moving: tuple[Box, ...] = (WHOLE,)) -> Sighting:
    return Sighting(moment(second), (), (), moving)


def watch(*sightings: Sighting, settings: TrackSettings = SETTINGS, seed: bytes = b"a seed") -> Told:
    state: TrackState | None = None
    ids = Ids(seed)
    told = []
    for sighting in sightings:
        state, ids, tracks = track.update(state, sighting, ids, settings)
        told.append(tracks)
    return told


def names(told: Told) -> set[str]:
    return {each.id for tracks in told for each in tracks if each.confirmed}


def test_a_walker_is_one_track_over_skipped_frames():
    told = watch(*(look(n / 10, person(0.2 + n * 0.01)) if n % 3 == 0 else rest(n / 10) for n in range(40)))
    assert len(names(told)) == 1
    assert told[-1][0].confirmed
    assert abs(told[-1][0].box.center[0] - 0.59) < 0.02
    assert abs(told[-1][0].velocity[0] - 0.1) < 0.03


def test_one_detection_is_a_candidate_that_is_returned_but_not_confirmed():
    told = watch(look(0.0, person(0.5)), look(0.1), look(0.2), look(0.5), look(1.0))
    assert not told[0][0].confirmed
    assert told[-1] == ()


def test_a_lost_track_ends_once():
    told = watch(*(look(n / 10, person(0.5)) for n in range(10)), *(look(1 + n / 10) for n in range(200)))
    assert sum(each.ended for tracks in told for each in tracks) == 1
    assert told[-1] == ()
