"""A board with a ribbon camera, as far as it can be had without: libcamera's virtual camera, real picamera2.

    with Board(trial.folder) as board:
        board.run("-m", "tests.support.eye", …)

Debian's packages are installed where they are missing, picamera2 and what the agent stands on go into an
environment of Debian's own Python that is kept for the next run, and what a kernel may lack is compiled
(dmabuf.c). What the virtual camera cannot do is adapted in `site/`. All of it is said as it is done.

Known limits: no sensor, no ISP, no hardware encoder; the camera gives pictures as quickly as they are taken.
"""

from __future__ import annotations

import configparser
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from tests.acceptance.faults.suite import NotTried
from tests.acceptance.fleet.golden import KEPT_IN
from tests.acceptance.fleet.hosts import run
from tests.conftest import ROOT

PYTHON = "/usr/bin/python3"
"""libcamera's bindings are Debian's, for Debian's Python only."""
PICAMERA2 = "picamera2==0.3.38"
PACKAGES = (
    "python3-libcamera", "libcamera-ipa", "libcamera-tools", "libcap-dev", "python3-dev", "python3-venv",
    "gcc", "libc6-dev",
)  # fmt: skip
CAMERA = Path("/usr/share/libcamera/pipeline/virtual/virtual.yaml")
"""libcamera looks for virtual cameras nowhere else."""
SIZES = ((1920, 1080), (1280, 720), (640, 360))
HERE = Path(__file__).parent


class Board:
    """One virtual camera in the machine's libcamera, gone again at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fault = folder / "fault"
        """While it is there the camera's driver hangs, or fails and takes its process along: as it says."""
        self._lock: IO[str] | None = None
        self._shim = folder / "dmabuf.so"

    def __enter__(self) -> Board:
        """Raises NotTried: this machine does not allow it."""
        require()
        self.python = environment()
        KEPT_IN.mkdir(mode=0o755, exist_ok=True)
        self._lock = (KEPT_IN / "csi.lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)  # there is one libcamera
        if CAMERA.exists():
            raise NotTried(f"{CAMERA} is somebody else's: move it away")
        say(f"compiling {HERE / 'dmabuf.c'}")
        words = ("gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(self._shim))
        run(*words, str(HERE / "dmabuf.c"), "-ldl").good()
        self._install()
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()
        if self._lock is not None:
            self._lock.close()

    def _install(self) -> None:
        """Only the agent's commands, as an installed package says them: its modules are the checkout's."""
        said = self.folder / "installed/ngatu-0.dist-info"
        said.mkdir(parents=True)
        (said / "METADATA").write_text("Metadata-Version: 2.1\nName: ngatu\nVersion: 0\n")
        (said / "entry_points.txt").write_text("[ngatu.commands]\nagent = agent.cli.main:commands\n")

    def plug(self) -> None:
        """The camera is there from now on, for whoever looks anew."""
        formats = "".join(
            f"  - {{width: {width}, height: {height}, frame_rates: [30]}}\n" for width, height in SIZES
        )
        CAMERA.parent.mkdir(parents=True, exist_ok=True)
        CAMERA.write_text(
            f'"Virtual0":\n  supported_formats:\n{formats}  test_pattern: "bars"\n'
            '  location: "CameraLocationFront"\n  model: "imx708"\n'
        )

    def unplug(self) -> None:
        """The camera is gone, for whoever looks anew."""
        CAMERA.unlink(missing_ok=True)

    @property
    def surroundings(self) -> dict[str, str]:
        """The environment of a program that sees the camera."""
        return {
            **os.environ,
            "PYTHONPATH": f"{HERE / 'site'}:{self.folder / 'installed'}:{ROOT}",
            "LD_PRELOAD": str(self._shim),
            "LIBCAMERA_LOG_LEVELS": "*:FATAL",
            "LIBCAMERA_FAULT": str(self.fault),
        }

    def started(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """A program under the board's Python, running."""
        return subprocess.Popen(
            [str(self.python), *words], env=self.surroundings, text=True, cwd=self.folder, **more
        )

    def run(self, *words: str, timeout_s: float = 60) -> str:
        """What a program under the board's Python prints; AssertionError where it failed."""
        done = run(str(self.python), *words, timeout_s=timeout_s, env=self.surroundings, cwd=self.folder)
        return done.good().output


def require() -> None:
    """NotTried when this machine does not allow it; the text says why. Missing packages are installed."""
    if os.geteuid() != 0:
        raise NotTried("needs root: it installs packages, and libcamera reads its cameras from /usr/share")
    if shutil.which("apt-get") is None or not Path(PYTHON).exists():
        raise NotTried("needs Debian 13 or its like: libcamera's Python bindings come from apt")
    listed = run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *PACKAGES).output
    missing = [name for name in PACKAGES if f"{name} installed" not in listed]
    if missing:
        say(f"installing by apt-get: {' '.join(missing)}")
        done = run("apt-get", "install", "-y", "-q", "--no-install-recommends", *missing, timeout_s=600)
        if done.code != 0:
            raise NotTried(f"apt-get install failed: {done.output.strip()[-300:]}")


def environment() -> Path:
    """The Python that has picamera2 and what the agent stands on, made if there is none yet (a minute)."""
    declared = configparser.ConfigParser()
    declared.read(ROOT / "setup.cfg")
    wanted = [word for word in declared["options"]["install_requires"].split("\n") if word and word[0] != "#"]
    name = hashlib.sha256(f"{PICAMERA2} {wanted} {sys.platform}".encode()).hexdigest()[:12]
    kept = KEPT_IN / f"csi-{name}"
    if not (kept / "complete").exists():
        say(f"making {kept} with {PICAMERA2} and what setup.cfg asks for (once)")
        KEPT_IN.mkdir(mode=0o755, exist_ok=True)
        run(PYTHON, "-m", "venv", "--clear", "--system-site-packages", str(kept), timeout_s=120).good()
        pip = run(str(kept / "bin/python"), "-m", "pip", "install", "-q", PICAMERA2, *wanted, timeout_s=900)
        if pip.code != 0:
            raise NotTried(f"pip install {PICAMERA2} failed: {pip.output.strip()[-300:]}")
        (kept / "complete").touch()
    return kept / "bin/python"


def say(what: str) -> None:
    """Whoever runs it sees what is done to the machine."""
    print(f"          csi: {what}", flush=True)
