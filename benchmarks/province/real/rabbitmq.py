"""One node of RabbitMQ with its MQTT, as a province has several of: what a message costs it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.support.brokers import free_port, until

SERVER: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's; the one on the path becomes another user first."""
START_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class RabbitNode:
    """Where it listens, and which process spends."""

    port: int
    process_id: int


@contextmanager
def rabbit_node() -> Iterator[RabbitNode | None]:
    """A node of its own on loopback; None where there is none, or it does not start."""
    if not SERVER.exists():
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="ngatu-rabbit-"))
    port, distribution, epmd = free_port(), free_port(), free_port()
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\nmqtt.allow_anonymous = true\n"
        "anonymous_login_user = guest\nanonymous_login_pass = guest\nmqtt.prefetch = 500\n",
        encoding="ascii",
    )
    (folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n", encoding="ascii")
    env = {
        **os.environ, "HOME": str(folder), "RABBITMQ_NODENAME": f"bench{port}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"), "ERL_EPMD_PORT": str(epmd),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_PID_FILE": str(folder / "pid"), "RABBITMQ_LOGS": str(folder / "rabbit.log"),
    }  # fmt: skip
    words = {"env": env, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([str(SERVER)], start_new_session=True, **words)  # type: ignore[call-overload]
    try:
        until(lambda: process.poll() is not None or _listens(process.pid, port), START_S, "RabbitMQ listens")
        yield None if process.poll() is not None else RabbitNode(port, _beam(process.pid))
    except pytest.fail.Exception:
        yield None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        subprocess.run(["epmd", "-port", str(epmd), "-kill"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _family(process_id: int) -> list[psutil.Process]:
    parent = psutil.Process(process_id)
    return [parent, *parent.children(recursive=True)]


def _beam(process_id: int) -> int:
    """Erlang's own process, which does the work."""
    return next(each.pid for each in _family(process_id) if each.name().startswith("beam"))


def _listens(process_id: int, port: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        found = (each.laddr for member in _family(process_id) for each in member.net_connections("tcp"))
        return any(address and address.port == port for address in found)
    return False
