"""What is to be said about one camera in the configuration."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from agent.settings.base import Name, Secret, Settings, Title, host_fault
from agent.translatable import tr


def _address(url: str) -> str:
    """The url as it is.

    Raises:
        ValueError: it holds a login, no host or no port; never with a part of it, which may be of a password.
    """
    login = ValueError(tr("take the user name and password out of the url; set username and password instead"))
    if "@" in url and "#" in url:  # of a password: whatever stands before it would be read as the host
        raise login
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        if "@" in url:
            raise login from None
        raise ValueError(tr("no host with a port in the url; write rtsp://host:554/path")) from None
    if parts.username is not None or parts.password is not None:
        raise login
    if not parts.hostname:
        raise ValueError(tr("no host in the url; write rtsp://host:554/path"))
    if fault := host_fault(parts.hostname):
        raise login if "@" in url else ValueError(fault)
    return url


def _device(path: Path) -> Path:
    if not re.fullmatch(r"/dev/(v4l/by-(id|path)/[^/]+|video\d+)", str(path)):
        raise ValueError(tr("write a path below /dev/v4l/by-id or by-path; `ls /dev/v4l/by-id` lists them"))
    return path


def _mask(polygon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    following = polygon[1:] + polygon[:1]
    twice = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(polygon, following, strict=True))
    if abs(twice) < 1e-6:  # less than one pixel of an 8-megapixel frame
        raise ValueError(tr("a mask must enclose an area, and its edges must not cross"))
    return polygon


Fraction = Annotated[float, Field(ge=0, le=1)]
Mask = Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=3), AfterValidator(_mask)]
RtspUrl = Annotated[str, StringConstraints(pattern=r"^rtsp://[^\s]+$"), AfterValidator(_address)]
DevicePath = Annotated[Path, AfterValidator(_device)]


class RtspSource(Settings):
    """A network camera. Take its sub-stream: decoding costs more than everything else on an idle box."""

    kind: Literal["rtsp"] = Field("rtsp", description="A network camera.")
    url: RtspUrl = Field(description=tr("Address of the stream, without user name and password."))
    username: str | None = Field(None, min_length=1, description="User of the camera.")
    password: Secret | None = Field(None, description="Where the camera's password lies.")
    transport: Literal["tcp", "udp"] = Field("tcp", description="TCP loses nothing; UDP only where TCP fails.")

    @model_validator(mode="after")
    def _password_has_a_user(self) -> Self:
        if self.password is not None and self.username is None:
            raise ValueError(tr("a password needs a username"))
        return self


class UsbSource(Settings):
    """A camera at a USB port."""

    kind: Literal["usb"] = Field("usb", description="A USB camera.")
    device: DevicePath = Field(
        description=tr("Path below /dev/v4l/by-id or /dev/v4l/by-path: it stays the same.")
    )
    width_px: int = Field(1280, ge=16, le=7680, description="Wanted width of the picture.")
    height_px: int = Field(720, ge=16, le=4320, description="Wanted height of the picture.")
    fps: float = Field(15.0, gt=0, le=120, description="Wanted pictures a second.")
    pixel_format: Literal["auto", "mjpeg", "yuyv422", "h264"] = Field(
        "auto", description="What it sends; auto: of what it has at this size and rate, what costs least."
    )

    @property
    def stable(self) -> bool:
        """False for /dev/videoN, which another camera may be after a restart."""
        return self.device.parent != Path("/dev")


class FileSource(Settings):
    """A recorded video, for trials and replays."""

    kind: Literal["file"] = Field("file", description="A recorded video.")
    path: Path = Field(description=tr("The video file."))
    pace: Literal["real", "fast"] = Field("real", description="Its own pace, or as quickly as it is taken.")
    loop: bool = Field(False, description="Start again at the end: time goes on, and what is open ends there.")


class CsiMain(Settings):
    """A larger stream of the same camera, encoded as H.264: what is recorded."""

    width_px: int = Field(1920, ge=16, le=4608, multiple_of=2, description="Width of the picture.")
    height_px: int = Field(1080, ge=16, le=2592, multiple_of=2, description="Height of the picture.")
    kbit_s: int = Field(4000, ge=100, le=25_000, description="Thousand bits a second.")
    key_every_s: float = Field(
        1.0, ge=0.1, le=10, description="From one key picture to the next: a clip begins at one."
    )


class CsiSource(Settings):
    """A Raspberry Pi camera, on its ribbon cable."""

    kind: Literal["csi"] = Field("csi", description="A Raspberry Pi camera.")
    camera: int | str = Field(0, description="Its number or its id, as `rpicam-hello --list-cameras` tells.")
    width_px: int = Field(1280, ge=16, le=4608, multiple_of=2, description="Width of the picture.")
    height_px: int = Field(720, ge=16, le=2592, multiple_of=2, description="Height of the picture.")
    fps: float = Field(15.0, gt=0, le=120, description="Pictures a second.")
    main: CsiMain | None = Field(
        None, description="A larger stream beside it, to be recorded; a Pi 5 encodes it in software."
    )

    @model_validator(mode="after")
    def _main_is_no_smaller(self) -> Self:
        if self.main and (self.main.width_px < self.width_px or self.main.height_px < self.height_px):
            raise ValueError(
                tr(
                    "main is {main_width_px}×{main_height_px}, smaller than the picture that is looked at "
                    "({width_px}×{height_px}): the camera gives no smaller stream beside a larger one",
                    main_width_px=self.main.width_px,
                    main_height_px=self.main.height_px,
                    width_px=self.width_px,
                    height_px=self.height_px,
                )
            )
        return self


CameraSource = Annotated[RtspSource | UsbSource | FileSource | CsiSource, Field(discriminator="kind")]


class CameraSettings(Settings):
    """One camera: where its pictures come from, and what must never be seen of them."""

    name: Name = Field(description=tr("Stands in topics and events."))
    title: Title = Field(
        "",
        description="What officers read in place of the name, such as where it looks; empty: the name.",
    )
    source: CameraSource = Field(description=tr("Where the pictures come from."))
    max_fps: float = Field(10.0, gt=0, le=120, description="Pictures a second that are looked at, at most.")
    idle_fps: float = Field(
        3.0, ge=1, le=120, description="The same while nothing new happens; what comes is seen a moment later."
    )
    wake: Literal["auto", "off"] = Field(
        "off",
        description="auto: while nothing happens in H.264 or H.265, only key pictures are decoded, where the "
        "sizes of packets would tell of somebody small; of those who come in a few are told late or not at "
        "all. off: every picture is decoded, always.",
    )
    stall_s: float = Field(10.0, ge=0.5, le=120, description="A picture older than this means a lost camera.")
    open_timeout_s: float = Field(10.0, ge=0.5, le=120, description="How long the first picture may take.")
    decoder: Literal["software", "auto", "v4l2m2m"] = Field(
        "software",
        description="What decodes a network or USB camera; auto: the board where it can; v4l2m2m: the board, "
        "and a warning where it cannot.",
    )
    privacy_masks: tuple[Mask, ...] = Field(
        (), description="Polygons in fractions of the frame whose inside never leaves the decoder."
    )

    @property
    def mask_sha256(self) -> str | None:
        """Which masks these are: of their corners as JSON, lower-case hex; None: there are none."""
        if not self.privacy_masks:
            return None
        corners = [list(map(list, mask)) for mask in self.privacy_masks]
        return hashlib.sha256(json.dumps(corners, separators=(",", ":")).encode()).hexdigest()

    @model_validator(mode="after")
    def _a_board_decodes_what_comes_encoded(self) -> Self:
        if self.decoder == "v4l2m2m" and self.source.kind in ("csi", "file"):
            raise ValueError(
                tr(
                    "decoder: v4l2m2m is for network and USB cameras, not for source.kind {kind}; take auto or "
                    "leave it out",
                    kind=self.source.kind,
                )
            )
        return self

    @model_validator(mode="after")
    def _pictures_come_before_it_counts_as_lost(self) -> Self:
        if self.max_fps * self.stall_s < 1:
            raise ValueError(
                tr(
                    "at max_fps {max_fps:g} a picture comes every {every_s:g} s, but with stall_s "
                    "{stall_s:g} the camera counts as lost before that",
                    max_fps=self.max_fps,
                    every_s=1 / self.max_fps,
                    stall_s=self.stall_s,
                )
            )
        return self
