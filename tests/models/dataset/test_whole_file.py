"""models.dataset.whole_file"""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ModelError
from models.dataset.whole_file import write_whole


def test_a_file_is_written_with_its_folders_and_nothing_beside_it(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b.txt", "xin chào\n")

    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "xin chào\n"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_what_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    write_whole(tmp_path / "b.txt", "one")
    before = (tmp_path / "b.txt").stat().st_ino

    write_whole(tmp_path / "b.txt", "one")
    assert (tmp_path / "b.txt").stat().st_ino == before
    write_whole(tmp_path / "b.txt", "two")
    assert (tmp_path / "b.txt").read_text() == "two"


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ModelError, match="cannot be written"):
        write_whole(tmp_path / "file" / "b.txt", "one")
