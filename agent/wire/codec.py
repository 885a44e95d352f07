"""What a box and a station say to each other, version 1: topics, and payloads to bytes and back.

Nothing else knows JSON or topics (compose.py, which makes messages of events, builds on this module).
What comes from outside is checked here: every parse_* function gives a payload or raises WireError, whatever
the bytes. The contract itself is docs/reference/wire.md; the fields are in payloads.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from agent.core.types import Instant
from agent.errors import WireError
from agent.wire.message import Stored
from agent.wire.payloads import (
    SCHEMA_VERSION,
    AckPayload,
    CameraStatusPayload,
    Carried,
    ChainBody,
    ChainPayload,
    ClockMapPayload,
    CommandPayload,
    CountPayload,
    EventPayload,
    EvidencePayload,
    HealthPayload,
    HelloPayload,
    InfoPayload,
    Payload,
    ReceiptPayload,
    SealPlace,
    StationStatusPayload,
    StatusPayload,
    rfc3339,
)

JSON = "application/json"
JPEG = "image/jpeg"
ROOT = "ngatu/v1"
MAX_JSON_BYTES = 64 * 1024
"""Hard limit of the contract, and what CloudEvents calls interoperable."""
MAX_IMAGE_BYTES = 256 * 1024
"""Hard limit of the contract for one picture."""
STATION = "station"
"""Stands where a device stands, in the topic of the station's own status."""
CHAIN = "chain"
"""The topic of seals, below the device."""
LIVE_S = 60.0
"""What is older when it is sent is marked as replayed."""

_ADDED = re.compile(
    rb'\{"seq":\d{1,19},"stream":"[A-Za-z0-9._-]{1,64}","published_at":"[0-9TZ:.+-]{1,40}",'
    rb'"replayed":(?:true|false)(?:,|(?=\}))'
)
"""What `finish` puts in front."""
_NAME = re.compile(r"[a-z0-9-]{3,32}")
_LEVELS = re.compile(r"[^/+#\x00]+(?:/[^/+#\x00]+)*")

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one box.

    Raises:
        WireError: an id is not 3 to 32 of a-z, 0-9 and '-', is the reserved word 'station', or the root holds a
            wildcard.
    """

    commune: str
    device: str
    root: str = ROOT

    def __post_init__(self) -> None:
        for what, name in (("commune", self.commune), ("device", self.device)):
            if not _NAME.fullmatch(name) or name == STATION:
                raise WireError(
                    f"{what} {name!r} cannot stand in a topic", "use 3 to 32 of a-z, 0-9 and '-', not 'station'"
                )
        if not _LEVELS.fullmatch(self.root):
            raise WireError(f"root {self.root!r} cannot begin a topic", "use levels such as ngatu/v1")

    def of(self, suffix: str) -> str:
        """The full topic of something below the device."""
        return f"{self.root}/{self.commune}/{self.device}/{suffix}"

    @property
    def status(self) -> str:
        """Online or not; retained, and the will."""
        return self.of("status")

    @property
    def info(self) -> str:
        """The birth message; retained."""
        return self.of("info")

    @property
    def health(self) -> str:
        """What the box says about itself; retained."""
        return self.of("health")

    @property
    def hello(self) -> str:
        """What the outbox holds, at each connect."""
        return self.of("hello")

    @property
    def receipt(self) -> str:
        """What the station has committed."""
        return self.of("receipt")

    @property
    def commands(self) -> str:
        """The subscription for commands."""
        return self.of("command/#")

    @property
    def station_status(self) -> str:
        """Whether the commune's station gives receipts; retained."""
        return station_status_topic(self.commune, self.root)


def station_status_topic(commune: str, root: str = ROOT) -> str:
    """Where the commune's station says whether it gives receipts."""
    return f"{root}/{commune}/{STATION}/status"


def split(topic: str, root: str = ROOT) -> tuple[str, str, str]:
    """Commune, device and what follows; the device is 'station' for the station's own status.

    Raises:
        WireError: the topic is not below the root, or an id is not one.
    """
    prefix, _, rest = topic[: len(root)], topic[len(root) : len(root) + 1], topic[len(root) + 1 :]
    commune, _, below = rest.partition("/")
    device, _, suffix = below.partition("/")
    known = prefix == root and topic[len(root) : len(root) + 1] == "/"
    if not (known and _NAME.fullmatch(commune) and _NAME.fullmatch(device) and suffix):
        raise WireError(f"topic {topic[:200]!r} is not {root}/{{commune}}/{{device}}/…")
    return commune, device, suffix


