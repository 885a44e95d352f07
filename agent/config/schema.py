"""The configuration of a box: one YAML file, gathered from the settings that each part declares.

`load` gives a Config that is right in every value and across values, or one ConfigError that tells every
mistake.
"""

from __future__ import annotations

import hashlib
import json
from copy import copy
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from agent.cameras.settings import CameraSettings, FileSource, RtspSource, UsbSource
from agent.commands.policy import CommandSettings
from agent.config.cross_check import cross_check
from agent.core.attention.settings import AttentionSettings
from agent.core.motion.frame_gate import FrameGateSettings
from agent.core.motion.settings import MotionSettings
from agent.core.pipeline import PipelineSettings
from agent.core.rules.registry import Rule
from agent.core.rules.rule import EventSettings
from agent.core.rules.settings import RuleSettings
from agent.core.rules.zones import Zone
from agent.core.tamper.settings import TamperSettings
from agent.core.throttle import ThrottleSettings
from agent.core.tracking.best_shot import BestShotSettings
from agent.core.tracking.riders import RiderSettings
from agent.core.tracking.static_false_positives import StaticFalsePositiveSettings
from agent.core.tracking.tracker import TrackSettings
from agent.detectors.settings import DetectorSettings
from agent.errors import ConfigError
from agent.evidence.samples.settings import SamplesSettings
from agent.evidence.settings import EvidenceSettings, RecordSettings
from agent.language import Language
from agent.mqtt.settings import BrokerSettings
from agent.outbox.outbox import OutboxSettings
from agent.publishing.jpeg import ThumbnailSettings
from agent.settings.base import Settings
from agent.settings.diagnostics import read_bounded, read_settings
from agent.settings.quoting import dotted
from agent.status.device import DeviceSettings
from agent.status.health import HealthSettings
from agent.status.notice import NoticeSettings
from agent.translatable import tr


class BrokerConfig(BrokerSettings):
    """Where the broker is, and how messages go there."""

    # Required here: a box that silently talks to itself is worse than one that does not start.
    host: str = Field(min_length=1, max_length=253, description=tr("The broker's name or address."))


class LogSettings(Settings):
    """What the agent writes about its own work, to standard output."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is written."
    )
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="auto: for people on a terminal, JSON everywhere else."
    )


def _judge_field(name: str) -> Any:
    """The declaration of a judge's setting: said once, with the rules, and shown here in another place."""
    return copy(RuleSettings.model_fields[name])


class RecordConfig(RecordSettings):
    """What of a camera is recorded."""

    source: Annotated[RtspSource | UsbSource | FileSource, Field(discriminator="kind")] | None = Field(
        None,
        description="The main stream, recorded while the camera's own `source` is watched; null: that one.",
    )


class CameraConfig(CameraSettings):
    """One camera: where its pictures come from, what must never be seen of them, and what is looked for."""

    record: RecordConfig = Field(RecordConfig(), description="What of it is recorded.")
    zones: tuple[Zone, ...] = _judge_field("zones")
    rules: tuple[Rule, ...] = _judge_field("rules")
    frame_gate: FrameGateSettings = Field(
        FrameGateSettings(), description="How a quiet view is watched between two whole looks."
    )
    motion: MotionSettings = Field(MotionSettings(), description="What counts as motion.")
    attention: AttentionSettings = Field(
        AttentionSettings(), description="Where and how often the detector looks."
    )
    tracking: TrackSettings = Field(TrackSettings(), description="How detections become tracks.")
    riders: RiderSettings = Field(RiderSettings(), description="When a person rides a two-wheeler.")
    static_false_positives: StaticFalsePositiveSettings = Field(
        StaticFalsePositiveSettings(), description="How things that only look like road users are remembered."
    )
    best_shot: BestShotSettings = Field(BestShotSettings(), description="How pictures are chosen and cut out.")
    events: EventSettings = Field(EventSettings(), description="How often an event is told again.")
    tamper: TamperSettings = Field(
        TamperSettings(), description="When the camera counts as blind: covered, dark, blurred, moved."
    )

    def pipeline(self, device: DeviceSettings) -> PipelineSettings:
        """What the stages of this camera obey, with the box's local time for its rules."""
        rules = RuleSettings(
            zones=self.zones, rules=self.rules, utc_offset_s=device.utc_offset_s, **dict(self.events)
        )
        return PipelineSettings(
            frame_gate=self.frame_gate,
            motion=self.motion,
            attention=self.attention,
            riders=self.riders,
            tracking=self.tracking,
            static_false_positives=self.static_false_positives,
            best_shot=self.best_shot,
            rules=rules,
            tamper=self.tamper,
        )


