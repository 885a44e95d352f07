"""agent.mqtt.connection"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from agent.errors import BrokerRefused, BrokerUnreachable, DeliveryError
from agent.mqtt.connection import Connection
from agent.mqtt.packets import InboundPacket, InboundPublish, Puback, Suback
from agent.mqtt.settings import BrokerSettings
from agent.settings.base import Secret
from agent.transport import errors
from agent.transport.client import Will
from agent.transport.settings import Version
from station.watch.embedded import Address
from tests.support.brokers import Mosquitto, free_port, until

WILL = Will("t/will", b"gone")


@contextmanager
def connected(
    port: int,
    client_id: str = "box",
    version: Version = "5",
    *,
    will: Will = WILL,
    now_s: Callable[[], float] = time.monotonic,
    **more: object,
) -> Iterator[Connection]:
    connection = Connection(BrokerSettings(port=port, **more), client_id, will, version, now_s)
    try:
        connection.connect()
        yield connection
    finally:
        connection.close(2.0)


def turn_until(connection: Connection, kind: type[InboundPacket], within_s: float = 10.0) -> InboundPacket:
    """The next happening of a kind."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        for packet in connection.turn(0.1):
            if isinstance(packet, kind):
                return packet
    pytest.fail(f"no {kind.__name__} within {within_s} s")


def turn_until_lost(connection: Connection, within_s: float) -> tuple[DeliveryError, float]:
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        try:
            connection.turn(0.1)
        except DeliveryError as error:
            return error, time.monotonic() - began
    pytest.fail(f"not lost within {within_s} s")


@contextmanager
def spying(port: int, topic: str) -> Iterator[list[tuple[str, bytes, bool]]]:
    """Another client of the broker: what it gets, as (topic, payload, retained)."""
    seen: list[tuple[str, bytes, bool]] = []
    ready = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"spy-{free_port()}")
    client.on_message = lambda _c, _u, m: seen.append((m.topic, m.payload, m.retain))
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(topic, qos=1)
    assert ready.wait(10)
    yield seen
    client.disconnect()
    client.loop_stop()


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Something on a port that is no broker."""
    server = socket.create_server(("127.0.0.1", 0))
    ends: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                end, _ = server.accept()
            except OSError:
                return
            ends.append(end)
            answer(end)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)
    for end in ends:
        end.close()


def sockets_to(port: int) -> list[socket.socket]:
    """Copies of this process's own connections to a port."""
    found = []
    for number in [int(each.name) for each in Path("/proc/self/fd").iterdir()]:
        try:
            copy = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        try:
            there = copy.getpeername()[1] == port
        except (OSError, IndexError):
            there = False
        if there:
            found.append(copy)
        else:
            copy.close()
    return found


# ------------------------------------------------------------------------------------------------ publishing


def test_a_small_packet_waits_for_no_answer_to_the_one_before(embedded: Address) -> None:
    with connected(embedded.port):
        (ours,) = sockets_to(embedded.port)

        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        ours.close()


@pytest.mark.broker
def test_a_message_that_nobody_subscribes_to_is_not_taken(mosquitto: Mosquitto) -> None:
    with connected(mosquitto.port) as connection:
        mid = connection.publish("t/nobody", b"x")
        answer = turn_until(connection, Puback)
        assert isinstance(answer, Puback)
        assert (answer.mid, answer.code, answer.taken) == (mid, 0x10, False)
        with spying(mosquitto.port, "t/#"):
            connection.publish("t/somebody", b"x")
            answer = turn_until(connection, Puback)
            assert isinstance(answer, Puback)
            assert answer.taken


