"""A request of the province to a commune's station, as it is written, signed, read and judged. Pure.

It is a command of the wire, one floor up: the same payload and signature, below `command/` of the commune.
Signed are shard and commune as SHARD/COMMUNE where a box's name would stand, which no name of a box can be: so
what is signed for one commune is worth nothing to another, and nothing to any box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, StringConstraints, ValidationError, model_validator

from agent.errors import WireError
from agent.settings.base import Name, Settings
from agent.wire import codec
from agent.wire.payloads import CommandPayload, Id
from agent.wire.signature import is_genuine, sign
from agent.wire.verbs import CASE_LETTERS, MAX_CLIP_S, PURPOSE_LETTERS
from station.uplink.envelope import LAST_MS

MAX_BYTES: Final = 8 * 1024
MAX_LIFE_MS: Final = 7 * 86_400_000
"""As long as a broker keeps messages for a station that is away."""
AHEAD_MS: Final = 300_000
"""How far the province's clock may be ahead of the station's."""
MAX_WORDS: Final = 500
MOST_CAMERAS: Final = 64
MOST_EVENTS: Final = 5_000
LONGEST_SPAN_MS: Final = 31 * 86_400_000
LONGEST_CLIP_MS: Final = round(MAX_CLIP_S * 1000)
_Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
_Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=MAX_WORDS)]
_Purpose = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=PURPOSE_LETTERS)]
_Case = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=CASE_LETTERS)]


class RequestKind(StrEnum):
    """What may be asked: the last level of the topic."""

    PICTURE = "picture"
    EVENTS = "events"
    FOOTAGE = "footage"


class RequestReason(StrEnum):
    """Why nothing comes, or not all; a word of the wire."""

    NOT_ALLOWED = "not_allowed"
    MALFORMED = "malformed"
    LATE = "late"
    EARLY = "early"
    OVER_QUOTA = "over_quota"
    NO_EVENT = "no_event"
    NO_PICTURE = "no_picture"
    NOT_KEPT = "not_kept"
    TOO_LARGE = "too_large"
    NO_CAMERA = "no_camera"
    TOO_LONG = "too_long"
    BOX_AWAY = "box_away"
    BOX_SENDS = "box_sends"
    BOX_REFUSED = "box_refused"
    BOX_FAILED = "box_failed"
    NO_PROOF = "no_proof"


WAITS: Final = (RequestReason.BOX_AWAY, RequestReason.BOX_SENDS)
"""Why one that was accepted waits, as the province is told meanwhile."""


class RequestState(StrEnum):
    """How far a request came, by the station's word."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DONE = "done"
    FAILED = "failed"


class PictureArgs(Settings):
    """A picture that an event names."""

    purpose: _Words = Field(description="What for.")
    device: Name = Field(description="The box.")
    event_id: Id = Field(description="The event.")
    sha256: _Sha256 = Field(description="Of the picture, as a message of the event names it.")


class CameraOf(Settings):
    """A camera of the commune."""

    device: Name = Field(description="Its box.")
    camera: Name = Field(description="The camera.")


class EventsArgs(Settings):
    """The ends of events of severity info that did not go up."""

    purpose: _Words = Field(description="What for.")
    cameras: tuple[CameraOf, ...] = Field(min_length=1, max_length=MOST_CAMERAS, description="Of which.")
    from_ms: int = Field(ge=0, le=LAST_MS, description="Events that began from this moment on.")
    to_ms: int = Field(ge=0, le=LAST_MS, description="And before this one.")
    most: int = Field(MOST_EVENTS, ge=1, le=MOST_EVENTS, description="The newest so many, at most.")

    @model_validator(mode="after")
    def _a_span(self) -> EventsArgs:
        if not 0 < self.to_ms - self.from_ms <= LONGEST_SPAN_MS:
            raise ValueError("no span of at most 31 days")
        return self


