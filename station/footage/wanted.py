"""What somebody asks a box to hand over: which camera, from when to when, who asks, and what for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from agent.cli.moments import moment
from agent.errors import UsageError
from agent.translatable import tr

EXAMPLE: Final = tr(
    'write: ngatu clip hai-ninh-03 north --from 18:00 --to 18:02 --case 12/2026 --purpose "collision" '
    '--officer "Lê Văn A"'
)


@dataclass(frozen=True, slots=True)
class ClipWanted:
    """What is to be asked for, and by whom."""

    box: str
    camera: str
    from_time: datetime
    to_time: datetime
    case_number: str
    purpose: str
    officer: str
    issuer: str
    """Who sends the order."""
    name: str | None = None
    """The request's id; None: a new one. One that is there already is not asked for a second time."""


@dataclass(frozen=True, slots=True)
class Given:
    """The words of a command line."""

    box: str | None
    camera: str | None
    since: str | None
    until: str | None
    case_number: str | None
    purpose: str | None
    officer: str | None


def clip_wanted(given: Given, issuer: str, now: datetime) -> ClipWanted:
    """What these words ask for, times in the local zone.

    Raises:
        UsageError, ConfigError: some are missing, or are no moments, or no range.
    """
    names = ("BOX", "CAMERA", "--from", "--to", "--case", "--purpose", "--officer")
    values = (
        given.box, given.camera, given.since, given.until, given.case_number, given.purpose, given.officer,
    )  # fmt: skip
    lacking = [name for name, value in zip(names, values, strict=True) if not value]
    if lacking:
        raise UsageError(tr("these are missing: {names}", names=", ".join(lacking)), EXAMPLE)
    box, camera, since, until, case_number, purpose, officer = (value or "" for value in values)
    first, last = moment(since, now, "--from"), moment(until, now, "--to")
    if first >= last:
        what = tr(
            "--to: {last:%Y-%m-%d %H:%M:%S} is not after {first:%Y-%m-%d %H:%M:%S}", last=last, first=first
        )
        raise UsageError(what, tr("a time without a day is today's"))
    return ClipWanted(box, camera, first, last, case_number, purpose, officer, issuer)
