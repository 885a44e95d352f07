"""agent.cli.cameras"""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml

from agent.config.schema import load
from agent.settings.dump import dumped
from tests.support.grainy_road import write_jpegs
from tests.support.onvif_camera import Announcer, OnvifCamera, Profile, probe_match

HERE = "127.0.4.1"
"""Of these tests alone: others answer at the same time."""
PASSWORD = "bí mật 7"


def ngatu(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", "cameras", *words],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.fixture
def password(tmp_path: Path) -> Path:
    file = tmp_path / "north.password"
    file.write_text(PASSWORD + "\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def camera(rtsp_server: Callable[..., Any], tmp_path: Path) -> Iterator[OnvifCamera]:
    """A real RTSP server with two streams behind it, whose own words name another host."""
    server = rtsp_server(
        "--user", "ngatu", "--password", PASSWORD, "--path", "/sub", "--stream", "/main=1280x720=h264",
        "--pictures", str(write_jpegs(tmp_path / "pictures", 20, 640, 360)), "--fps", "10",
    )  # fmt: skip
    profiles = [
        Profile("main", f"rtsp://10.9.9.9:{server.port}/main", 1280, 720),
        Profile("sub", f"rtsp://10.9.9.9:{server.port}/sub", 640, 360),
    ]
    with OnvifCamera(profiles, ("ngatu", PASSWORD), claimed_host="10.9.9.9") as found:
        yield found


@pytest.mark.long
@pytest.mark.rtsp
def test_a_camera_that_is_asked_shows_its_picture_and_its_entry(
    camera: OnvifCamera, password: Path, tmp_path: Path
) -> None:
    done = ngatu(
        "--at", camera.at, "--username", "ngatu", "--password-file", str(password), "--name", "north",
        "--out", str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(done.stdout)["cameras"][0]
    assert found["source"]["url"].startswith("rtsp://127.0.0.1:")
    assert found["source"]["url"].endswith("/sub")
    assert found["record"]["source"]["url"].endswith("/main")
    assert found["source"]["password"] == {"file": str(password)}
    assert "to see with: 640×360 h264" in done.stderr
    assert "set record.mode to events and evidence.recipient to the station's key" in done.stderr
    assert "to record: 1280×720 h264" in done.stderr
    picture = cv2.imread(str(tmp_path / "north.png"))
    assert picture is not None
    assert picture.shape == (360, 640, 3)
    assert 60 < picture.mean() < 190
    assert PASSWORD not in done.stdout + done.stderr
    assert not any(PASSWORD in head for head in camera.heads)
    _taken(found, tmp_path)


def _taken(found: dict[str, Any], folder: Path) -> None:
    """The configuration takes it, as it was printed."""
    file = folder / "box.yaml"
    head = "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: 127.0.0.1}\n"
    file.write_text(head + dumped({"cameras": [found]}))
    assert load(file).cameras[0].name == "north"


def test_a_camera_on_the_network_is_told_of_but_gets_no_login() -> None:
    with (
        OnvifCamera([], ("ngatu", PASSWORD), address=HERE) as camera,
        Announcer(lambda n: [probe_match(n, f"http://{HERE}:{camera.port}/onvif/dev")], HERE),
    ):
        done = ngatu("--for", "1")
        assert camera.heads == []
    assert done.returncode == 0, done.stderr
    assert f"network camera {HERE} Example IPC 4" in done.stderr
    assert f"ngatu cameras --at http://{HERE}:{camera.port}/onvif/dev --username NAME" in done.stderr
    assert done.stdout == ""


def test_a_wrong_login_is_told_in_the_language_of_the_reader(password: Path) -> None:
    with OnvifCamera([], ("ngatu", "another")) as camera:
        words = ("--at", camera.at, "--username", "ngatu", "--password-file", str(password))
        done, viet = ngatu(*words), ngatu(*words, LANGUAGE="vi")
    assert (done.returncode, done.stdout) == (1, "")
    assert "refuses the login" in done.stderr
    assert "refuses the login" not in viet.stderr
    assert PASSWORD not in done.stderr + viet.stderr


@pytest.mark.parametrize(("words", "expected"), [
    (("--username", "ngatu"), "--username without --at"),
    (("--at", "127.0.0.1", "--password-file", "x"), "--password-file without --username"),
    (("--at", "http://ngatu:geheim@127.0.0.1"), "without user name and password"),
    (("--at", "127.0.0.1", "--username", "ngatu", "--password-file", "/nowhere/x"), "/nowhere/x"),
    (("--at", "127.0.0.1", "--username", "ngatu"), "no terminal to ask for the password"),
    (("--name", "Nord"), "not a name for a camera"),
    (("--out", "/nowhere"), "no such folder"),
])  # fmt: skip
def test_words_that_do_not_go_together_are_told_and_nothing_is_sent(
    words: tuple[str, ...], expected: str
) -> None:
    done = ngatu(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr
    assert "geheim" not in done.stderr


def test_a_typed_password_is_shown_nowhere_and_has_a_place_in_the_entry() -> None:
    profiles = [Profile("a", "rtsp://127.0.0.1:1/live", 640, 360)]
    with OnvifCamera(profiles, ("ngatu", PASSWORD)) as camera:
        words = [sys.executable, "-m", "agent", "cameras", "--at", camera.at, "--username", "ngatu"]
        ours, terminal = pty.openpty()
        with subprocess.Popen(
            words, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
        ) as child:
            os.close(terminal)
            shown = b""
            with contextlib.suppress(OSError):  # the end of a terminal
                while more := os.read(ours, 65_536):
                    shown += more
                    if shown.endswith(b"password of ngatu: "):
                        os.write(ours, PASSWORD.encode() + b"\n")
            child.wait(30)
        os.close(ours)
    assert b"/etc/ngatu/camera-1.password" in shown
    assert b"and put the password into" in shown
    assert PASSWORD.encode() not in shown


def test_an_address_where_nobody_is_does_not_hide_another(password: Path) -> None:
    profiles = [Profile("a", "rtsp://127.0.0.1:1/live", 640, 360)]
    with OnvifCamera(profiles, ("ngatu", PASSWORD)) as camera:
        done = ngatu(
            "--at", "127.0.0.1:1", "--at", camera.at, "--username", "ngatu", "--password-file", str(password)
        )
    assert done.returncode == 1
    assert "127.0.0.1:1: nobody listening" in done.stderr
    assert "camera-2: rtsp://127.0.0.1:1/live has nobody listening" in done.stderr
    assert "name: camera-2" in done.stdout
