"""The words that every stage speaks. All are frozen values; boxes are fractions of the frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:  # a station and a worker of the province speak of events only, and spare numpy's 12 MB
    import numpy as np
    from numpy.typing import NDArray

Image: TypeAlias = "NDArray[np.uint8]"
"""(height, width, 3), BGR, 0..255."""

Plane: TypeAlias = "NDArray[np.uint8]"
"""(height, width), one channel, 0..255."""


@dataclass(frozen=True, slots=True, order=True)
class Instant:
    """A moment on both clocks. Durations use `mono_s` only: a Pi has no battery clock, wall time may step."""

    mono_s: float
    """Seconds of a clock that never steps."""
    wall_s: float
    """Seconds since 1970 UTC, as well as the box knows."""

    def since(self, earlier: Instant) -> float:
        """Seconds from `earlier` to this moment, by the clock that never steps."""
        return self.mono_s - earlier.mono_s


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the frame: 0..1, origin top left, y down."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Fraction of the frame's width."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Fraction of the frame's height."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Fraction of the frame's area; 0 for an inverted box."""
        return max(0.0, self.width) * max(0.0, self.height)

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box (x, y)."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def foot(self) -> tuple[float, float]:
        """Bottom centre (x, y): where a road user touches the road."""
        return (self.left + self.right) / 2, self.bottom

    def moved(self, x: float, y: float) -> Box:
        """The same so far to the right and down."""
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def towards(self, other: Box, share: float) -> Box:
        """The same, nearer to another one by a share of what lies between: 0 stays, 1 is the other."""
        return Box(
            self.left + share * (other.left - self.left),
            self.top + share * (other.top - self.top),
            self.right + share * (other.right - self.right),
            self.bottom + share * (other.bottom - self.bottom),
        )


WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture with its planes as decoded (YUV 4:2:0). `luma` is what motion reads; colour costs on request.

    `luma` is (H, W); `u` and `v` are (H/2, W/2). The arrays are read-only views and may live in shared memory
    that is reused: whoever keeps pixels beyond the update copies them.
    """

    index: int
    """Counts the source's frames from 0; gaps mean frames that were skipped."""
    at: Instant
    luma: Plane
    u: Plane
    v: Plane
    full_range: bool = False
    """True where luma is 0..255 (MJPEG cameras), False for 16..235."""
    lap: int = 0
    """How often the recorded clip had begun again; always 0 of a camera."""

    @property
    def size(self) -> Size:
        """Size in pixels."""
        return Size(self.luma.shape[1], self.luma.shape[0])


@dataclass(frozen=True, slots=True)
class Detection:
    """One object in one picture, as the detector saw it."""

    label: str
    score: float
    """0..1."""
    box: Box
    riders: int = 0
    """Persons on this two-wheeler, where riders were fused with it."""
    label_score: float | None = None
    """How sure the label is, 0..1, where `score` says more than that; None: as sure as the score."""


@dataclass(frozen=True, slots=True)
class StillRegion:
    """Something that came into the view and stands still: a thing, a vehicle or somebody who waits."""

    number: int
    """1 for the first of a camera, and so on; the same while it stands."""
    box: Box
    since: Instant
    """When it came to rest."""


@dataclass(frozen=True, slots=True)
class Motion:
    """What moved in one frame, and what came and stands."""

    regions: tuple[Box, ...]
    """Boxes around what moves, largest first; where the picture never rests, around what goes somewhere."""
    share: float
    """Fraction of the unmasked view that moves, 0..1."""
    settling: bool = False
    """True while the scene is being learned: at start, after a light switch or a day/infrared switch.
    `regions` is empty then; of what moves in such a frame only `changing` is known."""
    standing: tuple[StillRegion, ...] = ()
    """What came since the scene was learned and does not move, however long ago."""
    restless: tuple[Box, ...] = ()
    """Boxes around what else moves where the picture never rests, such as leaves, insects, or somebody before
    leaves who has not gone far yet: no motion is told of it, but the detector looks there."""
    relit: bool = False
    """The light changed strongly and at once a moment ago. What moves is known nevertheless, for the scene was
    brought to the new light; who is in view is not."""
    changing: tuple[Box, ...] = ()
    """Boxes around what changes from frame to frame while the scene is being learned or was relit: no motion is
    told of it, but the detector looks there."""
    shift: tuple[float, float] = (0.0, 0.0)
    """How far to the right and down this frame shows what stands still, in fractions of it: poles sway."""

    @property
    def everywhere(self) -> tuple[Box, ...]:
        """Boxes around all that moves, largest first."""
        if not self.restless:
            return self.regions
        return tuple(sorted((*self.regions, *self.restless), key=lambda box: -box.area))


