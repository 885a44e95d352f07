"""What goes out next: states, hello, then what the outbox gives, as far as in-flight window and data cap reach.

Nothing here must survive: the outbox has it all. The forwarder owns the connection, this the order on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from agent.clock import Clock
from agent.core.types import Instant
from agent.errors import DeliveryError, OutboxError
from agent.mqtt.connection import Connection
from agent.mqtt.data_cap import DataCap
from agent.mqtt.inflight import BULK, PLAIN, InFlight, InFlightWindow, Suspects
from agent.mqtt.live import Fate, LivePictures
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Outbox
from agent.transport import errors
from agent.wire import codec
from agent.wire.channels import MessageKind
from agent.wire.message import Priority, Stored
from agent.wire.topics import Topics

log = structlog.get_logger(__name__)

IMAGE_EXPIRY_S: Final = 7 * 24 * 3600
USUAL_BYTES: Final = 2000
"""Of an event."""
LIVE_ROW: Final = 3
"""After so many pictures of looks in a row one of an event has its turn."""
DAY_AGAIN_S: Final = 60.0
"""Between two looks which day it is, and two notes of what was sent."""


class SendScheduler:
    """The outgoing half of the forwarder. All but `keep` runs in the forwarder's thread."""

    def __init__(
        self,
        outbox: Outbox,
        settings: BrokerSettings,
        topics: Topics,
        session: str,
        clock: Clock,
        trusted: Callable[[], bool],
        live: LivePictures,
    ) -> None:
        """`trusted` tells whether the wall clock says the right day; `live` holds the pictures of looks."""
        self.station_online = False
        self.sent = self.resent = 0
        self.suspects = Suspects()
        self.data_cap = DataCap(settings.daily.limits() if settings.daily is not None else {})
        self._outbox, self._settings, self._topics = outbox, settings, topics
        self._session, self._clock, self._trusted = session, clock, trusted
        self.live = live
        self._live_row = 0
        """Pictures of looks since one of an event had its turn."""
        self.window = self._new_window()
        self.stream = outbox.stream
        """Of what is on its way."""
        self._greeted: str | None = None
        """The stream of the last hello; empty: one may go out; None: nobody would hear the answer yet."""
        self._kept: dict[str, bytes] = {}
        self._changed: set[str] = set()
        self._kept_lock = threading.Lock()
        self._looked_s = float("-inf")
        self._noted = dict(self.data_cap.spent)

    def keep(self, suffix: str, payload: bytes) -> None:
        """Remember the latest of a state; from any thread."""
        with self._kept_lock:
            if self._kept.get(suffix) != payload:
                self._kept[suffix] = payload
                self._changed.add(suffix)

    @property
    def kept(self) -> dict[str, bytes]:
        """The states as they are kept, by topic below the device."""
        with self._kept_lock:
            return dict(self._kept)

    @property
    def settled(self) -> bool:
        """Whether every state that is kept has been handed over on this connection."""
        return not self._changed

    def begin(self) -> None:
        """A connection stands: every state is to be told anew."""
        self._greeted, self.station_online = None, False
        with self._kept_lock:
            self._changed = set(self._kept)

    def greet(self) -> None:
        """Hello may go out: its answer would reach us now."""
        self._greeted = ""

    def greet_again(self) -> None:
        """A station has come that may have missed the last one."""
        self._greeted = "" if self._greeted else self._greeted

    def disconnected(self) -> list[InFlight]:
        """The connection is gone; what was in the air."""
        self.station_online = False
        self._note_spent()
        self.live.disconnected()
        unacked = self.window.disconnected()
        return unacked if self._same_stream() else []

    def close(self) -> None:
        """The agent stops."""
        self._note_spent()

    def set_aside(self, seq: int, why: str) -> None:
        """Into quarantine; what the disk says to that is told."""
        try:
            self._outbox.quarantine(seq, why)
        except OutboxError as error:
            log.exception("quarantine_failed", seq=seq, why=error.what)

    def pump(self, connection: Connection) -> None:
        """Send as much as the window takes."""
        self._publish_kept(connection)
        self._same_stream()
        self._greet(connection)
        now = self._clock.now()
        self.look_at_the_day(now)
        self.window.fall_due(now)
        if self.suspects.alone is not None or self._send_suspect(connection, idle=False):
            return
        plain, _ = self.window.room(connection.free)
        sent = self._send_some(connection, plain, PLAIN, now)
        looked = self._live_row < LIVE_ROW and self._send_live(connection)
        _, bulk = self.window.room(connection.free)
        if self.station_online or self._settings.confirm == "broker":
            pictures = self._send_some(connection, min(bulk, connection.free), BULK, now)
            sent += pictures
            self._live_row = 0 if pictures else self._live_row
        if not looked and self._live_row:
            self._live_row = 0
            looked = self._send_live(connection)
        if not (sent or looked):
            self._send_suspect(connection, idle=True)

    def look_at_the_day(self, now: Instant) -> None:
        """Once a minute: which day it is, and a note of what was sent."""
        if now.mono_s - self._looked_s < DAY_AGAIN_S:
            return
        self._looked_s = now.mono_s
        day = f"{datetime.fromtimestamp(now.wall_s).astimezone():%Y-%m-%d}" if self._trusted() else ""
        first = not self.data_cap.day and not self.data_cap.spent
        self.data_cap.turn(now, day)
        if first and self.data_cap.limits:
            self.data_cap.spent.update(self._outbox.spent(day))
            self._noted = dict(self.data_cap.spent)
        self._note_spent()

    # --------------------------------------------------------------------------------------------- the inside

    def _note_spent(self) -> None:
        if self.data_cap.limits and self.data_cap.spent != self._noted:
            try:
                self._outbox.note_spent(self.data_cap.day, self.data_cap.spent)
            except OutboxError as error:
                log.warning("data_cap_not_noted", why=error.what)
            self._noted = dict(self.data_cap.spent)

    def _same_stream(self) -> bool:
        """Whether the outbox is in the same stream; if not, what was on its way has other numbers now."""
        if self.stream == self._outbox.stream:
            return True
        self.stream = self._outbox.stream
        self.window, self.suspects = self._new_window(), Suspects()
        return False

    def _new_window(self) -> InFlightWindow:
        return InFlightWindow(self._settings.receipt_timeout_s, self._settings.image_window)

    def _greet(self, connection: Connection) -> None:
        if self._greeted is not None and self._greeted != self.stream and connection.free > 0:
            bounds, head = self._outbox.bounds(), self._outbox.head()
            hello = codec.hello(self._session, self.stream, *bounds, self._clock.now(), head)
            connection.publish(self._topics.of(MessageKind.HELLO), hello)
            self._greeted = self.stream

    def _publish_kept(self, connection: Connection) -> None:
        while self._changed and connection.free > 0:
            with self._kept_lock:
                suffix = min(self._changed)
                self._changed.discard(suffix)
                payload = self._kept[suffix]
            try:
                connection.publish(self._topics.below(suffix), payload, retain=True, content_type=codec.JSON)
            except errors.TooLarge as error:
                log.warning("state_too_large", topic=suffix, why=error.what)

    def _send_some(
        self, connection: Connection, limit: int, classes: tuple[Priority, ...], now: Instant
    ) -> int:
        """Up to `limit` messages of these classes, as far as the day's bytes and the link allow; how many went.

        Few are asked for where few may go: what the outbox has given out can no longer be replaced by newer.
        """
        within = [priority for priority in classes if self.data_cap.open(priority)]
        sent = 0
        while within and limit > 0 and (room := self.window.send_window.room_bytes) > 0:
            few = min(limit, 1 + int(room // USUAL_BYTES))
            skip = self.window.messages.keys() | self.suspects.listed.keys()
            given = self._outbox.waiting(few, now, skip, within)
            sent += sum(self._send(connection, each) for each in given)
            if len(given) < few:
                break  # nothing more waits
            limit -= few
        return sent

    def _send_live(self, connection: Connection) -> bool:
        """A picture of a look, if one waits and so little is under way that no event waits for it for long."""
        send_window = self.window.send_window
        self.live.carries(send_window.bound_bytes)
        if connection.free < 1 or not send_window.calm or not self.data_cap.open(Priority.ALERT_IMAGE):
            return False
        now = self._clock.now()  # of this moment: what was sent before it may have taken long
        picture = self.live.next(now)
        if picture is None:
            return False
        try:
            mid = connection.publish(
                self._topics.below(picture.topic),
                picture.data,
                content_type=codec.JPEG,
                expiry_s=picture.expiry_s(now),
                user=dict(picture.user),
            )
        except DeliveryError as error:
            picture.ended(Fate.DROPPED)
            if isinstance(error, errors.TooLarge):
                return False
            raise
        self.live.sent(picture, mid)
        send_window.sent(mid, len(picture.data), now.mono_s)
        self.data_cap.spend(Priority.ALERT_IMAGE, len(picture.topic) + len(picture.data))
        self._live_row += 1
        return True

    def _send_suspect(self, connection: Connection, idle: bool) -> bool:
        """One that may have broken a connection goes alone; whether it is being dealt with."""
        seq = self.suspects.next(idle, self._clock.now())
        if seq is None:
            return False
        if self.window.unacked or connection.free < 1:
            return not idle  # those without a strike hold the others up for one round trip
        stored = self._outbox.one(seq)
        if stored is None or not self._send(connection, stored):
            self.suspects.cleared(seq)
            return False
        self.suspects.alone = seq
        return True

    def _send(self, connection: Connection, stored: Stored) -> bool:
        """Hand one message over; False if it can never be sent, or is of a stream that has just ended."""
        if stored.stream != self.stream:
            return False
        now, message = self._clock.now(), stored.message
        try:
            mid = connection.publish(
                self._topics.below(message.topic),
                codec.finish(stored, self.stream, now),
                content_type=message.content_type,
                expiry_s=IMAGE_EXPIRY_S if message.priority in BULK else None,
                user=codec.properties(stored, self.stream),
            )
        except errors.TooLarge as error:
            self.set_aside(stored.seq, error.what)
            connection.wake()  # its place in the window is free for the next one now, not in a second
            return False
        except DeliveryError:
            raise
        except Exception as error:  # one that cannot even be written must not end every connection
            log.exception("message_unwritable", seq=stored.seq)
            self.set_aside(stored.seq, f"it cannot be written: {error!r}")
            connection.wake()
            return False
        self.window.sent(stored, mid, now)
        self.data_cap.spend(message.priority, len(message.topic) + len(message.body))
        self.sent += 1
        self.resent += self.window.messages[stored.seq].tries > 1
        return True
