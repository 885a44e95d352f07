"""agent.tools.discovery.local_devices"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.tools.discovery import local_devices
from agent.tools.discovery.local_devices import DeviceCamera, csi_cameras, usb_cameras


def test_each_usb_camera_is_found_once_by_the_name_that_stays(tmp_path: Path) -> None:
    devices = tmp_path / "dev"
    for folder in ("v4l/by-id", "v4l/by-path"):
        (devices / folder).mkdir(parents=True)
    for node in ("video0", "video1", "video2"):
        (devices / node).touch()
    links = {
        "v4l/by-id/usb-046d_C920_1A2B-video-index0": "video0",
        "v4l/by-id/usb-046d_C920_1A2B-video-index1": "video1",  # metadata, no pictures
        "v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0-video-index0": "video0",
        "v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0": "video2",
        "v4l/by-id/usb-gone-video-index0": "video9",
    }
    for link, node in links.items():
        (devices / link).symlink_to(f"../../{node}")

    assert usb_cameras(tmp_path) == [
        DeviceCamera("usb", "/dev/v4l/by-id/usb-046d_C920_1A2B-video-index0", "046d C920 1A2B"),
        DeviceCamera(
            "usb",
            "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:2:1.0-video-index0",
            "pci-0000:00:14.0-usb-0:2:1.0",
        ),
    ]
    assert usb_cameras(tmp_path / "nowhere") == []


def library(folder: Path, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "picamera2.py").write_text(words)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_cameras_on_a_cable_are_those_that_picamera2_tells_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(
        tmp_path,
        "class Picamera2:\n    @staticmethod\n    def global_camera_info():\n        print('hello')\n"
        "        return [{'Model': 'imx708', 'Id': '/base/soc/i2c0mux/i2c@1/imx708@1a', 'Num': 0},\n"
        "                {'Model': 'C920', 'Id': '/base/scb/pcie@7d500000/usb@0,0-1:1.0', 'Num': 1}]\n",
        monkeypatch,
    )
    assert csi_cameras() == [DeviceCamera("csi", 0, "imx708")]


@pytest.mark.parametrize(
    "words", ["import os; os.abort()", "raise ImportError", "import time; time.sleep(60)", "x"]
)
def test_a_library_that_fails_or_hangs_has_no_cameras(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_devices, "LIST_S", 2.0)
    library(tmp_path, words, monkeypatch)
    assert csi_cameras() == []
