"""agent.publishing.compose"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from agent.core.types import (
    Box,
    Colour,
    Colours,
    ColourWord,
    Count,
    Event,
    EventKind,
    Instant,
    ObjectState,
    Phase,
    Severity,
    Shot,
    Size,
)
from agent.publishing.compose import Sender, count_message, event_messages
from agent.wire import codec
from agent.wire.message import Message, Priority, Stored
from agent.wire.payloads import CountPayload, EventBody, EventPayload
from tests.support.strategies import counts, events

AT = Instant(mono_s=81_237.712, wall_s=1_772_449_447.412)
NOW = Instant(mono_s=81_237.990, wall_s=1_772_449_447.690)
SENDER = Sender("hai-ninh", "hai-ninh-03", "north", "b7c1", "yolox-nano", "6" * 64, "ntp", 12)
RIDER = ObjectState(
    "t-1", "motorcycle", 0.81, 0.93, 2, Box(0.4123456, 0.52, 0.467, 0.701), AT, None, False,
    ("junction",), ("north-leg", "junction"), ((0.0, 0.4, 0.61), (0.5, 0.43, 0.65)),
    Colours(Colour(ColourWord.RED, 0.7839), Colour(None, 0.31)),
)  # fmt: skip
CROSSED = Event(
    "e-1", 2, EventKind.LINE_CROSSED, Phase.START, Severity.ALERT, AT, "stop-line-north", "line", AT,
    frame=Size(1280, 720), object=RIDER, direction="in",
)  # fmt: skip


def noise(width_px: int = 640, height_px: int = 360) -> Shot:
    image = np.random.default_rng(1).integers(0, 256, (height_px, width_px, 3), dtype=np.uint8)
    return Shot(image, AT, Box(0.4, 0.4, 0.6, 0.6), 0.9)


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = json.loads(Path(f"agent/wire/schema/{name}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def sent(message: Message) -> bytes:
    return codec.finish(Stored(48213, message, "0" * 64, message.at), "s-1", NOW)


def kinds(messages: Sequence[Message]) -> list[str]:
    return [message.topic for message in messages]


def test_the_event_of_the_contract_is_told_field_by_field() -> None:
    fields = json.loads(sent(event_messages(CROSSED, SENDER)[0]))

    assert fields == {
        "schema": "1.0", "id": "e-1", "revision": 2, "seq": 48213, "stream": "s-1", "replayed": False,
        "kind": "line_crossed", "phase": "start", "severity": "alert",
        "device": "hai-ninh-03", "commune": "hai-ninh", "camera": "north",
        "time": "2026-03-02T11:04:07.412Z", "start_time": "2026-03-02T11:04:07.412Z",
        "published_at": "2026-03-02T11:04:07.690Z",
        "clock": {"state": "ntp", "error_ms": 12, "boot_id": "b7c1", "mono_ms": 81237712},
        "rule": {"id": "stop-line-north", "kind": "line"},
        "object": {
            "track_id": "t-1", "label": "motorcycle", "score": 0.81, "top_score": 0.93, "riders": 2,
            "box": {"left": 0.412, "top": 0.52, "right": 0.467, "bottom": 0.701},
            "start_time": "2026-03-02T11:04:07.412Z", "end_time": None, "stationary": False,
            "zones": ["junction"], "entered_zones": ["north-leg", "junction"],
            "path": [[0.0, 0.4, 0.61], [0.5, 0.43, 0.65]],
            "vehicle_colour": {"word": "red", "confidence": 0.784},
            "clothes_colour": {"word": "unknown", "confidence": 0.31},
        },
        "region": None, "direction": "in", "end_reason": None, "detail": None,
        "frame": {"width_px": 1280, "height_px": 720}, "image": None, "scene": None,
        "model": {"name": "yolox-nano", "sha256": "6" * 64}, "suppressed": 0,
    }  # fmt: skip


@given(events)
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
def test_any_event_is_schema_valid_and_read_as_it_was_written(event: Event) -> None:
    first, *images = event_messages(event, SENDER)
    payload = sent(first)

    validator("event").validate(json.loads(payload))
    read = codec.parse(EventPayload, payload)
    assert EventBody.model_validate_json(first.body) == EventBody.model_validate(read.model_dump())
    assert EventPayload.model_validate_json(read.model_dump_json()) == read
    assert len(payload) < 16 * 1024
    assert (read.kind, read.phase, read.severity) == (event.kind, event.phase, event.severity)
    refs = [ref for ref in (read.image, read.scene) if ref]
    assert [ref.topic for ref in refs] == kinds(images)
    assert [ref.sha256 for ref in refs] == [sha256(image.body).hexdigest() for image in images]
    assert [ref.bytes for ref in refs] == [len(image.body) for image in images]


@given(counts)
def test_any_count_is_schema_valid_and_read_as_it_was_written(count: Count) -> None:
    message = count_message(count, SENDER)
    payload = sent(message)

    validator("count").validate(json.loads(payload))
    read = codec.parse(CountPayload, payload)
    assert (read.rule, message.topic) == (count.rule_id, f"camera/north/count/{count.rule_id}")
    assert read.duration_s == pytest.approx(max(0.0, count.end.since(count.start)), abs=0.001)
    numbers = [sum(sum(ways.values()) for ways in each.values()) for each in (read.counts, count.counts)]
    assert numbers[0] == numbers[1], "labels that are shown alike are added up"
    assert message.priority is Priority.COUNT


@pytest.mark.parametrize(
    ("kind", "phase", "severity", "priority"),
    [
        (EventKind.LINE_CROSSED, Phase.START, Severity.ALERT, Priority.EVENT),
        (EventKind.OBJECT, Phase.START, Severity.INFO, Priority.EVENT),
        (EventKind.OBJECT, Phase.UPDATE, Severity.INFO, Priority.UPDATE),
        (EventKind.WRONG_WAY, Phase.UPDATE, Severity.ALERT, Priority.UPDATE),
        (EventKind.OBJECT, Phase.END, Severity.INFO, Priority.EVENT),
        (EventKind.CAMERA_BLIND, Phase.UPDATE, Severity.INFO, Priority.EVENT),
    ],
)
def test_starts_ends_and_integrity_go_before_updates(
    kind: EventKind, phase: Phase, severity: Severity, priority: Priority
) -> None:
    event = replace(CROSSED, kind=kind, phase=phase, severity=severity)

    message = event_messages(event, SENDER)[0]

    assert message.priority is priority
    assert message.opens is (phase is not Phase.END)
    assert message.closes is (phase is Phase.END)


@pytest.mark.parametrize(
    ("severity", "priority"), [(Severity.ALERT, Priority.ALERT_IMAGE), (Severity.INFO, Priority.IMAGE)]
)
def test_pictures_follow_their_event_in_their_own_class(severity: Severity, priority: Priority) -> None:
    event = replace(CROSSED, severity=severity, thumbnail=noise(), scene=noise())

    first, thumbnail, scene = event_messages(event, SENDER)

    assert first.event_id == thumbnail.event_id == scene.event_id == "e-1"
    assert thumbnail.topic == "camera/north/image/e-1/thumbnail"
    assert scene.topic == "camera/north/image/e-1/scene"
    assert thumbnail.priority is scene.priority is priority
    assert thumbnail.content_type == "image/jpeg"
    assert not thumbnail.opens


def test_a_long_path_is_thinned_until_the_event_is_of_the_usual_size_and_keeps_its_ends() -> None:
    path = tuple((float(i), 0.001 * i, 0.5) for i in range(1000))
    event = replace(CROSSED, object=replace(RIDER, path=path), thumbnail=noise(), scene=noise())

    payload = sent(event_messages(event, SENDER)[0])

    assert len(payload) < 4 * 1024
    fields = codec.parse(EventPayload, payload).object
    assert fields is not None
    assert fields.path[0] == (0.0, 0.0, 0.5)
    assert fields.path[-1] == (999.0, 0.999, 0.5)
    assert len(fields.path) > 30


def test_an_event_without_a_detector_tells_where_it_moves_and_no_model() -> None:
    event = replace(CROSSED, kind=EventKind.MOTION, object=None, region=Box(0.1, 0.2, 0.3, 0.4))

    fields = codec.parse(EventPayload, sent(event_messages(event, replace(SENDER, model_name=None))[0]))

    assert fields.region is not None
    assert (fields.region.left, fields.region.bottom) == (0.1, 0.4)
    assert fields.model is None
    assert fields.object is None


def test_a_clock_before_1970_is_told_as_1970() -> None:
    fields = codec.parse(EventPayload, sent(event_messages(replace(CROSSED, at=Instant(3.0, -5.0)), SENDER)[0]))

    assert fields.time.isoformat() == "1970-01-01T00:00:00+00:00"
    assert fields.clock.mono_ms == 3000


def test_the_text_of_an_error_may_hold_bytes_that_no_text_can() -> None:
    detail = b"/dev/video\xff: b\xe1\xbb\x8b m\xe1\xba\xa5t".decode(errors="surrogateescape")

    fields = codec.parse(EventPayload, sent(event_messages(replace(CROSSED, detail=detail), SENDER)[0]))

    assert fields.detail == "/dev/video?: bị mất"
