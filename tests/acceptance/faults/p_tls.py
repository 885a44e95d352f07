"""P30, P36: what goes wrong with TLS is explained and leaks nothing; secrets stay where they are."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.acceptance.faults.stage import Victim
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.support.boxes import Box
from tests.support.brokers import MOSQUITTO, Mosquitto, until

DAY = timedelta(days=1)
CANARY = "canary-7f3a91c2"
"""Part of every secret: where it turns up, a secret has leaked."""


class Authority:
    """A certificate authority of its own."""

    def __init__(self, folder: Path, name: str = "station") -> None:
        self.folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        ca = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = self._signed(self._name, self._key.public_key(), -DAY, 900 * DAY, ca)
        self.file = _pem(folder / f"{name}-ca.pem", self._certificate)

    def issue(
        self, name: str, *, begins: timedelta = -DAY, ends: timedelta = 30 * DAY, host: str = "127.0.0.1"
    ) -> tuple[Path, Path]:
        """A certificate and its key, for a server of this address or a client of this name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
        certificate = self._signed(subject, key.public_key(), begins, ends, names)
        secret = self.folder / f"{name}.key"
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return _pem(self.folder / f"{name}.pem", certificate), secret

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, begins: timedelta, ends: timedelta,
        extension: x509.ExtensionType,
    ) -> x509.Certificate:  # fmt: skip
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now + begins)
        builder = builder.not_valid_after(now + ends).add_extension(extension, critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _pem(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path


@promise(
    "P30", "certificates that are expired, not yet valid, foreign, for another name; an old TLS",
    "no payload leaves, the reason is told <= 10 s, the queue stays whole",
)  # fmt: skip
def tls_troubles(trial: Trial) -> str:
    """A listener that speaks TLS and counts what it gets after the handshake."""
    ours, foreign = Authority(trial.folder), Authority(trial.folder, "foreign")
    cases = {
        "expired": (ours.issue("expired", begins=-9 * DAY, ends=-DAY), None, "expired"),
        "not yet valid": (ours.issue("early", begins=2 * DAY), None, "not valid yet"),
        "foreign authority": (foreign.issue("foreign-server"), None, "authority"),
        "another name": (ours.issue("other", host="127.0.0.9"), None, "name"),
        "TLS 1.1": (ours.issue("old"), ssl.TLSVersion.TLSv1_1, ""),
    }
    outcomes: list[str] = []
    for case, (pair, version, word) in cases.items():
        with Listener(*pair, version) as listener:
            folder = trial.folder / case.replace(" ", "-")
            victim = Victim(folder, listener.port, broker=f", tls: {{ca: {ours.file}}}")
            try:
                victim.start(40)
                began = time.monotonic()
                until(
                    lambda victim=victim: (
                        "broker_lost" in _log(victim)
                        or "not_connected" in _log(victim)
                        or "lost" in _log(victim)
                    ),
                    10,
                    f"{case} is told",
                )
                outcomes.append(f"{case} {time.monotonic() - began:.1f} s")
                if word and word not in _log(victim).lower():
                    raise Broken(f"{case}: the log does not say {word!r}: {victim.last_words()}")
                victim.until_fed()  # the queue grows
            finally:
                victim.kill()
            if listener.heard:
                raise Broken(f"{case}: {listener.heard} bytes went out after the handshake")
    outcomes.append(_refused_client(trial, ours))
    return "; ".join(outcomes)


def _refused_client(trial: Trial, ours: Authority) -> str:
    if MOSQUITTO is None:
        raise NotTried("mosquitto is not here: apt-get install mosquitto")
    folder = trial.folder / "client"
    folder.mkdir()
    certificate, key = ours.issue("server")
    mine = ours.issue("victim-01", begins=-9 * DAY, ends=-DAY)
    broker = Mosquitto(folder)
    broker.lines = (
        f"listener {broker.port} 127.0.0.1", f"cafile {ours.file}", f"certfile {certificate}", f"keyfile {key}",
        "require_certificate true",
    )  # fmt: skip
    broker.start()
    tls = f", tls: {{ca: {ours.file}, cert: {mine[0]}, key: {mine[1]}}}"
    victim = Victim(folder / "box", broker.port, broker=tls)
    try:
        victim.start(40)
        until(lambda: "certificate" in _log(victim), 10, "the expired certificate of the box is told")
        victim.until_fed()
    finally:
        victim.kill()
        broker.kill()
    return "own certificate expired"


def _log(victim: Victim) -> str:
    return (victim.folder / "victim.log").read_text(errors="replace")


class Listener:
    """A TLS server that counts the bytes which come after a handshake."""

    def __init__(self, certificate: Path, key: Path, only: ssl.TLSVersion | None) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        if only is not None:
            self._context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self._context.minimum_version = self._context.maximum_version = only
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.heard = 0

    def __enter__(self) -> Listener:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                near.settimeout(5)
                with suppress(OSError), self._context.wrap_socket(near, server_side=True) as talk:
                    while data := talk.recv(4096):
                        self.heard += len(data)


@promise(
    "P36",
    "a box with secrets runs into every trouble at once",
    "no secret in logs, messages, process list or state",
)
def secrets(trial: Trial) -> str:
    """Broker and camera have passwords that bear a canary; both refuse them, and the file is broken too."""
    folder = trial.folder
    (folder / "broker-password").write_text(f"{CANARY}-broker\n")
    (folder / "camera-password").write_text(f"{CANARY}-camera\n")
    for secret in folder.glob("*-password"):
        secret.chmod(0o600)
    camera = (
        f"  - name: road\n    source: {{kind: rtsp, url: 'rtsp://127.0.0.1:9/live', username: tran, "
        f"password: {{file: {folder / 'camera-password'}}}}}\n    rules: [{{kind: motion, id: movement}}]\n"
    )
    box = Box(folder, 1, camera)
    text = box.config.read_text().replace(
        "port: 1,", f"port: 1, username: box, password: {{file: {folder / 'broker-password'}}},"
    )
    box.config.write_text(text)
    box.start()
    seen: list[str] = []
    try:
        ends_s = time.monotonic() + trial.size(10, 60, quick=5)
        while time.monotonic() < ends_s:
            seen += _processes(box)
            time.sleep(0.5)
    finally:
        box.kill()
    url = folder / "in-the-url.yaml"
    url.write_text(text.replace("rtsp://127.0.0.1:9", f"rtsp://tran:{CANARY}@127.0.0.1:9"))
    for words in (
        ["check", "--offline", "-c", str(url)],
        ["config", "show", "-c", str(box.config)],
        ["run", "-c", str(url)],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "agent", *words], capture_output=True, text=True, check=False
        )
        seen.append(done.stdout + done.stderr)
    files = [
        path for path in folder.rglob("*") if path.is_file() and "password" not in path.name and path != url
    ]
    seen += [path.read_bytes().decode("latin-1") for path in files]
    leaks = sum(CANARY in text for text in seen)
    if leaks:
        raise Broken(f"the canary was seen in {leaks} of {len(seen)} places")
    return f"looked at {len(seen)} outputs, files and process tables: 0 hits"


def _processes(box: Box) -> list[str]:
    """The command lines and environments of the box and its children, as far as they live."""
    assert box.process is not None
    seen: list[str] = []
    with suppress(psutil.Error):
        family = [psutil.Process(box.process.pid), *psutil.Process(box.process.pid).children(recursive=True)]
        for path in (Path(f"/proc/{each.pid}/{what}") for each in family for what in ("cmdline", "environ")):
            with suppress(FileNotFoundError, ProcessLookupError):  # a child has ended meanwhile
                seen.append(path.read_bytes().decode(errors="replace"))
    return seen
