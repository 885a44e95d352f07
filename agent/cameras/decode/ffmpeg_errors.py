"""What FFmpeg's errors mean, and what to do. Its own text is never told: it may hold the camera's password."""

from __future__ import annotations

import errno
import re
import socket

import av.error

from agent.cameras.decode.decoded import MAX_PIXELS, Source
from agent.cameras.decode.rtsp import place
from agent.errors import CameraError, CameraLost, CameraRefused

_Meaning = tuple[tuple[type[BaseException], ...], type[CameraError], str, str]

TOO_LARGE = f"more than {MAX_PIXELS // 1_000_000} million pixels"
SMALLER = "choose a smaller picture in the camera's settings, or its sub-stream"

_MEANINGS: tuple[_Meaning, ...] = (
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        CameraRefused,
        "refuses the login",
        "check username and password",
    ),
    ((av.error.HTTPNotFoundError,), CameraRefused, "has no such stream", "check the path in the url"),
    ((av.error.HTTPClientError,), CameraRefused, "refuses the request", "check the url and the transport"),
    ((PermissionError,), CameraRefused, "may not be read", "let the agent's user read it (group video)"),
    (
        (socket.gaierror,),
        CameraLost,
        "has a name that DNS does not know",
        "check the name in the url and the DNS of this machine, or write the camera's address",
    ),
    ((ConnectionRefusedError,), CameraLost, "has nobody listening", "check address, port and camera"),
    (
        (av.error.ExitError, TimeoutError),  # ExitError: PyAV's own timeout
        CameraLost,
        "does not answer in time",
        "check the network and the camera",
    ),
    ((av.error.ArgumentError,), CameraRefused, f"gives no pictures, or some of {TOO_LARGE}", SMALLER),
    ((MemoryError,), CameraRefused, "wants more memory than one camera may have", SMALLER),
    (
        (av.error.InvalidDataError,),  # a server that accepts and then says nothing gives this, too
        CameraLost,
        "says nothing that can be read",
        "check that a camera with H.264, H.265 or MJPEG is there",
    ),
)


def explained(source: Source, error: Exception) -> CameraError:
    """The error in our words."""
    for kinds, verdict, what, hint in _MEANINGS:
        if isinstance(error, kinds) and (source.pace == "live" or verdict is CameraRefused):
            return verdict(f"{source.name}: {source.shown} {what}", hint)
    if source.pace != "live":
        return CameraRefused(f"{source.name}: {source.shown} is not a readable video", "try another file")
    if getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        what = f"{source.name}: {source.shown} cannot be reached: no route to it"
        return CameraLost(what, "check address, cable and network")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return CameraLost(
        f"{source.name}: {source.shown} cannot be read: {reason}", "check the address and the camera"
    )


def too_large(source: Source, width_px: int, height_px: int) -> CameraRefused:
    """It says of itself that its pictures are larger than any camera's."""
    claim = f"claims pictures of {width_px} x {height_px}"
    return CameraRefused(f"{source.name}: {source.shown} {claim}, {TOO_LARGE}", SMALLER)


def sent_on(source: Source, location: str) -> CameraRefused:
    """It names another place than the configured one, where nobody of ours goes."""
    at = place(location)
    host = re.sub(r"[^0-9A-Za-z.:_-]", "?", at[0])[:80] if at else ""
    where = f"{host}:{at[1]}" if at else "another address"
    return CameraRefused(
        f"{source.name}: {source.shown} sends us on to {where}, and nobody goes there",
        "if that is the camera, write its address into source.url; if not, look who answers in its place",
    )
