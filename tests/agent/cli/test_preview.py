"""agent.cli.preview"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from tests.agent.tools.preview.conftest import config_file, road
from tests.support.boxes import NGATU
from tests.support.preview_page import preview_page

__all__ = ["config_file", "road"]  # fixtures


def pictures(folder: Path, cameras: dict[str, Path], *words: str) -> subprocess.CompletedProcess[str]:
    config = folder / "box.yaml"
    config.write_text(
        "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: localhost}\ncameras:\n"
        + "".join(
            f"  - {{name: {name}, source: {{kind: file, path: {path}}}}}\n" for name, path in cameras.items()
        ),
        encoding="utf-8",
    )
    command = [*NGATU, "preview", "-c", str(config), "--picture", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.long
def test_every_camera_gets_a_picture_of_its_name_and_its_size_is_said(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(5)
    done = pictures(tmp_path, {"north": clip, "south": clip})

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{name}.jpg: camera {name} gives 320×240 pixels; "
        "read corners off the grid, or divide: [x / 320, y / 240]"
        for name in ("north", "south")
    ]
    assert cv2.imread(str(tmp_path / "north.jpg")).shape == (720, 960, 3)


@pytest.mark.long
def test_one_camera_goes_into_the_file_that_is_named(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(5)
    done = pictures(tmp_path, {"north": clip, "south": clip}, "--camera", "south", "--out", "view.png")

    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.glob("*.png")] == ["view.png"]
    assert not list(tmp_path.glob("*.jpg"))


def test_a_camera_that_is_off_hides_no_other_and_ends_the_command_with_1(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    done = pictures(tmp_path, {"off": tmp_path / "none.mkv", "south": numbered_clip(5)})

    assert done.returncode == 1
    assert "off: no such file" in done.stderr
    assert (tmp_path / "south.jpg").is_file()


@pytest.mark.long
def test_a_camera_that_is_not_in_the_file_and_a_folder_that_is_not_there_are_told(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(5)
    unknown = pictures(tmp_path, {"north": clip}, "--camera", "nort")
    nowhere = pictures(tmp_path, {"north": clip, "south": clip}, "--out", "nowhere")

    assert (unknown.returncode, nowhere.returncode) == (2, 1)
    assert "there is no camera nort in the configuration\n  hint: there are: north" in unknown.stderr
    assert "nowhere: no such folder" in nowhere.stderr


# ---------------------------------------------------------------------------------- the page


def got(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        data = answer.read()
        assert isinstance(data, bytes)
        return data


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_page_is_for_this_machine_alone_until_a_signal_ends_it(config_file: Path, number: int) -> None:
    with preview_page(config_file) as page:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", page.url)
        assert b"page.js" in got(page.url)
        code = page.stop(number)

    assert code == 0
    assert "ssh -L" in page.said and "whoever works on this machine" in page.said
    assert page.said.count("a browser at 127.0.0.1 looks") == 1
    assert "Traceback" not in page.said


@pytest.mark.long
def test_for_other_machines_the_address_holds_a_token_and_what_stands_open_is_said(config_file: Path) -> None:
    urls = []
    for _ in range(2):
        with preview_page(config_file, "--listen", "0.0.0.0") as page:
            urls.append(page.url)
            here = re.sub(r"//[^:/]+", "//127.0.0.1", page.url)
            assert b"page.js" in got(here)
            with pytest.raises(urllib.error.HTTPError, match="404"):
                got(here.rsplit("/", 2)[0] + "/")
            code = page.stop()
        assert code == 0
        assert "nothing on the way is encrypted" in page.said

    tokens = [url.split("/")[3] for url in urls]
    assert all(len(token) == 24 for token in tokens)
    assert tokens[0] != tokens[1]
    assert "looks" in page.said and page.said.count(tokens[1]) == page.said.count("http://")


@pytest.mark.long
def test_the_commands_words_are_those_of_the_reader(config_file: Path) -> None:
    with preview_page(config_file, LANGUAGE="vi") as page:
        page.stop()

    assert "Ctrl-C để kết thúc" in page.said


def test_without_its_model_the_page_says_that_it_sees_motion_alone(config_file: Path) -> None:
    text = config_file.read_text(encoding="utf-8")
    config_file.write_text(re.sub(r"model: \S+", "model: none.onnx}", text), encoding="utf-8")
    with preview_page(config_file) as page:
        assert page.said.startswith("only motion is seen: none.onnx: no such model")
        assert b"only motion is seen" in got(page.url + "places")


@pytest.mark.long
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--listen", "hop-03"], 2, "'hop-03' is no address of a machine"),
        (["--listen", "192.0.2.1"], 1, "nothing can listen there"),
        (["--video", "none.mp4"], 1, "none.mp4: no such file"),
        (["--out", "x.jpg"], 2, "goes only with --picture"),
        (["--camera", "raod"], 2, "there is no camera raod"),
        (["--camera", "road", "--camera", "road"], 2, "the page is that of one camera"),
    ],
)
def test_a_slip_is_told_before_anything_is_served(
    config_file: Path, words: list[str], code: int, says: str
) -> None:
    command = [*NGATU, "preview", "-c", str(config_file), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == code
    assert says in " ".join((done.stdout + done.stderr).replace("│", " ").split())


@pytest.mark.long
def test_a_port_that_another_program_has_is_told(config_file: Path) -> None:
    with preview_page(config_file) as page:
        port = page.url.rstrip("/").rsplit(":", 1)[1]
        command = [*NGATU, "preview", "-c", str(config_file), "--port", port]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert f"port {port}: nothing can listen there: Address already in use" in done.stderr
    assert "name another port with --port" in done.stderr


def test_a_video_may_be_called_anything(config_file: Path, road: Path) -> None:
    hostile = config_file.with_name("<img src=x onerror=alert(1)>.mp4")
    shutil.copy(road / "road.mp4", hostile)
    with preview_page(config_file, "--video", str(hostile)) as page:
        link = http.client.HTTPConnection(page.url.split("/")[2], timeout=20)
        link.request("GET", "/places")
        answer = link.getresponse()
        assert answer.getheader("Content-Type") == "application/json"
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert b"<img" in answer.read()  # as data; test_preview_page.py holds that it stays text
        link.close()


@pytest.mark.long
def test_who_came_and_on_what_rules_were_tried_stands_in_the_log_of_a_box_that_works(
    config_file: Path, road: Path
) -> None:
    state = config_file.parent / "state"
    state.mkdir()
    with preview_page(config_file, "--video", str(road / "road.mp4"), "--listen", "0.0.0.0") as program:
        url = f"http://127.0.0.1:{program.url.split(':')[2]}"
        assert urllib.request.urlopen(url, timeout=20).status == 200
        origin = url.rstrip("/").rpartition("/")[0]
        for _ in range(2):
            headers = {"Content-Type": "application/json", "Origin": origin}
            request = urllib.request.Request(f"{url}try", b'{"footage": 0}', headers)
            assert urllib.request.urlopen(request, timeout=20).status == 200
        assert program.stop() == 0
    begun, done = [json.loads(line) for line in (state / "audit.log").read_text().splitlines()]

    assert (begun["state"], done["state"]) == ("begun", "done")
    assert done["result"] == {"visitors": ["127.0.0.1"], "trials": {"road.mp4": 2}}
