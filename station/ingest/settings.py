"""Whose messages a subscriber takes, and from which broker."""

from __future__ import annotations

from typing import Self
from uuid import uuid4

from pydantic import Field, PrivateAttr

from agent.settings.base import Name
from agent.settings.diagnostics import read_settings
from agent.transport.settings import EndpointSettings


class SubscriberSettings(EndpointSettings):
    """Where the broker is, and whose messages to take."""

    communes: tuple[Name, ...] = Field(
        (), description="Whose boxes; empty: all. One will guards the first only."
    )
    devices: tuple[Name, ...] = Field((), description="Which boxes; empty: all.")
    station: Name = Field("station", description="The station's name in its receipts.")
    client_id: str | None = Field(
        None,
        description="MQTT client id; without it one of its own for each commune and name, and without receipts "
        "one that no other has.",
    )
    receipts: bool = Field(
        False,
        description="Give receipts: it is the station of its communes, and the boxes forget what it has. "
        "Off: look on beside the station.",
    )

    _by_chance: str = PrivateAttr(default_factory=lambda: uuid4().hex[:12])

    @classmethod
    def of(cls, text: str) -> Self:
        """The settings in a text, as JSON or YAML.

        Raises:
            ConfigError: with every mistake.
        """
        return read_settings(text.encode(), "settings", cls)

    @property
    def mqtt_id(self) -> str:
        """The MQTT client id: with receipts one for each commune and name, else one that meets no other.

        A name has no dot, so no two communes and names make the same id; the service's begins otherwise.
        """
        if self.client_id is not None:
            return self.client_id
        if not self.receipts:
            return f"ngatu-look-{self._by_chance}"
        return f"ngatu-subscriber.{'.'.join(self.communes) or '+'}.{self.station}"

    @property
    def lookout_id(self) -> str:
        """The client id under which it looks who else is there."""
        return f"ngatu-look-{self._by_chance}"
