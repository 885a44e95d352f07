"""Real hosts on one machine: Debian under its own systemd, in containers with networks of their own, over SSH.

    with Fleet(folder, ["station", "box-01", "box-02"]) as fleet:
        fleet.start()
        fleet.ansible("all", "-m", "ansible.builtin.ping")

Each host is a systemd-nspawn on an overlay of the golden root, in a network namespace that a cable joins to a
switch in a namespace of its own. Inside the block the calling thread, and all that it starts from then on,
sits at that switch too: it is the controller, with the hosts' network and no other. What needs the internet
must be done before. The machine's own network is never touched, and everything is undone at the end.

Known limits: memory and CPU limits of units are accepted but not enforced, the clock and the kernel are the
machine's, and what a killed host had written is still in the kernel's cache: a kill is no power cut.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.acceptance.faults.suite import NotTried
from tests.acceptance.fleet.golden import golden
from tests.conftest import ROOT

NETWORK = "10.77.0"
CONTROLLER = f"{NETWORK}.1"
USER = "admin"
"""Who logs in: may become root by sudo, without a password, as the first user of Raspberry Pi OS may."""

REBOOTED = 133
"""So systemd-nspawn ends when the host asked for a reboot."""

BOOT = """
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs /run/systemd 2>/dev/null || { mkdir -p /run/systemd; mount -t tmpfs tmpfs /run/systemd; }
# Control groups of its own: in common ones, what one host's systemd kills as a group dies on all of them.
for tree in $GROUPS; do
    mkdir -p "$tree/$NETNS"
    echo $$ > "$tree/$NETNS/cgroup.procs"
done
mount -t overlay overlay -o lowerdir="$BELOW",upperdir="$HOST/upper",workdir="$HOST/work" "$HOST/root"
while :; do
    code=0
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q --register=no --keep-unit --machine="$NAME" \
        --network-namespace-path="/run/netns/$NETNS" --resolv-conf=off --console=pipe \
        --capability=CAP_BPF,CAP_NET_ADMIN --system-call-filter=bpf -D "$HOST/root" --boot </dev/null || code=$?
    [ "$code" = 133 ] || exit "$code"
done
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a command."""

    code: int
    output: str
    seconds: float

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """Ansible's last words by host: ok, changed, unreachable, failed, …"""
        lines = re.findall(r"^(\S+)\s+: (ok=\d+.*)$", self.output, re.MULTILINE)
        return {
            host: {key: int(count) for key, count in re.findall(r"(\w+)=(\d+)", counts)}
            for host, counts in lines
        }

    @property
    def changed(self) -> int:
        """How much a play changed, over all hosts."""
        return sum(counts["changed"] for counts in self.recap.values())

    def good(self) -> Ran:
        """Itself; AssertionError with the end of its output when it failed."""
        assert self.code == 0, f"exit code {self.code}: {self.output[-3000:]}"
        return self


def run(*words: str, timeout_s: float = 60, **more: Any) -> Ran:
    """Run a program of this machine; output and errors together."""
    began = time.monotonic()
    done = subprocess.run(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
        **more,
    )
    return Ran(done.returncode, done.stdout, time.monotonic() - began)


