"""the broker's ngatu_gate.c and ngatu_kept.py: who comes in, what is kept, and what is forgotten"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.clock import SystemClock
from agent.mqtt.forwarder import Forwarder
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.transport.settings import TlsSettings
from agent.wire.topics import Topics
from tests.acceptance.faults.broker_stage import BOXES, CAMERAS, COMMUNE, HOSTILE, OTHER, ROOT, Line
from tests.acceptance.faults.suite import gathered, tried
from tests.support.brokers import until
from tests.support.role_broker import ROLE, RoleBroker, missing, rendered, role_broker

pytestmark = pytest.mark.broker
TREE = f"{ROOT}/{COMMUNE}/{HOSTILE}"


@pytest.fixture(autouse=True)
def _parts() -> None:
    if why := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RoleBroker]:
    with role_broker(tmp_path, BOXES, **CAMERAS) as running:
        yield running


@pytest.mark.long
@pytest.mark.parametrize("number", ["P44", "P52", "P58", "P60.3"])
def test_the_promise_is_kept_at_its_smallest_size(number: str) -> None:
    verdict = tried(gathered()[number], int.from_bytes(os.urandom(4)), "quick")

    assert verdict.outcome == "kept", verdict.measured


def operator(broker: RoleBroker, name: str = "look") -> Line:
    return Line(broker, broker.pair("operator.broker", "operator"), name, port=broker.station_port)


def station(broker: RoleBroker, name: str) -> Line:
    return Line(broker, broker.pair(f"station.{COMMUNE}", "station"), name, port=broker.station_port)


def codes(line: Line, *messages: tuple[str, bytes, bool]) -> list[str]:
    """What the broker said to each."""
    before = len(line.codes)
    for topic, payload, retain in messages:
        line.say(topic, payload, retain=retain)
    until(lambda: len(line.codes) == before + len(messages), 20, "the broker answers")
    return line.codes[before:]


DENIED = "Not authorized"


def test_only_states_are_kept_and_only_up_to_a_size(broker: RoleBroker) -> None:
    box = Line(broker, broker.pair(HOSTILE), HOSTILE)
    said = codes(
        box,
        (f"{TREE}/status", b"x", True), (f"{TREE}/info", b"x", True), (f"{TREE}/health", b"x" * 65_536, True),
        (f"{TREE}/camera/north/status", b"x", True), (f"{TREE}/camera/north/event", b"x", False),
        (f"{TREE}/camera/north/event", b"x", True), (f"{TREE}/health", b"x" * 65_537, True),
        (f"{TREE}/chain", b"x", True), (f"{TREE}/camera/south/status", b"x", True),
        (f"{TREE}/camera/south/event", b"x", False),
    )  # fmt: skip

    assert [code == DENIED for code in said] == [False] * 5 + [True] * 5
    box.leave()


def test_the_brokers_tool_clears_and_writes_nothing(broker: RoleBroker) -> None:
    box, tool = Line(broker, broker.pair(HOSTILE), HOSTILE), operator(broker)
    codes(box, (f"{TREE}/status", b"x", True))

    assert (
        codes(tool, (f"{TREE}/receipt", b"forged", False), (f"{TREE}/status", b"forged", True)) == [DENIED] * 2
    )
    assert codes(tool, (f"{TREE}/status", b"", True)) != [DENIED]
    box.leave()
    tool.leave()


def test_a_box_takes_its_own_name_back_from_whoever_sits_on_it(broker: RoleBroker) -> None:
    squatter = station(broker, HOSTILE)
    assert squatter.let_in

    box = Line(broker, broker.pair(HOSTILE), HOSTILE)
    assert box.let_in
    until(lambda: squatter.ended, 10, "the squatter is put out")
    assert not station(broker, HOSTILE).let_in, "and it does not come back while the box is there"
    assert not box.ended
    box.leave()


def test_a_session_stays_its_owners_while_nobody_is_connected(broker: RoleBroker) -> None:
    station(broker, "mine").leave()

    assert not operator(broker, "mine").let_in
    assert station(broker, "mine").let_in


def test_a_check_beside_the_running_agent_takes_nobodys_place(broker: RoleBroker) -> None:
    box = Line(broker, broker.pair(HOSTILE), HOSTILE)

    assert Line(broker, broker.pair(HOSTILE), f"{HOSTILE}-check").let_in
    assert not box.ended
    box.leave()


def test_beside_its_own_name_a_box_neither_speaks_nor_listens(broker: RoleBroker) -> None:
    """Else a copied card works beside the true box for ever, and neither it nor the station notices."""
    duty = station(broker, "duty")
    duty.client.subscribe(f"{ROOT}/{COMMUNE}/#", 1)
    until(lambda: duty.subscribed)
    beside = Line(broker, broker.pair(HOSTILE), f"{HOSTILE}-check")
    beside.client.subscribe(f"{TREE}/receipt", 1)
    until(lambda: beside.subscribed)

    said = codes(beside, (f"{TREE}/camera/north/event", b"{}", False), (f"{TREE}/status", b"{}", True))

    assert said == ["Not authorized"] * 2
    assert beside.subscribed == [0x87]
    assert duty.heard == []


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_session_that_somebody_has_filled_is_begun_anew_by_its_box(
    broker: RoleBroker, tmp_path: Path, protocol: str
) -> None:
    """Else who has called once under a box's name has it hear no receipt for as long as the session lasts."""
    stem = broker.pair(HOSTILE)
    version = paho.MQTTv5 if protocol == "5" else paho.MQTTv311
    thief = paho.Client(paho.CallbackAPIVersion.VERSION2, HOSTILE, protocol=version, clean_session=None)
    if protocol != "5":
        thief = paho.Client(paho.CallbackAPIVersion.VERSION2, HOSTILE, protocol=version, clean_session=False)
    thief.tls_set_context(broker.context(stem))
    granted: list[int] = []
    thief.on_subscribe = lambda _c, _d, _mid, codes, _p: granted.extend(code.value for code in codes)
    kept = None
    if protocol == "5":
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = 3600
    thief.connect("localhost", broker.port, **({"clean_start": False, "properties": kept} if kept else {}))
    thief.loop_start()
    thief.subscribe([(f"{TREE}/command/{number}", 1) for number in range(20)])
    until(lambda: len(granted) == 20)
    thief.disconnect()
    thief.loop_stop()
    tls = TlsSettings(ca=broker.ca, cert=stem.with_suffix(".crt"), key=stem.with_suffix(".key"))
    settings = BrokerSettings(
        host="localhost", port=broker.port, tls=tls, protocol=protocol, backoff_min_s=0.2, backoff_max_s=1.0
    )
    outbox = Outbox(tmp_path / "outbox.db", OutboxSettings(ballast_bytes=0), SystemClock())
    heard: list[str] = []
    box = Forwarder(
        outbox, settings, Topics(COMMUNE, HOSTILE), "life", SystemClock(),
        on_command=lambda topic, _payload, _retained, ack: (heard.append(topic), ack())[1],
    )  # fmt: skip
    duty = station(broker, "duty")
    box.start()
    try:
        until(lambda: box.figures().connected_s is not None and box.figures().reconnects, 20)
        until(lambda: [duty.say(f"{TREE}/command/restart", b"{}"), heard][1], 20)
        assert box.figures().trouble is None
    finally:
        box.stop()
        outbox.close()


