"""What a box says about itself: board, disk, cameras, outbox, connection, footage, a model on trial."""

from __future__ import annotations

from typing import NamedTuple, Self

from pydantic import Field

from agent.wire.payloads.base import SCHEMA_VERSION, Payload
from agent.wire.payloads.clock import ClockPayload
from agent.wire.payloads.field_types import Amount, Id, Number, Sha256, Text, Time, Version, Whole, Word
from agent.wire.payloads.info import MOST_CAMERAS

MOST_DEGRADED = 512
"""All that can be wrong with 64 cameras and the board is half of it. The rest is for rules that are paused: a
box says no more of those than fit."""


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
    cameras: dict[Text, CameraHealth] = Field({}, max_length=MOST_CAMERAS, description="By camera.")
    clock: ClockPayload | None = Field(None, description="How far its time can be trusted.")
    outbox: OutboxHealth | None = Field(None, description="What waits for the station.")
    mqtt: MqttHealth | None = Field(None, description="The connection to the broker.")
    footage: FootageHealth | None = Field(None, description="What is recorded; null: nothing is.")
    shadow: ShadowHealth | None = Field(None, description="A model on trial; null: none is.")
    certificate_ends: Time | None = Field(
        None, description="When its certificate for the broker ends; null: it has none, or cannot read it."
    )
    degraded: tuple[Text, ...] = Field(
        (),
        max_length=MOST_DEGRADED,
        description="What is not as it should be: storage_full, overheated, busy, camera_lost:north, …",
    )

    @property
    def degradations(self) -> tuple[Degradation, ...]:
        """`degraded`, taken apart."""
        return tuple(Degradation.read(text) for text in self.degraded)
