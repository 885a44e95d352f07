"""agent.tools.preview.scene"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agent.core import pipeline
from agent.core.ids import Ids
from agent.core.pipeline import Outcome, PipelineSettings, PipelineState
from agent.core.tamper.classify import TamperKind
from agent.core.tamper.evidence import Visibility
from agent.core.types import Box, Crop, Event, EventKind, Instant, Motion, Phase, Reason, Severity, Track
from agent.detectors.absent import Absent
from agent.tools.preview.scene import EVENTS, PATH, SceneWriter
from tests.support.squares import frame_of

AT = Instant(5.0, 1_770_000_005.0)
BOX = Box(0.123456, 0.2, 0.4, 0.9)
TRACK = Track("id-1", "car", 0.876, 0.9, BOX, (0, 0), AT, AT, seen=True, confirmed=True)
STILL = Motion((), 0.0)


def event(rule: str, phase: Phase = Phase.START) -> Event:
    return Event("id", 1, EventKind.LINE_CROSSED, phase, Severity.ALERT, AT, rule, "line", AT, direction="in")


def test_what_is_seen_is_written_in_fractions_that_json_takes() -> None:
    outcome = Outcome(
        Motion((BOX,), 0.1),
        (TRACK,),
        Visibility(TamperKind.DARK),
        crops=(Crop(BOX, Reason.TRACK),),
        reports=(event("stop-line"), event("stop-line", Phase.END)),
    )
    answered = json.loads(json.dumps(SceneWriter().write(frame_of((), 0, AT), outcome)))

    corners = [0.1235, 0.2, 0.4, 0.9]
    assert answered["size"] == [512, 256]
    assert answered["motion"] == [corners]
    assert answered["crops"] == [{"box": corners, "why": "track"}]
    assert answered["sees"] == "dark"
    (track,) = answered["tracks"]
    assert (track["number"], track["label"], track["score"], track["box"]) == (1, "car", 0.88, corners)
    assert track["path"] == [[0.2617, 0.9]]
    (told_event,) = answered["events"]
    assert (told_event["rule"], told_event["kind"], told_event["direction"]) == (
        "stop-line",
        "line_crossed",
        "in",
    )


def test_a_track_keeps_its_number_and_a_bounded_path_while_it_lives() -> None:
    writer = SceneWriter()
    for index in range(PATH + 20):
        answered = writer.write(frame_of((), index, AT), Outcome(STILL, (TRACK, replace(TRACK, id="other"))))
    numbers = [each["number"] for each in answered["tracks"]]
    writer.write(frame_of((), 99, AT), Outcome(STILL, (replace(TRACK, ended=True),)))
    again = writer.write(frame_of((), 100, AT), Outcome(STILL, (TRACK,)))

    assert numbers == [1, 2]
    assert len(answered["tracks"][0]["path"]) == PATH
    assert again["tracks"][0]["number"] == 3
    assert len(again["tracks"][0]["path"]) == 1


def test_the_latest_events_come_first_and_old_ones_go() -> None:
    writer = SceneWriter()
    for number in range(EVENTS + 5):
        answered = writer.write(
            frame_of((), number, AT), Outcome(STILL, (), reports=(event(f"rule-{number}"),))
        )

    assert [each["rule"] for each in answered["events"]] == [f"rule-{EVENTS + 4 - n}" for n in range(EVENTS)]


@pytest.mark.long
def test_what_the_stages_give_can_be_written() -> None:
    state, writer = PipelineState(Ids(b"0" * 16)), SceneWriter()
    for index in range(30):
        frame = frame_of((index * 10.0,), index, Instant(index / 10, 1e9 + index / 10))
        state, outcome = pipeline.update(state, frame, Absent().detect, Absent.input_size, PipelineSettings())
        assert json.dumps(writer.write(frame, outcome))
