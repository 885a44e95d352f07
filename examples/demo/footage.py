"""The footage of the first crossing: asked for and handed over as an officer does, verified as a court does."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

BEFORE, AFTER = timedelta(seconds=2), timedelta(seconds=4)
"""How much around the crossing is asked for."""
OFFICER, CASE, PURPOSE = "a visitor", "demo 1", "to see who crossed the line"
HAND_TO = "whoever reads this page"
HANDED_OVER = "handed-over.zip"
"""The file that the station makes of the package, in the demo's folder."""


@dataclass(frozen=True)
class HandedOver:
    """What came of the request."""

    event: Mapping[str, Any]
    """The crossing, as it was told when it began."""
    package: str
    """The file that was handed over, below the demo's folder."""
    videos: tuple[str, ...]
    """Files that can be played, below the demo's folder; that with the crossing first."""
    answer: str
    """The verifier's: authentic, authentic with missing, not signed, not authentic."""
    words: tuple[str, ...]
    """All that it said."""
    command: str
    """How to call it again."""


def asked(
    ngatu: Sequence[str], folder: Path, station: Path, device: str, event: Mapping[str, Any]
) -> str | None:
    """Ask for the footage around an event, wait until it is here, and hand it over; why not, or None.

    Raises:
        OSError: the command cannot be started.
    """
    at = datetime.fromisoformat(event["time"])
    words = [
        "station",
        "clip",
        device,
        event["camera"],
        "--officer",
        OFFICER,
        "--case",
        CASE,
        "--purpose",
        PURPOSE,
    ]
    words += ["--save", str(folder / HANDED_OVER), "--hand-to", HAND_TO]
    words += ["--from", (at - BEFORE).isoformat(), "--to", (at + AFTER).isoformat(), "-c", str(station)]
    done = subprocess.run(
        [*ngatu, *words], capture_output=True, text=True, timeout=120, check=False, env=english()
    )
    return None if done.returncode == 0 else (done.stderr or done.stdout).strip()


def verified(
    ngatu: Sequence[str], folder: Path, station: Path, device: str, event: Mapping[str, Any]
) -> HandedOver:
    """Verify what was handed over of the newest request with the keys that the station gives out.

    Raises:
        LookupError: no package is here, or it was not handed over.
    """
    requests = sorted(folder.glob(f"station/footage/{device}/*/package"), key=lambda path: path.stat().st_mtime)
    handed, keys = folder / HANDED_OVER, folder / "keys"
    if not requests or not handed.exists():
        raise LookupError("no package of footage came")
    words = ["station", "keys", device, "--save", str(keys), "-c", str(station)]
    subprocess.run([*ngatu, *words], capture_output=True, check=True, timeout=60, env=english())
    command = [
        "verify",
        str(handed),
        "--key",
        str(keys / f"{device}.pub"),
        "--station",
        str(keys / "station.pub"),
    ]
    said = subprocess.run(
        [*ngatu, *command], capture_output=True, text=True, check=False, timeout=60, env=english()
    )
    as_json = subprocess.run(
        [*ngatu, *command, "--json"], capture_output=True, text=True, check=False, timeout=60, env=english()
    )
    videos = _with_the_crossing_first(requests[-1], event)
    return HandedOver(
        event=event,
        package=handed.relative_to(folder).as_posix(),
        videos=tuple(path.relative_to(folder).as_posix() for path in videos),
        answer=str(json.loads(as_json.stdout)["verdict"]),
        words=tuple(said.stdout.splitlines()),
        command=shlex.join([_shown(Path(sys.executable).with_name("ngatu")), *command]),
    )


def _shown(program: Path) -> str:
    """As it is typed here: the demo's environment is on nobody's PATH."""
    return str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)


def _with_the_crossing_first(package: Path, event: Mapping[str, Any]) -> list[Path]:
    """The files of a package that can be played: each passage of the clip is one."""
    at = datetime.fromisoformat(event["time"])
    parts = json.loads((package / "manifest.json").read_bytes())["parts"]
    heads = {part["run"]: part for part in parts if part["number"] == 0}

    def away(run: int) -> tuple[bool, int]:
        start, end = (datetime.fromisoformat(heads[run][name]) for name in ("start", "end"))
        return not start <= at <= end, run

    files = [package / f"footage-{run}.mp4" for run in sorted(heads, key=away)]
    return [path for path in files if path.exists()]


def english() -> dict[str, str]:
    """The environment for commands whose words go into the page, which is English."""
    return {**os.environ, "LANGUAGE": "en"}
