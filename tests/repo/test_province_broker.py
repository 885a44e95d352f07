"""the role ngatu_province_broker: who comes in, and who may what, at a real RabbitMQ with the role's files"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from agent.transport.client import connect_options
from station.province.inbound import STATIONS
from station.uplink.requests.order import RequestKind
from station.uplink.settings import UP_ROOT
from tests.support.brokers import until
from tests.support.province_broker import ProvinceBroker, missing, province_broker, rendered

SHARDS = {"s01": ["hai-ninh", "hai-tay"], "s02": ["dong-ha"]}
WORKERS = {"worker-1": ["s01", "s02"], "worker-2": ["s01"]}
SOON_S = 60.0
"""However busy the machine is."""

needs_rabbitmq = [
    pytest.mark.long,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
    pytest.mark.broker,
    pytest.mark.timeout(900),
]


# -------------------------------------------------------------------------------- the list of rights

DEFINITIONS = json.loads(
    rendered(
        "definitions.json.j2",
        ngatu_province_broker_shards=SHARDS,
        ngatu_province_broker_workers=WORKERS,
        ngatu_province_broker_lost=["station.hai-tay"],
    )
)


def may(user: str, access: str, *levels: str) -> bool:
    """By the rights of topics; '*' in a level is MQTT's '+'."""
    key = ".".join((*UP_ROOT.split("/"), *levels))
    (found,) = (each for each in DEFINITIONS["topic_permissions"] if each["user"] == user)
    return re.search(found[access], key) is not None


@pytest.mark.parametrize("suffix", STATIONS.filters)
def test_what_a_station_says_its_worker_hears_and_no_other_commune_may(suffix: str) -> None:
    assert may("station.hai-ninh", "write", "s01", "hai-ninh", suffix)
    assert not may("station.hai-ninh", "read", "s01", "hai-ninh", suffix)
    assert not may("station.dong-ha", "write", "s01", "hai-ninh", suffix)
    assert not may("station.dong-ha", "read", "s01", "hai-ninh", suffix)
    for worker in ("operator.worker-1-s01", "operator.worker-2-s01"):
        assert may(worker, "read", "s01", "*", suffix)
        assert not may(worker, "write", "s01", "hai-ninh", suffix)
    assert not may("operator.worker-1-s02", "read", "s01", "*", suffix)


def test_receipts_go_from_the_worker_to_their_station_alone() -> None:
    assert may("operator.worker-2-s01", "write", "s01", "hai-ninh", "receipt")
    assert may("operator.worker-2-s01", "write", "s01", "station", "status")
    assert may("station.hai-ninh", "read", "s01", "hai-ninh", "receipt")
    assert may("station.hai-ninh", "read", "s01", "station", "status")
    assert not may("station.hai-ninh", "write", "s01", "station", "status")
    assert not may("station.hai-ninh", "write", "s01", "hai-ninh", "receipt")
    for filtered in (
        ("s01", "*", "receipt"),
        ("s01", "hai-tay", "receipt"),
        ("s02", "station", "status"),
        ("#",),
    ):
        assert not may("station.hai-ninh", "read", *filtered)


@pytest.mark.parametrize("kind", RequestKind)
def test_requests_go_from_the_worker_to_their_station_alone(kind: str) -> None:
    assert may("operator.worker-2-s01", "write", "s01", "hai-ninh", "command", kind)
    assert may("station.hai-ninh", "read", "s01", "hai-ninh", "command", "#")
    assert not may("operator.worker-1-s02", "write", "s01", "hai-ninh", "command", kind)
    assert not may("operator.worker-2-s01", "write", "s01", "hai-ninh", "command", kind, "more")
    assert not may("station.hai-ninh", "write", "s01", "hai-ninh", "command", kind)
    assert not may("station.dong-ha", "write", "s01", "hai-ninh", "command", kind)
    assert not may("station.dong-ha", "read", "s01", "hai-ninh", "command", "#")
    assert not may("operator.worker-2-s01", "read", "s01", "hai-ninh", "command", "#")


def test_who_has_lost_a_key_is_no_user_and_nobody_has_a_password() -> None:
    users = {each["name"]: each for each in DEFINITIONS["users"]}

    assert set(users) == {
        "station.hai-ninh", "station.dong-ha",
        "operator.worker-1-s01", "operator.worker-1-s02", "operator.worker-2-s01",
    }  # fmt: skip
    assert {each["password_hash"] for each in users.values()} == {""}
    assert {tuple(each["tags"]) for each in users.values()} == {()}
    assert {each["user"] for each in DEFINITIONS["permissions"]} == set(users)


