"""A Raspberry Pi camera, through picamera2: a stream to look at, and where it is wanted a larger one to record.

Every capture has a deadline: on a long cable libcamera may wait for a picture for ever. When half of it is over
the camera is stopped and started again; when all of it is, it is lost, and with it goes the process that this
runs in. What hangs in a driver hangs in here, and the parent ends it at the same deadline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, get_args

from agent.cameras.decode.csi.buffer_mask import BufferMask, Format
from agent.cameras.decode.csi.encoder import CsiEncoder, Take, encoder_of
from agent.cameras.decode.decoded import Calm, CameraFacts, Layout, Now, Picture, Rate, Source, Wanted
from agent.errors import CameraLost, CameraRefused
from agent.translatable import tr

BUFFERS = 4  # one being filled, one queued, one being copied, one in reserve; each costs contiguous memory
BUFFERS_RECORDED = 6  # two more: an encoder holds a picture while it works, and one that it will need
RESTART_AT: Final = 0.5
"""Share of a deadline after which the camera is started again."""
RIBBON: Final = tr("check the ribbon cable")


class PiCamera:
    """Pictures of one libcamera camera, as YUV 4:2:0; a picture is valid until the next is asked for."""

    def __init__(self, source: Source, now: Now) -> None:
        """Configure and start the camera.

        Raises:
            CameraLost: there is no such camera now, or it does not start.
            CameraRefused: picamera2 is not installed, or cannot give this size as YUV 4:2:0.
        """
        self._source, self._now = source, now
        self._closed = False
        self._encoder: CsiEncoder | None = None
        self.damaged = 0
        """How often the camera had to be started again."""
        self.wanted: Wanted = lambda _mono_s: True
        self.calm: Calm = lambda: None  # of no use here: each picture comes whole
        self.doze: Callable[[int, int], object] = lambda _came, _damaged: None
        self._records = "main_width_px" in source.options
        self._looked_at = "lores" if self._records else "main"
        self._camera = self._opened()
        try:
            self._layout, self._form = self._configured()
            self._camera.start()
        except (RuntimeError, OSError) as error:
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
        except CameraRefused:
            self.close()
            raise
        self.facts = self._facts()

    def __iter__(self) -> Iterator[Picture]:
        """Pictures as they come, at most `max_fps` a second."""
        rate = Rate(self._source.max_fps)
        wait_s, index, last_s = self._source.open_timeout_s, 0, float("-inf")
        while not self._closed:
            request = self._captured(wait_s)
            try:
                mono_s, wall_s = self._now()
                last_s = mono_s = max(mono_s, last_s + 1e-6)
                if rate.due(mono_s) and self.wanted(mono_s):
                    with self._mapped(request, self._looked_at, reshape=False, write=False) as mapped:
                        yield Picture(index, mono_s, wall_s, self._layout, self._planes(mapped.array))
            finally:
                request.release()
            wait_s, index = self._source.stall_s, index + 1

    def encode(self, take: Take) -> None:
        """From now on `take` gets the main stream as H.264 packets, in a thread of picamera2's.

        What masks hide is not in them. The first one is a key picture, and so is the first after the camera
        was started again.

        Raises:
            CameraRefused: no main stream is configured, or its encoder does not start.
        """
        name = self._source.name
        if not self._records:
            raise CameraRefused(
                tr("{camera}: it has no stream to record", camera=name), tr("set source.main to its size")
            )
        encoder = CsiEncoder(self._camera, self._source, self._now, take)
        try:
            encoder.start()
        except (RuntimeError, OSError, ImportError) as error:
            raise CameraRefused(
                tr(
                    "{camera}: the {by} encoder does not start: {error}",
                    camera=name,
                    by=encoder.by,
                    error=error,
                ),
                tr("try a smaller source.main"),
            ) from error
        self._encoder = encoder

    def close(self) -> None:
        """Stop the camera and give it back."""
        if not self._closed:
            self._closed = True
            if self._encoder is not None:
                self._encoder.stop()
            self._camera.close()

    def _opened(self) -> Any:
        source = self._source
        try:
            from picamera2 import MappedArray, Picamera2  # noqa: PLC0415 – only where there is a Pi camera
        except ImportError as error:
            raise CameraRefused(
                tr("{camera}: picamera2 is not installed", camera=source.name),
                tr("apt install python3-picamera2, and a venv made with --system-site-packages"),
            ) from error
        self._mapped = MappedArray
        try:
            return Picamera2(_number(source.location, Picamera2.global_camera_info()))
        except (RuntimeError, LookupError, ValueError) as error:  # IndexError: older picamera2
            hint = tr("check the ribbon cable; `rpicam-hello --list-cameras` tells what is there")
            raise CameraLost(
                tr("{camera}: {shown} is not there", camera=source.name, shown=source.shown), hint
            ) from error

    def _captured(self, wait_s: float) -> Any:
        """The next picture's request; in the middle of the wait the camera is started again."""
        name, began_s = self._source.name, self._now()[0]
        try:
            try:
                return self._camera.capture_request(wait=wait_s * RESTART_AT)
            except TimeoutError:
                self._restart()
            left_s = max(0.05, wait_s - (self._now()[0] - began_s))
            return self._camera.capture_request(wait=left_s)
        except TimeoutError:
            what = tr("{camera}: no picture for {wait_s:g} s", camera=name, wait_s=wait_s)
            raise CameraLost(what, RIBBON) from None
        except (RuntimeError, OSError) as error:
            what = tr("{camera}: {shown} stopped: {error}", camera=name, shown=self._source.shown, error=error)
            raise CameraLost(what, RIBBON) from error

    def _restart(self) -> None:
        """Often enough that is all that a camera on a long cable needs."""
        self.damaged += 1
        self._camera.cancel_all_and_flush()  # or the capture that was given up would take a picture later
        if self._encoder is not None:
            self._encoder.stop()
        self._camera.stop()
        self._camera.start()
        if self._encoder is not None:
            self._encoder.start()

    def _configured(self) -> tuple[Layout, Format]:
        options = self._source.options
        looked_at = {"size": (int(options["width_px"]), int(options["height_px"])), "format": "YUV420"}
        streams: dict[str, Any] = {"main": looked_at}
        if self._records:
            size = int(options["main_width_px"]), int(options["main_height_px"])
            streams = {"main": {"size": size, "format": "YUV420"}, "lores": looked_at}
        self._camera.configure(
            self._camera.create_video_configuration(
                **streams,
                controls={"FrameRate": float(options["fps"])},
                buffer_count=BUFFERS_RECORDED if self._records else BUFFERS,
            )
        )
        given = self._camera.camera_configuration()
        if self._records and self._source.masks:
            main = given["main"]
            mask = BufferMask(main["size"], main["stride"], self._form_of(main), self._source.masks)
            self._camera.pre_callback = lambda request: self._paint(request, mask)
        return self._layout_of(given[self._looked_at])

    def _layout_of(self, stream: dict[str, Any]) -> tuple[Layout, Format]:
        form = self._form_of(stream)
        (width_px, height_px), stride = stream["size"], stream["stride"]
        # libcamera pads rows; chroma rows are half a luma row, padding included. Video configurations of
        # picamera2 ask for SMPTE 170M or Rec. 709, both of limited range.
        chroma = stride // 2 if form == "YUV420" else (width_px + 1) // 2
        return Layout(width_px, height_px, (stride, chroma, chroma), full_range=False), form

    def _form_of(self, stream: dict[str, Any]) -> Format:
        for form in get_args(Format):
            if stream["format"] == form:
                return form  # type: ignore[no-any-return]
        raise CameraRefused(
            tr("{camera}: it gives {format}, not YUV420", camera=self._source.name, format=stream["format"]),
            tr("try another size"),
        )

    def _facts(self) -> CameraFacts:
        layout, options = self._layout, self._source.options
        model = str(self._camera.camera_properties.get("Model", "unknown"))
        by = (
            encoder_of(int(options["main_width_px"]), int(options["main_height_px"])) if self._records else None
        )
        form = "yuv420p" if self._form == "YUV420" else "nv12"
        size = layout.width_px, layout.height_px
        return CameraFacts("raw", f"libcamera {model}", form, *size, float(options["fps"]), by)

    def _paint(self, request: Any, mask: BufferMask) -> None:
        with self._mapped(request, "main", reshape=False, write=True) as mapped:
            mask.paint(mapped.array)

    def _planes(self, array: Any) -> tuple[memoryview, memoryview, memoryview]:
        flat = array.reshape(-1)
        (_, at, v), sizes = self._layout.offsets, self._layout.sizes
        if self._form == "YUV420":
            plain = memoryview(flat)
            return plain[: sizes[0]], plain[at : at + sizes[1]], plain[v : v + sizes[2]]
        (rows, columns), stride = self._layout.shapes[1], self._layout.strides[0]
        pairs = flat[at : at + rows * stride].reshape(rows, stride)[:, : 2 * columns]
        u, v_plane = (memoryview(pairs[:, first::2].copy().reshape(-1)) for first in (0, 1))
        return memoryview(flat[: sizes[0]]), u, v_plane


def _number(wanted: str, present: list[dict[str, Any]]) -> int:
    if wanted.isdigit():
        return int(wanted)
    return [wanted in (camera.get("Id"), camera.get("Model")) for camera in present].index(True)
