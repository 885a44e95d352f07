"""Whether and how a station tells the province."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from agent.settings.base import Name, Settings
from agent.translatable import tr
from agent.transport.settings import EndpointSettings
from agent.wire.topics import ROOT, STATION

UP_ROOT = "ngatu-up/v1"


class ProvinceEndpoint(EndpointSettings):
    """The province's broker, and as whom to go there."""

    root: str = Field(
        UP_ROOT, min_length=1, description="First levels of all topics, the same at station and province."
    )


class RequestSettings(Settings):
    """What the province may ask of this station, and who is the province."""

    key: Path = Field(
        examples=["/etc/ngatu-station/province-requests.pub"],
        description="The province's public key for requests (Ed25519, PEM): only what it has signed is heeded.",
    )
    allowed: tuple[Literal["picture", "events", "footage"], ...] = Field(
        (),
        description="Kinds of requests that are done; of any other the answer is that it is not allowed. "
        "picture: one picture of an event. events: ends of events of severity info. footage: a clip of a "
        "camera's footage, handed over with its proof as `ngatu clip` gets it.",
    )
    requests_per_day: int = Field(
        500, ge=1, le=100_000, description="Of a day of UTC; of more the answer is that it is too much."
    )
    bytes_per_day: int = Field(
        256 * 2**20, ge=2**20, le=2**40, description="What may go up for requests in a day of UTC."
    )
    max_picture_bytes: int = Field(2**20, ge=2**14, le=2**24, description="A larger picture does not go up.")
    max_clip_s: int = Field(300, ge=1, le=3600, description="A longer clip of footage is not asked of a box.")


class UplinkSettings(ProvinceEndpoint):
    """The uplink to the province."""

    shard: Name = Field(examples=["s01"], description="The part of the province to which the commune belongs.")
    info_events: bool = Field(
        False, description="Send the ends of events of severity info, too; alerts always go up."
    )
    max_bytes: int = Field(
        64 << 20,
        ge=8 << 20,
        le=1 << 40,
        description="Disk for what is on its way; the rest waits in the store.",
    )

    requests: RequestSettings | None = Field(
        None, description="What the province may ask of this station; null: nothing, and nobody is heard."
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.root == ROOT:
            raise ValueError(tr("root is where boxes and stations speak"))
        if self.shard == STATION:
            raise ValueError(tr("'station' is the worker's own place in the topics: name it otherwise"))
        return self
