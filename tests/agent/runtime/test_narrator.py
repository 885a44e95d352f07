"""agent.runtime.narrator"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.config.schema import CameraConfig
from agent.core.pipeline import Outcome
from agent.core.tamper.classify import TamperKind
from agent.core.tamper.evidence import Visibility
from agent.core.types import (
    Box,
    Count,
    Crop,
    Event,
    EventKind,
    Instant,
    Motion,
    Phase,
    Reason,
    Severity,
    Track,
)
from agent.runtime.narrator import BUSY_S, CALM_S, LINES, MOST, CameraNarrator, Narrator
from tests.support.squares import frame_of

PLACE = Box(0.2, 0.6, 0.4, 0.72)
LOOK = (Crop(PLACE, Reason.MOTION),)
STILL, MOVES = Motion((), 0.0), Motion((PLACE,), 0.012)
ZONE = {"id": "junction", "polygon": [[0.2, 0.5], [0.8, 0.5], [0.9, 0.9], [0.1, 0.9]]}


def at(seconds: float) -> Instant:
    return Instant(100.0 + seconds, 1_770_000_000.0 + seconds)


FRAME = frame_of((), 0, at(0))


def track(number: int, **more: object) -> Track:
    known = Track(
        f"t{number}", "motorcycle", 0.83, 0.9, PLACE, (0.0, 0.0), at(0), at(0), seen=True, confirmed=True
    )
    return replace(known, **more)  # type: ignore[arg-type]


def event(number: int, phase: Phase = Phase.START) -> Event:
    return Event(
        f"e{number}", 1, EventKind.LINE_CROSSED, phase, Severity.ALERT, at(0), "stop-line", "line", at(0),
        direction="in",
    )  # fmt: skip


def camera(**more: object) -> CameraConfig:
    plain = {"name": "north", "source": {"kind": "csi"}, "zones": [ZONE], "rules": [], **more}
    return CameraConfig.model_validate(plain)


def lines(outcomes: Sequence[tuple[float, Outcome]], **more: object) -> list[str]:
    """What is said of these outcomes, without time and name."""
    narrator = CameraNarrator(camera(**more))
    said = [
        line
        for index, (seconds, outcome) in enumerate(outcomes)
        for line in narrator.lines(replace(FRAME, index=index, at=at(seconds)), outcome)
    ]
    assert all(line[8:17] == "  north  " and line[2] == line[5] == ":" for line in said)
    return [line[17:] for line in said]


def steady(outcome: Outcome, seconds: float, fps: int = 10) -> list[tuple[float, Outcome]]:
    return [(n / fps, outcome) for n in range(round(seconds * fps) + 1)]


def test_who_is_followed_is_told_with_label_score_and_place() -> None:
    user = track(1, riders=2)
    said = lines(steady(Outcome(MOVES, (user,), crops=LOOK), BUSY_S))

    assert said == [
        "10.5 pictures/s, the detector looked at 21 of 21; 1.2 % moves, most at bottom left [0.30, 0.72]",
        "  #1 motorcycle 0.83, 2 riders, bottom left [0.30, 0.72], in junction, moves",
    ]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"confirmed": False}, "not sure yet"),
        ({"static_false_positive": True}, "a thing that only looks like one"),
        ({"stationary": True}, "stands"),
    ],
)
def test_what_is_believed_of_it_is_told(more: dict[str, object], word: str) -> None:
    said = lines(steady(Outcome(MOVES, (track(1, **more),), crops=LOOK), BUSY_S))
    assert said[1].endswith(f", {word}")


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome(STILL, ()), "nothing moves and nobody is followed"),
        (Outcome(STILL, (track(1, stationary=True),)), "whoever is followed stands still"),
        (Outcome(Motion((), 0.0, settling=True), ()), "the scene is being learned"),
        (Outcome(MOVES, ()), "it has found nothing in what moves there"),
        (Outcome(MOVES, (track(1),)), "it looked a moment ago"),
    ],
)
def test_the_reason_why_the_detector_rests_is_told(outcome: Outcome, why: str) -> None:
    assert f"the detector rests: {why};" in lines(steady(outcome, CALM_S))[0]


def test_a_camera_without_detector_says_so() -> None:
    said = lines(steady(Outcome(MOVES, ()), BUSY_S), attention={"enabled": False})
    assert "it is off for this camera (attention.enabled)" in said[0]


def test_a_blind_camera_says_so() -> None:
    said = lines(steady(Outcome(STILL, (), view=Visibility(TamperKind.COVERED)), CALM_S))
    assert said[0].endswith("; BLIND: covered")


def test_nothing_is_told_more_often_than_it_can_be_read() -> None:
    crowd = tuple(track(number) for number in range(20))
    busy = lines(steady(Outcome(MOVES, crowd, crops=LOOK), 10 * BUSY_S))
    quiet = lines(steady(Outcome(STILL, ()), 3 * CALM_S))

    assert len(busy) == 10 * (MOST + 2)
    assert busy[MOST + 1] == f"  and {20 - MOST} more road users"
    assert len(quiet) == 3


def test_events_are_told_at_once_and_a_flood_of_them_as_a_number() -> None:
    few = lines([(0.0, Outcome(STILL, (), reports=(event(1), event(2, Phase.UPDATE))))])
    many = lines(
        [
            (0.0, Outcome(MOVES, (), reports=tuple(event(number) for number in range(MOST + 5)))),
            (BUSY_S, Outcome(MOVES, ())),
        ]
    )

    assert few == ["EVENT line_crossed start, stop-line, alert, in"]
    assert len([line for line in many if line.startswith("EVENT")]) == MOST
    assert many[MOST + 1] == "  and 5 more events"


def test_counts_are_told_when_their_interval_closes() -> None:
    count = Count("stop-line", at(0), at(60), {"car": {"in": 3, "out": 1}})
    empty = Count("stop-line", at(60), at(120))

    assert lines([(0.0, Outcome(STILL, (), reports=(count, empty)))]) == [
        "COUNT stop-line: 3 car in, 1 car out in 60 s",
        "COUNT stop-line: nobody in 60 s",
    ]


def test_a_terminal_that_is_held_up_holds_up_no_camera_and_no_end() -> None:
    held, said = threading.Event(), []

    def say(line: str) -> None:
        held.wait(30)
        said.append(line)

    narrator = Narrator(say)
    saw = narrator.of(camera())
    for number in range(3 * LINES):
        saw(replace(FRAME, index=number, at=at(number * CALM_S)), Outcome(STILL, ()))
    narrator.close(within_s=0.05)
    held.set()

    assert len(said) <= LINES + 1


def test_what_waits_is_written_before_the_end() -> None:
    said: list[str] = []
    narrator = Narrator(said.append)
    narrator.of(camera())(FRAME, Outcome(STILL, (), reports=(event(1),)))
    narrator.close(within_s=10)

    assert len(said) == 1
