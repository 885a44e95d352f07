"""What a subscriber is handed: one message of a box, read and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from agent.errors import WireError
from agent.wire import codec
from agent.wire.payloads import CountPayload, EventPayload, ImagePayload, InfoPayload, Payload, Posted


class MessageKind(StrEnum):
    """Which of a box's topics a message came by."""

    EVENT = "event"
    IMAGE = "image"
    COUNT = "count"
    SNAPSHOT = "snapshot"
    CAMERA_STATUS = "camera_status"
    CLOCK_MAP = "clock_map"
    STATUS = "status"
    INFO = "info"
    HEALTH = "health"
    HELLO = "hello"
    ACK = "ack"
    CHAIN = "chain"
    EVIDENCE = "evidence"
    CHUNK = "chunk"
    UNKNOWN = "unknown"
    """By a topic that this station does not know: of a newer box, or of none."""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message. What cannot be read has a `problem` and its `raw` bytes, and is handed over all the same."""

    sort: MessageKind
    commune: str
    device: str
    suffix: str
    """The topic below the device."""
    raw: bytes
    payload: Payload | None = None
    """The JSON, by its sort: EventPayload, CountPayload, HealthPayload, …; None for bytes and for problems."""
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


_CAMERA = r"camera/(?P<camera>[a-z0-9-]{3,32})"
_ID = r"[A-Za-z0-9._-]{1,64}"
_SORTS: tuple[tuple[re.Pattern[str], MessageKind, Callable[[bytes], Payload] | None], ...] = (
    (re.compile(rf"{_CAMERA}/event"), MessageKind.EVENT, codec.parse_event),
    (
        re.compile(rf"{_CAMERA}/image/(?P<event_id>{_ID})/(?P<image_kind>[a-z]{{1,32}})"),
        MessageKind.IMAGE,
        None,
    ),
    (re.compile(rf"{_CAMERA}/count/[^/]+"), MessageKind.COUNT, codec.parse_count),
    (re.compile(rf"{_CAMERA}/snapshot"), MessageKind.SNAPSHOT, None),
    (re.compile(rf"{_CAMERA}/status"), MessageKind.CAMERA_STATUS, codec.parse_camera_status),
    (re.compile("camera/box/clock_map"), MessageKind.CLOCK_MAP, codec.parse_clock_map),
    (re.compile("status"), MessageKind.STATUS, codec.parse_status),
    (re.compile("info"), MessageKind.INFO, codec.parse_info),
    (re.compile("health"), MessageKind.HEALTH, codec.parse_health),
    (re.compile("hello"), MessageKind.HELLO, codec.parse_hello),
    (re.compile(codec.CHAIN), MessageKind.CHAIN, codec.parse_chain),
    (re.compile(rf"ack/{_ID}"), MessageKind.ACK, codec.parse_ack),
    (re.compile(rf"evidence/{_ID}"), MessageKind.EVIDENCE, codec.parse_evidence),
    (re.compile(rf"evidence/{_ID}/[^/]+/[^/]+"), MessageKind.CHUNK, None),
)
FILTERS = ("status", "info", "health", "hello", "chain", "camera/#", "ack/#", "evidence/#")
"""What to subscribe to below each device; no two of them overlap, for a broker would deliver twice."""


def read(
    topic: str, raw: bytes, properties: Mapping[str, str], *, retained: bool = False, root: str = codec.ROOT
) -> InboundMessage:
    """One message as it came; `properties` are MQTT 5's user properties, empty for 3.1.1.

    Raises:
        WireError: the topic is not below a box.
    """
    commune, device, suffix = codec.split(topic, root)
    if device == codec.STATION:
        raise WireError(f"{topic[:200]!r} is the station's own")
    sort, parse, parts = _sorted(suffix)
    payload, problem = None, None
    if sort is MessageKind.UNKNOWN:
        problem = f"{suffix[:200]!r} is none of a box's topics"
    elif parse is not None:
        try:
            payload = parse(raw)
        except WireError as error:
            problem = error.what
        else:
            problem = _foreign(payload, commune, device, parts.get("camera"))
    picture = sort in (MessageKind.IMAGE, MessageKind.SNAPSHOT)
    if picture:
        problem = _damaged(raw, properties)
    stream, seq = _place(b"" if picture or sort is MessageKind.CHUNK else raw, properties)
    whole = problem is None
    event = payload if isinstance(payload, EventPayload) and whole else None
    return InboundMessage(
        sort=sort,
        commune=commune,
        device=device,
        suffix=suffix,
        raw=raw,
        payload=payload if whole else None,
        event=event,
        image=raw if picture and whole else None,
        image_kind=parts.get("image_kind"),
        image_sha256=sha256(raw).hexdigest() if picture else None,
        camera=parts.get("camera"),
        event_id=event.id if event else parts.get("event_id"),
        stream=stream,
        seq=seq,
        replayed=isinstance(payload, Posted) and payload.replayed,
        retained=retained,
        problem=problem,
    )


def _sorted(suffix: str) -> tuple[MessageKind, Callable[[bytes], Payload] | None, dict[str, str]]:
    for pattern, sort, parse in _SORTS:
        if found := pattern.fullmatch(suffix):
            return sort, parse, found.groupdict()
    return MessageKind.UNKNOWN, None, {}


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


def _damaged(raw: bytes, properties: Mapping[str, str]) -> str | None:
    promised = properties.get("sha256")
    if promised is not None and sha256(raw).hexdigest() != promised:
        return "the picture is not the one that was sent: its sha256 differs"
    if not raw.startswith(b"\xff\xd8") or len(raw) > codec.MAX_IMAGE_BYTES:
        return f"no JPEG of at most {codec.MAX_IMAGE_BYTES} bytes"
    return None


def _place(raw: bytes, properties: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Stream and seq: from the JSON, even if the rest of it cannot be read, else from the user properties."""
    if raw:
        try:
            posted = codec.parse(Posted, raw)
        except WireError:
            pass
        else:
            return posted.stream, posted.seq
    stream, seq = properties.get("stream", ""), properties.get("seq", "")
    if re.fullmatch(_ID, stream) and re.fullmatch(r"[0-9]{1,18}", seq):
        return stream, int(seq)
    return None, None
