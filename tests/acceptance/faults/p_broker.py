"""P44, P52, P58, P60: the broker as its role makes it, and who holds a certificate that must not be enough."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as paho
from cryptography import x509

from tests.acceptance.faults.stage import Receiver, Victim, settled
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.support.brokers import until
from tests.support.role_broker import RoleBroker, missing, role_broker

COMMUNE, ROOT = "hai-ninh", "ngatu/v1"
HOSTILE, OTHER = "hai-ninh-01", "hai-ninh-02"
BOXES = {HOSTILE: COMMUNE, OTHER: COMMUNE, "hai-tay-01": "hai-tay"}
CAMERAS = {"ngatu_broker_cameras": {HOSTILE: ["north"], OTHER: ["fed", "road"], "hai-tay-01": ["north"]}}
MEMORY = 96 << 20
"""A tenth of the role's: a flood of a tenth fills it."""


class Line:
    """One MQTT connection with a pair; what became of it."""

    def __init__(
        self, broker: RoleBroker, stem: Path, client_id: str, *, port: int = 0,
        protocol: paho.MQTTProtocolVersion = paho.MQTTProtocolVersion.MQTTv5,
    ) -> None:  # fmt: skip
        self.answer, self.ended = "", 0.0
        self.codes: list[str] = []
        self.heard: list[str] = []
        self.kept: set[str] = set()
        self.subscribed: list[int] = []
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id, protocol=protocol, reconnect_on_failure=False
        )
        self.client.tls_set_context(broker.context(stem))
        self.client.max_inflight_messages_set(100)
        self.client.on_connect = lambda _c, _d, _f, code, _p: setattr(self, "answer", str(code))
        self.client.on_disconnect = lambda *_: setattr(self, "ended", time.monotonic())
        self.client.on_publish = lambda _c, _d, _mid, code, _p: self.codes.append(str(code))
        self.client.on_subscribe = lambda _c, _d, _mid, codes, _p: self.subscribed.extend(
            code.value for code in codes
        )
        self.client.on_message = self._hear
        self.client.connect("localhost", port or broker.port, keepalive=60)
        self.client.loop_start()
        until(lambda: self.answer or self.ended, 20, f"{client_id} is answered")

    @property
    def let_in(self) -> bool:
        """Whether the broker said yes."""
        return self.answer == "Success"

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1, never more than 100 without an answer."""
        sent = self.client.publish(topic, payload, qos=1, retain=retain)
        until(lambda: sent.mid - len(self.codes) < 100 or self.ended, 60, "the broker answers")

    def leave(self) -> None:
        """Say goodbye."""
        self.client.disconnect()
        self.client.loop_stop()

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        self.heard.append(message.topic)
        if message.retain and message.payload:
            self.kept.add(message.topic)


@contextmanager
def at_work(folder: Path, **more: object) -> Iterator[tuple[RoleBroker, Victim, Receiver]]:
    """The role's broker, a real box and a real station by TLS."""
    if why := missing():
        raise NotTried(why)
    with role_broker(folder, BOXES, **CAMERAS, **more) as broker:
        victim, station = Victim(folder / "box", broker.port), Receiver(folder, broker.station_port)
        pairs = {
            victim.config: broker.pair(OTHER),
            station.config: broker.pair(f"station.{COMMUNE}", "station"),
        }
        for config, stem in pairs.items():
            tls = f"tls: {{ca: {broker.ca}, cert: {stem}.crt, key: {stem}.key}}"
            text = config.read_text().replace("test-commune", COMMUNE).replace("victim-01", OTHER)
            config.write_text(text.replace("host: 127.0.0.1", f"host: localhost, {tls}"))
        station.start()
        try:
            yield broker, victim, station
        finally:
            victim.kill()
            station.end()


def served(victim: Victim, station: Receiver, events: int) -> str:
    """The other box accepts so many events more, and the station has all of them. Broken: it has not."""
    before = len(station.committed())
    victim.start(events)
    until(lambda: len(station.committed()) >= before + events, 60, "the other box is served")
    findings = settled(victim, station)
    victim.end()
    if not findings.clean:
        raise Broken(f"the other box: {findings}")
    return str(findings)