BOX = """
import sys, time
from pathlib import Path
from agent.clock import SystemClock
from agent.mqtt.forwarder import Forwarder
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import Outbox, OutboxSettings
from agent.transport.settings import TlsSettings
from agent.wire.topics import Topics
folder, port, ca, stem, commune, device = sys.argv[1:]
tls = TlsSettings(ca=Path(ca), cert=Path(stem + ".crt"), key=Path(stem + ".key"))
outbox = Outbox(Path(folder) / "outbox.db", OutboxSettings(ballast_bytes=0), SystemClock())
settings = BrokerSettings(host="localhost", port=int(port), tls=tls)
Forwarder(outbox, settings, Topics(commune, device), "life", SystemClock()).start()
time.sleep(600)
"""


def test_a_box_that_dies_is_told_offline_by_the_roles_broker(broker: RoleBroker, tmp_path: Path) -> None:
    """A delayed will was refused there, so a dead box stayed online for ever."""
    states: list[str] = []
    look = operator(broker)
    look.client.on_message = lambda _c, _d, message: states.append(json.loads(message.payload)["state"])
    look.client.subscribe(f"{TREE}/status", 1)
    stem = broker.pair(HOSTILE)
    words = (tmp_path, str(broker.port), broker.ca, stem, COMMUNE, HOSTILE)
    box = subprocess.Popen([sys.executable, "-c", BOX, *words])
    try:
        until(lambda: states == ["online"], 30, "the box is online")
    finally:
        box.kill()
        box.wait()

    until(lambda: states == ["online", "offline"], 20, "the broker says that it has gone")
    look.leave()


