"""Sends one command to one box and waits for its answer: for technicians, and for the duty room's screen."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import paho.mqtt.client as paho
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.packettypes import PacketTypes

from agent.core.ids import Ids
from agent.core.types import Instant
from agent.errors import BrokerUnreachable, NgatuError, WireError
from agent.translatable import tr
from agent.transport.client import blank, connect
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.payloads import AckBody, CommandPayload, InfoPayload
from agent.wire.signature import sign
from agent.wire.topics import Topics
from station.ingest.settings import SubscriberSettings

Before = Callable[[str, InfoPayload | None], None]
Written = Callable[[bytes], None]
LATE_S: Final = 5.0
"""How long the broker may take to acknowledge."""


@dataclass(frozen=True, slots=True)
class CommandReply:
    """What came back."""

    id: str
    answers: list[AckBody] = field(default_factory=list)
    """In the order in which they came; none: the box has not answered yet, and may do so later."""
    picture: bytes | None = None
    session: str | None = None
    """The life of the agent that it was signed for; None: any may do it."""


@dataclass(slots=True)
class Onlooker:
    """Who is told of a look's pictures as they come, and of the time that passes."""

    picture: Callable[[bytes, Mapping[str, str]], None]
    """The JPEG, and its MQTT user properties; in the caller's thread."""
    turn: Callable[[list[AckBody]], None] = lambda _answers: None
    """Several times a second, with the answers that have come."""


def send(
    settings: SubscriberSettings,
    topics: Topics,
    verb: str,
    args: Mapping[str, Any],
    *,
    issuer: str,
    life_s: float,
    wait_s: float,
    key: Ed25519PrivateKey | None = None,
    onlooker: Onlooker | None = None,
    before: Before | None = None,
    written: Written | None = None,
    name: str | None = None,
) -> CommandReply:
    """Publish the command, and wait up to `wait_s` for its answer, and for the picture that it promises.

    `args` are those that the verb takes (command_words.py).

    The pictures of a look go to the `onlooker`; nothing else keeps them.

    With a `key` it is signed, for the life of the agent that the box has told of last: whoever sends it to a
    later one, which may have forgotten it, is refused.

    `before` is called with the command's id and the box's birth message just before it goes out, and may raise;
    None: the broker keeps no such message of this box. `written` is called after it with the bytes that go out,
    for whoever may have to send them again (`send_again`). `name` is the command's id; None: a new one.

    The box forgets an answer on the station's receipt only: this looks on, and the station keeps it as well.

    Raises:
        BrokerUnreachable, BrokerRefused: it did not go out.
        NgatuError: the broker refused it, or the box has never said which life it is in.
    """
    inbox = _Inbox(topics, onlooker)
    client = connect(settings, settings.mqtt_id, on_message=inbox.hear)
    client.on_publish = inbox.published
    client.on_subscribe = lambda *_: inbox.words.append("subscribed")
    try:
        command = new_command(args, issuer=issuer, life_s=life_s, name=name)
        inbox.id = command.id
        answers = topics.of(MessageKind.ACK, command_id=command.id), topics.of(MessageKind.SNAPSHOT, camera="+")
        heard = answers if key is None and before is None else (*answers, topics.of(MessageKind.INFO))
        if onlooker is not None:
            heard = (*heard, topics.of(MessageKind.LOOK, command_id=command.id, number="+"))
        client.subscribe([(each, 1) for each in heard])
        _until(client, lambda: "subscribed" in inbox.words, LATE_S, tr("a subscription"))
        if key is not None:
            command = command.model_copy(update={"session": _session(client, inbox)})
        if before is not None:
            _until(client, lambda: inbox.info is not None, LATE_S)
            before(command.id, inbox.info)
        body = codec.encode(command)
        body = body if key is None else sign(body, topics.device, verb, key)
        if written is not None:
            written(body)
        _publish(client, inbox, topics, verb, body, life_s)
        _until(client, inbox.complete, wait_s)
    finally:
        client.disconnect()
    return CommandReply(command.id, inbox.answers, inbox.picture, command.session)


def send_again(settings: SubscriberSettings, topics: Topics, verb: str, body: bytes, life_s: float) -> None:
    """Publish a command once more as it was written: a box that has it does nothing twice.

    Raises:
        BrokerUnreachable, BrokerRefused, NgatuError: as `send`.
    """
    inbox = _Inbox(topics)
    client = connect(settings, settings.mqtt_id, on_message=inbox.hear)
    client.on_publish = inbox.published
    try:
        _publish(client, inbox, topics, verb, body, life_s)
    finally:
        client.disconnect()


