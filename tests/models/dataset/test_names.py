"""models.dataset.names"""

from __future__ import annotations

from pathlib import Path

import pytest

from models.dataset.names import camera_of, pictures_in


@pytest.mark.parametrize(
    ("name", "camera"),
    [
        ("cam_01_00017.jpg", "cam_01"),
        ("junction_2026-01-14_23H14_night.jpg", "junction"),
        ("junction-20260114T231400.jpg", "junction"),
        ("1a2b3c4d-cam_01_00017.jpg", "cam_01"),
        ("north/17.jpg", "north"),
        ("17.jpg", ""),
        ("cho.jpg", "cho"),
        ("3_Thang_2_Thanh_Thai_2026-03-11_6H21_dawn.jpg", "3_Thang_2_Thanh_Thai"),
    ],
)
def test_a_file_s_name_says_its_camera(name: str, camera: str) -> None:
    assert camera_of(name) == camera


def test_pictures_are_found_below_a_folder_and_nothing_else(tmp_path: Path) -> None:
    outside = tmp_path / "secret.jpg"
    folder = tmp_path / "set"
    for name in ("b.JPG", "a/c.png", ".hidden/d.jpg", ".e.jpg", "f.txt", "g.webp"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    outside.write_bytes(b"")
    (folder / "link.jpg").symlink_to(outside)

    assert list(pictures_in(folder)) == ["a/c.png", "b.JPG", "g.webp"]
