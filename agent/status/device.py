"""Who and where a box is, and by what right it looks: the settings that stand in its birth message."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from agent.settings.base import LONGEST_PLACE, Name, Settings
from agent.translatable import tr


class Location(Settings):
    """Where the box stands, on the map (WGS 84)."""

    latitude: float = Field(ge=-90, le=90, examples=[20.9462], description=tr("Degrees north of the equator."))
    longitude: float = Field(ge=-180, le=180, examples=[106.3319], description=tr("Degrees east of Greenwich."))


def _offset_s(text: str) -> int:
    seconds = int(text[1:3]) * 3600 + int(text[4:]) * 60
    return -seconds if text.startswith("-") else seconds


def _inhabited(text: str) -> str:
    if not -12 * 3600 <= _offset_s(text) <= 14 * 3600:
        raise ValueError(tr("no place on earth has the local time {text}; -12:00..+14:00", text=text))
    return text


UtcOffset = Annotated[
    str, StringConstraints(pattern=r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"), AfterValidator(_inhabited)
]


class DeviceSettings(Settings):
    """Who and where the box is, and by what right it looks."""

    commune: Name = Field(
        description=tr("The commune: stands in every topic, and in the access rules of the broker.")
    )
    id: Name = Field(description=tr("The box: the name in its certificate, its topics and its events."))
    place: str = Field(
        "", max_length=LONGEST_PLACE, description="The place in words, for the officers' screen."
    )
    location: Location | None = Field(None, description="The place on the map.")
    role: Literal["community", "enforcement"] = Field(
        "community",
        description="community: footage is deleted by age; enforcement: records of violations are deleted only "
        "after the station has them and a signed record exists (Circular 67/2024/TT-BCA). A wrong role breaks "
        "the law.",
    )
    purpose: str = Field(
        "",
        max_length=500,
        description="What the pictures are for, as the public notice says it. Empty: a warning.",
    )
    legal_basis: str = Field(
        "",
        max_length=500,
        description="The decision or provision that allows the cameras (Law 91/2025/QH15 asks for one). "
        "Empty: a warning.",
    )
    utc_offset: UtcOffset = Field(
        "+07:00", description="Local time, for the schedules of rules: hours and minutes ahead of UTC."
    )

    @property
    def utc_offset_s(self) -> int:
        """Seconds that local time is ahead of UTC."""
        return _offset_s(self.utc_offset)
