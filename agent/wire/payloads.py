"""The JSON payloads of the wire, version 1: what each field is called, means and may hold.

The JSON Schema files in `schema/`, the AsyncAPI document and docs/reference/wire.md are generated from these
models. Unknown fields are ignored, so that a newer box can speak to an older station; words that may grow
with a minor version (kinds, reasons, clock states) are open. Times are RFC 3339 in UTC with milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)

from agent.core.types import EndReason, EventKind, Phase, Severity
from agent.printable import printable
from agent.settings.base import Name

SCHEMA_VERSION = "1.0"
"""Semantic: a new minor version only adds, a new major version breaks."""


def rfc3339(moment: datetime) -> str:
    """The moment in UTC, with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Of every time on the wire. At the end of the year 9999 there is no local time in any zone to the east;
a clock that says so is broken, and a sender that means it is hostile."""
_YEARS = f"outside the years {FIRST_YEAR} to {LAST_YEAR}"


def _to_the_millisecond(moment: datetime) -> datetime:
    """The moment in UTC without microseconds, so that what is read equals what was written.

    Raises:
        ValueError: it is outside the years that a box can mean.
    """
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 beside an offset
        raise ValueError(_YEARS) from None
    if not FIRST_YEAR <= utc.year <= LAST_YEAR:
        raise ValueError(_YEARS)
    beyond = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - beyond) if beyond else utc


Time = Annotated[
    AwareDatetime,
    AfterValidator(_to_the_millisecond),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-03-02T11:04:07.412Z"]},
    ),
]
Version = Annotated[str, StringConstraints(pattern=r"^1\.\d{1,4}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PROOF_DIGITS = 16
"""64 bits of a sha256: who has not read a message cannot name them, and no two messages of a box share them."""
Proof = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{16}$"),
    Field(description="The first 16 hex digits of the sha256 of a message as it lay in the outbox."),
]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LARGEST = 2**53 - 1
"""Of a whole number: beyond it readers of JSON differ (RFC 7493, section 2.2), and sums of it leave 64 bits."""
Whole = Annotated[int, Field(ge=0, le=LARGEST)]
Text = Annotated[str, StringConstraints(max_length=4096), AfterValidator(printable)]
"""For people: what would steer a terminal is taken out as it is read, and as it is written."""
AuditText = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,32768}$")]
"""One line of a box's audit log: JSON in ASCII, byte for byte."""
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Payload(BaseModel):
    """A frozen JSON object that ignores what it does not know."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, populate_by_name=True, allow_inf_nan=False, serialize_by_alias=True
    )


class Posted(Payload):
    """What every message that lies in the outbox is given when it is sent."""

    seq: Whole = Field(description="Number within the stream, without gaps: a hole is a message not here yet.")
    stream: Id = Field(description="One life of the box's outbox file; a new file starts a new stream.")
    published_at: Time = Field(description="When the box sent this copy of the message.")
    replayed: bool = Field(False, description="Older than a minute when sent: do not alarm on it.")


class ClockPayload(Payload):
    """How far the time stamps can be trusted."""

    state: Word = Field(description="ntp, rtc, floor (not before this) or unknown.")
    error_ms: Whole | None = Field(None, description="Estimated error in milliseconds; null: not known.")
    boot_id: Id | None = Field(None, description="Changes with each boot of the box.")
    mono_ms: int | None = Field(
        None, ge=-LARGEST, le=LARGEST, description="Milliseconds of the clock that never steps, in this boot."
    )


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


class FramePayload(Payload):
    """Size of the camera's picture."""

    width_px: Whole = Field(description="Width in pixels.")
    height_px: Whole = Field(description="Height in pixels.")


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


class ModelPayload(Payload):
    """The detector behind the labels and scores."""

    name: Text = Field(description="As its model card names it.")
    sha256: Sha256 | None = Field(None, description="Of the model file.")


class Origin(Payload):
    """Which camera speaks, and how it knows the time."""

    schema_version: Version = Field(alias="schema", description="Version of this contract.")
    commune: Name = Field(description="As in the topic.")
    device: Name = Field(description="As in the topic.")
    camera: Name = Field(description="As in the topic.")
    clock: ClockPayload = Field(description="How far the times can be trusted.")


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


