"""A Raspberry Pi camera, through picamera2.

Every capture has a deadline: on a long cable libcamera may wait for a picture for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent.cameras.decode.decoded import CameraFacts, Layout, Now, Picture, Rate, Source, Wanted
from agent.errors import CameraLost, CameraRefused
from agent.translatable import tr

BUFFERS = 4  # one being filled, one queued, one being copied, one in reserve; each costs contiguous memory


class PiCamera:
    """Pictures of one libcamera camera, as YUV 4:2:0; a picture is valid until the next is asked for."""

    def __init__(self, source: Source, now: Now) -> None:
        """Configure and start the camera.

        Raises:
            CameraLost: there is no such camera now, or it does not start.
            CameraRefused: picamera2 is not installed, or cannot give this size as YUV 4:2:0.
        """
        self._source = source
        self._now = now
        self._closed = False
        self.damaged = 0
        self.wanted: Wanted = lambda _mono_s: True
        try:
            from picamera2 import MappedArray, Picamera2  # noqa: PLC0415 – only where there is a Pi camera
        except ImportError as error:
            raise CameraRefused(
                tr("{camera}: picamera2 is not installed", camera=source.name),
                tr("apt install python3-picamera2, and a venv made with --system-site-packages"),
            ) from error
        self._mapped = MappedArray
        try:
            self._camera = Picamera2(_number(source.location, Picamera2.global_camera_info()))
        except (RuntimeError, LookupError, ValueError) as error:  # IndexError: older picamera2
            hint = tr("check the ribbon cable; `rpicam-hello --list-cameras` tells what is there")
            raise CameraLost(
                tr("{camera}: {shown} is not there", camera=source.name, shown=source.shown), hint
            ) from error
        try:
            self._layout = self._started()
        except RuntimeError as error:
            self.close()
            raise CameraLost(
                tr(
                    "{camera}: {shown} does not start: {error}",
                    camera=source.name,
                    shown=source.shown,
                    error=error,
                ),
                tr("is it in use?"),
            ) from error
        self.facts = self._facts()

    def __iter__(self) -> Iterator[Picture]:
        """Pictures as they come, at most `max_fps` a second."""
        rate = Rate(self._source.max_fps)
        wait_s, index, last_s = self._source.open_timeout_s, 0, float("-inf")
        while not self._closed:
            try:
                request = self._camera.capture_request(wait=wait_s)
            except TimeoutError:
                what = tr("{camera}: no picture for {wait_s:g} s", camera=self._source.name, wait_s=wait_s)
                raise CameraLost(what, tr("check the ribbon cable")) from None
            except RuntimeError as error:
                what = tr(
                    "{camera}: {shown} stopped: {error}",
                    camera=self._source.name,
                    shown=self._source.shown,
                    error=error,
                )
                raise CameraLost(what, tr("check the ribbon cable")) from error
            try:
                mono_s, wall_s = self._now()
                last_s = mono_s = max(mono_s, last_s + 1e-6)
                if rate.due(mono_s) and self.wanted(mono_s):
                    with self._mapped(request, "main", reshape=False, write=False) as mapped:
                        yield Picture(index, mono_s, wall_s, self._layout, self._planes(mapped.array))
            finally:
                request.release()
            wait_s, index = self._source.stall_s, index + 1

    def close(self) -> None:
        """Stop the camera and give it back."""
        if not self._closed:
            self._closed = True
            self._camera.close()

    def _started(self) -> Layout:
        options = self._source.options
        size = int(options["width_px"]), int(options["height_px"])
        self._camera.configure(
            self._camera.create_video_configuration(
                main={"size": size, "format": "YUV420"},
                controls={"FrameRate": float(options["fps"])},
                buffer_count=BUFFERS,
            )
        )
        main = self._camera.camera_configuration()["main"]
        if main["format"] != "YUV420":
            raise CameraRefused(
                tr("{camera}: it gives {format}, not YUV420", camera=self._source.name, format=main["format"]),
                tr("try another size"),
            )
        self._camera.start()
        (width_px, height_px), stride = main["size"], main["stride"]
        # libcamera pads rows; chroma rows are half a luma row, padding included. Video configurations of
        # picamera2 ask for SMPTE 170M or Rec. 709, both of limited range.
        return Layout(width_px, height_px, (stride, stride // 2, stride // 2), full_range=False)

    def _facts(self) -> CameraFacts:
        layout, fps = self._layout, float(self._source.options["fps"])
        model = str(self._camera.camera_properties.get("Model", "unknown"))
        return CameraFacts("raw", f"libcamera {model}", "yuv420p", layout.width_px, layout.height_px, fps)

    def _planes(self, array: Any) -> tuple[memoryview, memoryview, memoryview]:
        flat = memoryview(array.reshape(-1))
        (_, u, v), sizes = self._layout.offsets, self._layout.sizes
        return flat[: sizes[0]], flat[u : u + sizes[1]], flat[v : v + sizes[2]]


def _number(wanted: str, present: list[dict[str, Any]]) -> int:
    if wanted.isdigit():
        return int(wanted)
    return [wanted in (camera.get("Id"), camera.get("Model")) for camera in present].index(True)
