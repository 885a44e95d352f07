"""Samples as a store is given them, and a store that notes what it would write into the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from agent.core.ids import uuid7
from agent.core.types import Instant
from agent.evidence.encryption import Recipients
from agent.evidence.samples.sample import Proposal, SampleName, SampleNote
from agent.evidence.samples.settings import SamplesSettings
from agent.evidence.samples.store import SampleDeletion, SampleStore

NOON_MS = 1_796_126_400_000
"""2026-12-01, 12:00 UTC."""
NOTE = SampleNote(
    id="",
    camera="road",
    taken="2026-12-01T12:00:00.000Z",
    clock="ntp",
    clock_error_ms=3,
    reason="missed_motion",
    place="1x1",
    condition="day-plain",
    worth=1.0,
    proposals=(Proposal("motorcycle", 0.62, 0.25, 0.5, 0.5, 0.75, "detector"),),
    about=(0.1, 0.2, 0.3, 0.4),
    width_px=64,
    height_px=48,
    jpeg_sha256="ab" * 32,
    blur="heads",
    mask_sha256=None,
    box="test-commune/test-box-01",
    version="0.1.0",
    config_sha256="cd" * 32,
    model="yolox-nano",
    model_sha256="ef" * 32,
    purpose="a better detector for two-wheelers",
    legal_basis="Decision 12/QD-UBND",
)


def jpeg(padding: int = 0) -> bytes:
    """A small picture, with so many bytes behind its end."""
    done, data = cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))
    assert done
    return bytes(data) + b"\0" * padding


def sample(
    number: int, worth: float = 1.0, camera: str = "road", after_s: float = 0.0
) -> tuple[SampleName, SampleNote]:
    """The one with this number, taken so long after noon."""
    taken_ms = NOON_MS + int(after_s * 1000)
    sample_id = uuid7(Instant(0.0, taken_ms / 1000), b"samples for the tests", number)
    name = SampleName(taken_ms, camera, "missed_motion", "1x1", 12, worth, sample_id)
    return name, replace(NOTE, id=sample_id, camera=camera, worth=worth)


def chosen(**more: object) -> SamplesSettings:
    """Settings with room for all that a test keeps, but for what it changes."""
    roomy = {"enabled": True, "purpose": "p", "legal_basis": "l", "per_hour": 120, "per_day": 1000, "max_mb": 1}
    return SamplesSettings.model_validate({**roomy, **more})


@dataclass
class Opened:
    """A store in a folder, and what it noted."""

    state: Path
    settings: SamplesSettings = field(default_factory=chosen)
    recipients: Recipients | None = None
    free_bytes: int = 10**12
    writes: bool = True
    """Whether the audit log can be written."""
    noted: list[str] = field(default_factory=list)
    deleted: list[SampleDeletion] = field(default_factory=list)
    stores: list[SampleStore] = field(default_factory=list)

    def open(self) -> SampleStore:
        """As a life of the agent opens it."""
        self.stores.append(
            SampleStore(
                self.state / "samples",
                self.settings,
                self.recipients,
                self._note,
                self._note_deleted,
                lambda _: self.free_bytes,
            )
        )
        return self.stores[-1]

    def close(self) -> None:
        """Of all lives."""
        for store in self.stores:
            store.close()

    def _note(self, name: SampleName, _note: SampleNote) -> bool:
        if self.writes:
            self.noted.append(name.id)
        return self.writes

    def _note_deleted(self, deletion: SampleDeletion) -> bool:
        self.deleted.append(deletion)
        return self.writes
