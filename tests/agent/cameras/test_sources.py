"""agent.cameras.sources"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.cameras.settings import CameraSettings, FileSource
from agent.cameras.sources import present, source
from agent.core.types import Instant
from agent.errors import CameraLost, CameraRefused

START = Instant(5.0, 1_770_000_000.0)


def camera(**settings: object) -> CameraSettings:
    return CameraSettings.model_validate({"name": "north", "source": settings})


def test_the_login_is_neither_in_the_address_nor_in_anything_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:w/rd?\n")
    settings = source(
        camera(
            kind="rtsp", url="rtsp://[::1]:8554/live?sub=1", username="tran.a@b",
            password={"file": tmp_path / "password"},
        ),
        START,
    )  # fmt: skip
    assert settings.location == "rtsp://[::1]:8554/live?sub=1"
    assert settings.login == ("tran.a@b", "p@ss:w/rd?")
    assert settings.shown == "rtsp://[::1]:8554/live?sub=1"
    assert "w/rd" not in repr(settings)


@pytest.mark.parametrize("secret", [{"env": "NGATU_TEST_NOT_SET"}, {"file": "/nowhere/password"}])
def test_a_password_that_cannot_be_read_says_where_it_was_looked_for(secret: dict[str, str]) -> None:
    with pytest.raises(CameraRefused, match=next(iter(secret.values()))):
        source(camera(kind="rtsp", url="rtsp://h/live", username="tran", password=secret), START)


@pytest.mark.parametrize(("wake", "may"), [("auto", True), ("off", False)])
def test_whether_it_may_sleep_is_told_the_decoder(wake: str, may: bool) -> None:
    plain = {"name": "north", "wake": wake, "source": {"kind": "rtsp", "url": "rtsp://h/"}}
    assert source(CameraSettings.model_validate(plain), START).wake is may


def test_an_empty_password_file_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "password").touch()
    with pytest.raises(CameraRefused, match="cannot be read"):
        source(
            camera(kind="rtsp", url="rtsp://h/", username="t", password={"file": tmp_path / "password"}), START
        )


def test_a_missing_file_is_refused_by_name() -> None:
    with pytest.raises(CameraRefused, match=r"no such file: /nowhere/clip\.mp4"):
        source(camera(kind="file", path="/nowhere/clip.mp4"), START)


def plugged(root: Path, name: str, device: str = "video0") -> Path:
    by_id = root / "dev/v4l/by-id"
    by_id.mkdir(parents=True, exist_ok=True)
    (root / "dev" / device).touch()
    (by_id / name).symlink_to(f"../../{device}")
    return Path("/dev/v4l/by-id") / name


def test_a_plugged_camera_is_found_by_its_id(tmp_path: Path) -> None:
    device = plugged(tmp_path, "usb-Cam_C920-video-index0")
    assert present(device, tmp_path).resolve() == tmp_path / "dev/video0"


def test_a_missing_camera_is_lost_and_the_hint_lists_what_is_there(tmp_path: Path) -> None:
    plugged(tmp_path, "usb-Other-video-index0")
    with pytest.raises(CameraLost, match="usb-Cam") as caught:
        present(Path("/dev/v4l/by-id/usb-Cam"), tmp_path)
    assert "/dev/v4l/by-id/usb-Other-video-index0" in caught.value.hint


def test_a_link_that_leads_nowhere_is_a_camera_that_was_pulled_out(tmp_path: Path) -> None:
    device = plugged(tmp_path, "usb-Cam")
    (tmp_path / "dev/video0").unlink()
    with pytest.raises(CameraLost, match="usb-Cam") as caught:
        present(device, tmp_path)
    assert "no USB camera at all" in caught.value.hint


def test_a_usb_camera_that_is_not_there_is_lost() -> None:
    with pytest.raises(CameraLost, match="no camera at /dev/v4l/by-id/usb-nobody-has-this"):
        source(camera(kind="usb", device="/dev/v4l/by-id/usb-nobody-has-this"), START)


def test_the_decoder_of_a_ribbon_camera_hears_of_a_larger_stream_only_where_there_is_one() -> None:
    plain = source(camera(kind="csi"), START).options
    assert plain == {"width_px": "1280", "height_px": "720", "fps": "15.0"}
    main = {"width_px": 2304, "height_px": 1296, "kbit_s": 6000}
    assert source(camera(kind="csi", main=main), START).options == plain | {
        "main_width_px": "2304", "main_height_px": "1296", "main_kbit_s": "6000", "main_key_every_s": "1.0",
    }  # fmt: skip


@pytest.mark.parametrize("wish", ["software", "auto", "v4l2m2m"])
def test_who_decodes_is_told_for_cameras_whose_pictures_come_encoded(wish: str, tmp_path: Path) -> None:
    network = CameraSettings.model_validate(
        {"name": "north", "source": {"kind": "rtsp", "url": "rtsp://h/live"}, "decoder": wish}
    )
    assert source(network, START).decoder == wish
    clip = tmp_path / "clip.mp4"
    clip.touch()
    played = network.model_copy(update={"source": FileSource(kind="file", path=clip)})
    assert source(played, START).decoder == "software"  # a replay gives the same on every board