class CountBody(Origin):
    """A count as it lies in the outbox."""

    rule: Text = Field(description="The counting rule, as in the topic.")
    start_time: Time = Field(description="Begin of the interval.")
    end_time: Time = Field(description="End of the interval, not included.")
    duration_s: Amount = Field(description="Length by the clock that never steps.")
    counts: dict[str, dict[Text, Whole]] = Field(description="label -> direction -> number.")
    model: ModelPayload | None = Field(None, description="The detector; null when none ran.")


class CountPayload(CountBody, Posted):
    """What a counting rule counted in one closed interval."""


class StatusPayload(Payload):
    """Is the box there? The will is the same with state offline and the same session."""

    state: Literal["online", "offline", "stopped"] = Field(
        description="stopped: on purpose; offline: the broker lost it."
    )
    session: Id = Field(description="One life of the agent; an offline of another session is stale.")
    time: Time = Field(description="When it was said; for a will, when the box connected.")


class ZoneInfo(Payload):
    """A zone as configured."""

    id: Text = Field(description="As events name it.")
    points: tuple[tuple[Fraction, Fraction], ...] = Field((), description="[x, y] corners, fractions.")


class RuleInfo(Payload):
    """A rule as configured."""

    id: Text = Field(description="As events name it.")
    kind: Text = Field(description="Such as line, zone, motion.")
    zones: tuple[Text, ...] = Field((), description="Zones it watches.")
    labels: tuple[Text, ...] = Field((), description="Labels it is about; empty: all.")
    severity: Severity = Field(Severity.INFO, description="Of its events.")
    points: tuple[tuple[Fraction, Fraction], ...] = Field((), description="[x, y] of a line, fractions.")


class CameraInfo(Payload):
    """A camera as configured; never its address or credentials."""

    id: Name = Field(description="As in the topic.")
    name: Text | None = Field(None, description="For people.")
    kind: Text | None = Field(None, description="rtsp, usb, csi or file.")
    frame: FramePayload | None = Field(None, description="Size of its picture, once known.")
    encoder: Text | None = Field(
        None,
        description="hardware or software: who on the box encodes what is recorded; "
        "null: the camera itself, or nothing is recorded yet.",
    )
    decoder: Text | None = Field(
        None,
        description="Who decodes the picture, such as FFmpeg h264 or FFmpeg h264_v4l2m2m (the board); "
        "null: not known yet.",
    )
    decoder_fallback: Text | None = Field(
        None, description="Why software decodes where the board was to do it; null: it is as configured."
    )
    zones: tuple[ZoneInfo, ...] = Field((), description="Its zones.")
    rules: tuple[RuleInfo, ...] = Field((), description="Its rules.")
    recording: Text | None = Field(
        None, description="How it is recorded, in words, and what becomes of masks and MJPEG; null: it is not."
    )


class LocationInfo(Payload):
    """Where the box hangs."""

    latitude_deg: Number | None = Field(None, ge=-90, le=90, description="WGS 84.")
    longitude_deg: Number | None = Field(None, ge=-180, le=180, description="WGS 84.")
    description: Text | None = Field(None, description="For people: the junction's name.")


class InfoPayload(Payload):
    """Birth: what the box is. Retained, sent at each connect and when it changes."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    commune: Name = Field(description="As in the topic.")
    device: Name = Field(description="As in the topic.")
    session: Id = Field(description="The life of the agent that says so.")
    time: Time = Field(description="When it was said.")
    versions: dict[Text, Text] = Field(description="Of the agent, Python, the system and the libraries.")
    config_sha256: Sha256 | None = Field(None, description="Of the configuration file.")
    role: Text | None = Field(None, description="What the box is for, such as junction.")
    location: LocationInfo | None = Field(None, description="Where it hangs.")
    cameras: tuple[CameraInfo, ...] = Field((), description="Its cameras with zones and rules.")
    model: ModelPayload | None = Field(None, description="Its detector.")
    capabilities: tuple[Text, ...] = Field((), description="What it can do beyond events: commands, clips.")
    evidence_key: Text | None = Field(
        None,
        description="By which it signs packages of footage: Ed25519, base64 of 32 bytes; null: it keeps none.",
    )


class ThrottledHealth(Payload):
    """What the board's firmware holds against its power and heat."""

    under_voltage: bool = Field(False, description="Now.")
    frequency_capped: bool = Field(False, description="Now.")
    under_voltage_since_boot: bool = Field(False, description="At any time since boot.")
    frequency_capped_since_boot: bool = Field(False, description="At any time since boot.")


