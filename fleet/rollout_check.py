"""Does a box prove that it works? By its own retained words at the broker: status, info, health.

The judging is pure; `Listener` only fetches what the box has said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode

from agent.errors import BrokerUnreachable, NgatuError, WireError
from agent.transport.client import connect
from agent.transport.settings import EndpointSettings
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.payloads import HealthPayload, InfoPayload, Payload, StatusPayload
from agent.wire.topics import Topics

SEES: Final = "streaming"
DISQUALIFYING: Final = ("config_refused", "storage_ram_only")
"""What a box may not say of itself, and of its wanted cameras: DETECTOR_FAILED."""
DETECTOR_FAILED: Final = "detector_failed"
FAILED: Final = "failed"
PROOF: Final[Mapping[MessageKind, type[Payload]]] = {
    MessageKind.STATUS: StatusPayload,
    MessageKind.INFO: InfoPayload,
    MessageKind.HEALTH: HealthPayload,
}
"""What is listened to; each is a field of ObservedBox."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must be seen of a box before a release may stay."""

    version: str
    config_sha256: str | None = None
    """None: any configuration will do."""
    cameras: Sequence[str] | None = None
    """Those that must stream; None: all that it has."""
    shadow: bool = False
    """The model on trial must have come into use."""


@dataclass(slots=True)
class ObservedBox:
    """What a box has said last."""

    status: StatusPayload | None = None
    info: InfoPayload | None = None
    health: HealthPayload | None = None
    wrong: dict[str, str] = field(default_factory=dict)
    """Payloads that nobody can read, by topic."""
    shadow_failed: str = ""
    """Why the model on trial was taken back, as it said while it could."""
    met: str | None = None
    """The session in which the box was met first: any other began after that."""

    def notice_shadow(self) -> None:
        """Keep why its model failed: with the release before it no longer knows."""
        shadow = self.health.shadow if self.health is not None else None
        if shadow is not None and shadow.state == FAILED:
            self.shadow_failed = f"{shadow.model}: {shadow.why}"

    def cameras(self) -> dict[str, str]:
        """State of each camera, as its health says."""
        return (
            {name: each.state or "unknown" for name, each in self.health.cameras.items()} if self.health else {}
        )


def missing(seen: ObservedBox, wanted: Wanted) -> list[str]:
    """What keeps the box from being taken as working, in words; nothing: it works."""
    wrong = [f"{topic}: {why}" for topic, why in seen.wrong.items()]
    if seen.status is None:
        return [*wrong, "it has never been at this broker"]
    if seen.status.state != "online":
        return [*wrong, f"it is {seen.status.state}"]
    if seen.info is None or seen.info.session != seen.status.session:
        return [*wrong, "it has not said yet what it is"]
    if (runs := seen.info.versions.get("ngatu")) != wanted.version:
        wrong.append(f"it runs {runs}, not {wanted.version}")
    if wanted.config_sha256 is not None and seen.info.config_sha256 != wanted.config_sha256:
        wrong.append("it runs with another configuration")
    if seen.health is None or seen.health.session != seen.status.session:
        return [*wrong, "it has not said yet how it is"]
    if wanted.shadow:
        wrong += _untaken(seen.health)
    return wrong + _unwell(seen.health, wanted.cameras)


def _untaken(health: HealthPayload) -> list[str]:
    """What keeps the model on trial from being in use."""
    shadow = health.shadow
    if shadow is None:
        return ["no model is on trial"]
    if shadow.state == "taken":
        return []
    if shadow.state == FAILED:
        return [f"the model {shadow.model} was taken back: {shadow.why}"]
    return [f"the model {shadow.model} is still in the shadow of the one in use: {shadow.why}"]


def gone_back(seen: ObservedBox, wanted: Wanted) -> bool:
    """Whether a life of the box that began meanwhile runs another release: waiting any longer is in vain.

    So it is once the model on trial has failed: the box goes back with the release that brought it.
    """
    if wanted.shadow and seen.shadow_failed:
        return True
    if seen.status is None or seen.info is None or seen.met in (None, seen.status.session):
        return False
    ours = seen.status.state == "online" and seen.info.session == seen.status.session
    other = wanted.shadow and wanted.config_sha256 not in (None, seen.info.config_sha256)
    return ours and (other or seen.info.versions.get("ngatu") != wanted.version)


