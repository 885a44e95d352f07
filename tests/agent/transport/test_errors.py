"""agent.transport.errors"""

from __future__ import annotations

import errno
import os
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.errors import BrokerRefused, BrokerUnreachable, DeliveryError
from agent.mqtt.connection import Connection
from agent.mqtt.settings import BrokerSettings
from agent.transport import client, errors
from agent.transport.client import Will
from agent.transport.settings import TlsSettings, Version
from tests.support.brokers import Mosquitto, free_port, until

pytestmark = pytest.mark.broker
DAY = timedelta(days=1)


@dataclass
class Authority:
    """Signs certificates, as files in a folder."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = self._sign(self.name, self.key.public_key(), ca=True)
        self.file = self.folder / f"{self.name}.crt"
        self.file.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, begins: timedelta = -DAY, ends: timedelta = DAY) -> tuple[Path, Path]:
        """Certificate and key for a host or box."""
        key = ec.generate_private_key(ec.SECP256R1())
        cert = self._sign(name, key.public_key(), begins=begins, ends=ends)
        files = self.folder / f"{self.name}-{name}.crt", self.folder / f"{self.name}-{name}.key"
        files[0].write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files

    def _sign(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        *,
        ca: bool = False,
        begins: timedelta = -DAY,
        ends: timedelta = DAY,
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )
        if ca:
            usage = x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(self.key, hashes.SHA256())


def connect(port: int, **tls: object) -> Connection:
    settings = BrokerSettings(host="localhost", port=port, tls=TlsSettings.model_validate(tls))
    connection = Connection(settings, "box", Will("t/will", b""))
    try:
        connection.connect()
        until(lambda: connection.turn(0.05) is not None)
    finally:
        connection.close(1)
    return connection


def dialled(settings: BrokerSettings, version: Version = "5") -> None:
    with closing(Connection(settings, "box", Will("t", b""), version)) as connection:
        connection.connect()


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "station")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "stranger")


@pytest.fixture
def serve(
    start_mosquitto: Callable[..., Mosquitto], ours: Authority
) -> Callable[[tuple[Path, Path]], Mosquitto]:
    def start(files: tuple[Path, Path], *more: str) -> Mosquitto:
        return start_mosquitto(f"cafile {ours.file}", f"certfile {files[0]}", f"keyfile {files[1]}", *more)

    return start


def test_tls_with_the_right_authority_connects(serve: Callable[..., Mosquitto], ours: Authority) -> None:
    connect(serve(ours.issue("localhost")).port, ca=ours.file)


@pytest.mark.parametrize(
    ("name", "begins", "ends", "reason", "hint"),
    [
        ("localhost", -2 * DAY, -DAY, "expired", "renew"),
        ("localhost", DAY, 2 * DAY, "not valid yet", "clock"),
        ("other-host", -DAY, DAY, "another name", "broker.host"),
    ],
)
def test_a_broker_certificate_that_is_not_accepted_is_explained(
    serve: Callable[..., Mosquitto],
    ours: Authority,
    name: str,
    begins: timedelta,
    ends: timedelta,
    reason: str,
    hint: str,
) -> None:
    broker = serve(ours.issue(name, begins, ends))
    with pytest.raises(BrokerRefused, match=reason) as caught:
        connect(broker.port, ca=ours.file)
    assert hint in caught.value.hint


def test_an_unknown_authority_is_explained(
    serve: Callable[..., Mosquitto], ours: Authority, theirs: Authority
) -> None:
    broker = serve(ours.issue("localhost"))
    with pytest.raises(BrokerRefused, match="authority") as caught:
        connect(broker.port, ca=theirs.file)
    assert "broker.tls.ca" in caught.value.hint


def test_a_port_without_tls_is_explained(mosquitto: Mosquitto, ours: Authority) -> None:
    with pytest.raises(DeliveryError) as caught:
        connect(mosquitto.port, ca=ours.file)
    assert "TLS" in str(caught.value)


def test_a_broker_that_wants_a_certificate_says_so(
    serve: Callable[..., Mosquitto], ours: Authority, theirs: Authority
) -> None:
    """In TLS 1.3 the refusal comes after the handshake, when paho only logs it, and may be lost to a reset."""
    broker = serve(ours.issue("localhost"), "require_certificate true")
    refused = [{}]
    for cert, key in (theirs.issue("box-1"), ours.issue("box-2", -2 * DAY, -DAY)):
        refused.append({"cert": cert, "key": key})
    for tls in refused:
        with pytest.raises(DeliveryError) as caught:
            connect(broker.port, ca=ours.file, **tls)
        assert "certificate" in str(caught.value)
    cert, key = ours.issue("box-3")
    connect(broker.port, ca=ours.file, cert=cert, key=key)


def test_a_certificate_file_that_is_missing_or_none_is_explained(tmp_path: Path) -> None:
    garbage = tmp_path / "ca.crt"
    garbage.write_text("not a certificate")
    for file in (tmp_path / "missing.crt", garbage):
        with pytest.raises(BrokerRefused, match="cannot be read"):
            connect(1, ca=file)


def test_a_port_with_tls_that_is_spoken_to_without_is_explained(
    serve: Callable[..., Mosquitto], ours: Authority
) -> None:
    broker = serve(ours.issue("localhost"))
    with pytest.raises(BrokerUnreachable) as caught:
        dialled(BrokerSettings(host="localhost", port=broker.port))
    assert caught.value.hint == errors.hint_of_hang_up(broker.port, tls=False)


def test_the_hint_of_a_hang_up_knows_the_usual_ports() -> None:
    assert "8883 is the usual port with TLS, and broker.tls is not set" in errors.hint_of_hang_up(
        8883, tls=False
    )
    assert "set broker.tls" in errors.hint_of_hang_up(1884, tls=False)
    assert "1883 is without" in errors.hint_of_hang_up(1883, tls=True)


@pytest.mark.parametrize(
    ("login", "hint"),
    [
        (
            {"username": "box", "password": {"env": "NGATU_TEST_WRONG"}},
            "the password or the user name is wrong",
        ),
        (
            {"username": "nobody", "password": {"env": "NGATU_TEST_WRONG"}},
            "the password or the user name is wrong",
        ),
        ({}, "it wants a user name and a password"),
    ],
)
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_wrong_login_is_told_as_a_wrong_login(
    start_mosquitto: Callable[..., Mosquitto],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    login: dict[str, object],
    hint: str,
    version: Version,
) -> None:
    monkeypatch.setenv("NGATU_TEST_WRONG", "wrong")
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "box", "right"], check=True)
    passwords.chmod(0o600)
    broker = start_mosquitto("allow_anonymous false", f"password_file {passwords}")
    settings = BrokerSettings.model_validate({"host": "localhost", "port": broker.port, **login})

    for dial in (partial(dialled, settings, version), partial(client.connect, settings, "box", version)):
        with pytest.raises(BrokerRefused) as caught:
            dial()
        assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("way", ["refused", "silent"])
def test_a_broker_that_does_not_answer_is_told_in_time_and_in_its_words(way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # the kernel takes the connection, nobody speaks
        port = listener.getsockname()[1] if way == "silent" else free_port()
        settings = BrokerSettings(host="127.0.0.1", port=port, connect_timeout_s=1)
        began_s = time.monotonic()
        with pytest.raises(BrokerUnreachable) as caught:
            dialled(settings)
    assert time.monotonic() - began_s < 5
    says = {"refused": "nothing listens there", "silent": "took the connection but never answered"}
    assert says[way] in caught.value.what
    assert caught.value.hint


def test_no_route_and_no_name_are_told_in_their_words() -> None:
    for number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        error = errors.unreachable(OSError(number, os.strerror(number)), "10.0.0.5:1883")
        assert error.what == "broker 10.0.0.5:1883 cannot be reached: no route to it"
        assert "broker.host" in error.hint
    settings = BrokerSettings(host="nobody.invalid", port=1883, connect_timeout_s=5)
    with pytest.raises(BrokerUnreachable, match="the name cannot be resolved"):
        dialled(settings)


@pytest.mark.parametrize("code", range(0x80, 0xA3))
def test_every_refusal_is_told_in_words_or_by_its_code(code: int) -> None:
    error = errors.refused(code, "host:1")
    assert isinstance(error, BrokerRefused | BrokerUnreachable)
    assert "host:1" in error.what
    assert error.hint


@pytest.mark.parametrize("code", range(0x80, 0xA3))
def test_every_disconnect_is_told_in_words_or_by_its_code(code: int) -> None:
    assert "host:1" in errors.lost(code, "host:1").what


def test_only_what_we_may_have_caused_is_a_hang_up() -> None:
    assert isinstance(errors.lost(0x95, "x"), errors.HungUp)
    assert not isinstance(errors.lost(0x8B, "x"), errors.HungUp)
    assert isinstance(errors.lost(0x8E, "x"), errors.SessionTaken)
    assert isinstance(errors.unreachable(ConnectionResetError(104, "reset"), "x"), errors.HungUp)
    assert isinstance(errors.unreachable(TimeoutError(), "x"), errors.Silent)
    assert "agree" in errors.unreachable(ssl.SSLError(1, "odd"), "x").what
    assert "UnicodeError" in errors.unreachable(UnicodeError("odd"), "x").what
