"""Payloads to bytes and back: what a box and a station say to each other, version 1.

Nothing else knows JSON (compose.py, which makes messages of events, builds on this module).
What comes from outside is checked here: `parse` gives a payload or raises WireError, whatever the bytes. The
contract itself is docs/reference/wire.md; channels.py has the table of it, payloads/ the fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from agent.core.types import Instant
from agent.errors import WireError
from agent.printable import printable
from agent.wire.channels import CHANNEL, Format, MessageKind
from agent.wire.message import Message, Priority, Stored
from agent.wire.payloads import (
    LAST_YEAR,
    PROOF_DIGITS,
    SCHEMA_VERSION,
    AckBody,
    Carried,
    ChainBody,
    HelloPayload,
    Payload,
    ReceiptPayload,
    SealPlace,
    StationStatusPayload,
    StatusPayload,
    rfc3339,
)
from agent.wire.ranges import ranges
from agent.wire.topics import suffix

JSON = "application/json"
JPEG = "image/jpeg"
BYTES = "application/octet-stream"
MAX_JSON_BYTES = 64 * 1024
"""Hard limit of the contract, and what CloudEvents calls interoperable."""
MAX_IMAGE_BYTES = 256 * 1024
"""Hard limit of the contract for one picture."""
CHAIN = suffix(MessageKind.CHAIN)
"""The topic of seals, below the device."""
LIVE_S = 60.0
"""What is older when it is sent is marked as replayed."""

_ADDED = re.compile(
    rb'\{"seq":\d{1,19},"stream":"[A-Za-z0-9._-]{1,64}","published_at":"[0-9TZ:.+-]{1,40}",'
    rb'"replayed":(?:true|false)(?:,|(?=\}))'
)
"""What `finish` puts in front."""

_LAST_MS = round(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp() * 1000) - 1

P = TypeVar("P", bound=Payload)


def moment(at: Instant) -> datetime:
    """The wall time of an instant in UTC, to the millisecond; kept inside the years of the wire."""
    wall_ms = min(max(0, round(at.wall_s * 1000)), _LAST_MS)
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


def content_type(kind: MessageKind) -> str:
    """The MIME type of what goes by this channel."""
    payload = CHANNEL[kind].payload
    return {Format.JPEG: JPEG, Format.BYTES: BYTES}[payload] if isinstance(payload, Format) else JSON


# ------------------------------------------------------------------------------------------ box to station


def message(
    kind: MessageKind,
    body: bytes,
    at: Instant,
    /,
    *,
    priority: Priority | None = None,
    about: str | None = None,
    revision: int = 0,
    opens: bool = False,
    closes: bool = False,
    **names: str,
) -> Message:
    """A message of this kind for the outbox; `about` is the event or command it belongs to.

    `names` are those of its topic; without a `priority` it has the channel's.
    """
    usual = CHANNEL[kind].priority if priority is None else priority
    assert usual is not None, f"{kind} does not lie in the outbox"
    return Message(
        topic=suffix(kind, **names),
        body=body,
        content_type=content_type(kind),
        priority=usual,
        at=at,
        event_id=about,
        revision=revision,
        opens=opens,
        closes=closes,
    )


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
    place = f'"seq":{stored.seq},"stream":"{stream}","published_at":"{rfc3339(moment(now))}",'
    flag = f'"replayed":{"true" if replayed else "false"}'
    rest = message.body[1:]
    return b"{" + (place + flag).encode() + (b"" if rest == b"}" else b",") + rest


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
    carried: Carried | None = None,
) -> bytes:
    """One link of the chain of the stream `of`, for the outbox.

    `previous` is (stream, number, sha256) of the seal before.
    """
    link = ChainBody(
        of=of,
        number=number,
        previous=_place(previous),
        entries=tuple(entries),
        dropped=tuple(dropped),
        carried=carried,
        time=moment(now),
    )
    return encode(link)


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
    return encode(AckBody(id=command_id, state=state, time=moment(now), detail=detail, result=result or {}))


def pictures_sha256(digests: Iterable[str]) -> str:
    """One hash over the hashes of a look's pictures, in the order in which they were taken; lower-case hex."""
    return sha256("\n".join(digests).encode()).hexdigest()


# ------------------------------------------------------------------------------------------ station to box


def receipt(
    station: str,
    stream: str,
    committed: Iterable[tuple[int, str]],
    now: Instant,
    images: Iterable[str] = (),
    newest: int | None = None,
) -> bytes:
    """What the station has committed of one stream: seq and sha256 of each message, in the order of seq."""
    proofs = tuple((seq, sha256[:PROOF_DIGITS]) for seq, sha256 in committed)
    return encode(
        ReceiptPayload(
            station=station,
            stream=stream,
            committed=tuple(ranges(seq for seq, _ in proofs)),
            proofs=proofs,
            newest=newest,
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
            f"{'.'.join(str(part) for part in e['loc']) or 'payload'}: {_own_words(e['msg'])}"
            for e in error.errors(include_url=False, include_input=False, include_context=False)[:3]
        )
        raise WireError(
            f"{model.__name__}: {printable(wrong)}", f"this side speaks schema {SCHEMA_VERSION}"
        ) from None


def _own_words(text: str) -> str:
    """The words of a foreign library, as far as a person meets them, in ours."""
    if text == "Field required":
        return "is missing"
    return text.replace("Input should be", "should be").removeprefix("Value error, ")


def says_online(payload: bytes) -> bool:
    """Whether a station's status says that it gives receipts; one that was cleared means that none does."""
    return bool(payload) and parse(StationStatusPayload, payload).state == "online"
