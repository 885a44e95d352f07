"""Event and Count to messages for the outbox: the box's half of the wire contract.

The JSON here lacks what only the sending knows; codec.finish puts it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.core.types import Box, Colour, Count, Event, EventKind, Instant, ObjectState, Phase, Severity
from agent.printable import printable
from agent.publishing.jpeg import Jpeg, ThumbnailSettings, scene, thumbnail
from agent.wire.channels import MessageKind
from agent.wire.codec import encode, message, moment
from agent.wire.message import Message, Priority
from agent.wire.payloads import (
    SCHEMA_VERSION,
    UNKNOWN_COLOUR,
    BoxPayload,
    ClockPayload,
    ColourPayload,
    CountBody,
    EventBody,
    FramePayload,
    ImagePayload,
    ModelPayload,
    ObjectPayload,
    RulePayload,
)

USUAL_JSON_BYTES = 4 * 1024 - 256
"""A path is thinned until its event fits; 256 bytes are left for what wire.finish adds."""
MAX_ZONES = 16
"""More than an object is ever in; the latest are kept."""
INTEGRITY = frozenset(
    {
        EventKind.CAMERA_LOST,
        EventKind.CAMERA_BLIND,
        EventKind.STORAGE_FULL,
        EventKind.STORAGE_RAM_ONLY,
        EventKind.STORAGE_CORRUPT,
        EventKind.OUTBOX_FORKED,
        EventKind.IDENTITY_TAKEN,
        EventKind.RECORDING_STOPPED,
        EventKind.CLOCK_UNTRUSTED,
        EventKind.OVERHEATED,
        EventKind.AGENT_RESTARTED,
        EventKind.MODEL_TRIED,
    }
)
"""Kinds that tell of the box itself; each of their messages goes out first."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What a message says about where it comes from; the clock's state is renewed as it changes."""

    commune: str
    device: str
    camera: str
    boot_id: str
    model_name: str | None = None
    model_sha256: str | None = None
    clock_state: str = "unknown"
    """ntp, rtc, floor or unknown."""
    clock_error_ms: int | None = None
    mono_origin_s: float = 0.0
    """What the monotonic clock showed when the boot began; on Linux it counts from there, so 0."""
    pictures: ThumbnailSettings = field(default_factory=ThumbnailSettings)


def event_messages(event: Event, sender: Sender) -> tuple[Message, ...]:
    """The event as JSON, then its new pictures, in the order in which they should be sent.

    The JSON stays below 4 KiB by thinning the path; strings and lists are cut at the contract's bounds.
    """
    shots: dict[Literal["thumbnail", "scene"], Jpeg] = {}
    if event.thumbnail is not None:
        shots["thumbnail"] = thumbnail(event.thumbnail, sender.pictures)
    if event.scene is not None:
        shots["scene"] = scene(event.scene, sender.pictures)
    image_priority = Priority.ALERT_IMAGE if event.severity is Severity.ALERT else Priority.IMAGE
    images = {
        kind: message(
            MessageKind.IMAGE,
            jpeg.data,
            event.at,
            priority=image_priority,
            about=event.id,
            revision=event.revision,
            camera=sender.camera,
            event_id=event.id,
            kind=kind,
        )
        for kind, jpeg in shots.items()
    }
    main = event.thumbnail is not None and event.thumbnail.from_main
    refs = {
        kind: _image(images[kind].topic, jpeg, main and kind == "thumbnail") for kind, jpeg in shots.items()
    }
    can_wait = event.phase is Phase.UPDATE and event.kind not in INTEGRITY
    first = message(
        MessageKind.EVENT,
        _fitting(_event_body(event, sender, refs.get("thumbnail"), refs.get("scene"))),
        event.at,
        priority=Priority.UPDATE if can_wait else Priority.EVENT,
        about=event.id,
        revision=event.revision,
        opens=event.phase is not Phase.END,
        closes=event.phase is Phase.END,
        camera=sender.camera,
    )
    return first, *images.values()


def count_message(count: Count, sender: Sender) -> Message:
    """A closed interval of a counting rule; its topic carries the rule."""
    body = CountBody(
        **_origin(count.end, sender),
        rule=_text(count.rule_id),
        start_time=moment(count.start),
        end_time=moment(count.end),
        duration_s=max(0.0, round(count.end.since(count.start), 3)),
        counts=_shown_counts(count.counts),
        model=_model(sender),
    )
    return message(MessageKind.COUNT, encode(body), count.end, camera=sender.camera, rule=count.rule_id)


