"""The folder of the box's state: may we work there, and is nothing in it that would hold us up at every start.

Opening a pipe waits for somebody who writes, reading a device need not end. A card that was in other hands, or
that is damaged, may hold either under any of our names, so they go before the first of them is opened.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import structlog

from agent.errors import OutboxError
from agent.settings.access import user_name
from agent.translatable import tr

log = structlog.get_logger(__name__)


def clear(folder: Path) -> None:
    """Take away pipes, sockets, devices, and links to such; all else stays. Never raises."""
    try:
        with os.scandir(folder) as entries:
            strange = [folder / entry.name for entry in entries if _would_hold_up(entry)]
    except OSError:
        return  # it is made later, or whoever opens it tells
    for path in strange:
        try:
            path.unlink()
        except OSError as error:
            log.warning("state_not_a_file", path=str(path), removed=False, why=error.strerror)
        else:
            log.warning("state_not_a_file", path=str(path), removed=True)


def require(folder: Path) -> None:
    """See that the folder is there, or can be made, and that we may enter it and write in it.

    A disk that fails or is read-only is no mistake of whoever set the box up: that is left to the outbox, which
    bridges it.

    Raises:
        OutboxError: what is not allowed, to whom, and the command that allows it.
    """
    whole, user = folder.absolute(), user_name()
    for place in (*reversed(whole.parents), whole):
        try:
            mode = place.stat().st_mode
        except FileNotFoundError:
            if os.access(place.parent, os.W_OK | os.X_OK, effective_ids=True) or _is_read_only(place.parent):
                return
            raise OutboxError(
                tr(
                    "state_dir {folder} is not there, and user {user} may not make it", folder=folder, user=user
                ),
                tr("sudo install -d -o {user} {folder}", user=user, folder=folder),
            ) from None
        except PermissionError:
            raise _closed(folder, place.parent, user) from None
        except OSError:
            return
        if not stat.S_ISDIR(mode):
            raise OutboxError(
                tr("state_dir {folder}: {place} is not a folder", folder=folder, place=place),
                tr("move it away, or name another state_dir"),
            )
    may = os.access(whole, os.R_OK | os.W_OK | os.X_OK, effective_ids=True)
    if not may and not (os.access(whole, os.X_OK, effective_ids=True) and _is_read_only(whole)):
        what = (
            tr("state_dir {folder} may not be written by user {user}", folder=folder, user=user)
            if os.access(whole, os.X_OK, effective_ids=True)
            else tr("state_dir {folder} may not be entered by user {user}", folder=folder, user=user)
        )
        raise OutboxError(what, _opening(whole, user))


def _closed(folder: Path, place: Path, user: str) -> OutboxError:
    return OutboxError(
        tr(
            "state_dir {folder} may not be entered by user {user}: {place} is closed to it",
            folder=folder,
            user=user,
            place=place,
        ),
        tr("name a state_dir elsewhere, or open that folder: sudo chmod o+x {place}", place=place),
    )


def _opening(folder: Path, user: str) -> str:
    """The command that lets the user work there; not for a folder that is full of others' files."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        names = []
    if names and not any(name.startswith("outbox.db") for name in names):
        return tr("other things are in it: name a folder that is for this alone, such as /var/lib/ngatu")
    return (
        tr("chmod u+rwx {folder}", folder=folder)
        if folder.stat().st_uid == os.geteuid()
        else tr("sudo chown -R {user} {folder}", user=user, folder=folder)
    )


def _is_read_only(place: Path) -> bool:
    try:
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        return True  # the disk fails: no matter of rights


def _would_hold_up(entry: os.DirEntry[str]) -> bool:
    try:
        mode = entry.stat().st_mode
    except OSError:  # a link that leads nowhere: what it leads to may be mounted later
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
