"""The broker as the role makes it: its templates and its plugin, and an authority that signs for all who call.

    with role_broker(folder, {"hai-ninh-01": "hai-ninh"}) as broker:
        context = broker.context(broker.pair("hai-ninh-01"))

Only paths, ports and the user are others than on a host.
"""

from __future__ import annotations

import functools
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
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
from tests.support.brokers import MOSQUITTO, Mosquitto, free_port, until

ROLE = Path(__file__).resolve().parents[2] / "deploy/ansible/roles/ngatu_broker"
PASSPHRASE = "an authority of the tests"
HEADERS = Path("/usr/include/mosquitto_plugin.h")


def missing() -> str | None:
    """What this machine lacks to run it; None: nothing."""
    if MOSQUITTO is None:
        return "mosquitto is not here: apt install mosquitto"
    if shutil.which("gcc") is None or not HEADERS.exists() or not Path("/usr/include/mosquitto.h").exists():
        return "the plugin cannot be built: apt install gcc mosquitto-dev libmosquitto-dev libssl-dev"
    return None


def variables() -> dict[str, Any]:
    """Defaults and variables of the role, as far as they are plain."""
    found: dict[str, Any] = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    return found | yaml.safe_load((ROLE / "vars/main.yml").read_text())


def rendered(template: str, **more: Any) -> str:
    """A template of the role with its own variables and some others."""
    place = Environment(
        loader=FileSystemLoader(ROLE / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        autoescape=False,
        keep_trailing_newline=True,
    )
    place.filters["difference"] = lambda one, other: [each for each in one if each not in other]
    return place.get_template(template).render(
        {**variables(), "ansible_managed": "", "hostvars": {}, "ngatu_broker_lost": [], **more}
    )


@functools.cache
def gate() -> Path | None:
    """The plugin, built as the role builds it; None: this role has none."""
    source = ROLE / "files/ngatu_gate.c"
    if not source.exists():
        return None
    built = Path(tempfile.mkdtemp(prefix="ngatu-gate-")) / "ngatu_gate.so"
    tasks = (ROLE / "tasks/install.yml").read_text()
    flags = re.findall(r"^ +- (-[-A-Za-z0-9_=,]+)$", tasks, re.MULTILINE)
    subprocess.run(["gcc", *flags, "-Wall", "-Wextra", "-Werror", "-o", str(built), str(source)], check=True)
    return built


class RoleBroker:
    """One mosquitto with the role's configuration, and the folder of its authority."""

    def __init__(self, folder: Path, boxes: Mapping[str, str], **more: Any) -> None:
        self.folder = folder
        self.boxes = dict(boxes)
        self.more = more
        self.authority = authority.make(folder / "ca", "tests", PASSPHRASE, datetime.now(UTC))
        self.port, self.station_port = free_port(), free_port()
        self._broker = Mosquitto(folder, *self._lines(), port=self.port)
        self._sign("localhost", "broker")

    @property
    def ca(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca" / "ca.crt"

    @property
    def log(self) -> str:
        """What the broker has said."""
        return self._broker.log.read_text(errors="replace")

    @property
    def process(self) -> int:
        """Its number."""
        assert self._broker.process_id is not None
        return self._broker.process_id

    def start(self) -> None:
        """Run it; back when both doors are open, of which the stations' is opened last."""
        self._broker.start()
        until(self._lets_stations_call, 10, "the stations' door is open")

    def _lets_stations_call(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.station_port)) == 0

    def stop(self) -> None:
        """End it as an operator would: it writes down what it keeps."""
        self._broker.stop()

    def kill(self) -> None:
        """End it at once."""
        self._broker.kill()

    def alive(self) -> bool:
        """Whether it runs."""
        return self._broker.alive()

    def reload(self) -> None:
        """Let it read access and the list of the revoked again."""
        self._broker.signal(signal.SIGHUP)

    def grant(self, boxes: Mapping[str, str], **more: Any) -> None:
        """Another access file; `reload` lets the broker read it."""
        self.boxes, self.more = dict(boxes), self.more | more
        self._write_access()

    def revoke(self, *names: str) -> None:
        """As revoke.yml does: the index, the list, the access; then the broker reads both."""
        now = datetime.now(UTC)
        for name in names:
            self.authority.revoke(name, "keyCompromise", now)
        self.authority.write_crl(now)
        self.grant(self.boxes, ngatu_broker_lost=list(names))
        self.reload()

    def pair(self, name: str, kind: Kind = "box", lasts_s: float | None = None) -> Path:
        """The stem of a key and a certificate of the authority; `lasts_s` cuts its life short."""
        return self._sign(name, kind, lasts_s)

    def context(self, stem: Path, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
        """For a connection with this pair."""
        made = ssl.create_default_context(cafile=str(self.ca))
        made.maximum_version = newest
        made.load_cert_chain(stem.with_suffix(".crt"), stem.with_suffix(".key"))
        return made

    def _sign(self, name: str, kind: Kind, lasts_s: float | None = None) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        request = asked.public_bytes(serialization.Encoding.PEM)
        now = datetime.now(UTC)
        if lasts_s is not None:
            now += timedelta(seconds=lasts_s) - timedelta(days=1)
        days = 90 if lasts_s is None else 1
        signed = self.authority.sign(request, kind, name, now, days=days)
        stem = self.folder / "pairs" / (name if lasts_s is None else f"{name}-short")
        stem = stem.with_name(stem.name.replace(".", "_"))
        stem.parent.mkdir(exist_ok=True)
        stem.with_suffix(".crt").write_bytes(signed)
        stem.with_suffix(".key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return stem

    def _write_access(self) -> None:
        (self.folder / "ngatu.acl").write_text(rendered("acl.j2", **self._for_the_templates()))

    def _for_the_templates(self) -> dict[str, Any]:
        communes = sorted(set(self.boxes.values()))
        return {
            "ngatu_broker_boxes": self.boxes,
            "ngatu_broker_communes": communes,
            "ngatu_broker_cameras": {box: ["north"] for box in self.boxes},
        } | self.more

    def _lines(self) -> Sequence[str]:
        self._write_access()
        known = self._for_the_templates() | {
            "ngatu_broker_port": self.port,
            "ngatu_broker_bind": "127.0.0.1",
            "ngatu_broker_station_port": self.station_port,
            "ngatu_broker_station_bind": "127.0.0.1",
            "ngatu_broker_gate": str(gate()),
        }
        text = rendered("mosquitto.conf.j2", **known)
        (self.folder / "state").mkdir(exist_ok=True)
        places = {
            r"/etc/mosquitto/ngatu-crl\.pem": str(self.folder / "ca" / "crl.pem"),
            r"/etc/mosquitto/ngatu\.acl": str(self.folder / "ngatu.acl"),
            r"/var/lib/mosquitto/": f"{self.folder / 'state'}/",
            r"\S+/ca\.crt": str(self.ca),
            r"\S+/broker\.(crt|key)": rf"{self.folder / 'pairs'}/localhost.\1",
            r"^user mosquitto$": "",
        }
        for place, here in places.items():
            text = re.sub(place, here, text, flags=re.MULTILINE)
        return text.splitlines()


@contextmanager
def role_broker(folder: Path, boxes: Mapping[str, str], **more: Any) -> Iterator[RoleBroker]:
    """It runs with these boxes in their communes; `more` are variables of the role."""
    broker = RoleBroker(folder, boxes, **more)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
