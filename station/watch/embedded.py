"""A broker inside the program, for the demo and for tests: rumqttd from the PyPI package `iotcore`.

It listens on loopback only, knows no passwords and forgets everything when it ends. A duty room runs mosquitto.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.errors import BrokerUnreachable, how_to_install
from agent.translatable import tr

_LOOPBACK = "127.0.0.1"
_MAX_PAYLOAD_BYTES = 1024 * 1024
"""rumqttd's default of 20 KB silently ends the connection of whoever sends a scene picture."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the embedded broker listens; rumqttd speaks one version of MQTT on each port."""

    host: str
    port: int
    """For MQTT 5."""
    port_311: int
    """For MQTT 3.1.1."""


@contextmanager
def embedded_broker(port: int | None = None) -> Iterator[Address]:
    """Run a broker until the block is left; without `port` on a free one.

    Raises:
        BrokerUnreachable: `iotcore` is not installed, the port is taken, or the broker does not start.
    """
    try:
        from iotcore import Broker  # noqa: PLC0415  (an extra: only the demo and the tests have it)
    except ImportError:
        raise BrokerUnreachable(
            tr("the embedded broker is not installed"),
            tr("{command}; or name a broker with --host", command=how_to_install("demo")),
        ) from None
    ports = _free_ports(2)
    address = Address(_LOOPBACK, port or ports[0], ports[1])
    with tempfile.TemporaryDirectory(prefix="ngatu-broker-") as folder:
        file = Path(folder) / "rumqttd.toml"
        file.write_text(_configuration(address), encoding="utf-8")
        broker = Broker(config_path=str(file))
        try:
            broker.start()
        except (OSError, RuntimeError) as error:
            raise BrokerUnreachable(
                tr(
                    "the embedded broker does not start on port {port}: {error}", port=address.port, error=error
                ),
                tr("choose another port, or end what listens there"),
            ) from error
        try:
            yield address
        finally:
            broker.stop()


def free_port() -> int:
    """A port of loopback where nobody listens at this moment."""
    return _free_ports(1)[0]


def _free_ports(number: int) -> list[int]:
    """Ports nobody listens on at this moment; held together, so that no two are the same."""
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind((_LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _configuration(address: Address) -> str:
    """The TOML of rumqttd; 8 segments of 16 MB per subscription hold a demo's backlog in memory."""
    return "\n".join(
        [
            "id = 0",
            "[router]",
            "id = 0",
            "max_connections = 100",
            "max_outgoing_packet_count = 200",
            f"max_segment_size = {16 * 1024 * 1024}",
            "max_segment_count = 8",
            *_server("v5", address.port),
            *_server("v4", address.port_311),
            "",
        ]
    )


def _server(version: str, port: int) -> list[str]:
    return [
        f"[{version}.1]",
        f'name = "{version}"',
        f'listen = "{_LOOPBACK}:{port}"',
        "next_connection_delay_ms = 1",
        f"[{version}.1.connections]",
        "connection_timeout_ms = 60000",
        f"max_payload_size = {_MAX_PAYLOAD_BYTES}",
        "max_inflight_count = 200",
        "dynamic_filters = true",
    ]
