"""From the outbox to the broker, and the station's receipts back.

One thread, which holds nothing that must survive: it connects, says who it is, sends what the outbox gives in
its order as far as the window reaches, and forgets all of that when the connection ends. A message leaves the
outbox on the station's receipt only (or on the broker's word, where the settings say so).
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from agent.clock import Clock
from agent.core.types import Instant
from agent.delivery import reasons, wire
from agent.delivery.broker import BrokerSettings, Version
from agent.delivery.message import Stored
from agent.delivery.mqtt import Arrived, Connection, Happening, Puback, Suback, Will
from agent.delivery.outbox import Outbox
from agent.delivery.window import BULK, PLAIN, Flight, Suspects, Window
from agent.errors import BrokerRefused, DeliveryError, OutboxError, WireError

log = structlog.get_logger(__name__)

TURN_S: Final = 1.0
"""Longest wait for the network, so that the heart beats and stopping is noticed."""
STEADY_S: Final = 10.0
"""A connection that lasted so long ends the growth of the waits."""
TAKEN_S: Final = 300.0
"""Two users of one id would otherwise throw each other out for ever."""
FAREWELL_S: Final = 2.0
IMAGE_EXPIRY_S: Final = 7 * 24 * 3600

OnCommand = Callable[[str, bytes, bool, Callable[[], None]], None]
"""(topic, payload, retained, ack): `ack` is called when the command's effect is safe, from any thread."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What health says about the way to the station."""

    connected_s: float | None
    """Since when the connection stands; None: it does not."""
    reconnects: int
    refused: int
    """Messages that the broker refused or gave to nobody."""
    in_flight: int
    """With the broker or on the way there, without a receipt."""
    sent: int
    """Including those sent again."""
    resent: int
    confirmed: int
    station_online: bool
    version: Version | None
    trouble: str | None
    """Why it does not go as it should, in words; None: all is well."""


class _Stopped(Exception):
    """Asked to stop while connecting."""


