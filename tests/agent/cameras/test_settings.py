"""agent.cameras.settings"""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.cameras.settings import CameraSettings, RtspSource, UsbSource


def camera(source: dict[str, object], **more: object) -> CameraSettings:
    return CameraSettings.model_validate({"name": "north", "source": source, **more})


RTSP = {"kind": "rtsp", "url": "rtsp://10.0.0.7:554/sub"}


@pytest.mark.parametrize("source", [
    RTSP,
    {**RTSP, "username": "tran", "password": {"env": "NORTH_PASSWORD"}, "transport": "udp"},
    {"kind": "usb", "device": "/dev/v4l/by-id/usb-Cam_C920-video-index0"},
    {"kind": "usb", "device": "/dev/video0"},
    {"kind": "file", "path": "clip.mp4", "pace": "fast", "loop": True},
    {"kind": "csi", "camera": "/base/soc/i2c0mux/i2c@1/imx708@1a"},
])  # fmt: skip
def test_every_kind_of_source_is_understood(source: dict[str, object]) -> None:
    assert camera(source).source.kind == source["kind"]


@pytest.mark.parametrize(("source", "reason"), [
    ({**RTSP, "url": "rtsp://tran:geheim@10.0.0.7/sub"}, "set username and password instead"),
    ({**RTSP, "url": "rtsp://tran@10.0.0.7/sub"}, "set username and password instead"),
    ({**RTSP, "url": "http://10.0.0.7/sub"}, "should match pattern"),
    ({**RTSP, "url": "rtsp:///sub"}, "no host"),
    ({**RTSP, "url": "rtsp://10.0.0.7:99999/sub"}, "no host with a port in the url"),
    ({**RTSP, "password": {"env": "X"}}, "a password needs a username"),
    ({"kind": "usb", "device": "/dev/sda"}, "/dev/v4l/by-id"),
    ({"kind": "usb", "device": "/dev/v4l/by-id/../../sda"}, "/dev/v4l/by-id"),
    ({"kind": "csi", "main": {"width_px": 1920, "height_px": 480}}, "main is 1920×480, smaller"),
    ({"kind": "webcam"}, "'rtsp', 'usb', 'file', 'csi'"),
    ({**RTSP, "uri": "x"}, "Extra inputs are not permitted"),
])  # fmt: skip
def test_a_wrong_source_is_refused_with_a_reason(source: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        camera(source)


def test_a_password_in_the_url_is_not_repeated_in_the_text_of_the_mistake() -> None:
    with pytest.raises(ValidationError) as caught:
        camera({**RTSP, "url": "rtsp://tran:geheim@10.0.0.7/sub"})
    assert "geheim" not in "".join(error["msg"] for error in caught.value.errors(include_input=False))


@pytest.mark.parametrize(("mask", "reason"), [
    ([(0, 0), (1, 1)], "at least 3 items"),
    ([(0, 0), (0.5, 0), (0.5, 1.01)], "less than or equal to 1"),
    ([(0, 0), (0.5, 0), (0.5, float("nan"))], "finite number"),
    ([(0, 0), (0.5, 0.5), (1, 1)], "enclose an area"),
    ([(0, 0), (1, 1), (1, 0), (0, 1)], "must not cross"),
])  # fmt: skip
def test_a_camera_with_a_wrong_mask_does_not_start(mask: list[tuple[float, float]], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        camera(RTSP, privacy_masks=[mask])


def test_a_device_that_another_camera_may_become_is_not_stable() -> None:
    assert not UsbSource.model_validate({"device": "/dev/video0"}).stable
    assert UsbSource.model_validate({"device": "/dev/v4l/by-path/pci-0-usb-0:1-video-index0"}).stable


def test_a_camera_whose_pictures_come_too_seldom_to_count_as_there_is_refused() -> None:
    assert camera(RTSP, max_fps=0.1, stall_s=10).max_fps == 0.1
    with pytest.raises(
        ValidationError, match=r"at max_fps 0.05 a picture comes every 20 s, but with stall_s 10"
    ):
        camera(RTSP, max_fps=0.05)


def test_masks_have_a_version_and_another_mask_is_another_one() -> None:
    def version(x: float) -> str | None:
        return camera(RTSP, privacy_masks=[[(x, 0.1), (0.4, 0.1), (0.4, 0.4)]]).mask_sha256

    assert version(0.1) == version(0.1) != version(0.2)
    assert camera(RTSP).mask_sha256 is None


@pytest.mark.parametrize("source", [{"kind": "csi"}, {"kind": "file", "path": "clip.mp4"}])
def test_a_boards_decoder_is_refused_where_nothing_comes_that_it_decodes(source: dict[str, str]) -> None:
    assert camera(RTSP).decoder == "software"
    assert camera(RTSP, decoder="v4l2m2m").decoder == "v4l2m2m"
    assert camera(source, decoder="auto").decoder == "auto"
    with pytest.raises(ValidationError, match=f"not for source.kind {source['kind']}"):
        camera(source, decoder="v4l2m2m")


@pytest.mark.parametrize("password", ["se#cret", "12#34", "a/b", "Matkhau?1", "x:y:z", "\u2100"])
def test_a_login_in_the_address_is_refused_whatever_its_password_and_no_part_of_it_is_said(
    password: str,
) -> None:
    with pytest.raises(ValidationError) as refused:
        RtspSource.model_validate({"url": f"rtsp://ngatu:{password}@192.168.10.21:554/live"})

    (error,) = refused.value.errors(include_input=False)
    assert str(error["ctx"]["error"]) == (
        "take the user name and password out of the url; set username and password instead"
    )
