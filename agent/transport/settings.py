"""Where a broker is, and as whom to go there."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from agent.settings.base import Secret, Settings
from agent.transport.errors import Whom
from agent.wire.topics import ROOT

Version = Literal["5", "3.1.1"]
"""Of MQTT."""


class TlsSettings(Settings):
    """How the connection is protected: TLS 1.2 or 1.3."""

    ca: Path | None = Field(None, description="Authority that signs the broker; none: the system's.")
    cert: Path | None = Field(None, description="Our certificate, where the broker wants one.")
    key: Path | None = Field(None, description="Its key.")
    check_hostname: bool = Field(True, description="The broker's certificate must bear broker.host.")

    def context(self) -> ssl.SSLContext:
        """For a client.

        Raises:
            OSError: a file cannot be read (ssl.SSLError: it is no certificate or key).
        """
        context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.check_hostname
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context


class EndpointSettings(Settings):
    """Where the broker is, and as whom to go there."""

    host: str = Field("127.0.0.1", min_length=1, max_length=253, description="The broker's name or address.")
    port: int = Field(1883, ge=1, le=65535, description="The broker's port; 8883 is usual with TLS.")
    tls: TlsSettings | None = Field(None, description="TLS; without it everything goes in the clear.")
    username: str | None = Field(None, description="User name, where the broker asks for one.")
    password: Secret | None = Field(None, description="Where the password lies.")
    root: str = Field(
        ROOT, min_length=1, description="First levels of all topics, the same on boxes and station."
    )

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.host}:{self.port}"

    @property
    def whom(self) -> Whom:
        """As whom we go there."""
        if self.username is not None:
            return Whom.USER
        return Whom.CERTIFICATE if self.tls is not None and self.tls.cert is not None else Whom.NOBODY

    @field_validator("host")
    @classmethod
    def _resolvable(cls, host: str) -> str:
        try:
            host.encode("idna")
        except UnicodeError:
            raise ValueError(f"{host!r} cannot be a host name") from None
        return host
