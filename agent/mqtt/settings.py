"""Where the broker is: the settings of the way to the station."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from agent.mqtt.data_cap import DailySettings
from agent.translatable import tr
from agent.transport.settings import EndpointSettings, Version

Protocol = Annotated[
    Literal["auto"] | Version,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
]


class BrokerSettings(EndpointSettings):
    """Where the broker is, and how messages go there."""

    protocol: Protocol = Field("auto", description="Version of MQTT: 5, 3.1.1, or auto: 5 first.")
    confirm: Literal["station", "broker"] = Field(
        "station",
        description="Whose word makes the box forget a message; broker: its crash may lose some.",
    )
    window: int = Field(
        10, ge=1, le=100, description="Messages on the way, not yet acknowledged by the broker."
    )
    image_window: int = Field(2, ge=1, le=10, description="Of these, images and evidence at most.")
    receipt_timeout_s: float = Field(
        30.0, ge=1, le=3600, description="Without a receipt, send again after this."
    )
    keepalive_s: int = Field(20, ge=5, le=120, description="Silence after which the broker is pinged.")
    dead_link_s: float = Field(10.0, ge=2, le=120, description="A connection unanswered for this long is dead.")
    connect_timeout_s: float = Field(15.0, ge=1, le=120, description="For name, TCP, TLS and answer together.")
    backoff_min_s: float = Field(10.0, ge=0.1, le=600, description="Longest wait before the first new attempt.")
    backoff_max_s: float = Field(60.0, ge=1, le=3600, description="Longest wait after many; each is random.")
    max_packet_bytes: int = Field(
        300_000, ge=1024, le=1 << 28, description="Larger ones are set aside, whatever the broker takes."
    )
    daily: DailySettings | None = Field(
        None, description="Bytes in a day over a metered link; absent: as many as there are."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.backoff_min_s > self.backoff_max_s:
            raise ValueError(tr("backoff_min_s is longer than backoff_max_s"))
        if self.image_window > self.window:
            raise ValueError(tr("image_window is larger than window, of which it is a part"))
        return self
