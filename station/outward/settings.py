"""What leaves the station, and where it goes."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from agent.settings.base import Name, Secret, Settings
from agent.translatable import tr
from agent.wire.topics import ROOT

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        raise ValueError(tr("no network such as 10.20.0.0/16, or address such as 10.20.0.7")) from None


def _prefix(text: str) -> str:
    levels = text.split("/")
    if "" in levels or levels[0].startswith("$") or not text.isprintable() or any(c in text for c in "+# "):
        raise ValueError(tr("no levels of a topic such as homeassistant or duty/frigate"))
    return text


Network = Annotated[str, AfterValidator(_network)]
Prefix = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_prefix)]
"""First levels of topics: none is empty, has a wildcard or a space, or is the broker's own."""
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,64}$")]


class WebhookSettings(Settings):
    """One program that is called for each message of an event."""

    name: Name = Field(description="Its name; the station remembers by it how far it is.")
    url: str = Field(
        max_length=1000,
        description="Where it is called: https, or http on this machine.",
    )
    secret: Secret = Field(
        description="Where its secret lies, by which each call is signed: whsec_ and 24 to 64 bytes in base64."
    )
    kinds: tuple[Kind, ...] = Field((), description="Kinds of events, such as line_crossed; empty: all.")
    severities: tuple[Literal["alert", "info"], ...] = Field((), description="alert or info; empty: both.")
    networks: tuple[Network, ...] = Field(
        (),
        description="Networks that are not public in which it may be, such as 10.20.0.0/16. What the url's "
        "name leads to elsewhere inside is not called; an address in the url counts as named.",
    )
    timeout_s: float = Field(10.0, ge=1, le=60, description="For one call, from first to last byte.")
    patience_h: float = Field(
        120.0, ge=0.01, le=720, description="After so many hours without success a message is given up."
    )

    @field_validator("url")
    @classmethod
    def _safe(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            whole = bool(host) and parts.port != 0
            host.encode("idna")
        except (ValueError, UnicodeError):
            host, whole = "", False
        if not whole or parts.scheme not in ("http", "https") or parts.fragment or not url.isprintable():
            raise ValueError(tr("no address such as https://example.vn/hook"))
        if parts.username is not None or parts.password is not None:
            raise ValueError(tr("take user and password out of the url; calls are signed by secret"))
        if parts.scheme == "http" and host not in LOOPBACK:
            raise ValueError(tr("http goes over the network in the clear: use https"))
        return url


class HomeAssistantSettings(Settings):
    """Boxes as devices of Home Assistant, by its MQTT discovery."""

    discovery: Prefix = Field("homeassistant", description="First levels under which it looks for devices.")
    prefix: Prefix = Field("ngatu-home", description="First levels of the states of these devices.")
    pictures: bool = Field(False, description="Send pictures of events there, too.")


class FrigateSettings(Settings):
    """Events of road users in the shape in which Frigate tells its own."""

    prefix: Prefix = Field("frigate", description="First levels of the topics.")


class OnvifSettings(Settings):
    """Events in the JSON of ONVIF's event service over MQTT."""

    prefix: Prefix = Field("ngatu-onvif", description="What ONVIF calls TopicPrefix.")


class RepublishSettings(Settings):
    """The same in the words of other conventions, at the station's own broker."""

    home_assistant: HomeAssistantSettings | None = Field(
        None, description="Boxes as devices of Home Assistant; null: not."
    )
    frigate: FrigateSettings | None = Field(None, description="Events as Frigate tells them; null: not.")
    onvif: OnvifSettings | None = Field(None, description="Events as ONVIF tells them; null: not.")

    @property
    def prefixes(self) -> tuple[str, ...]:
        """First levels of everything that is published."""
        home, frigate, onvif = self.home_assistant, self.frigate, self.onvif
        found = (home.discovery, home.prefix) if home else ()
        return found + tuple(each.prefix for each in (frigate, onvif) if each)

    @model_validator(mode="after")
    def _apart(self) -> RepublishSettings:
        found = self.prefixes
        for at, one in enumerate(found):
            for other in found[at + 1 :]:
                if _meet(one, other):
                    raise ValueError(tr("{one} and {other} are not apart", one=one, other=other))
            if _meet(one, ROOT):
                raise ValueError(tr("{prefix} is where boxes and station speak", prefix=one))
        return self


class OutwardSettings(Settings):
    """What leaves the station for other programs. It needs the screen: `web`."""

    webhooks: tuple[WebhookSettings, ...] = Field(
        (), max_length=20, description="Programs that are called for events, each at its own pace."
    )
    republish: RepublishSettings = Field(
        RepublishSettings(),
        description="The same in the words of other conventions, at the station's own broker.",
    )

    @model_validator(mode="after")
    def _named_once(self) -> OutwardSettings:
        names = Counter(each.name for each in self.webhooks)
        if twice := [name for name, times in names.items() if times > 1]:
            raise ValueError(tr("more than one webhook is called {name}", name=twice[0]))
        return self


def _meet(one: str, other: str) -> bool:
    """Whether the trees of two prefixes have anything in common."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def outward_apart(outward: OutwardSettings, root: str) -> str | None:
    """The prefix that would speak where boxes and station speak; None: there is none."""
    return next((each for each in outward.republish.prefixes if _meet(each, root)), None)
