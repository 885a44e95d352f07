"""Who may read a file: in words, with the command that mends it, for the messages of every part."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path

from agent.translatable import tr


def user_name() -> str:
    """Who we are, for a command that is to be typed."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def unreadable(file: Path, error: OSError) -> tuple[str, str]:
    """Why the file cannot be read, in words that follow its name, and what to do about it."""
    if not isinstance(error, PermissionError):
        return error.strerror or type(error).__name__, tr("put it there, or correct the path")
    user = user_name()
    closed = next((each for each in reversed(file.absolute().parents) if not _enters(each)), None)
    if closed is not None:
        return (
            tr("user {user} may not enter {closed}", user=user, closed=closed),
            tr("run this as the user that the agent runs as, such as sudo -u ngatu; or put the file elsewhere"),
        )
    if file.stat().st_uid == os.geteuid():
        return tr("user {user} may not read it", user=user), tr("chmod 600 {file}", file=file)
    return (
        tr("user {user} may not read it", user=user),
        tr(
            "if the agent runs as {user}: sudo chown {user} {file}; if not, run this as the agent's user",
            user=user,
            file=file,
        ),
    )


def _enters(folder: Path) -> bool:
    return os.access(folder, os.X_OK, effective_ids=True)


def too_open(file: Path) -> tuple[str, str] | None:
    """That others may read or change a secret's file, and the command that closes it; None if they may not."""
    status = file.stat()
    if not status.st_mode & (stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH):
        return None
    sudo = "" if status.st_uid == os.geteuid() else "sudo "
    return (
        tr("file {file} can be read or changed by others; its mode should be 0600 or 0640", file=file),
        tr("{sudo}chmod 600 {file}", sudo=sudo, file=file),
    )