@dataclass
class Host:
    """One host, over several lives."""

    name: str
    address: str
    folder: Path
    fleet: Fleet = field(repr=False)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def netns(self) -> str:
        """Its network namespace."""
        return f"{self.fleet.prefix}-{self.name}"

    @property
    def upper(self) -> Path:
        """What it has written; what is below shows through elsewhere. Read it while the host is down."""
        return self.folder / "upper"

    @property
    def below(self) -> list[Path]:
        """What it started from, the highest first."""
        kept = self.fleet.kept
        return [self.fleet.golden] if kept is None else [kept / self.name, self.fleet.golden]

    @property
    def inside(self) -> Path:
        """The root file system that it sees, while it runs. Relative links in it can be followed."""
        nspawn = self._nspawn()
        assert nspawn is not None, f"{self.name} does not run"
        return Path(f"/proc/{_children(nspawn)[0]}/root")

    def start(self) -> Host:
        """Let it boot; at once back."""
        environment = {
            "PATH": os.environ["PATH"], "BELOW": ":".join(map(str, self.below)), "HOST": str(self.folder),
            "NAME": self.name, "NETNS": self.netns, "GROUPS": " ".join(map(str, _group_trees())),
        }  # fmt: skip
        with (self.folder / "console.log").open("ab") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", BOOT],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def up(self, within_s: float = 60) -> Host:
        """Wait until it has booted and answers over SSH."""
        deadline = time.monotonic() + within_s
        while True:
            # A degraded host is up too: a trial may be about a unit that fails.
            answer = self.ssh("systemctl is-system-running --wait", timeout_s=within_s)
            if re.search(r"^(running|degraded)$", answer.output, re.MULTILINE):
                return self
            assert self.process is not None and self.process.poll() is None, (
                f"{self.name} ended: {self.console()}"
            )
            assert time.monotonic() < deadline, f"{self.name} is not up: {answer.output} {self.console()}"
            time.sleep(0.2)

    def console(self) -> str:
        """The end of what it printed while booting."""
        return (self.folder / "console.log").read_text(errors="replace")[-2000:]

    def ssh(self, command: str, timeout_s: float = 60) -> Ran:
        """Run a command there as root; exit code 255: it could not be reached."""
        return run(
            "ssh", "-F", str(self.fleet.ssh_config), self.name, f"sudo sh -c {_quoted(command)}",
            timeout_s=timeout_s + 10,
        )  # fmt: skip

    def put(self, path: str, content: bytes | str) -> None:
        """Write a file there, over SSH, as root."""
        data = content.encode() if isinstance(content, str) else content
        done = subprocess.run(
            ["ssh", "-F", str(self.fleet.ssh_config), self.name,
             f"sudo sh -c {_quoted(f'cat > {_quoted(path)}')}"],
            input=data, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()

    def _nspawn(self) -> int | None:
        """The process of systemd-nspawn: signals to the shell around it would not reach it."""
        if self.process is None or self.process.poll() is not None:
            return None
        return next(
            (child for child in _children(self.process.pid) if _command(child) == "systemd-nspawn"), None
        )

    def stop(self, within_s: float = 60) -> None:
        """Switch it off in order."""
        pid = self._nspawn()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
        if self.process is not None:
            self.process.wait(within_s)
            self.process = None

    def kill(self) -> None:
        """End everything in it at once, between two instructions."""
        if self.process is None or self.process.poll() is not None:
            return
        nspawn = self._nspawn()
        inside = _children(nspawn) if nspawn is not None else []
        os.kill(self.process.pid, signal.SIGSTOP)  # the shell must not start it again
        for pid in inside:  # its init: the kernel ends all of a container with that
            os.kill(pid, signal.SIGKILL)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self.process = None
        _until(lambda: not any(_alive(pid) for pid in inside), 30, f"{self.name} is dead")

    def forget(self) -> None:
        """Leave none of its control groups behind; when it is dead for good."""
        for tree in _group_trees():
            own = tree / self.netns
            for group in [*sorted(own.glob("**/"), reverse=True)]:
                with suppress(OSError):
                    group.rmdir()

    def unplug(self) -> None:
        """Pull its network cable."""
        _ip("-n", self.fleet.switch, "link", "set", f"to-{self.fleet.number(self)}", "down")

    def plug(self) -> None:
        """Put its network cable back."""
        _ip("-n", self.fleet.switch, "link", "set", f"to-{self.fleet.number(self)}", "up")


class Fleet:
    """Hosts by name, their network, and the controller's way to them."""

    def __init__(self, folder: Path, names: Sequence[str], kept: Path | None = None) -> None:
        """`kept` holds what hosts of these names had written in an earlier fleet: they go on from there."""
        self.folder = folder
        self.kept = kept
        self.prefix = f"ngatu{os.getpid()}"
        self.switch = f"{self.prefix}-switch"
        self.controller = f"{self.prefix}-controller"
        self.ssh_config = folder / "ssh_config"
        self.key = folder / "controller_key"
        self.golden = Path()
        self.hosts = {
            name: Host(name, f"{NETWORK}.{10 + number}", folder / "hosts" / name, self)
            for number, name in enumerate(names)
        }
        self._undo: list[Callable[[], object]] = []

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def number(self, host: Host) -> int:
        """Its number at the switch."""
        return list(self.hosts).index(host.name)

    def __enter__(self) -> Fleet:
        """Lay the cables and sit down at the switch; no host runs yet.

        Raises:
            NotTried: this machine does not allow it.
        """
        require_tools()
        sweep()
        self.golden = golden()
        try:
            self._identities()
            self._cables()
            self._sit_down()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for host in self.hosts.values():
            run("ssh", "-F", str(self.ssh_config), "-O", "exit", host.name)  # a kept connection outlives us
            host.kill()
            host.forget()
        self._close()

    def _close(self) -> None:
        while self._undo:
            self._undo.pop()()

    def start(self, *names: str) -> Fleet:
        """Boot these, or all, side by side; back when each answers over SSH."""
        chosen = [self[name] for name in names] or list(self.hosts.values())
        for host in chosen:
            host.start()
        for host in chosen:
            host.up()
        return self

    def ansible(
        self, *words: str, inventory: Path | None = None, timeout_s: float = 900, **environment: str
    ) -> Ran:
        """`ansible-playbook` when the first word is a playbook, else `ansible`; with our ansible.cfg."""
        program = "ansible-playbook" if words[0].endswith((".yml", ".yaml")) else "ansible"
        return run(
            str(Path(sys.executable).with_name(program)), "-i", str(inventory or self.inventory()), *words,
            cwd=ROOT / "deploy" / "ansible", timeout_s=timeout_s,
            env={**self.environment(), **environment},
        )  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Of whoever runs Ansible here, with the programs of this environment within reach."""
        return {
            **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_SSH_ARGS": f"-F {self.ssh_config}", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_HOME": str(self.folder / "ansible"),
        }  # fmt: skip

    def reached(self, name: str) -> dict[str, Any]:
        """What an inventory says about reaching a host."""
        return {"ansible_host": name, "ansible_user": USER, "ansible_become": True}

    def inventory(
        self, groups: Mapping[str, Sequence[str]] | None = None, file: str = "hosts.json",
        hosts: Mapping[str, Mapping[str, Any]] | None = None, variables: Mapping[str, Any] | None = None,
    ) -> Path:  # fmt: skip
        """Write an inventory: groups of hosts, variables of each, variables of all. Returns its path."""
        known = {name: {**self.reached(name), **(hosts or {}).get(name, {})} for name in self.hosts}
        children = {
            group: {"hosts": {name: {} for name in members}} for group, members in (groups or {}).items()
        }
        path = self.folder / file
        path.write_text(
            json.dumps({"all": {"hosts": known, "vars": dict(variables or {}), "children": children}}, indent=1)
        )
        return path

    def _identities(self) -> None:
        """A key for the controller, a known key for each host, and names instead of addresses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _keygen(self.key)
        known = []
        names = "".join(f"{host.address} {host.name}\n" for host in self.hosts.values())
        for host in self.hosts.values():
            for part in ("upper/etc/ssh", "upper/home/admin/.ssh", "work", "root"):
                (host.folder / part).mkdir(parents=True)
            secret = host.upper / "etc/ssh/ssh_host_ed25519_key"
            _keygen(secret)
            known.append(f"{host.name} {secret.with_suffix('.pub').read_text()}")
            (host.upper / "etc/hostname").write_text(f"{host.name}\n")
            (host.upper / "etc/hosts").write_text(f"127.0.0.1 localhost\n{CONTROLLER} controller\n{names}")
            allowed = host.upper / "home/admin/.ssh/authorized_keys"
            shutil.copyfile(self.key.with_suffix(".pub"), allowed)
            _as_in_the_golden_root(host.upper, self.golden)
            # A fresh list of packages, or apt would want to fetch one.
            (host.upper / "var/lib/apt/periodic").mkdir(parents=True)
            (host.upper / "var/lib/apt/periodic/update-success-stamp").touch()
        (self.folder / "known_hosts").write_text("".join(known))
        self.ssh_config.write_text(
            "".join(
                f"Host {host.name}\n  HostName {host.address}\n  HostKeyAlias {host.name}\n"
                for host in self.hosts.values()
            )
            + f"Host *\n  User {USER}\n  IdentityFile {self.key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.folder}/known_hosts\n  StrictHostKeyChecking yes\n"
            "  BatchMode yes\n  LogLevel ERROR\n  ConnectTimeout 5\n"
            "  ServerAliveInterval 5\n  ServerAliveCountMax 3\n"
            f"  ControlMaster auto\n  ControlPersist 60\n  ControlPath /tmp/{self.prefix}-%C\n"
        )

    def _cables(self) -> None:
        self._namespace(self.switch)
        _ip("-n", self.switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", self.switch, "link", "set", "switch", "up")
        self._namespace(self.controller)
        self._cable(self.controller, "to-controller", CONTROLLER)
        for host in self.hosts.values():
            self._namespace(host.netns)
            self._cable(host.netns, f"to-{self.number(host)}", host.address)

    def _namespace(self, name: str) -> None:
        _ip("netns", "add", name)
        self._undo.append(lambda: run("ip", "netns", "del", name))  # and with it the cables that end in it
        _ip("-n", name, "link", "set", "lo", "up")

    def _cable(self, netns: str, end: str, address: str) -> None:
        _ip("-n", self.switch, "link", "add", end, "type", "veth", "peer", "name", "eth0", "netns", netns)
        _ip("-n", self.switch, "link", "set", end, "master", "switch", "up")
        _ip("-n", netns, "address", "add", f"{address}/24", "dev", "eth0")
        _ip("-n", netns, "link", "set", "eth0", "up")

    def _sit_down(self) -> None:
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{self.controller}", os.O_RDONLY)
        _setns(there)
        os.close(there)

        def stand_up() -> None:
            _setns(before)
            os.close(before)

        self._undo.append(stand_up)


def require_tools() -> None:
    """NotTried when this machine cannot hold hosts; the text says why."""
    if os.geteuid() != 0:
        raise NotTried("needs root: test hosts are containers with networks of their own")
    for tool, package in (
        ("systemd-nspawn", "systemd-container"), ("ip", "iproute2"), ("ssh", "openssh-client"),
        ("unshare", "util-linux"),
    ):  # fmt: skip
        if shutil.which(tool) is None:
            raise NotTried(f"{tool} is not here: apt install {package}")
    if not Path(sys.executable).with_name("ansible").exists():
        raise NotTried("ansible is not in this environment: pip install -e '.[fleet]'")
    allowed = run("unshare", "--mount", "--net", "true")
    if allowed.code != 0:
        raise NotTried(f"namespaces are not allowed here: {allowed.output.strip()}")


def sweep() -> None:
    """Take down what a run that was killed has left behind."""
    for name in re.findall(r"^ngatu\d+-\S+", run("ip", "netns", "list").output, re.MULTILINE):
        if not _alive(int(re.findall(r"\d+", name)[0])):
            for pid in run("ip", "netns", "pids", name).output.split():
                with contextlib.suppress(ProcessLookupError):  # it went with its init
                    os.kill(int(pid), signal.SIGKILL)
            run("ip", "netns", "del", name)


def _keygen(path: Path) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)).good()


