"""The public notice at the pole: who records, why, by what right, for how long, and whom to ask.

People must be told that a place is watched (Law 91/2025/QH15, as it was reported). What the notice says comes
from the configuration, so that it cannot promise what the box does not do; what the configuration lacks is
told, and left blank to be written by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from agent.settings.base import Settings
from agent.status.device import DeviceSettings
from agent.translatable import joined, tr

BLANK: Final = "______________________________"


class NoticeSettings(Settings):
    """What the public notice says beside the device's purpose and legal basis, in the words of the notice."""

    operator: str = Field(
        "", max_length=200, description="Who records: the authority that answers for the cameras."
    )
    contact: str = Field("", max_length=300, description="Whom people ask: office, address, telephone, hours.")
    events_days: int | None = Field(
        None, ge=1, le=3650, description="How long the station keeps what was told, in days; null: not said."
    )
    pictures_days: int | None = Field(
        None, ge=1, le=3650, description="How long the station keeps pictures of events; null: not said."
    )
    placed: str = Field(
        "",
        max_length=300,
        description="Where and when the notice was hung up, and where its photograph lies. Empty: a warning.",
    )


@dataclass(frozen=True, slots=True)
class RecordedFacts:
    """What a box does that people must be told of."""

    cameras: int
    masked: int
    """Cameras of whose view a part is hidden."""
    blur: str
    """none, heads or heads_and_plates."""
    footage_days: float | None
    """How long footage is kept at most; None: nothing is recorded."""
    footage_cameras: int = 0
    role: str = "community"
    """In that of enforcement no footage goes before the station has it."""
    colours: bool = False
    """Whether the colour of clothes and vehicles is told."""
    samples_days: float | None = None
    """How long frames for training are kept at most; None: none are kept."""
    samples_purpose: str = ""
    """What for, as the configuration says it."""
    samples_by_order: bool = False
    """Whether the station may have them sent, where they live on."""


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """What stands on it."""

    title: str
    rows: tuple[tuple[str, str], ...]
    """Heading and text."""


def notice(device: DeviceSettings, settings: NoticeSettings, facts: RecordedFacts) -> PublicNotice:
    """The notice of a box; a field that the configuration lacks is a blank line."""
    return PublicNotice(
        tr("This place is watched by cameras"),
        (
            (tr("Who records"), settings.operator or BLANK),
            (tr("What for"), device.purpose or BLANK),
            (tr("Legal basis"), device.legal_basis or BLANK),
            (tr("What is recorded"), _recorded(facts)),
            *_colours(facts),
            (tr("How long it is kept"), _kept(settings, facts)),
            *_samples(facts),
            (tr("What is not done"), _not_done(facts)),
            (tr("Your questions and rights"), settings.contact or BLANK),
            (tr("Place"), f"{device.place or BLANK} ({device.commune}/{device.id})"),
        ),
    )


def lacking(device: DeviceSettings, settings: NoticeSettings) -> Iterator[tuple[str, str]]:
    """What the law asks and the configuration does not say: the setting, and why it is asked for."""
    if not device.purpose:
        yield "device.purpose", tr("people must be told what they are recorded for")
    if not device.legal_basis:
        yield "device.legal_basis", tr("the decision or provision that allows the cameras")
    if not settings.operator:
        yield "notice.operator", tr("people must be told who records")
    if not settings.contact:
        yield "notice.contact", tr("people must know whom to ask for what is kept of them")
    if settings.events_days is None:
        yield "notice.events_days", tr("data are kept no longer than their purpose needs: say how long")
    if settings.pictures_days is None:
        yield "notice.pictures_days", tr("a picture shows people: say how long it is kept")
    if not device.place:
        yield "device.place", tr("the place that is watched")
    if not settings.placed:
        yield "notice.placed", tr("where and when the notice was hung up; note it once it hangs")


def _recorded(facts: RecordedFacts) -> str:
    if facts.footage_days is not None:
        return tr(
            "{cameras} camera(s): what happens in traffic and in public order, with still pictures of people "
            "and vehicles; of {footage} camera(s) video. No sound.",
            cameras=facts.cameras,
            footage=facts.footage_cameras,
        )
    return tr(
        "{cameras} camera(s): what happens in traffic and in public order, with still pictures of people and "
        "vehicles. No video is kept. No sound.",
        cameras=facts.cameras,
    )


def _colours(facts: RecordedFacts) -> tuple[tuple[str, str], ...]:
    if not facts.colours:
        return ()
    return ((tr("Also told"), tr("the colour of clothes and of vehicles, in one word")),)


def _kept(settings: NoticeSettings, facts: RecordedFacts) -> str:
    events = _days(settings.events_days)
    pictures = _days(settings.pictures_days)
    live = tr(
        "what an officer looks at live is kept by nobody but that officer, who answers for it; who looked and "
        "what for stays on record"
    )
    if facts.footage_days is None:
        return tr(
            "reports: {events}; pictures: {pictures}; {live}", events=events, pictures=pictures, live=live
        )
    return tr(
        "reports: {events}; pictures: {pictures}; {video}; what is handed over for a case, as long as the "
        "case; {live}",
        events=events,
        pictures=pictures,
        video=_video(facts),
        live=live,
    )


def _samples(facts: RecordedFacts) -> tuple[tuple[str, str], ...]:
    if facts.samples_days is None:
        return ()
    said = tr(
        "some small pictures to improve the system, at most {days:g} days on this device: {purpose}",
        days=facts.samples_days,
        purpose=facts.samples_purpose,
    )
    if facts.samples_by_order:
        said = joined("; ", (said, tr("the station may have them sent, for this purpose")))
    return ((tr("Also kept"), said),)


def _video(facts: RecordedFacts) -> str:
    if facts.role == "enforcement":
        return tr("video: {footage:g} days, and longer until the station has it", footage=facts.footage_days)
    return tr(
        "video: at most {footage:g} days, unless it is held for a case or the clock is not sure",
        footage=facts.footage_days,
    )


def _days(days: int | None) -> str:
    return BLANK if days is None else tr("{days} days", days=days)


def _not_done(facts: RecordedFacts) -> str:
    plain = tr("No face is recognised and no number plate is read by the system.")
    masked = (
        tr(" Private places in the view of {masked} camera(s) are hidden from the start.", masked=facts.masked)
        if facts.masked
        else ""
    )
    blurred = (
        tr(" In pictures, not in video, heads of people whom the system finds are made unrecognisable.")
        if facts.blur != "none"
        else ""
    )
    return tr("{plain}{masked}{blurred}", plain=plain, masked=masked, blurred=blurred)
