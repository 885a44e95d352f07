"""The root file system of the image: Debian with Python and mosquitto, and ngatu as a station has it.

mmdebstrap makes it (https://gitlab.mister-muffin.de/josch/mmdebstrap), and needs root or user namespaces.
ngatu's wheels are those of the board's lock. It holds no compiler, no man page and no key.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.errors import NgatuError
from fleet.bundle.boards import known, lock_of
from fleet.bundle.installed import wheel_again
from fleet.bundle.pip_program import EPOCH_S
from fleet.bundle.wheels import fetch, is_checkout, own_wheel

BOARD: Final = "station-trixie"
SUITE: Final = "trixie"
"""Whose Python is the board's."""
EXTRAS: Final = ("station", "postgresql")
INCLUDED: Final = ("ca-certificates", "mosquitto", "python3", "tzdata")
USER: Final = 880
"""Number of the user and the group ngatu-station; none of Debian's packages has it."""
MIRROR: Final = "http://deb.debian.org/debian"
NO_MANUALS: Final = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*")
KEPT: Final = "/usr/share/doc/*/copyright"
"""Their licences ask for it."""


def make_root(source: Path, out: Path, mirror: str = MIRROR) -> None:
    """Write the root file system as a tar archive; `source` is a checkout or a folder of `ngatu fleet init`.

    Raises:
        NgatuError: mmdebstrap is missing or fails, or a wheel cannot be fetched.
    """
    program = shutil.which("mmdebstrap")
    if program is None:
        raise NgatuError("mmdebstrap is not here", "apt install mmdebstrap")
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder, "wheels")
        wheels.mkdir()
        own = own_wheel(source, Path(folder)) if is_checkout(source) else wheel_again(Path(folder))
        fetch(own, known(BOARD).board, wheels, EXTRAS, lock=lock_of(BOARD, source))
        done = subprocess.run(
            [program, *words(wheels, out, mirror)],
            capture_output=True,
            text=True,
            env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH_S},
            check=False,
        )
    if done.returncode:
        out.unlink(missing_ok=True)
        raise NgatuError(
            f"mmdebstrap failed: {' '.join(done.stderr.split())[-400:]}",
            "is Debian's mirror reachable? It needs root, or user namespaces",
        )


def words(wheels: Path, out: Path, mirror: str) -> Sequence[str]:
    """What mmdebstrap is told; each hook runs in the new root."""
    pip = next(path.name for path in wheels.iterdir() if path.name.startswith("pip-"))
    installer = f"/opt/ngatu/bin/python -I /wheels/{pip}/pip"
    others = "$(ls -d /wheels/*.whl | grep -v /pip-)"
    hooks = (
        f"groupadd --system --gid {USER} ngatu-station",
        f"useradd --system --uid {USER} --gid {USER} --home-dir /var/lib/ngatu-station "
        "--shell /usr/sbin/nologin ngatu-station",
        "install -d -o ngatu-station -g ngatu-station -m 0700 /var/lib/ngatu-station /var/lib/ngatu-broker",
        "install -d /etc/ngatu-station",
        "python3 -I -m venv --without-pip /opt/ngatu",
        f"sh -c '{installer} install --no-index --no-deps --no-compile --quiet {others}'",
        "rm -rf /wheels",
    )
    return [
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(INCLUDED)}",
        *(f"--dpkgopt=path-exclude={each}" for each in NO_MANUALS),
        f"--dpkgopt=path-include={KEPT}",
        f"--customize-hook=copy-in {wheels} /",
        *(f'--customize-hook=chroot "$1" {hook}' for hook in hooks),
        SUITE,
        str(out),
        mirror,
    ]
