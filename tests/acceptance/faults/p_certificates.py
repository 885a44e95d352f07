"""P52, P58: certificates at the broker of the role that must not be enough, or no more."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as paho
from cryptography import x509

from tests.acceptance.faults.broker_stage import COMMUNE, HOSTILE, OTHER, Line, ready
from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.support.brokers import until
from tests.support.role_broker import RoleBroker


@promise(
    "P52",
    "a box's certificate at the stations' door, a station's at the boxes', and each under a foreign client id",
    "0 let in; the station, the tool and the other box keep their connections",
    minutes=0.2,
)  # fmt: skip
def wrong_door(trial: Trial) -> str:
    with ready(trial.folder) as broker, ExitStack() as stack:
        station = broker.pair(f"station.{COMMUNE}", "station")
        foreign, tool = broker.pair("station.hai-tay", "station"), broker.pair("operator.broker", "operator")
        box, other = broker.pair(HOSTILE), broker.pair(OTHER)
        door = broker.station_port
        lines = {
            "station": Line(broker, station, f"ngatu-{COMMUNE}", port=door),
            "tool": Line(broker, tool, "look", port=door),
            "other box": Line(broker, other, OTHER),
        }
        for line in lines.values():
            assert line.let_in, f"who belongs there is not let in: {line.answer}"
            stack.callback(line.leave)
        ids = (f"ngatu-{COMMUNE}", "look", OTHER, HOSTILE, "", "anything", "operator.broker", "ngatu-check")
        calls = [
            *((box, name, door) for name in ids),
            *((box, name, broker.port) for name in ids if name != HOSTILE),
            *((stem, name, broker.port) for stem in (station, tool) for name in ids),
            *((foreign, name, door) for name in (f"ngatu-{COMMUNE}", "look", OTHER)),
            (tool, f"ngatu-{COMMUNE}", door),
        ]
        calls *= trial.size(3, 30, 1)
        through = []
        for number, (stem, name, port) in enumerate(calls):
            protocol = (paho.MQTTProtocolVersion.MQTTv5, paho.MQTTProtocolVersion.MQTTv311)[number % 2]
            call = Line(broker, stem, name, port=port, protocol=protocol)
            if call.let_in:
                through.append(f"{stem.name} as {name!r}")
            call.leave()
        ended = [who for who, line in lines.items() if line.ended]
    if through or ended:
        raise Broken(f"{len(through)} of {len(calls)} let in ({through[:3]}); thrown out: {ended}")
    return f"{len(calls)} calls, 0 let in; 3 connections stood, 0 ended"


@promise(
    "P58",
    "certificates end and are revoked while their holders are connected, say nothing, or resume a TLS session",
    "each connection ends within 60 s, and none of them comes back; no other connection ends",
    minutes=0.5,
)  # fmt: skip
def ended_certificate(trial: Trial) -> str:
    with ready(trial.folder) as broker, ExitStack() as stack:
        good = Line(broker, broker.pair(OTHER), OTHER)
        box, station = broker.pair(HOSTILE), broker.pair("station.hai-tay", "station")
        short = broker.pair("hai-tay-01", lasts_s=6.0)
        ends_s = time.monotonic() + _left_s(short)
        tickets = {
            (stem, newest): _ticket(broker, stem, newest)
            for stem in (box, short)
            for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
        }
        lines = {
            "ended": Line(broker, short, "hai-tay-01"),
            "revoked box": Line(broker, box, HOSTILE),
            "revoked station": Line(broker, station, "any-id-at-all", port=broker.station_port),
        }
        for line in (good, *lines.values()):
            assert line.let_in, f"not let in before: {line.answer}"
            stack.callback(line.leave)
        revoked_s = time.monotonic()
        broker.revoke(HOSTILE, "station.hai-tay")
        begins = {"ended": ends_s, "revoked box": revoked_s, "revoked station": revoked_s}
        until(lambda: all(line.ended for line in lines.values()) or time.monotonic() > ends_s + 60, 90)
        took = {who: line.ended - begins[who] for who, line in lines.items()}
        late = [who for who, line in lines.items() if not line.ended]
        again = [
            f"{stem.name}"
            for stem, name, port in (
                (short, "hai-tay-01", 0), (box, HOSTILE, 0), (station, "again", broker.station_port),
            )
            if _comes_back(broker, stem, name, port)
        ]  # fmt: skip
        resumed = [
            f"{key[0].name} {key[1].name}" for key, ticket in tickets.items() if _resumes(broker, *key, ticket)
        ]
        ended = bool(good.ended)
    if late or again or resumed or ended or max(took.values()) > 60:
        raise Broken(
            f"still there after 60 s: {late}; {took}; came back: {again}; resumed: {resumed}; "
            f"another box thrown out: {ended}"
        )
    words = ", ".join(f"{who} out after {seconds:.1f} s" for who, seconds in took.items())
    return f"{words}; 0 came back, 0 of {len(tickets)} resumed sessions; the other box stayed"


def _left_s(stem: Path) -> float:
    """Seconds that a certificate is still good."""
    certificate = x509.load_pem_x509_certificate(stem.with_suffix(".crt").read_bytes())
    return (certificate.not_valid_after_utc - datetime.now(UTC)).total_seconds()


def _comes_back(broker: RoleBroker, stem: Path, name: str, port: int) -> bool:
    try:
        line = Line(broker, stem, name, port=port)
    except ssl.SSLError:
        return False
    line.leave()
    return line.let_in


def _hello(name: str) -> bytes:
    """A CONNECT of MQTT 3.1.1."""
    body = b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack(">H", len(name)) + name.encode()
    return bytes([0x10, len(body)]) + body


def _raw(
    broker: RoleBroker, stem: Path, newest: ssl.TLSVersion, session: ssl.SSLSession | None
) -> tuple[ssl.SSLSession | None, bool, bytes]:
    """Session, whether it was resumed, and the broker's answer to CONNECT."""
    context = _CONTEXTS.setdefault((broker.port, stem, newest), broker.context(stem, newest))
    with (
        socket.create_connection(("localhost", broker.port), 10) as line,
        context.wrap_socket(line, server_hostname="localhost", session=session) as tls,
    ):
        tls.sendall(_hello(stem.name.removesuffix("-short")))
        answer = tls.recv(4)
        return tls.session, bool(tls.session_reused), answer


_CONTEXTS: dict[tuple[int, Path, ssl.TLSVersion], ssl.SSLContext] = {}
"""A session belongs to its context."""


def _ticket(broker: RoleBroker, stem: Path, newest: ssl.TLSVersion) -> ssl.SSLSession | None:
    session, _, answer = _raw(broker, stem, newest, None)
    assert answer == b"\x20\x02\x00\x00", f"not let in before: {answer!r}"
    return session


def _resumes(broker: RoleBroker, stem: Path, newest: ssl.TLSVersion, ticket: ssl.SSLSession | None) -> bool:
    """Whether somebody gets in by the session of before."""
    try:
        return _raw(broker, stem, newest, ticket)[2] == b"\x20\x02\x00\x00"
    except OSError:
        return False
