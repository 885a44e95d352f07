"""The user space of a board or a server on this machine; one of arm64 has its programs run by qemu-user.

    with Userland(trial.folder / "board", "pi-trixie") as board:
        board.run("uname", "-m")

The root file system is made once (some minutes) and kept beside the hosts' golden root; each userland is an
overlay of it. The kernel knows of qemu for the time of the block only, and everything is undone at the end.

Known limits: it proves that wheels load and programs work there, and says nothing about speed; the kernel, the
page size and the clock are the machine's. For Raspberry Pi OS it is the Debian that that is made of, release by
release: the same Python, C library and packages, without the Foundation's own.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.request import urlopen

from tests.acceptance.faults.suite import NotTried
from tests.acceptance.fleet.golden import KEPT_IN, mirror
from tests.acceptance.fleet.hosts import Ran, run

ARM = "arm64"
PROCESSOR = "cortex-a72"
"""What qemu emulates: a Raspberry Pi 4's. With all that qemu knows, libraries would choose other code there."""
UBUNTU = os.environ.get("NGATU_UBUNTU_MIRROR", "http://ports.ubuntu.com/ubuntu-ports")
UBUNTU_KEYS = Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg")


@dataclass(frozen=True, slots=True)
class BoardSystem:
    """Of what a board's root file system is made."""

    suite: str
    arch: str = ARM
    """As Debian says it."""
    mirror: str = ""
    """If empty, where this machine itself takes Debian from."""
    keys: Path | None = None
    """Who signs that mirror, where this machine's own keys do not know."""


SYSTEMS = {
    "pi-bookworm": BoardSystem("bookworm"),
    "pi-trixie": BoardSystem("trixie"),
    "jetson-noble": BoardSystem("noble", mirror=UBUNTU, keys=UBUNTU_KEYS),
    "station-trixie": BoardSystem("trixie", arch="amd64"),
}
"""By the name of the board in fleet/bundle/boards.py."""
INCLUDED = "python3,openssl,systemd"
"""systemd for its systemctl, which the release tool calls: here nothing runs that it could start again."""
BINFMT = Path("/proc/sys/fs/binfmt_misc")
RULE = "ngatu-aarch64"
RULES = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")
USERS = KEPT_IN / "arm64.users"
"""Who works by the kernel's rule shares a lock on it: the last one takes the rule back."""
MOUNTED = KEPT_IN / "arm64.mounted"
"""There while the kernel's list of such rules is mounted by us."""


class Userland:
    """A board's root file system that can be worked in."""

    def __init__(self, folder: Path, board: str, done_before: Path | None = None) -> None:
        """`done_before`: what another one had written there when it was `keep`t."""
        self.folder, self.system, self.done_before = folder, SYSTEMS[board], done_before
        self.root = folder / "root"
        self.made_s = 0.0
        """Seconds for making the root file system; 0 when it was there."""
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> Userland:
        """Raises NotTried: this machine does not allow it."""
        require(self.system)
        try:
            if self.system.arch == ARM:
                self._register()
            golden, self.made_s = golden_board(self.system)
            self._mount(golden)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def run(self, *words: str, timeout_s: float = 3600) -> Ran:
        """Run a program there, with nothing of this machine's environment."""
        return run(
            "chroot", str(self.root), "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
            f"QEMU_CPU={PROCESSOR}", *words, timeout_s=timeout_s,
        )  # fmt: skip

    def put(self, source: Path, place: str) -> None:
        """Copy a file or a folder there."""
        into = self.root / place.lstrip("/")
        into.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, into, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        else:
            shutil.copy(source, into)

    def keep(self, place: Path) -> None:
        """Keep what was written there so far, for another userland of the same board."""
        part = place.with_suffix(".partial")
        shutil.rmtree(part, ignore_errors=True)
        # Hard links: pip writes no file in place, and half a gigabyte is not written twice.
        run("cp", "-a", "--link", str(self.folder / "upper"), str(part), timeout_s=600).good()
        part.rename(place)

    def _register(self) -> None:
        KEPT_IN.mkdir(mode=0o755, exist_ok=True)
        users = USERS.open("w")
        self._undo.append(users.close)
        with USERS.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            self._undo.append(lambda: _forget(users))
            if not (BINFMT / "register").exists():
                mounted = run("mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT))
                if mounted.code != 0:
                    raise NotTried(f"binfmt_misc cannot be mounted: {mounted.output.strip()}")
                MOUNTED.touch()
            if _answers():
                return
            rule = RULES.read_text().strip().replace(":qemu-aarch64:", f":{RULE}:")
            try:
                (BINFMT / "register").write_text(rule)
            except OSError as error:
                raise NotTried(f"the kernel takes no rule for {ARM}: {error}") from None

    def _mount(self, golden: Path) -> None:
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True)
        below = f"{self.done_before}:{golden}" if self.done_before else str(golden)
        layers = f"lowerdir={below},upperdir={self.folder}/upper,workdir={self.folder}/work"
        for words in (
            ("-t", "overlay", "overlay", "-o", layers, str(self.root)),
            ("-t", "proc", "proc", str(self.root / "proc")),
            ("-t", "sysfs", "-o", "ro", "sysfs", str(self.root / "sys")),
            ("--bind", "/dev", str(self.root / "dev")),
        ):
            run("mount", *words).good()
            self._undo.append(lambda place=words[-1]: run("umount", "--lazy", place).good())

    def _close(self) -> None:
        while self._undo:
            self._undo.pop()()