def _as_in_the_golden_root(upper: Path, root: Path) -> None:
    """Folders of an overlay hide the owner and mode of those below: give them the same."""
    for folder in sorted(each for each in upper.rglob("*") if each.is_dir()):
        below = root / folder.relative_to(upper)
        facts = below.stat() if below.exists() else None
        if facts is not None:
            os.chown(folder, facts.st_uid, facts.st_gid)
            folder.chmod(facts.st_mode & 0o7777)
    home = (root / "home/admin").stat()
    for path, mode in ((upper / "home/admin/.ssh", 0o700), (upper / "home/admin/.ssh/authorized_keys", 0o600)):
        os.chown(path, home.st_uid, home.st_gid)
        path.chmod(mode)


def _ip(*words: str) -> None:
    run("ip", *words).good()


def _setns(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, 0x40000000) != 0:  # CLONE_NEWNET; os.setns came with Python 3.12
        raise OSError(ctypes.get_errno(), "setns")


def _group_trees() -> list[Path]:
    """Where systemd keeps its control groups on this machine."""
    printed = run("findmnt", "--noheadings", "--output=FSTYPE,TARGET,OPTIONS", "--types=cgroup,cgroup2")
    mounts = [line.split() for line in printed.output.splitlines()]
    return [Path(target) for kind, target, how in mounts if kind == "cgroup2" or "name=systemd" in how]


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _alive(pid: int) -> bool:
    """Whether it runs; what is dead and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.01)


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
