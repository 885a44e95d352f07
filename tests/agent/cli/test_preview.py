"""agent.cli.preview"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2

from tests.support.boxes import NGATU


def preview(folder: Path, cameras: dict[str, Path], *words: str) -> subprocess.CompletedProcess[str]:
    config = folder / "box.yaml"
    config.write_text(
        "device: {commune: hai-ninh, id: hai-ninh-03}\nbroker: {host: localhost}\ncameras:\n"
        + "".join(
            f"  - {{name: {name}, source: {{kind: file, path: {path}}}}}\n" for name, path in cameras.items()
        ),
        encoding="utf-8",
    )
    command = [*NGATU, "preview", "-c", str(config), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_every_camera_gets_a_picture_of_its_name_and_its_size_is_said(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(5)
    done = preview(tmp_path, {"north": clip, "south": clip})

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"{name}.jpg: camera {name} gives 320×240 pixels; "
        "read corners off the grid, or divide: [x / 320, y / 240]"
        for name in ("north", "south")
    ]
    assert cv2.imread(str(tmp_path / "north.jpg")).shape == (720, 960, 3)


def test_one_camera_goes_into_the_file_that_is_named(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(5)
    done = preview(tmp_path, {"north": clip, "south": clip}, "--camera", "south", "--out", "view.png")

    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.glob("*.png")] == ["view.png"]
    assert not list(tmp_path.glob("*.jpg"))


def test_a_camera_that_is_off_hides_no_other_and_ends_the_command_with_1(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    done = preview(tmp_path, {"off": tmp_path / "none.mkv", "south": numbered_clip(5)})

    assert done.returncode == 1
    assert "off: no such file" in done.stderr
    assert (tmp_path / "south.jpg").is_file()


def test_a_camera_that_is_not_in_the_file_and_a_folder_that_is_not_there_are_told(
    tmp_path: Path, numbered_clip: Callable[..., Path]
) -> None:
    clip = numbered_clip(5)
    unknown = preview(tmp_path, {"north": clip}, "--camera", "nort")
    nowhere = preview(tmp_path, {"north": clip, "south": clip}, "--out", "nowhere")

    assert (unknown.returncode, nowhere.returncode) == (2, 1)
    assert "there is no camera nort in the configuration\n  hint: there are: north" in unknown.stderr
    assert "nowhere: no such folder" in nowhere.stderr
