"""Cameras at this machine: at its USB ports, and a Raspberry Pi's on their ribbon cables.

USB cameras are found by the names that udev gives them, which stay the same. Of cables picamera2 tells, in
a process of its own: libcamera may hang, and must be imported for nobody who has none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from agent.printable import printable

LIST_S = 15.0
"""A slow card takes its time to load libcamera."""
MAX_CAMERAS = 16
_LIST = (
    "import json\ntry:\n from picamera2 import Picamera2\nexcept ImportError:\n print('[]')\n"
    "else:\n print(json.dumps([{'id': str(c.get('Id', '')), 'model': str(c.get('Model', ''))}"
    " for c in Picamera2.global_camera_info()]))"
)


@dataclass(frozen=True, slots=True)
class DeviceCamera:
    """A camera of this machine, as a source of the configuration names it."""

    kind: str
    """usb or csi."""
    device: str | int
    """A path below /dev/v4l, or the number of a cable's camera."""
    about: str
    """In its own words, safe to be shown."""


def usb_cameras(root: Path = Path("/")) -> list[DeviceCamera]:
    """Each once: by its own id, else by its socket; no node of a camera that gives no pictures."""
    found: dict[Path, DeviceCamera] = {}
    for folder in ("by-id", "by-path"):
        for link in sorted((root / "dev/v4l" / folder).glob("*-video-index0")):
            node = link.resolve()
            if node.exists() and node not in found and len(found) < MAX_CAMERAS:
                about = link.name.removeprefix("usb-").removesuffix("-video-index0").replace("_", " ")
                found[node] = DeviceCamera("usb", f"/dev/v4l/{folder}/{link.name}", printable(about)[:80])
    return list(found.values())


def csi_cameras() -> list[DeviceCamera]:
    """Those that picamera2 tells of but are not at USB; none without picamera2, nor if libcamera hangs."""
    try:
        done = subprocess.run(  # noqa: S603 – our own interpreter, our own words
            [sys.executable, "-P", "-c", _LIST], capture_output=True, timeout=LIST_S, check=False
        )
        listed = json.loads(done.stdout.decode(errors="replace").strip().splitlines()[-1])
        return [
            DeviceCamera("csi", number, printable(str(each["model"]))[:80])
            for number, each in enumerate(listed[:MAX_CAMERAS])
            if "usb" not in str(each["id"]).lower()
        ]
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
        return []
