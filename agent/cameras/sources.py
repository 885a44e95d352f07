"""From settings to what a decoder is told: address and options, the password read, the device found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from agent.cameras.decode.decoded import Record, Source
from agent.cameras.settings import CameraSettings, CsiSource, FileSource, RtspSource, UsbSource
from agent.core.types import Instant
from agent.errors import CameraLost, CameraRefused
from agent.settings.access import unreadable
from agent.settings.base import SecretMissing
from agent.translatable import tr

UNREAD = tr("the camera's password cannot be read from")


def source(settings: CameraSettings, started: Instant, record: Record | None = None) -> Source:
    """What the decoder is told about this camera.

    `started` is the instant of a file's first picture; `record` tells how it is recorded, None: it is not.

    Raises:
        CameraLost: the USB device is not there.
        CameraRefused: the password cannot be read, or the file is not there.
    """
    common = Source(
        name=settings.name,
        kind=settings.source.kind,
        location="",
        shown="",
        max_fps=settings.max_fps,
        stall_s=settings.stall_s,
        open_timeout_s=settings.open_timeout_s,
        masks=settings.privacy_masks,
        started=(started.mono_s, started.wall_s),
        wake=settings.wake == "auto",
        record=record,
    )
    match settings.source:
        case RtspSource() as rtsp:
            login = _login(settings.name, rtsp)
            options = _rtsp(settings, rtsp)
            common = replace(common, decoder=settings.decoder)
            return replace(common, location=rtsp.url, shown=rtsp.url, login=login, options=options)
        case UsbSource() as usb:
            device = str(present(usb.device))
            common = replace(common, decoder=settings.decoder)
            return replace(common, location=device, shown=device, format="v4l2", options=_usb(usb))
        case FileSource() as file:
            return _file(common, file)
        case CsiSource() as csi:
            shown = tr("the Raspberry Pi camera {camera}", camera=csi.camera)
            return replace(common, location=str(csi.camera), shown=shown, options=_csi(csi))


def _file(common: Source, file: FileSource) -> Source:
    if not file.path.is_file():
        raise CameraRefused(
            tr("{camera}: no such file: {path}", camera=common.name, path=file.path),
            tr("set source.path to a video file"),
        )
    path = str(file.path.absolute())
    # "file:" keeps FFmpeg from reading a colon in the name as a protocol.
    return replace(common, location=f"file:{path}", shown=path, pace=file.pace, loop=file.loop)


def _login(name: str, rtsp: RtspSource) -> tuple[str, str] | None:
    if rtsp.username is None:
        return None
    if rtsp.password is None:
        return rtsp.username, ""
    try:
        return rtsp.username, rtsp.password.read()
    except OSError as error:
        assert rtsp.password.file is not None, "a variable cannot fail so"
        why, hint = unreadable(rtsp.password.file, error)
        raise CameraRefused(
            tr(
                "{camera}: {unread} {place}: {why}",
                camera=name,
                unread=UNREAD,
                place=rtsp.password.file,
                why=why,
            ),
            hint,
        ) from error
    except SecretMissing as error:
        hint = (
            tr("set the environment variable")
            if rtsp.password.env
            else tr("write the password into its first line")
        )
        raise CameraRefused(
            tr(
                "{camera}: {unread} {place}: {why}",
                camera=name,
                unread=UNREAD,
                place=rtsp.password.env or rtsp.password.file,
                why=error,
            ),
            hint,
        ) from error


def _rtsp(settings: CameraSettings, rtsp: RtspSource) -> dict[str, str]:
    return {
        "rtsp_transport": rtsp.transport,
        "allowed_media_types": "video",
        "protocol_whitelist": "rtsp,rtp,tcp,udp",
        # Do not measure the frame rate before the first picture: 1 s sooner. FFmpeg's "nobuffer" would be as
        # quick, but throws away the first key picture; with a long GOP the next comes after many seconds.
        "fpsprobesize": "0",
        # Of the socket, in microseconds; FFmpeg's older name "stimeout" is silently ignored today. The shorter
        # of the two waits is PyAV's: this one holds for opening and reading alike.
        "timeout": str(int(max(settings.stall_s, settings.open_timeout_s) * 1e6)),
    }


def _usb(usb: UsbSource) -> dict[str, str]:
    options = {"video_size": f"{usb.width_px}x{usb.height_px}", "framerate": f"{usb.fps:g}"}
    if usb.pixel_format != "auto":
        options["input_format"] = usb.pixel_format
    return options


def _csi(csi: CsiSource) -> dict[str, str]:
    options = {"width_px": str(csi.width_px), "height_px": str(csi.height_px), "fps": str(csi.fps)}
    main = csi.main.model_dump() if csi.main else {}
    return options | {f"main_{name}": str(value) for name, value in main.items()}


def present(device: Path, root: Path = Path("/")) -> Path:
    """The device's path below `root`, if it is there now.

    Raises:
        CameraLost: it is not; the hint lists what is.
    """
    path = root / device.relative_to("/")
    if path.exists():  # follows the link: a link that leads nowhere is a camera that was pulled out
        return path
    others = sorted(p.name for p in (root / "dev/v4l/by-id").glob("*") if p.exists())
    listed = ", ".join(f"/dev/v4l/by-id/{name}" for name in others) or tr("no USB camera at all")
    raise CameraLost(
        tr("no camera at {device}", device=device), tr("check its plug; there is now: {listed}", listed=listed)
    )
