"""deploy/ansible/roles/ngatu_agent/templates/firewall.nft.j2: a box speaks to whom it must, in real packets"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

ROLE = ROOT / "deploy/ansible/roles/ngatu_agent"
CAMERA, BROKER, CLOCK, OTHER = (f"10.77.0.{number}" for number in (2, 3, 4, 9))
CONFIG = {
    "broker": {"host": BROKER, "port": 8883, "hosts": [CLOCK, f"{CAMERA}:443"]},
    "cameras": [
        {"name": "north", "source": {"kind": "rtsp", "url": f"rtsp://{CAMERA}/live"}},
        {"name": "south", "source": {"kind": "rtsp", "url": f"rtsp://{CAMERA}:8554/live", "transport": "udp"}},
        {
            "name": "east",
            "source": {"kind": "csi"},
            "record": {"mode": "events", "source": {"kind": "rtsp", "url": f"rtsp://{CAMERA}:8555/main"}},
        },
        {"name": "west", "source": {"kind": "csi"}, "record": {"mode": "events", "source": None}},
    ],
}
PEER = """
import select, socket
socks = []
for port in (22, 53, 554, 555, 8554, 8555, 8883, 443):
    sock = socket.create_server(("10.77.0.2", port)); socks.append(sock)
    for other in ("10.77.0.3", "10.77.0.4", "10.77.0.9"):
        socks.append(socket.create_server((other, port)))
print("ready", flush=True)
held = []
while True:
    for sock in select.select(socks, [], [])[0]:
        held.append(sock.accept())
"""
TRY = """
import socket, sys
for word in sys.argv[1:]:
    protocol, host, port = word.split("/")
    try:
        if protocol == "tcp":
            socket.create_connection((host, int(port)), 3).close()
        else:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.sendto(b"x", (host, int(port)))
        print("yes")
    except OSError as error:
        print("no")
"""
PING = """
import os, socket, struct, sys
os.setuid(int(sys.argv[1]))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
sock.settimeout(3)
try:
    sock.sendto(struct.pack("!BBHHH", 8, 0, 0, 0, 1) + b"x" * 1000, (sys.argv[2], 0))
    sock.recv(2000)
    print("yes")
except OSError:
    print("no")