class DiskHealth(Payload):
    """The file system of the outbox."""

    free_bytes: Whole | None = Field(None, description="Free for the agent.")
    written_bytes: Whole | None = Field(None, description="Written by the agent since boot.")


class RecordingHealth(Payload):
    """How the recording of a camera does."""

    state: Word = Field(description="recording, waiting (for an event) or stopped.")
    mode: Word = Field(description="events or continuous.")
    way: Word | None = Field(
        None,
        description="copy: as the camera sends it; encode: of masked or raw pictures; none. Null: not known.",
    )
    codec: Word | None = Field(None, description="h264, hevc, mjpeg, …")
    width_px: Whole | None = Field(None, description="Of its pictures.")
    height_px: Whole | None = Field(None, description="Of its pictures.")
    why: Text | None = Field(None, description="Why it has stopped, in words.")
    kept_since: Time | None = Field(None, description="Of the oldest footage of this camera.")
    bytes: Whole | None = Field(None, description="Recorded since the start.")
    gaps: Whole | None = Field(None, description="Holes since the start, other than for want of an event.")
    dropped: Whole | None = Field(None, description="Pieces of some seconds that were lost since the start.")


class FootageHealth(Payload):
    """How the footage on the box does."""

    used_bytes: Whole | None = Field(None, description="With its index.")
    max_bytes: Whole | None = Field(None, description="As configured.")
    written_today_bytes: Whole | None = Field(None, description="Since midnight, UTC.")
    own_partition: bool | None = Field(None, description="It lies on a partition of its own.")
    holds: Whole | None = Field(None, description="Ranges that are deleted last.")
    deleted_segments: Whole | None = Field(None, description="Since the start.")
    deleted_held_segments: Whole | None = Field(None, description="Of which were held: nothing else was left.")
    why: Text | None = Field(None, description="What is wrong, in words.")


class CameraHealth(Payload):
    """How a camera runs."""

    state: Word | None = Field(None, description="As in camera/{camera}/status.")
    fps_in: Amount | None = Field(None, description="Frames per second from the camera.")
    fps_analysed: Amount | None = Field(None, description="Frames per second looked at.")
    fps_wanted: Amount | None = Field(
        None, description="The same as the box wants it: less than configured while hot or busy."
    )
    frames_dropped: Whole | None = Field(None, description="Not looked at since the start: too busy.")
    frame_age_s: Amount | None = Field(None, description="Age of the newest frame.")
    reconnects_1h: Whole | None = Field(None, description="In the last hour.")
    detect_ms_p50: Amount | None = Field(None, description="Median of a detector call.")
    detect_ms_p95: Amount | None = Field(None, description="95th percentile of a detector call.")
    recording: RecordingHealth | None = Field(None, description="How it is recorded; null: it is not.")


class OutboxHealth(Payload):
    """What waits for the station."""

    pending: Whole | None = Field(None, description="Messages without a receipt.")
    bytes: Whole | None = Field(None, description="Of the file.")
    oldest_s: Amount | None = Field(None, description="Age of the oldest.")
    dropped: dict[Text, Whole] = Field({}, description="class -> number lost since the file began.")
    quarantined: Whole | None = Field(None, description="Set aside: too large, or refused for good.")
    confirm: Word | None = Field(None, description="receipt, or broker: then a broker's crash may lose.")
    full: bool = Field(False, description="The disk is full: pictures are dropped for the sake of events.")
    in_memory: Text | None = Field(
        None, description="Why messages are kept in memory and not on the disk; null: they are on the disk."
    )
    pictures: Word | None = Field(
        None,
        description="How waiting pictures lie in the file: encrypted, plain (no key is configured), or"
        " key_missing (plain, for the key that is configured cannot be had).",
    )
    locked: Whole | None = Field(
        None,
        description="Of the quarantined, pictures set aside since the start because their key is not here.",
    )
    sent_today_bytes: dict[Text, Whole] = Field({}, description="class -> bytes sent since the day began.")
    wait_for_tomorrow: tuple[Word, ...] = Field((), description="Classes whose bytes of today are used up.")


