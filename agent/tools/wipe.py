"""What a box holds of people and of secrets, deleted before it is given away; with a result to be checked.

Invariants
1. Nothing is deleted while the agent runs, and the agent does not start while something is deleted.
   So the lock goes last, and what there is to delete is listed anew once it is held.
2. Keys go first: whoever pulls the plug in the middle is left with what they would have opened.
3. Only what ngatu made goes: what lies in its folders under another name is listed, and stays.
4. The result lists each file with what became of it. It is signed by the box's key for footage, where there is
   one: that key is read before it goes, and gone when the program ends.

Small files are overwritten before they are deleted. Footage is not: it is encrypted to the station's key, which
the box never had, and to that of the boot in which it was recorded, which lay in memory only. What a flash
card's controller keeps of either no program can reach, and the result says so.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import __version__
from agent.clock import trust
from agent.commands.audit import AUDIT_LOG, lines_after
from agent.commands.on_site import who
from agent.config.schema import Config, config_sha256
from agent.errors import NgatuError
from agent.evidence import encryption, segment
from agent.evidence.listing import holds, index_file
from agent.evidence.samples.store import FOLDER
from agent.outbox.erase import zero
from agent.tools import wipe_result
from agent.tools.check import secrets
from agent.translatable import tr
from agent.wire.payloads import rfc3339
from agent.wire.signature import private_key

KEY: Final = "evidence.key"
FOOTAGE: Final = "evidence"
"""Below state_dir, unless the configuration names another folder."""
SETUPS: Final = "setups"
"""The folder in which the role keeps the configurations, one in each of its folders."""
NEXT: Final = "next.yaml"
"""What the role has made of one before it is in its setup; beside the link to the one that runs."""
OURS: Final = (
    KEY, f".{KEY}.*", "outbox.db*", "clips.db*", "commands.db*", "orders.db*", f"{AUDIT_LOG}*",
    "sample-orders.db*", "audit.sent*", "samples.db*", "samples/*.sample*", "run.json*", "clock.json*",
    "config.last-good.yaml*",
)  # fmt: skip
"""Names below state_dir, keys first."""
FOOTAGE_FILES: Final = (f"*/[0-9]*{segment.SUFFIX}", f"{index_file.FILE}*", f"{holds.FILE}*")
"""Names below a folder for footage: of all cameras, also those that the configuration names no more."""
NOT_OVERWRITTEN: Final = (f"*{segment.SUFFIX}",)
OVERWRITTEN, DELETED = "overwritten and deleted", "deleted"


@dataclass(frozen=True, slots=True)
class WipedFile:
    """What became of one file."""

    path: str
    bytes: int
    how: str
    """overwritten and deleted, deleted, or not deleted."""
    why: str | None = None
    """Why it is not deleted, or not overwritten."""

    @property
    def gone(self) -> bool:
        """Whether it is there no more."""
        return self.how != wipe_result.LEFT


@dataclass(frozen=True, slots=True)
class WipePlan:
    """What would be deleted, in this order, and what lies beside it and stays."""

    files: tuple[Path, ...]
    strangers: tuple[Path, ...]
    absent: tuple[Path, ...]
    """Secrets that the configuration names and that are not there: their host holds them."""
    config_file: Path | None = None
    """Of which it was made; None: that stays."""

    @property
    def bytes(self) -> int:
        """Of all that would be deleted."""
        return sum(_size(path) for path in self.files)


def plan(config: Config, config_file: Path | None) -> WipePlan:
    """What there is; `config_file` goes last but for the lock, None: it stays.

    Raises:
        NgatuError: one of its folders may not be looked into, so nobody can say what is there.
    """
    for folder in (config.state_dir, config.evidence_path):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
            raise NgatuError(
                tr("{folder} may not be read and written, so nothing was deleted", folder=folder),
                tr("do it as the agent's user or with sudo"),
            )
    state, footage, named = config.state_dir, config.evidence_path, list(_named_secrets(config))
    known = [path for pattern in OURS for path in sorted(state.glob(pattern))]
    inside = sorted(path for path in footage.rglob("*") if not path.is_dir()) if footage.is_dir() else []
    own = inside if _is_own(footage, config) else _footage_in(footage)
    lock = _lock(config.outbox_path)
    first = [*_boot_key(state), *named, *(path for path in known if path != lock), *own]
    files = dict.fromkeys([*first, *(_configs(config_file) if config_file else ()), lock])
    beside = [path for path in _listed(state) if path not in (state / FOOTAGE, state / FOLDER)]
    beside = [path for path in (*beside, *_listed(state / FOLDER)) if path not in files]
    strangers = [*beside, *(path for path in inside if path not in files)]
    there = tuple(path for path in files if os.path.lexists(path))
    return WipePlan(there, tuple(strangers), tuple(path for path in named if path not in there), config_file)


def wipe(config: Config, to_wipe: WipePlan) -> dict[str, Any]:
    """Delete it all, with what has come since the plan was made; the result, signed where the box has its key.

    Raises:
        NgatuError: the agent runs, or one of its folders may not be looked into.
    """
    with _agent_kept_out(config.outbox_path):
        to_wipe = plan(config, to_wipe.config_file)
        key = _key(config.state_dir / KEY)
        audit = _end_of_log(config.state_dir / AUDIT_LOG)
        lock = _lock(config.outbox_path)
        folders = list(_folders(config, to_wipe))
        done = [_erased(path) for path in to_wipe.files if path != lock]
        left = [_removed(path) for path in folders]
        if lock in to_wipe.files:
            done.append(_erased(lock))
    result: dict[str, Any] = {
        "result_of": "ngatu wipe",
        "version": __version__,
        "box": f"{config.device.commune}/{config.device.id}",
        "config_sha256": config_sha256(config),
        "time": rfc3339(datetime.now(UTC)),
        "time_trusted": trust().good,
        "by": who(),
        "files": [asdict(each) for each in done],
        "folders_left": [path for path in left if path],
        "others_left": [str(path) for path in to_wipe.strangers],
        "secrets_not_here": [str(path) for path in to_wipe.absent],
        "deleted_files": sum(each.gone for each in done),
        "deleted_bytes": sum(each.bytes for each in done if each.gone),
        "left_files": sum(not each.gone for each in done),
        "audit_log": audit,
        "limits": list(wipe_result.LIMITS),
    }
    return result if key is None else wipe_result.signed(result, key)


def _named_secrets(config: Config) -> Iterator[Path]:
    tls = config.broker.tls
    for path in (tls.key, tls.cert) if tls is not None else ():
        if path is not None:
            yield path
    yield from (secret.file for _, secret in secrets(config) if secret.file is not None)


def _boot_key(state: Path) -> Iterator[Path]:
    """The other key to the footage of this boot, if it is that of whoever has this state."""
    path = encryption.service_folder() / encryption.FILE
    with suppress(OSError):
        if path.lstat().st_uid == state.stat().st_uid:
            yield path


def _configs(file: Path) -> Iterator[Path]:
    """The file; where it is a link, what it leads to; where that is a setup's, those of the other setups.

    A link is followed to a file of its own owner alone: who owns another may turn it anywhere at any moment.
    """
    real = file.resolve()
    setups = real.parent.parent
    if not _of_one_owner(file, real):
        yield file.absolute()
        return
    if file.is_symlink() and setups.name == SETUPS and real.parent.name.isdigit():
        yield from sorted(setups.glob(f"[0-9]*/{real.name}"))
        yield file.absolute().with_name(NEXT)
    yield real
    yield file.absolute()


def _of_one_owner(link: Path, real: Path) -> bool:
    with suppress(OSError):
        return link.lstat().st_uid == real.stat().st_uid
    return False


def _is_own(footage: Path, config: Config) -> bool:
    """Whether nothing but ours belongs there: in a folder that somebody chose, other things may lie."""
    return footage == config.state_dir / FOOTAGE


def _footage_in(folder: Path) -> list[Path]:
    found = {path for pattern in FOOTAGE_FILES for path in folder.glob(pattern)}
    return sorted(path for path in found if not path.is_dir())


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _folders(config: Config, to_wipe: WipePlan) -> Iterator[Path]:
    """Those that are empty afterwards, innermost first; of a chosen folder those in which footage lay."""
    footage, samples = config.evidence_path, config.state_dir / FOLDER
    if samples.is_dir():
        yield samples
    if not _is_own(footage, config):
        ours = {path.parent for path in to_wipe.files if path.parent.parent == footage}
        yield from sorted(ours)
    elif footage.is_dir():
        yield from sorted((path for path in footage.rglob("*") if path.is_dir()), reverse=True)
        yield footage


def _removed(folder: Path) -> str | None:
    with suppress(OSError):
        folder.rmdir()
        return None
    return str(folder)


def _erased(path: Path) -> WipedFile:
    size, why = _size(path), None
    overwritten = False
    if stat.S_ISREG(path.lstat().st_mode) and not any(fnmatch(path.name, each) for each in NOT_OVERWRITTEN):
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                zero(handle)
            finally:
                os.close(handle)
            overwritten = True
        except OSError as error:
            why = f"not overwritten: {error.strerror}"
    elif any(fnmatch(path.name, each) for each in NOT_OVERWRITTEN):
        why = "not overwritten: footage, encrypted to the station's key and to its boot's, which lay in memory"
    try:
        path.unlink()
    except OSError as error:
        return WipedFile(str(path), size, wipe_result.LEFT, error.strerror)
    return WipedFile(str(path), size, OVERWRITTEN if overwritten else DELETED, why)


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.lstat().st_size
    return 0


def _key(path: Path) -> Ed25519PrivateKey | None:
    with suppress(NgatuError):
        return private_key(path)
    return None


def _end_of_log(path: Path) -> dict[str, Any] | None:
    """Number and hash of the last line: the station can say whether it has them all."""
    with suppress(OSError):
        lines: Sequence[Any] = list(lines_after(path, 0))
        return {"n": lines[-1].n, "sha256": lines[-1].sha256} if lines else None
    return None


def _lock(outbox: Path) -> Path:
    return outbox.with_name(outbox.name + ".lock")


@contextmanager
def _agent_kept_out(outbox: Path) -> Iterator[None]:
    """Hold the lock of the outbox, as the agent does."""
    if not outbox.parent.is_dir():
        yield
        return
    try:
        handle = os.open(_lock(outbox), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise NgatuError(
            tr("{folder}: {reason}", folder=outbox.parent, reason=error.strerror or error),
            tr("do it as the agent's user or with sudo, and look at the disk"),
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise NgatuError(
            tr("the agent runs: nothing was deleted"), tr("stop it first: sudo systemctl disable --now ngatu")
        ) from None
    finally:
        os.close(handle)
