#!/usr/bin/python3
"""Prepare this computer as the administrator's: `python3 deploy/ansible/prepare.py`, as a plain user.

Makes an environment for ngatu and Ansible (~/ngatu-controller), then asks what it must know, by
`ngatu fleet prepare`. It may be run again at any time: what is there is left alone.
Needs Python's standard library only.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)


def main() -> None:
    """The environment; then the questions take the place of this program."""
    asked = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog="Other words go to ngatu fleet prepare."
    )
    asked.add_argument(
        "--environment", type=Path, default=Path.home() / "ngatu-controller", help="where it goes"
    )
    known, more = asked.parse_known_args()
    refuse_unfit()
    environment = known.environment.absolute()
    install(environment)
    os.environ["PATH"] = f"{environment / 'bin'}:{os.environ['PATH']}"
    ngatu = str(environment / "bin" / "ngatu")
    sys.stdout.flush()
    os.execv(ngatu, [ngatu, "fleet", "prepare", "--checkout", str(CHECKOUT), *more])  # noqa: S606 (a path of our own)


def refuse_unfit() -> None:
    """End in words if something is missing that only root can bring."""
    if sys.version_info < OLDEST:
        sys.exit(
            f"This is Python {sys.version.split()[0]}; ngatu needs 3.11 or newer: Debian 12 and 13 have it."
        )
    packages = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "openssl": "openssl"}
    missing = sorted({package for name, package in packages.items() if shutil.which(name) is None})
    try:
        import ensurepip  # noqa: F401, PLC0415 (Debian has it in a package of its own)
    except ImportError:
        missing.append("python3-venv")
    if missing:
        sys.exit(f"Missing on this computer: {', '.join(missing)}. Type: sudo apt install {' '.join(missing)}")
    if os.geteuid() == 0:
        print("hint: this is root; a user of its own is better for a province", file=sys.stderr)


def install(environment: Path) -> None:
    """Ngatu and Ansible, once; the mark says that it was done whole."""
    mark = environment / "ngatu-prepared"
    if mark.exists():
        print(f"there already: {environment}, with ngatu and Ansible")
        return
    print(f"installs ngatu and Ansible into {environment}: some minutes", flush=True)
    steps = [
        [sys.executable, "-m", "venv", str(environment)],
        [
            str(environment / "bin" / "pip"),
            "install",
            "--quiet",
            "--disable-pip-version-check",
            f"{CHECKOUT}[fleet,models]",
        ],
    ]
    for step in steps:
        if subprocess.run(step, check=False).returncode:
            sys.exit(
                f"This did not work: {' '.join(step)}. What is said above tells why; then run the same again."
            )
    mark.write_text(
        "made by deploy/ansible/prepare.py; without this file it installs again\n", encoding="utf-8"
    )
    print(f"made: {environment}, with ngatu and Ansible")


if __name__ == "__main__":
    main()
