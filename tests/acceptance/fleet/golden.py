"""The root file system from which every test host starts: bare Debian, made once and kept for the next run.

Nothing of ours is in it. The packages that the roles ask for lie in its apt cache, unpacked nowhere, so that a
host installs them for real and needs no way out of its own network.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.acceptance.faults.suite import NotTried

KEPT_IN = Path(os.environ.get("NGATU_GOLDEN", "/var/tmp/ngatu-golden"))
SUITE = "trixie"

INCLUDED = (
    "systemd,systemd-sysv,dbus,python3,python3-apt,openssh-server,iproute2,ca-certificates,sudo,openssl,procps"
)
"""What any installed Debian has. Without libpam-systemd: with it a reboot hung on user@0.service."""

CACHED = (
    "mosquitto mosquitto-clients mosquitto-dev libmosquitto-dev libssl-dev gcc libc6-dev nftables nginx "
    "unattended-upgrades systemd-timesyncd python3-venv git"
)
"""What the roles may install."""

RECIPE = """
set -eu
root="$1"
chroot "$root" apt-get install -y -q --download-only --no-install-recommends {cached}
chroot "$root" useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/admin"
chmod 0440 "$root/etc/sudoers.d/admin"
rm -f "$root"/etc/ssh/ssh_host_*
: > "$root/etc/machine-id"
# On an overlay it fails now and then, and `degraded` would be all that systemd says.
ln -sf /dev/null "$root/etc/systemd/system/systemd-remount-fs.service"
"""


def mirror() -> str:
    """Where this machine itself takes Debian from."""
    for source in (*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list")):
        if not source.exists():
            continue
        for found in re.findall(r"(?:^URIs:|^deb(?:\s+\[[^]]*\])?)\s+(https?://\S+)", source.read_text(), re.M):
            if "security" not in found:
                return str(found)
    raise NotTried("no Debian mirror in /etc/apt: hosts cannot be made")


def golden() -> Path:
    """The root file system, made if there is none of this recipe yet (half a minute).

    Raises:
        NotTried: the machine cannot make one.
    """
    if os.geteuid() != 0:
        raise NotTried("needs root: test hosts are containers with networks of their own")
    if shutil.which("mmdebstrap") is None:
        raise NotTried("mmdebstrap is not here: apt install mmdebstrap")
    recipe = RECIPE.format(cached=CACHED)
    name = hashlib.sha256(f"{SUITE} {INCLUDED} {recipe}".encode()).hexdigest()[:12]
    KEPT_IN.mkdir(mode=0o755, exist_ok=True)
    root = KEPT_IN / name
    with (KEPT_IN / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs make it once
        if not root.exists():
            _make(root, recipe)
    return root


def _make(root: Path, recipe: str) -> None:
    partial = root.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    hook = root.with_suffix(".sh")
    hook.write_text(recipe)
    done = subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=apt", f"--include={INCLUDED}", "--skip=cleanup/apt",
         f"--customize-hook=sh {hook} \"$1\"", SUITE, str(partial), mirror()],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        raise NotTried(f"mmdebstrap failed: {done.stderr.strip()[-500:]}")
    partial.rename(root)
