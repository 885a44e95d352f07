"""Whose messages a subscriber takes, and from which broker."""

from __future__ import annotations

from pydantic import Field

from agent.settings.base import Name
from agent.transport.settings import EndpointSettings


class SubscriberSettings(EndpointSettings):
    """Where the broker is, and whose messages to take."""

    communes: tuple[Name, ...] = Field(
        (), description="Whose boxes; empty: all. One will guards the first only."
    )
    devices: tuple[Name, ...] = Field((), description="Which boxes; empty: all.")
    station: Name = Field("station", description="The station's name in its receipts.")
    client_id: str | None = Field(None, description="MQTT client id; without it ngatu- and the station's name.")
    receipts: bool = Field(True, description="Give receipts; off: look on while another station gives them.")

    @property
    def mqtt_id(self) -> str:
        """The MQTT client id."""
        return self.client_id or f"ngatu-{self.station}"
