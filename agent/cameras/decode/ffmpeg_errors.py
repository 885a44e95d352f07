"""What FFmpeg's errors mean, and what to do. Its own text is never told: it may hold the camera's password."""

from __future__ import annotations

import errno
import re
import socket
from pathlib import Path

import av.error

from agent.cameras.decode.decoded import MAX_PIXELS, Source
from agent.cameras.decode.rtsp.protocol import place
from agent.errors import CameraError, CameraLost, CameraRefused
from agent.translatable import tr

_Meaning = tuple[tuple[type[BaseException], ...], type[CameraError], str, str]

TOO_LARGE = tr("more than {million} million pixels", million=MAX_PIXELS // 1_000_000)
SMALLER = tr("choose a smaller picture in the camera's settings, or its sub-stream")

_MEANINGS: tuple[_Meaning, ...] = (
    (
        (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError),
        CameraRefused,
        tr("refuses the login"),
        tr("check username and password"),
    ),
    ((av.error.HTTPNotFoundError,), CameraRefused, tr("has no such stream"), tr("check the path in the url")),
    (
        (av.error.HTTPClientError,),
        CameraRefused,
        tr("refuses the request"),
        tr("check the url and the transport"),
    ),
    (
        (PermissionError,),
        CameraRefused,
        tr("may not be read"),
        tr("let the agent's user read it (group video)"),
    ),
    (
        (socket.gaierror,),
        CameraLost,
        tr("has a name that DNS does not know"),
        tr("check the name in the url and the DNS of this machine, or write the camera's address"),
    ),
    ((ConnectionRefusedError,), CameraLost, tr("has nobody listening"), tr("check address, port and camera")),
    (
        (av.error.ExitError, TimeoutError),  # ExitError: PyAV's own timeout
        CameraLost,
        tr("does not answer in time"),
        tr("check the network and the camera"),
    ),
    (
        (av.error.ArgumentError,),
        CameraRefused,
        tr("gives no pictures, or some of {too_large}", too_large=TOO_LARGE),
        SMALLER,
    ),
    ((MemoryError,), CameraRefused, tr("wants more memory than one camera may have"), SMALLER),
    (
        (av.error.InvalidDataError,),  # a server that accepts and then says nothing gives this, too
        CameraLost,
        tr("says nothing that can be read"),
        tr("check that a camera with H.264, H.265 or MJPEG is there"),
    ),
)


_PULLED = (tr("was pulled out"), tr("check its plug and its cable"))
_USB: dict[int, tuple[str, str]] = {
    errno.ENODEV: _PULLED,
    errno.ENXIO: _PULLED,
    errno.EBUSY: (tr("is in use by another program"), tr("`fuser -v /dev/video*` tells by which")),
    errno.ENOSPC: (
        tr("gets no room on its USB bus"),
        tr("plug it into another bus (`lsusb -t`), or choose a smaller picture or mjpeg"),
    ),
}
"""What the kernel says of a device (Linux: drivers/media/usb/uvc)."""


def explained(source: Source, error: Exception) -> CameraError:
    """The error in our words."""
    if _went(source, error):
        return CameraLost(_said(source, _PULLED[0]), _PULLED[1])
    for kinds, verdict, what, hint in _MEANINGS:
        if isinstance(error, kinds) and (source.pace == "live" or verdict is CameraRefused):
            return verdict(_said(source, what), hint)
    if source.pace != "live":
        return CameraRefused(
            tr("{camera}: {shown} is not a readable video", camera=source.name, shown=source.shown),
            tr("try another file"),
        )
    if getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        what = tr("{camera}: {shown} cannot be reached: no route to it", camera=source.name, shown=source.shown)
        return CameraLost(what, tr("check address, cable and network"))
    if source.kind == "usb" and (usb := _USB.get(getattr(error, "errno", 0) or 0)):
        return CameraLost(_said(source, usb[0]), usb[1])
    reason = getattr(error, "strerror", None) or type(error).__name__
    return CameraLost(
        tr("{camera}: {shown} cannot be read: {reason}", camera=source.name, shown=source.shown, reason=reason),
        tr("check the address and the camera"),
    )


def _went(source: Source, error: Exception) -> bool:
    """Whether the device is there no more.

    A kernel that lets go of a USB camera first ends its stream, and whoever waits for a picture then hears
    EINVAL, not ENODEV (Linux: vb2_video_unregister_device, which newer uvcvideo calls, too).
    """
    usb = source.kind == "usb" and isinstance(error, av.error.ArgumentError)
    return usb and not Path(source.location).exists()


def _said(source: Source, what: str) -> str:
    return tr("{camera}: {shown} {what}", camera=source.name, shown=source.shown, what=what)


def too_large(source: Source, width_px: int, height_px: int) -> CameraRefused:
    """It says of itself that its pictures are larger than any camera's."""
    claim = tr(
        "claims pictures of {width_px} x {height_px}, {too_large}",
        width_px=width_px,
        height_px=height_px,
        too_large=TOO_LARGE,
    )
    return CameraRefused(_said(source, claim), SMALLER)


def sent_on(source: Source, location: str) -> CameraRefused:
    """It names another place than the configured one, where nobody of ours goes."""
    at = place(location)
    host = re.sub(r"[^0-9A-Za-z.:_-]", "?", at[0])[:80] if at else ""
    where = f"{host}:{at[1]}" if at else tr("another address")
    return CameraRefused(
        tr(
            "{camera}: {shown} sends us on to {where}, and nobody goes there",
            camera=source.name,
            shown=source.shown,
            where=where,
        ),
        tr("if that is the camera, write its address into source.url; if not, look who answers in its place"),
    )