"""


def rendered(folder: Path, **variables: Any) -> Path:
    """The rules, as Ansible writes them."""
    given = {
        "ngatu_agent_confined": True, "ngatu_agent_reach": [], "ngatu_agent_names": [],
        "ngatu_agent_configs": [CONFIG], "ngatu_base_ntp": [CLOCK], "ngatu_base_upgrades": False, **variables,
    }  # fmt: skip
    rules = folder / "box.nft"
    arguments = f"src={ROLE / 'templates/firewall.nft.j2'} dest={rules}"
    words = [
        "localhost",
        "-c",
        "local",
        "-m",
        "ansible.builtin.template",
        "-a",
        arguments,
        "-e",
        json.dumps(given),
    ]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible"), *words], capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_NOCOLOR": "1"}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return rules


@contextmanager
def confined(rules: Path) -> Iterator[str]:
    """Two networks and a cable; the rules hold in the one whose name this yields, the other one answers."""
    box, world = f"ngatu-box-{os.getpid()}", f"ngatu-world-{os.getpid()}"
    peer = None
    try:
        for name in (box, world):
            _do("ip", "netns", "add", name)
            _do("ip", "-n", name, "link", "set", "lo", "up")
        _do("ip", "-n", box, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", world)
        _do("ip", "-n", box, "address", "add", "10.77.0.1/24", "dev", "eth0")
        for address in (CAMERA, BROKER, CLOCK, OTHER):
            _do("ip", "-n", world, "address", "add", f"{address}/24", "dev", "eth0")
        for name in (box, world):
            _do("ip", "-n", name, "link", "set", "eth0", "up")
        words = ["ip", "netns", "exec", world, sys.executable, "-c", PEER]
        peer = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert peer.stdout and peer.stdout.readline() == "ready\n"
        _do("ip", "netns", "exec", box, "nft", "-f", str(rules))
        yield box
    finally:
        if peer is not None:
            peer.kill()
            peer.communicate(timeout=5)
        if shutil.which("ip"):
            for name in (box, world):
                subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def _do(*words: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=90)
    except FileNotFoundError:
        pytest.skip(f"{words[0]} is not here: apt-get install nftables iproute2")
    if done.returncode and "ermitted" in done.stderr:
        pytest.skip("networks of its own need root")
    assert done.returncode == 0, done.stderr


def reached(box: str, *places: str) -> dict[str, bool]:
    words = ["ip", "netns", "exec", box, sys.executable, "-c", TRY, *places]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    return dict(zip(places, (word == "yes" for word in done.stdout.split()), strict=True))


@pytest.mark.long
def test_a_box_speaks_to_its_cameras_its_broker_the_clock_and_the_names_and_to_nobody_else(
    tmp_path: Path,
) -> None:
    allowed = {
        f"tcp/{CAMERA}/554", f"tcp/{CAMERA}/8554", f"tcp/{CAMERA}/8555", f"udp/{CAMERA}/6970",
        f"tcp/{BROKER}/8883", f"tcp/{CLOCK}/8883", f"tcp/{CAMERA}/443", f"udp/{CLOCK}/123",
        f"tcp/{OTHER}/53", f"udp/{OTHER}/53",
    }  # fmt: skip
    forbidden = {
        f"tcp/{OTHER}/554", f"tcp/{CAMERA}/555", f"tcp/{CAMERA}/22", f"tcp/{BROKER}/554", f"tcp/{OTHER}/8883",
        f"tcp/{BROKER}/443", f"udp/{OTHER}/123", f"udp/{OTHER}/6970", f"tcp/{BROKER}/53", f"udp/{BROKER}/53",
    }  # fmt: skip
    with confined(rendered(tmp_path, ngatu_agent_names=[OTHER])) as box:
        found = reached(box, *allowed, *forbidden)
    assert {place for place, came in found.items() if came} == allowed


def names(box: str, folder: Path, *lines: str) -> dict[str, Any]:
    """ngatu-names, after the network has told this."""
    resolver = folder / "resolv.conf"
    resolver.write_text("".join(f"{line}\n" for line in lines))
    words = [
        sys.executable,
        "-IB",
        ROLE / "files/ngatu_names.py",
        "--resolvers",
        resolver,
        "--kept",
        folder / "names.conf",
    ]
    done = subprocess.run(
        ["ip", "netns", "exec", box, *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.long
def test_a_box_asks_the_servers_of_names_that_its_network_tells_and_no_others(tmp_path: Path) -> None:
    places = [f"{protocol}/{host}/53" for host in (BROKER, OTHER) for protocol in ("tcp", "udp")]
    with confined(rendered(tmp_path)) as box:
        assert not any(reached(box, *places).values())

        first = names(box, tmp_path, "search example", "nameserver 127.0.0.53", f"nameserver {BROKER}")
        assert first == {"changed": True, "servers": [BROKER]}
        assert list(reached(box, *places).values()) == [True, True, False, False]

        assert names(box, tmp_path, f"nameserver {OTHER}", "nameserver fd00::53%eth0")["changed"]
        assert list(reached(box, *places).values()) == [False, False, True, True]
        assert not names(box, tmp_path, "# renewed soon", "nameserver", "nameserver x")["changed"]
        assert list(reached(box, *places).values()) == [False, False, True, True]


@pytest.mark.long
def test_rules_that_are_read_anew_have_the_servers_that_were_known_last(tmp_path: Path) -> None:
    rules = rendered(tmp_path)
    place = f"udp/{OTHER}/53"
    rules.write_text(rules.read_text().replace("/etc/ngatu/firewall/", f"{tmp_path}/"))
    with confined(rules) as box:
        names(box, tmp_path, f"nameserver {OTHER}")
        _do("ip", "netns", "exec", box, "nft", "-f", str(rules))
        assert reached(box, place)[place]


@pytest.mark.long
def test_where_nobody_is_confined_the_servers_are_kept_and_no_rule_is_made(tmp_path: Path) -> None:
    with confined(rendered(tmp_path, ngatu_agent_confined=False)) as box:
        assert names(box, tmp_path, f"nameserver {OTHER}")["servers"] == [OTHER]
        assert reached(box, f"udp/{BROKER}/53")[f"udp/{BROKER}/53"]


def test_a_box_without_a_firewall_has_no_unit_that_fails_at_each_start() -> None:
    files = ROOT / "deploy/ansible/roles/ngatu_agent/files"
    unit, tool = (files / "ngatu-names.service").read_text(), (files / "ngatu_names.py").read_text()

    (needed,) = [line.partition("=")[2] for line in unit.splitlines() if line.startswith("ConditionFileIs")]
    assert f'["{needed}", *asked]' in tool, "it waits for the program that the tool runs"


@pytest.mark.long
def test_who_comes_to_a_box_is_answered(tmp_path: Path) -> None:
    with confined(rendered(tmp_path)) as box:
        listener = (
            "import socket; s = socket.create_server(('10.77.0.1', 22)); print(1, flush=True); s.accept()"
        )
        words = ["ip", "netns", "exec", box, sys.executable, "-c", listener]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as door:
            assert door.stdout and door.stdout.readline()
            world = box.replace("box", "world")
            assert reached(world, "tcp/10.77.0.1/22") == {"tcp/10.77.0.1/22": True}
            assert door.wait(5) == 0


@pytest.mark.long
def test_what_the_running_configuration_names_stays_open_beside_the_new_one(tmp_path: Path) -> None:
    new = {"broker": {"host": OTHER, "port": 8883}, "cameras": []}
    more = [{"port": 443, "to": [CLOCK]}]
    with confined(rendered(tmp_path, ngatu_agent_configs=[new, CONFIG], ngatu_agent_reach=more)) as box:
        places = f"tcp/{CAMERA}/554", f"tcp/{BROKER}/8883", f"tcp/{OTHER}/8883", f"tcp/{CLOCK}/443"
        assert all(reached(box, *places).values())


@pytest.mark.long
def test_a_name_opens_its_port_everywhere_for_its_address_may_change(tmp_path: Path) -> None:
    named = {"broker": {"host": "tram-hai.example", "port": 8883}, "cameras": []}
    with confined(rendered(tmp_path, ngatu_agent_configs=[named])) as box:
        found = reached(box, f"tcp/{OTHER}/8883", f"tcp/{OTHER}/554")
    assert list(found.values()) == [True, False]


@pytest.mark.long
@pytest.mark.parametrize(("user", "answered"), [(0, "yes"), (4242, "no")])
def test_only_a_technician_may_ping_for_a_ping_carries_whatever_one_likes(
    tmp_path: Path, user: int, answered: str
) -> None:
    with confined(rendered(tmp_path)) as box:
        _do("ip", "netns", "exec", box, "sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647")
        words = ["ip", "netns", "exec", box, sys.executable, "-c", PING, str(user), OTHER]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == answered


@pytest.mark.long
def test_a_box_that_is_not_to_be_confined_is_not(tmp_path: Path) -> None:
    with confined(rendered(tmp_path, ngatu_agent_confined=False)) as box:
        assert reached(box, f"tcp/{OTHER}/443") == {f"tcp/{OTHER}/443": True}
