"""A real RTSP camera for tests: GStreamer's server with a moving ball, run by Debian's own Python.

/usr/bin/python3 tests/support/rtsp_server.py [--port N] [--user U --password P] [--fps N]
prints the port once it listens; the stream is /live. It ends with the process that started it.
With --pictures FOLDER it shows 0000.jpg, 0001.jpg and so on, again and again, instead of the ball; each is read
when it is shown.
--stream PATH=SIZE=CODEC adds one more, of that size (640x360) and codec (h264, h265 or mjpeg); pictures are
scaled to it.
"""

from __future__ import annotations

import argparse
import ctypes
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

parser = argparse.ArgumentParser()
parser.add_argument("--port", default="0")
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--fps", type=int, default=25)
parser.add_argument("--address", default="127.0.0.1")
parser.add_argument("--path", default="/live")
parser.add_argument("--pictures")
parser.add_argument("--key-every-s", type=float, default=0.2)
parser.add_argument("--stream", action="append", default=[])
parser.add_argument("--check", action="store_true", help="say only whether everything needed is installed")
arguments = parser.parse_args()

Gst.init(None)
needed = ("x264enc", "rtph264pay", "videotestsrc", "multifilesrc", "jpegdec")
missing = [name for name in needed if not Gst.ElementFactory.find(name)]
if missing or arguments.check:
    sys.exit(f"missing: {', '.join(missing)}" if missing else 0)

ball = (
    "videotestsrc is-live=true pattern=ball ! videoconvert "
    "! video/x-raw,format=I420,width={width},height={height},framerate={fps}/1"
)
pictures = (
    f'multifilesrc location="{arguments.pictures}/%04d.jpg" loop=true '
    f"caps=image/jpeg,framerate={arguments.fps}/1 ! jpegdec ! videoconvert ! video/x-raw,format=I420"
)
key_every = max(1, round(arguments.fps * arguments.key_every_s))
haste = f"tune=zerolatency speed-preset=ultrafast key-int-max={key_every}"
encoders = {
    "h264": f"x264enc {haste} ! rtph264pay config-interval=1",
    "h265": f"x265enc {haste} ! rtph265pay config-interval=1",
    "mjpeg": "jpegenc ! rtpjpegpay",
}
payloads = {"mjpeg": 26}


def launched(width: str, height: str, codec: str) -> str:
    """The description of a pipeline."""
    ball_here = ball.format(width=width, height=height, fps=arguments.fps)
    scaled = f"{pictures} ! videoscale ! video/x-raw,width={width},height={height}"
    shown = (scaled if width else pictures) if arguments.pictures else ball_here
    return f"( {shown} ! {encoders[codec]} name=pay0 pt={payloads.get(codec, 96)} )"


factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(launched("" if arguments.pictures else "320", "240", "h264"))
factory.set_shared(True)
server = GstRtspServer.RTSPServer()
server.set_address(arguments.address)
server.set_service(arguments.port)
if arguments.user:
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    basic = GstRtspServer.RTSPAuth.make_basic(arguments.user, arguments.password)
    auth.add_basic(basic, token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    for right in ("access", "construct"):
        permissions.add_permission_for_role("viewer", f"media.factory.{right}", True)
    factory.set_permissions(permissions)
server.get_mount_points().add_factory(arguments.path, factory)
for path, size, codec in (each.split("=") for each in arguments.stream):
    more = GstRtspServer.RTSPMediaFactory()
    more.set_launch(launched(*size.split("x"), codec))
    more.set_shared(True)
    if arguments.user:
        more.set_permissions(permissions)
    server.get_mount_points().add_factory(path, more)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
