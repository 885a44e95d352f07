"""The hosts themselves: what every other trial of this folder stands on."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

from tests.acceptance.faults.suite import Broken, Trial, promise
from tests.acceptance.fleet.hosts import Fleet, require_tools, run


@promise(
    "F0",
    "two hosts boot, Ansible reaches them over SSH, one is killed and one switched off",
    "both answer, what was written stays, nothing is left on this machine",
)
def hosts_are_real(trial: Trial) -> str:
    require_tools()
    before = _traces()
    began = time.monotonic()
    with Fleet(trial.folder / "fleet", ["one", "two"]) as fleet:
        fleet.start()
        booted = time.monotonic() - began
        ping = fleet.ansible("all", "-m", "ansible.builtin.ping").good()
        assert ping.output.count('"ping": "pong"') == 2, ping.output
        assert "systemd" in fleet["one"].ssh("cat /proc/1/comm").output
        for host in fleet.hosts.values():
            host.ssh("systemd-run --unit=nap sleep 1000").good()
        fleet["one"].ssh("systemctl kill --signal=KILL nap").good()
        assert fleet["two"].ssh("systemctl is-active nap").output == "active\n", "they share control groups"
        fleet["one"].ssh("echo kept > /var/lib/kept; sync").good()
        fleet["one"].kill()
        fleet["two"].stop()
        assert fleet["one"].ssh("true", timeout_s=10).code == 255, "a killed host still answers"
        fleet.start()
        assert fleet["one"].ssh("cat /var/lib/kept").good().output == "kept\n"
    # Another fleet of this machine may have begun meanwhile: its names have another number.
    others = re.compile(rf"\bngatu(?!{os.getpid()}-)\d+-")
    if left := sorted(trace for trace in _traces() - before if not others.search(trace)):
        raise Broken(f"left behind: {left}")
    return f"both up after {booted:.1f} s, ping {ping.seconds:.1f} s, all undone"


def _traces() -> set[str]:
    """Namespaces, mounts, links and containers of this machine, and threads of this process."""
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return {
        *run("ip", "netns", "list").output.splitlines(),
        *run("ip", "-o", "link").output.splitlines(),
        # The first `ip netns add` of a machine mounts the folder of all namespaces over itself, for good.
        *(mount for mount in mounts if mount.split()[1] != "/run/netns"),
        *run("pgrep", "-a", "-r", "R,S,D,T", "systemd-nspawn").output.splitlines(),
        *(thread.name for thread in threading.enumerate()),
    }
