"""The disk of a test machine: bare Debian with its own kernel, made once and kept for the next run.

Packages that this machine lacks are installed, the kernel's is unpacked and not installed, and what the agent
stands on goes into an environment under /opt. Nothing of ours is in the image: the checkout is shared with
the running machine. Each step is said as it is done.
"""

from __future__ import annotations

import configparser
import fcntl
import hashlib
import lzma
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.faults.suite import NotTried
from tests.acceptance.fleet.golden import KEPT_IN, SUITE, mirror
from tests.acceptance.fleet.hosts import run
from tests.conftest import ROOT

PACKAGES = (
    "qemu-system-x86", "qemu-utils", "mmdebstrap", "busybox-static", "cpio", "e2fsprogs", "kmod", "xz-utils",
    "openssh-client", "python3-venv",
)  # fmt: skip
INCLUDED = (
    "systemd,systemd-sysv,udev,dbus,python3,openssh-server,iproute2,ca-certificates,kmod,procps,v4l-utils"
)
"""What the machine has beside the kernel."""
KERNEL = "linux-image-amd64"
"""The package whose dependency is Debian's kernel of the day."""
FIRST = ("virtio_blk", "ext4", "crc32c_generic")
"""What the kernel must have before it can see its disk."""
SIZE = "2600M"
PYTHON = "/usr/bin/python3"
SSH = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")

AWAKE = "the first file system is there"
INIT = f"""#!/bin/busybox sh
echo {AWAKE}
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev
for module in $(/bin/busybox cat /order); do /bin/busybox insmod /$module; done
waited=0
until [ -b /dev/vda ] || [ $waited = 100 ]; do /bin/busybox sleep 0.1; waited=$((waited + 1)); done
/bin/busybox mount -t ext4 -o rw /dev/vda /root
/bin/busybox umount /proc
exec /bin/busybox switch_root /root /sbin/init
"""
RECIPE = """
set -eu
root="$1"
echo machine > "$root/etc/hostname"
: > "$root/etc/machine-id"
printf '/dev/vda / ext4 defaults 0 1\\ncheckout {checkout} 9p ' > "$root/etc/fstab"
echo 'trans=virtio,version=9p2000.L,ro,msize=262144,cache=loose,nofail 0 0' >> "$root/etc/fstab"
mkdir -p "$root{checkout}" "$root/root/.ssh" "$root/etc/systemd/network"
cd "$root/etc/systemd/network"
printf '[Match]\\nType=ether\\n[Network]\\nAddress=10.0.2.15/24\\nGateway=10.0.2.2\\n' > a.network
systemctl --root="$root" enable systemd-networkd ssh
systemctl --root="$root" mask systemd-networkd-wait-online apt-daily.timer apt-daily-upgrade.timer
echo 'RuntimeWatchdogSec=10' >> "$root/etc/systemd/system.conf"
install -m 600 "{key}.pub" "$root/root/.ssh/authorized_keys"
mkdir -p "$root/usr/lib/modules"
cp -a "{modules}" "$root/usr/lib/modules/"
depmod -b "$root" "{version}"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale
"""


@dataclass(frozen=True, slots=True)
class Image:
    """What QEMU starts from."""

    disk: Path
    """Never written to: each machine writes beside it."""
    kernel: Path
    initramfs: Path
    key: Path
    """Whoever has it may log in as root."""


def image() -> Image:
    """The image, made if there is none of this recipe yet (two minutes).

    Raises:
        NotTried: this machine cannot make one.
    """
    require()
    wanted = _requirements()
    recipe = f"{SUITE} {INCLUDED} {INIT} {RECIPE} {SIZE} {ROOT} {wanted}"
    kept = KEPT_IN / f"vm-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    KEPT_IN.mkdir(mode=0o755, exist_ok=True)
    with (KEPT_IN / "vm.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (kept / "disk.img").exists():
            _make(kept, wanted)
    return Image(kept / "disk.img", kept / "vmlinuz", kept / "initramfs", kept / "key")


def require() -> None:
    """NotTried when this machine does not allow it; the text says why. Missing packages are installed."""
    if os.geteuid() != 0:
        raise NotTried("needs root: it installs packages and makes a root file system")
    if platform.machine() != "x86_64" or shutil.which("apt-get") is None:
        raise NotTried("needs Debian on x86-64: the machine's kernel is a package for that")
    listed = run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *PACKAGES).output
    missing = [name for name in PACKAGES if f"{name} installed" not in listed]
    if missing:
        say(f"installing by apt-get: {' '.join(missing)}")
        done = run("apt-get", "install", "-y", "-q", "--no-install-recommends", *missing, timeout_s=600)
        if done.code != 0:
            raise NotTried(f"apt-get install failed: {done.output.strip()[-300:]}")


def _requirements() -> list[str]:
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg")
    return [word for word in declared["options"]["install_requires"].split("\n") if word and word[0] != "#"]


