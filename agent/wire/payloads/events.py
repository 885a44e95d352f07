"""What happened: an event, its rule, its road user and its pictures."""

from __future__ import annotations

from pydantic import Field

from agent.core.types import EndReason, EventKind, Phase, Severity
from agent.wire.payloads.base import Payload, Posted
from agent.wire.payloads.field_types import Fraction, Id, Number, Sha256, Text, Time, Whole, Word
from agent.wire.payloads.origin import FramePayload, ModelPayload, Origin


class BoxPayload(Payload):
    """A rectangle in fractions of the frame: origin top left, y down."""

    left: Fraction = Field(description="Left edge, 0..1.")
    top: Fraction = Field(description="Upper edge, 0..1.")
    right: Fraction = Field(description="Right edge, 0..1.")
    bottom: Fraction = Field(description="Lower edge, 0..1.")


class RulePayload(Payload):
    """The rule that fired."""

    id: Text = Field(description="As the configuration names it.")
    kind: Text = Field(description="Such as line, zone, motion.")


UNKNOWN_COLOUR = "unknown"
"""Nobody could say, as at night."""


class ColourPayload(Payload):
    """The colour of a part of a road user, by its best picture."""

    word: Word = Field(
        description="black, white, grey, red, orange, yellow, green, blue, purple, pink or brown; unknown "
        "where nobody could say, as at night."
    )
    confidence: Fraction = Field(description="The share of the part that has this colour.")


class ObjectPayload(Payload):
    """The road user an event is about."""

    track_id: Id = Field(description="UUIDv7 of the track; events of one road user share it.")
    label: Text = Field(description="What it is believed to be, such as motorcycle.")
    score: Fraction = Field(description="Latest score of the detector.")
    top_score: Fraction = Field(description="Best score so far.")
    riders: Whole = Field(0, description="Persons on a two-wheeler; 0 for everything else.")
    box: BoxPayload = Field(description="Where it is.")
    start_time: Time = Field(description="When it was first seen.")
    end_time: Time | None = Field(None, description="When it was last seen, once it is gone.")
    stationary: bool = Field(False, description="It stands.")
    zones: tuple[Text, ...] = Field((), description="Zones it is in now.")
    entered_zones: tuple[Text, ...] = Field((), description="Zones it has been in, in order.")
    path: tuple[tuple[Number, Fraction, Fraction], ...] = Field(
        (), description="[seconds since start_time, x, y] of its foot, thinned."
    )
    vehicle_colour: ColourPayload | None = Field(
        None, description="Of a vehicle, a motorbike's machine; null: it is none, or has no picture yet."
    )
    clothes_colour: ColourPayload | None = Field(
        None, description="What a person or the rider of a two-wheeler wears above the legs; null: as above."
    )


class ImagePayload(Payload):
    """Where a picture is published, and how to know it."""

    topic: Text = Field(description="Below the device: camera/{camera}/image/{event_id}/{kind}.")
    sha256: Sha256 = Field(description="Of the JPEG's bytes, lower-case hex.")
    width_px: Whole = Field(description="Width in pixels.")
    height_px: Whole = Field(description="Height in pixels.")
    bytes: Whole = Field(description="Length of the JPEG.")
    from_main: bool = Field(
        False, description="Out of the camera's main stream; false: out of the stream that is watched."
    )


class EventBody(Origin):
    """An event as it lies in the outbox: without what is only known when it is sent."""

    id: Id = Field(description="UUIDv7; the same over the event's life. Upsert by it.")
    revision: int = Field(ge=1, le=2**31, description="Counts the event's messages; keep the highest.")
    kind: EventKind | Word = Field(union_mode="left_to_right", description="What happened.")
    phase: Phase = Field(description="Where in its life the event is.")
    severity: Severity = Field(description="alert: for the duty officer now; info: for looking up.")
    time: Time = Field(description="When it happened.")
    start_time: Time = Field(description="When the event began.")
    rule: RulePayload = Field(description="The rule that fired.")
    object: ObjectPayload | None = Field(None, description="The road user; null for events without one.")
    region: BoxPayload | None = Field(None, description="Where it moves, for events without an object.")
    direction: Text | None = Field(None, description="As the rule names it, such as in or out.")
    end_reason: EndReason | Word | None = Field(
        None, union_mode="left_to_right", description="Why it ended; null before that."
    )
    detail: Text | None = Field(None, description="One word more: covered, or the text of an error.")
    frame: FramePayload | None = Field(None, description="Size of the picture that the fractions refer to.")
    image: ImagePayload | None = Field(
        None, description="A better thumbnail comes with this message; null: keep the one you have."
    )
    scene: ImagePayload | None = Field(None, description="The whole view, on alerts; null: keep what you have.")
    model: ModelPayload | None = Field(None, description="The detector; null when none ran.")
    suppressed: Whole = Field(0, description="Held back by the rule's cooldown since the last one told.")


class EventPayload(EventBody, Posted):
    """One message of an event's life, complete but for its pictures."""
