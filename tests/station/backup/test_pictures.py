"""station.backup.pictures"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from station.backup.pictures import absent, copy_pictures
from station.store.blobs import path_of
from station.store.pictures.shelf import PicturePlace, PictureShelf


def filled(folder: Path, *contents: bytes) -> list[PicturePlace]:
    names = sorted((sha256(content).hexdigest(), len(content)) for content in contents)
    rows = [PicturePlace(*name) for name in names]
    for content in contents:
        path = path_of(folder, sha256(content).hexdigest())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return rows


def test_only_what_is_not_there_is_copied_and_told(tmp_path: Path) -> None:
    rows = filled(tmp_path / "here", *(bytes([number]) for number in range(200)))
    filled(tmp_path / "there", *(bytes([number]) for number in range(50)))
    steps: list[tuple[str, int, int]] = []

    wanted = list(absent(rows, tmp_path / "there"))
    copied = copy_pictures(
        wanted,
        len(wanted),
        PictureShelf(tmp_path / "here"),
        tmp_path / "there",
        lambda *step: steps.append(step),
    )

    assert (len(wanted), copied.fresh, copied.fresh_bytes) == (150, 150, 150)
    assert steps[-1] == ("pictures", 150, 150)
    assert list(absent(rows, tmp_path / "there")) == []


def test_what_is_missing_or_is_not_what_its_name_says_is_left_out(tmp_path: Path) -> None:
    rows = filled(tmp_path / "here", b"one", b"two", b"three")
    path_of(tmp_path / "here", rows[0].sha256).unlink()
    path_of(tmp_path / "here", rows[1].sha256).write_bytes(b"forged")

    copied = copy_pictures(rows, 3, PictureShelf(tmp_path / "here"), tmp_path / "there", lambda *_: None)

    assert (copied.missing, copied.altered, copied.fresh) == ([rows[0].sha256], [rows[1].sha256], 1)
    assert [row for row in rows if path_of(tmp_path / "there", row.sha256).exists()] == rows[2:]


def test_what_is_no_file_or_longer_than_it_was_is_read_by_nobody(tmp_path: Path) -> None:
    """A link to what never ends, a pipe that nobody writes to, a file without end."""
    rows = filled(tmp_path / "here", b"one", b"two", b"three")
    link, pipe, long = (path_of(tmp_path / "here", row.sha256) for row in rows)
    for each in (link, pipe, long):
        each.unlink()
    link.symlink_to("/dev/zero")
    os.mkfifo(pipe)
    with long.open("wb") as file:
        file.truncate(2**40)

    copied = copy_pictures(rows, 3, PictureShelf(tmp_path / "here"), tmp_path / "there", lambda *_: None)

    assert copied.altered == [row.sha256 for row in rows]


def test_what_an_earlier_copy_left_unfinished_goes(tmp_path: Path) -> None:
    rows = filled(tmp_path / "here", b"one")
    (tmp_path / "there" / "incoming").mkdir(parents=True)
    (tmp_path / "there" / "incoming" / "half").write_bytes(b"ha")

    copy_pictures(rows, 1, PictureShelf(tmp_path / "here"), tmp_path / "there", lambda *_: None)

    assert list((tmp_path / "there" / "incoming").iterdir()) == []