class MqttHealth(Payload):
    """The connection to the broker."""

    connected_s: Amount | None = Field(None, description="Since the connection was made; null: none.")
    reconnects: Whole | None = Field(None, description="Since the start.")
    refused: Whole | None = Field(None, description="Messages refused by the broker since the start.")


class Degradation(NamedTuple):
    """One word of what is not as it should be, and of what: `detector_failed:north` is of the camera north."""

    word: str
    of: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """From its form on the wire."""
        word, _, of = text.partition(":")
        return cls(word, of)


class ShadowHealth(Payload):
    """A model on trial in the shadow of the one in use, whose events alone are told."""

    model: Text = Field(description="Its name.")
    sha256: Sha256 | None = Field(None, description="Of its file; null: there is none that can be read.")
    state: Word = Field(description="running, passed (the box starts with it next), taken or failed.")
    why: Text | None = Field(None, description="What it passed by, failed for, or still lacks, in words.")
    watched_s: Amount | None = Field(None, description="So long it has looked.")
    crops: Whole | None = Field(None, description="Crops that both have looked at.")
    objects: Whole | None = Field(None, description="Objects in these of which the old one was sure.")
    found: Whole | None = Field(None, description="How many of these it has found.")
    same_label: Whole | None = Field(None, description="How many of those it calls the same.")
    only_new: Whole | None = Field(None, description="Objects of which it alone was sure.")
    failures: Whole | None = Field(None, description="Looks that failed.")
    ms_p50: Amount | None = Field(None, description="Median of a crop, processor time of one core.")
    ms_p95: Amount | None = Field(None, description="95th percentile.")
    old_ms_p50: Amount | None = Field(None, description="The same of the old one.")
    old_ms_p95: Amount | None = Field(None, description="The same of the old one.")
    memory_mb: Amount | None = Field(None, description="The most memory that its process held.")
    old_memory_mb: Amount | None = Field(None, description="The same of the old one.")


