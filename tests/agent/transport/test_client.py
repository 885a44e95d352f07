"""agent.transport.client"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import BrokerRefused, BrokerUnreachable
from agent.settings.base import Secret
from agent.transport.client import SESSION_S, Will, connect, connect_options, new_client
from agent.transport.errors import HungUp
from agent.transport.settings import EndpointSettings, TlsSettings, Version
from tests.support.brokers import Mosquitto, free_port, until


def test_who_keeps_no_session_leaves_nothing_at_the_broker() -> None:
    assert connect_options("5", 20, keep_session=False) == {"keepalive": 20, "clean_start": True}
    kept = connect_options("5", 20)
    assert (kept["clean_start"], kept["properties"].SessionExpiryInterval) == (False, SESSION_S)


@pytest.mark.parametrize("more", [
    {"tls": TlsSettings(ca=Path("/no/such/file"))},
    {"username": "box", "password": Secret(file=Path("/no/such/file"))},
    {"username": "box", "password": Secret(env="NO_SUCH_VARIABLE")},
])  # fmt: skip
def test_a_file_or_variable_that_is_not_there_is_told_before_anything_is_sent(more: dict[str, object]) -> None:
    with pytest.raises(BrokerRefused, match="broker"):
        new_client(EndpointSettings.model_validate(more), "box", "5", None)


@pytest.mark.broker
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_the_broker_tells_the_will_of_whom_it_loses(mosquitto: Mosquitto, version: Version) -> None:
    endpoint, seen = EndpointSettings(port=mosquitto.port), []
    watching = connect(endpoint, "watching", on_message=lambda _c, _d, message: seen.append(message.payload))
    watching.subscribe("t/will", 1)
    lost = connect(endpoint, "lost", version, Will("t/will", b"gone"))

    lost.socket().shutdown(socket.SHUT_RDWR)
    until(lambda: watching.loop(0.1) == 0 and seen == [b"gone"])
    watching.disconnect()
    lost.disconnect()


def test_a_port_where_nothing_listens_is_told_in_words() -> None:
    with pytest.raises(BrokerUnreachable, match="nothing listens there"):
        connect(EndpointSettings(port=free_port()), "box")


def test_who_hangs_up_unanswered_may_be_an_old_broker() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        answering = threading.Thread(target=hang_up)
        answering.start()
        with pytest.raises(HungUp):
            connect(EndpointSettings(port=server.getsockname()[1]), "box")
        answering.join()


@pytest.mark.broker
def test_a_broker_that_knows_nobody_of_that_name_is_told_in_words(
    start_mosquitto: Callable[..., Mosquitto], tmp_path: Path
) -> None:
    users = tmp_path / "users"
    users.write_text("")
    broker = start_mosquitto("allow_anonymous false", f"password_file {users}")

    with pytest.raises(BrokerRefused, match=r"does not (accept user name|let this client in)"):
        connect(EndpointSettings(port=broker.port), "box")


@pytest.mark.broker
def test_at_a_cluster_the_first_node_that_answers_is_taken(mosquitto: Mosquitto) -> None:
    endpoint = EndpointSettings(
        port=free_port(), hosts=(f"127.0.0.1:{free_port()}", f"127.0.0.1:{mosquitto.port}")
    )

    client = connect(endpoint, "box")

    assert client.socket().getpeername()[1] == mosquitto.port
    client.disconnect()


def test_where_no_node_answers_the_last_one_s_trouble_is_told() -> None:
    last = free_port()

    with pytest.raises(BrokerUnreachable, match=f"127.0.0.1:{last}"):
        connect(EndpointSettings(port=free_port(), hosts=(f"127.0.0.1:{last}",)), "box")
