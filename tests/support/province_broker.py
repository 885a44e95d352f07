"""A node of the province's broker as the role makes it: its templates, RabbitMQ, and an authority.

    with province_broker(folder, {"s01": ["hai-ninh"]}, {"worker-1": ["s01"]}) as broker:
        context = broker.context(broker.pair("station.hai-ninh", "station"))

Only paths, ports and the node's name are others than on a host.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fleet.ca import authority
from fleet.ca.index import Kind
from tests.support.brokers import free_port, until

ROLE = Path(__file__).resolve().parents[2] / "deploy/ansible/roles/ngatu_province_broker"
PASSPHRASE = "an authority of the tests"
PROGRAMS = Path("/usr/lib/rabbitmq/bin")
FILES = {
    "rabbitmq.conf": "rabbitmq.conf.j2",
    "advanced.config": "advanced.config.j2",
    "inter_node_tls.config": "inter_node_tls.config.j2",
    "rabbitmq-env.conf": "rabbitmq-env.conf.j2",
    "ngatu-definitions.json": "definitions.json.j2",
}
"""What the role puts into /etc/rabbitmq, and from which template."""


def missing() -> str | None:
    """What this machine lacks to run it; None: nothing."""
    if not (PROGRAMS / "rabbitmq-server").exists() or shutil.which("erl") is None:
        return "RabbitMQ is not here: apt install rabbitmq-server"
    return None


def rendered(template: str, **more: Any) -> str:
    """A template of the role with what is plain of its own variables, and some others."""
    plain: dict[str, Any] = {"ansible_managed": ""}
    for name in ("defaults", "vars"):
        plain |= yaml.safe_load((ROLE / name / "main.yml").read_text())
    place = Environment(
        loader=FileSystemLoader(ROLE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,
        keep_trailing_newline=True,
    )
    return place.get_template(template).render(plain | {"ngatu_province_broker_lost": []} | more)


class ProvinceBroker:
    """One node on one port, over several lives of its process, and the folder of its authority."""

    def __init__(
        self, folder: Path, shards: Mapping[str, Sequence[str]], workers: Mapping[str, Sequence[str]]
    ) -> None:
        self.folder, self.port = folder, free_port()
        self.authority = authority.make(folder / "ca", "tests", PASSPHRASE, datetime.now(UTC))
        self.etc, self.tls = folder / "etc", folder / "tls"
        for each in (self.etc, self.etc / "ngatu-crl", self.tls, folder / "home"):
            each.mkdir()
        self._given: dict[str, Any] = {
            "ngatu_province_broker_host": "localhost", "ngatu_province_broker_nodes": ["localhost"],
            "ngatu_province_broker_port": self.port, "ngatu_province_broker_bind": "127.0.0.1",
            "ngatu_province_broker_shards": shards, "ngatu_province_broker_workers": workers,
            "ngatu_province_broker_tls_dir": str(self.tls), "ngatu_province_broker_etc": str(self.etc),
            "ngatu_province_broker_disk_free": "50MB",
        }  # fmt: skip
        shutil.copyfile(folder / "ca" / "ca.crt", self.tls / "ca.crt")
        self.pair("localhost", "broker", stem="province-broker")
        self.pair("operator.localhost", "operator", stem="province-node")
        self.write()
        self._environment = os.environ | {
            "HOME": str(folder / "home"), "ERL_EPMD_PORT": str(free_port()),
            "RABBITMQ_CONF_ENV_FILE": str(self.etc / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(self.etc / "rabbitmq"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.etc / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.etc / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"), "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_DIST_PORT": str(free_port()),
        }  # fmt: skip
        cookie = folder / "home" / ".erlang.cookie"
        cookie.write_text("a-cookie-of-the-tests")
        cookie.chmod(0o400)
        self.log = folder / "rabbitmq.log"
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, **more: Any) -> None:
        """The role's files, with some variables that are others from now on."""
        self._given |= more
        for name, template in FILES.items():
            (self.etc / name).write_text(rendered(template, **self._given))
        (self.etc / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")
        self.put_list()

    def put_list(self) -> None:
        """The list of the revoked, where the role puts it."""
        listed = self.folder / "ca" / "crl.pem"
        hashed = ["openssl", "crl", "-in", str(listed), "-noout", "-hash"]
        name = subprocess.run(hashed, check=True, capture_output=True, text=True).stdout.strip()
        shutil.copyfile(listed, self.etc / "ngatu-crl" / f"{name}.r0")

    def start(self) -> None:
        """Run it; back when whoever comes to its door is answered, which is later than that it is open."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(PROGRAMS / "rabbitmq-server")],
                env=self._environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until(self._answers, 300, "RabbitMQ answers")

    def _answers(self) -> bool:
        assert self._process is not None and self._process.poll() is None, self.log.read_text()[-3000:]
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 10) as plain:
            self.context(self.tls / "province-node").wrap_socket(plain, server_hostname="localhost").close()
            return True
        return False

    def stop(self) -> None:
        """End it, and whatever of Erlang it has started."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
            self._process = None
        subprocess.run(["epmd", "-kill"], env=self._environment, capture_output=True, check=False)

    def ask(self, *words: str) -> str:
        """What a tool beside the node says; words[0] is rabbitmqctl or rabbitmq-diagnostics."""
        for _ in range(8):  # on a busy machine a tool gives a node up before it has shaken hands
            done = subprocess.run(
                [str(PROGRAMS / words[0]), *words[1:]],
                env=self._environment, cwd=self.folder, capture_output=True, text=True, check=False,
                timeout=300,
            )  # fmt: skip
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def pair(self, name: str, kind: Kind, *hosts: str, stem: str | None = None) -> Path:
        """The stem of a key and a certificate of the authority; an operator's `hosts` are its client id."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        request = asked.public_bytes(serialization.Encoding.PEM)
        path = self.tls / (stem or f"{name}-")
        signed = self.authority.sign(request, kind, name, datetime.now(UTC), hosts=hosts, again=True)
        Path(f"{path}.crt").write_bytes(signed)
        Path(f"{path}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path

    def context(self, stem: Path) -> ssl.SSLContext:
        """For a connection with this pair."""
        made = ssl.create_default_context(cafile=str(self.tls / "ca.crt"))
        made.load_cert_chain(f"{stem}.crt", f"{stem}.key")
        return made


@contextmanager
def province_broker(
    folder: Path, shards: Mapping[str, Sequence[str]], workers: Mapping[str, Sequence[str]]
) -> Iterator[ProvinceBroker]:
    """A node that runs."""
    broker = ProvinceBroker(folder, shards, workers)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
