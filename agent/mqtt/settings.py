"""Where the broker is: the settings of the way to the station."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from agent.mqtt.data_cap import DailySettings
from agent.settings.base import Secret, Settings

Version = Literal["5", "3.1.1"]
Protocol = Annotated[
    Literal["auto", "5", "3.1.1"], BeforeValidator(lambda told: str(told) if isinstance(told, int) else told)
]


class TlsSettings(Settings):
    """How the connection is protected."""

    ca: Path | None = Field(None, description="Authority that signs the broker; none: the system's.")
    cert: Path | None = Field(None, description="This box's certificate, where the broker wants one.")
    key: Path | None = Field(None, description="Its key.")
    check_hostname: bool = Field(True, description="The broker's certificate must bear broker.host.")


class BrokerSettings(Settings):
    """Where the broker is, and how messages go there."""

    host: str = Field("127.0.0.1", min_length=1, max_length=253, description="The broker's name or address.")
    port: int = Field(1883, ge=1, le=65535, description="The broker's port; 8883 is usual with TLS.")
    tls: TlsSettings | None = Field(None, description="TLS; without it everything goes in the clear.")
    username: str | None = Field(None, description="As the broker knows this box.")
    password: Secret | None = Field(None, description="Where the password lies.")
    root: str = Field("ngatu/v1", min_length=1, description="First levels of all topics.")
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

    @field_validator("host")
    @classmethod
    def _resolvable(cls, host: str) -> str:
        try:
            host.encode("idna")
        except UnicodeError:
            raise ValueError(f"{host!r} cannot be a host name") from None
        return host

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.backoff_min_s > self.backoff_max_s:
            raise ValueError("backoff_min_s is longer than backoff_max_s")
        if self.image_window > self.window:
            raise ValueError("image_window is larger than window, of which it is a part")
        return self


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 or 1.3, with the station's authority.

    Raises:
        OSError: a file cannot be read (ssl.SSLError: it is no certificate or key).
    """
    context = ssl.create_default_context(cafile=str(settings.ca) if settings.ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = settings.check_hostname
    if settings.cert is not None:
        context.load_cert_chain(settings.cert, settings.key)
    return context
