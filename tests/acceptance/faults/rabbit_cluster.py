"""Three nodes of RabbitMQ as one broker, each a process of its own that may be killed.

Debian's `rabbitmq-server` with its plugin for MQTT. Nothing of the machine's own service is used: names, ports,
folders, cookie and name service are the trial's, and nothing of it outlives the block.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from tests.acceptance.faults.suite import Broken, NotTried
from tests.support.brokers import free_port, until

PROGRAMS: Final = Path("/usr/lib/rabbitmq/bin")
"""Where Debian puts them; those in the path insist on the service's user and folders."""
START_S: Final = 600.0
"""Longer than three virtual machines of Erlang take to begin on a busy machine; no mark."""
SESSION_S: Final = 7 * 24 * 3600
"""As long as boxes and stations ask for; the plugin's own default is a day."""
SETTINGS: Final = f"""\
listeners.tcp = none
mqtt.durable_queue_type = quorum
mqtt.max_session_expiry_interval_seconds = {SESSION_S}
mqtt.prefetch = 200
cluster_partition_handling = pause_minority
cluster_formation.peer_discovery_backend = classic_config
raft.wal_max_size_bytes = 33554432
disk_free_limit.absolute = 50MB
log.console = false
log.file.level = info
"""
"""What a cluster needs for ngatu: sessions that lie on three nodes, and last as long as they are asked to."""
_ALONE: Final = "-start_epmd false"
"""A name service that a node began by itself would outlive it."""


class RabbitNode:
    """One node, over several lives of its process."""

    def __init__(self, folder: Path, number: int, epmd: int) -> None:
        self.name = f"ngatu{number}@localhost"
        self.port = free_port()
        """Of MQTT."""
        self.folder = folder / f"node{number}"
        self.folder.mkdir()
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_PORT": str(epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "CONF_ENV_FILE": str(folder / "none.conf"),
            "RUNNING_UNDER_SYSTEMD": "true",  # the virtual machine in place of a shell that waits for it
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{_ALONE} -kernel inet_dist_use_interface {{127,0,0,1}}",
            "RABBITMQ_CTL_ERL_ARGS": _ALONE,
        }

    def configure(self, names: list[str], more: str) -> None:
        """Write its files; `names` are those of all nodes."""
        nodes = [f"cluster_formation.classic_config.nodes.{at} = {name}" for at, name in enumerate(names, 1)]
        listener = f"mqtt.listeners.tcp.1 = 127.0.0.1:{self.port}"
        (self.folder / "rabbitmq.conf").write_text("\n".join([SETTINGS, listener, *nodes, more, ""]))
        (self.folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")

    def start(self) -> None:
        """Begin a life; it takes half a minute until it listens."""
        with (self.folder / "start.log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "rabbitmq-server"], env=self._environment, cwd=self.folder, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """As a power cut would, with all that it has begun."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    @property
    def listens(self) -> bool:
        """Whether it takes connections."""
        assert self.process is None or self.process.poll() is None, self.last_words()
        return listens(self.port)

    def ask(self, program: str, *words: str, within_s: float = 120.0) -> str:
        """What one of the programs for its administrator says."""
        command = [str(PROGRAMS / program), "-n", self.name, *words]
        try:
            done = subprocess.run(
                command, env=self._environment, cwd=self.folder, capture_output=True, text=True, check=False,
                timeout=within_s,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Broken(f"{program} {' '.join(words)}: no answer in {within_s:.0f} s") from error
        if done.returncode:
            raise Broken(f"{program} {' '.join(words)}: {(done.stdout + done.stderr)[-300:]}")
        return done.stdout

    def last_words(self) -> str:
        """The end of what it said."""
        logs = sorted((self.folder / "log").glob("*.log")) if (self.folder / "log").exists() else []
        return "\n".join(path.read_text(errors="replace")[-600:] for path in [self.folder / "start.log", *logs])


class RabbitCluster:
    """The nodes, the first of them at index 0."""

    def __init__(self, nodes: list[RabbitNode]) -> None:
        self.nodes = nodes

    def endpoint(self, first: int) -> dict[str, object]:
        """Settings of a connection that tries this node first."""
        port, *others = (self.nodes[(first + turn) % len(self.nodes)].port for turn in range(len(self.nodes)))
        return {"host": "127.0.0.1", "port": port, "hosts": [f"127.0.0.1:{other}" for other in others]}

    def addresses(self, first: int) -> str:
        """The same as YAML, without its braces."""
        settings = self.endpoint(first)
        return f"host: {settings['host']}, port: {settings['port']}, hosts: {settings['hosts']}"

    def until_up(self, *nodes: RabbitNode) -> float:
        """Wait until these, or all, listen; seconds that took."""
        began_s = time.monotonic()
        for node in nodes or self.nodes:
            while not node.listens:
                if time.monotonic() - began_s > START_S:
                    raise Broken(f"{node.name} does not listen after {START_S:.0f} s: {node.last_words()}")
                time.sleep(0.25)
        return time.monotonic() - began_s

    def until_spare(self, node: RabbitNode) -> None:
        """Wait until no queue hangs on this node: then it may die, and nothing stands still."""
        began_s = time.monotonic()
        while True:
            try:
                node.ask("rabbitmq-queues", "check_if_node_is_quorum_critical")
            except Broken as why:
                if time.monotonic() - began_s > START_S:
                    raise Broken(f"not whole after {START_S:.0f} s: {why}") from why
                time.sleep(1.0)
            else:
                return


def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def missing() -> str | None:
    """Why there can be no cluster here; None: there can."""
    if not (PROGRAMS / "rabbitmq-server").exists():
        return "RabbitMQ is not here: apt-get install rabbitmq-server"
    return None if shutil.which("epmd") else "Erlang's epmd is not here: apt-get install erlang-base"


@contextmanager
def rabbit_cluster(folder: Path, more: str = "") -> Iterator[RabbitCluster]:
    """Three nodes that know each other, and listen; `more` are lines of their configuration.

    Raises:
        NotTried: RabbitMQ is not installed.
    """
    if why := missing():
        raise NotTried(why)
    cookie = folder / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    epmd = free_port()
    names = subprocess.Popen(
        ["epmd", "-port", str(epmd), "-address", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=folder,
    )  # fmt: skip
    nodes = [RabbitNode(folder, number, epmd) for number in (1, 2, 3)]
    cluster = RabbitCluster(nodes)
    try:
        until(partial(listens, epmd), 60, "Erlang's name service listens")
        for node in nodes:
            node.configure([each.name for each in nodes], more)
            node.start()
        cluster.until_up()
        yield cluster
    finally:
        for node in nodes:
            node.kill()
        names.kill()
        names.wait(10)
