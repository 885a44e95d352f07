"""Would the box be able to keep its footage: is there a folder, room, a key, and a disk that is its own?"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Literal

from agent.config.schema import Config
from agent.errors import FootageError
from agent.evidence.disk import own_disk
from agent.evidence.encryption import Recipients
from agent.evidence.listing.index_file import index_bytes
from agent.evidence.recovery import camera_folders
from agent.evidence.retention.budget import FREE_BYTES
from agent.evidence.ring import not_mounted
from agent.settings.access import user_name
from agent.translatable import tr

Judged = tuple[str, Literal["ok", "warning", "failed"], str]
"""What was found, what that means, and what to do."""


def judge(config: Config) -> Judged:
    """The place of the footage, for a configuration that records. Nothing is created.

    Raises:
        FootageError: the recipient is none.
    """
    recipient = config.evidence.recipient
    if recipient is None:
        raise FootageError(tr("footage has no recipient"), tr("set evidence.recipient"))
    Recipients(recipient).encrypt(b"a trial")
    if config.evidence.unmounted:
        what, hint = not_mounted(config.evidence)
        return what, "failed", hint
    path = config.evidence_path
    folder = next(each for each in (path, *path.absolute().parents) if each.exists())
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        user = user_name()
        return (
            tr("{folder} may not be written by user {user}", folder=folder, user=user),
            "failed",
            tr("sudo install -d -o {user} -m 0750 {path}", user=user, path=path),
        )
    for each in camera_folders(path) if path.is_dir() else ():
        if not os.access(each, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
            user = user_name()
            return (
                tr("{folder} may not be written by user {user}", folder=each, user=user),
                "failed",
                tr("sudo chown -R {user} {parent}", user=user, parent=each),
            )
    return _room(config, path, folder, recipient)


def _room(config: Config, path: Path, folder: Path, recipient: str) -> Judged:
    disk = os.statvfs(folder)
    if disk.f_flag & os.ST_RDONLY:
        return tr("{folder} is mounted read-only", folder=folder), "failed", tr("mount it for writing")
    own = own_disk(folder, config.state_dir)
    free = disk.f_bavail * disk.f_frsize - (0 if own else FREE_BYTES)
    used = _used(path) if path.is_dir() else 0
    recorded = [camera.name for camera in config.cameras if camera.record.mode != "off"]
    found = tr(
        "{path}, {where}: {room} GB for the {most} GB wanted; cameras recorded: {number}, for {recipient}…",
        path=path,
        where=tr("a disk of its own") if own else tr("on the disk of state_dir"),
        room=_gb(free + used),
        most=_gb(config.evidence.max_bytes),
        number=len(recorded),
        recipient=recipient[:12],
    )
    if free + used < config.evidence.max_bytes:
        return (
            found,
            "warning",
            tr("evidence.max_bytes is more than the disk has: the footage will be shorter than it says"),
        )
    if not own:
        return found, "warning", tr("give footage a partition of its own: evidence.folder")
    return found, "ok", ""


def _used(ring: Path) -> int:
    """What footage takes now; the agent may delete some of it meanwhile."""
    total = index_bytes(ring)
    for folder in camera_folders(ring):
        with suppress(OSError), os.scandir(folder) as entries:
            for each in entries:
                with suppress(OSError):
                    total += each.stat(follow_symlinks=False).st_size
    return total


def _gb(number: float) -> str:
    return f"{max(0.0, math.floor(number / 1e8) / 10):.1f}"