class HealthPayload(Payload):
    """What the box says about itself, every minute and on change; null: it cannot know."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    session: Id | None = Field(None, description="The life of the agent that says so.")
    time: Time = Field(description="When it was said.")
    uptime_s: Amount | None = Field(None, description="Of the agent.")
    boot_reason: Text | None = Field(
        None,
        description="Why the agent started, as far as the box knows: first_start, restart_ordered (by the "
        "station), agent_restarted (it had been stopped), agent_crashed, box_restarted, power_lost or unknown.",
    )
    versions: dict[Text, Text] = Field({}, description="As in info.")
    config_sha256: Sha256 | None = Field(None, description="Of the configuration file.")
    cpu_pct: Amount | None = Field(None, description="Of all cores together, 0..100.")
    rss_bytes: Whole | None = Field(None, description="Memory of the agent and its children.")
    cpu_temp_c: Number | None = Field(None, description="Degrees Celsius.")
    throttled: ThrottledHealth | None = Field(None, description="Under-voltage and capped frequency.")
    disk: DiskHealth | None = Field(None, description="The file system of the outbox.")
    cameras: dict[Text, CameraHealth] = Field({}, description="By camera.")
    clock: ClockPayload | None = Field(None, description="How far its time can be trusted.")
    outbox: OutboxHealth | None = Field(None, description="What waits for the station.")
    mqtt: MqttHealth | None = Field(None, description="The connection to the broker.")
    footage: FootageHealth | None = Field(None, description="What is recorded; null: nothing is.")
    shadow: ShadowHealth | None = Field(None, description="A model on trial; null: none is.")
    certificate_ends: Time | None = Field(
        None, description="When its certificate for the broker ends; null: it has none, or cannot read it."
    )
    degraded: tuple[Text, ...] = Field(
        (), description="What is not as it should be: storage_full, overheated, busy, camera_lost:north, …"
    )

    @property
    def degradations(self) -> tuple[Degradation, ...]:
        """`degraded`, taken apart."""
        return tuple(Degradation.read(text) for text in self.degraded)


class CameraStatusPayload(Payload):
    """Does the camera see? Retained."""

    state: Literal["streaming", "stalled", "lost", "blind", "disabled"] = Field(description="Now.")
    since: Time = Field(description="When that state began.")
    time: Time | None = Field(None, description="When it was said.")
    reason: Text | None = Field(None, description="In words, when it does not stream.")
    fps: Amount | None = Field(None, description="Frames per second.")
    frame_age_s: Amount | None = Field(None, description="Age of the newest frame.")


class SealPlace(Payload):
    """One seal of a chain."""

    stream: Id = Field(description="The stream that it belongs to.")
    number: int = Field(ge=1, le=2**53, description="Counts the seals of the stream, from 1.")
    sha256: Sha256 = Field(description="Of its JSON without what the sending added.")


class HelloPayload(Payload):
    """Box to station at each connect: what the outbox holds. The station answers with a receipt."""

    session: Id = Field(description="The life of the agent.")
    stream: Id = Field(description="The life of the outbox file.")
    oldest: Whole | None = Field(None, description="Lowest seq without a receipt; null: none waits.")
    newest: Whole | None = Field(None, description="Highest seq ever given; null: none yet.")
    seal: SealPlace | None = Field(None, description="The newest seal of the stream; null: none yet.")
    time: Time = Field(description="When it was said.")


Range = Annotated[tuple[Whole, Whole], Field(description="first and last seq, both included")]


class Carried(Payload):
    """Messages of an earlier stream that come under new numbers in this one: no losses of that stream."""

    stream: Id | None = Field(None, description="The stream they were in; null: nobody can tell.")
    newest: Whole | None = Field(None, description="Highest seq that it gave, if that is known.")
    seqs: tuple[Range, ...] = Field((), max_length=1_000, description="What they were called there.")
    forked: bool = Field(
        False, description="Others were called so, too: the outbox had been put back, or had a double."
    )


class ChainBody(Payload):
    """A seal as it lies in the outbox: the chain over the messages of a stream (docs/design/delivery.md)."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    of: Id = Field(description="The stream that it seals; it may itself come in a later one.")
    number: int = Field(ge=1, le=2**53, description="Counts the seals of the stream, from 1.")
    previous: SealPlace | None = Field(
        None, description="The seal before; of the first one the last of the stream before, if that is known."
    )
    entries: tuple[tuple[Whole, Sha256], ...] = Field(
        (), max_length=1_000, description="[seq, sha256] of messages that can no longer change."
    )
    dropped: tuple[Range, ...] = Field(
        (), max_length=1_000, description="Given up by the box for want of room: they will not come."
    )
    carried: Carried | None = Field(None, description="Of an earlier stream, saved into this one.")
    time: Time = Field(description="When it was made.")


class ChainPayload(ChainBody, Posted):
    """A seal: lists messages by hash, and the seal before it."""