@promise(
    "P44",
    "one box floods the broker with messages to be kept, on made-up topics and its own, and with subscriptions",
    "the broker lives, also after its restart; nothing of it is kept but its states; the other box is served",
    minutes=0.5,
)  # fmt: skip
def retained_flood(trial: Trial) -> str:
    flood = trial.size(500, 4_000, 150)
    memory = MEMORY if trial.size_of != "long" else 10 * MEMORY
    with at_work(trial.folder, ngatu_broker_memory_limit=memory) as (broker, victim, station):
        hostile = Line(broker, broker.pair(HOSTILE), HOSTILE)
        tree, big = f"{ROOT}/{COMMUNE}/{HOSTILE}", bytes(290_000)
        for number in range(flood):
            if hostile.ended:
                break
            hostile.say(f"{tree}/camera/x{number}/y", big, retain=True)
            hostile.say(f"{tree}/camera/north/image/{number}/scene", big, retain=True)
        subscriptions = _subscribe_without_end(hostile, tree)
        if not broker.alive():
            raise Broken(f"the broker is dead: {broker.log[-300:]}")
        first = served(victim, station, 20)
        kept = _kept(broker, f"{ROOT}/#")
        foreign = sorted(topic for topic in kept if topic.startswith(tree))
        broker.stop()
        broker.start()
        victim_again = served(victim, station, 20)
    if foreign:
        raise Broken(f"{len(foreign)} messages of it are kept, such as {foreign[:3]}")
    if subscriptions > 16:
        raise Broken(f"{subscriptions} subscriptions of one box")
    return (
        f"{2 * flood} messages of 290 kB and 20,000 subscriptions: 0 kept, {subscriptions} subscriptions; "
        f"the other box {first}; after a restart {victim_again}"
    )


def _subscribe_without_end(line: Line, tree: str) -> int:
    """How many of 20,000 filters the broker takes from one box."""
    for at in range(0, 20_000, 1000):
        before = len(line.subscribed)
        line.client.subscribe([(f"{tree}/command/{number}", 1) for number in range(at, at + 1000)])
        until(lambda before=before: len(line.subscribed) > before or line.ended, 30, "SUBACK")  # type: ignore[misc]
    return sum(code < 0x80 for code in line.subscribed)


def _kept(broker: RoleBroker, topics: str) -> set[str]:
    """What whoever comes now is told of old."""
    operator = Line(broker, broker.pair("operator.broker", "operator"), "look", port=broker.station_port)
    operator.client.subscribe([(topics, 0), ("$SYS/broker/uptime", 0)])
    until(lambda: any(topic.startswith("$SYS") for topic in operator.heard), 30, "all that is kept has come")
    operator.leave()
    return {topic for topic in operator.kept if not topic.startswith("$SYS")}


@promise(
    "P52",
    "a box's certificate at the stations' door, a station's at the boxes', and each under a foreign client id",
    "0 let in; the station, the tool and the other box keep their connections",
    minutes=0.2,
)  # fmt: skip
def wrong_door(trial: Trial) -> str:
    with _ready(trial.folder) as broker, ExitStack() as stack:
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
    with _ready(trial.folder) as broker, ExitStack() as stack:
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


@promise(
    "P60.3",
    "a box that is in no list, and one of another commune, write, leave a will and listen in every commune",
    "nothing of theirs arrives but what the list lets them, and they hear nothing",
    minutes=0.2,
)  # fmt: skip
def not_in_the_list(trial: Trial) -> str:
    with _ready(trial.folder) as broker:
        witness = Line(broker, broker.pair("operator.broker", "operator"), "witness", port=broker.station_port)
        witness.client.subscribe(f"{ROOT}/#")
        until(lambda: witness.subscribed, 10)
        said = 0
        for name in ("nobody-01", "hai-tay-01"):  # of which only the second is in the list
            line = Line(broker, broker.pair(name), name)
            for commune in (COMMUNE, "hai-tay", "elsewhere"):
                for suffix in ("status", "health", "camera/north/event", "camera/box/event", "hello", "chain"):
                    for device in (name, OTHER):
                        line.say(
                            f"{ROOT}/{commune}/{device}/{suffix}", name.encode(), retain=suffix == "status"
                        )
                        said += 1
            until(lambda line=line: len(line.codes) >= 36, 20)  # type: ignore[misc]
            line.leave()
        station = broker.pair(f"station.{COMMUNE}", "station")
        fence = Line(broker, station, f"ngatu-{COMMUNE}", port=broker.station_port)
        fence.say(f"{ROOT}/{COMMUNE}/station/status", b"online")
        until(lambda: f"{ROOT}/{COMMUNE}/station/status" in witness.heard, 20, "the fence comes")
        fence.leave()
        witness.leave()
    own = f"{ROOT}/hai-tay/hai-tay-01/"
    foreign = [topic for topic in witness.heard if not topic.startswith(own) and "station/status" not in topic]
    mine = [topic for topic in witness.heard if topic.startswith(own)]
    if foreign or len(mine) != 6:
        raise Broken(f"{len(foreign)} arrived that may not, such as {foreign[:3]}; {len(mine)} of 6 that may")
    return f"{said} messages to three communes: 6 of 6 that the list allows arrived, 0 others"


@contextmanager
def _ready(folder: Path) -> Iterator[RoleBroker]:
    if why := missing():
        raise NotTried(why)
    with role_broker(folder, BOXES, **CAMERAS) as broker:
        yield broker
