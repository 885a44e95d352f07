"""What can be asked of a camera: its zones and rules, as they stand in the configuration."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from agent.core.rules.schedule import TimeWindow
from agent.core.rules.zones import Anchor, Corner, Zone, ZoneId
from agent.core.types import EventKind, Severity
from agent.settings.base import Name, Settings

PERSONS = ("person",)
VEHICLES = ("bicycle", "motorcycle", "car", "van", "bus", "truck")
ROAD_USERS = PERSONS + VEHICLES

Labels = Annotated[tuple[str, ...], Field(min_length=1)]


class BaseRule(Settings):
    """What all rules have in common."""

    event: ClassVar[EventKind]
    """The kind of event that the rule tells."""
    lasting: ClassVar[bool] = True
    """Held back, it may still be told later while it lasts; what happens in an instant may not."""

    id: Name = Field(description="Name of the rule: 3 to 32 of a-z, 0-9 and '-'.")
    severity: Severity = Field(
        Severity.INFO, description="alert is for the duty officer now, info for looking up."
    )
    schedule: tuple[TimeWindow, ...] = Field((), description="When it speaks, local time; empty: always.")
    cooldown_s: float = Field(0.0, ge=0, description="After an event that was told, hold others back so long.")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Labels it tells about; empty for all."""
        return ()