class Reason(StrEnum):
    """Why the detector looks at a crop."""

    MOTION = "motion"
    TRACK = "track"
    FULL_SCAN = "full_scan"


@dataclass(frozen=True, slots=True)
class Crop:
    """A part of the frame that the detector shall look at."""

    box: Box
    reason: Reason


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the detector told about one frame; the tracker's input.

    A track whose place lies in none of the `looked` boxes was not looked for, and so is not missed.
    """

    at: Instant
    looked: tuple[Box, ...]
    """Empty when the detector did not run on this frame."""
    detections: tuple[Detection, ...]
    moving: tuple[Box, ...] = ()
    """Regions that move, so that a track can be confirmed or kept alive between detector calls."""
    changing: tuple[Box, ...] = ()
    """Where else the picture changes while it is not known what moves: a weak detection may begin a candidate
    there, and nothing else is made of it."""


GUESS_S = 0.65
"""A track that moves is looked at every 0.3 s: what two looks in a row did not find, its box does not show."""


@dataclass(frozen=True, slots=True)
class Track:
    """One object over time, as believed at one instant."""

    id: str
    """UUIDv7; unique over all cameras and restarts."""
    label: str
    """The label that most of the evidence speaks for."""
    score: float
    """Score of the latest matched detection, 0..1."""
    top_score: float
    box: Box
    """Where it is now: matched, or predicted when `seen` is False."""
    velocity: tuple[float, float]
    """Of the box centre, in frame fractions per second (x, y)."""
    started: Instant
    """When it was first seen."""
    last_seen: Instant
    """When a detection last matched."""
    seen: bool
    """A detection matched in this frame."""
    confirmed: bool
    """Seen often enough to be told to anyone; rules ignore the others."""
    stationary: bool = False
    riders: int = 0
    """Persons on this two-wheeler; 0 for everything else."""
    missed: int = 0
    """Looks in a row that did not find it."""
    ended: bool = False
    """The tracker gives it up with this update; it will not come back under this id."""
    static_false_positive: bool = False
    """It was born where something stands that is no road user, and has not moved: it may start no event."""

    def is_guess(self, at: Instant) -> bool:
        """Nobody has seen it for so long that its box is where it may be, and not where it is."""
        return not self.stationary and at.since(self.last_seen) > GUESS_S


class EventKind(StrEnum):
    """What an event reports (wire.md): its word on the wire, and what belongs to it."""

    onvif: str
    """Its topic in ONVIF's event service; what ONVIF does not name lies under our own word `ngatu`."""
    rule: str | None
    """The kind of rule whose event it is: a module of core/rules/kinds. None: the box reports it by itself."""

    def __new__(cls, value: str, onvif: str, rule: str | None = None) -> Self:
        """The word on the wire, with its ONVIF topic and its kind of rule."""
        kind = str.__new__(cls, value)
        kind._value_, kind.onvif, kind.rule = value, onvif, rule
        return kind

    MOTION = "motion", "RuleEngine/MotionRegionDetector/Motion", "motion"
    OBJECT = "object", "RuleEngine/ObjectTrack/Aggregation", "object"
    ZONE_ENTERED = "zone_entered", "RuleEngine/FieldDetector/ObjectsInside", "zone"
    LINE_CROSSED = "line_crossed", "RuleEngine/LineDetector/Crossed", "line"
    LOITERING = "loitering", "RuleEngine/LoiteringDetector/ObjectIsLoitering", "loitering"
    STOPPED_VEHICLE = "stopped_vehicle", "RuleEngine/ngatu/StoppedVehicle", "stopped_vehicle"
    WRONG_WAY = "wrong_way", "RuleEngine/ngatu/WrongWay", "wrong_way"
    CROWD = "crowd", "RuleEngine/ngatu/Crowd", "crowd"
    OBJECT_LEFT = "object_left", "RuleEngine/ngatu/ObjectLeft", "left_object"
    CAMERA_LOST = "camera_lost", "VideoSource/SignalLoss"
    CAMERA_BLIND = "camera_blind", "VideoSource/GlobalSceneChange"
    STORAGE_FULL = "storage_full", "Device/HardwareFailure/StorageFailure"
    STORAGE_RAM_ONLY = "storage_ram_only", "Device/HardwareFailure/StorageFailure"
    STORAGE_CORRUPT = "storage_corrupt", "Device/HardwareFailure/StorageFailure"
    OUTBOX_FORKED = "outbox_forked", "Device/ngatu/OutboxForked"
    IDENTITY_TAKEN = "identity_taken", "Device/ngatu/IdentityTaken"
    RECORDING_STOPPED = "recording_stopped", "RecordingConfig/JobState"
    CLOCK_UNTRUSTED = "clock_untrusted", "Monitoring/OperatingTime/LastClockSynchronization"
    OVERHEATED = "overheated", "Device/Sensor/Temperature/High"
    AGENT_RESTARTED = "agent_restarted", "Monitoring/OperatingTime/LastReboot"
    MODEL_TRIED = "model_tried", "Device/ngatu/ModelTried"