@pytest.mark.broker
def test_a_refused_message_is_told_as_refused(
    start_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic read #\n")
    broker = start_mosquitto(f"acl_file {acl}")
    with connected(broker.port) as connection:
        connection.publish("t/denied", b"x")
        answer = turn_until(connection, Puback)
        assert isinstance(answer, Puback)
        assert (answer.code, answer.taken) == (0x87, False)


@pytest.mark.broker
def test_the_brokers_limits_bound_the_window_and_the_size(start_mosquitto: Callable[..., Mosquitto]) -> None:
    broker = start_mosquitto("max_inflight_messages 3", "max_packet_size 20000")
    with connected(broker.port) as connection, spying(broker.port, "t/#") as seen:
        assert connection.limits.receive_maximum == 3
        assert connection.limits.max_packet_bytes == 20000
        assert connection.free == 3
        for n in range(3):
            connection.publish("t/x", b"%d" % n)
        assert connection.free == 0
        with pytest.raises(errors.TooLarge, match="20000"):
            connection.publish("t/large", bytes(20000))
        until(lambda: connection.turn(0.05) is not None and connection.free == 3)
        until(lambda: len(seen) == 3)


# ------------------------------------------------------------------------------------ what cannot be reached


def test_a_port_where_nothing_listens_is_explained() -> None:
    with pytest.raises(BrokerUnreachable, match="nothing listens"), connected(free_port()):
        pass


def test_a_name_that_does_not_exist_is_explained() -> None:
    with pytest.raises(BrokerUnreachable, match="resolved"), connected(1883, host="no-such-host.invalid"):
        pass


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_who_accepts_and_then_says_nothing_is_given_up(version: Version) -> None:
    began = time.monotonic()
    with (
        listening(lambda _: None) as port,
        pytest.raises(errors.Silent, match="never answered"),
        connected(port, version=version, connect_timeout_s=1),
    ):
        pass
    assert time.monotonic() - began < 3


def test_who_hangs_up_is_told_from_who_is_silent() -> None:
    with listening(lambda end: end.close()) as port, pytest.raises(errors.HungUp), connected(port):
        pass


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 64, b"\x20\x80\x80\x80\x80\x01"]
)
def test_who_answers_something_else_is_no_broker(answer: bytes) -> None:
    def reply(end: socket.socket) -> None:
        end.recv(100)
        end.sendall(answer)

    with listening(reply) as port, pytest.raises(DeliveryError), connected(port, connect_timeout_s=2):
        pass


def test_waiting_for_an_answer_can_be_given_up_by_the_caller() -> None:
    class Enough(Exception):
        pass

    def beat() -> None:
        raise Enough

    with listening(lambda _: None) as port:
        connection = Connection(BrokerSettings(port=port), "box", WILL)
        with pytest.raises(Enough):
            connection.connect(beat)
        connection.close()


@pytest.mark.broker
def test_a_wrong_password_is_explained(start_mosquitto: Callable[..., Mosquitto], tmp_path: Path) -> None:
    users, secret = tmp_path / "users", tmp_path / "secret"
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", str(users), "box", "right"], check=True, capture_output=True
    )
    users.chmod(0o644)
    broker = start_mosquitto("allow_anonymous false", f"password_file {users}")
    secret.write_text("mistaken\n")
    login = {"username": "box", "password": Secret(file=secret)}
    with pytest.raises(BrokerRefused) as caught, connected(broker.port, **login):
        pass
    assert "broker" in caught.value.hint
    assert "mistaken" not in str(caught.value)
    secret.write_text("right\n")
    with connected(broker.port, **login) as connection:
        assert connection.free == 10


def test_a_password_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    missing = {"username": "box", "password": Secret(file=tmp_path / "none")}
    with pytest.raises(BrokerRefused, match="cannot be read"), connected(1883, **missing):
        pass
    unset = {"username": "box", "password": Secret(env="NGATU_TEST_NOT_SET")}
    with pytest.raises(BrokerRefused, match="NGATU_TEST_NOT_SET"), connected(1883, **unset):
        pass


def test_a_broker_of_the_older_version_is_recognised(embedded: Address) -> None:
    with pytest.raises((errors.VersionRefused, errors.HungUp)), connected(embedded.port_311):
        pass
    with connected(embedded.port_311, "box-311", "3.1.1") as connection:
        assert connection.limits.version == "3.1.1"


# --------------------------------------------------------------------------------------- what is lost, and how


@pytest.mark.broker
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_killed_broker_is_noticed_at_once(mosquitto: Mosquitto, version: Version) -> None:
    with connected(mosquitto.port, version=version) as connection:
        mosquitto.kill()
        error, took_s = turn_until_lost(connection, 5)
        assert isinstance(error, errors.HungUp)
        assert took_s < 2
        with pytest.raises(DeliveryError):
            connection.publish("t/x", b"x")