def moment(at: Instant) -> datetime:
    """The wall time of an instant in UTC, to the millisecond; kept inside the years 1970 to 9999."""
    wall_ms = min(max(0, round(at.wall_s * 1000)), 253_402_300_799_999)
    return datetime.fromtimestamp(wall_ms // 1000, UTC).replace(microsecond=wall_ms % 1000 * 1000)


def encode(payload: Payload) -> bytes:
    """The payload as compact JSON in UTF-8.

    Raises:
        WireError: it is larger than the contract allows.
    """
    body = payload.model_dump_json().encode()
    if len(body) > MAX_JSON_BYTES:
        raise WireError(f"{type(payload).__name__} of {len(body)} bytes", f"the limit is {MAX_JSON_BYTES}")
    return body


# ------------------------------------------------------------------------------------------ box to station


def finish(stored: Stored, stream: str, now: Instant) -> bytes:
    """The bytes to publish: a JSON body with seq, stream, published_at and replayed put in; a picture as it is.

    Age is judged by the clock that never steps, for the wall clock of a box without a battery jumps by years
    when the network comes. That clock starts anew with each boot: a message from a later mono_s than now, or
    from more than a minute before, is of an earlier boot or old, and is history in both cases. Only a
    message of an earlier boot whose uptime happens to lie within the last minute passes as live: in doubt the
    screen alarms.
    """
    message = stored.message
    if message.content_type != JSON:
        return message.body
    replayed = not 0 <= now.since(message.at) <= LIVE_S
    told = f'"seq":{stored.seq},"stream":"{stream}","published_at":"{rfc3339(moment(now))}",'
    flag = f'"replayed":{"true" if replayed else "false"}'
    rest = message.body[1:]
    return b"{" + (told + flag).encode() + (b"" if rest == b"}" else b",") + rest


def body(payload: bytes) -> bytes:
    """The JSON without what `finish` put in: what the outbox held, and what its sha256 is of."""
    added = _ADDED.match(payload)
    return payload if added is None else b"{" + payload[added.end() :]


def seal(
    of: str,
    number: int,
    previous: tuple[str, int, str] | None,
    entries: Iterable[tuple[int, str]],
    dropped: Iterable[tuple[int, int]],
    now: Instant,
    carried: tuple[str | None, int | None, Iterable[tuple[int, int]]] | None = None,
) -> bytes:
    """One link of the chain of the stream `of`, for the outbox.

    `previous` is (stream, number, sha256) of the seal before; `carried` is (stream, its newest seq, ranges of
    seq) of what was saved into this stream.
    """
    told = ChainBody(
        of=of,
        number=number,
        previous=_place(previous),
        entries=tuple(entries),
        dropped=tuple(dropped),
        carried=Carried(stream=carried[0], newest=carried[1], seqs=tuple(carried[2])) if carried else None,
        time=moment(now),
    )
    return encode(told)


def _place(seal: tuple[str, int, str] | None) -> SealPlace | None:
    return SealPlace(stream=seal[0], number=seal[1], sha256=seal[2]) if seal else None


def properties(stored: Stored, stream: str) -> dict[str, str]:
    """MQTT 5 user properties; `sha256` is of a picture's bytes, or of a JSON body before `finish`."""
    known = {"seq": str(stored.seq), "stream": stream, "sha256": stored.sha256, "schema": SCHEMA_VERSION}
    event_id = stored.message.event_id
    return known if event_id is None else {"event_id": event_id, **known}


def hello(
    session: str,
    stream: str,
    oldest: int | None,
    newest: int | None,
    now: Instant,
    head: tuple[str, int, str] | None = None,
) -> bytes:
    """What the outbox holds; None where it holds nothing.

    `head` is (stream, number, sha256) of its newest seal.
    """
    return encode(
        HelloPayload(
            session=session, stream=stream, oldest=oldest, newest=newest, seal=_place(head), time=moment(now)
        )
    )


def status(state: Literal["online", "offline", "stopped"], session: str, now: Instant) -> bytes:
    """The box's own state; the will is `offline` with the same session."""
    return encode(StatusPayload(state=state, session=session, time=moment(now)))


def ack(
    command_id: str,
    state: Literal["accepted", "done", "refused", "failed"],
    now: Instant,
    detail: str | None = None,
    result: dict[str, Any] | None = None,
) -> bytes:
    """What became of a command."""
    return encode(AckPayload(id=command_id, state=state, time=moment(now), detail=detail, result=result or {}))


# ------------------------------------------------------------------------------------------ station to box


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a station has committed."""

    station: str
    stream: str
    committed: tuple[tuple[int, int], ...]
    """First and last seq of each range, both included."""
    images: tuple[str, ...]
    """sha256 of committed pictures whose seq the station could not see: MQTT 3.1.1 has no user properties."""


def receipt(
    station: str,
    stream: str,
    committed: Iterable[tuple[int, int]],
    now: Instant,
    images: Iterable[str] = (),
) -> bytes:
    """What the station has committed of one stream."""
    return encode(
        ReceiptPayload(
            station=station,
            stream=stream,
            committed=tuple(committed),
            images=tuple(images),
            time=moment(now),
        )
    )


def station_status(state: Literal["online", "offline"], station: str, session: str, now: Instant) -> bytes:
    """The station's own state; the will is `offline`."""
    return encode(StationStatusPayload(state=state, station=station, session=session, time=moment(now)))


# -------------------------------------------------------------------------------------------------- reading


def parse(model: type[P], payload: bytes) -> P:
    """The payload as `model`.

    Raises:
        WireError: it is too large, not JSON, or not what the contract says; the text names the first fields.
    """
    if len(payload) > MAX_JSON_BYTES:
        raise WireError(f"{model.__name__}: {len(payload)} bytes", f"the limit is {MAX_JSON_BYTES}")
    try:
        return model.model_validate_json(payload, strict=True)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in e['loc']) or 'payload'}: {e['msg']}"
            for e in error.errors(include_url=False, include_input=False, include_context=False)[:3]
        )
        raise WireError(f"{model.__name__}: {wrong}", f"this side speaks schema {SCHEMA_VERSION}") from None


