"""What trials on real hosts make once and use again while the source stays the same: bundles and hosts.

Everything lies in `build/fleet/`, in folders that are named after a hash of all that went in. Older ones go.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.faults.suite import NotTried
from tests.acceptance.fleet.golden import golden
from tests.acceptance.fleet.hosts import require_tools, run
from tests.conftest import ROOT
from tests.support.squares import write_model

KEPT_IN = ROOT / "build" / "fleet"
PASSPHRASE = "a fleet of the tests"
PROGRAM = (
    "agent", "station", "models", "fleet", "verifier", "setup.cfg", "pyproject.toml",
    "tests/support/squares.py",
)  # fmt: skip
SHIPPED = ("deploy/systemd/ngatu.service", "deploy/ansible/roles/ngatu_agent/files/ngatu_release")
NGATU = str(Path(sys.executable).with_name("ngatu"))
UNUSED_S = 2 * 3600
DEBIAN_GLIBC = 41
"""Of the golden root: Debian 13."""


@dataclass(frozen=True, slots=True)
class Bundles:
    """Two real releases of this source, for the golden root's Python, with a network that sees squares."""

    folder: Path
    box: Path
    station: Path
    """With what the station's service stands on."""
    version: str

    @property
    def public(self) -> Path:
        """What boxes check releases with."""
        return self.folder / "release.pub"

    @property
    def secret(self) -> Path:
        """What signs releases; PASSPHRASE opens it."""
        return self.folder / "release.key"


def bundles() -> Bundles:
    """Built by `ngatu bundle build` if this source has none yet: a minute, and it needs the package registry.

    So call it before sitting down in a fleet.

    Raises:
        NotTried: this machine cannot hold hosts.
    """
    require_tools()
    folder = KEPT_IN / f"bundles-{state(*PROGRAM, *SHIPPED)}"
    with alone("bundles"):
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            _build(partial)
            partial.rename(folder)
        used(folder)
    (box,), (station,) = ((folder / kind).glob("*.bundle") for kind in ("box", "station"))
    return Bundles(folder, box, station, box.name.split("-")[1])


def _build(folder: Path) -> None:
    secret, key = folder / "passphrase", folder / "release.key"
    secret.write_text(f"{PASSPHRASE}\n")
    run(NGATU, "bundle", "key", str(key), "--passphrase-file", str(secret)).good()
    model = write_model(folder)
    board = ("--arch", os.uname().machine, "--python", golden_python(), "--glibc", str(DEBIAN_GLIBC))
    for kind, more in (("box", ()), ("station", ("--extra", "station"))):
        run(
            NGATU, "bundle", "build", "--key", str(key), "--passphrase-file", str(secret), *board,
            "--model", str(model), "--out", str(folder / kind), *more, cwd=ROOT, timeout_s=900,
        ).good()  # fmt: skip


def golden_python() -> str:
    """Major and minor version of the Python that the hosts have."""
    found = [re.fullmatch(r"python(3\.\d+)", each.name) for each in (golden() / "usr/bin").glob("python3.*")]
    versions = [each[1] for each in found if each]
    if not versions:
        raise NotTried("the golden root has no Python")
    return versions[0]


def state(*names: str, more: Sequence[object] = ()) -> str:
    """Twelve digits that change with any of these files and folders of the checkout."""
    digest = hashlib.sha256(repr([golden_python(), *more]).encode())
    for name in names:
        place = ROOT / name
        files = sorted(each for each in place.rglob("*") if each.is_file()) if place.is_dir() else [place]
        for file in files:
            if "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def used(folder: Path) -> Path:
    """Itself. What of its kind nobody has used for two hours goes: another run may still stand on the rest."""
    folder.touch()
    kind = folder.name.rpartition("-")[0]
    for each in folder.parent.glob(f"{kind}-*"):
        if each.is_dir() and time.time() - each.stat().st_mtime > UNUSED_S:
            shutil.rmtree(each, ignore_errors=True)
    return folder


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Two runs make a thing once."""
    KEPT_IN.mkdir(parents=True, exist_ok=True)
    with (KEPT_IN / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
