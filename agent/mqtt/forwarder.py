"""From the outbox to the broker, and the station's receipts back: a connection's life.

One thread, which holds nothing that must survive: it connects, says who it is, sends what the outbox gives in
its order as far as the window reaches (scheduler.py), hears what comes back (inbound.py), and forgets all of
that when the connection ends.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from agent.clock import Clock, trust
from agent.core.types import Instant
from agent.errors import DeliveryError
from agent.mqtt.backoff import pause_s
from agent.mqtt.connection import Connection
from agent.mqtt.inbound import InboundHandler, OnCommand
from agent.mqtt.live import LivePictures
from agent.mqtt.packets import Puback
from agent.mqtt.scheduler import SendScheduler
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Outbox
from agent.transport import errors
from agent.transport.client import Will
from agent.transport.settings import Version
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.codec import moment
from agent.wire.topics import Topics

log = structlog.get_logger(__name__)

TURN_S: Final = 1.0
"""Longest wait for the network while something waits or is on its way."""
QUIET_S: Final = 5.0
"""The same while nothing does, so that the heart beats: whoever has something to send, or to stop, wakes us."""
STEADY_S: Final = 10.0
"""A connection that lasted so long ends the growth of the waits."""
LATELY_S: Final = 3600.0
"""A name that was taken within this time is taken again and again."""
FAREWELL_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class ForwarderStats:
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
    taken: int
    """How often another client has taken the connection."""
    trouble: str | None
    """Why it does not go as it should, in words; None: all is well."""
    sent_today_bytes: dict[str, int]
    """Class -> bytes since the day began, where the link is metered."""
    wait_for_tomorrow: tuple[str, ...]
    """Classes whose bytes of today are used up."""


class _Stopped(Exception):
    """Asked to stop while connecting."""


class Forwarder:
    """`start` it, or call `run` in a thread of one's own; `stop` ends either."""

    def __init__(
        self,
        outbox: Outbox,
        settings: BrokerSettings,
        topics: Topics,
        session: str,
        clock: Clock,
        *,
        on_command: OnCommand | None = None,
        beat: Callable[[], None] = lambda: None,
        trusted: Callable[[], bool] = lambda: trust().state in ("ntp", "rtc"),
        live: LivePictures | None = None,
    ) -> None:
        """`trusted` tells whether the wall clock says the right day, for a data cap by days.

        `live` is where the pictures of looks wait.
        """
        self._outbox = outbox
        self._settings = settings
        self._topics = topics
        self._session = session
        self._clock = clock
        self._beat = beat
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        live = live or LivePictures()
        self._scheduler = SendScheduler(outbox, settings, topics, session, clock, trusted, live)
        self._inbound = InboundHandler(outbox, self._scheduler, settings, topics, clock, on_command)
        self._version: Version = "3.1.1" if settings.protocol == "3.1.1" else "5"
        self._accepted_5 = False
        self._connected_at: Instant | None = None
        self._trouble: str | None = None
        """Why there is no connection."""
        self._turn = 0
        """Which of the broker's addresses is tried."""
        self._connects = self._taken = 0
        self._taken_s = -math.inf
        outbox.watch(self.wake)
        live.watch(self.wake)

    # ---------------------------------------------------------------------------------- from other threads

    def keep(self, suffix: str, payload: bytes) -> None:
        """Have the broker retain the latest of a state (info, health, …), now and at each connect.

        An empty payload clears it.
        """
        self._scheduler.keep(suffix, payload)
        self.wake()

    @property
    def kept(self) -> dict[str, bytes]:
        """What the broker is to retain, by topic below the device."""
        return self._scheduler.kept

    def wake(self) -> None:
        """There is something to send."""
        connection = self._connection
        if connection is not None:
            connection.wake()

    @property
    def settled(self) -> bool:
        """Whether every state that is kept has been handed over on this connection."""
        return self._scheduler.settled

    def figures(self) -> ForwarderStats:
        """How it goes."""
        at, scheduler, inbound = self._connected_at, self._scheduler, self._inbound
        troubles = [self._trouble, *inbound.troubles()]
        return ForwarderStats(
            connected_s=None if at is None else self._clock.now().since(at),
            reconnects=max(0, self._connects - 1),
            refused=inbound.refused,
            in_flight=len(scheduler.window.messages),
            sent=scheduler.sent,
            resent=scheduler.resent,
            confirmed=inbound.confirmed,
            station_online=scheduler.station_online,
            version=self._version if at is not None else None,
            taken=self._taken,
            trouble="; ".join(each for each in troubles if each) or None,
            sent_today_bytes={
                each.name.lower(): sent for each, sent in tuple(scheduler.data_cap.spent.items())
            },
            wait_for_tomorrow=tuple(each.name.lower() for each in scheduler.data_cap.closed()),
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
            rest_s = self._next_node_s(trouble, failures)
            self._lost(trouble, rest_s)
            self._pause(rest_s)
            failures += 1

    def _next_node_s(self, why: DeliveryError, failures: int) -> float:
        """How long to wait, and of a cluster which node's turn it is then.

        A session that is taken is taken at each node, and a version that one does not speak none does.
        """
        if not isinstance(why, errors.SessionTaken | errors.VersionRefused):
            self._turn = (self._turn + 1) % len(self._settings.addresses)
        return pause_s(self._settings, why, failures, taken_lately=self._is_taken(why))

    def _is_taken(self, why: DeliveryError) -> bool:
        """Note that another client has our name; whether that has happened within the last hour."""
        if not isinstance(why, errors.SessionTaken):
            return False
        now_s = self._clock.now().mono_s
        lately, self._taken_s = now_s - self._taken_s < LATELY_S, now_s
        self._taken += 1
        return lately

    def _serve(self) -> None:
        """One connection, from its beginning to its end.

        Raises:
            DeliveryError: it could not be made, or ended before `stop`.
        """
        settings, now = self._settings.at(self._turn), self._clock.now()
        will = Will(self._topics.of(MessageKind.STATUS), codec.status("offline", self._session, now))
        connection = Connection(settings, self._topics.device, will, self._version, fresh=self._inbound.spoiled)
        try:
            self._connection = connection
            limits = connection.connect(self._waiting_beat)
            self._connected(connection.where, limits.session_present)
            connection.publish(self._topics.of(MessageKind.STATUS), self._status("online"), retain=True)
            connection.subscribe(*self._topics.subscriptions())
            while not self._stop.is_set():
                self._tend()
                for packet in connection.turn(self._turn_s(connection)):
                    self._inbound.handle(connection, packet)
                self._scheduler.pump(connection)
            self._farewell(connection)
        finally:
            self._connection = None
            connection.close()

    def _turn_s(self, connection: Connection) -> float:
        if self._outbox.at_rest and self._scheduler.settled and connection.settled:
            return QUIET_S
        return min(TURN_S, self._scheduler.window.next_due_s(self._clock.now()))

    def _tend(self) -> None:
        """At each turn, connected or not."""
        self._beat()
        self._outbox.tend()

    def _waiting_beat(self) -> None:
        self._tend()
        if self._stop.is_set():
            raise _Stopped

    def _farewell(self, connection: Connection) -> None:
        """Tell that it stops on purpose, and give the broker a moment to hear it."""
        self._scheduler.close()
        self._connected_at = None
        sure = connection.free > 0  # without room in the window QoS 0 must do: it needs none
        mid = connection.publish(
            self._topics.of(MessageKind.STATUS), self._status("stopped"), retain=True, qos=1 if sure else 0
        )
        deadline = self._clock.now().mono_s + FAREWELL_S
        heard = not sure
        while not heard and self._clock.now().mono_s < deadline:
            heard = any(isinstance(h, Puback) and h.mid == mid for h in connection.turn(0.1))
        connection.close(FAREWELL_S)

    def _status(self, state: Literal["online", "stopped"]) -> bytes:
        return codec.status(state, self._session, self._clock.now())

    # ------------------------------------------------------------------------------------ beginnings and ends

    def _connected(self, where: str, session_present: bool) -> None:
        self._connects += 1
        self._connected_at = self._clock.now()
        self._accepted_5 = self._accepted_5 or self._version == "5"
        self._scheduler.begin()
        self._inbound.begin()
        log.info("broker_connected", where=where, version=self._version, session_present=session_present)
        self._trouble = None

    def _lost(self, why: DeliveryError, pause_s: float) -> None:
        """Forget what was on its way; the outbox has it. It is tried again after `pause_s`."""
        unacked = self._scheduler.disconnected()
        if isinstance(why, errors.HungUp):
            culprit = self._scheduler.suspects.hung_up(unacked, self._clock.now())
            if culprit is not None:
                self._scheduler.set_aside(culprit, f"connections ended with only this on the way: {why.what}")
        if self._trouble is None:
            hint = why.hint
            if isinstance(why, errors.SessionTaken):  # a long wait, at which somebody stands and looks
                now = self._clock.now()
                at = moment(Instant(now.mono_s + pause_s, now.wall_s + pause_s))
                hint = f"{why.hint} it tries again at {at:%Y-%m-%dT%H:%M:%SZ}, in {pause_s:.0f} s"
            log.warning("broker_lost", why=why.what, hint=hint)
        was_connected, self._connected_at = self._connected_at is not None, None
        self._trouble = why.what
        self._inbound.ended()
        if self._settings.protocol == "auto" and was_connected:
            self._version = "5"  # what hung up on MQTT 5 may have been a broker about to start
        elif self._settings.protocol == "auto" and self._may_be_old(why):
            self._version = "3.1.1" if self._version == "5" else "5"

    def _may_be_old(self, why: DeliveryError) -> bool:
        """An old broker refuses MQTT 5, or just hangs up; but so does a bad line before one that spoke it."""
        hung_up = isinstance(why, errors.HungUp) and not self._accepted_5
        return isinstance(why, errors.VersionRefused) or hung_up

    def _pause(self, seconds: float) -> None:
        ends = self._clock.now().mono_s + seconds
        while not self._stop.is_set() and (left := ends - self._clock.now().mono_s) > 0:
            self._tend()
            self._stop.wait(min(TURN_S, left))
