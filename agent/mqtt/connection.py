"""One connection to a broker: a thin wire that keeps nothing.

A Connection owns one paho client for one connection and is thrown away with it, so nothing is ever resent
behind the outbox's back. It is turned by one thread, the caller's: paho runs no thread of its own here, so no
callback can kill one, and stopping waits for nobody. Only `wake` and `ack` may come from other threads.
docs/design/delivery.md says which trap of paho and of brokers each line answers.
"""

from __future__ import annotations

import fcntl
import math
import select
import socket
import ssl
import struct
import termios
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Literal

import paho.mqtt.client as paho
from paho.mqtt.subscribeoptions import SubscribeOptions

from agent.errors import BrokerUnreachable, DeliveryError
from agent.mqtt.client import ClientState, connect_options, new_client
from agent.mqtt.packets import (
    InboundPacket,
    InboundPublish,
    Limits,
    Puback,
    packet_bytes,
    publish_properties,
)
from agent.mqtt.settings import BrokerSettings
from agent.translatable import tr
from agent.transport import errors
from agent.transport.client import Will
from agent.transport.settings import Version

SILENT: Final = 1.5
"""So many times `dead_link_s` nothing may move: a turn takes up to a second, and so may a slow link."""
_KEEPALIVE_TIMEOUT: Final = 0x8D


