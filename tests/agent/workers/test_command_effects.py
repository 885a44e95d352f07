"""agent.workers.command_effects"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import NgatuError
from agent.publishing.jpeg import Jpeg
from agent.wire import codec
from tests.support.commanded_box import KEY, NOW_S, TOPICS, CommandedBox


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


SAMPLES = {"most": 500, "purpose": "two-wheelers", "officer": "Lê Văn A"}


def test_an_order_for_frames_stands_in_the_audit_log_before_any_leaves_and_is_done_once(
    box: CommandedBox,
) -> None:
    name = box.command("samples", **SAMPLES)
    box.work()
    box.command("samples", name, **SAMPLES)  # a copy of it
    box.begin()
    box.command("samples", name, **SAMPLES)  # and once more, to a later life
    box.work()

    assert box.acks(name)[0].result["frames"] == 3
    assert box.hands.did == ["samples 500"]
    (line,) = [each for each in box.audit() if [each["n"]] == box.hands.lines]
    assert (line["verb"], line["state"], line["args"]) == ("samples", "begun", SAMPLES)


def test_where_the_audit_log_cannot_be_written_no_frame_leaves(box: CommandedBox) -> None:
    (box.folder / "audit.log").mkdir()
    box.begin()
    name = box.command("samples", **SAMPLES)
    box.work()

    assert "it cannot be written into the audit log" in (box.acks(name)[0].detail or "")
    assert box.hands.did == []


@pytest.mark.parametrize(
    ("session", "spoil", "why"),
    [
        ("", False, None),
        ("", True, "the signature is not the station's"),
        ("session-9", False, "it is for another session of this box"),
    ],
)
def test_where_orders_are_signed_only_a_signed_one_of_this_life_has_frames_sent(
    box: CommandedBox, session: str, spoil: bool, why: str | None
) -> None:
    box.begin(KEY.public_key())
    words = {"purpose": "two-wheelers", "officer": "Lê Văn A"}
    unsigned = box.command("samples", **words)
    if spoil:
        body = box.signed("other", session, "clip", **words)
        box.hear(TOPICS.below("command/samples"), body.replace(b"other", b"s-1"))
    else:
        box.signed("s-1", session, "samples", **words)
    box.work()

    assert "unsigned" in (box.acks(unsigned)[0].detail or "")
    assert box.hands.did == ([] if why else ["samples 2000"])
    if why is not None:
        assert why in (box.acks("s-1")[0].detail or "")


def test_an_order_for_frames_that_is_too_old_is_refused(box: CommandedBox) -> None:
    name = box.command("samples", issued_s=NOW_S - 3600, **SAMPLES)
    box.work()

    assert box.acks(name)[0].detail == "expired"
    assert box.hands.did == []
