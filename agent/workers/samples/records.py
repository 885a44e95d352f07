"""What is written down of frames for training: each that is kept, and those that are deleted."""

from __future__ import annotations

from typing import Any

from agent.clock import Clock, Trust, boot_id
from agent.commands.audit import Audit
from agent.evidence.clips.requests import ClipRequest
from agent.evidence.samples.sample import SampleName, SampleNote
from agent.evidence.samples.store import SampleDeletion
from agent.wire.codec import moment
from agent.wire.payloads import rfc3339


def note_kept(audit: Audit, name: SampleName, note: SampleNote, clock: Clock, trusted: Trust) -> bool:
    """A line of the audit log, before the frame is on the disk; False: the disk would not take it."""
    entry = {
        "samples": "kept",
        "id": name.id,
        "camera": name.camera,
        "taken": note.taken,
        "reason": name.reason,
        "sha256": note.jpeg_sha256,
        "blur": note.blur,
        "purpose": note.purpose,
        "legal_basis": note.legal_basis,
    }
    return audit.write({**_when(clock, trusted), **entry}) is not None


def note_deleted(audit: Audit, deletion: SampleDeletion, clock: Clock, trusted: Trust) -> bool:
    """The same for frames that are about to be deleted, at most MOST_IDS a line."""
    ids = [each.name.id for each in deletion.samples]
    for at in range(0, len(ids), MOST_IDS):
        some = ids[at : at + MOST_IDS]
        entry = {"samples": "deleted", "why": deletion.why, "count": len(some), "ids": some}
        if audit.write({**_when(clock, trusted), **entry}) is None:
            return False
    return True


def note_handed_over(
    audit: Audit, request: ClipRequest, frames: int, left_out: int, clock: Clock, trusted: Trust
) -> bool:
    """The station has so many frames of an order, and so many were gone before they could be sent."""
    entry = {
        "samples": "handed_over",
        "request": request.id,
        "issuer": request.issuer,
        "officer": request.officer,
        "purpose": request.purpose,
        "frames": frames,
        "left_out": left_out,
    }
    return audit.write({**_when(clock, trusted), **entry}) is not None


MOST_IDS = 200
"""Of one line: 8 KB, of which several fit into one message to the station."""


def _when(clock: Clock, trusted: Trust) -> dict[str, Any]:
    now = clock.now()
    return {
        "time": rfc3339(moment(now)),
        "trusted": trusted.good,
        "boot_id": boot_id(),
        "mono_ms": round(now.mono_s * 1000),
    }