def test_what_is_kept_is_kept_without_properties(broker: RoleBroker) -> None:
    """Else a state of one byte brings a quarter of a megabyte, past the bound for what is kept."""
    box = Line(broker, broker.pair(HOSTILE), HOSTILE)
    large = Properties(PacketTypes.PUBLISH)
    large.UserProperty = [("k" * 60_000, "v" * 60_000)] * 2
    large.CorrelationData = b"c" * 20_000
    box.client.publish(f"{TREE}/status", b"x", 1, True, properties=large).wait_for_publish(10)
    kept: list[paho.MQTTMessage] = []
    look = operator(broker)
    look.client.on_message = lambda _c, _d, message: kept.append(message)
    look.client.subscribe(f"{TREE}/status", 1)
    until(lambda: kept)

    assert (kept[0].retain, kept[0].payload) == (True, b"x")
    assert not hasattr(kept[0].properties, "UserProperty")
    assert not hasattr(kept[0].properties, "CorrelationData")
    assert broker.alive()


def test_a_list_of_the_revoked_that_cannot_be_read_leaves_the_one_before(broker: RoleBroker) -> None:
    stolen = Line(broker, broker.pair(HOSTILE), HOSTILE)
    other = Line(broker, broker.pair(OTHER), OTHER)
    broker.revoke(HOSTILE)
    until(lambda: stolen.ended, 10, "the stolen box is put out")
    crl = broker.folder / "ca" / "crl.pem"
    crl.write_text(crl.read_text().replace("BEGIN X509 CRL", "BEGIN NOTHING"))
    broker.reload()

    until(lambda: "the list of the revoked cannot be read" in broker.log, 10)
    assert broker.alive() and not other.ended
    assert not refused(broker, OTHER)
    assert refused(broker, HOSTILE)


def refused(broker: RoleBroker, name: str) -> bool:
    try:
        return not Line(broker, broker.folder / "pairs" / name, name).let_in
    except OSError:
        return True


def test_a_broker_without_a_readable_list_does_not_start(tmp_path: Path) -> None:
    broker = RoleBroker(tmp_path, BOXES, **CAMERAS)
    (tmp_path / "ca" / "crl.pem").unlink()

    with pytest.raises(AssertionError):
        broker.start()


