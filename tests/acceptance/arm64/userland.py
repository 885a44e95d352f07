"""The user space of an arm64 board on another machine: Debian for arm64, its programs run by qemu-user.

    with Userland(trial.folder, "trixie") as board:
        board.run("uname", "-m")

The root file system is made once (some minutes) and kept beside the hosts' golden root; each userland is an
overlay of it. The kernel learns of qemu for the time of the block only, and everything is undone at the end.

Known limits: it proves that wheels load and programs work there, and says nothing about speed; the kernel, the
page size and the clock are the machine's.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.faults.suite import NotTried
from tests.acceptance.fleet.golden import KEPT_IN, mirror
from tests.acceptance.fleet.hosts import Ran, run

ARCH = "aarch64"
SUITES = {"pi-bookworm": "bookworm", "pi-trixie": "trixie"}
"""Name of the board in fleet/bundle/boards.py -> the Debian that its system is made of."""
INCLUDED = "python3,openssl,systemd"
"""systemd for its systemctl, which the release tool calls: here nothing runs that it could start again."""
BINFMT = Path("/proc/sys/fs/binfmt_misc")
RULE = "ngatu-aarch64"
RULES = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")


class Userland:
    """An arm64 root file system that can be worked in."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.folder, self.suite = folder, suite
        self.root = folder / "root"
        self.made_s = 0.0
        """Seconds for making the root file system; 0 when it was there."""
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> Userland:
        """Raises NotTried: this machine does not allow it."""
        require()
        try:
            self._register()
            golden, self.made_s = golden_arm64(self.suite)
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
            *words, timeout_s=timeout_s,
        )  # fmt: skip

    def put(self, source: Path, place: str) -> None:
        """Copy a file or a folder there."""
        into = self.root / place.lstrip("/")
        into.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, into, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        else:
            shutil.copy(source, into)

    def _register(self) -> None:
        if not (BINFMT / "register").exists():
            mounted = run("mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT))
            if mounted.code != 0:
                raise NotTried(f"binfmt_misc cannot be mounted: {mounted.output.strip()}")
            self._undo.append(lambda: run("umount", str(BINFMT)).good())
        if _answers():
            return  # somebody has registered it already: leave it as it is
        rule = RULES.read_text().strip().replace(":qemu-aarch64:", f":{RULE}:")
        try:
            (BINFMT / "register").write_text(rule)
        except OSError as error:
            raise NotTried(f"the kernel takes no rule for {ARCH}: {error}") from None
        self._undo.append(lambda: (BINFMT / RULE).write_text("-1"))

    def _mount(self, golden: Path) -> None:
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True)
        layers = f"lowerdir={golden},upperdir={self.folder}/upper,workdir={self.folder}/work"
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


def golden_arm64(suite: str) -> tuple[Path, float]:
    """The root file system of this Debian, and the seconds that it took to make it.

    Raises:
        NotTried: this machine cannot make it.
    """
    name = "arm64-" + hashlib.sha256(f"{suite} {INCLUDED}".encode()).hexdigest()[:12]
    KEPT_IN.mkdir(mode=0o755, exist_ok=True)
    root = KEPT_IN / name
    with (KEPT_IN / "arm64.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return (root, 0.0) if root.exists() else (root, _made(root, suite))


def _made(root: Path, suite: str) -> float:
    partial = root.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    made = run(
        "mmdebstrap", "--quiet", "--variant=apt", "--architectures=arm64", f"--include={INCLUDED}",
        suite, str(partial), mirror(), timeout_s=1800, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if made.code != 0:
        shutil.rmtree(partial, ignore_errors=True)
        raise NotTried(f"mmdebstrap failed: {made.output.strip()[-500:]}")
    partial.rename(root)
    return made.seconds


def require() -> None:
    """NotTried when this machine does not allow it; the text says why."""
    if os.uname().machine == ARCH:
        raise NotTried("this machine is an arm64 board itself: make test tries more than this would")
    if os.geteuid() != 0:
        raise NotTried("needs root: it teaches the kernel about arm64 programs and works in a chroot")
    needed = (
        ("mmdebstrap", "mmdebstrap"),
        ("arch-test", "arch-test"),
        ("qemu-aarch64-static", "qemu-user-static"),
    )
    for tool, package in needed:
        if shutil.which(tool) is None:
            raise NotTried(f"{tool} is not here: apt install {package}")
    if not RULES.exists():
        raise NotTried(f"{RULES} is not here: apt install qemu-user-static")
    if not BINFMT.exists():
        raise NotTried("this kernel has no binfmt_misc")


def _answers() -> bool:
    """Whether the kernel knows what to do with arm64 programs."""
    return any("qemu-aarch64" in rule.name and "enabled" in rule.read_text() for rule in BINFMT.glob("qemu-*"))
