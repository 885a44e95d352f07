"""The settings of footage: what of a camera is recorded, and where, how long and for whom the box keeps it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from agent.evidence.encryption import recipient
from agent.settings.base import Settings
from agent.translatable import tr


class RecordSettings(Settings):
    """What of a camera is recorded. The configuration adds `source`, the main stream."""

    mode: Literal["off", "events", "continuous"] = Field(
        "off",
        description="events: from before an event to after it; continuous: all the time; off: nothing.",
    )
    pre_roll_s: float = Field(
        10.0, ge=0, le=60, description="Seconds before an event; they wait in memory, 16 MB at most."
    )
    post_roll_s: float = Field(20.0, ge=1, le=600, description="Seconds after the end of an event.")
    max_event_s: float = Field(
        300.0, ge=10, le=86_400, description="Of a longer event only this much and what is around its end."
    )
    under_masks: Literal["encode", "none"] = Field(
        "encode",
        description="Under privacy masks nothing is copied. encode: the masked pictures; none: nothing.",
    )
    mjpeg: Literal["keep", "encode"] = Field(
        "keep", description="A camera that sends MJPEG: keep its pictures as they are, or encode them: smaller."
    )
    encode_kbps: int = Field(
        2000, ge=100, le=50_000, description="The most that encoded pictures take, in kilobits a second."
    )


def _recipient(key: str) -> str:
    if not recipient(key):
        raise ValueError(tr("not an age public key; write the one that the station shows, it begins with age1"))
    return key


Recipient = Annotated[str, AfterValidator(_recipient)]


class EvidenceSettings(Settings):
    """Where footage lies, how much of it and how long, and who can read it."""

    folder: Path | None = Field(
        None,
        description="Folder of the footage, best a partition of its own; null: `evidence` below state_dir.",
    )
    mount: Path | None = Field(
        None,
        description="Where the partition of the footage is mounted, `folder` or above it: while nothing is "
        "mounted there, nothing is recorded; null: wherever `folder` lies.",
    )
    recipient: Recipient | None = Field(
        None,
        description="The station's age public key: only the station can read what the box keeps. "
        "Without one nothing is recorded.",
    )
    max_bytes: int = Field(
        16_000_000_000,
        ge=64_000_000,
        description="Most bytes of all cameras' footage together, with its index; the oldest makes room.",
    )
    max_days: float = Field(
        15.0,
        gt=0,
        le=3650,
        description="Older footage is deleted, unless it is held; only while somebody vouches for the clock.",
    )
    daily_write_bytes: int = Field(
        100_000_000_000,
        ge=100_000_000,
        description="Most bytes written in a day (UTC): cards wear out. Then nothing more is recorded.",
    )

    @model_validator(mode="after")
    def _footage_lies_on_its_partition(self) -> Self:
        if self.mount is not None and (
            not self.mount.is_absolute()
            or self.folder is None
            or self.mount not in (self.folder, *self.folder.parents)
        ):
            raise ValueError(
                tr("folder does not lie below mount: name the folder of the footage and where its partition is")
            )
        return self

    @property
    def unmounted(self) -> bool:
        """Whether the partition on which footage is to lie is not there now."""
        return self.mount is not None and not self.mount.is_mount()