class FootageArgs(Settings):
    """Footage of a camera, as its box signs it."""

    purpose: _Purpose = Field(description="What for.")
    case_number: _Case = Field(description="Of the case, without which no footage leaves a box.")
    device: Name = Field(description="The box.")
    camera: Name = Field(description="The camera.")
    from_ms: int = Field(ge=0, le=LAST_MS, description="From this moment on.")
    to_ms: int = Field(ge=0, le=LAST_MS, description="And up to this one.")

    @model_validator(mode="after")
    def _a_clip(self) -> FootageArgs:
        if not 0 < self.to_ms - self.from_ms <= LONGEST_CLIP_MS:
            raise ValueError("no span of at most an hour")
        return self


RequestArgs = PictureArgs | EventsArgs | FootageArgs
ARGS: Final[Mapping[RequestKind, type[RequestArgs]]] = {
    RequestKind.PICTURE: PictureArgs,
    RequestKind.EVENTS: EventsArgs,
    RequestKind.FOOTAGE: FootageArgs,
}


@dataclass(frozen=True, slots=True)
class ProvinceRequest:
    """A request that the province has signed; whether it is in time, allowed and new is judged beside it."""

    id: str
    kind: str
    """A word of RequestKind, or one that this version does not know."""
    args: RequestArgs | None
    """None: this version does not understand it."""
    issuer: str
    purpose: str
    """As far as it says one."""
    issued_ms: int
    """By the province's clock, as is `expires_ms`."""
    expires_ms: int
    sha256: str
    """Of kind and bytes: the same id with another content is another request."""


def scope_of(shard: str, commune: str) -> str:
    """For whom a request is signed."""
    return f"{shard}/{commune}"


def digest_of(kind: str, payload: bytes) -> str:
    """By which request and answer know each other."""
    return sha256(kind.encode() + b"\0" + payload).hexdigest()


def written(
    command: CommandPayload, kind: RequestKind, shard: str, commune: str, key: Ed25519PrivateKey
) -> bytes:
    """The signed bytes of a request."""
    return sign(codec.encode(command), scope_of(shard, commune), kind, key)


def read_request(
    kind: str, payload: bytes, retained: bool, shard: str, commune: str, key: Ed25519PublicKey
) -> ProvinceRequest:
    """What a message below `command/` asks for.

    Raises:
        WireError: it is none that the province has signed for this commune; nothing in it can be believed.
    """
    if len(payload) > MAX_BYTES:
        raise WireError(f"too large: {len(payload)} bytes, the limit is {MAX_BYTES}")
    if retained:  # it would come again with each connection, for ever
        raise WireError("retained: no request is")
    if not is_genuine(payload, scope_of(shard, commune), kind, key):
        raise WireError("the signature is not the province's, or not for this commune")
    message = codec.parse(CommandPayload, payload)
    return ProvinceRequest(
        message.id,
        kind,
        _args(kind, message.args),
        message.issuer[:MAX_WORDS],
        str(message.args.get("purpose", ""))[:MAX_WORDS],
        round(message.issued_at.timestamp() * 1000),
        round(message.expires_at.timestamp() * 1000),
        digest_of(kind, payload),
    )


def untimely(request: ProvinceRequest, now_ms: int) -> RequestReason | None:
    """Why it may not be done now, as far as its times say; None: it may."""
    life_ms = request.expires_ms - request.issued_ms
    if not 0 < life_ms <= MAX_LIFE_MS:
        return RequestReason.MALFORMED
    if request.issued_ms > now_ms + AHEAD_MS:
        return RequestReason.EARLY
    return RequestReason.LATE if now_ms >= request.expires_ms else None


def _args(kind: str, args: dict[str, Any]) -> RequestArgs | None:
    model = ARGS.get(RequestKind(kind)) if kind in tuple(RequestKind) else None
    if model is None:
        return None
    try:
        return model.model_validate(args, strict=False)
    except (ValidationError, RecursionError):
        return None
