"""agent.workers.command_effects"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NgatuError
from agent.publishing.jpeg import Jpeg
from agent.wire import codec
from tests.support.commanded_box import (
    CommandedBox,
)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[CommandedBox]:
    box = CommandedBox(tmp_path)
    yield box
    box.close()


def test_a_snapshot_is_a_picture_and_an_ack_that_names_it(box: CommandedBox) -> None:
    name = box.command("snapshot", camera="north")
    box.work()

    (ack,) = box.acks(name)
    (picture,) = [each.message for each in box.sent() if each.message.content_type == codec.JPEG]
    assert ack.result["sha256"] == "ab" * 32
    assert (picture.topic, picture.event_id) == ("camera/north/snapshot", name)
    assert picture.body == b"\xff\xd8 a picture"


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"camera": "south", "action": "resume"}, "there is no camera 'south'; there are north"),
        ({"camera": "north", "rule": "x-y", "action": "resume"}, "has no rule 'x-y'; it has stop-line"),
    ],
)
def test_what_names_something_that_is_not_there_fails_with_what_is(
    box: CommandedBox, args: dict[str, Any], why: str
) -> None:
    name = box.command("set", **args)
    box.work()

    (ack,) = box.acks(name)
    assert ack.state == "failed"
    assert why in (ack.detail or "")


def test_errors_of_the_executor_are_its_reasons(box: CommandedBox) -> None:
    def dark(*_given: object) -> Jpeg:
        raise NgatuError("no picture within 10 s: the camera is lost, cable")

    box.hands.picture = dark  # type: ignore[method-assign]
    name = box.command("snapshot", camera="north")
    box.work()

    assert box.acks(name)[0].detail == "no picture within 10 s: the camera is lost, cable"


CLIP = {
    "camera": "north",
    "from": "2026-03-02T18:00:00+07:00",
    "to": "2026-03-02T18:01:00+07:00",
    "case_number": "12/2026",
    "purpose": "collision",
    "officer": "Lê Văn A",
}


def test_a_clip_is_answered_at_once_and_stands_in_the_audit_log_with_who_asked_and_why(
    box: CommandedBox,
) -> None:
    name = box.command("clip", **CLIP)
    box.work()

    (ack,) = box.acks(name)
    assert (ack.state, ack.result["size_bytes"]) == ("done", 7)
    assert box.hands.did == ["clip north"]
    lines = {line["n"]: line for line in box.audit()}
    (line,) = box.hands.lines
    assert lines[line]["args"] == {**CLIP, "from": "2026-03-02T11:00:00.000Z", "to": "2026-03-02T11:01:00.000Z"}
    assert lines[line]["state"] == "begun"


def test_a_clip_of_a_camera_that_is_not_there_fails_with_those_that_are(box: CommandedBox) -> None:
    name = box.command("clip", **{**CLIP, "camera": "south"})
    box.work()

    assert box.acks(name)[0].detail == "there is no camera 'south'; there are north"
    assert box.hands.did == []


def test_a_release_names_the_request(box: CommandedBox) -> None:
    name = box.command("release", request="id-1")
    box.work()

    (ack,) = box.acks(name)
    assert (ack.state, ack.result["was"]) == ("done", "sending")
    assert box.hands.did == ["release id-1"]
