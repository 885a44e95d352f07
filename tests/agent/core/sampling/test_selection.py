"""agent.core.sampling.selection"""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.core.sampling import selection
from agent.core.sampling.quota import SampleKind
from agent.core.sampling.selection import Pick, SampleInput, SamplingState
from agent.core.sampling.settings import SampleReason, SamplingSettings
from agent.core.types import WHOLE, Box, Crop, Detection, Motion, Reason
from tests.support.sampled_frames import at, grey, seen, track

PLAIN = SamplingSettings()
ONLY_MISSED = SamplingSettings(kinds=(SampleReason.MISSED_MOTION,))


def box(left: float) -> Box:
    return Box(left, 0.4, left + 0.1, 0.6)


def picks(
    frames: list[tuple[float, SampleInput]], chosen: SamplingSettings = PLAIN, luma: int = 110
) -> list[Pick]:
    """What is chosen and kept of these, each with its second."""
    state, found = SamplingState(), list[Pick]()
    for seconds, given_ in frames:
        state, pick = selection.update(state, grey(at(seconds), luma), given_, chosen)
        if pick is not None:
            found.append(pick)
            state = selection.kept(state, pick)
    return found


def test_something_that_goes_by_unfound_is_kept_once() -> None:
    frames = [(n * 0.5, seen(box(0.1 + 0.03 * n))) for n in range(20)]
    (pick,) = picks(frames, ONLY_MISSED)

    assert pick.kind == SampleKind(SampleReason.MISSED_MOTION, pick.kind.place, 6)
    assert pick.at == at(2.0), "as soon as it has gone by for long, and half of its height"
    assert pick.box == box(0.1 + 0.03 * 4)


def test_what_the_detector_finds_for_sure_teaches_nothing() -> None:
    frames = [
        (n * 0.5, seen(box(0.1 + 0.03 * n), found=(Detection("car", 0.9, box(0.1 + 0.03 * n)),)))
        for n in range(20)
    ]
    chosen = SamplingSettings(
        kinds=(SampleReason.MISSED_MOTION, SampleReason.MIDDLE_SCORE, SampleReason.WAVERING_LABEL)
    )

    assert picks(frames, chosen) == []


def test_a_label_that_changes_three_times_is_kept_once_a_track() -> None:
    words = ["car", "truck", "car", "truck", "car", "truck"]
    frames = [
        (
            n * 100.0,
            seen(found=(Detection(word, 0.8, box(0.3)),), tracks=(track(box(0.3), "t", "car"),)),
        )
        for n, word in enumerate(words)
    ]
    (pick,) = picks(frames, SamplingSettings(kinds=(SampleReason.WAVERING_LABEL,)))

    assert (pick.at, pick.track_id) == (at(300), "t")


def test_a_score_in_the_middle_counts_where_something_moves_at_two_looks_in_a_row() -> None:
    chosen = SamplingSettings(kinds=(SampleReason.MIDDLE_SCORE,))
    unsure = (Detection("motorcycle", 0.3, box(0.3)),)

    assert picks([(0, seen(box(0.3), found=unsure))], chosen) == []
    assert len(picks([(0, seen(box(0.3), found=unsure)), (1, seen(box(0.31), found=unsure))], chosen)) == 1
    assert picks([(0, seen(found=unsure)), (1, seen(found=unsure))], chosen) == [], "nothing moves"


def test_another_light_and_another_hour_are_rare_scenes() -> None:
    chosen = SamplingSettings(kinds=(SampleReason.RARE_SCENE,), per_place=1, per_hour=100)
    walks = seen(box(0.3), tracks=(track(box(0.3)),))
    by_day = [(n * 100.0, walks) for n in range(5)]

    assert len(picks(by_day, chosen)) == 1
    state, found = SamplingState(), list[str]()
    for seconds, luma in ((0, 110), (100, 110), (200, 30), (300, 200), (3700, 110)):
        state, pick = selection.update(state, grey(at(seconds), luma), walks, chosen)
        if pick is not None:
            found.append(f"{pick.kind.hour} {pick.condition}")
            state = selection.kept(state, pick)
    assert found == ["6 dusk-plain", "6 night-flat", "6 glare-plain", "7 dusk-plain"]


