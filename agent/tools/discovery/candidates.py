"""Cameras that were found, each with what the configuration would say of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.errors import CameraRefused
from agent.settings.base import Secret
from agent.tools.discovery import entry
from agent.tools.discovery.local_devices import DeviceCamera
from agent.tools.discovery.onvif import CameraAddress, OnvifCamera, StreamOffer
from agent.translatable import tr

TYPED = "NGATU_CAMERA_PASSWORD"
"""Where a typed password lies while the command runs; no child inherits it."""


@dataclass(frozen=True, slots=True)
class CameraLogin:
    """How a person lets us in at a camera."""

    username: str
    file: Path | None
    """With the password in its first line; None: it was typed."""
    password: str = field(repr=False)

    @classmethod
    def read(cls, username: str, file: Path) -> CameraLogin:
        """With the password in the file.

        Raises:
            OSError, SecretMissing: there is none.
        """
        return cls(username, file, Secret(file=file).read())

    def opening(self, source: dict[str, Any]) -> dict[str, Any]:
        """The source as it can be opened now, wherever the password is to lie later."""
        if self.file is not None:
            return {**source, "password": {"file": str(self.file)}}
        os.environ[TYPED] = self.password
        return {**source, "password": {"env": TYPED}}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A camera, its entry, and how it is opened to look at it now."""

    name: str
    about: str
    """Where and what it is, in words."""
    source: dict[str, Any]
    opened: dict[str, Any]
    recorded: dict[str, Any] | None = None
    recorded_opened: dict[str, Any] | None = None
    password_file: str | None = None
    """Where its entry says that the password lies, if it does not lie there yet."""

    @property
    def entry(self) -> dict[str, Any]:
        """What the configuration would say of it."""
        return entry.entry(self.name, self.source, self.recorded)


def names(base: str | None, count: int) -> Sequence[str]:
    """A name for each: the one that was given, if there is one camera only."""
    if count == 1 and base:
        return [base]
    return [f"{base or 'camera'}-{number}" for number in range(1, count + 1)]


def local(name: str, camera: DeviceCamera) -> Candidate:
    """A camera of this machine."""
    key = "device" if camera.kind == "usb" else "camera"
    source = {"kind": camera.kind, key: camera.device}
    about = tr("{kind} camera {about}", kind="USB" if camera.kind == "usb" else "CSI", about=camera.about)
    return Candidate(name, about, source, source)


def network(name: str, place: CameraAddress, login: CameraLogin | None, clock: Clock) -> Candidate:
    """A network camera that a person asked for, asked for its streams.

    Raises:
        CameraError: it does not answer, does not let us in, or has no stream for us.
    """
    proven = (login.username, login.password) if login else None
    camera = OnvifCamera(place, proven, lambda: clock.now().wall_s)
    about = camera.about()
    seeing, best = entry.chosen(camera.streams())
    if seeing is None:
        raise CameraRefused(
            tr("{host}: offers no stream of H.264, H.265 or MJPEG", host=place.host),
            tr("set one up in the camera, or write its rtsp address into the configuration"),
        )
    file = f"/etc/ngatu/{name}.password" if login is None or login.file is None else str(login.file.absolute())
    sources = [
        None if each is None else entry.rtsp_source(each.url, login.username if login else None, file)
        for each in (seeing, best)
    ]
    source, recorded = sources
    assert source is not None, "a stream was chosen"
    opened, recorded_opened = (login.opening(each) if login and each else each for each in (source, recorded))
    assert opened is not None, "a stream was chosen"
    return Candidate(
        name,
        _described(place, about, seeing, best),
        source,
        opened,
        recorded,
        recorded_opened,
        file if login and login.file is None else None,
    )


def _described(place: CameraAddress, about: str, seeing: StreamOffer, best: StreamOffer | None) -> str:
    streams = list(_streams(seeing, best))
    if len(streams) == 1:
        return tr("{host} {about}: {stream}", host=place.host, about=about, stream=streams[0])
    return tr(
        "{host} {about}: {stream} to see with, {best} to record",
        host=place.host,
        about=about,
        stream=streams[0],
        best=streams[1],
    )


def _streams(*offers: StreamOffer | None) -> Iterator[str]:
    for each in offers:
        if each is not None:
            yield f"{each.profile} {each.width_px}×{each.height_px} {each.codec}"