def _make(kept: Path, wanted: list[str]) -> None:
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    version = _kernel(kept)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(kept / "key")).good()
    root, hook = kept / "root", kept / "recipe.sh"
    modules = kept / "kernel/usr/lib/modules" / version
    hook.write_text(RECIPE.format(checkout=ROOT, key=kept / "key", modules=modules, version=version))
    say(f"making {root} by mmdebstrap ({INCLUDED.count(',') + 1} packages and what they need)")
    made = run(
        "mmdebstrap", "--quiet", "--variant=apt", f"--include={INCLUDED}", f'--customize-hook=sh {hook} "$1"',
        SUITE, str(root), mirror(), timeout_s=900, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if made.code != 0:
        raise NotTried(f"mmdebstrap failed: {made.output.strip()[-500:]}")
    _environment(root, wanted)
    _initramfs(kept, modules, version)
    say(f"making the disk of {SIZE}")
    run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(kept / "new.img"), SIZE, timeout_s=300).good()
    (kept / "new.img").rename(kept / "disk.img")
    shutil.rmtree(root)
    shutil.rmtree(kept / "kernel")


def _kernel(kept: Path) -> str:
    """Fetch and unpack Debian's kernel; its version."""
    depends = run("apt-cache", "depends", KERNEL).output
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if found is None:
        raise NotTried(f"apt knows no {KERNEL}: apt-get update")
    say(f"fetching {found[1]} by apt-get download (some 110 MB; unpacked, not installed)")
    got = run("apt-get", "download", "-q", found[1], cwd=kept, timeout_s=600)
    if got.code != 0:
        raise NotTried(f"apt-get download failed: {got.output.strip()[-300:]}")
    (package,) = kept.glob("linux-image-*.deb")
    run("dpkg-deb", "-x", str(package), str(kept / "kernel"), timeout_s=300).good()
    package.unlink()
    (image_file,) = (kept / "kernel/boot").glob("vmlinuz-*")
    shutil.copy(image_file, kept / "vmlinuz")
    return image_file.name.removeprefix("vmlinuz-")


def _environment(root: Path, wanted: list[str]) -> None:
    """What the agent stands on, for the machine's Python, which must be of this one's version."""
    here = run(PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").good().output.strip()
    if not (root / f"usr/bin/python{here}").exists():
        raise NotTried(f"{PYTHON} here is {here}, and that of {SUITE} is another")
    say(f"installing what setup.cfg asks for into {root / 'opt/ngatu'}")
    run(PYTHON, "-m", "venv", str(root / "opt/ngatu"), timeout_s=120).good()
    pip = run(str(root / "opt/ngatu/bin/python"), "-m", "pip", "install", "-q", *wanted, timeout_s=900)
    if pip.code != 0:
        raise NotTried(f"pip install failed: {pip.output.strip()[-300:]}")
    said = root / "opt/installed/ngatu-0.dist-info"
    said.mkdir(parents=True)
    (said / "METADATA").write_text("Metadata-Version: 2.1\nName: ngatu\nVersion: 0\n")
    (said / "entry_points.txt").write_text("[ngatu.commands]\nagent = agent.cli.main:commands\n")


def _initramfs(kept: Path, modules: Path, version: str) -> None:
    """A few modules and busybox: enough to see the disk and to go on from it."""
    say("making the first file system")
    folder = kept / "first"
    for name in ("bin", "proc", "dev", "root"):
        (folder / name).mkdir(parents=True)
    shutil.copy("/bin/busybox", folder / "bin/busybox")
    run("depmod", "-b", str(kept / "kernel/usr"), "-o", str(kept / "kernel/usr"), version)
    order: list[str] = []
    for name in FIRST:
        for line in _dependencies(kept, name, version):
            source = Path(line)
            plain = source.name.removesuffix(".xz")
            if plain not in order:
                order.append(plain)
                data = source.read_bytes()
                (folder / plain).write_bytes(lzma.decompress(data) if source.suffix == ".xz" else data)
    (folder / "order").write_text("\n".join(order))
    (folder / "init").write_text(INIT)
    (folder / "init").chmod(0o755)
    packed = "find . | cpio -o -H newc --quiet | gzip -1"
    with (kept / "initramfs").open("wb") as out:
        subprocess.run(["sh", "-c", packed], cwd=folder, stdout=out, check=True, timeout=60)
    shutil.rmtree(folder)


def _dependencies(kept: Path, name: str, version: str) -> list[str]:
    """The files of a module and of what it needs, in the order in which they are loaded."""
    shown = run("modprobe", "-d", str(kept / "root"), "-S", version, "--show-depends", name).output
    return [line.split()[1] for line in shown.splitlines() if line.startswith("insmod")]


def say(what: str) -> None:
    """Whoever runs it sees what is done to the machine."""
    print(f"          vm: {what}", flush=True)
