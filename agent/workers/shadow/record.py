"""How far the trial of a model is, on the disk: it goes on there after a restart and after a power cut.

A file beside the outbox, replaced at once. It belongs to one pair of models: with another it begins anew. What
cannot be read begins anew too, so that no damage brings a model into use.

    running ──▶ passed ──▶ taken     the box starts with the new model, and then it has taken it
       └───────────┴────▶ failed     it is never looked through again, until a configuration without it was run
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from agent.core.shadow.comparison import FoundObjects, ShadowComparison, ShadowFailure
from agent.core.shadow.histogram import TimeHistogram

NAME: Final = "shadow.json"
FORM: Final = 1
MAX_BYTES: Final = 1 << 20


class ShadowState(StrEnum):
    """Where a trial is."""

    RUNNING = "running"
    PASSED = "passed"
    """It comes into use with the next start, which is soon."""
    TAKEN = "taken"
    """It is in use."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ShadowRecord:
    """One trial: of which models, where it is, and what was seen."""

    old_sha256: str
    new_sha256: str
    state: ShadowState = ShadowState.RUNNING
    why: str = ""
    """What it passed by, or failed for."""
    reported: bool = False
    """The station's outbox has the outcome."""
    seen: ShadowComparison = field(default_factory=ShadowComparison)

    def ended(self, state: ShadowState, why: str) -> ShadowRecord:
        """With this outcome, which is to be reported."""
        return replace(self, state=state, why=why, reported=False)


def load(folder: Path, old_sha256: str, new_sha256: str) -> ShadowRecord:
    """The trial of this pair as it was left, else one that begins."""
    fresh = ShadowRecord(old_sha256, new_sha256)
    try:
        with (folder / NAME).open("rb") as file:
            said = json.loads(file.read(MAX_BYTES))
        if said["form"] != FORM or (said["old_sha256"], said["new_sha256"]) != (old_sha256, new_sha256):
            return fresh
        return replace(
            fresh,
            state=ShadowState(said["state"]),
            why=str(said["why"]),
            reported=bool(said["reported"]),
            seen=_seen(said["seen"]),
        )
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return fresh


def save(folder: Path, record: ShadowRecord) -> bool:
    """Replace the file, so that a power cut leaves the old or the new one; False: the disk did not take it."""
    path, fresh = folder / NAME, folder / f"{NAME}.new"
    try:
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(_plain(record), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _sync(folder)
    except OSError:
        return False
    return True


def forget(folder: Path) -> None:
    """No model is in the shadow any more: one that comes later begins anew."""
    with suppress(OSError):
        (folder / NAME).unlink()
        _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(record: ShadowRecord) -> dict[str, Any]:
    seen = record.seen
    return {
        "form": FORM,
        "old_sha256": record.old_sha256,
        "new_sha256": record.new_sha256,
        "state": record.state.value,
        "why": record.why,
        "reported": record.reported,
        "seen": {
            "watched_s": seen.watched_s,
            "crops": seen.crops,
            "labels": _kinds(seen.labels),
            "sizes": _kinds(seen.sizes),
            "only_new": dict(seen.only_new),
            "rests": seen.rests,
            "in_rests": seen.in_rests,
            "failures": {how.value: many for how, many in seen.failures.items()},
            "why": seen.why,
            "broken": seen.broken,
            "old_ms": dict(seen.old_ms.buckets),
            "new_ms": dict(seen.new_ms.buckets),
            "old_mb": seen.old_mb,
            "new_mb": seen.new_mb,
        },
    }


def _kinds(kinds: Any) -> dict[str, list[int]]:
    return {kind: [each.objects, each.found, each.same_label] for kind, each in kinds.items()}


def _seen(said: Any) -> ShadowComparison:
    """Raises: ValueError, TypeError, LookupError, AttributeError: that is none."""
    return ShadowComparison(
        watched_s=_amount(said["watched_s"]),
        crops=_whole(said["crops"]),
        labels=_found(said["labels"]),
        sizes=_found(said["sizes"]),
        only_new={str(label): _whole(many) for label, many in said["only_new"].items()},
        rests=_whole(said["rests"]),
        in_rests=_whole(said["in_rests"]),
        failures={ShadowFailure(how): _whole(many) for how, many in said["failures"].items()},
        why=str(said["why"]),
        broken=str(said["broken"]),
        old_ms=_times(said["old_ms"]),
        new_ms=_times(said["new_ms"]),
        old_mb=_amount(said["old_mb"]),
        new_mb=_amount(said["new_mb"]),
    )


def _found(said: Any) -> dict[str, FoundObjects]:
    found = {}
    for kind, numbers in said.items():
        objects, matched, same = (_whole(each) for each in numbers)
        if not objects >= matched >= same:
            raise ValueError("more found than there was")
        found[str(kind)] = FoundObjects(objects, matched, same)
    return found


def _times(said: Any) -> TimeHistogram:
    return TimeHistogram({int(place): _whole(many) for place, many in said.items()})


def _whole(said: Any) -> int:
    if type(said) is not int or said < 0:
        raise ValueError("no count")
    return said


def _amount(said: Any) -> float:
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < 1e12:
        raise ValueError("no amount")
    return float(said)
