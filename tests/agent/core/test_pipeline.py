"""agent.core.pipeline"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from agent.core import pipeline
from agent.core.ids import Ids
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.rules.kinds.line import LineRule
from agent.core.rules.kinds.motion import MotionRule
from agent.core.rules.kinds.object import ObjectRule
from agent.core.rules.kinds.stopped_vehicle import StoppedVehicleRule
from agent.core.rules.settings import RuleSettings
from agent.core.rules.zones import Zone
from agent.core.tamper.classify import TamperKind
from agent.core.tamper.settings import TamperSettings
from agent.core.types import (
    Box,
    Crop,
    Detection,
    EndReason,
    Event,
    EventKind,
    Frame,
    Image,
    Instant,
    Phase,
    Reason,
    Size,
)  # fmt: skip
from tests.support.squares import SQUARE_PX, picture

FIELD = Size(256, 256)
RULES = (
    MotionRule(id="movement"),
    ObjectRule(id="road-users"),
    LineRule(id="the-line", start=(0.5, 0.0), end=(0.5, 1.0)),
)
# Drawn pictures have no grain: to the tamper stage they are frozen ones.
SETTINGS = PipelineSettings(rules=RuleSettings(rules=RULES), tamper=TamperSettings(enabled=False))


def bright(images: Sequence[Image]) -> list[tuple[Detection, ...]]:
    """A detector of bright squares: a car wherever something is white."""
    found = []
    for image in images:
        white = (image.min(axis=2) > 180).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(white)
        height, width = white.shape
        boxes = [
            Box(x / width, y / height, (x + w) / width, (y + h) / height)
            for x, y, w, h, area in stats[1:count].tolist()
            if area > 100
        ]
        found.append(tuple(Detection("car", 0.9, box) for box in boxes))
    return found


def frame(index: int, *lefts_px: float, fps: float = 10.0) -> Frame:
    rgb = picture(lefts_px)
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    height, width = rgb.shape[:2]
    flat = yuv.reshape(-1)
    area = height * width
    u, v = (
        flat[area + n * area // 4 : area + (n + 1) * area // 4].reshape(height // 2, width // 2) for n in (0, 1)
    )
    at = Instant(100.0 + index / fps, 1_770_000_000.0 + index / fps)
    return Frame(index, at, yuv[:height], u, v)


def crossing(still: int = 40, moving: int = 50, speed_px: float = 13.0) -> Iterator[Frame]:
    for index in range(still):
        yield frame(index)
    for step in range(moving):
        yield frame(still + step, step * speed_px - SQUARE_PX)


def watched(
    frames: Iterator[Frame], settings: PipelineSettings = SETTINGS
) -> tuple[PipelineState, list[Outcome]]:
    state, outcomes = PipelineState(Ids(b"a seed of sixteen")), []
    for each in frames:
        state, outcome = pipeline.update(state, each, bright, FIELD, settings)
        outcomes.append(outcome)
    return state, outcomes


def events(outcomes: list[Outcome], kind: EventKind, phase: Phase) -> list[Event]:
    everything = [each for outcome in outcomes for each in outcome.reports]
    return [each for each in everything if isinstance(each, Event) and (each.kind, each.phase) == (kind, phase)]


def test_a_place_that_one_car_left_and_that_was_looked_at_since_is_the_next_cars() -> None:
    """The other one first shows up where it stands, as from behind a bus: only looks say that it was empty."""
    kerb = Zone(id="kerb", polygon=((0.55, 0.0), (1.0, 0.0), (1.0, 1.0), (0.55, 1.0)))
    rules = RuleSettings(zones=(kerb,), rules=(StoppedVehicleRule(id="stopped", zone="kerb", min_s=2),))
    here = 300.0
    lefts: list[tuple[float, ...]] = [()] * 40
    lefts += [(x,) for x in np.linspace(-SQUARE_PX, here, 30)] + [(here,)] * 40
    lefts += [(x,) for x in np.linspace(here, 512.0, 20)]
    # Somebody goes to and fro beside it meanwhile: the detector looks at him, and so at the place.
    lefts += [(246.0 - 40 * abs((n % 20) / 10 - 1),) for n in range(200)]
    lefts += [(here, 206.0)] * 60
    frames = (frame(index, *each) for index, each in enumerate(lefts))
    _, outcomes = watched(frames, replace(SETTINGS, rules=rules))

    assert len(events(outcomes, EventKind.STOPPED_VEHICLE, Phase.START)) == 2


def test_one_car_is_one_track_one_crossing_and_one_motion() -> None:
    _, outcomes = watched(crossing())

    assert len({track.id for outcome in outcomes for track in outcome.tracks if track.confirmed}) == 1
    assert len(events(outcomes, EventKind.OBJECT, Phase.START)) == 1
    assert len(events(outcomes, EventKind.LINE_CROSSED, Phase.START)) == 1
    assert len(events(outcomes, EventKind.MOTION, Phase.START)) == 1


def test_the_same_frames_give_the_same_events_twice() -> None:
    _, first = watched(crossing())
    _, second = watched(crossing())

    def stripped(outcomes: list[Outcome]) -> list[object]:
        everything = (each for outcome in outcomes for each in outcome.reports)
        return [replace(e, thumbnail=None, scene=None) if isinstance(e, Event) else e for e in everything]

    assert stripped(first) == stripped(second)
    assert stripped(first)


def test_the_detector_rests_while_nothing_moves() -> None:
    _, outcomes = watched(frame(index) for index in range(150))
    settled = outcomes[50:]

    assert sum(not outcome.crops for outcome in settled) >= 0.9 * len(settled)
    assert not [each for outcome in outcomes for each in outcome.reports]


def test_the_events_carry_a_picture_of_the_car() -> None:
    _, outcomes = watched(crossing())

    (start,) = events(outcomes, EventKind.LINE_CROSSED, Phase.START)
    shots = [
        e.thumbnail for o in outcomes for e in o.reports if isinstance(e, Event) and e.thumbnail and e.object
    ]
    assert start.object is not None
    assert shots
    for shot in shots:
        height, width = shot.image.shape[:2]
        inside = shot.image[
            int(shot.box.top * height) + 4 : int(shot.box.bottom * height) - 4,
            int(shot.box.left * width) + 4 : int(shot.box.right * width) - 4,
        ]
        assert inside.mean() > 180  # the box lies on the white square


def test_closing_ends_whatever_is_open() -> None:
    state, outcomes = watched(crossing(moving=25))
    started = {e.id for o in outcomes for e in o.reports if isinstance(e, Event) and e.phase is Phase.START}
    ended = {e.id for o in outcomes for e in o.reports if isinstance(e, Event) and e.phase is Phase.END}

    after, last = pipeline.close(state, Instant(200.0, 1_770_000_100.0), EndReason.CAMERA_LOST, SETTINGS)

    ends = [each for each in last if isinstance(each, Event)]
    assert started - ended
    assert {each.id for each in ends} == started - ended
    assert {each.end_reason for each in ends} == {EndReason.CAMERA_LOST}
    assert after.tracks == ()


def test_where_a_clip_begins_again_everything_ends_and_nobody_goes_on_from_before() -> None:
    """The car is left of the line at the end of the first lap, and another is right of it in the second."""
    frames = list(crossing(moving=25))
    jumped = [
        replace(frame(len(frames) + step, 400.0 + step * 13.0), lap=1) for step in range(10)
    ]  # fmt: skip

    _, outcomes = watched(iter(frames))
    _, both = watched(iter([*frames, *jumped]))

    before = [track.id for track in outcomes[-1].tracks]
    assert before
    assert not {track.id for outcome in both[len(frames) :] for track in outcome.tracks} & set(before)
    assert not events(both, EventKind.LINE_CROSSED, Phase.START)
    ends = [e for e in both[len(frames)].reports if isinstance(e, Event) and e.phase is Phase.END]
    assert {(e.kind, e.end_reason) for e in ends} == {
        (EventKind.OBJECT, EndReason.CLIP_RESTARTED),
        (EventKind.MOTION, EndReason.CLIP_RESTARTED),
    }


def test_a_crop_larger_than_the_field_is_shrunk_and_a_smaller_one_is_left_alone() -> None:
    size = Size(1280, 720)

    large = pipeline.fitted(size, Crop(Box(0, 0, 1, 1), Reason.FULL_SCAN), FIELD)
    small = pipeline.fitted(size, Crop(Box(0.1, 0.1, 0.2, 0.2), Reason.MOTION), FIELD)

    assert large == Size(256, 144)
    assert small is None


def test_an_empty_road_is_quiet_once_it_is_known_until_something_comes() -> None:
    _, outcomes = watched(crossing())

    quiet = [outcome.quiet for outcome in outcomes]
    assert not any(quiet[:15])  # learning the scene
    assert all(quiet[30:39])
    assert not any(quiet[50:70])  # the car is in the middle of the picture


def test_a_frame_that_shows_an_empty_road_as_before_is_not_looked_at_whole() -> None:
    state, _ = watched(frame(index) for index in range(50))
    whole = 0
    for index in range(50, 110):
        before = state
        state, outcome = pipeline.update(state, frame(index), bright, FIELD, SETTINGS)
        assert outcome.quiet
        whole += state.motion is not before.motion

    assert whole == 3  # one in two seconds


def test_a_car_on_a_road_that_was_only_gated_is_found_in_the_next_frames() -> None:
    state, _ = watched(frame(index) for index in range(58))
    for step in range(3):
        state, outcome = pipeline.update(state, frame(58 + step, step * 13.0), bright, FIELD, SETTINGS)

    assert [each.label for each in outcome.tracks] == ["car"]


def darker(each: Frame) -> Frame:
    return replace(each, luma=(each.luma // 4).astype(np.uint8))


def test_a_car_that_comes_after_the_light_has_changed_is_seen_as_soon_as_any() -> None:
    """What differs between two lights is not what usually differs in this view."""
    frames = [frame(n) for n in range(60)] + [darker(frame(n)) for n in range(60, 100)]
    frames += [darker(frame(n, (n - 100) * 4.0)) for n in range(100, 104)]
    _, outcomes = watched(iter(frames))
    assert any(each.motion.relit or each.motion.settling for each in outcomes[60:62])
    assert all(each.quiet for each in outcomes[80:100])
    assert not any(each.motion is outcomes[99].motion for each in outcomes[101:])


def test_who_is_hard_to_recognise_is_followed_within_a_second_of_the_first_frame() -> None:
    def hardly(images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        return [tuple(replace(each, score=0.5) for each in found) for found in bright(images)]

    state, first_s = PipelineState(Ids(b"pipeline")), None
    for n in range(20):
        state, outcome = pipeline.update(state, frame(n, 60 + n * 9.0), hardly, FIELD, SETTINGS)
        assert outcome.motion.settling
        if first_s is None and any(each.confirmed for each in outcome.tracks):
            first_s = n / 10
    assert first_s is not None
    assert first_s <= 1.0


def test_what_is_hard_to_recognise_and_stands_in_a_new_scene_is_nobody() -> None:
    def hardly(images: Sequence[Image]) -> list[tuple[Detection, ...]]:
        return [tuple(replace(each, score=0.5) for each in found) for found in bright(images)]

    state = PipelineState(Ids(b"pipeline"))
    for n in range(20):
        state, outcome = pipeline.update(state, frame(n, 60.0), hardly, FIELD, SETTINGS)
        assert not outcome.tracks


def test_patience_is_over_while_something_new_is_there_and_grows_when_it_goes_its_way() -> None:
    _, outcomes = watched(crossing())

    assert outcomes[0].patience_s == 0  # nothing is known of the scene
    assert outcomes[38].patience_s == float("inf")
    assert any(outcome.patience_s == 0 for outcome in outcomes[40:48])
    assert all(0 < outcome.patience_s <= 0.3 for outcome in outcomes[65:75] if outcome.crops)


def test_a_blind_camera_is_one_event_with_a_picture_and_an_end() -> None:
    settings = PipelineSettings(rules=RuleSettings(rules=()))
    state, outcomes = PipelineState(Ids(b"a seed of sixteen")), []
    for index in range(140):
        each = frame(index) if index < 100 else frame(index, (index - 100) * 5.0)
        state, outcome = pipeline.update(state, each, bright, FIELD, settings)
        outcomes.append(outcome)

    (start,) = events(outcomes, EventKind.CAMERA_BLIND, Phase.START)
    (end,) = events(outcomes, EventKind.CAMERA_BLIND, Phase.END)
    assert (start.detail, end.detail, end.id, end.revision) == ("frozen", "frozen", start.id, 2)
    assert start.scene is not None


def test_where_a_clip_begins_again_the_cameras_sight_is_judged_anew() -> None:
    """Its view was learned around tracks that have gone: a short clip was told as blurred for ever."""
    settings = PipelineSettings(rules=RuleSettings(rules=()))
    state, outcomes = PipelineState(Ids(b"a seed of sixteen")), []
    for index in range(140):
        each = replace(frame(index), lap=index // 20)
        state, outcome = pipeline.update(state, each, bright, FIELD, settings)
        outcomes.append(outcome)

    assert not events(outcomes, EventKind.CAMERA_BLIND, Phase.START)


def test_a_leaf_that_calls_for_a_look_does_not_have_the_cameras_sight_judged_as_well() -> None:
    """But whatever is due, moves or speaks for a fault does."""
    settings = PipelineSettings(rules=RuleSettings(rules=()))
    state = PipelineState(Ids(b"a seed of sixteen"))
    for index in range(100):
        state, _ = pipeline.update(state, grainy(index), bright, FIELD, settings)
    assert state.tamper is not None
    assert state.tamper.trusting
    judged, looks = state.tamper.at, 0
    while state.tamper.at == judged:  # the next look that is due
        index += 1
        state, _ = pipeline.update(state, grainy(index), bright, FIELD, settings)
    judged = state.tamper.at
    for _ in range(3):
        index += 1
        before = state
        state, outcome = pipeline.update(state, grainy(index, leaf_row=60), bright, FIELD, settings)
        assert outcome.quiet
        looks += state.motion is not before.motion
    assert looks
    assert state.tamper.at == judged

    doubting = replace(state.tamper, evidence=replace(state.tamper.evidence, weight_partly=0.1))
    state = replace(state, tamper=doubting)
    state, _ = pipeline.update(state, grainy(index + 5, leaf_row=150), bright, FIELD, settings)
    assert state.tamper is not None
    assert state.tamper.at != judged


def test_while_something_speaks_for_a_fault_of_the_camera_no_frame_is_passed_over() -> None:
    """Evidence is gathered twice a second, not once in two."""
    settings = PipelineSettings(rules=RuleSettings(rules=()))
    state = PipelineState(Ids(b"a seed of sixteen"))
    for index in range(100):
        state, _ = pipeline.update(state, grainy(index), bright, FIELD, settings)
    assert state.idle_cache is not None
    assert state.tamper is not None
    doubting = replace(state.tamper, evidence=replace(state.tamper.evidence, weight_partly=0.9))
    state, judged = replace(state, tamper=doubting, frame_gate=None), []
    for index in range(100, 120):
        state, _ = pipeline.update(state, grainy(index), bright, FIELD, settings)
        assert state.tamper is not None
        judged.append(state.tamper.at)

    assert len(set(judged)) >= 3


def test_a_picture_that_freezes_while_nobody_is_there_is_told_within_ten_seconds() -> None:
    """Whenever the last look was, though a quiet view is looked at once in two seconds."""
    settings = PipelineSettings(rules=RuleSettings(rules=()))
    known = PipelineState(Ids(b"a seed of sixteen"))
    for index in range(120):
        known, _ = pipeline.update(known, grainy(index), bright, FIELD, settings)
    for last in (124, 126, 128):
        state = known
        for index in range(120, last):
            state, _ = pipeline.update(state, grainy(index), bright, FIELD, settings)
        assert state.idle_cache is not None
        frozen = grainy(last)
        for index in range(last, last + 99):
            at = frame(index).at
            state, outcome = pipeline.update(state, replace(frozen, at=at), bright, FIELD, settings)
            if outcome.view.fault is TamperKind.FROZEN:
                break
        assert outcome.view.fault is TamperKind.FROZEN
        assert at.since(frozen.at) <= 10 - 1 / 3  # so far apart are the frames of an idle camera


def grainy(index: int, leaf_row: int | None = None) -> Frame:
    """An empty place with much to see, as a sensor shows it; a leaf is elsewhere each time, and no motion."""
    empty = frame(index)
    high, wide = empty.luma.shape
    stones = np.random.default_rng(0).integers(60, 160, (high // 8, wide // 8)).astype(np.uint8)
    luma = cv2.resize(stones, (wide, high), interpolation=cv2.INTER_LINEAR).astype(np.int16)
    luma += np.random.default_rng(index).integers(-2, 3, luma.shape, np.int16)
    if leaf_row is not None:
        left = 100 + 60 * (index % 5)
        luma[leaf_row : leaf_row + 12, left : left + 12] += 40
    return replace(empty, luma=luma.astype(np.uint8))
