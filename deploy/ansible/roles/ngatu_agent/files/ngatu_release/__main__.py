"""ngatu-release: install releases on this box, try one, keep it or go back. Needs Python and openssl only."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from disk import Refused, alone
from setups import Setups
from unpack import install

TRIAL_S = 240.0
"""With the 15 s that the agent may take to stop, and a start, a bad release is gone within 5 minutes."""


def words() -> argparse.ArgumentParser:
    """What can be asked."""
    asked = argparse.ArgumentParser(prog="ngatu-release", description=__doc__)
    asked.add_argument("--root", type=Path, default=Path("/opt/ngatu"), help="where releases lie")
    asked.add_argument("--key", type=Path, default=Path("/etc/ngatu/release.pub"), help="checks bundles")
    asked.add_argument("--unit", default="ngatu.service", help="what runs the agent")
    verbs = asked.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("install", help="make a release of a signed bundle; nothing else changes")
    one.add_argument("bundle", type=Path)
    one.add_argument("--python", default="/usr/bin/python3", help="the Python that it is for")
    one = verbs.add_parser("switch", help="run a release with a configuration, on trial")
    one.add_argument("version")
    one.add_argument("--config", type=Path, required=True, help="is copied")
    one.add_argument("--trial", type=float, default=TRIAL_S, help="seconds until it goes back by itself")
    one = verbs.add_parser("confirm", help="keep what is on trial")
    one.add_argument("--shadow", action="store_true", help="but for its model: the agent has the last word")
    one = verbs.add_parser("rollback", help="end the trial, or go back to the setup before")
    one.add_argument("--why", default="it was ordered")
    one.add_argument("--only-trial", action="store_true", help="do nothing without a trial")
    one = verbs.add_parser("recover", help="bring to an end whatever was interrupted")
    one.add_argument("--boot", action="store_true", help="the agent has not been started yet")
    verbs.add_parser("guard", help="wait beside a trial, and end it when it is over")
    verbs.add_parser("status", help="what runs, what is on trial, what there is")
    return asked


def main(asked: argparse.Namespace) -> dict[str, Any]:
    """Do it; what to tell as JSON."""
    setups = Setups(asked.root, asked.unit)
    if asked.verb == "guard":
        setups.guard()  # takes the lock when it has something to do
    if asked.verb in ("guard", "status"):
        return setups.status()
    with alone(asked.root / "lock"):
        return changing(asked, setups)


def changing(asked: argparse.Namespace, setups: Setups) -> dict[str, Any]:
    """What may be done by one at a time."""
    match asked.verb:
        case "install":
            releases, floor = asked.root / "releases", setups.floor()
            version, changed = install(asked.bundle, releases, asked.key, asked.python, floor)
            return {"version": version, "changed": changed}
        case "switch":
            changed = setups.switch(asked.version, asked.config, asked.trial)
            return {"version": asked.version, "changed": changed, "trial": setups.trial() is not None}
        case "confirm":
            return {"changed": setups.confirm(shadow=asked.shadow)}
        case "rollback":
            changed = not asked.only_trial or setups.trial() is not None
            now = setups.back(asked.why) if changed else setups.version(setups.name())
            return {"version": now, "changed": changed}
        case _:
            setups.recover(booting=asked.boot)
            return setups.status()


if __name__ == "__main__":
    os.umask(0o022)
    try:
        print(json.dumps(main(words().parse_args())))
    except Refused as why:
        print(f"ngatu-release: {why}", file=sys.stderr)
        sys.exit(1)
    except OSError as why:
        hint = (
            "call it as root, with sudo"
            if isinstance(why, PermissionError)
            else "look at the disk: full or read-only?"
        )
        print(f"ngatu-release: {why.filename}: {why.strerror}: {hint}", file=sys.stderr)
        sys.exit(1)