def test_rights_of_a_name_are_not_those_of_a_longer_one() -> None:
    """A pattern without its ends would let `hai` be a part of `hai-ninh`."""
    rights = [
        right
        for kind in ("permissions", "topic_permissions")
        for each in DEFINITIONS[kind]
        for name, right in each.items()
        if name in ("configure", "write", "read")
    ]

    assert len(rights) == 5 * 3 + 5 * 2
    assert all(
        right.startswith("^") and right.endswith("$") and "." not in right.replace("[.]", "")
        for right in rights
    )


# ------------------------------------------------------------------------------------------------ a real node


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProvinceBroker]:
    with province_broker(tmp_path_factory.mktemp("rabbitmq"), SHARDS, WORKERS) as running:
        yield running


class Caller:
    """One MQTT connection with a certificate; what became of it."""

    def __init__(self, broker: ProvinceBroker, user: str, client_id: str, *, keep: bool = False) -> None:
        self.answer, self.gone, self.heard = "", False, list[tuple[str, bytes]]()
        self.published, self.subscribed = list[str](), list[int]()
        bears = [f"ngatu-province.{user[-3:]}"] if user.startswith("operator.") else []
        stem = broker.pair(user, "operator" if bears else "station", *bears)
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id, protocol=paho.MQTTv5, reconnect_on_failure=False
        )
        self.client.connect_timeout = SOON_S
        self.client.tls_set_context(broker.context(stem))
        self.client.on_connect = lambda _c, _d, _f, code, _p: setattr(self, "answer", str(code))
        self.client.on_disconnect = lambda *_: setattr(self, "gone", True)
        self.client.on_publish = lambda _c, _d, _mid, code, _p: self.published.append(str(code))
        self.client.on_subscribe = lambda _c, _d, _mid, codes, _p: self.subscribed.extend(
            code.value for code in codes
        )
        self.client.on_message = lambda _c, _d, message: self.heard.append((message.topic, message.payload))
        self.client.connect("localhost", broker.port, **connect_options("5", 60, keep_session=keep))
        self.client.loop_start()
        until(lambda: self.answer or self.gone, SOON_S, f"{client_id} is answered")

    def says(self, topic: str, payload: bytes = b"x") -> bool:
        """Whether the broker takes it; one that may not is thrown out."""
        before = len(self.published)
        self.client.publish(f"{UP_ROOT}/{topic}", payload, qos=1)
        until(lambda: len(self.published) > before or self.gone, SOON_S, f"{topic} is answered")
        return not self.gone

    def listens(self, *topics: str) -> bool:
        """Whether the broker lets it hear all of these."""
        before = len(self.subscribed)
        self.client.subscribe([(f"{UP_ROOT}/{topic}", 1) for topic in topics])
        until(lambda: len(self.subscribed) >= before + len(topics) or self.gone, SOON_S, "answered")
        return not self.gone and all(code < 0x80 for code in self.subscribed[before:])

    def leaves(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def a_worker(broker: ProvinceBroker, user: str = "operator.worker-1-s01") -> Caller:
    caller = Caller(broker, user, "ngatu-province.s01", keep=True)
    assert caller.answer == "Success"
    assert caller.listens(*(f"s01/+/{suffix}" for suffix in STATIONS.filters))
    return caller


class TestNode:
    pytestmark = needs_rabbitmq

    def test_what_a_station_says_reaches_the_worker_and_the_receipt_comes_back(
        self, broker: ProvinceBroker
    ) -> None:
        worker, station = a_worker(broker), Caller(broker, "station.hai-ninh", "hai-ninh", keep=True)
        assert station.listens("s01/hai-ninh/receipt", "s01/station/status")

        for suffix in STATIONS.filters:
            assert station.says(f"s01/hai-ninh/{suffix}", suffix.encode())
        until(lambda: len(worker.heard) == len(STATIONS.filters), SOON_S, "the worker has all of them")
        assert worker.says("s01/hai-ninh/receipt", b"r")
        assert worker.says("s01/station/status", b"s")
        until(lambda: len(station.heard) == 2, SOON_S, "the station has both")

        assert station.heard == [
            (f"{UP_ROOT}/s01/hai-ninh/receipt", b"r"),
            (f"{UP_ROOT}/s01/station/status", b"s"),
        ]
        station.leaves()
        worker.leaves()

    def test_what_comes_while_no_worker_is_there_waits_for_the_next_one_on_another_host(
        self, broker: ProvinceBroker
    ) -> None:
        a_worker(broker).leaves()
        station = Caller(broker, "station.hai-ninh", "hai-ninh")
        for number in range(20):
            assert station.says("s01/hai-ninh/envelope", str(number).encode())
        station.leaves()

        other = a_worker(broker, "operator.worker-2-s01")
        until(lambda: len(other.heard) == 20, SOON_S, "all of them came")
        assert [int(payload) for _, payload in other.heard] == list(range(20))
        other.leaves()

    @pytest.mark.parametrize(
        "topic",
        ["s01/hai-ninh/envelope", "s01/hai-ninh/receipt", "s01/station/status", "s02/hai-tay/envelope",
         "s01/hai-tay/receipt", "s01/hai-tay/envelope/more", "s01/hai-tay"],
    )  # fmt: skip
    def test_a_station_writes_nowhere_but_below_its_own_commune(
        self, broker: ProvinceBroker, topic: str
    ) -> None:
        station = Caller(broker, "station.hai-tay", "hai-tay")
        assert station.answer == "Success"
        assert station.says("s01/hai-tay/envelope")
        assert not station.says(topic)
        station.leaves()

    @pytest.mark.parametrize(
        "topic",
        ["s01/hai-ninh/receipt", "s01/+/receipt", "#", "s01/#", "+/hai-ninh/envelope", "s01/hai-ninh/envelope",
         "s02/station/status"],
    )  # fmt: skip
    def test_a_station_reads_nothing_but_its_receipts_and_whether_the_worker_is_there(
        self, broker: ProvinceBroker, topic: str
    ) -> None:
        station = Caller(broker, "station.hai-tay", "hai-tay", keep=True)
        assert station.listens("s01/hai-tay/receipt", "s01/station/status")
        assert not station.listens(topic)
        station.leaves()

    def test_nobody_calls_under_the_id_of_another_whose_line_stays(self, broker: ProvinceBroker) -> None:
        owner = Caller(broker, "station.hai-ninh", "hai-ninh", keep=True)
        for user, client_id in (
            ("station.hai-tay", "hai-ninh"),
            ("operator.worker-2-s01", "hai-ninh"),
            ("station.hai-tay", "ngatu-province.s01"),
            ("station.hai-tay", ""),
        ):
            caller = Caller(broker, user, client_id, keep=True)
            assert caller.answer == "Client identifier not valid"
            caller.leaves()

        assert owner.says("s01/hai-ninh/envelope")
        owner.leaves()

    def test_who_is_not_in_the_inventory_does_not_come_in(self, broker: ProvinceBroker) -> None:
        for user, client_id in (
            ("station.elsewhere", "elsewhere"),
            ("operator.worker-2-s02", "ngatu-province.s02"),
        ):
            caller = Caller(broker, user, client_id)
            assert caller.answer in ("Not authorized", "Bad user name or password")
            caller.leaves()

    def test_without_a_certificate_nobody_comes_in(self, broker: ProvinceBroker) -> None:
        context = ssl.create_default_context(cafile=str(broker.tls / "ca.crt"))
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            first_word(broker, context)

    def test_what_is_larger_than_an_envelope_can_be_is_not_taken(self, broker: ProvinceBroker) -> None:
        station = Caller(broker, "station.hai-tay", "hai-tay")
        assert station.says("s01/hai-tay/envelope", bytes(128 << 10))
        assert not station.says("s01/hai-tay/envelope", bytes(300_000))
        station.leaves()

    def test_a_revoked_certificate_is_refused_from_the_next_handshake_on_and_a_user_who_goes_is_thrown_out(
        self, broker: ProvinceBroker
    ) -> None:
        """As revoke.yml does it. The last of this node: a commune is gone afterwards."""
        neighbour = Caller(broker, "station.hai-tay", "hai-tay", keep=True)
        lost = Caller(broker, "station.dong-ha", "dong-ha", keep=True)
        assert lost.says("s02/dong-ha/envelope")
        context = broker.context(broker.tls / "station.dong-ha-")

        broker.authority.revoke("station.dong-ha", "keyCompromise", datetime.now(UTC))
        broker.authority.write_crl(datetime.now(UTC))
        broker.write(ngatu_province_broker_lost=["station.dong-ha"])
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REVOKED"):
            first_word(broker, context)
        assert not lost.gone  # a list alone ends no connection that is there
        broker.ask("rabbitmqctl", "--silent", "delete_user", "station.dong-ha")
        until(lambda: lost.gone, SOON_S, "it is thrown out")

        assert neighbour.says("s01/hai-tay/envelope")
        neighbour.leaves()
        lost.leaves()


def first_word(broker: ProvinceBroker, context: ssl.SSLContext) -> bytes:
    """What the broker says to whoever has shaken hands; in TLS 1.3 that is where it refuses."""
    with socket.create_connection(("localhost", broker.port), SOON_S) as plain:
        plain.settimeout(SOON_S)
        with context.wrap_socket(plain, server_hostname="localhost") as line:
            return line.recv(1)


def test_the_node_gets_the_folder_of_its_tests_and_no_other(tmp_path: Path) -> None:
    """So that no test of this file can touch a RabbitMQ of the machine."""
    made = ProvinceBroker(tmp_path, SHARDS, WORKERS)

    assert "/etc/rabbitmq" not in "".join(each.read_text() for each in made.etc.glob("*.conf*"))
