"""What comes from the broker: its word on each message, the station's receipts and presence, and commands.

A message leaves the outbox on the station's receipt only, which names its digest (or on the broker's word,
where the settings say so). What cannot be read, contradicts itself or was left at the broker changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from agent.clock import Clock
from agent.errors import DeliveryError, WireError
from agent.mqtt.connection import Connection
from agent.mqtt.inflight import InFlight
from agent.mqtt.live import Fate
from agent.mqtt.packets import InboundPacket, InboundPublish, Puback, Suback
from agent.mqtt.scheduler import SendScheduler
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Outbox
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.payloads import ReceiptPayload
from agent.wire.topics import Topics

log = structlog.get_logger(__name__)

OnCommand = Callable[[str, bytes, bool, Callable[[], None]], None]
"""(topic, payload, retained, ack): `ack` is called when the command's effect is safe, from any thread."""


class InboundHandler:
    """The incoming half of the forwarder, in whose thread all of it runs but `troubles`."""

    def __init__(
        self,
        outbox: Outbox,
        scheduler: SendScheduler,
        settings: BrokerSettings,
        topics: Topics,
        clock: Clock,
        on_command: OnCommand | None,
    ) -> None:
        """Without `on_command` what is no receipt and no word of the station is ignored."""
        self.confirmed = 0
        """Messages that left the outbox on a receipt, or on the broker's word."""
        self.refused = 0
        """Messages that the broker refused."""
        self.spoiled = False
        """What the broker has kept of this box's session lets it subscribe to nothing more."""
        self._outbox, self._scheduler, self._settings = outbox, scheduler, settings
        self._topics, self._clock, self._on_command = topics, clock, on_command
        self._station_told = False
        """The station itself said on this connection whether it is there."""
        self._subscription_trouble: str | None = None
        self._message_trouble: str | None = None
        self._distrusted: set[str] = set()

    def begin(self) -> None:
        """A connection stands."""
        self.spoiled = self._station_told = False
        self.ended()

    def ended(self) -> None:
        """What went wrong on a connection is over with it."""
        self._subscription_trouble = self._message_trouble = None

    def troubles(self) -> tuple[str | None, ...]:
        """Why a subscription and the last message were not taken, in words; from any thread."""
        return self._subscription_trouble, self._message_trouble

    def handle(self, connection: Connection, packet: InboundPacket) -> None:
        """Do what a packet asks for.

        Raises:
            DeliveryError: the connection is of no use: it is to be made anew.
        """
        if isinstance(packet, Puback):
            self._on_puback(packet)
        elif isinstance(packet, Suback):
            self._on_suback(connection, packet)
        else:
            self._on_message(connection, packet)

    def _on_message(self, connection: Connection, inbound: InboundPublish) -> None:
        kind, _ = self._topics.read("station", inbound.topic)
        if kind is MessageKind.RECEIPT:
            self._on_receipt(inbound)
        elif kind is MessageKind.STATION_STATUS:
            self._on_station(inbound)
        else:
            self._on_other(connection, inbound)
            return
        connection.ack(inbound)

    def _on_other(self, connection: Connection, inbound: InboundPublish) -> None:
        if self._on_command is None:
            log.warning("message_ignored", topic=inbound.topic)
            connection.ack(inbound)
            return
        try:
            self._on_command(inbound.topic, inbound.payload, inbound.retained, lambda: connection.ack(inbound))
        except Exception:  # it would come again with each connection, and end each
            log.exception("command_failed", topic=inbound.topic)
            connection.ack(inbound)

    def _on_puback(self, puback: Puback) -> None:
        now = self._clock.now()
        if self._scheduler.live.answered(puback.mid, _fate(puback)):
            self._scheduler.window.acknowledged(puback.mid, now)  # how fast the link is
            return
        if puback.taken:
            entry = self._scheduler.window.acknowledged(puback.mid, now)
        else:
            entry = self._scheduler.window.refused(puback.mid, now, puback.no_subscribers)
        a_state = entry is None  # which may well have no subscriber
        if not a_state or not (puback.taken or puback.no_subscribers):
            self._note_word(puback, entry)
        if entry is not None:
            self._scheduler.suspects.cleared(entry.seq)
            if puback.taken and self._settings.confirm == "broker":
                self._scheduler.window.settle(entry.seq)
                self.confirmed += self._outbox.acknowledge(self._scheduler.stream, [(entry.seq, entry.sha256)])

    def _note_word(self, puback: Puback, entry: InFlight | None) -> None:
        before, self._message_trouble = self._message_trouble, None
        if puback.taken:
            return
        what = "nobody subscribes to this box" if puback.no_subscribers else f"the broker says: {puback.reason}"
        self._message_trouble = what
        self.refused += not puback.no_subscribers
        if what != before:
            log.warning("message_not_taken", seq=entry.seq if entry else None, why=what)

    def _on_suback(self, connection: Connection, suback: Suback) -> None:
        """Raises DeliveryError where a session that was there before may be why: it is begun anew, once."""
        if any(code >= 0x80 for code in suback.codes):
            if connection.limits.session_present:
                self.spoiled = True
                raise DeliveryError(
                    "the broker refuses a subscription in a session from before",
                    "it is begun anew; somebody with this box's name may have filled it with others",
                )
            self._subscription_trouble = "the broker refuses a subscription: receipts or commands are missing"
            log.error("subscription_refused", codes=suback.codes, hint="check the broker's ACL for this box")
        self._scheduler.greet()

    def _on_receipt(self, inbound: InboundPublish) -> None:
        if inbound.retained:  # a receipt answers; what the broker keeps answers nothing
            self._distrust("receipt_retained", "somebody left it at the broker: no station of ours does so")
            return
        try:
            receipt = codec.parse(ReceiptPayload, inbound.payload)
        except WireError as error:
            hint = "only a station gives receipts; docs/reference/wire.md says what they hold"
            log.warning("receipt_unreadable", why=error.what, hint=hint)
            return
        if receipt.stream != self._scheduler.stream:
            return
        if receipt.contradicts_itself:
            self._distrust("receipt_contradicts_itself", "no station of ours does so: who else may publish it?")
            return
        if receipt.committed and not receipt.proofs:
            self._distrust("receipt_without_proof", "update the station: it only tells numbers")
        window = self._scheduler.window
        named = window.receipted(receipt.proofs, receipt.images, self._clock.now())
        for seq, _ in (*receipt.proofs, *named):
            if seq not in window.messages:  # also where the broker's word on one that goes alone comes later
                self._scheduler.suspects.cleared(seq)
        confirmed = self._outbox.acknowledge(receipt.stream, [*receipt.proofs, *named], receipt.newest)
        self.confirmed += confirmed
        if confirmed and not self._station_told:
            # A broker that keeps our session may not tell again what it retains, though we subscribe again:
            # whoever proves that it has our messages is there. Its own word, once it comes, counts for more.
            self._station_is(online=True)

    def _distrust(self, name: str, hint: str) -> None:
        """A receipt that is not heeded; told once in a life of the agent."""
        if name not in self._distrusted:
            self._distrusted.add(name)
            log.warning(name, hint=hint)

    def _on_station(self, inbound: InboundPublish) -> None:
        try:
            online = codec.says_online(inbound.payload)
        except WireError as error:
            log.warning("station_status_unreadable", why=error.what)
            return
        self._station_told = True
        self._station_is(online=online)

    def _station_is(self, *, online: bool) -> None:
        scheduler = self._scheduler
        if online and not scheduler.station_online:
            scheduler.window.station_came(self._clock.now())
            scheduler.greet_again()
        if online != scheduler.station_online:
            log.info("station_online" if online else "station_away")
        scheduler.station_online = online


def _fate(puback: Puback) -> Fate:
    """What the broker's word means for a picture of a look."""
    if puback.no_subscribers:
        return Fate.UNWANTED
    return Fate.SENT if puback.taken else Fate.DROPPED
