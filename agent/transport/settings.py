"""Where a broker is, and as whom to go there."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from agent.settings.base import Secret, Settings, host_fault
from agent.translatable import tr
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
            OSError: a file cannot be read, is no certificate or key, or two are no pair; the text says which.
        """
        self._readable()
        try:
            context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        except ssl.SSLError:
            raise OSError(tr("broker.tls.ca: {ca} holds no certificate", ca=self.ca)) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.check_hostname
        if self.cert is not None:
            try:
                context.load_cert_chain(self.cert, self.key)
            except ssl.SSLError as error:
                raise OSError(self._no_pair(error)) from None
        return context

    def certificate_ends(self) -> datetime | None:
        """When our certificate ends; None: there is none, or it cannot be read as one."""
        # Here: 8 MB that only a box needs, for what it says of its own health (measured).
        from cryptography.x509 import load_pem_x509_certificate  # noqa: PLC0415

        try:
            found = None if self.cert is None else load_pem_x509_certificate(self.cert.read_bytes())
        except (OSError, ValueError):
            return None
        return None if found is None else found.not_valid_after_utc

    def _readable(self) -> None:
        """OpenSSL does not say which file it could not read."""
        for name, file in (("ca", self.ca), ("cert", self.cert), ("key", self.key)):
            if file is None:
                continue
            try:
                with file.open("rb") as opened:
                    opened.read(1)
            except OSError as error:
                raise OSError(
                    tr(
                        "broker.tls.{name}: {file}: {reason}",
                        name=name,
                        file=file,
                        reason=error.strerror or type(error).__name__,
                    )
                ) from None

    def _no_pair(self, error: ssl.SSLError) -> str:
        if self.key is None:
            return tr("broker.tls.key: it is not set, and {cert} holds no key", cert=self.cert)
        if error.reason == "KEY_VALUES_MISMATCH":
            return tr("broker.tls.key: {key} is not the key of {cert}", key=self.key, cert=self.cert)
        return tr(
            "broker.tls.cert: {cert} and {key} are not a certificate and its key, in PEM",
            cert=self.cert,
            key=self.key,
        )


class EndpointSettings(Settings):
    """Where the broker is, and as whom to go there."""

    host: str = Field(
        "127.0.0.1", min_length=1, max_length=253, description=tr("The broker's name or address.")
    )
    port: int = Field(1883, ge=1, le=65535, description="The broker's port; 8883 is usual with TLS.")
    hosts: tuple[str, ...] = Field(
        (),
        max_length=15,
        description="Other nodes of the broker's cluster, each a name or address, with or without a port; "
        "where one does not answer, the next is tried.",
    )
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
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each node: `host` first, then `hosts`, at `port` where one names none."""
        others = (urlsplit(f"//{each}") for each in self.hosts)
        return (self.host, self.port), *((str(each.hostname), each.port or self.port) for each in others)

    def at(self, turn: int) -> Self:
        """The same at the address whose turn it is: 0 is the first; after the last comes the first again."""
        host, port = self.addresses[turn % len(self.addresses)]
        return self.model_copy(update={"host": host, "port": port})

    @property
    def whom(self) -> Whom:
        """As whom we go there."""
        if self.username is not None:
            return Whom.USER
        return Whom.CERTIFICATE if self.tls is not None and self.tls.cert is not None else Whom.NOBODY

    @field_validator("host")
    @classmethod
    def _resolvable(cls, host: str) -> str:
        if fault := host_fault(host):
            raise ValueError(fault)
        return host

    @field_validator("hosts")
    @classmethod
    def _all_resolvable(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for each in hosts:
            try:
                parts = urlsplit(f"//{each}")
                named, port = parts.hostname, parts.port
            except ValueError:
                named, port = None, None
            if named and (fault := host_fault(named)):
                raise ValueError(fault)
            if not named or port == 0 or parts.netloc != each or "@" in each:
                raise ValueError(
                    tr("{host} cannot be a host name with or without a port", host=repr(each)),
                )
        return hosts