class Phase(StrEnum):
    """Where in its life an event is."""

    START = "start"
    UPDATE = "update"
    END = "end"


class Severity(StrEnum):
    """How much it presses: an alert is for the duty officer now, the rest is for looking up."""

    INFO = "info"
    ALERT = "alert"


class EndReason(StrEnum):
    """Why an event ended."""

    LEFT = "left"
    LOST = "lost"
    CAMERA_LOST = "camera_lost"
    STOPPED = "stopped"
    """The agent was stopped, by a person, by the service or by an order: nobody watches on."""
    AGENT_RESTARTED = "agent_restarted"
    """The agent ended without closing it, and the next life found it open."""
    TOO_OLD = "too_old"
    PAUSED = "paused"
    """The station has paused the camera."""
    CLIP_RESTARTED = "clip_restarted"
    """The recorded clip began again: what was to be seen is somewhere else at once. Never of a camera."""


class ColourWord(StrEnum):
    """The eleven basic colour terms (Berlin and Kay, 1969)."""

    BLACK = "black"
    WHITE = "white"
    GREY = "grey"
    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    PURPLE = "purple"
    PINK = "pink"
    BROWN = "brown"


@dataclass(frozen=True, slots=True)
class Colour:
    """The colour of one part of a road user."""

    word: ColourWord | None
    """None: nobody could say, as at night."""
    confidence: float
    """0..1: the share of the part that has this colour."""


@dataclass(frozen=True, slots=True)
class Colours:
    """What of a road user has a colour; None: it has no such part, or no picture."""

    vehicle: Colour | None = None
    clothes: Colour | None = None
    """Of who walks or rides."""


NO_COLOURS = Colours()


@dataclass(frozen=True, slots=True)
class ObjectState:
    """The road user an event is about, as known when the message was made."""

    track_id: str
    label: str
    score: float
    top_score: float
    riders: int
    box: Box
    started: Instant
    ended: Instant | None
    stationary: bool
    zones: tuple[str, ...]
    """Zones it is in now."""
    entered_zones: tuple[str, ...]
    """Zones it has been in, in order."""
    path: tuple[tuple[float, float, float], ...]
    """(seconds since start, x, y) of its foot, thinned to at most 32 points."""
    colours: Colours = NO_COLOURS
    """Of its best picture."""


class SensitiveKind(StrEnum):
    """What of a picture tells who somebody is."""

    HEAD = "head"
    PLATE = "plate"


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A part of a picture in which a head or a plate is."""

    kind: SensitiveKind
    box: Box
    """In fractions of the picture; it may go beyond it."""
    rows: int
    """So many rows of one colour each make it unrecognisable."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture kept for an event: cropped from the frame, already copied."""

    image: Image
    at: Instant
    box: Box
    """The object in fractions of `image`."""
    quality: float
    """0..1: how well it shows the object (size, sharpness, wholeness, score)."""
    sensitive: tuple[Sensitive, ...] = ()
    """What may have to be taken out before anybody is shown it."""
    part: Box | None = None
    """Which part of the frame `image` shows; None: it is not known."""
    from_main: bool = False
    """Out of the camera's main stream, not of the one that is watched."""
    colours: Colours | None = None
    """Of the road user; None: it was not looked for."""


@dataclass(frozen=True, slots=True)
class Event:
    """One message of an event's life; complete by itself."""

    id: str
    """UUIDv7; the same over the event's life."""
    revision: int
    """1 at the start, one more with each message."""
    kind: EventKind
    phase: Phase
    severity: Severity
    at: Instant
    """When the thing happened that this message tells."""
    rule_id: str
    rule_kind: str
    started: Instant
    frame: Size | None = None
    object: ObjectState | None = None
    region: Box | None = None
    """Where it moves, for events without an object."""
    direction: str | None = None
    end_reason: EndReason | None = None
    detail: str | None = None
    """One word more: 'covered' for a blind camera, the error's text for a lost one."""
    suppressed: int = 0
    """How many like it were held back by the rule's cooldown since the last one that was told."""
    thumbnail: Shot | None = None
    """The best picture so far, when it is new since the last message."""
    scene: Shot | None = None
    """The whole view, on alerts."""


@dataclass(frozen=True, slots=True)
class Count:
    """A closed interval of a counting rule."""

    rule_id: str
    start: Instant
    end: Instant
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """label -> direction -> number."""