def _event_body(
    event: Event, sender: Sender, image: ImagePayload | None, scene_image: ImagePayload | None
) -> EventBody:
    return EventBody(
        **_origin(event.at, sender),
        id=event.id,
        revision=event.revision,
        kind=event.kind,
        phase=event.phase,
        severity=event.severity,
        time=moment(event.at),
        start_time=moment(event.started),
        rule=RulePayload(id=_text(event.rule_id), kind=_text(event.rule_kind)),
        object=_object(event.object) if event.object else None,
        region=_box(event.region) if event.region else None,
        direction=_text(event.direction) if event.direction is not None else None,
        end_reason=event.end_reason,
        detail=_text(event.detail, 300) if event.detail is not None else None,
        frame=FramePayload(width_px=event.frame.width_px, height_px=event.frame.height_px)
        if event.frame
        else None,
        image=image,
        scene=scene_image,
        model=_model(sender),
        suppressed=max(0, event.suppressed),
    )


def _origin(at: Instant, sender: Sender) -> dict[str, Any]:
    clock = ClockPayload(
        state=sender.clock_state,
        error_ms=sender.clock_error_ms,
        boot_id=sender.boot_id,
        mono_ms=round((at.mono_s - sender.mono_origin_s) * 1000),
    )
    return {
        "schema_version": SCHEMA_VERSION,
        "commune": sender.commune,
        "device": sender.device,
        "camera": sender.camera,
        "clock": clock,
    }


def _object(state: ObjectState) -> ObjectPayload:
    return ObjectPayload(
        track_id=state.track_id,
        label=_text(state.label),
        score=_fraction(state.score),
        top_score=_fraction(state.top_score),
        riders=max(0, state.riders),
        box=_box(state.box),
        start_time=moment(state.started),
        end_time=moment(state.ended) if state.ended else None,
        stationary=state.stationary,
        zones=tuple(_text(zone) for zone in state.zones[:MAX_ZONES]),
        entered_zones=tuple(_text(zone) for zone in state.entered_zones[-MAX_ZONES:]),
        path=tuple((round(after_s, 3), _fraction(x), _fraction(y)) for after_s, x, y in state.path),
        vehicle_colour=_colour(state.colours.vehicle),
        clothes_colour=_colour(state.colours.clothes),
    )


def _colour(colour: Colour | None) -> ColourPayload | None:
    if colour is None:
        return None
    return ColourPayload(word=colour.word or UNKNOWN_COLOUR, confidence=_fraction(colour.confidence))


def _fitting(body: EventBody) -> bytes:
    """The JSON of the event; every second point of its path is left out until it is of the usual size."""
    encoded = encode(body)
    while len(encoded) > USUAL_JSON_BYTES and body.object and len(body.object.path) > 2:
        path = body.object.path
        thin = path[:-1:2] + path[-1:]  # where it came from and where it is now stay
        body = body.model_copy(update={"object": body.object.model_copy(update={"path": thin})})
        encoded = encode(body)
    return encoded


def _image(topic: str, jpeg: Jpeg, from_main: bool) -> ImagePayload:
    return ImagePayload(
        topic=topic,
        sha256=jpeg.sha256,
        width_px=jpeg.width_px,
        height_px=jpeg.height_px,
        bytes=len(jpeg.data),
        from_main=from_main,
    )


def _model(sender: Sender) -> ModelPayload | None:
    return ModelPayload(name=sender.model_name, sha256=sender.model_sha256) if sender.model_name else None


def _box(box: Box) -> BoxPayload:
    """Three decimals are a pixel of a 1000 pixel wide picture; a predicted box may reach out of the frame."""
    return BoxPayload(
        left=_fraction(box.left),
        top=_fraction(box.top),
        right=_fraction(box.right),
        bottom=_fraction(box.bottom),
    )


def _fraction(value: float) -> float:
    return round(min(max(0.0, value), 1.0), 3)


def _shown_counts(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """By labels and ways as the wire shows them: those that become the same there are added up."""
    found: dict[str, dict[str, int]] = {}
    for label, ways in counts.items():
        shown = found.setdefault(printable(_text(label)), {})
        for way, number in ways.items():
            shown[printable(way)] = shown.get(printable(way), 0) + number
    return found


def _text(words: str, most: int = 64) -> str:
    """At most `most` characters that UTF-8 can carry: errors of the system may hold lone surrogates."""
    return words[:most].encode("utf-8", "replace").decode()