class ReceiptPayload(Payload):
    """Station to box: what it has committed. The box forgets a message only where the proof is of it."""

    station: Id = Field(description="Which station speaks.")
    stream: Id = Field(description="Of the box's outbox.")
    committed: tuple[Range, ...] = Field(
        (), max_length=10_000, description="[first, last] ranges of the same numbers, to be read by people."
    )
    proofs: tuple[tuple[Whole, Proof], ...] = Field(
        (), max_length=1_000, description="[seq, proof] of what the station has under this number."
    )
    newest: Whole | None = Field(
        None, description="In the answer to a hello: the highest seq of the stream that the station has."
    )
    images: tuple[Sha256, ...] = Field(
        (), max_length=1_000, description="Images committed whose seq MQTT 3.1.1 could not carry."
    )
    time: Time = Field(description="When it was said.")

    @property
    def contradicts_itself(self) -> bool:
        """Whether it names two messages under one number: no station has both, so it proves nothing."""
        return len(dict(self.proofs)) < len(set(self.proofs))

    @field_validator("committed")
    @classmethod
    def _in_order(cls, committed: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        if any(last < first for first, last in committed):
            raise ValueError("a range ends before it begins")
        return committed


class StationStatusPayload(Payload):
    """Is a station there that gives receipts? Retained; the will says offline."""

    state: Literal["online", "offline"] = Field(description="Now.")
    station: Id | None = Field(None, description="Which station.")
    session: Id | None = Field(None, description="One life of its subscriber.")
    time: Time | None = Field(None, description="When it was said.")


class CommandPayload(Payload):
    """Station to box: an order. The verb is the topic's last level."""

    id: Id = Field(description="UUIDv7; the box does it once and answers at ack/{id}.")
    issued_at: Time = Field(description="When it was ordered.")
    expires_at: Time = Field(description="Not to be done afterwards.")
    issuer: Text = Field(description="Who ordered it.")
    args: dict[str, Any] = Field({}, description="What the verb needs.")
    session: Id | None = Field(
        None, description="The life of the agent, as in info, that may do it; none: any. Signed ones name it."
    )
    signature: Text | None = Field(
        None, description="Ed25519, base64, over RFC 8785 form with device and verb."
    )


class AckPayload(Payload):
    """Box to station: what became of a command."""

    id: Id = Field(description="Of the command.")
    state: Literal["accepted", "done", "refused", "failed"] = Field(description="How far it came.")
    time: Time = Field(description="When that was so.")
    detail: Text | None = Field(None, description="Why, in words, when it was not done.")
    result: dict[str, Any] = Field({}, description="What the verb gives back.")


class AuditBody(Payload):
    """Lines of the box's audit log as they lie in the outbox."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    lines: tuple[AuditText, ...] = Field(
        min_length=1,
        max_length=500,
        description="As they stand in the file: JSON with `n`, the number of the line, and `prev`, the sha256 "
        "of the line before.",
    )


class AuditPayload(AuditBody, Posted):
    """Box to station: what was asked of the box and what left it, line by line.

    So the station notices a line that is missing, and one that was another when it came.
    """


class ClockMapBody(Payload):
    """A clock map as it lies in the outbox."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    session: Id = Field(description="The life of the agent that says so.")
    time: Time = Field(description="The wall time, now trusted.")
    clock: ClockPayload = Field(description="The same moment by the steady clock, and who vouches for it.")


class ClockMapPayload(ClockMapBody, Posted):
    """Box to station, once its clock is synchronised: which wall time belongs to which moment of this boot.

    What was stamped before in the same boot happened at time - (clock.mono_ms - its own clock.mono_ms).
    """


class RecordingBody(Payload):
    """The newest link of a recording, as it lies in the outbox."""

    schema_version: Version = Field(SCHEMA_VERSION, alias="schema", description="Version of this contract.")
    camera: Name = Field(description="As in the topic.")
    number: Whole = Field(description="Of the newest finished segment; counts the segments of the camera.")
    link_sha256: Sha256 = Field(
        description="The hash of its link, which names all that was recorded before: footage that comes "
        "later is held against it."
    )
    start: Time = Field(description="Of that segment.")
    end: Time = Field(description="Of that segment.")
    oldest: Time | None = Field(None, description="Since when footage of the camera is kept; null: unknown.")
    codec: Word | None = Field(None, description="h264, hevc, mjpeg, …")
    frame: FramePayload | None = Field(None, description="Size of its pictures.")
    recipient: Text | None = Field(None, description="The age public key for which it is encrypted.")
    time: Time = Field(description="When it was said.")
    clock: ClockPayload = Field(description="The same moment by the steady clock, and who vouches for it.")


class RecordingPayload(RecordingBody, Posted):
    """Box to station, every five minutes while a camera is recorded, and when a recording stops."""


class EvidencePayload(Payload):
    """Box to station: the state of a request for footage, or of an order for frames."""

    id: Id = Field(description="Of the request.")
    state: Literal["requested", "cutting", "sending", "complete", "refused", "failed", "released"] = Field(
        description="How far it came; complete: the station has receipted all of it, or all frames that were "
        "still there."
    )
    time: Time = Field(description="When that was so.")
    detail: Text | None = Field(None, description="Why, in words.")
    size_bytes: Whole | None = Field(None, description="Of the whole package; null: it is not cut yet.")
    sent_bytes: Whole = Field(0, description="Of these, what the station has receipted.")
    parts: Whole | None = Field(None, description="Pieces of all files together; null: it is not cut yet.")
    sent_parts: Whole = Field(0, description="Of these, those that the station has receipted.")
