"""What all rules have in common, and what is set once for all rules of a camera."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from agent.core.geometry import Point
from agent.core.rules.schedule import TimeWindow
from agent.core.rules.zones import Zone
from agent.core.types import EventKind, Severity
from agent.settings.base import Name, Settings, Title
from agent.translatable import tr

PERSONS = ("person",)
VEHICLES = ("bicycle", "motorcycle", "car", "van", "bus", "truck")
ROAD_USERS = PERSONS + VEHICLES

Labels = Annotated[tuple[str, ...], Field(min_length=1)]


class BaseRule(Settings):
    """What all rules have in common. Each kind adds its literal `kind`, and says what it is about."""

    event: ClassVar[EventKind]
    """The kind of event that the rule tells."""
    meaning: ClassVar[str]
    """When it tells something, in a few words for whoever chooses among the kinds."""
    lasting: ClassVar[bool] = True
    """Held back, it may still be told later while it lasts; what happens in an instant may not."""
    needs_detector: ClassVar[bool] = True
    """Without the detector it has nothing to look at."""

    id: Name = Field(description=tr("Name of the rule."))
    title: Title = Field("", description="What officers read in place of the id; empty: the id.")
    severity: Severity = Field(
        Severity.INFO, description="alert is for the duty officer now, info for looking up."
    )
    schedule: tuple[TimeWindow, ...] = Field((), description="When it speaks, local time; empty: always.")
    cooldown_s: float = Field(0.0, ge=0, description="After an event that was told, hold others back so long.")

    @classmethod
    def kind_name(cls) -> str:
        """The word that chooses this kind in the configuration."""
        return str(cls.model_fields["kind"].default)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Labels it tells about; empty for all."""
        return ()

    @property
    def zone_id(self) -> Name | None:
        """The zone that it watches, if it is about one."""
        return getattr(self, "zone", None)

    @property
    def ends(self) -> tuple[Point, ...]:
        """Start and end of its line, which is crossed `in` from left to right; empty for rules without one."""
        return ()


class TrackRule(BaseRule):
    """A rule about road users."""

    labels: Labels = Field(ROAD_USERS, description="Labels of the model that the rule looks at.")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Labels it tells about."""
        return self.labels


class EventSettings(Settings):
    """How often an event is told again, and how a road user keeps its event."""

    update_every_s: float = Field(
        60.0, gt=0, description="An event that lasts is told again so often, in seconds."
    )
    update_gap_s: float = Field(3.0, ge=0, description="Never two updates of one event in less, in seconds.")
    better_by: float = Field(0.2, ge=0, description="A picture is told again when it is better by this share.")
    link_s: float = Field(
        2.0, ge=0, le=30, description="A lost track may go on under a new id for so long, in seconds."
    )


class SharedRuleSettings(EventSettings):
    """What all rules of one camera share: its zones, its local time, and how events are told again."""

    zones: tuple[Zone, ...] = Field((), max_length=64, description="Named parts of the picture.")
    utc_offset_s: int = Field(
        25_200, ge=-43_200, le=50_400, description="Local time for schedules: seconds ahead of UTC."
    )

    def zone(self, name: str) -> Zone:
        """The zone of that name, which exists: the settings were checked."""
        return next(zone for zone in self.zones if zone.id == name)