@pytest.mark.broker
def test_a_broker_that_says_why_is_quoted(start_mosquitto: Callable[..., Mosquitto]) -> None:
    with connected(start_mosquitto("max_packet_size 2000").port) as connection:
        connection.limits = replace(
            connection.limits, max_packet_bytes=None
        )  # as if the broker had not said it
        connection.publish("t/x", bytes(3000))
        error, _ = turn_until_lost(connection, 5)
        assert "too large" in error.what
        assert isinstance(error, errors.HungUp)


@pytest.mark.long
@pytest.mark.broker
def test_a_broker_that_takes_bytes_but_acknowledges_nothing_is_noticed(mosquitto: Mosquitto) -> None:
    with connected(mosquitto.port, dead_link_s=2) as connection:
        mosquitto.signal(signal.SIGSTOP)
        connection.publish("t/x", b"x")
        error, took_s = turn_until_lost(connection, 15)
        assert isinstance(error, errors.Silent)
        assert took_s < 8
        mosquitto.signal(signal.SIGCONT)


@pytest.mark.broker
def test_another_user_of_the_same_id_is_recognised(mosquitto: Mosquitto) -> None:
    with connected(mosquitto.port, "box") as first, connected(mosquitto.port, "box"):
        error, _ = turn_until_lost(first, 5)
        assert isinstance(error, errors.SessionTaken)
        assert "cloned" in error.hint


# ------------------------------------------------------------------------------------------- will and session


@pytest.mark.broker
def test_the_will_speaks_after_a_crash_and_not_after_a_goodbye(mosquitto: Mosquitto) -> None:
    with spying(mosquitto.port, "t/will") as seen:
        with connected(mosquitto.port, will=Will("t/will", b"goodbye")):
            pass
        crashed = Connection(BrokerSettings(port=mosquitto.port), "box", Will("t/will", b"crash"))
        crashed.connect()
        crashed.close()
        until(lambda: seen)
        assert [payload for _, payload, _ in seen] == [b"crash"]


@pytest.mark.broker
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_command_comes_again_until_it_is_acknowledged(mosquitto: Mosquitto, version: Version) -> None:
    with connected(mosquitto.port, "box", version) as connection:
        connection.subscribe("t/command/#")
        answer = turn_until(connection, Suback)
        assert isinstance(answer, Suback)
        assert answer.codes == (1,)
    with connected(mosquitto.port, "other") as other:
        other.publish("t/command/ping", b"sent while away")
        turn_until(other, Puback)
    for _ in range(2):
        with connected(mosquitto.port, "box", version) as connection:
            assert connection.limits.session_present
            command = turn_until(connection, InboundPublish)
            assert isinstance(command, InboundPublish)
            assert (command.topic, command.payload) == ("t/command/ping", b"sent while away")
    with connected(mosquitto.port, "box", version) as connection:
        command = turn_until(connection, InboundPublish)
        assert isinstance(command, InboundPublish)
        acking = threading.Thread(target=connection.ack, args=(command,))
        acking.start()
        acking.join()
        connection.turn(0.05)
    with connected(mosquitto.port, "box", version) as connection:
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            assert not connection.turn(0.1)


def test_a_turn_can_be_woken_from_another_thread(embedded: Address) -> None:
    with connected(embedded.port, "box-wake") as connection:
        began = time.monotonic()
        threading.Timer(0.1, connection.wake).start()
        connection.turn(10)
        assert time.monotonic() - began < 5
    connection.wake()  # and after the end it does no harm


@pytest.mark.long
def test_a_long_turn_ends_when_a_ping_is_due(mosquitto: Mosquitto) -> None:
    """Else a link that is dead and idle would not be noticed within two keepalives (promise P11)."""
    with connected(mosquitto.port, "box-ping", keepalive_s=5) as connection:
        connection.turn(0.0)
        began = time.monotonic()
        connection.turn(60.0)
        first_s = time.monotonic() - began
        assert connection.turn(1.0) == []  # the answer to the ping
        assert 0 < connection.ping_due_s() <= 5

    assert first_s < 6


@pytest.mark.parametrize("due", [True, False])
def test_whatever_goes_or_comes_puts_the_next_ping_off(embedded: Address, due: bool) -> None:
    later_s = [0.0]
    with connected(
        embedded.port, "box-due", now_s=lambda: time.monotonic() + later_s[0], keepalive_s=20
    ) as connection:
        later_s[0] = 19.0
        if not due:
            connection.publish("t/x", b"1")
            turn_until(connection, Puback)
            assert connection.settled
        assert (connection.ping_due_s() <= 1.5) == due
