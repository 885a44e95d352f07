"""Small releases for the tests of whoever installs and switches them: real wheels in real, signed bundles."""

from __future__ import annotations

import base64
import ensurepip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fleet.bundle import archive as bundle
from tests.conftest import ROOT

TOOL = ROOT / "deploy" / "ansible" / "roles" / "ngatu_agent" / "files" / "ngatu_release"
COMPILED = ("-X", f"pycache_prefix={ROOT / 'build' / 'pycache'}")
"""Options of the interpreter: what is called a hundred times is compiled once, and not beside the tool itself:
hosts get that folder as it is."""
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"

PROGRAM = """
import os, socket, sys, time
VERSION = {version!r}
def main():
    words = sys.argv[1:]
    if words[:1] == ["run"]:
        run()
    if words[:1] == ["check"] and "bad" in open(words[words.index("-c") + 1]).read():
        sys.exit("config.yaml:1: bad: no such setting")
    print(VERSION)
def run():
    boot = open("/proc/sys/kernel/random/boot_id").read()
    with open("/var/lib/ngatu/runs", "w") as file:
        file.write(VERSION + " " + boot)
    message = "READY=1"
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.sendto(message.encode(), os.environ["NOTIFY_SOCKET"])
        message = "WATCHDOG=1"
        time.sleep(2)
"""


def wheel(folder: Path, version: str) -> Path:
    """A wheel called ngatu: its program tells its version, and takes configurations without "bad" in them.

    Under the unit of the agent it runs, feeds the watchdog, and notes in the unit's state what runs since when.
    """
    info = f"ngatu-{version}.dist-info"
    files = {
        "ngatu_small.py": PROGRAM.format(version=version),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: ngatu\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nngatu = ngatu_small:main\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    path = folder / f"ngatu-{version}-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def pip_wheel() -> Path:
    """The one that Python brings."""
    places = [Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels")]
    found = [each for place in places for each in place.glob("pip-*.whl")]
    if not found:
        pytest.skip("this Python brings no pip: apt install python3-pip-whl")
    return found[0]


class Maker:
    """Makes bundles, all signed by one key."""

    def __init__(self, folder: Path, unit: str = "[Service]\nExecStart=/opt/ngatu/bin/ngatu run\n") -> None:
        self.folder = folder
        self.unit = unit
        self.key = Ed25519PrivateKey.generate()
        self.public = folder / "release.pub"
        self.public.write_bytes(
            self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )

    def files(self, version: str) -> dict[str, Path]:
        """What lies in the bundle of a version."""
        unit = self.folder / "ngatu.service"
        unit.write_text(self.unit)
        model = self.folder / "eyes.onnx"
        model.write_bytes(version.encode() * 1000)
        pip = pip_wheel()
        own = wheel(self.folder, version)
        return {
            f"wheels/{own.name}": own, f"wheels/{pip.name}": pip, "models/eyes.onnx": model, unit.name: unit,
            "ngatu_release/disk.py": TOOL / "disk.py",
        }  # fmt: skip

    def bundle(self, version: str, *, key: Ed25519PrivateKey | None = None, **more: Any) -> Path:
        """A whole one; `more` replaces what its manifest says."""
        files = self.files(version)
        manifest: dict[str, Any] = {
            "version": version, "floor": version, "arch": os.uname().machine, "python": HERE,
            "system_site": False, "files": {name: bundle.content(path) for name, path in files.items()},
        }  # fmt: skip
        path = self.folder / f"{version}.bundle"
        bundle.write(path, files, bundle.Manifest(**manifest | more), key or self.key)
        return path


SYSTEMCTL = """#!/bin/sh
# What systemd would do, as far as a release sees it: a restart runs what the link names at that moment.
case "$1" in
restart) readlink {root}/current > {root}/running ;;
show)
    case "$2" in
    *StatusText) cat {root}/status-text 2>/dev/null ;;
    *) cat {root}/falls 2>/dev/null || echo 0 ;;
    esac ;;
esac
echo "$@" >> {root}/systemctl.log
"""


class SmallBox:
    """The folders of a box, with the release tool on it."""

    def __init__(self, folder: Path, public: Path) -> None:
        self.folder, self.public = folder, public
        self.root = folder / "opt"
        self.root.mkdir(parents=True, exist_ok=True)
        (folder / "path").mkdir(exist_ok=True)
        systemctl = folder / "path" / "systemctl"
        systemctl.write_text(SYSTEMCTL.format(root=self.root))
        systemctl.chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{folder / 'path'}:{os.environ['PATH']}"}

    def words(self, *words: str) -> list[str]:
        """A call of the tool, without the interpreter."""
        return [str(TOOL), "--root", str(self.root), "--key", str(self.public), *words]

    def tool(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Call it."""
        return subprocess.run(
            [sys.executable, "-I", *COMPILED, *self.words(*words)],
            capture_output=True, text=True, timeout=60, check=False, env=self.environment,
        )  # fmt: skip

    def good(self, *words: str) -> dict[str, Any]:
        """Call it; what it tells."""
        done = self.tool(*words)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def install(self, path: Path) -> dict[str, Any]:
        """Install a bundle."""
        return self.good("install", str(path), "--python", sys.executable)

    def config(self, text: str) -> Path:
        """A configuration that is to be."""
        path = self.folder / "next.yaml"
        path.write_text(text)
        return path

    def switch(self, version: str, config: str, trial_s: float = 60) -> dict[str, Any]:
        """Switch to a release with a configuration."""
        return self.good("switch", version, "--config", str(self.config(config)), "--trial", str(trial_s))

    def runs(self) -> tuple[str, str]:
        """(version, configuration) of what `current` names, by running its program."""
        done = subprocess.run(
            [self.root / "current" / "bin" / "ngatu"], capture_output=True, text=True, check=True
        )
        return done.stdout.strip(), (self.root / "current" / "config.yaml").read_text()

    def running(self) -> str:
        """The setup that was current when the agent was started last."""
        return (self.root / "running").read_text().strip()