def _publish(client: paho.Client, inbox: _Inbox, topics: Topics, verb: str, body: bytes, life_s: float) -> None:
    """To the broker, until it has it; it keeps it for a box that is away."""
    life = blank(PacketTypes.PUBLISH)
    life.MessageExpiryInterval = max(1, round(life_s))
    life.ContentType = codec.JSON
    client.publish(topics.of(MessageKind.COMMAND, verb=verb), body, qos=1, properties=life)
    _until(client, lambda: inbox.code is not None, LATE_S, tr("the command"))
    if inbox.code == 0x10:
        hint = tr("look at its name; a box that has once connected is remembered for seven days")
        what = tr("{box}: the broker knows no such box, and has thrown the command away", box=topics.device)
        raise NgatuError(what, hint)
    if inbox.code != 0:
        hint = tr("may the station publish on command/ of this box? see the broker's ACL")
        raise NgatuError(
            tr("the broker does not take the command: code 0x{code:02X}", code=inbox.code or 0), hint
        )


def _session(client: paho.Client, inbox: _Inbox) -> str:
    """The life of the agent that its birth message names, which the broker retains."""
    _until(client, lambda: inbox.session is not None, LATE_S)
    if inbox.session is None:
        hint = tr("look at its name; it tells its session when it connects")
        raise NgatuError(tr("the box has not told its session, for which the command must be signed"), hint)
    return inbox.session


def new_command(
    args: Mapping[str, Any], *, issuer: str, life_s: float, name: str | None = None
) -> CommandPayload:
    """A command that is issued now and lives so long; `name` is its id, None: a new one."""
    at = datetime.now(UTC)
    name = name or Ids(os.urandom(32)).next(Instant(0.0, at.timestamp()))[0]
    until = at + timedelta(seconds=life_s)
    return CommandPayload(id=name, issued_at=at, expires_at=until, issuer=issuer, args=dict(args))


def wait_until(is_kept: Callable[[], bool], within_s: float = LATE_S) -> bool:
    """Whether it is kept, or is in time: a station commits a moment after a message has come.

    Raises:
        NgatuError: nobody can look.
    """
    ends_s = time.monotonic() + within_s
    while not is_kept():
        if time.monotonic() > ends_s:
            return False
        time.sleep(0.05)
    return True


class _Inbox:
    """What the broker brings while one waits; its methods are paho's callbacks, and only note down."""

    def __init__(self, topics: Topics, onlooker: Onlooker | None = None) -> None:
        self._onlooker = onlooker
        self.id = ""
        self.code: int | None = None
        self.words: list[str] = []
        self.answers: list[AckBody] = []
        self.picture: bytes | None = None
        self.session: str | None = None
        """The box's, by its birth message."""
        self.info: InfoPayload | None = None
        self._topics = topics

    def hear(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        kind, names = self._topics.read("box", message.topic)
        user = dict(getattr(message.properties, "UserProperty", ()))
        if kind is MessageKind.ACK:
            with suppress(WireError):
                self.answers.append(codec.parse(AckBody, bytes(message.payload)))
        elif kind is MessageKind.INFO:
            with suppress(WireError):
                self.info = codec.parse(InfoPayload, bytes(message.payload))
                self.session = self.info.session
        elif kind is MessageKind.LOOK and self._onlooker is not None:
            self._onlooker.picture(bytes(message.payload), {**names, **user})  # MQTT 3.1.1 brings no properties
        elif kind is MessageKind.SNAPSHOT and user.get("event_id") == self.id:
            self.picture = bytes(message.payload)

    def published(self, _client: paho.Client, _data: Any, _mid: int, code: Any, _properties: Any) -> None:
        self.code = int(code.value)

    def complete(self) -> bool:
        """Whether the last word has come, and the picture that it promises."""
        if self._onlooker is not None:
            self._onlooker.turn(self.answers)
        ends = [answer for answer in self.answers if answer.state != "accepted"]
        return bool(ends) and ("sha256" not in ends[-1].result or self.picture is not None)


def _until(client: paho.Client, condition: Any, within_s: float, what: str | None = None) -> None:
    ends_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > ends_s:
            if what is None:
                return
            raise BrokerUnreachable(tr("the broker does not acknowledge {what}", what=what), tr("see its log"))
        if client.loop(0.1) != paho.MQTT_ERR_SUCCESS:
            raise BrokerUnreachable(tr("the broker hung up"), tr("see its log"))
