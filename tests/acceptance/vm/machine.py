"""A whole computer with kernel, disk and power switch, under QEMU: by KVM where that works, else emulated.

    with Machine(trial.folder) as machine:
        machine.run("uname", "-r")
        machine.cut()       # the power goes: what was not on the disk is lost
        machine.boot()      # and comes back

Whoever has a program to be tried against a real power cut writes a trial beside these: start it in the machine
(`started`), `cut` and `boot`, and look at what there is (`run`). The checkout is there under its own path, read
only; `python` words run under an environment with all that the agent stands on.

Known limits: one disk, whose host keeps what the guest has flushed; so it shows what was not flushed, and no
torn sector and no disk that lies. Emulated, everything takes about ten times as long.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from tests.acceptance.faults.suite import Broken, NotTried
from tests.acceptance.fleet.hosts import Ran, run
from tests.acceptance.vm.image import AWAKE, SSH, Image, image, say
from tests.conftest import ROOT
from tests.support.brokers import free_port, until

PYTHON = "/opt/ngatu/bin/python"
MEMORY_MB = 1536
KVM_S = 8.0
"""By KVM a kernel wakes within a second."""
LOGIN_S = 90.0
"""Keys are dear to an emulated processor: 3 s on a busy machine, 20 and more on one that is overrun."""
PATIENCE_S = 900.0
"""For a start under emulation on a busy machine; about 20 s on an idle one."""
STARTS = 2
"""QEMU 10.0 falls over its own assertions at times when it emulates two processors on a busy machine."""


class Machine:
    """One computer on a disk of its own."""

    def __init__(self, folder: Path, more: tuple[str, ...] = ()) -> None:
        """`more` are words for QEMU: other devices."""
        self.folder = folder / "machine"
        self.boot_s = 0.0
        """How long the last start took, until it could be logged in to."""
        self._more = more
        self._qemu: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._image: Image | None = None

    def __enter__(self) -> Machine:
        """Raises NotTried: this machine does not allow it."""
        self._image = image()
        self.folder.mkdir()
        made = run(
            "qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(self._image.disk),
            str(self.folder / "disk.qcow2"),
        )  # fmt: skip
        made.good()
        try:
            self.boot()
        except BaseException:
            self.cut()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    @property
    def accelerator(self) -> str:
        """kvm, or tcg: emulated."""
        assert self._image is not None
        return "kvm" if _kvm(self._image) else "tcg"

    def boot(self) -> None:
        """Switch it on and wait until one can log in."""
        assert self._qemu is None
        for left in reversed(range(STARTS)):
            began = time.monotonic()
            self._switch_on()
            if self._woken(began):
                break
            if not left:
                raise NotTried(f"QEMU ended: {self.console()[-500:]}")
            say(f"QEMU ended and is started again: {' '.join(self.console()[-150:].split())}")
            self.cut()
        self.boot_s = time.monotonic() - began

    def _switch_on(self) -> None:
        assert self._image is not None
        self._port = free_port()
        disk = f"file={self.folder / 'disk.qcow2'},if=virtio,format=qcow2,cache=writeback"
        shared = f"local,path={ROOT},mount_tag=checkout,security_model=none,readonly=on"
        with (self.folder / "console.log").open("ab") as console:
            self._qemu = subprocess.Popen(
                [*_qemu(self._image, self.accelerator), "-m", str(MEMORY_MB),
                 "-drive", disk, "-virtfs", shared,
                 "-nic", f"user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:{self._port}-:22",
                 "-device", "virtio-rng-pci", "-device", "i6300esb", *self._more],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            )  # fmt: skip

    def _woken(self, began: float) -> bool:
        """Wait until one can log in; False: QEMU ended before that."""
        assert self._qemu is not None
        while self._try("true").code != 0:
            if self._qemu.poll() is not None:
                return False
            if time.monotonic() - began > PATIENCE_S:
                raise Broken(f"nobody can log in after {PATIENCE_S:.0f} s: {self.console()[-500:]}")
            time.sleep(0.5)
        return True

    def cut(self) -> None:
        """The power goes, this moment."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait(20)
            self._qemu = None

    def run(self, *words: str, timeout_s: float = 300) -> Ran:
        """Run a program there; output and errors together."""
        return run("ssh", *self._ssh, shlex.join(words), timeout_s=timeout_s, stdin=subprocess.DEVNULL)

    def python(self, *words: str) -> tuple[str, ...]:
        """The words that run Python there, with the checkout and the agent's commands."""
        return ("env", f"PYTHONPATH={ROOT}:/opt/installed", "PYTHONDONTWRITEBYTECODE=1", PYTHON, *words)

    def started(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """A program there, running until it ends or the connection does."""
        return subprocess.Popen(
            ["ssh", *self._ssh, shlex.join(words)], stdin=subprocess.DEVNULL, text=True, **more
        )

    def terminal(self, *words: str) -> Typed:
        """A program there at a terminal of its own."""
        return Typed(["ssh", "-tt", *self._ssh, shlex.join(words)])

    def put(self, text: str, place: str) -> None:
        """Write a file there, onto its disk."""
        command = f"cat > {shlex.quote(place)} && sync {shlex.quote(place)}"
        run("ssh", *self._ssh, command, input=text, timeout_s=60).good()

    def console(self) -> str:
        """What its kernel and its init have said."""
        return (self.folder / "console.log").read_text(errors="replace")

    @property
    def _ssh(self) -> tuple[str, ...]:
        assert self._image is not None
        key = str(self._image.key)
        return (*SSH, "-o", "ConnectTimeout=60", "-i", key, "-p", str(self._port), "root@127.0.0.1")

    def _try(self, *words: str) -> Ran:
        try:
            return self.run(*words, timeout_s=LOGIN_S)
        except subprocess.TimeoutExpired:
            return Ran(255, "", LOGIN_S)


class Typed:
    """A program at a terminal: what it has said, and what is typed."""

    def __init__(self, words: list[str]) -> None:
        self.said = ""
        self._ssh = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def await_words(self, words: str, within_s: float) -> None:
        """Wait until it has said so, and forget what was said up to there."""
        until(lambda: words in self.said, within_s, f"{words!r} in {self.said[-1500:]!r}")
        self.said = self.said.partition(words)[2]

    def type(self, text: str) -> None:
        """As if by hand."""
        assert self._ssh.stdin is not None
        self._ssh.stdin.write(text.encode())

    def close(self) -> None:
        """Hang up."""
        self._ssh.kill()
        self._ssh.wait(10)

    def _listen(self) -> None:
        assert self._ssh.stdout is not None
        while chunk := self._ssh.stdout.read(65536):
            self.said += chunk.decode(errors="replace")


def _qemu(image: Image, accelerator: str) -> tuple[str, ...]:
    """The words that begin every machine."""
    cpu = "host,-arch-capabilities" if accelerator == "kvm" else "max"
    return (
        "qemu-system-x86_64", "-accel", accelerator, "-cpu", cpu, "-smp", "2", "-display", "none",
        "-serial", "stdio", "-no-reboot", "-kernel", str(image.kernel), "-initrd", str(image.initramfs),
        "-append", "console=ttyS0 quiet panic=5",
    )  # fmt: skip


_WORKS: list[bool] = []


def _kvm(image: Image) -> bool:
    """Whether the kernel's virtual machines work: the device may be there and run no kernel. Asked once."""
    if not _WORKS:
        works = os.access("/dev/kvm", os.R_OK | os.W_OK) and _wakes(image)
        say("KVM works" if works else "KVM does not work here: the machine is emulated")
        _WORKS.append(works)
    return _WORKS[0]


def _wakes(image: Image) -> bool:
    words = [*_qemu(image, "kvm"), "-m", "512"]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as qemu:
        timer = threading.Timer(KVM_S, qemu.kill)
        timer.start()
        try:
            assert qemu.stdout is not None
            return any(AWAKE in line for line in qemu.stdout)
        finally:
            timer.cancel()
            qemu.kill()
