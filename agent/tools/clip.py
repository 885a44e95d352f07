"""Cuts footage out of a box's ring into a folder, beside the agent that records, without the network."""

from __future__ import annotations

import getpass
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.clock import SystemClock, boot_id, trust
from agent.commands.audit import Audit
from agent.config.package_facts import package_facts
from agent.config.schema import Config
from agent.core.types import Instant
from agent.errors import FootageError, NgatuError, UsageError
from agent.evidence.box_key import FILE, box_key
from agent.evidence.clips.cut import Clip, Cutter, write
from agent.evidence.clips.requests import ClipRequest
from agent.evidence.listing.index import Index
from agent.evidence.package.manifest import PackageManifest
from agent.host import state_folder
from agent.status.session import versions
from agent.translatable import tr
from agent.wire.codec import moment
from agent.wire.payloads import rfc3339


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be cut, for whom and why."""

    camera: str
    first: datetime
    last: datetime
    case_number: str
    purpose: str
    officer: str


def cut(config: Config, asked: Asked, folder: Path, progress: Callable[[int, int], object]) -> PackageManifest:
    """Make the folder, and the package in it; `progress` is told the bytes written, and all bytes.

    The line in the audit log is written before anything else: who took footage away stands there.

    Raises:
        UsageError: there is something already, or no folder for it.
        FootageError: nothing of the range is there, or it cannot be read.
        NgatuError: the line cannot be written, or the folder.
    """
    if folder.exists():
        raise UsageError(
            tr("{folder}: is there already", folder=folder), tr("name a folder that is to be made")
        )
    if not folder.parent.is_dir():
        raise UsageError(tr("there is no folder {folder}", folder=folder.parent), tr("is the stick mounted?"))
    state_folder.require(config.state_dir)
    clock = SystemClock()
    index = Index(config.evidence_path, readonly=True)
    with closing(index):
        facts = package_facts(config, versions(), None, clock, trust)
        cutter = Cutter(lambda: index, facts, box_key(config.state_dir / FILE))
        kept = cutter.kept(asked.camera)
        line = _note(config, clock.now(), asked)
        request = ClipRequest(
            id=f"by-hand-{line}",
            camera=asked.camera,
            from_s=asked.first.timestamp(),
            to_s=asked.last.timestamp(),
            case_number=asked.case_number,
            purpose=asked.purpose,
            officer=asked.officer,
            issuer=getpass.getuser(),
            asked_s=clock.now().wall_s,
            audit_line=line,
        )
        clip = cutter.cut(request)
        if clip is None:
            raise FootageError(
                tr("nothing of it is there"),
                tr("there is no footage of camera {camera} at all", camera=asked.camera)
                if kept is None
                else tr(
                    "of camera {camera} there is footage from {first:%Y-%m-%d %H:%M:%S} to "
                    "{last:%Y-%m-%d %H:%M:%S}",
                    camera=asked.camera,
                    first=datetime.fromtimestamp(kept[0]).astimezone(),
                    last=datetime.fromtimestamp(kept[1]).astimezone(),
                ),
            )
        try:
            folder.mkdir(mode=0o700)  # what somebody else made meanwhile is not ours to delete
            _write(cutter, clip, folder, progress)
        except OSError as error:
            raise NgatuError(tr("{folder}: {reason}", folder=folder, reason=error.strerror or error)) from None
    return clip.manifest


def _write(cutter: Cutter, clip: Clip, folder: Path, progress: Callable[[int, int], object]) -> None:
    try:
        write(cutter, clip, folder, progress)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half a package is none
        raise


def _note(config: Config, now: Instant, asked: Asked) -> int:
    """The same line as of an order, with who is logged in as its issuer; its number."""
    line = Audit(config.state_dir / "audit.log").write(
        {
            "time": rfc3339(moment(now)),
            "trusted": trust().good,
            "boot_id": boot_id(),
            "mono_ms": round(now.mono_s * 1000),
            "verb": "clip",
            "issuer": f"{getpass.getuser()}, at the box",
            "state": "begun",
            "args": {
                "camera": asked.camera,
                "from": rfc3339(asked.first),
                "to": rfc3339(asked.last),
                "case_number": asked.case_number,
                "purpose": asked.purpose,
                "officer": asked.officer,
            },
        }
    )
    if line is None:
        raise NgatuError(
            tr("the audit log of the box cannot be written, so no footage is handed over"),
            tr("be the agent's user (sudo -u ngatu), and look at the disk of state_dir"),
        )
    return line.n
