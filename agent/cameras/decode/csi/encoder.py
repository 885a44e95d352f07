"""A Raspberry Pi camera's larger stream as H.264: by the board's encoder where it has one, else in software.

A Pi 4 and its elders have an encoder behind V4L2, a Pi 5 has none. picamera2 takes a board that it does not
know for one that has, so it is looked for here. What masks hide is painted over before any encoder sees the
picture (buffer_mask.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

from agent.cameras.decode.decoded import EncodedPacket, Now, Source

By = Literal["hardware", "software"]

SYS: Final = Path("/sys")
DEVICE: Final = "video11"
"""Where picamera2 looks for the encoder (its v4l2_encoder.py)."""
DRIVER: Final = "bcm2835-codec-encode"
MOST_PX: Final = 1920 * 1088
"""The encoder's limit: H.264 level 4.2 at 1920×1080 (Raspberry Pi documentation, "Video codecs")."""
ODD_S: Final = 5.0
"""A time of the sensor so far from ours is of another clock."""

Take = Callable[[EncodedPacket], None]


def encoder_of(width_px: int, height_px: int, sys: Path = SYS) -> By:
    """Who encodes pictures of this size on this board; `sys` is where the kernel shows it."""
    try:
        name = (sys / "class/video4linux" / DEVICE / "name").read_text(encoding="ascii", errors="replace")
    except OSError:
        name = ""
    fits = width_px * height_px <= MOST_PX
    return "hardware" if fits and name.startswith(DRIVER) else "software"


class CsiEncoder:
    """Encodes the main stream of one started camera, from `start` until `stop`; may be started again."""

    def __init__(self, camera: Any, source: Source, now: Now, take: Take) -> None:
        """`take` gets each packet, in a thread of picamera2's: it must not block, or pictures are late."""
        options = source.options
        self.by: By = encoder_of(int(options["main_width_px"]), int(options["main_height_px"]))
        self._camera, self._now, self._take = camera, now, take
        self._fps = float(options["fps"])
        self._bits_s = int(options["main_kbit_s"]) * 1000
        self._key_every = max(1, round(float(options["main_key_every_s"]) * self._fps))
        self._encoder: Any = None
        self._last_s = float("-inf")

    def start(self) -> None:
        """Encode from the next picture on, which is a key picture.

        Raises:
            OSError, RuntimeError: the encoder does not start.
        """
        from picamera2.encoders import LibavH264Encoder  # noqa: PLC0415 – only where there is a Pi camera

        words = {"bitrate": self._bits_s, "iperiod": self._key_every, "repeat": True}
        if self.by == "hardware":
            from picamera2.encoders.h264_encoder import H264Encoder  # noqa: PLC0415

            self._encoder = H264Encoder(**words, framerate=self._fps)
        else:
            self._encoder = LibavH264Encoder(**words, framerate=round(self._fps))
            self._encoder.threads = max(1, (os.cpu_count() or 1) // 2)  # the others see
        self._camera.start_encoder(self._encoder, _output(self._came), name="main")

    def stop(self) -> None:
        """Encode no more; what is in the encoder comes out first."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            self._camera.stop_encoder(encoder)

    def _came(self, data: bytes, is_key: bool, timestamp_us: int) -> None:
        mono_s, wall_s = self._now()
        first_us = getattr(self._encoder, "firsttimestamp", None)
        age_s = mono_s - (first_us + timestamp_us) / 1e6 if first_us is not None else 0.0
        if not 0 <= age_s <= ODD_S:
            age_s = 0.0
        stamped_s = self._last_s = max(mono_s - age_s, self._last_s + 1e-6)
        self._take(EncodedPacket(bytes(data), is_key, stamped_s, wall_s - (mono_s - stamped_s)))


def _output(came: Callable[[bytes, bool, int], None]) -> Any:
    """picamera2's word for who gets packets."""
    from picamera2.outputs import Output  # noqa: PLC0415 – see above

    class Packets(Output):  # type: ignore[misc]  # picamera2 has no types
        """Hands each on."""

        def outputframe(
            self,
            frame: Any,
            keyframe: Any = True,
            timestamp: Any = None,
            packet: Any = None,
            audio: Any = False,
        ) -> None:
            """Called by the encoder; `timestamp` is in microseconds after its first picture."""
            if not audio and frame is not None:
                came(frame, bool(keyframe), int(timestamp or 0))

    return Packets()