def _unwell(health: HealthPayload, wanted: Sequence[str] | None) -> list[str]:
    names = list(health.cameras) if wanted is None else list(wanted)
    wrong = [] if names else ["it has no camera"]
    for name in names:
        camera = health.cameras.get(name)
        if camera is None:
            wrong.append(f"camera {name}: it is not there")
        elif camera.state != SEES:
            wrong.append(f"camera {name}: {camera.state or 'not opened yet'}")
        elif not camera.fps_analysed:
            wrong.append(f"camera {name}: no picture has been looked at")
    for text, (word, of) in zip(health.degraded, health.degradations, strict=True):
        if word in DISQUALIFYING or (word == DETECTOR_FAILED and of in names):
            wrong.append(text)
    return wrong


class Listener:
    """What one box says, fetched from the broker; use as a context manager."""

    def __init__(self, broker: EndpointSettings, commune: str, device: str) -> None:
        self.seen = ObservedBox()
        self._broker = broker
        self._topics = Topics(commune, device, broker.root)
        self._id = f"rollout-check-{uuid4().hex[:12]}"
        self._client: Client | None = None

    def __enter__(self) -> Listener:
        self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.disconnect()

    def wait(self, enough: Callable[[ObservedBox], bool], within_s: float) -> bool:
        """Listen until it is enough; False when the time is over.

        Raises:
            BrokerRefused: it does not let us in.
        """
        deadline_s = time.monotonic() + within_s
        while not enough(self.seen):
            if time.monotonic() > deadline_s:
                return False
            if self._client is None or self._client.loop(0.2) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                time.sleep(0.5)
                with suppress(BrokerUnreachable):  # the deadline ends it
                    self._connect()
        return True

    def _connect(self) -> None:
        self._client = None
        self._client = client = connect(self._broker, self._id, on_message=self._heard)
        client.subscribe([(self._topics.of(kind), 1) for kind in PROOF])

    def _heard(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        seen = self.seen
        kind, _ = self._topics.read("box", message.topic)
        try:
            setattr(seen, kind, codec.parse(PROOF[kind], bytes(message.payload)))
            seen.wrong.pop(message.topic, None)
            seen.notice_shadow()
            if seen.met is None and seen.status is not None:
                seen.met = seen.status.session
        except WireError as error:
            seen.wrong[message.topic] = error.what


def proven(broker: EndpointSettings, commune: str, device: str, wanted: Wanted, within_s: float) -> ObservedBox:
    """Wait until the box works as wanted.

    Raises:
        NgatuError: it does not within the time, or it went back already; the text says why.
    """
    began = time.monotonic()
    with Listener(broker, commune, device) as listener:
        listener.wait(lambda seen: not missing(seen, wanted) or gone_back(seen, wanted), within_s)
        if why := missing(listener.seen, wanted):
            took_s = time.monotonic() - began
            if wanted.shadow and not gone_back(listener.seen, wanted):
                raise NgatuError(
                    f"{device}: not within {took_s:.0f} s: {'; '.join(why)}",
                    "the trial goes on by itself: run the play again later",
                )
            if listener.seen.shadow_failed:
                why = [f"the model on trial was taken back: {listener.seen.shadow_failed}", *why]
            raise NgatuError(
                f"{device}: not within {took_s:.0f} s: {'; '.join(why)}",
                "it has gone back by itself" if gone_back(listener.seen, wanted) else "it goes back by itself",
            )
        return listener.seen


def look(broker: EndpointSettings, commune: str, device: str, within_s: float = 3.0) -> ObservedBox:
    """What the box has said last; as much of it as arrives in time."""
    with Listener(broker, commune, device) as listener:
        listener.wait(lambda seen: None not in (seen.status, seen.info, seen.health), within_s)
        return listener.seen