class Connection:
    """One connection, from `connect` to the first error or `close`; a `fresh` one begins the session anew.

    Raises:
        BrokerRefused: a certificate, key or password cannot be read.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        will: Will,
        version: Version = "5",
        now_s: Callable[[], float] = time.monotonic,
        *,
        fresh: bool = False,
    ) -> None:
        self.where = settings.where
        self.limits = Limits(version)
        self._settings = settings
        self._now_s = now_s
        self._fresh = fresh
        self._state = ClientState()
        self._unacked: set[int] = set()
        self._quiet_since_s = 0.0
        self._received_s = self._sent_s = self._now_s()
        """When something last came, and went; after the keepalive of silence either way, paho pings."""
        self._unsent = 0
        """Bytes in the kernel's queue at the last look."""
        self._acks: deque[InboundPublish] = deque()
        self._client = new_client(settings, client_id, will, version, self._state, fresh)
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)

    # -------------------------------------------------------------------------------------------- beginning

    def connect(self, beat: Callable[[], None] = lambda: None) -> Limits:
        """Connect and read the broker's limits. `beat` is called while it waits, and may raise to give up.

        Raises:
            BrokerUnreachable: nothing answers in time.
            BrokerRefused: it answers, but will not have us; VersionRefused if only the version is wrong.
        """
        deadline_s = self._now_s() + self._settings.connect_timeout_s
        self._dial(deadline_s, beat)
        while self._state.connack is None:
            beat()
            if self._now_s() > deadline_s:
                raise errors.Silent(
                    tr("broker {where} took the connection but never answered", where=self.where),
                    errors.hint_of_hang_up(self._settings.port, self._settings.tls is not None),
                )
            try:
                self.turn(0.1)
            except DeliveryError:
                if self._state.connack is None:  # a refusal is followed by the end of the connection
                    raise
        code, session_present, properties = self._state.connack
        if code != 0:
            raise errors.refused(code, self.where, self._settings.whom)
        if getattr(properties, "MaximumQoS", 1) < 1:
            raise errors.refused(0x9B, self.where)
        self.limits = Limits(
            self.limits.version,
            session_present,
            getattr(properties, "ReceiveMaximum", 65535),
            getattr(properties, "MaximumPacketSize", None),
        )
        return self.limits

    def _dial(self, deadline_s: float, beat: Callable[[], None]) -> None:
        """Name, TCP and TLS in a thread of their own: a hanging name server must not hold ours up."""
        outcome: list[BaseException | None] = []
        given_up = threading.Event()

        options = connect_options(self._settings, self.limits.version, self._fresh)

        def dial() -> None:
            try:
                self._client.connect(self._settings.host, self._settings.port, **options)
                self._disable_nagle()
                outcome.append(None)
            except Exception as error:  # judged in the caller's thread
                _close_sockets_of(error)
                outcome.append(error)
            if given_up.is_set():
                self._drop()

        thread = threading.Thread(target=dial, name="dial", daemon=True)
        thread.start()
        try:
            while thread.is_alive() and self._now_s() <= deadline_s:
                beat()
                thread.join(0.05)
        except BaseException:
            given_up.set()
            raise
        if not outcome:
            given_up.set()
            raise errors.Silent(
                tr("broker {where} does not answer", where=self.where), tr("is the network up, and the DNS?")
            )
        if outcome[0] is not None:
            raise self._with_hint(errors.unreachable(outcome[0], self.where))

    def _disable_nagle(self) -> None:
        """Without it a small packet waits for the answer to the one before: 20 ms instead of 0.5 (measured).

        Nagle's algorithm (RFC 896) against delayed acknowledgements (RFC 1122, 4.2.3.2).
        """
        connection: Any = self._client.socket()
        if connection is not None:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # ------------------------------------------------------------------------------------------------- using

    @property
    def free(self) -> int:
        """How many more may be published now: our window and the broker's Receive Maximum."""
        return max(0, min(self._settings.window, self.limits.receive_maximum) - len(self._unacked))

    @property
    def settled(self) -> bool:
        """Whether the broker has acknowledged all that was published."""
        return not self._unacked

    def ping_due_s(self) -> float:
        """Seconds until paho pings or gives up on an answer: a longer wait would find a dead link later."""
        longest_s = self._client.keepalive or math.inf  # a broker may want no pings at all
        return max(0.0, min(self._received_s, self._sent_s) + longest_s - self._now_s())

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: Literal[0, 1] = 1,
        retain: bool = False,
        content_type: str | None = None,
        expiry_s: int | None = None,
        user: Mapping[str, str] | None = None,
    ) -> int:
        """Hand one message over; the id that its Puback will bear (with QoS 0 that only means: it is written).

        Raises:
            TooLarge: it was not sent, and never can be on this connection.
            BrokerUnreachable: the connection is lost.
        """
        properties = publish_properties(content_type, expiry_s, user) if self.limits.version == "5" else None
        size, most = packet_bytes(topic, payload, properties), self._settings.max_packet_bytes
        most = min(most, self.limits.max_packet_bytes or most)
        if size > most:
            raise errors.TooLarge(f"{size} bytes, the limit is {most}")
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise (
                self._why()
                if self._state.lost
                else BrokerUnreachable(tr("broker {where}: {rc}", where=self.where, rc=repr(info.rc)))
            )
        self._sent_s = self._now_s()
        if qos:
            self._quiet_since_s = self._quiet_since_s if self._unacked else self._now_s()
            self._unacked.add(info.mid)
        return info.mid

    def subscribe(self, *filters: str) -> None:
        """Ask for messages with QoS 1; a Suback follows.

        In MQTT 5 they come with the mark "retained" that they were published with: without asking for it, only
        what the broker had before the subscription bears it.
        """
        if self.limits.version == "5":
            self._client.subscribe([(each, SubscribeOptions(1, retainAsPublished=True)) for each in filters])
        else:
            self._client.subscribe([(each, 1) for each in filters])
        self._sent_s = self._now_s()

    def ack(self, inbound: InboundPublish) -> None:
        """Tell the broker that a message has had its effect; from any thread, also after the end."""
        self._acks.append(inbound)
        self.wake()

    def wake(self) -> None:
        """Make a `turn` that waits return; from any thread."""
        with suppress(OSError):
            self._wake_sender.send(b".")

    def turn(self, timeout_s: float) -> list[InboundPacket]:
        """Wait for the network at most so long, do what there is to do, and tell what happened.

        Raises:
            DeliveryError: the connection is lost, and everything that came before has been told.
        """
        if self._state.lost is None:
            self._exchange(timeout_s)
        packets = list(self._state.packets)
        self._state.packets.clear()
        for packet in packets:
            if isinstance(packet, Puback):
                self._unacked.discard(packet.mid)
                self._quiet_since_s = self._now_s()
        if self._state.lost is not None and not packets:
            raise self._why()
        return packets

    def close(self, patience_s: float = 0.0) -> None:
        """Say goodbye if there is time, so that the broker keeps the will to itself; never raises."""
        deadline_s = self._now_s() + patience_s
        if patience_s > 0 and self._state.lost is None:
            self._client.disconnect()
            while self._client.socket() is not None and self._now_s() < deadline_s:
                try:
                    self.turn(0.05)
                except DeliveryError:
                    break
        self._drop()
        self._wake_receiver.close()
        self._wake_sender.close()

    # --------------------------------------------------------------------------------------------- the inside

    def _exchange(self, timeout_s: float) -> None:
        while self._acks:
            inbound = self._acks.popleft()
            self._client.ack(inbound.mid, inbound.qos)
            self._sent_s = self._now_s()
        connection = self._client.socket()
        if connection is None:
            self._lose(0)
            return
        try:
            readable, writable = self._poll(connection, min(timeout_s, self.ping_due_s()))
            if readable:
                self._client.loop_read()
                self._received_s = self._now_s()
            if writable and self._client.socket() is not None:
                self._client.loop_write()
            if self._client.socket() is not None:
                self._misc()
                self._notice_silence(connection)
            elif self._state.lost is None:
                self._lose(0)
        except Exception as error:  # whatever a broker's bytes do to paho ends this connection only
            self._state.error = error
            self._lose(0)

    def _misc(self) -> None:
        """What is due by time. As paho does, count a ping as something that went and came."""
        pings = self.ping_due_s() <= 0
        self._client.loop_misc()
        if pings:
            self._received_s = self._sent_s = self._now_s()

    def _poll(self, connection: Any, timeout_s: float) -> tuple[bool, bool]:
        if isinstance(connection, ssl.SSLSocket) and connection.pending():
            timeout_s = 0.0
        poll = select.poll()
        wants = select.POLLIN | (select.POLLOUT if self._client.want_write() else 0)
        poll.register(connection, wants)
        poll.register(self._wake_receiver, select.POLLIN)
        events = dict(poll.poll(max(0.0, timeout_s) * 1000))
        if self._wake_receiver.fileno() in events:
            with suppress(BlockingIOError):
                self._wake_receiver.recv(4096)
        found = events.get(connection.fileno(), 0)
        pending = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
        return bool(found & ~select.POLLOUT) or pending, bool(found & select.POLLOUT)

    def _notice_silence(self, connection: Any) -> None:
        """A cut link, or a broker that acknowledges nothing: no answer, and no byte leaves the kernel's queue.

        TCP_USER_TIMEOUT (RFC 5482) is no substitute: it also ends a slow link whose window is closed for long,
        every ten seconds on one of 32 kbit/s (measured).
        """
        unsent, now_s = _unsent_bytes(connection), self._now_s()
        if not self._unacked or unsent < self._unsent:
            self._quiet_since_s = now_s
        self._unsent = unsent
        if now_s - self._quiet_since_s >= SILENT * self._settings.dead_link_s:
            self._state.error = TimeoutError(tr("no acknowledgement"))
            self._lose(0)

    def _lose(self, code: int) -> None:
        if self._state.lost is None:
            self._state.lost = (False, code)

    def _why(self) -> DeliveryError:
        by_broker, code = self._state.lost or (False, 0)
        if by_broker and code != 0:
            return errors.lost(code, self.where)
        if self._state.error is not None:
            error = errors.unreachable(self._state.error, self.where)
        elif code == _KEEPALIVE_TIMEOUT:
            error = errors.Silent(
                tr("broker {where} does not answer any more", where=self.where), tr("is the network up?")
            )
        else:
            error = errors.HungUp(
                tr("broker {where} hung up", where=self.where), tr("see its log for the reason")
            )
        return self._with_hint(error)

    def _with_hint(self, error: DeliveryError) -> DeliveryError:
        """Who hangs up before it has answered often tells no reason, or too late to be read."""
        if isinstance(error, errors.HungUp) and self._state.connack is None:
            error.hint = errors.hint_of_hang_up(self._settings.port, self._settings.tls is not None)
        return error

    def _drop(self) -> None:
        connection = self._client.socket()
        if connection is not None:
            with suppress(OSError):
                connection.close()


def _unsent_bytes(connection: Any) -> int:
    """What the kernel still holds of our bytes, sent but not acknowledged ones included (tcp(7), SIOCOUTQ)."""
    try:
        return int(struct.unpack("i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0])
    except OSError:
        return 0


def _close_sockets_of(error: BaseException) -> None:
    """Paho leaves the socket of a failed TLS handshake open, and only the error's frames still know it."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in frame.f_locals.values():
            if isinstance(value, socket.socket):
                value.close()
