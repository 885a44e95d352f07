"""P45.2: one address that calls and sends without end, at the firewall of the broker's host."""

from __future__ import annotations

import re
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.acceptance.faults.netns import in_a_network_of_its_own
from tests.acceptance.faults.suite import Broken, NotTried, Trial, promise
from tests.conftest import ROOT
from tests.support.brokers import until

ROLE = ROOT / "deploy/ansible/roles/ngatu_base"
BROKER, LOUD, CALM = "10.20.0.1", "10.20.0.66", "10.20.0.7"
PORT = 8883
BOUNDS = {"connections": 200, "new_per_minute": 60, "kbytes_per_second": 1024, "burst_kbytes": 4096}
"""Below the example's, so that a trial of seconds meets all of them."""


def rules(**more: Any) -> str:
    """The firewall as the role writes it."""
    place = Environment(
        loader=FileSystemLoader(ROLE / "templates"), undefined=StrictUndefined, trim_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    place.tests["search"] = lambda value, what: re.search(what, value) is not None
    defaults = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    return place.get_template("nftables.conf.j2").render({**defaults, "ansible_managed": "", **more})


CALLER = """
import socket, sys, time
kind, source, broker, port, seconds = *sys.argv[1:4], int(sys.argv[4]), float(sys.argv[5])
def call(within):
    line = socket.socket()
    line.settimeout(within)
    line.bind((source, 0))
    line.connect((broker, port))
    return line
end = time.monotonic() + seconds
lines, waits = [], []
if kind == "calling":
    while time.monotonic() < end and len(lines) < 1000:
        try:
            lines.append(call(0.05))
        except OSError:
            pass
    print(len(lines))
elif kind == "sending":
    line, sent = call(5), 0
    line.settimeout(0.5)
    while time.monotonic() < end:
        try:
            sent += line.send(bytes(65536))
        except OSError:
            pass
    print(sent)
else:
    line = call(10)
    while time.monotonic() < end:
        began = time.monotonic()
        line.sendall(b"?" * 2000)
        got = 0
        while got < 2000:
            got += len(line.recv(4096))
        waits.append(time.monotonic() - began)
        time.sleep(0.05)
    waits.sort()
    print(waits[int(len(waits) * 0.95)])
"""
"""What one address does for some seconds; prints connections, bytes, or the 95th hundredth of the waits."""


@promise(
    "P45.2",
    "one address calls and sends without end at the broker's port; another sends a little",
    "the loud one is held to its connections and bytes; the other's exchanges take less than 1 s (p95)",
    minutes=0.4,
)  # fmt: skip
def one_loud_address(trial: Trial) -> str:
    seconds = float(trial.size(6, 60, 3))
    return in_a_network_of_its_own(lambda: _tried(trial.folder, seconds))


def _tried(folder: Path, seconds: float) -> str:
    with _other_side() as inside, _sink() as taken:
        text = rules(ngatu_base_allow=[{"port": PORT, "from": ["10.20.0.0/16"], "per_source": BOUNDS}])
        (folder / "rules.nft").write_text(text)
        done = subprocess.run(
            ["nft", "-f", str(folder / "rules.nft")], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotTried(f"nft: {done.stderr.strip()[-200:]}")
        calling, calm = inside("calling", LOUD, seconds), inside("exchanging", CALM, seconds)
        connections, wait_calling = int(_said(calling)), float(_said(calm))
        before = taken()
        sending, calm = inside("sending", LOUD, seconds), inside("exchanging", CALM, seconds)
        _said(sending)
        wait_sending = float(_said(calm))
        mbytes = (taken() - before) / 1e6
    allowed = (BOUNDS["burst_kbytes"] + BOUNDS["kbytes_per_second"] * (seconds + 1)) * 1024 * 1.2 / 1e6 + 1
    wait = max(wait_calling, wait_sending)
    if connections > BOUNDS["connections"] + BOUNDS["new_per_minute"] or mbytes > allowed or wait > 1:
        raise Broken(
            f"{connections} connections, {mbytes:.0f} MB in {seconds:g} s, the other waits {wait:.2f} s"
        )
    return (
        f"{connections} of 1,000 connections, {mbytes:.1f} MB in {seconds:g} s (allowed {allowed:.1f}); "
        f"the other address waits {wait_calling * 1000:.0f} and {wait_sending * 1000:.0f} ms (p95)"
    )


def _said(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=120)
    if process.returncode:
        raise Broken("an address could not reach the broker at all")
    return out


@contextmanager
def _other_side() -> Iterator[Any]:
    """Two addresses at the other end of a cable, in a network of their own."""
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 1000"], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    there = ["nsenter", "--net", "--target", str(holder.pid)]
    try:
        for words in (
            ["ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns", str(holder.pid)],
            ["ip", "address", "add", f"{BROKER}/24", "dev", "here"],
            ["ip", "link", "set", "here", "up"],
            [*there, "ip", "address", "add", f"{LOUD}/24", "dev", "there"],
            [*there, "ip", "address", "add", f"{CALM}/24", "dev", "there"],
            [*there, "ip", "link", "set", "there", "up"],
        ):
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NotTried(f"{' '.join(words[:3])}: {done.stderr.strip()[-100:]}")

        def inside(kind: str, source: str, seconds: float) -> subprocess.Popen[str]:
            words = [sys.executable, "-c", CALLER, kind, source, BROKER, str(PORT), str(seconds)]
            return subprocess.Popen([*there, *words], stdout=subprocess.PIPE, text=True)

        yield inside
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()


@contextmanager
def _sink() -> Iterator[Any]:
    """Takes every connection, gives the calm address back what it says, and counts what the loud one sends."""
    server = socket.create_server(("", PORT), backlog=1024)
    ready, taken, stop = threading.Event(), [0], threading.Event()

    def serve() -> None:
        with selectors.DefaultSelector() as lines:
            server.setblocking(False)
            lines.register(server, selectors.EVENT_READ)
            ready.set()
            while not stop.is_set():
                for key, _ in lines.select(0.1):
                    if key.fileobj is server:
                        line, (address, _port) = server.accept()
                        lines.register(line, selectors.EVENT_READ, address)
                        continue
                    _take(lines, key, taken)
            for key in list(lines.get_map().values()):
                key.fileobj.close()  # type: ignore[union-attr]

    thread = threading.Thread(target=serve)
    thread.start()
    until(ready.is_set, 10)
    try:
        yield lambda: taken[0]
    finally:
        stop.set()
        thread.join(10)


def _take(lines: selectors.BaseSelector, key: selectors.SelectorKey, taken: list[int]) -> None:
    line: Any = key.fileobj
    try:
        data = line.recv(1 << 16)
        if data and key.data == CALM:
            line.sendall(data)
    except OSError:
        data = b""
    if key.data == LOUD:
        taken[0] += len(data)
    if not data:
        lines.unregister(line)
        line.close()