def parse_event(payload: bytes) -> EventPayload:
    """A message of camera/{camera}/event."""
    return parse(EventPayload, payload)


def parse_count(payload: bytes) -> CountPayload:
    """A message of camera/{camera}/count/{rule}."""
    return parse(CountPayload, payload)


def parse_chain(payload: bytes) -> ChainPayload:
    """A message of chain."""
    return parse(ChainPayload, payload)


def parse_status(payload: bytes) -> StatusPayload:
    """A message of status."""
    return parse(StatusPayload, payload)


def parse_camera_status(payload: bytes) -> CameraStatusPayload:
    """A message of camera/{camera}/status."""
    return parse(CameraStatusPayload, payload)


def parse_info(payload: bytes) -> InfoPayload:
    """A message of info."""
    return parse(InfoPayload, payload)


def parse_health(payload: bytes) -> HealthPayload:
    """A message of health."""
    return parse(HealthPayload, payload)


def parse_hello(payload: bytes) -> HelloPayload:
    """A message of hello."""
    return parse(HelloPayload, payload)


def parse_clock_map(payload: bytes) -> ClockMapPayload:
    """A message of camera/box/clock_map."""
    return parse(ClockMapPayload, payload)


def parse_ack(payload: bytes) -> AckPayload:
    """A message of ack/{command_id}."""
    return parse(AckPayload, payload)


def parse_evidence(payload: bytes) -> EvidencePayload:
    """A message of evidence/{request_id}."""
    return parse(EvidencePayload, payload)


def parse_command(payload: bytes) -> CommandPayload:
    """A message of command/{verb}; whether it may be done is not judged here."""
    return parse(CommandPayload, payload)


def parse_receipt(topic: str, payload: bytes) -> Receipt:
    """A message of receipt; `topic` only tells it apart from other messages.

    Raises:
        WireError: not a receipt topic, not the contract, or a range that ends before it begins.
    """
    if not topic.endswith("/receipt"):
        raise WireError(f"{topic[:200]!r} is no receipt topic")
    told = parse(ReceiptPayload, payload)
    if any(last < first for first, last in told.committed):
        raise WireError("ReceiptPayload: a range ends before it begins")
    return Receipt(told.station, told.stream, told.committed, told.images)


def parse_station_status(payload: bytes) -> bool:
    """Whether a station gives receipts; a retained message that was cleared means that none does."""
    return bool(payload) and parse(StationStatusPayload, payload).state == "online"
