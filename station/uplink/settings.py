"""Whether and how a station tells the province."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from agent.settings.base import Name
from agent.translatable import tr
from agent.transport.settings import EndpointSettings
from agent.wire.topics import ROOT, STATION

UP_ROOT = "ngatu-up/v1"


class ProvinceEndpoint(EndpointSettings):
    """The province's broker, and as whom to go there."""

    root: str = Field(
        UP_ROOT, min_length=1, description="First levels of all topics, the same at station and province."
    )


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

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.root == ROOT:
            raise ValueError(tr("root is where boxes and stations speak"))
        if self.shard == STATION:
            raise ValueError(tr("'station' is the worker's own place in the topics: name it otherwise"))
        return self