def test_who_has_just_come_into_the_view_makes_no_rare_scene_yet() -> None:
    chosen = SamplingSettings(kinds=(SampleReason.RARE_SCENE,))
    frames = [(n * 0.5, seen(box(0.1 + 0.03 * n))) for n in range(6)]

    (pick,) = picks(frames, chosen)
    assert pick.at == at(1.5)


def test_nothing_is_chosen_while_the_scene_is_learned_or_nobody_looked() -> None:
    settling = SampleInput(Motion((), 0.0, settling=True), (), (), (Crop(WHOLE, Reason.FULL_SCAN),))

    assert picks([(n, settling) for n in range(20)]) == []
    assert picks([(n * 0.5, seen(box(0.1 + 0.03 * n), crops=())) for n in range(20)]) == []


def test_a_pick_that_nobody_kept_comes_again() -> None:
    state = SamplingState()
    chosen = SamplingSettings(kinds=(SampleReason.RARE_SCENE,))
    walks = seen(box(0.3), tracks=(track(box(0.3)),))
    state, first = selection.update(state, grey(at(0)), walks, chosen)
    _, again = selection.update(state, grey(at(1)), walks, chosen)

    assert first is not None and again is not None
    assert first.kind == again.kind


def test_what_earlier_lives_kept_makes_more_of_it_worth_less() -> None:
    walks = seen(box(0.3), tracks=(track(box(0.3)),))
    _, pick = selection.update(SamplingState(), grey(at(0)), walks, PLAIN)
    assert pick is not None
    _, after = selection.update(selection.resumed([pick.kind] * 3), grey(at(0)), walks, PLAIN)

    assert after is not None
    assert after.worth == pick.worth / 4


_EDGES = st.floats(0, 0.85)
_BOXES = st.builds(
    lambda left, top, size: Box(left, top, left + size, top + size), _EDGES, _EDGES, st.floats(0.02, 0.15)
)
_FOUND = st.builds(
    Detection,
    label=st.sampled_from(["car", "truck", "motorcycle", "person"]),
    score=st.floats(0, 1),
    box=_BOXES,
)
_FRAMES = st.lists(
    st.tuples(
        st.floats(0.1, 900), st.lists(_BOXES, max_size=3), st.lists(_FOUND, max_size=3), st.integers(0, 255)
    ),
    max_size=60,
)
_SETTINGS = st.builds(
    SamplingSettings,
    per_hour=st.integers(1, 4),
    per_day=st.integers(1, 8),
    per_place=st.integers(1, 3),
    min_gap_s=st.floats(1, 300),
    missed_s=st.just(0.1),
)


@settings(max_examples=60, deadline=None)
@given(frames=_FRAMES, chosen=_SETTINGS)
def test_no_hour_no_day_and_no_place_ever_has_more_than_its_most_and_the_same_frames_give_the_same(
    frames: list[tuple[float, list[Box], list[Detection], int]], chosen: SamplingSettings
) -> None:
    def run() -> list[Pick]:
        state, found, now_s = SamplingState(), list[Pick](), 0.0
        for gap_s, regions, detections, luma in frames:
            now_s += gap_s
            given_ = seen(*regions, found=tuple(detections), tracks=(track(Box(0.1, 0.1, 0.2, 0.2)),))
            state, pick = selection.update(state, grey(at(now_s), luma), given_, chosen)
            if pick is not None:
                found.append(pick)
                state = selection.kept(state, pick)
        return found

    kept = run()
    assert kept == run()
    for first in kept:
        later = [each for each in kept if each.at.mono_s >= first.at.mono_s]
        within = {
            seconds: [each for each in later if each.at.since(first.at) < seconds] for seconds in (3600, 86_400)
        }
        assert len(within[3600]) <= chosen.per_hour
        assert len(within[86_400]) <= chosen.per_day
        assert max(Counter(each.kind for each in within[86_400]).values()) <= chosen.per_place
        alike = [each for each in later if each.kind.reason is first.kind.reason]
        assert all(each.at.since(first.at) >= chosen.min_gap_s for each in alike if each is not first)
        assert 0 < first.worth <= 1
