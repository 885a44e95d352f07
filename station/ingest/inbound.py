"""What a subscriber is handed: one message of a box, read and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.errors import WireError
from agent.wire import codec, topics
from agent.wire.channels import CHANNEL, PARAMETERS, Format, MessageKind
from agent.wire.payloads import LARGEST, CountPayload, EventPayload, ImagePayload, InfoPayload, Payload, Posted
from station.ingest import jpeg
from station.ingest.digests import of_bytes, of_json

__all__ = ["BOXES", "Dialect", "InboundMessage", "MessageKind", "images_of", "numbered", "read"]


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message. What cannot be read has a `problem` and its `raw` bytes, and is handed over all the same."""

    kind: MessageKind
    commune: str
    device: str
    suffix: str
    """The topic below the device."""
    raw: bytes
    digest: str
    """sha256 of what stays the same however often it is sent: of what lay in the box's outbox."""
    payload: Payload | None = None
    """The JSON, by its kind: EventPayload, CountPayload, HealthPayload, …; None for bytes and for problems."""
    event: EventPayload | None = None
    """The event told; for an image the newest event that refers to it, None if that has not come yet."""
    image: bytes | None = None
    """A JPEG."""
    image_kind: str | None = None
    """thumbnail or scene."""
    image_sha256: str | None = None
    """Of `image`; `event.image.sha256` or `event.scene.sha256` is the same."""
    camera: str | None = None
    event_id: str | None = None
    stream: str | None = None
    seq: int | None = None
    """Number within the stream; None for what the box does not keep, and for images over MQTT 3.1.1."""
    replayed: bool = False
    """Old news: show it, but do not alarm."""
    retained: bool = False
    """The broker had it; it may be of any age."""
    problem: str | None = None
    asked: bool = False
    """A piece of footage that this station asked for and does not have: it costs the box no quota."""


def read(
    topic: str, raw: bytes, properties: Mapping[str, str], *, retained: bool = False, root: str = topics.ROOT
) -> InboundMessage:
    """One message as it came; `properties` are MQTT 5's user properties, empty for 3.1.1.

    Raises:
        WireError: the topic is not below a box.
    """
    commune, device, suffix = topics.split(topic, root)
    if device == topics.STATION:
        raise WireError(f"{topic[:200]!r} is the station's own")
    kind, names = topics.read("box", suffix)
    channel = CHANNEL.get(kind)
    carries = None if channel is None else channel.payload
    camera, picture = names.get("camera"), carries is Format.JPEG
    digest = of_bytes(raw) if isinstance(carries, Format) else of_json(raw)
    payload, problem = None, None
    if carries is None:
        problem = f"{suffix[:200]!r} is none of a box's topics"
    elif picture:
        problem = _damaged(raw, digest, properties)
    elif isinstance(carries, type):
        try:
            payload = codec.parse(carries, raw)
        except WireError as error:
            problem = error.what
        else:
            problem = _foreign(payload, commune, device, camera)
    stream, seq = _place(payload, b"" if isinstance(carries, Format) else raw, properties)
    whole = problem is None
    event = payload if isinstance(payload, EventPayload) and whole else None
    return InboundMessage(
        kind=kind,
        commune=commune,
        device=device,
        suffix=suffix,
        raw=raw,
        digest=digest,
        payload=payload if whole else None,
        event=event,
        image=raw if picture and whole else None,
        image_kind=names.get("kind"),
        image_sha256=digest if picture else None,
        camera=camera,
        event_id=event.id if event else names.get("event_id"),
        stream=stream,
        seq=seq,
        replayed=isinstance(payload, Posted) and payload.replayed,
        retained=retained,
        problem=problem,
    )


class ReadsMessages(Protocol):
    """Makes a message of what came by a topic."""

    def __call__(
        self, topic: str, raw: bytes, properties: Mapping[str, str], *, retained: bool = False, root: str
    ) -> InboundMessage:
        """Raises WireError where the topic is nobody's of whom this is."""
        ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a subscriber listens to, and how it reads that: boxes speak to stations, stations to a province."""

    filters: tuple[str, ...]
    """Topics below a device."""
    kind_of: Callable[[str], MessageKind]
    """By the topic below the device, before the message is read."""
    read: ReadsMessages


def _kind_of(suffix: str) -> MessageKind:
    return topics.read("box", suffix)[0]


def numbered(raw: bytes, properties: Mapping[str, str]) -> tuple[str | None, int | None, str]:
    """Stream, seq and digest of what is no JSON."""
    return *_place(None, b"", properties), of_bytes(raw)


def images_of(event: EventPayload) -> tuple[ImagePayload, ...]:
    """The pictures that come with this message of an event."""
    return tuple(image for image in (event.image, event.scene) if image is not None)


def _foreign(payload: Payload, commune: str, device: str, camera: str | None) -> str | None:
    """The broker's ACL guards topics, not payloads: a box must not speak in the name of another."""
    if not isinstance(payload, EventPayload | CountPayload | InfoPayload):
        return None
    own = payload.commune == commune and payload.device == device
    if own and (isinstance(payload, InfoPayload) or payload.camera == camera):
        return None
    return f"the payload names {payload.commune}/{payload.device}, the topic {commune}/{device}/{camera or ''}"


def _damaged(raw: bytes, digest: str, properties: Mapping[str, str]) -> str | None:
    promised = properties.get("sha256")
    if promised is not None and digest != promised:
        return "the picture is not the one that was sent: its sha256 differs"
    if len(raw) > codec.MAX_IMAGE_BYTES:
        return f"no JPEG of at most {codec.MAX_IMAGE_BYTES} bytes"
    wrong = jpeg.fault(raw)
    return None if wrong is None else f"no JPEG: {wrong}"


def _place(payload: Payload | None, raw: bytes, properties: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Stream and seq: from the JSON, even if the rest of it cannot be read, else from the user properties."""
    if isinstance(payload, Posted):
        return payload.stream, payload.seq
    if raw:
        try:
            posted = codec.parse(Posted, raw)
        except WireError:
            pass
        else:
            return posted.stream, posted.seq
    stream, seq = properties.get("stream", ""), properties.get("seq", "")
    if (
        re.fullmatch(PARAMETERS["event_id"].pattern, stream)
        and re.fullmatch(r"[0-9]{1,16}", seq)
        and int(seq) <= LARGEST
    ):
        return stream, int(seq)
    return None, None


BOXES = Dialect(topics.subscriptions("box"), _kind_of, read)
"""What boxes say to their station."""