class Forwarder:
    """`start` it, or call `run` in a thread of one's own; `stop` ends either."""

    def __init__(
        self,
        outbox: Outbox,
        settings: BrokerSettings,
        topics: wire.Topics,
        session: str,
        clock: Clock,
        *,
        on_command: OnCommand | None = None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._settings = settings
        self._topics = topics
        self._session = session
        self._clock = clock
        self._on_command = on_command
        self._beat = beat
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._window = Window(settings.receipt_timeout_s, settings.image_window)
        self._suspects = Suspects()
        self._version: Version = "3.1.1" if settings.protocol == "3.1.1" else "5"
        self._kept: dict[str, bytes] = {}
        self._changed: set[str] = set()
        self._kept_lock = threading.Lock()
        self._greeted: str | None = None
        self._station_online = False
        self._connected_at: Instant | None = None
        self._troubles: dict[str, str] = {}
        """At most one of a connection, a subscription and a message."""
        self._connects = self._refused = self._sent = self._resent = self._confirmed = 0
        outbox.watch(self.wake)

    # ---------------------------------------------------------------------------------- from other threads

    def keep(self, suffix: str, payload: bytes) -> None:
        """Have the broker retain the latest of a state (info, health, …), now and at each connect.

        An empty payload clears it.
        """
        with self._kept_lock:
            if self._kept.get(suffix) != payload:
                self._kept[suffix] = payload
                self._changed.add(suffix)
        self.wake()

    def wake(self) -> None:
        """There is something to send."""
        connection = self._connection
        if connection is not None:
            connection.wake()

    @property
    def settled(self) -> bool:
        """Whether every state that is kept has been handed over on this connection."""
        return not self._changed

    def figures(self) -> Figures:
        """How it goes."""
        at = self._connected_at
        return Figures(
            connected_s=None if at is None else self._clock.now().since(at),
            reconnects=max(0, self._connects - 1),
            refused=self._refused,
            in_flight=len(self._window.flights),
            sent=self._sent,
            resent=self._resent,
            confirmed=self._confirmed,
            station_online=self._station_online,
            version=self._version if at is not None else None,
            trouble="; ".join(self._troubles.values()) or None,
        )

    def start(self) -> None:
        """Run in a thread of its own."""
        self._thread = threading.Thread(target=self.run, name="forwarder", daemon=True)
        self._thread.start()

    def stop(self, deadline_s: float = 10.0) -> bool:
        """Say goodbye and end; False if it did not within the deadline, which loses nothing."""
        self._stop.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(deadline_s)
            return not self._thread.is_alive()
        return True

    # --------------------------------------------------------------------------------------------- the loop

    def run(self) -> None:
        """Connect and forward until stopped. No error ends it: each is told once, and waited out."""
        failures = 0
        while not self._stop.is_set():
            began = self._clock.now()
            try:
                self._serve()
            except _Stopped:
                return
            except DeliveryError as error:
                trouble = error
            except Exception as error:  # a mistake of ours must not silence the box
                log.exception("forwarder_failed")
                trouble = DeliveryError(
                    f"forwarder: {error!r}", "this is a mistake in the program; see the log"
                )
            else:
                return
            if self._connected_at is not None and self._clock.now().since(began) >= STEADY_S:
                failures = 0
            self._lost(trouble)
            self._pause(wait_s(self._settings, trouble, failures))
            failures += 1

    def _serve(self) -> None:
        """One connection, from its beginning to its end.

        Raises:
            DeliveryError: it could not be made, or ended before `stop`.
        """
        settings, now = self._settings, self._clock.now()
        will = Will(self._topics.status, wire.status("offline", self._session, now))
        connection = Connection(settings, self._topics.device, will, self._version)
        try:
            self._connection = connection
            limits = connection.connect(self._waiting_beat)
            self._connected(limits.session_present)
            connection.publish(self._topics.status, self._status("online"), retain=True)
            connection.subscribe(self._topics.receipt, self._topics.commands, self._topics.station_status)
            while not self._stop.is_set():
                self._beat()
                for happening in connection.turn(self._turn_s()):
                    self._handle(connection, happening)
                self._pump(connection)
            self._farewell(connection)
        finally:
            self._connection = None
            connection.close()

    def _turn_s(self) -> float:
        return min(TURN_S, self._window.next_due_s(self._clock.now()))

    def _waiting_beat(self) -> None:
        self._beat()
        if self._stop.is_set():
            raise _Stopped

    def _farewell(self, connection: Connection) -> None:
        """Tell that it stops on purpose, and give the broker a moment to hear it."""
        self._connected_at = None
        sure = connection.free > 0  # without room in the window QoS 0 must do: it needs none
        mid = connection.publish(
            self._topics.status, self._status("stopped"), retain=True, qos=1 if sure else 0
        )
        deadline = self._clock.now().mono_s + FAREWELL_S
        heard = not sure
        while not heard and self._clock.now().mono_s < deadline:
            heard = any(isinstance(h, Puback) and h.mid == mid for h in connection.turn(0.1))
        connection.close(FAREWELL_S)

    def _status(self, state: Literal["online", "stopped"]) -> bytes:
        return wire.status(state, self._session, self._clock.now())

    # ------------------------------------------------------------------------------------ beginnings and ends

    def _connected(self, session_present: bool) -> None:
        self._connects += 1
        self._connected_at = self._clock.now()
        self._greeted, self._station_online = None, False
        with self._kept_lock:
            self._changed = set(self._kept)
        log.info("broker_connected", version=self._version, session_present=session_present)
        self._troubles.clear()

    def _lost(self, why: DeliveryError) -> None:
        """Forget what was on its way; the outbox has it."""
        in_air = self._window.broke()
        if isinstance(why, reasons.HungUp):
            culprit = self._suspects.hung_up(in_air, self._clock.now())
            if culprit is not None:
                self._set_aside(culprit, f"connections ended with only this on the way: {why.what}")
        if "connection" not in self._troubles:
            log.warning("broker_lost", why=why.what, hint=why.hint)
        was_connected, self._connected_at = self._connected_at is not None, None
        self._station_online = False
        self._troubles = {"connection": why.what}
        if self._settings.protocol == "auto" and was_connected:
            self._version = "5"  # what hung up on MQTT 5 may have been a broker about to start
        elif self._settings.protocol == "auto" and isinstance(why, reasons.VersionRefused | reasons.HungUp):
            self._version = "3.1.1" if self._version == "5" else "5"  # an old broker refuses, or just hangs up

    def _set_aside(self, seq: int, why: str) -> None:
        try:
            self._outbox.quarantine(seq, why)
        except OutboxError as error:
            log.exception("quarantine_failed", seq=seq, why=error.what)

    def _pause(self, seconds: float) -> None:
        ends = self._clock.now().mono_s + seconds
        while not self._stop.is_set() and (left := ends - self._clock.now().mono_s) > 0:
            self._beat()
            self._stop.wait(min(TURN_S, left))

    # ---------------------------------------------------------------------------------------------- incoming

    def _handle(self, connection: Connection, happening: Happening) -> None:
        if isinstance(happening, Puback):
            self._on_puback(happening)
        elif isinstance(happening, Suback):
            self._on_suback(happening)
        elif happening.topic == self._topics.receipt:
            self._on_receipt(happening)
            connection.ack(happening)
        elif happening.topic == self._topics.station_status:
            self._on_station(happening)
            connection.ack(happening)
        else:
            self._on_other(connection, happening)

    def _on_other(self, connection: Connection, arrived: Arrived) -> None:
        if self._on_command is None:
            log.warning("message_ignored", topic=arrived.topic)
            connection.ack(arrived)
            return
        try:
            self._on_command(arrived.topic, arrived.payload, arrived.retained, lambda: connection.ack(arrived))
        except Exception:  # it would come again with each connection, and end each
            log.exception("command_failed", topic=arrived.topic)
            connection.ack(arrived)

    def _on_puback(self, puback: Puback) -> None:
        now = self._clock.now()
        if puback.taken:
            flight = self._window.acknowledged(puback.mid, now)
        else:
            flight = self._window.refused(puback.mid, now, puback.unheard)
        if flight is not None or not (puback.taken or puback.unheard):  # a state may well have no subscriber
            self._note_word(puback, flight)
        if flight is not None:
            self._suspects.cleared(flight.seq)
            if puback.taken and self._settings.confirm == "broker":
                self._window.settle(flight.seq)
                self._confirmed += self._outbox.acknowledge(self._outbox.stream, [(flight.seq, flight.seq)])

    def _note_word(self, puback: Puback, flight: Flight | None) -> None:
        before = self._troubles.pop("message", None)
        if puback.taken:
            return
        what = "nobody subscribes to this box" if puback.unheard else f"the broker says: {puback.reason}"
        self._troubles["message"] = what
        self._refused += not puback.unheard
        if what != before:
            log.warning("message_not_taken", seq=flight.seq if flight else None, why=what)

    def _on_suback(self, suback: Suback) -> None:
        if any(code >= 0x80 for code in suback.codes):
            self._troubles["subscription"] = (
                "the broker refuses a subscription: receipts or commands are missing"
            )
            log.error("subscription_refused", codes=suback.codes, hint="check the broker's ACL for this box")
        self._greeted = ""  # hello may go out: its answer would reach us now

    def _on_receipt(self, arrived: Arrived) -> None:
        try:
            receipt = wire.parse_receipt(arrived.topic, arrived.payload)
        except WireError as error:
            log.warning("receipt_unreadable", why=error.what)
            return
        if receipt.stream != self._outbox.stream:
            return
        named = self._window.receipted(receipt.committed, receipt.images, self._clock.now())
        ranges = [*receipt.committed, *((seq, seq) for seq in named)]
        self._confirmed += self._outbox.acknowledge(receipt.stream, ranges)

    def _on_station(self, arrived: Arrived) -> None:
        try:
            online = wire.parse_station_status(arrived.payload)
        except WireError as error:
            log.warning("station_status_unreadable", why=error.what)
            return
        if online and not self._station_online:
            self._window.station_came(self._clock.now())
            if self._greeted:
                self._greeted = ""  # it may have missed the last one
        if online != self._station_online:
            log.info("station_online" if online else "station_away")
        self._station_online = online

    # ---------------------------------------------------------------------------------------------- outgoing

    def _pump(self, connection: Connection) -> None:
        """Send as much as the window takes: states, hello, then what the outbox gives in its order."""
        self._publish_kept(connection)
        stream = self._outbox.stream
        if self._greeted is not None and self._greeted != stream and connection.free > 0:
            hello = wire.hello(self._session, stream, *self._outbox.bounds(), self._clock.now())
            connection.publish(self._topics.hello, hello)
            self._greeted = stream
        now = self._clock.now()
        self._window.fall_due(now)
        if self._suspects.alone is not None or self._send_suspect(connection, idle=False):
            return
        plain, bulk = self._window.room(connection.free)
        skip = self._window.flights.keys() | self._suspects.listed.keys()
        found = self._outbox.waiting(plain, now, skip, PLAIN) if plain else []
        sent = sum(self._send(connection, stored) for stored in found)
        bulk = min(bulk, connection.free)
        if bulk and (self._station_online or self._settings.confirm == "broker"):
            found = self._outbox.waiting(bulk, now, skip, BULK)
            sent += sum(self._send(connection, stored) for stored in found)
        if not sent:
            self._send_suspect(connection, idle=True)

    def _publish_kept(self, connection: Connection) -> None:
        while self._changed and connection.free > 0:
            with self._kept_lock:
                suffix = min(self._changed)
                self._changed.discard(suffix)
                payload = self._kept[suffix]
            try:
                connection.publish(self._topics.of(suffix), payload, retain=True, content_type=wire.JSON)
            except reasons.TooLarge as error:
                log.warning("state_too_large", topic=suffix, why=error.what)

    def _send_suspect(self, connection: Connection, idle: bool) -> bool:
        """One that may have broken a connection goes alone; whether it is being dealt with."""
        seq = self._suspects.next(idle, self._clock.now())
        if seq is None:
            return False
        if self._window.in_air:
            return not idle  # those without a strike hold the others up for one round trip
        stored = self._outbox.one(seq)
        if stored is None or not self._send(connection, stored):
            self._suspects.cleared(seq)
            return False
        self._suspects.alone = seq
        return True

    def _send(self, connection: Connection, stored: Stored) -> bool:
        """Hand one message over; False if it can never be sent."""
        now = self._clock.now()
        message, stream = stored.message, self._outbox.stream
        try:
            mid = connection.publish(
                self._topics.of(message.topic),
                wire.finish(stored, stream, now),
                content_type=message.content_type,
                expiry_s=IMAGE_EXPIRY_S if message.priority in BULK else None,
                user=wire.properties(stored, stream),
            )
        except reasons.TooLarge as error:
            self._outbox.quarantine(stored.seq, error.what)
            return False
        except DeliveryError:
            raise
        except Exception as error:  # one that cannot even be written must not end every connection
            log.exception("message_unwritable", seq=stored.seq)
            self._outbox.quarantine(stored.seq, f"it cannot be written: {error!r}")
            return False
        self._window.sent(stored, mid, now)
        self._sent += 1
        self._resent += self._window.flights[stored.seq].tries > 1
        return True


def wait_s(settings: BrokerSettings, why: DeliveryError, failures: int) -> float:
    """Seconds until the next attempt, with full jitter: a district that comes back storms no broker.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if isinstance(why, reasons.SessionTaken):
        return TAKEN_S * random.uniform(0.8, 1.2)  # noqa: S311  no secret hangs on it
    if isinstance(why, reasons.VersionRefused) and failures == 0:
        return 0.0
    longest = min(settings.backoff_max_s, settings.backoff_min_s * 2 ** min(failures, 16))
    if isinstance(why, BrokerRefused):
        longest = settings.backoff_max_s
    return random.uniform(0.0, longest)  # noqa: S311
