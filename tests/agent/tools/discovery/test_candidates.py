"""agent.tools.discovery.candidates"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.clock import SystemClock
from agent.errors import CameraRefused
from agent.tools.discovery.candidates import TYPED, CameraLogin, local, names, network
from agent.tools.discovery.local_devices import DeviceCamera
from agent.tools.discovery.onvif import CameraAddress
from tests.support.onvif_camera import OnvifCamera, Profile

PROFILES = [
    Profile("main", "rtsp://10.0.0.1/main", 1920, 1080),
    Profile("sub", "rtsp://10.0.0.1/sub", 640, 360),
]
LOGIN = ("ngatu", "geheim-7")


def test_one_camera_has_the_name_that_was_given_and_several_are_numbered() -> None:
    assert names("north", 1) == ["north"]
    assert names("north", 2) == ["north-1", "north-2"]
    assert names(None, 1) == ["camera-1"]


def test_a_network_camera_is_seen_by_one_stream_and_recorded_by_the_other(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(LOGIN[1] + "\n")
    with OnvifCamera(PROFILES, LOGIN) as camera:
        found = network("north", CameraAddress.read(camera.at), CameraLogin.read(LOGIN[0], file), SystemClock())
    plain = {"username": "ngatu", "password": {"file": str(file)}}
    assert found.source == {"kind": "rtsp", "url": "rtsp://127.0.0.1:554/sub", **plain}
    assert found.recorded == {"kind": "rtsp", "url": "rtsp://127.0.0.1:554/main", **plain}
    assert found.password_file is None
    assert "geheim" not in repr(found)


def test_a_typed_password_is_used_now_and_has_its_place_in_the_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TYPED, "")
    with OnvifCamera(PROFILES, LOGIN) as camera:
        found = network(
            "north", CameraAddress.read(camera.at), CameraLogin("ngatu", None, LOGIN[1]), SystemClock()
        )
    assert found.entry["source"]["password"] == {"file": "/etc/ngatu/north.password"}
    assert found.password_file == "/etc/ngatu/north.password"
    assert (found.opened["password"], os.environ[TYPED]) == ({"env": TYPED}, LOGIN[1])
    assert "geheim" not in repr(CameraLogin("ngatu", None, LOGIN[1]))


def test_a_camera_without_a_stream_for_us_is_told() -> None:
    with (
        OnvifCamera([Profile("main", "rtsp://10.0.0.1/main", 1920, 1080, "VP9")]) as camera,
        pytest.raises(CameraRefused, match=r"no stream of H\.264"),
    ):
        network("north", CameraAddress.read(camera.at), None, SystemClock())


def test_a_camera_of_this_machine_is_named_as_the_configuration_does() -> None:
    usb = local("north", DeviceCamera("usb", "/dev/v4l/by-id/usb-1-video-index0", "C920"))
    assert usb.source == {"kind": "usb", "device": "/dev/v4l/by-id/usb-1-video-index0"}
    assert local("south", DeviceCamera("csi", 0, "imx708")).source == {"kind": "csi", "camera": 0}
