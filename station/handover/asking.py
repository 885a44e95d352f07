"""From the fields of a form to what is asked of a box, refused with clear words where that cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from agent.errors import UsageError
from agent.printable import printable
from agent.translatable import tr
from agent.wire.verbs import CASE_LETTERS, MAX_CLIP_S, PURPOSE_LETTERS
from station.footage.wanted import ClipWanted
from station.lookup.places import BoxPlace

AHEAD: Final = timedelta(seconds=60)
"""Clocks of box and station are not the same."""
AROUND: Final = timedelta(seconds=30)
"""So much before and after a moment is what is asked for around it."""


@dataclass(frozen=True, slots=True)
class ClipForm:
    """As typed; moments as a browser writes them, local: 2026-11-27T14:03:22."""

    place: str = ""
    """BOX/CAMERA."""
    since: str = ""
    until: str = ""
    case_number: str = ""
    purpose: str = ""


def around(at: datetime, zone: tzinfo) -> tuple[str, str]:
    """`since` and `until` of a form for a moment."""
    return typed(at - AROUND, zone), typed(at + AROUND, zone)


def typed(at: datetime, zone: tzinfo) -> str:
    """A moment as a field of a form has it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M:%S}"


def wanted_of(
    form: ClipForm, places: Iterable[BoxPlace], officer: str, issuer: str, now: datetime, zone: tzinfo
) -> ClipWanted:
    """What the form asks for; nothing was sent yet.

    Raises:
        UsageError: it cannot be asked for; the text says why, the hint what to change.
    """
    device, _, camera = form.place.partition("/")
    if not any(place.device == device and camera in _names(place) for place in places):
        raise UsageError(tr("no such camera is known here"), tr("choose one of the list"))
    since, until = _moment(form.since, zone), _moment(form.until, zone)
    if since is None or until is None:
        raise UsageError(tr("from when until when?"), tr("give day and time of both"))
    if until <= since:
        raise UsageError(tr("the end is not after the beginning"), tr("mend one of the two times"))
    if (until - since).total_seconds() > MAX_CLIP_S:
        raise UsageError(tr("that is more than an hour"), tr("ask for an hour at most, and again for the rest"))
    if since > now + AHEAD:
        raise UsageError(tr("that has not happened yet"), tr("mend the beginning"))
    case_number, purpose = (" ".join(printable(text).split()) for text in (form.case_number, form.purpose))
    for text, what, most in (
        (case_number, tr("the case number"), CASE_LETTERS),
        (purpose, tr("the purpose"), PURPOSE_LETTERS),
    ):
        if not text:
            raise UsageError(tr("{what} is missing", what=what), tr("without it no footage leaves a box"))
        if len(text) > most:
            raise UsageError(tr("{what} is too long", what=what), tr("{most} letters at most", most=most))
    return ClipWanted(device, camera, since, until, case_number, purpose, officer, issuer)


def _names(place: BoxPlace) -> set[str]:
    return {camera.name for camera in place.cameras}


def _moment(text: str, zone: tzinfo) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone) if text else None
    except ValueError:
        return None