class Config(Settings):
    """Everything that can be said to a box."""

    device: DeviceSettings = Field(description=tr("Who and where the box is, and by what right it looks."))
    broker: BrokerConfig = Field(description=tr("Where the broker is, and how messages go there."))
    state_dir: Path = Field(
        Path("/var/lib/ngatu"),
        validate_default=False,  # pydantic's JSON mode refuses a Path that is no text, even as a default
        description="Folder for what outlives a restart: the outbox and the clips.",
    )
    outbox: OutboxSettings = Field(OutboxSettings(), description="How much may wait for the station.")
    thumbnail: ThumbnailSettings = Field(
        ThumbnailSettings(), description="How large the pictures of events may be."
    )
    detector: DetectorSettings = Field(DetectorSettings(), description="Which network finds the objects.")
    throttle: ThrottleSettings = Field(
        ThrottleSettings(), description="When the box looks at fewer pictures, because it is hot or busy."
    )
    evidence: EvidenceSettings = Field(
        EvidenceSettings(), description="Where footage lies, how much of it and how long, and who can read it."
    )
    samples: SamplesSettings = Field(
        SamplesSettings(), description="Frames that are kept to train a better detector with; off."
    )
    commands: CommandSettings = Field(CommandSettings(), description="Whose commands the box obeys.")
    health: HealthSettings = Field(HealthSettings(), description="What the box says about itself.")
    notice: NoticeSettings = Field(
        NoticeSettings(), description="What `ngatu notice` says at the pole beside purpose and legal basis."
    )
    log: LogSettings = Field(LogSettings(), description="What the agent writes about its own work.")
    language: Language | None = Field(
        None,
        description="In which the commands tell people things; null: as LC_ALL, LC_MESSAGES or LANG say. "
        "Log lines and what goes to the station are always English.",
    )
    cameras: tuple[CameraConfig, ...] = Field(
        min_length=1, max_length=64, description=tr("The cameras of this box.")
    )

    @property
    def outbox_path(self) -> Path:
        """The outbox's file."""
        return self.state_dir / "outbox.db"

    @property
    def evidence_path(self) -> Path:
        """The folder of the footage."""
        return self.evidence.folder or self.state_dir / "evidence"

    @property
    def records(self) -> bool:
        """Whether any camera is recorded."""
        return any(camera.record.mode != "off" for camera in self.cameras)

    @property
    def detects(self) -> bool:
        """Whether any camera wants the detector."""
        return any(camera.attention.enabled for camera in self.cameras)

    def camera(self, name: str) -> CameraConfig:
        """The camera of this name.

        Raises:
            ConfigError: there is none; the hint lists those that there are.
        """
        for camera in self.cameras:
            if camera.name == name:
                return camera
        known = ", ".join(camera.name for camera in self.cameras)
        raise ConfigError(
            tr("there is no camera {name} in the configuration", name=name),
            tr("there are: {known}", known=known),
        )

    def _said(self) -> dict[str, Any]:
        """Without the defaults: the rules that a camera has by itself are nobody's mistake."""
        return self.model_dump(mode="json", exclude_unset=True)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = [f"{dotted(path)}: {what}" for path, what, _hint in cross_check(self._said())]
        if found:
            # read_settings tells the same with lines, also where other mistakes keep this from being reached.
            raise PydanticCustomError("cross_check", "{found}", {"found": "; ".join(found)})
        return self


def load(path: Path) -> Config:
    """The configuration in a file.

    Raises:
        ConfigError: the file cannot be read, or has mistakes; the text tells all of them, each with its line.
    """
    return parse(read(path), str(path))


def read(path: Path) -> bytes:
    """The text of a configuration file, not judged yet; never much more than may be in one.

    Raises:
        ConfigError: the file cannot be read.
    """
    return read_bounded(path, tr("start from `ngatu config example`, and look at the path and its rights"))


def parse(data: bytes, file: str) -> Config:
    """The configuration in a text; `file` is what messages call it.

    Raises:
        ConfigError: with every mistake, each with its line.
    """
    return read_settings(data, file, Config, cross_check, _of_a_station)


def _of_a_station(plain: dict[str, Any]) -> tuple[str, str] | None:
    if "commune" not in plain or "device" in plain or "cameras" in plain:
        return None
    return (
        tr("this is the file of a station: it has a commune, and no device"),
        tr("`ngatu config example` shows a box's"),
    )


def config_sha256(config: Config) -> str:
    """The hash of the effective configuration, defaults included: equal for files that mean the same."""
    canonical = json.dumps(
        config.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(canonical.encode()).hexdigest()