class TrackRule(BaseRule):
    """A rule about road users."""

    labels: Labels = Field(ROAD_USERS, description="Labels of the model that the rule looks at.")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Labels it tells about."""
        return self.labels


class MotionRule(BaseRule):
    """Something moves, known or not: the rule that needs no detector."""

    event = EventKind.MOTION
    kind: Literal["motion"] = "motion"
    zone: ZoneId | None = Field(None, description="Only where this zone is touched; none: the whole view.")
    min_s: float = Field(1.0, ge=0, description="How long it must move, in seconds.")
    gap_s: float = Field(0.6, ge=0, description="Rests up to this long do not interrupt that, in seconds.")
    quiet_s: float = Field(5.0, ge=0, description="Over after so long without motion, in seconds.")
    min_area: float = Field(
        0.0002, ge=0, le=1, description="Regions smaller than this share of the view do not count."
    )


class ObjectRule(TrackRule):
    """The life of each road user."""

    event = EventKind.OBJECT
    kind: Literal["object"] = "object"
    zone: ZoneId | None = Field(None, description="Only those that have been in this zone; none: all.")


class ZoneRule(TrackRule):
    """A road user enters a zone; the event ends when it leaves."""

    event = EventKind.ZONE_ENTERED
    kind: Literal["zone"] = "zone"
    zone: ZoneId = Field(description="The zone.")


class LineRule(TrackRule):
    """A road user goes over a line; `in` from left to right of someone who walks from start to end."""

    event = EventKind.LINE_CROSSED
    lasting = False
    kind: Literal["line"] = "line"
    start: Corner = Field(description="Where the line begins, [x, y].")
    end: Corner = Field(description="Where it ends, [x, y].")
    anchor: Anchor = Field(Anchor.FOOT, description="The point of a box that must go over: foot or center.")
    tell: tuple[Literal["in", "out"], ...] = Field(
        ("in", "out"), description="Directions that make an event; [] only counts."
    )
    count_every_s: float = Field(
        900.0, ge=0, description="Length of a counting interval, in seconds; 0: no counts."
    )
    band: float = Field(0.25, ge=0, le=2, description="Half width of the dead band, in box sizes.")
    min_band: float = Field(0.008, ge=0, le=0.2, description="The least of it, in heights of the frame.")
    linger_s: float = Field(
        4.0, ge=0, le=60, description="The event waits so long for a better picture, in seconds."
    )

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.start == self.end:
            raise ValueError(f"line {self.id}: start and end are the same point; a line needs two")
        return self


class LoiteringRule(TrackRule):
    """Someone stays in a zone."""

    event = EventKind.LOITERING
    kind: Literal["loitering"] = "loitering"
    labels: Labels = Field(PERSONS, description="Labels of the model that the rule looks at.")
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: ZoneId = Field(description="The zone.")
    min_stay_s: float = Field(60.0, ge=0, description="How long someone must stay, in seconds.")
    keep_s: float = Field(
        60.0, ge=0, description="Out of sight, one is taken to stay on for so long, in seconds."
    )
    remember_s: float = Field(
        600.0, ge=0, description="Told once, one who is found again inside is not told for so long, in seconds."
    )


class StoppedVehicleRule(TrackRule):
    """A vehicle stands where none may stand."""

    event = EventKind.STOPPED_VEHICLE
    kind: Literal["stopped_vehicle"] = "stopped_vehicle"
    labels: Labels = Field(VEHICLES, description="Labels of the model that the rule looks at.")
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: ZoneId = Field(description="The zone.")
    min_s: float = Field(60.0, gt=0, description="How long it must stand, in seconds.")
    keep_s: float = Field(
        60.0, ge=0, description="Out of sight, it is taken to stand on for so long, in seconds."
    )
    remember_s: float = Field(
        43_200.0, ge=0, description="Told once, it is not told again for so long unless it moves."
    )


class WrongWayRule(TrackRule):
    """A vehicle goes against the direction of a zone."""

    event = EventKind.WRONG_WAY
    kind: Literal["wrong_way"] = "wrong_way"
    labels: Labels = Field(VEHICLES, description="Labels of the model that the rule looks at.")
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: ZoneId = Field(description="The zone.")
    direction_deg: float = Field(
        ge=0, lt=360, description="The right way on the picture: 0 up, 90 right, 180 down."
    )
    tolerance_deg: float = Field(
        45.0, gt=0, lt=90, description="Wrong is the opposite way, give or take this angle."
    )
    min_distance: float = Field(0.08, gt=0, le=2, description="How far it must go, in heights of the frame.")


class CrowdRule(TrackRule):
    """Many people are in a zone at once."""

    event = EventKind.CROWD
    kind: Literal["crowd"] = "crowd"
    labels: Labels = Field(PERSONS, description="Labels that are counted.")
    severity: Severity = Field(
        Severity.ALERT, description="alert is for the duty officer now, info for looking up."
    )
    zone: ZoneId = Field(description="The zone.")
    min_count: int = Field(8, ge=2, le=500, description="So many make a crowd.")
    min_s: float = Field(20.0, ge=0, description="How long they must be there, in seconds.")
    gap_s: float = Field(
        3.0, ge=0, description="Fewer for up to this long does not interrupt that, in seconds."
    )
    quiet_s: float = Field(15.0, ge=0, description="Over after so long with fewer, in seconds.")


Rule = Annotated[
    MotionRule
    | ObjectRule
    | ZoneRule
    | LineRule
    | LoiteringRule
    | StoppedVehicleRule
    | WrongWayRule
    | CrowdRule,
    Field(discriminator="kind"),
]


class RuleSettings(Settings):
    """Zones and rules of one camera."""

    zones: tuple[Zone, ...] = Field((), max_length=64, description="Named parts of the picture.")
    rules: tuple[Rule, ...] = Field(
        (MotionRule(id="motion"), ObjectRule(id="objects")),
        max_length=64,
        description="What is told: motion, object, zone, line, loitering, stopped_vehicle, wrong_way, crowd.",
    )
    utc_offset_s: int = Field(
        25_200, ge=-43_200, le=50_400, description="Local time for schedules: seconds ahead of UTC."
    )
    update_every_s: float = Field(
        60.0, gt=0, description="An event that lasts is told again so often, in seconds."
    )
    update_gap_s: float = Field(3.0, ge=0, description="Never two updates of one event in less, in seconds.")
    better_by: float = Field(0.2, ge=0, description="A picture is told again when it is better by this share.")
    heir_s: float = Field(
        2.0, ge=0, le=30, description="A lost track may go on under a new id for so long, in seconds."
    )

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> Self:
        known = [zone.id for zone in self.zones]
        for what, ids in (("zone", known), ("rule", [rule.id for rule in self.rules])):
            for name, times in Counter(ids).items():
                if times > 1:
                    raise ValueError(f"{what} {name} is given {times} times; each needs a name of its own")
        for rule in self.rules:
            zone = getattr(rule, "zone", None)
            if zone is not None and zone not in known:
                there = ", ".join(known) or "none"
                raise ValueError(f"rule {rule.id}: there is no zone {zone}; zones of this camera: {there}")
        return self

    def zone(self, name: str) -> Zone:
        """The zone of that name, which exists: the settings were checked."""
        return next(zone for zone in self.zones if zone.id == name)
