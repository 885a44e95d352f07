"""station.lookup.pictures"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import NgatuError
from station.lookup.pictures import PictureFolder
from tests.station.lookup.test_output import EVENT


def test_pictures_are_copied_under_names_for_people_and_the_row_says_where(tmp_path: Path) -> None:
    source = tmp_path / "abcd"
    source.write_bytes(b"jpeg")
    folder = PictureFolder(tmp_path / "out")

    found = folder.copy(replace(EVENT, picture=source, scene=tmp_path / "gone"))

    assert found.picture is not None
    assert found.picture.read_bytes() == b"jpeg"
    assert found.picture.name.endswith("_north_line_crossed_thumbnail_e-1.jpg")
    assert found.scene is None
    assert (folder.copied, folder.missing) == (1, 1)
    assert source.exists()


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    source, taken = tmp_path / "abcd", tmp_path / "out"
    source.write_bytes(b"jpeg")
    taken.write_text("a file where a folder should be")

    with pytest.raises(NgatuError, match=r"out.*: Not a directory") as caught:
        PictureFolder(taken).copy(replace(EVENT, picture=source))

    assert "that you may write to" in caught.value.hint


@pytest.mark.skipif(os.getuid() == 0, reason="root may read everything")
def test_a_picture_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    source = tmp_path / "abcd"
    source.write_bytes(b"jpeg")
    source.chmod(0)

    with pytest.raises(NgatuError, match="abcd: Permission denied"):
        PictureFolder(tmp_path / "out").copy(replace(EVENT, picture=source))
