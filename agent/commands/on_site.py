"""What somebody does at the box itself by which pictures leave it: a line in the same audit log.

Where a box works in the folder and its log cannot be written, nothing leaves.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from agent.clock import SystemClock, boot_id, trust
from agent.commands.audit import AUDIT_LOG, Audit
from agent.errors import NgatuError
from agent.settings.access import user_name
from agent.translatable import tr
from agent.wire.codec import moment
from agent.wire.payloads import rfc3339

LOGIN_UID: Final = Path("/proc/self/loginuid")
"""Set once at a login, and kept over su and sudo (audit(7) of the kernel, pam_loginuid)."""
NOBODY: Final = 2**32 - 1
"""No login: a service, or a kernel that keeps none."""


@contextmanager
def noted(
    state_dir: Path,
    verb: str,
    args: Mapping[str, Any],
    *,
    officer: str | None = None,
    purpose: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Write who does what before it is done, and at its end what left: what was put into the dict given.

    Nothing is written where no box works in this folder: it is not there.

    Raises:
        NgatuError: it cannot be written.
    """
    if not state_dir.is_dir():
        yield {}
        return
    said = {**args, **({"officer": officer} if officer else {}), **({"purpose": purpose} if purpose else {})}
    entry = {"verb": verb, "id": uuid4().hex, "issuer": who(), "at": "box", "args": said}
    result: dict[str, Any] = {}
    _write(state_dir, {**entry, "state": "begun"})
    try:
        yield result
    except BaseException:
        _write(state_dir, {**entry, "state": "failed"})
        raise
    _write(state_dir, {**entry, "state": "done", **({"result": result} if result else {})})


def _write(state_dir: Path, entry: Mapping[str, Any]) -> None:
    known, at = trust(), SystemClock().now()
    when = {"time": rfc3339(moment(at)), "trusted": known.good, "boot_id": boot_id()}
    line = Audit(state_dir / AUDIT_LOG).write({**when, "mono_ms": round(at.mono_s * 1000), **entry})
    if line is None:
        raise NgatuError(
            tr("{log}: cannot be written, so nothing leaves the box", log=state_dir / AUDIT_LOG),
            tr("do it as the agent's user or with sudo, and look at the disk"),
        )
    _belongs_to_the_box(state_dir)


def who(loginuid: Path = LOGIN_UID) -> str:
    """The person's login, also behind sudo, and as whom it is done where that is neither.

    The kernel keeps who logged in; where it does not, sudo says whom it served, which a user can claim, too. So
    the user whose process this is stands beside it unless that is root.
    """
    now = user_name()
    before = _login(loginuid) or os.environ.get("SUDO_USER", "") or now
    if before == now:
        return now
    return f"{before} (sudo)" if os.geteuid() == 0 else f"{before} (sudo, {now})"


def _login(loginuid: Path) -> str | None:
    """Whom the kernel has seen log in; None: nobody, or root, behind which sudo may know somebody."""
    try:
        number = int(loginuid.read_text())
        return pwd.getpwuid(number).pw_name if number not in (0, NOBODY) else None
    except (OSError, ValueError, KeyError):
        return None


def _belongs_to_the_box(state_dir: Path) -> None:
    """A log that root has begun belongs to the agent's user, who must go on with it."""
    if os.geteuid() != 0:
        return
    owner = state_dir.stat()
    for path in state_dir.glob(f"{AUDIT_LOG}*"):
        with suppress(OSError):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