def tool(broker: RoleBroker, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """ngatu-kept, at this broker."""
    described = importlib.util.spec_from_file_location("ngatu_kept", ROLE / "files/ngatu_kept.py")
    assert described is not None and described.loader is not None
    kept = importlib.util.module_from_spec(described)
    described.loader.exec_module(kept)
    stem, tls = broker.pair("operator.broker", "operator"), broker.folder / "tls"
    tls.mkdir()
    for link, end in (("operator.crt", ".crt"), ("operator.key", ".key")):
        (tls / link).symlink_to(stem.with_suffix(end))
    (tls / "ca.crt").symlink_to(broker.ca)
    monkeypatch.setattr(kept, "TLS", tls)
    monkeypatch.setattr(kept, "ACCESS", broker.folder / "ngatu.acl")
    monkeypatch.setattr(kept, "CONFIG", broker.folder / "mosquitto.conf")
    return kept


@pytest.mark.long
def test_what_was_kept_of_a_revoked_box_is_cleared_and_nothing_else(
    broker: RoleBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tool(broker, monkeypatch)
    for box in (HOSTILE, OTHER):
        line = Line(broker, broker.pair(box), box)
        tree = f"{ROOT}/{COMMUNE}/{box}"
        camera = CAMERAS["ngatu_broker_cameras"][box][0]
        codes(line, (f"{tree}/status", b"x", True), (f"{tree}/camera/{camera}/status", b"x", True))
        line.leave()
    broker.revoke(HOSTILE)
    where = ["localhost", str(broker.station_port)]

    assert kept.main([*where, "clear"]) == {"cleared": 2}
    assert kept.listed(("localhost", str(broker.station_port))) == {
        f"{ROOT}/{COMMUNE}/{OTHER}/status", f"{ROOT}/{COMMUNE}/{OTHER}/camera/fed/status",
    }  # fmt: skip
    assert kept.main([*where, "clear"]) == {"cleared": 0}
    assert kept.main([*where, "count"])["kept"] >= 2


def test_what_may_stay_is_read_from_access_and_configuration() -> None:
    described = importlib.util.spec_from_file_location("ngatu_kept", ROLE / "files/ngatu_kept.py")
    assert described is not None and described.loader is not None
    kept = importlib.util.module_from_spec(described)
    described.loader.exec_module(kept)
    access = rendered(
        "acl.j2", ngatu_broker_boxes={HOSTILE: COMMUNE}, ngatu_broker_communes=[COMMUNE],
        ngatu_broker_cameras={HOSTILE: ["north"]},
    )  # fmt: skip
    config = rendered("mosquitto.conf.j2")

    assert kept.may_stay(access, config) == {
        f"{TREE}/status", f"{TREE}/info", f"{TREE}/health", f"{TREE}/camera/north/status",
        f"{TREE}/camera/box/status", f"{ROOT}/{COMMUNE}/station/status",
    }  # fmt: skip


def test_the_tool_says_in_one_line_what_it_lacks() -> None:
    done = subprocess.run(
        [sys.executable, "-IB", str(ROLE / "files/ngatu_kept.py"), "localhost", "1", "clear"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1 and re.fullmatch(r"ngatu-kept: .+\n", done.stderr)


def test_what_leaves_a_station_for_other_programs_is_read_by_these_and_reached_by_no_box(
    tmp_path: Path,
) -> None:
    outward = {COMMUNE: ["homeassistant", "frigate"]}
    more = {"ngatu_broker_outward": outward, "ngatu_broker_outward_readers": ["operator.home"]}
    with role_broker(tmp_path, BOXES, **CAMERAS, **more) as broker:
        speaker, box = station(broker, "outward"), Line(broker, broker.pair(HOSTILE), HOSTILE)
        reader = operator_of(broker, "operator.home")

        assert codes(
            speaker,
            ("frigate/available", b"online", True), ("homeassistant/device/x/y/config", b"{}", True),
            ("elsewhere/x", b"", False), ("frigate/available", b"x" * 65_537, True),
        )[2:] == [DENIED] * 2  # fmt: skip
        assert codes(
            box, ("frigate/events", b"{}", False), ("frigate/available", b"offline", True),
            ("homeassistant/device/x/y/config", b"", True),
        ) == [DENIED] * 3  # fmt: skip
        reader.client.subscribe([("frigate/#", 1), ("homeassistant/#", 1)])
        until(lambda: set(reader.heard) == {"frigate/available", "homeassistant/device/x/y/config"})
        assert codes(reader, ("frigate/events", b"{}", False), (f"{TREE}/receipt", b"", False)) == [DENIED] * 2
        box.client.subscribe([("frigate/#", 1), ("#", 1)])
        reader.client.subscribe([(f"{ROOT}/#", 1)])
        until(lambda: box.subscribed and len(reader.subscribed) > 2)
        codes(box, (f"{TREE}/camera/north/event", b"{}", False))
        codes(speaker, ("frigate/events", b"{}", False))
        until(lambda: "frigate/events" in reader.heard)
        assert not box.heard
        assert not [topic for topic in reader.heard if topic.startswith(ROOT)]
        for line in (speaker, box, reader):
            line.leave()


def operator_of(broker: RoleBroker, name: str) -> Line:
    return Line(broker, broker.pair(name, "operator"), name.replace(".", "-"), port=broker.station_port)
