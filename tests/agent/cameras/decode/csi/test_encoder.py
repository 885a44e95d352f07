"""agent.cameras.decode.csi.encoder; what comes of it is tried in test_camera.py"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from agent.cameras.decode.csi.encoder import CsiEncoder, encoder_of
from agent.cameras.decode.decoded import EncodedPacket, Source

HARDWARE = Path(__file__).resolve().parents[4] / "support" / "hardware"
MAIN = {"main_width_px": "1280", "main_height_px": "720", "main_kbit_s": "4000", "main_key_every_s": "1.0"}
SOURCE = Source("north", "csi", "0", "the camera", options={"fps": "15.0", **MAIN})


def board(sys: Path, name: str | None) -> Path:
    """A board whose kernel shows a video device of this name."""
    if name is not None:
        (sys / "class/video4linux/video11").mkdir(parents=True)
        (sys / "class/video4linux/video11/name").write_text(name + "\n")
    return sys


@pytest.mark.parametrize(
    ("name", "size", "by"),
    [
        ("bcm2835-codec-encode", (1920, 1080), "hardware"),  # Pi 4
        ("bcm2835-codec-encode", (2304, 1296), "software"),  # more than its encoder takes
        ("pispbe-output", (1920, 1080), "software"),  # Pi 5: the number is another device's
        (None, (1920, 1080), "software"),  # none at all: picamera2 would believe in one
    ],
)
def test_the_boards_encoder_is_taken_where_there_is_one(
    tmp_path: Path, name: str | None, size: tuple[int, int], by: str
) -> None:
    assert encoder_of(*size, board(tmp_path, name)) == by


class Camera:
    """Notes which encoder is started."""

    def __init__(self) -> None:
        self.started: list[tuple[Any, Any, str]] = []

    def start_encoder(self, encoder: Any, output: Any, name: str) -> None:
        self.started.append((encoder, output, name))


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> tuple[CsiEncoder, Camera, list[EncodedPacket]]:
    monkeypatch.syspath_prepend(HARDWARE)
    for name in [name for name in sys.modules if name.partition(".")[0] == "picamera2"]:
        monkeypatch.delitem(sys.modules, name)
    camera, packets = Camera(), list[EncodedPacket]()
    return CsiEncoder(camera, SOURCE, lambda: (100.0, 5000.0), packets.append), camera, packets


@pytest.mark.parametrize(("by", "made"), [("hardware", "H264Encoder"), ("software", "LibavH264Encoder")])
def test_it_is_asked_for_the_rate_and_the_key_pictures_of_the_settings(
    encoder: tuple[CsiEncoder, Camera, list[EncodedPacket]], by: Any, made: str
) -> None:
    it, camera, _ = encoder
    it.by = by
    it.start()
    ((started, _, stream),) = camera.started
    assert (type(started).__name__, stream) == (made, "main")
    assert (started.bitrate, started.every, started.framerate) == (4_000_000, 15, 15)


def test_a_sensors_time_of_another_clock_is_not_believed(
    encoder: tuple[CsiEncoder, Camera, list[EncodedPacket]],
) -> None:
    it, camera, packets = encoder
    it.start()
    ((started, output, _),) = camera.started
    for first_us, after_us in ((99_900_000, 0), (7_000_000, 0), (200_000_000, 0)):
        started.firsttimestamp = first_us
        output.outputframe(b"x", True, after_us)
    first, *others = (packet.mono_s for packet in packets)
    assert first == pytest.approx(99.9)
    assert others == pytest.approx([100.0, 100.0])
    assert len({packet.mono_s for packet in packets}) == 3
    assert packets[0].wall_s == pytest.approx(4999.9)