def golden_board(system: BoardSystem) -> tuple[Path, float]:
    """The root file system of it, and the seconds that it took to make it; 0 when it was there.

    Raises:
        NotTried: this machine cannot make it.
    """
    name = f"{system.arch}-" + hashlib.sha256(f"{system.suite} {INCLUDED}".encode()).hexdigest()[:12]
    KEPT_IN.mkdir(mode=0o755, exist_ok=True)
    root = KEPT_IN / name
    with (KEPT_IN / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return (root, 0.0) if root.exists() else (root, _made(root, system))


def _made(root: Path, system: BoardSystem) -> float:
    partial = root.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    keys = [f"--keyring={system.keys}"] if system.keys else []
    place = system.mirror or mirror()
    try:
        urlopen(f"{place}/dists/{system.suite}/Release", timeout=30).close()
    except OSError as why:
        raise NotTried(f"{place} is out of reach: {getattr(why, 'reason', why)}") from None
    made = run(
        "mmdebstrap", "--quiet", "--variant=apt", f"--architectures={system.arch}", f"--include={INCLUDED}",
        *keys, system.suite, str(partial), place, timeout_s=1800, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if made.code != 0:
        shutil.rmtree(partial, ignore_errors=True)
        raise NotTried(f"mmdebstrap failed: {made.output.strip()[-300:]}")
    partial.rename(root)
    return made.seconds


def require(system: BoardSystem) -> None:
    """NotTried when this machine does not allow it; the text says why."""
    if os.geteuid() != 0:
        raise NotTried("needs root: it makes a root file system and works in a chroot")
    needed = [("mmdebstrap", "mmdebstrap")]
    if system.arch == ARM:
        needed += [("arch-test", "arch-test"), ("qemu-aarch64-static", "qemu-user-static")]
    if system.arch != ARM and os.uname().machine != "x86_64":
        raise NotTried("this machine has no x86-64 processor")
    for tool, package in needed:
        if shutil.which(tool) is None:
            raise NotTried(f"{tool} is not here: apt install {package}")
    if system.keys and not system.keys.exists():
        raise NotTried(f"{system.keys} is not here: apt install ubuntu-keyring")
    if system.arch == ARM and os.uname().machine == "aarch64":
        raise NotTried("this machine is an arm64 board itself: make test tries more than this would")
    if system.arch == ARM and not (RULES.exists() and BINFMT.exists()):
        raise NotTried(f"{RULES} or the kernel's binfmt_misc is not here: apt install qemu-user-static")


def _answers() -> bool:
    """Whether the kernel knows what to do with arm64 programs."""
    rules = [path for path in BINFMT.glob("*") if path.name in (RULE, "qemu-aarch64")]
    return any("enabled" in path.read_text() for path in rules)


def _forget(users: IO[str]) -> None:
    """Take back what the kernel was taught, if nobody else works by it."""
    with USERS.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        if (BINFMT / RULE).exists():
            (BINFMT / RULE).write_text("-1")
        if MOUNTED.exists():
            run("umount", str(BINFMT)).good()
            MOUNTED.unlink()
